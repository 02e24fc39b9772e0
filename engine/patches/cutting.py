"""Find where one part of a picture may end and another begin, with a seam that shows least.

Two parts are laid over each other for a few columns, and in every row one gives way to the other where they differ
least; from row to row the seam moves by a pixel at most. All pairs of places are weighed at once, for a layout tries
them all.

Source of the seam: Efros and Freeman, "Image Quilting for Texture Synthesis and Transfer", SIGGRAPH 2001, section 2.1.
Cost: W columns and H rows take 7 * W * W * H bytes; at 108 x 108 px 9 MB and a quarter of a second of one core.
"""

from dataclasses import dataclass

import numpy as np

from engine.patches.search import Look

REACH_PX = 3
"""How far a seam strays from the place of the cut: half of a patch, so that seams of neighbouring cuts never cross."""

_NEVER = np.float32(1e3)
"""Dearer than any seam: colours differ by 1 at most."""


@dataclass(frozen=True)
class Cuts:
    """Every cut of a picture: the part before ends at one column, the part after begins at another."""

    costs: np.ndarray
    """(W + 1, W + 1) float32, [end, begin]: mean difference of colour along the best seam."""

    _last: np.ndarray
    _moves: np.ndarray

    def seam(self, end: int, begin: int) -> np.ndarray:
        """Say in each row by how many px the seam lies right of the cut, (H,) int64."""
        height = self._moves.shape[0]
        at, found = int(self._last[end, begin]), np.empty(height, np.int64)
        for row in range(height - 1, -1, -1):
            found[row] = at - REACH_PX
            at += int(self._moves[row, end, begin, at])
        return found


def cuts(picture: np.ndarray, look: Look) -> Cuts:
    """Weigh every cut across the columns of a picture, (H, W, 3) float32; ``look`` is asked between rows."""
    height, width = picture.shape[:2]
    shift = np.arange(-REACH_PX, REACH_PX + 1)
    there = np.arange(width + 1)[:, None] + shift
    is_inside = (there >= 0) & (there <= width)
    is_inside = is_inside[:, None] & is_inside[None]
    rim = REACH_PX + 1
    wide = np.pad(picture, ((0, 0), (rim, rim), (0, 0)), mode="edge")
    total = np.zeros(is_inside.shape, np.float32)
    moves = np.zeros((height, *is_inside.shape), np.int8)
    for row in range(height):
        look()
        square = np.square(wide[row, :, None] - wide[row, None]).sum(2)
        pair = np.sqrt((square[:-1, :-1] + square[1:, 1:]) / 6)  # both pixels at the seam, three colours
        parts = [pair[rim + by - 1 :, rim + by - 1 :][: width + 1, : width + 1] for by in shift]
        if row:
            near = np.pad(total, ((0, 0), (0, 0), (1, 1)), constant_values=_NEVER * height)
            three = np.stack([near[..., :-2], total, near[..., 2:]])
            moves[row] = three.argmin(0) - 1
            total = three.min(0)
        total = total + np.where(is_inside, np.stack(parts, 2), _NEVER)
    return Cuts(total.min(2) / height, total.argmin(2), moves)
