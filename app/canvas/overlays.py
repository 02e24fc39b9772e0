"""What is drawn over the picture: the mask, the edges of each kind, outlines and the brush ring.

Every kind has its own colour and its own pattern, so it is known without colour: the
mask is striped where it says what is replaced, and a net where it says what is kept, guessed edges are dashed, drawn ones solid and heavy, locked ones solid
between rails, areas of erased and locked edges carry different lattices. Patterns have
the size of screen pixels at every zoom and move with the canvas.

Colours: Okabe and Ito's set, told apart by people with any common colour blindness.
    Light and dark go together in each mark, so it is seen on any photo.
Letters: h, w a box of device pixels; ``values`` are (h, w) uint8, 255 = selected.
    Boxes come with a margin of MARGIN_PX, since an outline looks at its neighbours.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from app.canvas.viewport import Box

MARGIN_PX = 6
STRIPE_PX = 7  # logical; wide enough to be seen as stripes on a dense screen
DASH_PX = 4

Rgb = tuple[int, int, int]
EdgeKind = Literal["predicted", "drawn", "erased", "locked"]
Plane = NDArray[np.uint8]

MASK_COLOURS: dict[str, Rgb] = {
    "orange": (240, 145, 0),
    "blue": (40, 130, 215),
    "green": (0, 165, 120),
    "pink": (215, 100, 165),
    "white": (245, 245, 245),
}
"""Choices for the mask; orange and blue differ for everybody."""

MaskPattern = Literal["stripes", "dots", "plain"]
MaskUse = Literal["replace", "keep"]
"""A fill replaces what is masked; a remade picture keeps it."""
KEEP_COLOURS = ("green", "blue")
"""Of what is kept: the first that is not the mask's own."""


@dataclass(frozen=True)
class MaskLook:
    """How the mask is shown."""

    colour: str = "orange"
    """A key of MASK_COLOURS."""
    pattern: MaskPattern = "stripes"
    """What makes it visible without colour."""
    strength: float = 0.45
    """How much of the picture it hides, 0..1."""
    is_filled: bool = True
    """False shows the outline alone."""
    use: MaskUse = "replace"
    """What is kept is drawn as a net in a colour of its own, whatever was chosen for the rest."""


@dataclass(frozen=True)
class EdgeStyle:
    """How one kind of edges is shown; the panel's legend is made from it."""

    name: str
    """What the legend says."""
    tip: str
    """What it means, in a sentence."""
    colour: Rgb
    is_area: bool
    """An area painted over edges; otherwise the edges themselves."""
    radius_px: int
    """Added on each side of a line, in logical pixels."""
    dash_px: int
    """Length of dashes in logical pixels, 0 for a solid line; of an area, the lattice's step."""


EDGE_STYLES: dict[EdgeKind, EdgeStyle] = {
    "predicted": EdgeStyle("Guessed", "Edges the program expects in the hole", (86, 196, 245), False, 0, 5),
    "drawn": EdgeStyle("Drawn", "Edges you drew; the fill follows them", (250, 230, 50), False, 1, 0),
    "erased": EdgeStyle("Erased", "Here guessed edges are left out", (230, 130, 190), True, 0, 9),
    "locked": EdgeStyle("Locked", "Here the edges stay as they are", (30, 200, 140), True, 0, 6),
}
"""In the order they are painted."""


def paint_mask(
    painter: QPainter,
    values: Plane,
    box: Box,
    anchor_xy: tuple[int, int],
    ratio: float,
    look: MaskLook,
    filled: Plane | None = None,
) -> None:
    """Paint the mask: the pattern where no result shows, and a two-tone outline round all of it.

    Args:
        painter: paints device pixels.
        values: coverage.
        box: where ``values`` lies, in device pixels.
        anchor_xy: where the canvas origin lies, in device pixels; patterns start there.
        ratio: device pixels to a logical one.
        look: colour and pattern.
        filled: where a result is seen already; only the outline is painted there.
    """
    cut = _cut(values)
    if cut is None:
        return
    rows, columns = cut
    values = values[rows, columns]
    place = (box[0] + columns.start, box[1] + rows.start)
    shown = np.zeros_like(values)
    if look.is_filled:
        shown = values if filled is None else np.minimum(values, 255 - filled[rows, columns])
    dark, light = _mask_colours(look)
    marks = np.minimum(shown >> 1, 126)
    marks |= _mask_pattern(values.shape, place, anchor_xy, ratio, look).view(np.uint8) << 7
    _lay_outline(marks, values, place, anchor_xy, ratio)
    outlines = ((0, 0, 0), 0.9), ((255, 255, 255), 0.95)
    _paint_marks(painter, marks, place, dark, light, *outlines)


def paint_edges(
    painter: QPainter,
    values: Plane,
    box: Box,
    anchor_xy: tuple[int, int],
    ratio: float,
    kind: EdgeKind,
    scale: float = 1.0,
) -> None:
    """Paint one kind of edges; arguments as in ``paint_mask``, and device pixels to a canvas pixel."""
    style = EDGE_STYLES[kind]
    if style.is_area:
        _paint_area(painter, values, box, anchor_xy, ratio, style)
    else:
        _paint_lines(painter, values, box, anchor_xy, ratio, style, scale)


def paint_ring(
    painter: QPainter, centre: QPointF, radius: float, hardness: float, *, inner_from: float = 12.0
) -> None:
    """Paint the brush outline in two tones, in the painter's coordinates (logical pixels).

    Args:
        painter: paints the widget.
        centre: where the pointer is.
        radius: of the brush.
        hardness: 0..1; below 1 a fainter ring shows where the soft border starts.
        inner_from: radius below which only the outer ring is drawn.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    shown = max(radius, 1.5)
    for colour, width in ((QColor(0, 0, 0, 150), 3.0), (QColor(255, 255, 255, 235), 1.2)):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(centre, shown, shown)
    if hardness < 0.95 and radius * hardness > 3 and radius > inner_from:
        for colour, style in (
            (QColor(0, 0, 0, 110), Qt.PenStyle.SolidLine),
            (QColor(255, 255, 255, 190), Qt.PenStyle.DotLine),
        ):
            painter.setPen(QPen(colour, 1.0, style))
            painter.drawEllipse(centre, radius * hardness, radius * hardness)
    if radius < 4 or radius > inner_from:
        reach = 3.0 if radius > inner_from else 7.0
        gap = 0.0 if radius > inner_from else shown + 2.0
        for colour, width in ((QColor(0, 0, 0, 150), 2.6), (QColor(255, 255, 255, 235), 1.0)):
            painter.setPen(QPen(colour, width))
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                start = centre + QPointF(dx * gap, dy * gap)
                painter.drawLine(start, start + QPointF(dx * reach, dy * reach))
    painter.restore()


def ring_bounds(centre: QPointF, radius: float) -> QRectF:
    """What ``paint_ring`` may touch."""
    reach = max(radius, 12.0) + 4.0
    return QRectF(centre.x() - reach, centre.y() - reach, 2 * reach, 2 * reach)


def legend_image(
    kind: EdgeKind | Literal["mask"], size_wh: tuple[int, int], ratio: float, look: MaskLook
) -> QImage:
    """A sample of a mark as the canvas paints it, on grey; size in logical pixels."""
    width, height = round(size_wh[0] * ratio), round(size_wh[1] * ratio)
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QColor(112, 112, 112))
    values = np.zeros((height, width), np.uint8)
    inset = round(2 * ratio)
    if kind == "mask" or EDGE_STYLES[kind].is_area:
        values[inset:-inset, inset:-inset] = 255
    else:
        xs = np.arange(inset, width - inset)
        wave = np.sin((xs - inset) / max(width - 2 * inset, 1) * 2 * np.pi) * height * 0.2
        for thick in range(round(2 * ratio)):
            values[np.round(height / 2 + wave).astype(int) + thick, xs] = 255
    box = (0, 0, width, height)
    with QPainter(image) as painter:
        if kind == "mask":
            paint_mask(painter, values, box, (0, 0), ratio, look)
        else:
            paint_edges(painter, values, box, (0, 0), ratio, kind)
    image.setDevicePixelRatio(ratio)
    return image


def outline(values: Plane, width: int = 1) -> NDArray[np.bool_]:
    """The pixels of the selected half (128 and more) that touch the other half."""
    inside = values >= 128
    core = inside.copy()
    for _ in range(width):
        smaller = core.copy()
        smaller[1:] &= core[:-1]
        smaller[:-1] &= core[1:]
        smaller[:, 1:] &= core[:, :-1]
        smaller[:, :-1] &= core[:, 1:]
        core = smaller
    return inside & ~core


def dilated(values: Plane, radius: int) -> Plane:
    """The maximum over a square of 2 radius + 1."""
    for _ in range(radius):
        wide = values.copy()
        np.maximum(wide[:, 1:], values[:, :-1], out=wide[:, 1:])
        np.maximum(wide[:, :-1], values[:, 1:], out=wide[:, :-1])
        tall = wide.copy()
        np.maximum(tall[1:], wide[:-1], out=tall[1:])
        np.maximum(tall[:-1], wide[1:], out=tall[:-1])
        values = tall
    return values


Ink = tuple[Rgb, float]
"""A colour and how much of it at full coverage."""


def _mask_colours(look: MaskLook) -> tuple[Ink, Ink]:
    """Inks of the dark and of the light stripes."""
    if look.use == "keep":
        colour = MASK_COLOURS[next(name for name in KEEP_COLOURS if name != look.colour)]
        return (colour, look.strength * 0.4), (colour, min(look.strength * 2, 1.0))
    colour = MASK_COLOURS[look.colour]
    if look.pattern == "plain":
        return (colour, look.strength), (colour, look.strength)
    red, green, blue = colour
    dark = round(red * 0.25), round(green * 0.25), round(blue * 0.25)
    # The same share of both inks: their contrast is then the same on dark and on light pictures.
    return (dark, look.strength), (colour, look.strength)


def _mask_pattern(
    shape: tuple[int, ...], place: tuple[int, int], anchor_xy: tuple[int, int], ratio: float, look: MaskLook
) -> NDArray[np.bool_]:
    step = STRIPE_PX * ratio
    if look.use == "keep":
        return _net(shape, place, anchor_xy, 2 * step, max(2.0, 2 * ratio))
    if look.pattern == "dots":
        return ~_lattice(shape, place, anchor_xy, step, step * 0.4)
    return _stripes(shape, place, anchor_xy, step)


def _lay_outline(
    marks: Plane, values: Plane, place: tuple[int, int], anchor_xy: tuple[int, int], ratio: float
) -> None:
    """Put the two-tone outline of ``values`` over marks: 127 is its first tone, 255 the second."""
    line = outline(values, max(1, round(ratio)))
    rows, columns = np.nonzero(line)
    if rows.size:
        is_light = _checks(values.shape, place, anchor_xy, DASH_PX * ratio)[rows, columns]
        marks[rows, columns] = np.where(is_light, 255, 127)


def _paint_lines(
    painter: QPainter,
    values: Plane,
    box: Box,
    anchor_xy: tuple[int, int],
    ratio: float,
    style: EdgeStyle,
    scale: float,
) -> None:
    cut = _cut(values, MARGIN_PX)
    if cut is None:
        return
    rows, columns = cut
    place = (box[0] + columns.start, box[1] + rows.start)
    # Zoomed out, a line of the copy is two screen pixels wide already.
    line = dilated(values[rows, columns], round(style.radius_px * ratio) if scale >= 0.5 else 0)
    casing = dilated(line, max(1, round(ratio)))
    is_line = line >= 32
    # Zoomed in, a dash is two canvas pixels; chequers inside a pixel would say nothing.
    step = max(style.dash_px * ratio, 2.0 * scale)
    is_gap = (
        is_line & ~_checks(line.shape, place, anchor_xy, step) if style.dash_px else np.zeros_like(is_line)
    )
    _paint_marks(
        painter, np.right_shift(casing, 1, dtype=np.uint8), place, ((0, 0, 0), 0.4), ((0, 0, 0), 0.0)
    )
    marks = np.where(is_line, line >> 1, 0).astype(np.uint8)
    marks |= is_gap.view(np.uint8) << 7
    _paint_marks(painter, marks, place, (style.colour, 1.0), (style.colour, 0.45))


def _paint_area(
    painter: QPainter, values: Plane, box: Box, anchor_xy: tuple[int, int], ratio: float, style: EdgeStyle
) -> None:
    cut = _cut(values)
    if cut is None:
        return
    rows, columns = cut
    values = values[rows, columns]
    place = (box[0] + columns.start, box[1] + rows.start)
    step, dot = style.dash_px * ratio, max(2.0, round(2 * ratio))
    marks = np.minimum(values >> 1, 126)
    marks |= _lattice(values.shape, place, anchor_xy, step, dot).view(np.uint8) << 7
    _lay_outline(marks, values, place, anchor_xy, ratio)
    red, green, blue = (round(part * 0.3) for part in style.colour)
    outlines = ((red, green, blue), 0.9), (style.colour, 0.95)
    _paint_marks(painter, marks, place, (style.colour, 0.16), (style.colour, 0.95), *outlines)


def _paint_marks(
    painter: QPainter,
    marks: Plane,
    place: tuple[int, int],
    first: Ink,
    second: Ink,
    first_line: Ink | None = None,
    second_line: Ink | None = None,
) -> None:
    """Paint an indexed picture: 0..127 is coverage in the first ink, 128..255 in the second.

    With inks for lines, 127 and 255 are those; coverage then ends at 126.
    """
    colours = [*_ramp(first), *_ramp(second)]
    if first_line is not None and second_line is not None:
        colours[126], colours[254] = colours[127], colours[255]
        colours[127], colours[255] = _argb(*first_line), _argb(*second_line)
    marks = np.ascontiguousarray(marks)
    height, width = marks.shape
    image = QImage(marks.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(colours)
    painter.drawImage(place[0], place[1], image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied))


def _cut(values: Plane, margin: int = 1) -> tuple[slice, slice] | None:
    """Rows and columns that hold something, with a margin; None where all is zero."""
    rows = np.flatnonzero(values.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(values[rows[0] : rows[-1] + 1].any(axis=0))
    return (
        slice(max(int(rows[0]) - margin, 0), min(int(rows[-1]) + 1 + margin, values.shape[0])),
        slice(max(int(columns[0]) - margin, 0), min(int(columns[-1]) + 1 + margin, values.shape[1])),
    )


def _argb(colour: Rgb, alpha: float) -> int:
    """One entry of a colour table."""
    return round(alpha * 255) << 24 | colour[0] << 16 | colour[1] << 8 | colour[2]


@cache
def _ramp(ink: Ink) -> tuple[int, ...]:
    """The entries for coverage 0..127."""
    return tuple(_argb(ink[0], ink[1] * share / 127) for share in range(128))


def _stripes(
    shape: tuple[int, ...], place: tuple[int, int], anchor_xy: tuple[int, int], step: float
) -> NDArray[np.bool_]:
    """Diagonal stripes; a view with both strides 1 over one row, so nothing is computed per pixel."""
    height, width = shape
    start = place[0] - anchor_xy[0] + place[1] - anchor_xy[1]
    row = (np.floor(np.arange(start, start + width + height) / step).astype(np.int64) & 1).astype(np.bool_)
    return np.lib.stride_tricks.as_strided(row, (height, width), (1, 1), writeable=False)


def _net(
    shape: tuple[int, ...], place: tuple[int, int], anchor_xy: tuple[int, int], step: float, line: float
) -> NDArray[np.bool_]:
    """Lines along both diagonals, like wire; views as in `_stripes`."""
    height, width = shape
    x, y = place[0] - anchor_xy[0], place[1] - anchor_xy[1]
    down = np.mod(np.arange(x + y, x + y + width + height), step) < line
    up = np.mod(np.arange(x - y - height, x - y + width), step) < line
    first = np.lib.stride_tricks.as_strided(down, (height, width), (1, 1), writeable=False)
    second = np.lib.stride_tricks.as_strided(up[height:], (height, width), (-1, 1), writeable=False)
    return first | second


def _checks(
    shape: tuple[int, ...], place: tuple[int, int], anchor_xy: tuple[int, int], step: float
) -> NDArray[np.bool_]:
    """A chessboard: dashes on lines of any direction."""
    rows, columns = _steps(shape, place, anchor_xy, step)
    return (rows & 1).astype(np.bool_)[:, None] ^ (columns & 1).astype(np.bool_)


def _lattice(
    shape: tuple[int, ...], place: tuple[int, int], anchor_xy: tuple[int, int], step: float, dot: float
) -> NDArray[np.bool_]:
    """Square dots on a lattice whose rows are shifted by half a step."""
    height, width = shape
    ys = np.arange(height) + (place[1] - anchor_xy[1])
    xs = np.arange(width) + (place[0] - anchor_xy[0])
    is_odd = (np.floor(ys / step).astype(np.int64) & 1).astype(np.bool_)
    in_row = np.mod(ys, step) < dot
    even, odd = np.mod(xs, step) < dot, np.mod(xs + step / 2, step) < dot
    dots: NDArray[np.bool_] = (in_row & ~is_odd)[:, None] & even | (in_row & is_odd)[:, None] & odd
    return dots


def _steps(
    shape: tuple[int, ...], place: tuple[int, int], anchor_xy: tuple[int, int], step: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows = np.floor((np.arange(shape[0]) + (place[1] - anchor_xy[1])) / step).astype(np.int64)
    columns = np.floor((np.arange(shape[1]) + (place[0] - anchor_xy[0])) / step).astype(np.int64)
    return rows, columns
