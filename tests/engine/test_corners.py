import math

import pytest

from engine.corners import coverage_of, fault_of, fault_of_size, frame_hw, is_crossed, placed, with_margin

PLAIN = ((0, 0), (64, 0), (64, 48), (0, 48))


def test_a_rectangle_and_a_trapezium_have_no_fault():
    assert fault_of(PLAIN) == ""
    assert fault_of(((10, 5), (90, 0), (100, 60), (0, 70))) == ""


@pytest.mark.parametrize(
    ("corners", "words"),
    [
        (PLAIN[:3], "corners_xy: expected four corners, got 3; give top left, top right"),
        (((0, 0), (64, math.nan), (64, 48), (0, 48)), "corners_xy: expected finite numbers, got 0,0 64,nan"),
        (((0, 0), (0, 0), (64, 48), (0, 48)), "expected four corners 4 px or more apart, got 0,0 0,0"),
        (((0, 0), (64, 0), (64, 48), (33, 23)), "pull it away"),
        (((0, 0), (64, 48), (64, 0), (0, 48)), "expected sides that do not cross, got 0,0 64,48 64,0 0,48"),
        (((0, 0), (0, 48), (64, 0), (64, 48)), "expected sides that do not cross"),
        (((0, 0), (100, 0), (30, 30), (0, 100)), "expected a shape without a dent"),
        (((64, 0), (0, 0), (0, 48), (64, 48)), "expected corners clockwise from the top left"),
        (
            ((0, 0), (64, 0), (64, 20), (0, 20)),
            "corners_xy: expected sides from 32 to 12000 px, got 64x20 px",
        ),
    ],
)
def test_corners_that_make_no_shape_are_refused_in_words(corners, words):
    assert words in fault_of(corners)


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        (PLAIN, False),
        (((0, 0), (64, 48), (64, 0), (0, 48)), True),
        (((64, 0), (0, 0), (0, 48), (64, 48)), True),
        (((0, 0), (100, 0), (30, 30), (0, 100)), False),
        (((0, 0), (64, 0), (64, 48), (33, 23)), False),
    ],
    ids=["plain", "crossed", "mirrored", "dented", "flat"],
)
def test_sides_that_cross_or_go_round_the_wrong_way_are_told_from_dents(corners, expected):
    assert is_crossed(corners) is expected


@pytest.mark.parametrize(
    ("size_hw", "words"),
    [
        ((31, 64), "target_size_hw: expected sides from 32 to 12000 px, got 64x31 px; make it larger"),
        ((64, 12001), "target_size_hw: expected sides from 32 to 12000 px, got 12001x64 px; make it smaller"),
        (
            (12000, 11000),
            "target_size_hw: expected at most 120 megapixels, got 11000x12000 px (132 megapixels); make it smaller",
        ),
    ],
)
def test_sizes_beyond_the_limits_are_refused_with_the_limits(size_hw, words):
    assert fault_of_size(size_hw) == words


def test_sizes_at_the_limits_are_taken():
    assert fault_of_size((32, 12000)) == ""
    assert fault_of_size((8736, 11648)) == "", "what a camera of 100 megapixels gives"
    assert fault_of_size((8, 16), least_px=8) == ""


def test_the_frame_is_the_bounding_box_rounded_up():
    corners = ((-10.5, 5), (60, 4), (64, 52.25), (0, 40))
    assert frame_hw(corners) == (49, 75)
    assert frame_hw(((0, 0), (64.0000000001, 0), (64, 48), (0, 48))) == (48, 64)


def test_placed_corners_begin_at_zero():
    assert placed(((-10, 5), (60, 4), (64, 52), (0, 40))) == ((0, 1), (70, 0), (74, 48), (10, 36))


def test_coverage_is_exact_along_the_pixels_and_soft_on_slanting_sides():
    whole = coverage_of(PLAIN, range(48), 64)
    assert (whole.dtype, whole.shape) == ("float32", (48, 64))
    assert (whole == 1).all()
    half = coverage_of(((0, 0), (32, 0), (32, 48), (0, 48)), range(48), 64)
    assert (half[:, :32] == 1).all()
    assert (half[:, 32:] == 0).all()
    slanting = coverage_of(((0, 0), (64, 0), (64, 64), (0, 32)), range(64), 64)
    assert slanting.sum() == pytest.approx(64 * 48, rel=0.01)
    assert 0 < slanting[32, 1] < 1
    part = coverage_of(((0, 0), (64, 0), (64, 64), (0, 32)), range(30, 41), 64)
    assert (part == slanting[30:41]).all()


def test_a_margin_is_asked_for_around_what_is_wanted():
    frame_hw, corners = with_margin((40, 61), None, 8)
    assert frame_hw == (72, 96)
    assert corners == ((16, 16), (77, 16), (77, 56), (16, 56))
    assert with_margin((40, 61), ((5, 0), (61, 0), (50, 40), (0, 40)), 8)[1][0] == (21, 16)
