"""A field drawn out to full size."""

import numpy as np

from engine.patches.enlarging import enlarge


def nothing() -> None:
    """Never stops."""


def test_a_field_of_one_shift_copies_the_full_picture_exactly():
    image = np.random.default_rng(0).random((40, 48, 3)).astype(np.float32)
    y, x = np.mgrid[:20, :20]
    small = np.stack([x + 3, y], 2)  # of a source half as large: 20 x 24
    picture, field, novelty = enlarge(
        image, (40, 40), small, (20, 24), np.full((20, 20), 0.5, np.float32), nothing
    )
    np.testing.assert_allclose(picture, image[:, 6:46], atol=1e-6)
    y, x = np.mgrid[:40, :40]
    np.testing.assert_array_equal(field, np.stack([x + 6, y], 2))
    np.testing.assert_allclose(novelty, 0.5)


def test_copies_from_two_places_are_blended_where_they_meet():
    image = np.zeros((8, 32, 3), dtype=np.float32)
    image[:, 16:] = 1
    small = np.zeros((2, 4, 2), dtype=np.int64)
    small[:, 2:, 0] = 6
    picture, field, _ = enlarge(image, (8, 16), small, (2, 8), np.zeros((2, 4), np.float32), nothing)
    line = picture[4, :, 0]
    assert (line[:6] == 0).all()
    assert (line[10:] == 1).all()
    assert (np.diff(line) >= 0).all()
    assert field.shape == (8, 16, 2)


def test_a_request_to_stop_is_met_between_rows_and_before_the_map_of_what_is_new():
    calls = 0

    def look() -> None:
        nonlocal calls
        calls += 1

    image = np.zeros((40, 40, 3), np.float32)
    enlarge(image, (40, 40), np.zeros((20, 20, 2), np.int64), (20, 20), np.zeros((20, 20), np.float32), look)
    assert calls == 3 + 1
