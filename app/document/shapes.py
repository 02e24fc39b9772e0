"""Shapes as coverage: rectangles, ellipses, polygons, and areas of like colour, antialiased where they have a border.

A shape is a patch: the box it reaches on the canvas, cut to the canvas, and how much of each pixel it covers, 0 to 255.
Nothing here knows a document. OpenCV is loaded when an area of like colour is first asked for.

Source: polygons by signed areas that are summed along the rows, as in Raph Levien's font-rs (2015).
Elsewhere: how a patch meets the mask in selection.py; brush strokes in painting.py.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.document.tiles import Box, clip_box, is_empty

Point = tuple[float, float]

FLATNESS_PX = 0.02  # how far the corners of an ellipse drawn as a polygon may miss it
FINENESS = 4096  # corners lie on a grid of so many steps a pixel, so that no line is too thin to divide by
FAR_PX = 1e6  # beyond this nothing can be drawn, and numbers would lose their halves


@dataclass(frozen=True, eq=False)
class Patch:
    """Coverage of one box of the canvas; nothing is covered outside it."""

    box_xyxy: Box
    coverage: np.ndarray
    """(h, w) uint8."""


def rectangle(start: Point, end: Point, size_hw: tuple[int, int]) -> Patch | None:
    """The rectangle between two corners, with the part of each border pixel that it covers; None if it has no area."""
    (x0, x1), (y0, y1) = (_ordered(start[i], end[i]) for i in (0, 1))
    box = _box(x0, y0, x1, y1, size_hw)
    if box is None or x0 == x1 or y0 == y1:
        return None
    across = _overlap(x0, x1, box[0], box[2])
    down = _overlap(y0, y1, box[1], box[3])
    return _patch(box, down[:, None] * across[None, :])


def ellipse(start: Point, end: Point, size_hw: tuple[int, int]) -> Patch | None:
    """The ellipse that touches the sides of a rectangle; None if it has no area."""
    (x0, x1), (y0, y1) = (_ordered(start[i], end[i]) for i in (0, 1))
    box = _box(x0, y0, x1, y1, size_hw)
    if box is None or x0 == x1 or y0 == y1:
        return None
    a, b = (x1 - x0) / 2, (y1 - y0) / 2
    count = math.ceil(math.pi / math.acos(1 - min(FLATNESS_PX / max(a, b), 1))) + 8
    angles = np.arange(count) * (2 * math.pi / count)
    stretch = (
        1 + FLATNESS_PX / max(a, b) / 2
    )  # corners a little outside, so that the area is that of the ellipse
    xs, ys = x0 + a + a * stretch * np.cos(angles), y0 + b + b * stretch * np.sin(angles)
    return polygon(list(zip(xs.tolist(), ys.tolist(), strict=True)), size_hw)


def polygon(points: Sequence[Point], size_hw: tuple[int, int]) -> Patch | None:
    """What a closed line holds, where it crosses itself too; exact coverage of every border pixel.

    Args:
        points: corners in order; the last is joined to the first.
        size_hw: the canvas.

    Returns:
        The patch, or None if fewer than three corners or nothing of it lies on the canvas.
    """
    corners = np.array([point for point in points if math.isfinite(point[0]) and math.isfinite(point[1])])
    if len(corners) < 3:
        return None
    corners = np.round(np.clip(corners, -FAR_PX, FAR_PX) * FINENESS) / FINENESS
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    box = _box(x0, y0, x1, y1, size_hw)
    if box is None:
        return None
    corners = corners - box[:2]
    coverage = _wound(corners, np.roll(corners, -1, axis=0), (box[3] - box[1], box[2] - box[0]))
    return Patch(box, coverage) if coverage.any() else None


def similar(
    pixels: np.ndarray, at_xy: tuple[int, int], *, tolerance: float, is_contiguous: bool
) -> Patch | None:
    """Pixels whose colour is near that of one pixel.

    Args:
        pixels: (H, W) or (H, W, C), uint8 or uint16.
        at_xy: the pixel that says the colour.
        tolerance: largest difference in any channel, 0 to 1 of the value range.
        is_contiguous: only what hangs together with that pixel, side by side.

    Returns:
        The patch, 0 or 255; None if the pixel lies outside.
    """
    height, width = pixels.shape[:2]
    x, y = at_xy
    if not (0 <= x < width and 0 <= y < height):
        return None
    import cv2

    top = np.iinfo(pixels.dtype).max
    reach = round(min(max(tolerance, 0.0), 1.0) * top)
    colour = np.atleast_1d(pixels[y, x]).astype(np.int64)
    low, high = np.clip(colour - reach, 0, top).tolist(), np.clip(colour + reach, 0, top).tolist()
    matching = cv2.inRange(np.ascontiguousarray(pixels), tuple(low), tuple(high))
    box: Box = (0, 0, width, height)
    if is_contiguous:
        filled = np.zeros((height + 2, width + 2), np.uint8)
        flags = 4 | (255 << 8) | cv2.FLOODFILL_MASK_ONLY
        _, _, _, (left, top_row, wide, high_px) = cv2.floodFill(matching, filled, (x, y), 0, 0, 0, flags)
        box = (left, top_row, left + wide, top_row + high_px)
        matching = filled[1:-1, 1:-1]
    return Patch(box, matching[box[1] : box[3], box[0] : box[2]].copy())


def feathered(patch: Patch, feather_px: float, size_hw: tuple[int, int]) -> Patch:
    """The patch with a soft border, half of it inside and half outside."""
    if feather_px <= 0:
        return patch
    margin = math.ceil(feather_px * 1.5) + 1
    x0, y0, x1, y1 = patch.box_xyxy
    box = clip_box((x0 - margin, y0 - margin, x1 + margin, y1 + margin), size_hw)
    values = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
    values[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]] = patch.coverage
    return Patch(box, softened(values, feather_px))


def softened(values: np.ndarray, feather_px: float) -> np.ndarray:
    """Blur coverage so that a hard border becomes about ``feather_px`` to either side wide; outside goes on as it is."""
    import cv2

    sigma = feather_px / 2
    fine: np.ndarray = values.astype(np.uint16) * np.uint16(257)
    if sigma <= 8:
        fine = cv2.GaussianBlur(fine, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    else:  # three boxes are as good as a Gauss curve this wide, at a cost that does not grow
        side = 2 * round(math.sqrt(12 * sigma * sigma / 3 + 1) / 2) + 1
        for _ in range(3):
            fine = cv2.blur(fine, (side, side), borderType=cv2.BORDER_REPLICATE)
    return ((fine.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _wound(starts: np.ndarray, ends: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """(H, W) uint8: how much of each pixel the closed lines wind around."""
    height, width = size_hw
    starts, ends = _cut(starts, ends, axis=1, limit=height)
    inside = (np.maximum(starts[:, 1], ends[:, 1]) > 0) & (np.minimum(starts[:, 1], ends[:, 1]) < height)
    starts, ends = _cut(starts[inside], ends[inside], axis=0, limit=width)
    rise = ends[:, 1] - starts[:, 1]
    row = np.floor((starts[:, 1] + ends[:, 1]) / 2).clip(0, height - 1).astype(np.int64)
    middle = (
        starts[:, 0].clip(0, width) + ends[:, 0].clip(0, width)
    ) / 2  # left of the box is as good as its border
    column = np.minimum(np.floor(middle), width - 1).astype(np.int64)
    share = middle - column
    index = row * (width + 1) + column  # one column more, for what a border pixel hands on to the right
    cells, inverse = np.unique(np.concatenate([index, index + 1]), return_inverse=True)
    areas = np.bincount(inverse, np.concatenate([rise * (1 - share), rise * share]), len(cells))
    if not len(cells):
        return np.zeros(size_hw, np.uint8)
    # Each row of a closed line sums to nothing, so one running sum goes through all rows; it only changes in cells.
    shares = np.minimum(np.abs(np.cumsum(areas)), 1)
    values = np.concatenate([[0], shares * 255 + 0.5]).astype(np.uint8)
    runs = np.diff(np.concatenate([[0], cells, [height * (width + 1)]]))
    return np.ascontiguousarray(np.repeat(values, runs).reshape(height, width + 1)[:, :width])


def _cut(starts: np.ndarray, ends: np.ndarray, *, axis: int, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut lines where they cross whole numbers 0 to ``limit`` along an axis; pieces lie between two neighbours."""
    low = np.minimum(starts[:, axis], ends[:, axis])
    high = np.maximum(starts[:, axis], ends[:, axis])
    first = np.clip(np.floor(low) + 1, 0, limit + 1).astype(np.int64)
    last = np.clip(np.ceil(high) - 1, -1, limit).astype(np.int64)
    cuts = np.maximum(last - first + 1, 0)
    line = np.repeat(np.arange(len(starts)), cuts + 1)
    position = np.arange(len(line)) - np.repeat(np.cumsum(cuts + 1) - (cuts + 1), cuts + 1)
    forward = (ends[:, axis] >= starts[:, axis])[line]
    step = (ends - starts)[line]
    run = np.where(step[:, axis] == 0, 1, step[:, axis])
    begin, many = starts[line], cuts[line]

    def place(number: np.ndarray) -> np.ndarray:
        whole = np.where(forward, first[line] + number - 1, last[line] - number + 1)
        share = np.clip((whole - begin[:, axis]) / run, 0, 1)
        points: np.ndarray = begin + share[:, None] * step
        points[:, axis] = whole
        return points

    pieces_start = np.where((position == 0)[:, None], begin, place(position))
    pieces_end = np.where((position == many)[:, None], ends[line], place(position + 1))
    return pieces_start, pieces_end


def _ordered(a: float, b: float) -> tuple[float, float]:
    a, b = (min(max(value, -FAR_PX), FAR_PX) if math.isfinite(value) else 0.0 for value in (a, b))
    return min(a, b), max(a, b)


def _box(x0: float, y0: float, x1: float, y1: float, size_hw: tuple[int, int]) -> Box | None:
    box = clip_box((math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1)), size_hw)
    return None if is_empty(box) else box


def _overlap(low: float, high: float, start: int, stop: int) -> np.ndarray:
    """How much of each pixel start..stop lies between low and high."""
    pixels = np.arange(start, stop, dtype=np.float64)
    shares: np.ndarray = np.clip(np.minimum(pixels + 1, high) - np.maximum(pixels, low), 0, 1)
    return shares.astype(np.float32)


def _patch(box: Box, shares: np.ndarray) -> Patch | None:
    coverage = (shares * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return Patch(box, coverage) if coverage.any() else None
