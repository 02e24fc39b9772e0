"""A picture searched as a small copy, and made of its own pixels."""

import numpy as np
import pytest

from engine.patches import quad
from engine.patches.enlarging import map_up, moved_up, reduced, reduced_lock, stamp_up
from engine.patches.reduction import Reduction, reduction


def nothing() -> None:
    """Never stops."""


def noise(size_hw, channels=(3,), kind=np.uint8):
    return np.random.default_rng(0).integers(0, np.iinfo(kind).max + 1, (*size_hw, *channels), dtype=kind)


def at_home(size_hw):
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    return np.stack([x, y], axis=2)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_the_small_copy_holds_means_of_areas(kind):
    image = noise((40, 60), kind=kind)
    small = reduced(image, (10, 20))
    means = image.reshape(10, 4, 20, 3, 3).mean(axis=(1, 3)) / np.iinfo(kind).max
    np.testing.assert_allclose(small, means, atol=1e-5)
    assert small.dtype == np.float32


def test_grey_is_reduced_once_and_tripled():
    grey = noise((40, 60), ())
    small = reduced(np.broadcast_to(grey[..., None], (40, 60, 3)), (10, 20))
    assert (small == small[..., :1]).all()
    np.testing.assert_allclose(small[..., 0], grey.reshape(10, 4, 20, 3).mean(axis=(1, 3)) / 255, atol=1e-5)


def test_a_lock_covers_each_small_pixel_that_it_touches():
    lock = np.zeros((40, 60), bool)
    lock[13, 31] = True
    small = reduced_lock(lock, (10, 20))
    assert np.argwhere(small).tolist() == [[3, 10]]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (2,), (3,), (4,)])
@pytest.mark.parametrize("scale", [2.0, 3.7, 1.04])
def test_a_field_of_one_shift_copies_pixels_bit_for_bit(channels, kind, scale):
    """Also where the sizes are no whole multiples of each other: copies are moved by whole pixels, never stretched."""
    image = noise((120, 160), channels, kind)
    small_hw = (round(100 / scale), round(100 / scale))
    field = at_home(small_hw) + (7, 3)
    made = moved_up(image, (100, 100), field, (scale, scale), nothing)
    down, right = round(3 * scale), round(7 * scale)
    np.testing.assert_array_equal(made, image[down : down + 100, right : right + 100])


def test_the_same_shape_gives_the_same_picture():
    image = noise((101, 203))
    found = reduction((101, 203), (101, 203), 3000)
    made = moved_up(image, (101, 203), at_home(found.target_hw), found.scale_yx, nothing)
    np.testing.assert_array_equal(made, image)


def test_past_an_edge_the_picture_is_mirrored():
    image = noise((20, 40))
    made = moved_up(image, (20, 40), at_home((10, 20)) + (1, 0), (2.0, 2.0), nothing)
    np.testing.assert_array_equal(made[:, :38], image[:, 2:])
    np.testing.assert_array_equal(made[:, 38:], image[:, :37:-1])


def test_copies_from_two_places_are_blended_where_they_meet():
    image = np.zeros((8, 32), np.uint16)
    image[:, 16:] = 60000
    field = at_home((2, 4))
    field[:, 2:, 0] += 4
    line = moved_up(image, (8, 16), field, (4.0, 4.0), nothing)[4]
    assert (line[:6] == 0).all()
    assert (line[10:] == 60000).all()
    assert (np.diff(line.astype(int)) >= 0).all()
    assert len(np.unique(line)) == 6


def test_where_the_field_says_nothing_the_nearest_pixel_speaks():
    image = noise((40, 40))
    field = at_home((20, 20)) + (2, 0)
    is_known = np.ones((20, 20), bool)
    is_known[:, :5] = False
    field[:, :5] = 0
    made = moved_up(image, (40, 36), field, (2.0, 2.0), nothing, is_known=is_known)
    np.testing.assert_array_equal(made, image[:, 4:])


def test_the_map_of_what_is_new_is_drawn_out_smoothly():
    novelty = np.array([[0, 200]], np.uint8)
    larger = map_up(novelty, (4, 40))
    assert larger.shape == (4, 40)
    assert (np.diff(larger[0].astype(int)) >= 0).all()
    assert (larger[0, 0], larger[0, -1]) == (0, 200)


def test_locked_pieces_come_back_bit_for_bit_wherever_they_lie():
    image = noise((90, 120))
    lock = np.zeros((90, 120), bool)
    lock[11:31, 17:43] = True
    lock[20, 20] = False  # a gap in the large lock is no part of it, though the small one covers it
    lock[60:80, 90:110] = True
    small = Reduction((30, 40), (30, 60), (3.0, 3.0))
    made = np.zeros((90, 180, 3), np.uint8)
    novelty = np.full((90, 180), 9, np.uint8)
    stamp_up(reduced_lock(lock, (30, 40)), lock, quad.rectangle((30, 60)), small, image, made, novelty)
    assert (novelty == 0).sum() == lock.sum()
    assert novelty[(made > 0).any(axis=2)].max() == 0
    found = np.argwhere(novelty == 0)
    first = found[found[:, 1] < 110]
    down, right = first.min(axis=0) - (11, 17)
    assert (down, right % 3) == (0, 0), "as far as on the small picture, in whole small pixels"
    np.testing.assert_array_equal(
        made[11:31, 17 + right : 43 + right][lock[11:31, 17:43]], image[11:31, 17:43][lock[11:31, 17:43]]
    )
    assert novelty[20, 20 + right] == 9


def test_a_request_to_stop_is_met_between_bands_of_rows():
    calls = 0

    def look() -> None:
        nonlocal calls
        calls += 1

    moved_up(np.zeros((400, 40), np.uint8), (400, 40), at_home((20, 2)), (20.0, 20.0), look)
    assert calls >= 20
