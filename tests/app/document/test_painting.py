"""A stroke's bytes: replayed, clipped, erased, taken back, and beside a plain computation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.document.painting import StrokePainter, clean_sample, lay_over, replay, take_out
from app.document.strokes import BrushSettings, strokes_from_record, strokes_to_record

HARD = BrushSettings(size_px=20, hardness=1, pressure_size=False)


class _Plane:
    """Stands in for a layer with one plane and for its open transaction."""

    id = "m"

    def __init__(self, size_hw=(300, 400), fill=0):
        self.values = np.full(size_hw, fill, np.uint8)
        self.planes = {"coverage": self.values}
        self.kept = self.values.copy()
        self.touched = []
        self.said = []

    def touch(self, layer_id, plane, box):
        self.touched.append(box)

    def before(self, layer_id, plane, box):
        x0, y0, x1, y1 = box
        return self.kept[y0:y1, x0:x1].copy()  # cut at the border, as a transaction does

    def changed(self, layer_id, plane, box):
        self.said.append(box)


def draw(plane, samples, brush=HARD, *, is_erasing=False):
    painter = StrokePainter(plane, plane, "coverage", brush, is_erasing)
    for sample in samples:
        painter.add((*sample, *(1.0, 0.0, 0.0)[len(sample) - 2 :]))
    return painter.finish()


places = st.floats(-60, 460, width=32)
shares = st.floats(0, 1, width=32)
tilts = st.floats(-60, 60, width=32)
paths = st.lists(st.tuples(places, places, shares, tilts, tilts), min_size=1, max_size=8)
brushes = st.builds(
    BrushSettings,
    size_px=st.floats(1, 330),
    hardness=shares,
    opacity=shares,
    pressure_size=st.booleans(),
    pressure_opacity=st.booleans(),
    tilt_shape=st.booleans(),
    smoothing=shares,
)
planes = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).integers(0, 256, (300, 400), np.uint8)
)


def through_a_record(stroke):
    records, packed = strokes_to_record((stroke,))
    return strokes_from_record(records, packed)[0]


def filled(values):
    plane = _Plane(values.shape)
    plane.values[...] = values
    plane.kept[...] = values
    return plane


@settings(max_examples=30, deadline=None)
@given(path=paths, brush=brushes, values=planes, is_erasing=st.booleans())
def test_a_replayed_stroke_gives_the_same_bytes(path, brush, values, is_erasing):
    first, second = filled(values), filled(values)
    stroke = draw(first, path, brush, is_erasing=is_erasing)
    again = through_a_record(stroke)
    replay(second, second, again)
    np.testing.assert_array_equal(first.values, second.values)


@settings(max_examples=20, deadline=None)
@given(path=paths, brush=brushes, values=planes)
def test_erasing_never_adds_and_painting_never_takes(path, brush, values):
    erased, painted = filled(values), filled(values)
    draw(erased, path, brush, is_erasing=True)
    draw(painted, path, brush)
    assert (erased.values <= values).all()
    assert (painted.values >= values).all()


@settings(max_examples=20, deadline=None)
@given(path=paths, brush=brushes)
def test_only_what_was_touched_and_announced_changes(path, brush):
    plane = _Plane()
    draw(plane, path, brush)
    outside = np.ones(plane.values.shape, bool)
    assert plane.said == plane.touched
    for x0, y0, x1, y1 in plane.touched:
        assert 0 <= x0 < x1 <= 400
        assert 0 <= y0 < y1 <= 300
        outside[y0:y1, x0:x1] = False
    assert not plane.values[outside].any()


@settings(max_examples=30, deadline=None)
@given(path=paths, tried=paths, brush=brushes, values=planes)
def test_a_part_of_a_stroke_taken_back_leaves_no_trace(path, tried, brush, values):
    straight, wandered = filled(values), filled(values)
    draw(straight, path, brush)
    painter = StrokePainter(wandered, wandered, "coverage", brush, False)
    for sample in path[: len(path) // 2]:
        painter.add(sample)
    painter.mark()
    for sample in tried:
        painter.add(sample)
    painter.rewind()
    for sample in path[len(path) // 2 :]:
        painter.add(sample)
    stroke = painter.finish()
    np.testing.assert_array_equal(wandered.values, straight.values)
    assert len(stroke.samples) == len(path)


def test_a_line_covers_what_the_distance_to_it_says():
    """Beside the plain formula, for a hard brush of 20 px."""
    plane = _Plane((100, 120))
    draw(plane, [(20, 30), (90, 60)])
    y, x = np.mgrid[0:100, 0:120] + 0.5
    along = np.clip(((x - 20) * 70 + (y - 30) * 30) / (70**2 + 30**2), 0, 1)
    distance = np.hypot(x - 20 - 70 * along, y - 30 - 30 * along)
    expected = np.floor(np.clip(10.5 - distance, 0, 1) * 255 + 0.5)
    assert np.abs(plane.values - expected).max() <= 1


def test_pressure_narrows_the_line_between_two_samples():
    """The border of a growing line is the common tangent of its two circles."""
    brush = BrushSettings(size_px=60, hardness=1, pressure_size=True)
    plane = _Plane((100, 220))
    draw(plane, [(40, 50, 0.2), (180, 50, 1.0)], brush)
    expected = np.zeros((100, 220))
    y, x = np.mgrid[0:100, 0:220] + 0.5
    for share in np.linspace(0, 1, 3000):
        distance = np.hypot(x - 40 - 140 * share, y - 50)
        expected = np.maximum(expected, np.clip(6 + 24 * share + 0.5 - distance, 0, 1))
    assert np.abs(plane.values - expected * 255).max() <= 2


@pytest.mark.parametrize("hardness", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("opacity", [0.4, 1.0])
def test_a_large_brush_in_blocks_equals_the_plain_computation(hardness, opacity):
    """Blocks that are filled or skipped must not show."""
    brush = BrushSettings(size_px=500, hardness=hardness, opacity=opacity, pressure_size=False)
    plane = _Plane((700, 900))
    path = [(250.3, 300), (400.6, 350), (405, 352), (500, 300)]
    draw(plane, path, brush)
    y, x = np.mgrid[0:700, 0:900] + 0.5
    expected = np.zeros((700, 900))
    for (ax, ay), (bx, by) in zip(path, path[1:], strict=False):
        along = np.clip(
            ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / math.dist((ax, ay), (bx, by)) ** 2, 0, 1
        )
        distance = np.hypot(x - ax - (bx - ax) * along, y - ay - (by - ay) * along)
        share = np.clip((250.5 - distance) / max((1 - hardness) * 250, 1), 0, 1)
        if hardness < 1:
            share = share * share * (3 - 2 * share)
        expected = np.maximum(expected, share * opacity)
    assert np.abs(plane.values - expected * 255).max() <= 1


def test_half_opacity_covers_half_and_a_second_pass_of_the_stroke_no_more():
    brush = BrushSettings(size_px=20, hardness=1, opacity=0.5, pressure_size=False)
    plane = _Plane()
    draw(plane, [(50, 50), (150, 50), (50, 50)], brush)
    assert plane.values[50, 100] == 128
    assert plane.values.max() == 128


def test_pressure_sets_the_opacity_where_asked():
    brush = BrushSettings(size_px=20, hardness=1, pressure_size=False, pressure_opacity=True)
    plane = _Plane()
    draw(plane, [(50, 50, 0.5)], brush)
    assert plane.values[50, 50] == 128


def test_tilt_makes_an_ellipse_along_the_tilt():
    brush = BrushSettings(size_px=100, hardness=1, pressure_size=False, tilt_shape=True)
    plane = _Plane()
    draw(plane, [(200, 150, 1, 60, 0)], brush)
    height = int((plane.values[:, 200] > 127).sum())
    width = int((plane.values[150] > 127).sum())
    assert (width, height) == (100, 40)


def test_a_brush_of_one_pixel_fills_the_pixel_it_is_on():
    plane = _Plane((10, 10))
    draw(plane, [(4.5, 3.5)], BrushSettings(size_px=1, hardness=1))
    assert plane.values[3, 4] == 255
    assert plane.values.sum() == 255


def test_smoothing_rounds_a_corner_and_still_ends_at_the_pen():
    sharp, smooth = _Plane(), _Plane()
    corner = [(50 + 10 * i, 50) for i in range(11)] + [(150, 50 + 10 * i) for i in range(1, 11)]
    fine = {"size_px": 6, "hardness": 1.0, "pressure_size": False}
    draw(sharp, corner, BrushSettings(**fine))
    draw(smooth, corner, BrushSettings(**fine, smoothing=0.7))
    assert sharp.values[50, 150] == 255
    assert smooth.values[50, 150] == 0
    assert smooth.values[150, 150] == 255


def test_a_resting_pen_is_caught_up_with():
    plane = _Plane()
    brush = BrushSettings(size_px=6, hardness=1, pressure_size=False, smoothing=0.9)
    painter = StrokePainter(plane, plane, "coverage", brush, False)
    painter.add((50, 50, 1, 0, 0))
    painter.add((150, 50, 1, 0, 0))
    assert plane.values[50, 148] == 0
    painter.add((150, 50, 1, 0, 0))
    assert plane.values[50, 148] == 255


def test_painting_outside_the_canvas_changes_nothing():
    plane = _Plane()
    painter = StrokePainter(plane, plane, "coverage", HARD, False)
    assert painter.add((-500, -500, 1, 0, 0)) is None
    assert painter.add((-500, 900, 1, 0, 0)) is None
    assert painter.dirty is None
    assert not plane.values.any()


def test_a_stroke_across_the_border_paints_what_lies_inside():
    inside, across = _Plane((100, 100)), _Plane((300, 300))
    draw(inside, [(-50, 50), (150, 50)])
    draw(across, [(50, 150), (250, 150)])
    np.testing.assert_array_equal(inside.values, across.values[100:200, 100:200])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_sample_that_is_no_number_is_left_out(value):
    assert clean_sample((value, 0, 1, 0, 0)) is None
    assert clean_sample((0, 0, value, 0, 0)) is None


def test_samples_are_kept_within_their_ranges():
    assert clean_sample((1e12, -1e12, 7, 500, -500)) == (1e6, -1e6, 1, 90, -90)


def test_laying_over_and_taking_out_round_to_the_nearest():
    before, coverage = (axis.astype(np.uint8) for axis in np.mgrid[0:256, 0:256])
    exact = before + (255.0 - before) * coverage / 255
    np.testing.assert_array_equal(lay_over(before, coverage), np.floor(exact + 0.5 - 1e-9))
    exact = before * (255.0 - coverage) / 255
    np.testing.assert_array_equal(take_out(before, coverage), np.floor(exact + 0.5))


def test_the_stroke_tells_what_it_was():
    stroke = draw(_Plane(), [(1, 2), (3, 4)], is_erasing=True)
    assert (stroke.tool, stroke.target, stroke.brush) == ("eraser", "coverage", HARD)
    np.testing.assert_array_equal(stroke.samples[:, :2], [[1, 2], [3, 4]])
