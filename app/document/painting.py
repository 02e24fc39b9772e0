"""Turn a stroke of a brush into the bytes of a plane.

A stroke is a path of samples (place, pressure, tilt). Its coverage is the largest of its sweeps, so going over the same
place twice within a stroke changes nothing. The plane is then what was there before the stroke, with the coverage laid
over it (brush) or taken out of it (eraser). The same samples give the same bytes whenever they are replayed.

A smoothed pen follows its samples lazily, along a curve. A sample at the very place of the one before it means that the
pen rests: the smoothed pen catches up with it.

Elsewhere: coverage of one sweep in coverage.py; what a stroke keeps in strokes.py; tools in app/canvas/tools.
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from app.document.coverage import BLOCK_PX, FULL, Dab, StrokeCoverage, Tip
from app.document.layers import Layer
from app.document.strokes import MAX_SAMPLES, BrushSettings, Stroke
from app.document.tiles import Box, join

if TYPE_CHECKING:
    from app.document.transaction import Transaction

BRUSH, ERASER = "brush", "eraser"
"""What the tool of a stroke is called: one adds to its plane, the other takes from it."""

LIMIT_PX = 1e6  # samples are kept within this distance, where float32 still tells an eighth of a pixel apart
SMALLEST_RADIUS_PX = 0.5  # a thinner line is one pixel wide and fainter
LAZIEST = 0.92  # share of the way that a fully smoothed pen stays behind at each sample
CURVE_TOLERANCE_PX = 0.25
KEPT_BLOCKS = 2048  # 32 MiB of what was there before


class Sample(NamedTuple):
    """Where the pen is and how it is held."""

    x: float
    y: float
    pressure: float = 1.0
    tilt_x: float = 0.0
    tilt_y: float = 0.0


def clean_sample(sample: Iterable[float]) -> Sample | None:
    """A sample as a stroke keeps it: rounded to float32 and within its ranges; None if a value is not a number."""
    values = [float(value) for value in sample]
    if not all(math.isfinite(value) for value in values):
        return None
    x, y = (min(max(value, -LIMIT_PX), LIMIT_PX) for value in values[:2])
    pressure = min(max(values[2], 0.0), 1.0)
    tilt_x, tilt_y = (min(max(value, -90.0), 90.0) for value in values[3:])
    return Sample(*(float(np.float32(value)) for value in (x, y, pressure, tilt_x, tilt_y)))


def lay_over(before: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """Bring ``before`` nearer to 255 by ``coverage``/255; uint8, rounded to the nearest, never below ``before``."""
    left: np.ndarray = np.invert(take_out(np.invert(before), coverage))
    return left


def take_out(before: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """Bring ``before`` nearer to 0 by ``coverage``/255; uint8, rounded to the nearest, never above ``before``."""
    product: np.ndarray = np.multiply(before, np.invert(coverage), dtype=np.uint16)
    product += 128  # the exact rounding of a division by 255, without dividing
    product += product >> 8
    product >>= 8
    return product.astype(np.uint8)


def union(box: Box | None, other: Box | None) -> Box | None:
    """The smallest box that holds both; None is the empty one."""
    if box is None or other is None:
        return box or other
    return join(box, other)


class _Path(NamedTuple):
    """How far a stroke has come; immutable, so that a mark in a stroke is one of these."""

    length: int = 0  # samples so far
    asked: Sample | None = None  # the last sample as it came
    lazy: Sample | None = None  # where the smoothed pen is
    drawn: Sample | None = None  # how far the path is drawn


class StrokePainter:
    """Paint one stroke into a plane, sample by sample.

    Args:
        transaction: the open change that the stroke belongs to.
        layer: the layer to paint on.
        plane: name of its plane.
        brush: size, hardness and the rest.
        is_erasing: take away instead of adding.
    """

    def __init__(
        self,
        transaction: "Transaction",
        layer: Layer,
        plane: str,
        brush: BrushSettings,
        is_erasing: bool,
    ) -> None:
        self._transaction = transaction
        self._layer_id = layer.id
        self._plane_name = plane
        self._values = layer.planes[plane]
        self._brush = brush
        self._change = take_out if is_erasing else lay_over
        self._limit = 0 if is_erasing else FULL
        self._tool = ERASER if is_erasing else BRUSH
        self._coverage = StrokeCoverage((self._values.shape[0], self._values.shape[1]))
        self._kept: dict[tuple[int, int], np.ndarray] = {}
        self._samples: list[Sample] = []
        self._path = _Path()
        self._mark: tuple[_Path, Box | None, np.ndarray] | None = None
        self._since_mark: Box | None = None
        self.dirty: Box | None = None
        """All that the stroke has touched."""

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples that count."""
        return tuple(self._samples)

    def add(self, sample: Iterable[float]) -> Box | None:
        """Go on to a sample (x, y, pressure, tilt_x, tilt_y); returns the box that changed, None for nothing."""
        cleaned = clean_sample(sample)
        if cleaned is None or len(self._samples) >= MAX_SAMPLES:
            return None
        self._samples.append(cleaned)
        asked, lazy, drawn = self._path.asked, self._path.lazy, self._path.drawn
        if asked is None or lazy is None or drawn is None:
            path, box = _Path(1, cleaned, cleaned, cleaned), self._paint([cleaned, cleaned])
        elif self._brush.smoothing <= 0 or cleaned[:2] == asked[:2]:
            points = [drawn, cleaned] if lazy == drawn else [drawn, lazy, cleaned]
            path, box = _Path(self._path.length + 1, cleaned, cleaned, cleaned), self._paint(points)
        else:
            share = 1 - LAZIEST * self._brush.smoothing
            new = _between(lazy, cleaned, share)
            middle = _between(lazy, new, 0.5)
            path, box = (
                _Path(self._path.length + 1, cleaned, new, middle),
                self._paint(_curve(drawn, lazy, middle)),
            )
        self._path = path
        return box

    def finish(self) -> Stroke:
        """Draw what smoothing held back, and give the stroke; the caller adds it to the transaction."""
        asked, lazy, drawn = self._path.asked, self._path.lazy, self._path.drawn
        if asked is not None and lazy is not None and drawn is not None and drawn != asked:
            self._paint([drawn, lazy, asked])
            self._path = _Path(self._path.length, asked, asked, asked)
        return Stroke(
            tool=self._tool,
            target=self._plane_name,
            samples=np.array(self._samples, np.float32).reshape(-1, 5),
            brush=self._brush,
        )

    # Taking back ------------------------------------------------------------------------------------------------------

    def mark(self) -> None:
        """Remember this point of the stroke, so that what follows can be tried and taken back with `rewind`."""
        kept = self._part(self._coverage.plane, self.dirty).copy()
        self._mark = (self._path, self.dirty, kept)
        self._since_mark = None

    def rewind(self) -> Box | None:
        """Go back to the mark; returns the box that changed."""
        assert self._mark is not None, "rewind comes after mark"
        path, marked_box, kept = self._mark
        box = self._since_mark
        self._path, self.dirty, self._since_mark = path, marked_box, None
        del self._samples[path.length :]
        if box is None:
            return None
        values = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
        if marked_box is not None:
            x0, y0 = max(box[0], marked_box[0]), max(box[1], marked_box[1])
            x1, y1 = min(box[2], marked_box[2]), min(box[3], marked_box[3])
            if x0 < x1 and y0 < y1:
                mx, my = marked_box[:2]
                values[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]] = kept[
                    y0 - my : y1 - my, x0 - mx : x1 - mx
                ]
        self._coverage.lower(box, values)
        self._recombine([box])
        self._transaction.changed(self._layer_id, self._plane_name, box)
        return box

    # Painting ---------------------------------------------------------------------------------------------------------

    def _paint(self, points: list[Sample]) -> Box | None:
        boxes: list[Box] = []
        for start, end in zip(points, points[1:], strict=False):
            tip = self._tip(start, end)
            is_continued = self._path.length > 0
            boxes += self._coverage.sweep(self._dab(start), self._dab(end), tip, is_continued=is_continued)
        box: Box | None = None
        for part in boxes:
            box = union(box, part)
        if box is not None:
            self.dirty = union(self.dirty, box)
            self._since_mark = union(self._since_mark, box)
            self._transaction.touch(self._layer_id, self._plane_name, box)
            self._recombine(boxes)
            self._transaction.changed(self._layer_id, self._plane_name, box)
        return box

    def _recombine(self, boxes: list[Box]) -> None:
        for box in dict.fromkeys(boxes):
            coverage = self._part(self._coverage.plane, box)
            values = self._part(self._values, box)
            if coverage.min() == FULL:
                values[...] = self._limit
            else:
                values[...] = self._change(self._before(box), coverage)

    def _before(self, box: Box) -> np.ndarray:
        """What a box held before the stroke; blocks of a large brush are asked for again and again, so they are kept."""
        x0, y0, x1, y1 = box
        left, top = x0 - x0 % BLOCK_PX, y0 - y0 % BLOCK_PX
        if x1 > left + BLOCK_PX or y1 > top + BLOCK_PX or self._brush.size_px <= BLOCK_PX:
            return self._transaction.before(self._layer_id, self._plane_name, box)
        kept = self._kept.get((left, top))
        if kept is None:
            if len(self._kept) >= KEPT_BLOCKS:
                self._kept.clear()
            block = (left, top, left + BLOCK_PX, top + BLOCK_PX)
            kept = self._kept[left, top] = self._transaction.before(self._layer_id, self._plane_name, block)
        return kept[y0 - top : y1 - top, x0 - left : x1 - left]

    def _part(self, values: np.ndarray, box: Box | None) -> np.ndarray:
        x0, y0, x1, y1 = box or (0, 0, 0, 0)
        return values[y0:y1, x0:x1]

    def _dab(self, sample: Sample) -> Dab:
        brush = self._brush
        radius = brush.size_px / 2 * (sample.pressure if brush.pressure_size else 1.0)
        peak = brush.opacity * (sample.pressure if brush.pressure_opacity else 1.0)
        if radius < SMALLEST_RADIUS_PX:
            peak *= radius / SMALLEST_RADIUS_PX
            radius = SMALLEST_RADIUS_PX
        return Dab(sample.x, sample.y, radius, peak)

    def _tip(self, start: Sample, end: Sample) -> Tip:
        brush = self._brush
        if not brush.tilt_shape:
            return Tip(brush.hardness)
        return Tip.tilted(brush.hardness, (start.tilt_x + end.tilt_x) / 2, (start.tilt_y + end.tilt_y) / 2)


def replay(transaction: "Transaction", layer: Layer, stroke: Stroke) -> Box | None:
    """Paint a kept stroke again, with the same bytes as the first time; returns the box it touched."""
    is_erasing = stroke.tool == ERASER
    painter = StrokePainter(transaction, layer, stroke.target, stroke.brush, is_erasing)
    for sample in stroke.samples.tolist():
        painter.add(sample)
    painter.finish()
    return painter.dirty


def _between(start: Sample, end: Sample, share: float) -> Sample:
    return Sample(*(a + (b - a) * share for a, b in zip(start, end, strict=True)))


def _curve(start: Sample, control: Sample, end: Sample) -> list[Sample]:
    """A quadratic curve as points near enough together to look round."""
    bend = math.hypot(start.x - 2 * control.x + end.x, start.y - 2 * control.y + end.y)
    count = min(max(math.ceil(math.sqrt(bend / (8 * CURVE_TOLERANCE_PX))), 1), 16)
    points = []
    for i in range(count + 1):
        share = i / count
        points.append(_between(_between(start, control, share), _between(control, end, share), share))
    return points
