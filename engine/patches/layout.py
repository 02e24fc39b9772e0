"""Decide what stands where in a larger frame: few large parts of the picture, side by side.

A picture drawn out twice as wide and mended from its patches keeps its things at their size, and what fills the rest
is whatever is dull: an eye doubles, a sky spreads, and the shares of all colours change. Whole parts laid side by side
keep both: twice the width holds two cups. So a frame is filled with up to three parts of the picture, where two of them
meet is a seam that shows least, and of all such layouts the one is taken whose seams and changes of shares together are
smallest. The search of patches starts from there and mends the seams.

The change of shares is a distance of two populations of patches along the directions in which the source varies most.
A layout is a sum of columns, so are its counts: all layouts are weighed by sums up to each column.

Sources: Pritch et al., "Shift-Map Image Editing", ICCV 2009 (a picture put together from shifted copies of itself; here
    shifts are the same for whole columns or rows, and all are tried instead of a graph cut); Elnekave and Weiss,
    "Generating Natural Images with Direct Patch Distributions Matching", ECCV 2022 (the distance of shares).
Elsewhere: seams in cutting.py.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from engine.patches.cutting import REACH_PX, Cuts, cuts
from engine.patches.descriptors import Directions, patch_grid
from engine.patches.search import Look

LIMIT_PX = 128
"""Longer side of a source up to which its layouts are weighed; half a second at most. Made half as high again, four of
five photographs kept their shares worse than a resize does with 32 px on the shorter side, one with 64 px."""

LEAST_PX = 24
"""Shorter side from which on a layout is worth it: below, a patch is a third of the picture."""

LEAST_GROWTH = 1.4
"""Growth of a side from which on a layout is worth it: with less there is room for a stump of a second thing alone. A cup
drawn out by a quarter to three eighths stood beside a slice of itself; from half on, beside most of a cup."""

STAGE = 2.2
"""Largest growth at once: three parts with room to choose; more is reached in stages."""

_PART_PX = 2 * REACH_PX + 1
"""Smallest part: seams at both of its ends never meet."""

_MARKS = 64
"""Places tried for each end of a part; then all places between them around the best."""

_SHARE = 0.5
"""What a change of shares counts beside the seams, both in differences of colour: it is a sum over directions, more
than a seam's mean. At 1 coins were cut through and a second rocket floated in the sky."""

_DIRECTIONS, _LEVELS = 12, 24
"""Along how many directions shares are counted, and at how many values: 288 numbers a layout."""

_AT_ONCE = 8192
"""Layouts weighed at a time: bounds memory, and how long a request to stop waits."""


def arrange(source: np.ndarray, size_hw: tuple[int, int], side: int, look: Look) -> np.ndarray:
    """Fill a frame that is at least as large with parts of a picture.

    Args:
        source: (H, W, 3) float32, sides of at least `LEAST_PX`.
        size_hw: size of the frame, (h, w).
        side: side of a patch in px.
        look: asked often whether to go on.

    Returns:
        (h, w, 2) int64, the pixel of the source that stands at each place, (x, y).
    """
    height, width = source.shape[:2]
    y, x = np.mgrid[:height, :width]
    field = _grown(source, np.stack([x, y], 2), size_hw[1], side, look)
    field = _grown(source, field.transpose(1, 0, 2), size_hw[0], side, look)
    return np.ascontiguousarray(field.transpose(1, 0, 2))


def _grown(source: np.ndarray, field: np.ndarray, length: int, side: int, look: Look) -> np.ndarray:
    """Bring a field to so many columns."""
    while field.shape[1] < length:
        stages = math.ceil(math.log(length / field.shape[1]) / math.log(STAGE) - 1e-9)
        step = round(field.shape[1] * (length / field.shape[1]) ** (1 / stages))
        picture = source[field[..., 1], field[..., 0]]
        found = cuts(picture, look)
        shares = _shares(source, picture, side)
        parts = _best(picture.shape[1], step, found.costs * (side / step), shares, look)
        field = joined(field, parts, found)
    return field


def change_of_shares(source: np.ndarray, picture: np.ndarray, side: int) -> float:
    """Say how far the patches of a picture are from being those of its source, each as often as there; 0 is best."""
    whole = np.array([[[0, picture.shape[1]], [0, 0], [0, 0]]])
    return float(_shares(source, picture, side).change(whole)[0])


@dataclass(frozen=True)
class Shares:
    """How many patches lie below some values along some directions: of the source, and up to each column."""

    below: np.ndarray
    """(W + 1, K) patches below each value, up to a column."""

    patches: np.ndarray
    """(W + 1,) all patches up to a column."""

    goal: np.ndarray
    """(K,) shares of the source."""

    gaps: np.ndarray
    """(K,) how far the values lie apart."""

    def change(self, parts: np.ndarray) -> np.ndarray:
        """Weigh layouts, (N, 3, 2) first and last column of each part, half open: (N,) distances, 0 is best."""
        below = sum(self.below[parts[:, part, 1]] - self.below[parts[:, part, 0]] for part in range(3))
        patches = sum(self.patches[parts[:, part, 1]] - self.patches[parts[:, part, 0]] for part in range(3))
        return np.asarray(np.abs(below / np.maximum(patches, 1)[:, None] - self.goal) @ self.gaps)


def _shares(source: np.ndarray, picture: np.ndarray, side: int) -> Shares:
    ours, theirs = (torch.from_numpy(one.transpose(2, 0, 1).copy()) for one in (source, picture))
    directions = Directions([ours], side, _DIRECTIONS)
    rows, width = patch_grid((picture.shape[0], picture.shape[1]), side)[0], picture.shape[1]
    population, asked = directions.describe(ours).numpy(), directions.describe(theirs).numpy()
    values = np.quantile(population, (np.arange(_LEVELS) + 0.5) / _LEVELS, axis=0).astype(np.float32)
    goal = np.stack([(population <= value).mean(0) for value in values])
    counts = np.stack([(asked <= value).reshape(rows, -1, values.shape[1]).sum(0) for value in values], 1)
    # A patch counts for the column of its middle; towards the rims there is none.
    below = np.zeros((width + 1, values.size), np.float32)
    below[side // 2 + 1 : side // 2 + 1 + len(counts)] = counts.reshape(len(counts), -1)
    patches = np.zeros(width + 1, np.float32)
    patches[side // 2 + 1 : side // 2 + 1 + len(counts)] = rows
    gaps = np.gradient(values, axis=0)
    return Shares(
        below.cumsum(0), patches.cumsum(), goal.ravel().astype(np.float32), gaps.ravel().astype(np.float32)
    )


def _best(width: int, length: int, costs: np.ndarray, shares: Shares, look: Look) -> np.ndarray:
    """Try parts at some places, then at all places around the best: (3, 2)."""
    step = math.ceil(width / _MARKS)
    marks = np.append(np.arange(0, width, step), width)
    found = _cheapest(layouts(width, length, (marks, marks, marks)), costs, shares, look)
    if step == 1:
        return found
    near = np.arange(-step, step + 1)
    first, second, third = (np.unique(np.clip(at + near, 0, width)) for at in found.ravel()[1:4])
    return _cheapest(layouts(width, length, (first, second, third)), costs, shares, look)


def layouts(width: int, length: int, marks: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """List the ways to fill so many columns with one to three parts of a picture.

    Args:
        width: columns of the picture.
        length: columns to be filled.
        marks: where the first part may end, and where the second may begin and end.

    Returns:
        (N, 3, 2) first and last column of each part, half open; empty parts begin where they end.
    """
    first, begin, end = (one.ravel() for one in np.meshgrid(*marks, indexing="ij"))
    rest = width - (length - first - (end - begin))
    found = np.stack([np.zeros_like(first), first, begin, end, rest, np.full_like(first, width)], 1)
    found = found[(rest >= 0) & (rest <= width)].reshape(-1, 3, 2)
    sizes = found[..., 1] - found[..., 0]
    return np.asarray(found[((sizes == 0) | (sizes >= _PART_PX)).all(1)])


def _cheapest(tried: np.ndarray, costs: np.ndarray, shares: Shares, look: Look) -> np.ndarray:
    best, lowest = np.asarray(tried[0]), np.inf
    for start in range(0, len(tried), _AT_ONCE):
        look()
        some = tried[start : start + _AT_ONCE]
        (_, first), (begin, end), (rest, _) = some.transpose(1, 2, 0)
        has = some[..., 1] > some[..., 0]
        price = np.where(has[:, 0] & has[:, 1], costs[first, begin], 0)
        price += np.where(has[:, 1] & has[:, 2], costs[end, rest], 0)
        price += np.where(has[:, 0] & ~has[:, 1] & has[:, 2], costs[first, rest], 0)
        price += _SHARE * shares.change(some)
        at = int(price.argmin())
        if price[at] < lowest:
            best, lowest = np.asarray(some[at]), price[at]
    return best


def joined(field: np.ndarray, parts: np.ndarray, found: Cuts) -> np.ndarray:
    """Lay parts of a field, (h, w, 2), side by side, with their seams."""
    kept = [(int(begin), int(end)) for begin, end in parts if end > begin]
    height = field.shape[0]
    columns = np.tile(np.concatenate([np.arange(begin, end) for begin, end in kept]), (height, 1))
    at = 0
    for (begin, end), (after, _) in zip(kept, kept[1:], strict=False):
        at += end - begin
        for row, by in enumerate(found.seam(end, after)):
            columns[row, at : at + max(by, 0)] = np.arange(end, end + max(by, 0))
            columns[row, at + min(by, 0) : at] = np.arange(after + min(by, 0), after)
    return np.asarray(field[np.arange(height)[:, None], columns])
