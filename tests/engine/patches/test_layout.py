"""Whole parts side by side: which there are, what they cost, how they are joined."""

from itertools import product

import numpy as np
import pytest

from engine.patches.cutting import cuts
from engine.patches.layout import arrange, change_of_shares, joined, layouts
from engine.progress import Cancelled


def look() -> None:
    pass


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)


def test_all_ways_to_fill_a_row_are_listed_once_each():
    marks = np.arange(21)
    found = {tuple(map(tuple, parts)) for parts in layouts(20, 34, (marks, marks, marks)).tolist()}
    expected = set()
    for first, begin, end in product(range(21), repeat=3):
        rest = 20 - (34 - first - (end - begin))
        parts = ((0, first), (begin, end), (rest, 20))
        if 0 <= rest <= 20 and all(b == a or b - a >= 7 for a, b in parts):
            expected.add(parts)
    assert found == expected
    assert ((0, 20), (3, 10), (13, 20)) in found


def test_shares_kept_are_no_change_and_shares_lost_are_one():
    dark, light = np.zeros((30, 40, 3), np.float32), np.ones((30, 40, 3), np.float32)
    source = np.concatenate([dark, light], 1)
    twice = np.concatenate([source, source], 1)
    mostly = np.concatenate([dark, dark, dark, light], 1)
    assert change_of_shares(source, source, 7) < 1e-6
    assert change_of_shares(source, twice, 7) < 0.1 * change_of_shares(source, mostly, 7)


def test_parts_are_joined_at_their_seam():
    picture = noise(6, 24)
    y, x = np.mgrid[:6, :24]
    parts = np.array([(0, 18), (9, 9), (8, 24)])
    found = cuts(picture, look)
    field = joined(np.stack([x, y], 2), parts, found)
    assert field.shape == (6, 34, 2)
    for row, by in enumerate(found.seam(18, 8)):
        assert field[row, :, 0].tolist() == [*range(18 + by), *range(8 + by, 24)]
        assert (field[row, :, 1] == row).all()


def test_twice_the_size_holds_every_pixel_about_four_times():
    source = noise(26, 30)
    field = arrange(source, (52, 60), 7, look)
    count = np.zeros((26, 30))
    np.add.at(count, (field[..., 1], field[..., 0]), 1)
    assert field.shape == (52, 60, 2)
    assert (count == 4).mean() > 0.5
    assert count.min() > 0


def test_parts_keep_the_shares_a_resize_of_one_end_would_change():
    """Half is red; a third more of the width may not become red alone."""
    source = 0.3 * noise(28, 40)
    source[:, 20:, 0] += 0.6
    field = arrange(source, (28, 80), 7, look)
    assert (field[..., 0] >= 20).mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("size_hw", [(26, 31), (27, 200), (130, 30), (61, 47)])
def test_any_larger_frame_is_filled_from_inside(size_hw: tuple[int, int]):
    field = arrange(noise(26, 30), size_hw, 7, look)
    assert field.shape == (*size_hw, 2)
    assert field.min() >= 0
    assert (field.max((0, 1)) < (30, 26)).all()


def test_more_places_than_marks_are_refined():
    """The pattern repeats every 7 px, the marks lie every 2 px: the best cut is found between them."""
    source = np.tile(noise(24, 7), (1, 14, 1))
    field = arrange(source, (24, 98 + 35), 7, look)
    np.testing.assert_array_equal(source[field[..., 1], field[..., 0]], np.tile(source[:, :7], (1, 19, 1)))


def test_a_request_to_stop_is_met_while_layouts_are_weighed():
    """Thirty rows are cut, then the first layouts are weighed."""
    calls = 0

    def stop() -> None:
        nonlocal calls
        calls += 1
        if calls == 31:
            raise Cancelled

    with pytest.raises(Cancelled):
        arrange(noise(30, 30), (30, 60), 7, stop)
    assert calls == 31
