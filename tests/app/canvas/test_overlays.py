import itertools

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter

from app.canvas import overlays
from app.canvas.overlays import (
    EDGE_STYLES,
    MASK_COLOURS,
    MaskLook,
    dilated,
    legend_image,
    outline,
    paint_edges,
    paint_mask,
    paint_ring,
    ring_bounds,
)

SIDE = 80


def painted(paint, grey: int = 128) -> np.ndarray:
    """(h, w, 3) of what a function paints on grey."""
    image = QImage(SIDE, SIDE, QImage.Format.Format_RGB32)
    image.fill(QColor(grey, grey, grey))
    painter = QPainter(image)
    paint(painter)
    painter.end()
    return np.frombuffer(image.constBits(), np.uint8).reshape(SIDE, SIDE, 4)[..., 2::-1].astype(int)


def square(value: int = 255) -> np.ndarray:
    values = np.zeros((SIDE, SIDE), np.uint8)
    values[20:60, 20:60] = value
    return values


def mask_on(
    grey: int = 128, look: MaskLook | None = None, values=None, anchor=(0, 0), filled=None, ratio=1.0
):
    shown = square() if values is None else values
    box = (0, 0, SIDE, SIDE)
    return painted(lambda p: paint_mask(p, shown, box, anchor, ratio, look or MaskLook(), filled), grey)


def luminance(rgb: np.ndarray) -> np.ndarray:
    return rgb @ np.array([0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("colour", list(MASK_COLOURS))
@pytest.mark.parametrize("pattern", ["stripes", "dots"])
@pytest.mark.parametrize("grey", [0, 70, 128, 190, 255])
def test_the_pattern_is_seen_without_colour_on_any_grey(colour, pattern, grey):
    inside = luminance(mask_on(grey, MaskLook(colour, pattern)))[25:55, 25:55]
    light, dark = np.percentile(inside, 90), np.percentile(inside, 10)
    assert light - dark >= 25


def test_nothing_is_painted_outside():
    shown = mask_on()
    assert (shown[:20] == 128).all()
    assert (shown[60:] == 128).all()
    assert (shown[:, :20] == 128).all()


def test_the_outline_has_both_tones_on_each_side():
    line = luminance(mask_on(128))[20, 20:60]
    assert (line > 220).sum() >= 8
    assert (line < 40).sum() >= 8


def test_the_outline_alone_leaves_the_picture():
    shown = mask_on(look=MaskLook(is_filled=False))
    assert (shown[22:58, 22:58] == 128).all()
    assert (shown[20, 20:60] != 128).all()


def test_half_coverage_hides_half_as_much():
    look = MaskLook(pattern="plain", strength=0.6)
    whole = mask_on(look=look)[40, 40] - 128
    half = mask_on(look=look, values=square(127))[40, 40] - 128
    assert np.abs(half * 2 - whole).max() <= 6


def test_where_a_result_is_seen_only_the_outline_is_left():
    filled = np.zeros((SIDE, SIDE), np.uint8)
    filled[:, 40:] = 255
    shown = mask_on(filled=filled)
    assert (shown[22:58, 40:58] == 128).all()
    assert (shown[22:58, 22:39] != 128).any(axis=2).all()
    assert (shown[20, 40:60] != 128).all()


def test_the_pattern_moves_with_the_canvas():
    first = mask_on(anchor=(0, 0))[25:50, 25:50]
    moved = np.zeros((SIDE, SIDE), np.uint8)
    moved[23:63, 25:65] = 255
    assert np.array_equal(mask_on(values=moved, anchor=(5, 3))[28:53, 30:55], first)


def test_a_dense_screen_has_a_larger_pattern():
    def changes(shown):
        row = luminance(shown)[40, 22:58]
        return (np.abs(np.diff(row)) > 20).sum()

    assert changes(mask_on(ratio=1.0)) >= 2 * changes(mask_on(ratio=2.0)) - 1


def test_a_part_is_painted_like_the_whole():
    whole = mask_on()
    values = square()[10:50, 15:70]
    part = painted(lambda p: paint_mask(p, values, (15, 10, 70, 50), (0, 0), 1.0, MaskLook()))
    assert np.array_equal(part[12:48, 17:59], whole[12:48, 17:59])


def line_on(kind: str, scale: float = 1.0, grey: int = 128) -> np.ndarray:
    values = np.zeros((SIDE, SIDE), np.uint8)
    if EDGE_STYLES[kind].is_area:
        values = square()
    else:
        values[40, 10:70] = 255
    return painted(lambda p: paint_edges(p, values, (0, 0, SIDE, SIDE), (0, 0), 1.0, kind, scale), grey)


def test_kinds_of_edges_differ_even_in_grey():
    shown = {kind: luminance(line_on(kind)) for kind in EDGE_STYLES}
    for one, other in itertools.combinations(shown, 2):
        assert np.abs(shown[one] - shown[other]).mean() > 0.5, (one, other)


@pytest.mark.parametrize("kind", list(EDGE_STYLES))
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_edges_are_seen_on_any_grey(kind, grey):
    assert np.abs(luminance(line_on(kind, grey=grey)) - grey).max() > 45


def test_drawn_edges_are_solid_and_heavier_than_guessed_ones():
    drawn, guessed = line_on("drawn"), line_on("predicted")
    yellow = (np.abs(drawn - np.array(EDGE_STYLES["drawn"].colour)) < 12).all(axis=2)
    blue = (np.abs(guessed - np.array(EDGE_STYLES["predicted"].colour)) < 12).all(axis=2)
    assert yellow[40, 12:68].all()
    assert yellow[:, 40].sum() == 3
    assert 0.3 < blue[40, 12:68].mean() < 0.7
    assert blue[:, 10:70].any(axis=1).sum() == 1


def test_nothing_drawn_paints_nothing():
    nothing = np.zeros((SIDE, SIDE), np.uint8)
    for kind in EDGE_STYLES:
        shown = painted(lambda p, kind=kind: paint_edges(p, nothing, (0, 0, SIDE, SIDE), (0, 0), 1.0, kind))
        assert (shown == 128).all()


def test_the_outline_is_what_touches_the_other_half():
    values = np.zeros((9, 9), np.uint8)
    values[2:7, 2:7] = 200
    line = outline(values)
    assert line.sum() == 16
    assert not line[3:6, 3:6].any()
    assert not outline(np.full((5, 5), 127, np.uint8)).any()


def test_dilation_is_the_maximum_of_a_square():
    values = np.zeros((7, 9), np.uint8)
    values[3, 4] = 90
    grown = dilated(values, 2)
    assert (grown[1:6, 2:7] == 90).all()
    assert grown.sum() == 90 * 25
    assert values.sum() == 90


@pytest.mark.parametrize("radius", [0.4, 3.0, 20.0])
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_the_ring_has_two_tones_and_stays_in_its_bounds(radius, grey):
    shown = luminance(painted(lambda p: paint_ring(p, QPointF(40, 40), radius, 0.5), grey))
    rows, columns = np.nonzero(np.abs(shown - grey) > 1)
    bounds = ring_bounds(QPointF(40, 40), radius)
    assert bounds.left() <= columns.min()
    assert columns.max() < bounds.right()
    assert bounds.top() <= rows.min()
    assert rows.max() < bounds.bottom()
    assert np.abs(shown - grey).max() > 80


def test_the_ring_is_a_circle_of_the_brush_size():
    shown = luminance(painted(lambda p: paint_ring(p, QPointF(40, 40), 25.0, 1.0), 0))
    assert shown[40, 64:66].max() > 130
    assert shown[40, 14:16].max() > 130
    assert shown[64:66, 40].max() > 130
    assert shown[40, 50] == 0


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_the_legend_has_a_sample_of_each_mark(qapp, ratio):
    samples = {}
    for kind in ("mask", *EDGE_STYLES):
        image = legend_image(kind, (36, 18), ratio, MaskLook())
        assert image.width() == 36 * ratio
        assert image.devicePixelRatio() == ratio
        samples[kind] = np.frombuffer(image.constBits(), np.uint8).copy().astype(int)
    for one, other in itertools.combinations(samples, 2):
        assert np.abs(samples[one] - samples[other]).mean() > 3


def marks_of(look) -> np.ndarray:
    """(h, w, 4) of a mask over nothing."""
    image = QImage(120, 90, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    with QPainter(image) as painter:
        paint_mask(painter, np.full((90, 120), 255, np.uint8), (0, 0, 120, 90), (0, 0), 1.0, look)
    return np.frombuffer(image.constBits(), np.uint8).reshape(90, 120, 4).copy()


@pytest.mark.parametrize("colour", list(MASK_COLOURS))
@pytest.mark.parametrize("pattern", ["stripes", "dots", "plain"])
def test_what_is_kept_differs_from_what_is_replaced_in_colour_and_in_pattern(qapp, colour, pattern):
    replaced, kept = (marks_of(MaskLook(colour, pattern, use=use)) for use in ("replace", "keep"))
    middle = np.s_[20:70, 20:100]
    strong = kept[middle][..., 3] > 150
    assert 0.05 < strong.mean() < 0.45, "lines of a net, and room to see through"
    assert np.abs(kept[middle].astype(int) - replaced[middle]).mean() > 20
    shades = [
        (marks[middle].astype(int).sum(axis=2) > marks[middle].astype(int).sum(axis=2).mean())
        for marks in (replaced, kept)
    ]
    assert (shades[0] != shades[1]).mean() > 0.2 or pattern == "plain", "told apart without colour"


@pytest.mark.parametrize(("place", "anchor"), [((0, 0), (0, 0)), ((37, 11), (5, 90)), ((3, 200), (-40, 7))])
def test_the_net_stands_on_the_canvas_wherever_its_part_is_painted(place, anchor):
    net = overlays._net((40, 60), place, anchor, 14.0, 2.0)
    rows = np.arange(40)[:, None] + place[1] - anchor[1]
    columns = np.arange(60)[None] + place[0] - anchor[0]
    assert np.array_equal(net, (np.mod(columns + rows, 14.0) < 2) | (np.mod(columns - rows, 14.0) < 2))
