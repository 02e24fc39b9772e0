import cv2
import numpy as np
import pytest

from engine.crops import Box, windows_over
from engine.pipelines.levels import (
    FULL_WEIGHT,
    RIM_PX,
    Level,
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


def level_of(h, w, tone=0.5):
    """A level of one tone whose hole leaves 20 px around it, known to the rounding of its 16 bits."""
    own = np.zeros((h, w), np.bool_)
    own[20:-20, 20:-20] = True
    return Level.of(np.full((h, w, 3), round(tone * 65535), np.uint16), own)


def test_windows_of_one_tone_leave_no_step_where_they_meet():
    level = level_of(200, 260)
    rng = np.random.default_rng(0)
    for window in windows_over(level.own, 64):
        level.take(window, np.broadcast_to(rng.random(3), (*window.frame.size_hw, 3)).astype(np.float32))
    assert np.ptp(level.pixels.astype(int)) <= 2


def test_waves_along_the_border_of_a_window_do_not_show():
    """Networks draw the border of what they repaint; measured on the starter weights, 16 to 30 px long and 50 deep."""
    level = level_of(900, 900)
    for window in windows_over(level.own, 512):
        target = level.target(window)
        depth = cv2.distanceTransform(target.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        waves = 0.02 * np.cos(depth * 2 * np.pi / 20) * np.exp(-depth / 30) * target
        level.take(window, (0.5 + waves[..., None]).repeat(3, axis=2).astype(np.float32))
    steps = np.abs(np.diff(level.pixels[..., 0].astype(float) / 65535, axis=1))[100:-100].mean(axis=0)
    borders = [20 + 256, 20 + 512]
    at_borders = max(steps[border - 70 : border + 70].max() for border in borders)
    assert at_borders * 255 < 0.1, "a tenth of a grey level"


def test_what_windows_agree_on_comes_out_as_it_is():
    level = level_of(300, 300)
    grain = np.random.default_rng(0).normal(0.5, 0.05, (300, 300, 3)).clip(0, 1).astype(np.float32)
    for window in windows_over(level.own, 64):
        level.take(window, grain[window.frame.slices])
    inside = level.pixels[60:-60, 60:-60] / 65535
    assert np.corrcoef(inside.ravel(), grain[60:-60, 60:-60].ravel())[0, 1] > 0.95
    known = ~level.own
    assert (level.pixels[known] == level.guess[known]).all()


def test_weights_reach_every_pixel_of_the_hole_and_stay_in_their_type():
    level = level_of(300, 300)
    for window in windows_over(level.own, 64):
        level.take(window, np.full((*window.frame.size_hw, 3), 0.5, np.float32))
    assert level.weights[level.own].min() > 0
    assert level.weights.max() <= 4 * FULL_WEIGHT
    assert not level.weights[~level.own].any()


def test_a_window_counts_most_in_its_middle_and_nothing_beyond_its_border():
    own = np.ones((200, 200), np.bool_)
    window = list(windows_over(own, 64))[7]
    weight, region = fade(window), window.region.inside(window.frame)
    middle = (region.y0 + region.y1) // 2, (region.x0 + region.x1) // 2
    assert weight[middle] == weight.max() == FULL_WEIGHT
    assert 1 <= weight[region.slices].min() <= FULL_WEIGHT // 100
    outside = np.ones(weight.shape, np.bool_)
    outside[region.slices] = False
    assert not weight[outside].any()


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
