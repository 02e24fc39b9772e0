"""Shapes beside finely sampled ones, and areas of like colour beside a plain search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.document.shapes import Patch, ellipse, feathered, polygon, rectangle, similar, softened

SIZE = (60, 80)


def whole(patch, size_hw=SIZE):
    values = np.zeros(size_hw, np.uint8)
    if patch is not None:
        x0, y0, x1, y1 = patch.box_xyxy
        values[y0:y1, x0:x1] = patch.coverage
    return values


places = st.tuples(st.floats(-40, 120), st.floats(-40, 100))


@settings(max_examples=60, deadline=None)
@given(corners=st.tuples(places, places, places))
def test_a_triangle_equals_a_finely_sampled_one(corners):
    fine = 8
    y, x = (np.mgrid[0 : 60 * fine, 0 : 80 * fine] + 0.5) / fine
    sides = []
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        sides.append((bx - ax) * (y - ay) - (by - ay) * (x - ax))
    inside = np.all([side >= 0 for side in sides], axis=0) | np.all([side <= 0 for side in sides], axis=0)
    if abs(sides[0] + sides[1] + sides[2]).max() < 1e-3:
        return  # no area: sampling counts the line itself
    expected = inside.reshape(60, fine, 80, fine).mean(axis=(1, 3)) * 255
    assert np.abs(whole(polygon(corners, SIZE)) - expected).max() < 255 / fine + 3


def test_a_rectangle_covers_parts_of_its_border_pixels():
    values = whole(rectangle((10.5, 20.25), (30, 40), SIZE))
    assert values[30, 10] == 128
    assert values[20, 15] == 191
    assert values[20, 10] == round(255 * 0.5 * 0.75)
    assert values.sum() / 255 == pytest.approx(19.5 * 19.75, abs=0.3)


def test_a_rectangle_and_its_polygon_agree():
    corners = [(10.5, 20.25), (30, 20.25), (30, 40), (10.5, 40)]
    difference = whole(polygon(corners, SIZE)).astype(int) - whole(rectangle(corners[0], corners[2], SIZE))
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize(
    "box", [(10, 10, 50, 40), (10.3, 10.8, 13.1, 55.5), (-30, -30, 200, 200), (20, 20, 21, 21)]
)
def test_an_ellipse_equals_a_finely_sampled_one(box):
    fine = 16
    y, x = (np.mgrid[0 : 60 * fine, 0 : 80 * fine] + 0.5) / fine
    x0, y0, x1, y1 = box
    reach = ((x - (x0 + x1) / 2) / (x1 - x0) * 2) ** 2 + ((y - (y0 + y1) / 2) / (y1 - y0) * 2) ** 2
    expected = (reach <= 1).reshape(60, fine, 80, fine).mean(axis=(1, 3)) * 255
    assert np.abs(whole(ellipse((x0, y0), (x1, y1), SIZE)) - expected).max() < 14


def test_a_line_that_crosses_itself_holds_both_halves():
    values = whole(polygon([(10, 10), (50, 50), (50, 10), (10, 50)], SIZE))
    assert values[30, 14] == 255
    assert values[30, 46] == 255
    assert values[12, 30] == 0


def test_a_line_drawn_twice_around_holds_no_hole():
    square = [(10, 10), (50, 10), (50, 50), (10, 50)]
    assert whole(polygon(square * 2, SIZE)).sum() == 255 * 1600


@pytest.mark.parametrize(
    "points",
    [
        [],
        [(1, 1)],
        [(1, 1), (5, 5)],
        [(1, 1), (5, 5), (9, 9)],
        [(200, 200), (300, 200), (300, 300)],
        [(0, 0), (np.nan, 5), (9, 9)],
    ],
)
def test_what_holds_nothing_is_none(points):
    assert polygon(points, SIZE) is None


def test_shapes_without_area_or_outside_are_none():
    assert rectangle((5, 5), (5, 50), SIZE) is None
    assert ellipse((5, 5), (50, 5), SIZE) is None
    assert rectangle((100, 100), (200, 200), SIZE) is None
    assert ellipse((-10, -10), (-1, -1), SIZE) is None


def test_huge_and_infinite_corners_are_cut_to_the_canvas():
    assert whole(rectangle((-1e30, -1e30), (1e30, 1e30), SIZE)).min() == 255
    assert whole(polygon([(-1e9, -1e9), (1e9, -1e9), (1e9, 1e9), (-1e9, 1e9)], SIZE)).min() == 255
    assert rectangle((float("inf"), 0), (10, 10), SIZE) is not None


def plain_similar(pixels, at_xy, reach):
    """Grow from the pixel, side by side."""
    x, y = at_xy
    near = (
        np.abs(pixels.astype(int) - pixels[y, x].astype(int)).reshape(*pixels.shape[:2], -1).max(axis=2)
        <= reach
    )
    seen = np.zeros(near.shape, bool)
    todo = [(x, y)]
    while todo:
        x, y = todo.pop()
        if 0 <= x < near.shape[1] and 0 <= y < near.shape[0] and near[y, x] and not seen[y, x]:
            seen[y, x] = True
            todo += [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
    return near, seen


@pytest.mark.parametrize("channels", [(), (2,), (3,), (4,)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_like_colours_equal_a_plain_search(channels, kind):
    rng = np.random.default_rng(3)
    top = np.iinfo(kind).max
    coarse = rng.integers(0, 4, (15, 20, *channels)) * (top // 4)
    pixels = np.repeat(np.repeat(coarse, 4, axis=0), 4, axis=1).astype(kind)
    tolerance = 0.3 if channels else 0.1
    near, seen = plain_similar(pixels, (33, 21), round(tolerance * top))
    everywhere = whole(similar(pixels, (33, 21), tolerance=tolerance, is_contiguous=False))
    touching = whole(similar(pixels, (33, 21), tolerance=tolerance, is_contiguous=True))
    np.testing.assert_array_equal(everywhere == 255, near)
    np.testing.assert_array_equal(touching == 255, seen)
    assert seen.sum() < near.sum()


def test_a_click_outside_selects_nothing():
    assert similar(np.zeros((5, 5), np.uint8), (5, 0), tolerance=0.5, is_contiguous=True) is None
    assert similar(np.zeros((5, 5), np.uint8), (0, -1), tolerance=0.5, is_contiguous=False) is None


@pytest.mark.parametrize("feather_px", [1.0, 10.0, 40.0])
def test_feathering_keeps_the_border_at_half_and_the_ends_full_and_empty(feather_px):
    values = np.zeros((50, 400), np.uint8)
    values[:, :200] = 255
    soft = softened(values, feather_px)
    row = soft[25].astype(int)
    assert (np.diff(row) <= 0).all()
    assert (row[199] + row[200]) / 2 == pytest.approx(127.5, abs=1)
    assert row[200 + int(feather_px * 1.5) + 1] <= 1
    assert row[198 - int(feather_px * 1.5)] >= 254
    width = int(((row > 25) & (row < 230)).sum())
    assert width == pytest.approx(1.28 * feather_px, abs=2, rel=0.06)


def test_a_feathered_patch_grows_and_is_cut_to_the_canvas():
    patch = feathered(Patch((0, 0, 20, 20), np.full((20, 20), 255, np.uint8)), 6, SIZE)
    assert patch.box_xyxy == (0, 0, 30, 30)
    assert patch.coverage[0, 0] == 255
