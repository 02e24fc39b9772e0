import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.crops import (
    CONTEXT_PX,
    Box,
    fit_span,
    frame_around,
    level_sizes,
    plan_crops,
    scan_mask,
    windows_over,
)
from engine.errors import MaskError


def mask_of(size_hw, *boxes, kind=np.uint8, value=255):
    mask = np.zeros(size_hw, kind)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = value
    return mask


def plan(mask, working_px=512, **more):
    return plan_crops(mask, scan_mask(mask), working_px=working_px, **more)


@pytest.mark.parametrize(
    ("kind", "value"), [(bool, True), (np.uint8, 1), (np.uint16, 1), (np.float32, 1e-6), (np.float32, 1)]
)
def test_whatever_is_above_zero_is_selected(kind, value):
    scan = scan_mask(mask_of((70, 33), (3, 66, 5, 70), kind=kind, value=value))
    assert scan.hole_px == 8
    assert np.argwhere(scan.cells).tolist() == [[8, 0]]


def test_a_float_mask_out_of_range_is_refused_while_reading():
    with pytest.raises(MaskError, match=r"mask: expected values in \[0, 1\], got values from 0 to 255"):
        scan_mask(mask_of((300, 40), (1, 290, 5, 299), kind=np.float32, value=255))


def test_empty_and_full_are_told():
    assert scan_mask(mask_of((9, 9))).is_empty
    assert scan_mask(mask_of((9, 9), (0, 0, 9, 9))).is_full
    assert plan(mask_of((9, 9))) == ()


def test_a_hole_gets_its_context_and_no_more():
    (crop,) = plan(mask_of((4000, 6000), (3000, 2000, 3256, 2256)))
    assert crop.hole == Box(3000, 2000, 3256, 2256)
    assert crop.hole_px == 256 * 256
    h, w = crop.frame.size_hw
    assert (h, w) == (448, 448)
    assert crop.frame.x0 <= 3000 - CONTEXT_PX


def test_a_small_hole_gets_the_least_context():
    (crop,) = plan(mask_of((600, 600), (300, 300, 310, 304)))
    assert crop.frame.size_hw == (136, 144)


def test_at_the_border_context_goes_to_the_other_side():
    frame = frame_around(Box(0, 0, 40, 40), 1600, (600, 600))
    assert frame == Box(0, 0, 168, 168)


def test_a_hole_of_full_height_gets_its_context_beside():
    frame = frame_around(Box(500, 0, 700, 100), 20000, (100, 2000))
    assert frame.size_hw == (100, 600)


def test_two_separate_holes_are_two_crops():
    crops = plan(mask_of((1000, 1000), (50, 50, 100, 100), (800, 800, 860, 850)))
    assert [crop.hole for crop in crops] == [Box(50, 50, 100, 100), Box(800, 800, 860, 850)]
    assert not crops[0].frame.meets(crops[1].frame)


def test_holes_side_by_side_are_one_crop():
    (crop,) = plan(mask_of((1000, 1000), (50, 50, 100, 100), (120, 50, 170, 100)))
    assert crop.hole == Box(50, 50, 170, 100)
    assert crop.hole_px == 5000


def test_a_hole_inside_the_bend_of_another_belongs_to_it():
    (crop,) = plan(mask_of((1500, 1500), (100, 100, 110, 1400), (100, 100, 1400, 110), (700, 700, 705, 705)))
    assert crop.hole == Box(100, 100, 1400, 1400)


def test_thousands_of_specks_do_not_explode():
    rng = np.random.default_rng(0)
    mask = np.zeros((2000, 3000), np.uint8)
    mask[rng.integers(0, 2000, 5000), rng.integers(0, 3000, 5000)] = 255
    start = time.perf_counter()
    crops = plan(mask)
    assert len(crops) <= 120
    assert time.perf_counter() - start < 20
    assert sum(crop.hole_px for crop in crops) == np.count_nonzero(mask)


def test_a_whole_frame_is_one_crop():
    (crop,) = plan(mask_of((61, 90), (3, 3, 9, 9), (70, 40, 80, 50)), is_whole_frame=True)
    assert crop.frame == Box(0, 0, 90, 61)
    assert crop.hole == Box(3, 3, 80, 50)


def test_a_chosen_frame_is_what_the_network_sees():
    mask = mask_of((600, 800), (300, 200, 340, 230))
    (crop,) = plan(mask, context_box=Box(120, 160, 600, 400))
    assert crop.hole == Box(300, 200, 340, 230)
    assert crop.frame == Box(120, 160, 600, 400)


def test_a_chosen_frame_holds_what_reaches_into_it_and_leaves_the_rest():
    mask = mask_of((600, 800), (100, 100, 140, 140), (300, 200, 340, 230), (700, 500, 720, 520))
    seen, other = plan(mask, context_box=Box(130, 80, 320, 260))
    assert seen.hole == Box(100, 100, 340, 230)
    assert seen.hole_px == 40 * 40 + 40 * 30
    assert seen.frame.x0 <= 92
    assert seen.frame.x1 >= 348
    (alone,) = plan(mask_of((600, 800), (700, 500, 720, 520)))
    assert other == alone


def test_a_chosen_frame_is_cut_to_the_picture_and_keeps_something_to_join_to():
    mask = mask_of((60, 90), (20, 10, 70, 50))
    (crop,) = plan(mask, context_box=Box(30, 20, 5000, 5000))
    assert crop.frame == Box(10, 0, 90, 60)
    (crop,) = plan(mask_of((600, 600), (100, 100, 200, 200)), context_box=Box(120, 120, 130, 130))
    assert crop.frame == Box(90, 90, 210, 210)  # 116 px, to the next multiple of 8


def test_a_chosen_frame_away_from_every_hole_changes_nothing():
    mask = mask_of((600, 600), (100, 100, 140, 140))
    assert plan(mask, context_box=Box(400, 400, 500, 500)) == plan(mask)


def test_a_hole_between_two_seen_ones_belongs_to_them():
    mask = mask_of((900, 900), (0, 0, 100, 20), (0, 800, 100, 820), (40, 400, 60, 420))
    (crop,) = plan(mask, context_box=Box(90, 0, 120, 900))
    assert crop.hole == Box(0, 0, 100, 820)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 2**31), st.integers(1, 6))
def test_every_selected_pixel_belongs_to_exactly_one_crop(h, w, seed, count):
    rng = np.random.default_rng(seed)
    mask = np.zeros((h, w), np.uint8)
    for _ in range(count):
        y, x = rng.integers(0, h), rng.integers(0, w)
        mask[y : y + rng.integers(1, 40), x : x + rng.integers(1, 40)] = 200
    crops = plan(mask)
    owners = np.zeros((h, w), np.int64)
    for crop in crops:
        owners[crop.hole.slices] += 1
        frame, hole = crop.frame, crop.hole
        assert 0 <= frame.x0 <= hole.x0 < hole.x1 <= frame.x1 <= w
        assert 0 <= frame.y0 <= hole.y0 < hole.y1 <= frame.y1 <= h
    assert owners.max() == 1
    assert (owners[mask > 0] == 1).all()
    assert sum(crop.hole_px for crop in crops) == np.count_nonzero(mask)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 200), st.data())
def test_a_span_holds_its_part_and_stays_inside(limit, data):
    start = data.draw(st.integers(0, limit - 1))
    stop = data.draw(st.integers(start + 1, limit))
    wanted = data.draw(st.integers(1, 300))
    first, last = fit_span(start, stop, wanted, limit)
    assert 0 <= first <= start < stop <= last <= limit
    assert (last - first) % 4 == 0 or last - first == limit
    if limit % 4 == 0 and limit >= 12:
        assert (last - first) % 4 == 0


def test_a_frame_that_fits_has_one_level():
    assert level_sizes((512, 512), 512) == ((512, 512),)
    assert level_sizes((200, 1200), 512) == ((200, 1200),)


@pytest.mark.parametrize("size_hw", [(600, 600), (513, 512), (2000, 3001), (8192, 12000), (90, 9000)])
def test_levels_double_up_to_the_frames_own_size(size_hw):
    sizes = level_sizes(size_hw, 512)
    assert sizes[-1] == size_hw
    assert sizes[0][0] * sizes[0][1] <= 512**2
    for (h, w), (next_h, next_w) in zip(sizes, sizes[1:], strict=False):
        assert h % 4 == w % 4 == 0
        assert 1 < next_h / h < 2.6
        assert 1 < next_w / w < 2.6


def test_windows_cover_the_hole_and_nothing_else():
    hole = np.zeros((300, 500), np.bool_)
    hole[40:290, 30:60] = True
    hole[40:60, 30:480] = True
    covered = np.zeros_like(hole)
    for window in windows_over(hole, 128):
        assert hole[window.core.slices].any()
        assert not covered[window.core.slices].any()
        covered[window.core.slices] = True
        assert window.frame.size_hw == (128, 128)
        assert window.frame.union(window.region) == window.frame
    assert covered[hole].all()
    assert not list(windows_over(np.zeros((9, 9), np.bool_), 64))
