"""Smaller copies of a raster, made where they are looked at.

A copy reduced by 2, 4, 8.. is filled tile by tile. Filling has a time limit: what is not
ready is read roughly and refined between events, so a picture of 16384 px a side is seen
at once. A changed box is done again by itself; a changed tile counts as new.

Boxes are pixels of the raster.
"""

import math
import time
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.canvas.viewport import Box
from app.document.tiles import join, overlap

TILE_SPAN_PX = 1024  # pixels of the raster a reduced tile covers: one takes about 4 ms of RGB
_FINE = 2
_ROUGH = 1


def level_for(scale: float) -> int:
    """How many times to halve, so that what is left to scale is in (0.5, 1]; 0 from 100 % on."""
    return max(0, math.floor(math.log2(1.0 / scale) + 1e-9)) if scale < 1.0 else 0


class _Level:
    """One reduced copy: its array, and which of its tiles hold something."""

    def __init__(self, size_hw: tuple[int, int], level: int, dtype: type) -> None:
        step = 1 << level
        # np.zeros of this size is pages that do not exist before they are written.
        self.array: NDArray[Any] = np.zeros((-(-size_hw[0] // step), -(-size_hw[1] // step)), dtype)
        tiles = (-(-size_hw[0] // TILE_SPAN_PX), -(-size_hw[1] // TILE_SPAN_PX))
        self.state = np.zeros(tiles, np.uint8)
        self.stale: list[Box] = []


class Pyramid:
    """Reduced copies of a raster, made where they are asked for.

    Args:
        size_hw: of the raster.
        dtype: of the copies.
        make: (box, level) -> the reduced part; the box starts at multiples of 2**level.
        skim: the same, rough and quick.
    """

    def __init__(
        self,
        size_hw: tuple[int, int],
        dtype: type,
        make: Callable[[Box, int], NDArray[Any]],
        skim: Callable[[Box, int], NDArray[Any]],
    ) -> None:
        self.size_hw = size_hw
        self._dtype = dtype
        self._make = make
        self._skim = skim
        self._levels: dict[int, _Level] = {}

    def invalidate(self, box: Box) -> None:
        """The raster changed in a box."""
        for level in self._levels.values():
            level.stale.append(box)
            if len(level.stale) > 64:
                level.stale = [reduce(join, level.stale)]

    def read(self, level: int, box: Box, deadline: float) -> NDArray[Any]:
        """The copy, valid at least in ``box`` (of the raster's pixels); rough where the time was up."""
        if level not in self._levels:
            for other in [held for held in self._levels if self._levels[held].array.nbytes > 1 << 26]:
                del self._levels[other]
            self._levels[level] = _Level(self.size_hw, level, self._dtype)
        kept = self._levels[level]
        self._catch_up(kept, level)
        for ty, tx in self._tiles(box):
            if kept.state[ty, tx] == _FINE:
                continue
            if time.perf_counter() <= deadline:
                self._fill(kept, level, ty, tx)
            elif kept.state[ty, tx] == 0:
                self._write(kept, level, self._tile_box(ty, tx), self._skim)
                kept.state[ty, tx] = _ROUGH
        return kept.array

    def refine(self, level: int, box: Box, deadline: float) -> list[Box]:
        """Make rough tiles fine until the time is up; the boxes that changed."""
        kept = self._levels.get(level)
        done: list[Box] = []
        if kept is None:
            return done
        for ty, tx in self._tiles(box):
            if kept.state[ty, tx] == _ROUGH:
                if done and time.perf_counter() > deadline:
                    break
                self._fill(kept, level, ty, tx)
                done.append(self._tile_box(ty, tx))
        return done

    def is_fine(self, level: int, box: Box) -> bool:
        """Is everything in the box read from full averages?"""
        kept = self._levels.get(level)
        return kept is None or all(kept.state[tile] != _ROUGH for tile in self._tiles(box))

    def _fill(self, kept: _Level, level: int, ty: int, tx: int) -> None:
        self._write(kept, level, self._tile_box(ty, tx), self._make)
        kept.state[ty, tx] = _FINE

    def _write(self, kept: _Level, level: int, box: Box, make: Callable[[Box, int], NDArray[Any]]) -> None:
        part = make(box, level)
        y, x = box[1] >> level, box[0] >> level
        kept.array[y : y + part.shape[0], x : x + part.shape[1]] = part

    def _catch_up(self, kept: _Level, level: int) -> None:
        """Redo the changed boxes inside tiles that are filled already."""
        stale, kept.stale = kept.stale, []
        step = 1 << level
        for box in stale:
            for ty, tx in self._tiles(box):
                tile = self._tile_box(ty, tx)
                x0, y0, x1, y1 = overlap(box, tile)
                if (x0, y0, x1, y1) == tile:
                    kept.state[ty, tx] = 0  # to be filled like a new one, within the time limit
                elif kept.state[ty, tx]:
                    whole = (
                        x0 // step * step,
                        y0 // step * step,
                        min(-(-x1 // step) * step, tile[2]),
                        min(-(-y1 // step) * step, tile[3]),
                    )
                    self._write(kept, level, whole, self._make)

    def _tiles(self, box: Box) -> list[tuple[int, int]]:
        x0, y0, x1, y1 = overlap(box, (0, 0, self.size_hw[1], self.size_hw[0]))
        if x1 <= x0 or y1 <= y0:
            return []
        rows = range(y0 // TILE_SPAN_PX, (y1 - 1) // TILE_SPAN_PX + 1)
        columns = range(x0 // TILE_SPAN_PX, (x1 - 1) // TILE_SPAN_PX + 1)
        return [(ty, tx) for ty in rows for tx in columns]

    def _tile_box(self, ty: int, tx: int) -> Box:
        y, x = ty * TILE_SPAN_PX, tx * TILE_SPAN_PX
        return x, y, min(x + TILE_SPAN_PX, self.size_hw[1]), min(y + TILE_SPAN_PX, self.size_hw[0])
