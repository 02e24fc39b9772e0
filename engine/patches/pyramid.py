"""From a coarse picture to the finest: how many levels, how large, and how the first shape is reached.

A level is a scale that source and target share, so that things keep their size. On the coarsest a patch covers a good
part of the picture and decides what stands where; each finer level adds detail. From the source's own shape the target
is reached in small steps, on the coarsest level, where a step costs next to nothing: an element is inserted or taken
out at a time, instead of all being stretched at once.

Source: Granot et al. 2022, section 3.1 (the pyramid) and its retargeting in steps.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from engine.patches import quad

RATIO = 4 / 3
"""Between two levels."""

COARSE_PX = 22
"""Shorter side of the source on the coarsest level: a patch of 7 px is a third of it."""

COARSE_TARGET_PX = 12
"""The target's shorter side is never less on the coarsest level: a few patches must fit."""

STEP_RATIO = 1.12
"""Largest change of a side in one step on the coarsest level."""


@dataclass(frozen=True)
class Plan:
    """Scales from coarse to fine, and the side of a patch."""

    scales: list[float]
    side: int


def plan(source_hw: tuple[int, int], target_hw: tuple[int, int]) -> Plan:
    """Choose the levels.

    Args:
        source_hw: size of the source.
        target_hw: size of the result.
    """
    shortest = min(*source_hw, *target_hw)
    side = 7 if shortest >= 18 else 5 if shortest >= 11 else 3
    wanted = max(COARSE_PX / min(source_hw), COARSE_TARGET_PX / min(target_hw))
    count = 1 + max(0, round(math.log(1 / wanted) / math.log(RATIO)))
    return Plan([1 / RATIO**level for level in range(count - 1, -1, -1)], side)


def scaled(size_hw: tuple[int, int], scale: float) -> tuple[int, int]:
    """Give the size of a level in whole px."""
    return max(4, round(size_hw[0] * scale)), max(4, round(size_hw[1] * scale))


def resize(picture: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Change the size of a picture: means of areas when shrinking, smooth curves when growing."""
    height, width = size_hw
    if picture.shape[:2] == (height, width):
        return picture
    is_shrinking = height <= picture.shape[0] and width <= picture.shape[1]
    how = cv2.INTER_AREA if is_shrinking else cv2.INTER_CUBIC
    return np.clip(cv2.resize(picture, (width, height), interpolation=how), 0, 1)


def shapes(start: quad.Corners, end: quad.Corners) -> list[quad.Corners]:
    """List the quadrilaterals on the way from one to another, without the first.

    Each side changes by at most `STEP_RATIO` from one to the next, and corners go straight.
    """
    first, last = _sides(start), _sides(end)
    stretch = float(np.abs(np.log(last / first)).max()) / math.log(STEP_RATIO)
    moved = float(np.abs(end - start - (end - start).mean(0)).max()) / (0.12 * float(first.min()))
    count = max(1, math.ceil(max(stretch, min(moved, 12.0))))
    if count == 1:
        return [end]
    # Equal ratios, not equal differences: the last steps of shrinking would otherwise halve what is left.
    growth = (last / first).prod() ** 0.25
    shares = [
        step / count if abs(growth - 1) < 1e-3 else (growth ** (step / count) - 1) / (growth - 1)
        for step in range(1, count + 1)
    ]
    way = [start + (end - start) * share for share in shares]
    least = 0.25 * min(_least_area(start), _least_area(end))
    # A picture that is turned over would shrink to a point on its way: then at once.
    return way if all(_least_area(corners) >= least for corners in way) else [end]


def _least_area(corners: quad.Corners) -> float:
    """The smallest of the four triangles at the corners, doubled; below 0 where a corner is turned inwards."""
    ahead = np.roll(corners, -1, axis=0) - corners
    behind = np.roll(ahead, 1, axis=0)
    return float((behind[:, 0] * ahead[:, 1] - behind[:, 1] * ahead[:, 0]).min())


def _sides(corners: quad.Corners) -> np.ndarray:
    return np.asarray(np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1))
