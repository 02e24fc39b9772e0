"""Handles pull a shape where the pointer goes, as far as there is a shape."""

import math

import pytest

from app.document.retarget_shape import (
    HANDLES,
    Shape,
    drag,
    nearest_valid,
    reason_of,
    turned,
    with_ratio,
)
from app.document.tiles import MAX_SIDE_PX

START = Shape.of_box((0, 0, 300, 200))


def box_after(handle, by, **how):
    return drag(START, handle, by, **how).shape.box_xyxy


@pytest.mark.parametrize(
    ("handle", "by", "box"),
    [
        ("right", (60, 99), (0, 0, 360, 200)),
        ("left", (-40, 5), (-40, 0, 300, 200)),
        ("top", (9, 50), (0, 50, 300, 200)),
        ("bottom", (0, 31), (0, 0, 300, 231)),
        ("bottom_right", (10, 20), (0, 0, 310, 220)),
        ("top_left", (-10, -20), (-10, -20, 300, 200)),
        ("top_right", (10, 20), (0, 20, 310, 200)),
        ("bottom_left", (10, 20), (10, 0, 300, 220)),
    ],
)
def test_a_handle_follows_the_pointer_and_the_other_side_stays(handle, by, box):
    assert box_after(handle, by) == box


@pytest.mark.parametrize(
    ("handle", "by", "box"),
    [
        ("bottom_right", (150, 0), (0, 0, 450, 300)),
        ("bottom_right", (0, 100), (0, 0, 450, 300)),
        ("top_left", (-150, 0), (-150, -100, 300, 200)),
        ("right", (150, 0), (0, -50, 450, 250)),
        ("top", (0, 100), (75, 100, 225, 200)),
    ],
)
def test_shift_keeps_the_ratio(handle, by, box):
    assert box_after(handle, by, keeps_ratio=True) == box


def test_a_free_corner_moves_alone():
    moved = drag(START, "top_right", (-50, 40), is_free=True).shape
    assert moved.corners_xy == ((0, 0), (250, 40), (300, 200), (0, 200))
    assert not moved.is_rectangle
    assert moved.size_hw == (200, 300)


def test_a_free_side_takes_its_two_corners_along():
    moved = drag(START, "bottom", (30, 10), is_free=True).shape
    assert moved.corners_xy == ((0, 0), (300, 0), (330, 210), (30, 210))


def test_a_shape_with_free_corners_is_scaled_as_a_whole():
    free = drag(START, "top_right", (-50, 40), is_free=True).shape
    wider = drag(free, "bottom_right", (300, 0)).shape
    assert wider.corners_xy == ((0, 0), (500, 40), (600, 200), (0, 200))


def test_corners_stay_on_whole_pixels():
    moved = drag(START, "bottom_right", (0.4, 10.6)).shape
    assert moved.box_xyxy == (0, 0, 300, 211)


@pytest.mark.parametrize("handle", HANDLES)
@pytest.mark.parametrize("how", [{}, {"keeps_ratio": True}, {"is_free": True}])
@pytest.mark.parametrize("by", [(9000, 9000), (-9000, -9000), (9000, -9000), (-290, 190), (0, 0), (700, 3)])
def test_no_drag_leaves_what_can_be_remade(handle, how, by):
    done = drag(START, handle, by, **how)
    assert not done.shape.fault
    assert done.shape.fault or not reason_of(done.shape)


def test_a_drag_that_goes_too_far_stops_at_the_limit_and_says_why():
    small = drag(START, "right", (-290, 0))
    assert (small.shape.size_hw, small.reason) == ((200, 32), "32 px is the shortest side")
    large = drag(START, "bottom", (0, 13000))
    assert (large.shape.size_hw, large.reason) == ((12000, 300), "12000 px is the longest side")
    assert drag(START, "right", (-100, 0)).reason == ""


def test_a_free_corner_stops_before_the_sides_cross_or_dent():
    crossed = drag(START, "top_right", (-400, 0), is_free=True)
    assert crossed.reason == "The sides may not cross"
    dented = drag(START, "top_right", (-200, 130), is_free=True)
    assert dented.reason == "The corners may not lie on one line or turn inwards"
    assert not crossed.shape.fault
    assert not dented.shape.fault


def test_a_side_pulled_through_the_other_one_is_no_mirror():
    done = drag(START, "right", (-900, 0))
    assert (done.shape.size_hw, done.reason) == ((200, 32), "32 px is the shortest side")


def test_a_shape_that_never_was_one_can_be_pulled_right():
    """As the frame of a picture of 20 px a side: the handles must not be stuck."""
    tiny = Shape.of_box((0, 0, 20, 20))
    assert reason_of(tiny) == "32 px is the shortest side"
    done = drag(tiny, "bottom_right", (30, 30))
    assert (done.shape.size_hw, done.reason) == ((50, 50), "")


@pytest.mark.parametrize(
    ("ratio", "is_upright", "size_hw"),
    [
        (1.0, False, (200, 200)),
        (16 / 9, False, (200, 356)),
        (2**0.5, True, (283, 200)),
        (3.0, True, (600, 200)),
    ],
)
def test_a_ratio_keeps_the_shorter_side(ratio, is_upright, size_hw):
    shape = with_ratio(START, ratio, is_upright=is_upright)
    assert shape.size_hw == size_hw
    assert shape.is_rectangle
    assert shape.box_xyxy[:2] == (0, 0)


def test_a_ratio_stays_within_the_sizes():
    wide = with_ratio(Shape.of_box((0, 0, 12000, 11900)), 16 / 9, is_upright=False)
    assert wide.size_hw == (6750, 12000)
    square = with_ratio(Shape.of_box((0, 0, 11800, 11900)), 1.0, is_upright=False)
    assert 119e6 < math.prod(square.size_hw) <= 120e6
    assert square.fault == ""
    assert with_ratio(Shape.of_box((0, 0, 5, 5)), 1.0, is_upright=False).size_hw == (32, 32)


def test_a_turned_shape_has_its_sides_swapped():
    assert turned(START).size_hw == (300, 200)


def test_another_size_keeps_the_corner_and_the_kind_of_shape():
    free = drag(START, "top_right", (-50, 40), is_free=True).shape
    larger = free.resized((400, 600))
    assert larger.corners_xy == ((0, 0), (500, 80), (600, 400), (0, 400))


def test_sizes_are_brought_within_the_limits():
    assert nearest_valid((5, 19000)) == (32, 12000)
    h, w = nearest_valid((11000, 12000))
    assert 119e6 < h * w <= 120e6
    assert h / w == pytest.approx(11 / 12, abs=1e-3)


def test_placed_corners_begin_at_zero():
    moved = drag(START, "left", (-40, 0)).shape
    assert moved.placed == ((0, 0), (340, 0), (340, 200), (0, 200))


def test_handles_lie_on_corners_and_in_the_middle_of_sides():
    assert [START.handle_xy(handle) for handle in HANDLES[:4]] == [(0, 0), (150, 0), (300, 0), (300, 100)]
    assert START.handle_xy("left") == (0, 100)


def test_a_shape_may_not_lie_where_no_file_could_say_it():
    far = 4 * MAX_SIDE_PX
    assert reason_of(Shape.of_box((far - 100, 0, far, 100))) == ""
    assert reason_of(Shape.of_box((far - 99, 0, far + 1, 100))) == "That is too far from the picture"
