import numpy as np
import pytest

from engine.crops import Box, windows_over
from engine.pipelines.levels import (
    RIM_PX,
    enlarge_into,
    fade,
    scaled,
    shrink_known,
    trust,
    with_low_frequencies_of,
)


def test_no_colour_of_the_hole_leaks_when_shrinking():
    image = np.full((60, 90, 3), 30000, np.uint16)
    hole = np.zeros((60, 90), np.bool_)
    hole[13:41, 22:57] = True
    image[hole] = 65535
    small, small_hole = shrink_known(image, hole, (24, 36))
    assert np.abs(small[~small_hole].astype(int) - 30000).max() <= 2
    assert small_hole.mean() == pytest.approx(hole.mean(), abs=0.03)


def test_a_thin_hole_closes_on_a_coarse_level():
    image = np.full((80, 80, 3), 10000, np.uint16)
    hole = np.zeros((80, 80), np.bool_)
    hole[:, 40:42] = True
    small, small_hole = shrink_known(image, hole, (20, 20))
    assert not small_hole.any()
    assert np.abs(small.astype(int) - 10000).max() <= 2


def test_where_hardly_anything_is_known_the_little_counts():
    hole = np.ones((40, 40), np.bool_)
    hole[3, 3] = False
    _, small_hole = shrink_known(np.zeros((40, 40, 3), np.uint16), hole, (8, 8))
    assert np.argwhere(~small_hole).tolist() == [[0, 0]]


def test_the_last_level_is_the_picture_itself():
    image = np.arange(2 * 3 * 3, dtype=np.uint16).reshape(2, 3, 3)
    hole = np.zeros((2, 3), np.bool_)
    same, same_hole = shrink_known(image, hole, (2, 3))
    assert np.array_equal(same, image)
    assert same is not image
    assert same_hole is not hole


def test_the_coarse_fill_goes_into_the_hole_alone():
    level = np.zeros((8, 8, 3), np.uint16)
    hole = np.zeros((8, 8), np.bool_)
    hole[2:5, 2:5] = True
    enlarge_into(level, hole, np.full((4, 4, 3), 5000, np.uint16))
    assert (level[hole] == 5000).all()
    assert not level[~hole].any()


def test_detail_is_taken_and_tone_is_kept():
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 0.05, (64, 64, 3)).astype(np.float32)
    coarse = np.full((64, 64, 3), 0.4, np.float32)
    target = np.zeros((64, 64), np.bool_)
    target[8:56, 8:56] = True
    mixed = with_low_frequencies_of(coarse, 0.7 + grain, target)[target]
    assert mixed.mean() == pytest.approx(0.4, abs=0.005)
    assert mixed.std() == pytest.approx(0.05, rel=0.1)


def test_windows_of_one_tone_leave_no_step_where_they_meet():
    level = np.full((200, 260, 3), 0.5, np.float32)
    own = np.zeros((200, 260), np.bool_)
    own[20:180, 20:240] = True
    rng = np.random.default_rng(0)
    for window in windows_over(own, 64):
        image = level[window.frame.slices]
        target = np.zeros(image.shape[:2], np.bool_)
        target[window.region.inside(window.frame).slices] = own[window.region.slices]
        fill = np.broadcast_to(rng.random(3), image.shape).astype(np.float32)
        share = fade(window)[..., None]
        mixed = image * (1 - share) + with_low_frequencies_of(image, fill, target) * share
        level[window.frame.slices][target] = mixed[target]
    assert np.abs(level - 0.5).max() < 1e-5


def test_a_window_is_whole_in_its_core_and_gone_at_its_border():
    own = np.ones((200, 200), np.bool_)
    window = list(windows_over(own, 64))[7]
    share = fade(window)
    assert (share[window.core.inside(window.frame).slices] == 1).all()
    region = window.region.inside(window.frame)
    outside = np.ones(share.shape, np.bool_)
    outside[region.slices] = False
    assert share[outside].max() == 0
    assert 0 < share[region.slices].min() < 0.3


def test_boxes_scale_outwards():
    assert scaled(Box(3, 5, 10, 11), (20, 20), (10, 5)) == Box(0, 2, 3, 6)


def test_detail_counts_nothing_at_the_border_and_all_well_inside():
    """The side of the frame is no border: a window cut off by the picture is trusted up to it."""
    target = np.zeros((80, 40), dtype=bool)
    target[10:] = True
    share = trust(target)
    assert (share[:10] == 0).all()
    assert 0 < share[10, 20] < 0.01
    assert (share[10 + int(RIM_PX) :] == 1).all()
    assert (np.diff(share[:, 20]) >= 0).all()
