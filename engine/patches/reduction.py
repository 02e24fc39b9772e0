"""At which size a large picture is searched. Plain arithmetic: the window asks before anything is made.

Elsewhere: how the small copy is made, and how the large result is made from what was found, in enlarging.py.
"""

import math
from dataclasses import dataclass

import numpy as np

LIMIT_PX = {"exact": 1024 * 1024, "fast": 640 * 640}
"""Pixels of source or result up to which all is searched, by quality; beyond, a copy of this size is."""

_LEAST_PX = 4


@dataclass(frozen=True)
class Reduction:
    """The sizes a large picture is searched at."""

    source_hw: tuple[int, int]
    target_hw: tuple[int, int]
    scale_yx: tuple[float, float]
    """Pixels of the large picture to one of the small one, in each direction; the same but for whole pixels."""

    def points(self, points_xy: np.ndarray) -> np.ndarray:
        """Bring (N, 2) points of the large result to the small one."""
        return np.asarray(points_xy / self.scale_yx[::-1])


def reduction(source_hw: tuple[int, int], target_hw: tuple[int, int], limit_px: int) -> Reduction | None:
    """Say at which size a picture is searched; None at its own.

    Args:
        source_hw: size of the picture.
        target_hw: size of the result.
        limit_px: neither has more pixels than this when it is searched.
    """
    largest = max(math.prod(source_hw), math.prod(target_hw))
    if largest <= limit_px:
        return None
    share = math.sqrt(limit_px / largest)
    source_h, source_w = (max(_LEAST_PX, round(side * share)) for side in source_hw)
    scale_y, scale_x = source_hw[0] / source_h, source_hw[1] / source_w
    target_h, target_w = (
        max(_LEAST_PX, round(side / scale)) for side, scale in zip(target_hw, (scale_y, scale_x), strict=True)
    )
    return Reduction((source_h, source_w), (target_h, target_w), (scale_y, scale_x))
