"""How much of each pixel a stroke covers: sweeps of a brush tip from dab to dab, and the largest of them.

Between two dabs the brush sweeps a capsule whose radius and opacity go evenly from the one to the other. What a pixel
gets follows from its distance to the capsule, so a stroke has no bumps however fast the pen moves.

Cost: work is done on blocks of 128 px. A block that a sweep fills evenly is filled, one that has as much already is
    left alone, so a large brush pays for its rim. Coverage takes one byte a pixel, in pages claimed when first used.
Coordinates: (0.5, 0.5) is the middle of the first pixel.
Source: distance to a capsule of two radii, after Inigo Quilez, "distance functions" (sdUnevenCapsule).
Elsewhere: how samples become dabs, and how coverage changes a plane, in painting.py.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from app.document.tiles import Box

BLOCK_PX = 128
FULL = 255
TABLE_STEPS = 1 << 17  # of a table over the squared distance: half a level for the hardest brush of 2000 px
MOST_TILT = 60.0  # degrees, as tablets report it at most
MOST_FLAT = 0.6  # a pen laid flat makes an ellipse this much narrower than it is long


@dataclass(frozen=True)
class Dab:
    """The brush at one place of the path."""

    x: float
    y: float
    radius: float
    peak: float  # opacity, 0 to 1


@dataclass(frozen=True)
class Tip:
    """The brush tip: how soft it is, and the ellipse a tilted pen makes of it."""

    hardness: float
    cos: float = 1.0
    sin: float = 0.0
    squeeze: float = 1.0  # how much longer than wide, at least 1

    @classmethod
    def tilted(cls, hardness: float, tilt_x: float, tilt_y: float) -> "Tip":
        """The tip of a pen that leans, tilts in degrees away from upright: an ellipse along the lean."""
        lean = min(math.hypot(tilt_x, tilt_y) / MOST_TILT, 1.0)
        if lean < 0.05:  # an upright pen trembles
            return cls(hardness)
        angle = math.atan2(tilt_y, tilt_x)
        return cls(hardness, math.cos(angle), math.sin(angle), 1 / (1 - MOST_FLAT * lean))


class StrokeCoverage:
    """How much of each pixel a stroke has covered so far, 0 to 255, and the sweeps that add to it.

    Args:
        size_hw: of the plane, in px.
    """

    def __init__(self, size_hw: tuple[int, int]) -> None:
        self.size_hw = size_hw
        self.plane = np.zeros(size_hw, np.uint8)
        rows, columns = (-(-side // BLOCK_PX) for side in size_hw)
        self._floor = np.zeros((rows, columns), np.uint8)  # every pixel of a block has at least this

    def sweep(self, start: Dab, end: Dab, tip: Tip, *, is_continued: bool = False) -> list[Box]:
        """Cover what the brush touches from one dab to the next.

        Args:
            start: where the sweep begins.
            end: where it ends.
            tip: the form of the brush.
            is_continued: a sweep of this stroke ended with ``start`` and an upright tip, so what ``start`` alone
                covers is covered.

        Returns:
            The boxes that may have changed.
        """
        box = self._bounds(start, end)
        if box is None or max(start.peak, end.peak) * FULL < 0.5:
            return []
        x0, y0, x1, y1 = box
        sweep = _Sweep(start, end, tip)
        if (x1 - x0) * (y1 - y0) <= 2 * BLOCK_PX * BLOCK_PX:
            self._raise_box(sweep, box)
            return [box]
        if is_continued and tip.squeeze == 1 and sweep.is_start_alone:
            return []
        sweep.prepare()
        changed = []
        columns = range(x0 // BLOCK_PX, (x1 - 1) // BLOCK_PX + 1)
        rows = range(y0 // BLOCK_PX, (y1 - 1) // BLOCK_PX + 1)
        least, most = sweep.bounds_on_blocks(rows, columns)
        if is_continued and tip.squeeze == 1:
            most[sweep.is_behind_blocks(rows, columns)] = 0
        h, w = self.size_hw
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                if most[i, j] <= self._floor[row, column]:
                    continue
                left, top = column * BLOCK_PX, row * BLOCK_PX
                block = (left, top, min(left + BLOCK_PX, w), min(top + BLOCK_PX, h))
                if least[i, j] == most[i, j]:
                    part = self.plane[top : block[3], left : block[2]]
                    np.maximum(part, most[i, j], out=part)
                    self._floor[row, column] = most[i, j]
                    changed.append(block)
                    continue
                inner = (max(x0, left), max(y0, top), min(x1, block[2]), min(y1, block[3]))
                self._raise_box(sweep, inner)
                if inner == block:
                    self._floor[row, column] = self.plane[top : block[3], left : block[2]].min()
                changed.append(inner)
        return changed

    def lower(self, box: Box, values: np.ndarray) -> None:
        """Put ``values`` back in place of what a box holds, when a part of the stroke is taken back."""
        x0, y0, x1, y1 = box
        self.plane[y0:y1, x0:x1] = values
        rows = slice(y0 // BLOCK_PX, (y1 - 1) // BLOCK_PX + 1)
        self._floor[rows, x0 // BLOCK_PX : (x1 - 1) // BLOCK_PX + 1] = 0

    def _bounds(self, start: Dab, end: Dab) -> Box | None:
        h, w = self.size_hw
        reach0, reach1 = start.radius + 1, end.radius + 1
        x0 = max(math.floor(min(start.x - reach0, end.x - reach1)), 0)
        y0 = max(math.floor(min(start.y - reach0, end.y - reach1)), 0)
        x1 = min(math.ceil(max(start.x + reach0, end.x + reach1)), w)
        y1 = min(math.ceil(max(start.y + reach0, end.y + reach1)), h)
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None

    def _raise_box(self, sweep: "_Sweep", box: Box) -> None:
        x0, y0, x1, y1 = box
        part = self.plane[y0:y1, x0:x1]
        np.maximum(part, sweep.coverage(box), out=part)


class _Sweep:
    """The brush going from one dab to the next, as a coverage that can be asked for any box."""

    def __init__(self, start: Dab, end: Dab, tip: Tip) -> None:
        self._tip = tip
        length = math.hypot(*self._turned(end.x - start.x, end.y - start.y))
        grows = end.radius - start.radius
        if length < 1e-3 or abs(grows) >= length:  # one circle holds the other
            start = end = end if grows >= 0 else start
            length, grows = 0.0, 0.0
        self._start, self._end, self._length, self._grows = start, end, length, grows
        self._is_even = start.radius == end.radius and start.peak == end.peak
        self._table: np.ndarray | None = None
        self.is_start_alone = length == 0.0 and grows == 0.0 and end is start
        """Whether the sweep covers no more than its start does."""

    def prepare(self) -> None:
        """Get ready to be asked for many boxes."""
        if self._is_even and self._tip.squeeze == 1:
            self._table = _table(self._start.radius, self._tip.hardness, self._start.peak)

    def coverage(self, box: Box) -> np.ndarray:
        """(h, w) uint8: how much of each pixel of the box the sweep covers, by its opacity."""
        x0, y0, x1, y1 = box
        xs = np.arange(x0, x1, dtype=np.float32) + np.float32(0.5 - self._start.x)
        ys = np.arange(y0, y1, dtype=np.float32) + np.float32(0.5 - self._start.y)
        return _to_bytes(self._values(xs, ys)) if self._table is None else self._looked_up(xs, ys)

    def bounds_on_blocks(self, rows: range, columns: range) -> tuple[np.ndarray, np.ndarray]:
        """Least and most coverage that any pixel of each block can get, (rows, columns) uint8 each."""
        half = BLOCK_PX / 2
        xs = np.array([column * BLOCK_PX + half - self._start.x for column in columns], np.float32)
        ys = np.array([row * BLOCK_PX + half - self._start.y for row in rows], np.float32)
        distance, _ = self._distance(xs, ys)
        # Within a block the distance differs by its half diagonal, and by what the radius may grow; 1 px for rounding.
        slack = np.float32(math.hypot(half, half) * self._tip.squeeze + abs(self._grows) + 1)
        radii = sorted((self._start.radius, self._end.radius))
        peaks = sorted((self._start.peak, self._end.peak))
        least = _to_bytes(_fall(distance + slack, radii[0], self._tip.hardness) * np.float32(peaks[0]))
        most = _to_bytes(_fall(distance - slack, radii[1], self._tip.hardness) * np.float32(peaks[1]))
        return least, most

    def is_behind_blocks(self, rows: range, columns: range) -> np.ndarray:
        """Blocks, (rows, columns) bool, where the start alone covers all that the sweep does."""
        if self._length == 0:
            return np.zeros((len(rows), len(columns)), bool)
        half = BLOCK_PX / 2
        xs = np.array([column * BLOCK_PX + half - self._start.x for column in columns])
        ys = np.array([row * BLOCK_PX + half - self._start.y for row in rows])
        dx, dy = self._end.x - self._start.x, self._end.y - self._start.y
        lengthwise = (xs[None, :] * dx + ys[:, None] * dy) / self._length
        sideways = np.abs(xs[None, :] * dy - ys[:, None] * dx) / self._length
        slope = self._grows / self._length
        lean = slope / math.sqrt(1 - slope * slope)
        slack = (math.hypot(half, half) + 1) * (1 + abs(lean))
        return lengthwise + sideways * lean + slack < 0

    def _values(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        distance, along = self._distance(xs, ys)
        values = _fall(distance, self._radius(along), self._tip.hardness)
        if self._is_even:
            values *= np.float32(self._start.peak)
        else:
            values *= self._start.peak + (self._end.peak - self._start.peak) * along
        return values

    def _looked_up(self, xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
        """`coverage` of an even, upright sweep, by a table over the squared distance."""
        assert self._table is not None, "prepare comes first"
        scale = math.sqrt((TABLE_STEPS - 1) / _reach_squared(self._start.radius))
        dx, dy = self._end.x - self._start.x, self._end.y - self._start.y
        far = (xs[0] if dx < 0 else xs[-1]) * dx + (ys[0] if dy < 0 else ys[-1]) * dy
        near = (xs[-1] if dx < 0 else xs[0]) * dx + (ys[-1] if dy < 0 else ys[0]) * dy
        if self._length == 0 or near >= self._length**2 or far <= 0:  # nearest to one end all over
            if near >= self._length**2:
                xs, ys = xs - np.float32(dx), ys - np.float32(dy)
            xs, ys = xs * np.float32(scale), ys * np.float32(scale)
            squared = (xs * xs)[None, :] + (ys * ys)[:, None]
        else:
            ux, uy = np.float32(dx * scale / self._length), np.float32(dy * scale / self._length)
            lengthwise = (xs * ux)[None, :] + (ys * uy)[:, None]
            nearest = np.maximum(lengthwise, 0)
            np.minimum(nearest, np.float32(scale * self._length), out=nearest)
            lengthwise -= nearest
            lengthwise *= lengthwise
            squared = np.subtract((xs * uy)[None, :], (ys * ux)[:, None], out=nearest)
            squared *= squared
            squared += lengthwise
        np.minimum(squared, TABLE_STEPS - 1, out=squared)
        found: np.ndarray = self._table.take(squared.astype(np.intp))
        return found

    def _radius(self, along: np.ndarray) -> np.ndarray | float:
        return (
            self._start.radius if self._grows == 0 else self._start.radius + np.float32(self._grows) * along
        )

    def _turned(self, x: float, y: float) -> tuple[float, float]:
        tip = self._tip
        return tip.cos * x + tip.sin * y, (tip.cos * y - tip.sin * x) * tip.squeeze

    def _distance(self, xs: np.ndarray, ys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Distance of each point to the nearest circle centre of the sweep, and which one: 0 start, 1 end."""
        tip = self._tip
        if tip.squeeze == 1:
            across, down = xs[None, :], ys[:, None]
        else:
            cos, sin, squeeze = (np.float32(value) for value in (tip.cos, tip.sin, tip.squeeze))
            across = cos * xs[None, :] + sin * ys[:, None]
            down = (cos * squeeze) * ys[:, None] - (sin * squeeze) * xs[None, :]
        if self._length == 0:
            return np.sqrt(across * across + down * down), np.zeros((1, 1), np.float32)
        dx, dy = self._turned(self._end.x - self._start.x, self._end.y - self._start.y)
        unit_x, unit_y = np.float32(dx / self._length), np.float32(dy / self._length)
        lengthwise = across * unit_x + down * unit_y
        sideways = across * unit_y - down * unit_x
        if self._grows == 0:
            along = lengthwise * np.float32(1 / self._length)
        else:  # the nearest circle lies off the foot point, by the slope of the tangent
            slope = self._grows / self._length
            rise = math.sqrt(1 - slope * slope)
            along = lengthwise + np.abs(sideways) * np.float32(slope / rise)
            along *= np.float32(1 / self._length)
        np.maximum(along, 0, out=along)
        np.minimum(along, 1, out=along)
        lengthwise -= along * np.float32(self._length)
        lengthwise *= lengthwise
        sideways *= sideways
        lengthwise += sideways
        return np.sqrt(lengthwise, out=lengthwise), along


def _fall(distance: np.ndarray, radius: np.ndarray | float, hardness: float) -> np.ndarray:
    """From 1 inside to 0 outside: within one pixel for a hard brush, smoothly over the rim of a soft one."""
    values: np.ndarray = (radius + np.float32(0.5)) - distance
    if hardness < 1:
        values /= np.maximum(np.float32(1 - hardness) * radius, np.float32(1))
    np.maximum(values, 0, out=values)
    np.minimum(values, 1, out=values)
    if hardness < 1:
        values *= values * (np.float32(3) - 2 * values)
    return values


def _reach_squared(radius: float) -> float:
    return (radius + 0.5) ** 2


@functools.lru_cache(maxsize=4)
def _table(radius: float, hardness: float, peak: float) -> np.ndarray:
    """Coverage by squared distance, in even steps up to where it is nothing."""
    squared = (np.arange(TABLE_STEPS) + 0.5) * (_reach_squared(radius) / (TABLE_STEPS - 1))
    values = _fall(np.sqrt(squared).astype(np.float32), radius, hardness)
    values[-1] = 0
    values *= np.float32(peak)
    return _to_bytes(values)


def _to_bytes(values: np.ndarray) -> np.ndarray:
    values *= np.float32(FULL)
    values += np.float32(0.5)
    return values.astype(np.uint8)
