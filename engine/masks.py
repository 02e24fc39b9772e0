"""Draw masks: where a picture is to be invented.

Training, evaluation and the demo need holes of every kind and of known size: brush strokes and blobs as a person
would paint them, rectangles, halves. The share of the picture a mask covers is drawn first and then met to the
pixel, so that a bin of "10 to 20 %" holds nothing else.

Every function draws from the given generator alone: the same generator state and size give the same mask.
Cost: half a millisecond for 256x256 (Pillow draws, numpy counts).
Masks are (H, W) uint8, 255 = hole, 0 = known.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from engine.errors import MaskError

Mask = NDArray[np.uint8]

DEFAULT_RATIO = (0.05, 0.5)
DEFAULT_KINDS = ("irregular", "irregular", "irregular", "irregular", "rectangle", "half")
MASK_KINDS = ("irregular", "rectangle", "half")

_BLOB_CORNERS = 32
_BLOB_ANGLES = np.linspace(0.0, 2.0 * math.pi, _BLOB_CORNERS, endpoint=False)
_BLOB_COS, _BLOB_SIN = np.cos(_BLOB_ANGLES), np.sin(_BLOB_ANGLES)
_BLOB_WAVES = np.array([[2.0], [3.0], [5.0]]) * _BLOB_ANGLES


def irregular_mask(
    rng: np.random.Generator, size_hw: tuple[int, int], ratio: tuple[float, float] = DEFAULT_RATIO
) -> Mask:
    """Cover a share of the picture with random brush strokes and blobs.

    Shapes are added until the share is reached; the last one is cut along a straight line so that the area is met
    to the pixel. Small shares get thinner brushes, so that they too are several strokes.

    Args:
        rng: where the randomness comes from.
        size_hw: height and width in pixels.
        ratio: lowest and highest share of the pixels, 0 <= low <= high <= 1.

    Returns:
        (H, W) uint8, 255 = hole.

    Raises:
        MaskError: if the size or the ratio cannot be met.
    """
    height, width = size_hw
    target = _target_area(rng, size_hw, ratio)
    share = target / (height * width)
    brush_px = max(2.0, min(height, width) * (0.04 + 0.16 * math.sqrt(share)))
    canvas = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(canvas)
    before = np.zeros((height, width), np.uint8)
    while True:
        if rng.random() < 0.6:
            _draw_stroke(rng, pen, size_hw, brush_px)
        else:
            _draw_blob(rng, pen, size_hw, brush_px)
        after = np.asarray(canvas)
        excess = int(np.count_nonzero(after)) - target
        if excess >= 0:
            break
        before = after
        brush_px = min(brush_px * 1.1, float(min(height, width)))
    mask = after.copy()
    if excess > 0:
        _cut(rng, mask, before, excess)
    return mask


def rectangle_mask(
    rng: np.random.Generator, size_hw: tuple[int, int], ratio: tuple[float, float] = DEFAULT_RATIO
) -> Mask:
    """Cover one rectangle, upright, of random place and shape (sides up to 1:3), of a share inside ``ratio``.

    The rectangle may lack part of its last row, so that the share holds even in small pictures.

    Args:
        rng: where the randomness comes from.
        size_hw: height and width in pixels.
        ratio: lowest and highest share of the pixels, 0 <= low <= high <= 1.

    Returns:
        (H, W) uint8, 255 = hole.

    Raises:
        MaskError: if the size or the ratio cannot be met.
    """
    height, width = size_hw
    target = _target_area(rng, size_hw, ratio)
    mask = np.zeros((height, width), np.uint8)
    if target == 0:
        return mask
    side_ratio = 3.0 ** rng.uniform(-1.0, 1.0)
    box_width = round(math.sqrt(target * side_ratio * width / height))
    box_width = min(max(box_width, math.ceil(target / height), 1), width)
    full_rows, rest = divmod(target, box_width)
    rows = full_rows + (rest > 0)
    top = int(rng.integers(0, height - rows + 1))
    left = int(rng.integers(0, width - box_width + 1))
    mask[top : top + full_rows, left : left + box_width] = 255
    if rest:
        mask[top + full_rows, left : left + rest] = 255
    return mask


def half_mask(rng: np.random.Generator, size_hw: tuple[int, int]) -> Mask:
    """Cover one half: left, right, upper or lower. An odd side gives the hole the smaller half.

    Args:
        rng: where the randomness comes from.
        size_hw: height and width in pixels, each at least 2.

    Returns:
        (H, W) uint8, 255 = hole.

    Raises:
        MaskError: if a side is shorter than 2 pixels.
    """
    height, width = size_hw
    if min(size_hw) < 2:
        raise MaskError("size_hw", "sides of at least 2 px", f"{height}x{width}", "a half needs two pixels")
    mask = np.zeros((height, width), np.uint8)
    side = int(rng.integers(0, 4))
    if side == 0:
        mask[:, : width // 2] = 255
    elif side == 1:
        mask[:, width - width // 2 :] = 255
    elif side == 2:
        mask[: height // 2] = 255
    else:
        mask[height - height // 2 :] = 255
    return mask


def random_mask(
    rng: np.random.Generator,
    size_hw: tuple[int, int],
    kinds: Sequence[str] = DEFAULT_KINDS,
    ratio: tuple[float, float] = DEFAULT_RATIO,
) -> Mask:
    """Draw one mask of a kind picked at random.

    Args:
        rng: where the randomness comes from.
        size_hw: height and width in pixels.
        kinds: what to pick from, each a word of ``MASK_KINDS``; a word that stands twice is picked twice as often.
        ratio: share of the pixels for the kinds that have a choice; a half is a half.

    Returns:
        (H, W) uint8, 255 = hole.

    Raises:
        MaskError: if a kind is unknown, there is none, or size and ratio cannot be met.
    """
    unknown = [kind for kind in kinds if kind not in MASK_KINDS]
    if unknown or not kinds:
        raise MaskError(
            "kinds", f"words of {', '.join(MASK_KINDS)}", list(kinds), "name at least one known kind"
        )
    kind = kinds[int(rng.integers(0, len(kinds)))]
    if kind == "irregular":
        return irregular_mask(rng, size_hw, ratio)
    if kind == "rectangle":
        return rectangle_mask(rng, size_hw, ratio)
    return half_mask(rng, size_hw)


def _target_area(rng: np.random.Generator, size_hw: tuple[int, int], ratio: tuple[float, float]) -> int:
    """Pick the number of hole pixels: uniform over the whole numbers that lie inside the ratio."""
    height, width = size_hw
    if height < 1 or width < 1:
        raise MaskError("size_hw", "sides of at least 1 px", f"{height}x{width}", "give height and width")
    low, high = ratio
    if not 0.0 <= low <= high <= 1.0:
        raise MaskError("ratio", "0 <= low <= high <= 1", ratio, "shares of the picture, not per cent")
    fewest, most = math.ceil(low * height * width), math.floor(high * height * width)
    if fewest > most:
        got = f"{low} to {high} of {height}x{width} px"
        raise MaskError("ratio", "a range that holds a whole number of pixels", got, "widen the range")
    return int(rng.integers(fewest, most + 1))


def _draw_stroke(
    rng: np.random.Generator, pen: ImageDraw.ImageDraw, size_hw: tuple[int, int], brush_px: float
) -> None:
    """Draw one stroke: a walk of a few bends with round joints, its width wandering a little."""
    height, width = size_hw
    corners = int(rng.integers(2, 7))
    turns = rng.normal(0.0, 0.7, corners)
    steps = rng.uniform(0.08, 0.35, corners) * min(height, width)
    radius = 0.5 * brush_px * rng.uniform(0.5, 1.3)
    x, y = rng.uniform(0.0, width), rng.uniform(0.0, height)
    angle = rng.uniform(0.0, 2.0 * math.pi)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    for turn, step in zip(turns.tolist(), steps.tolist(), strict=True):
        angle += turn
        to_x, to_y = x + step * math.cos(angle), y + step * math.sin(angle)
        pen.line((x, y, to_x, to_y), fill=255, width=max(1, round(2.0 * radius)))
        pen.ellipse((to_x - radius, to_y - radius, to_x + radius, to_y + radius), fill=255)
        x, y = to_x, to_y


def _draw_blob(
    rng: np.random.Generator, pen: ImageDraw.ImageDraw, size_hw: tuple[int, int], brush_px: float
) -> None:
    """Draw one blob: a circle whose radius swings with three random waves, stretched and turned."""
    height, width = size_hw
    draws = rng.random(10)
    swing = 1.0 + 0.3 * draws[:3] @ np.cos(_BLOB_WAVES + 2.0 * math.pi * draws[3:6, None])
    radius = brush_px * (0.6 + 0.9 * draws[6]) * np.maximum(swing, 0.15)
    stretch, turn = 0.6 + draws[7], 2.0 * math.pi * rng.random()
    across, along = radius * _BLOB_COS * stretch, radius * _BLOB_SIN / stretch
    cosine, sine = math.cos(turn), math.sin(turn)
    points = np.empty((_BLOB_CORNERS, 2))
    points[:, 0] = draws[8] * width + across * cosine - along * sine
    points[:, 1] = draws[9] * height + across * sine + along * cosine
    pen.polygon(points.ravel().tolist(), fill=255)


def _cut(rng: np.random.Generator, mask: Mask, before: Mask, excess: int) -> None:
    """Take ``excess`` pixels off what the last shape added to ``before``, from one side, in place."""
    rows, columns = np.divmod(np.flatnonzero(mask != before), mask.shape[1])
    angle = rng.uniform(0.0, 2.0 * math.pi)
    along = rows * math.sin(angle) + columns * math.cos(angle)
    off = np.argpartition(along, excess - 1)[:excess]
    mask[rows[off], columns[off]] = 0
