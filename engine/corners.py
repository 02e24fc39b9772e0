"""Four corners as somebody drags them: which are a shape, and how large the picture is that holds it.

Corners are those of the picture in the new frame: top left, top right, bottom right, bottom left, as (x, y) in px.
Pixel edges are whole numbers, so a plain picture of W x H px has (0, 0), (W, 0), (W, H), (0, H). Only where they lie
to each other counts: the new frame is their bounding box.

The window asks while a corner is dragged, edits when they are made, so this is plain arithmetic.
"""

import math
from collections.abc import Sequence

import numpy as np

SIDE_LEAST_PX = 32
SIDE_MOST_PX = 12_000
"""Sides of a picture that can be remade, before and after."""
AREA_MOST_PX = 120_000_000
"""Its pixels, before and after: cameras of 100 megapixels give 102."""
OFFICIAL_MULTIPLE = 8
"""The published routine cuts pictures and results to multiples of this, in px; it takes pictures from one on."""
OFFICIAL_RESULT_LEAST_PX = 16
"""The shortest side of its results: below, nothing is left to be reflected after three halvings."""
CORNER_LEAST_PX = 4.0
"""How far each corner stands from the line through its neighbours, at least: flatter is no corner."""
MARGIN_PX = 16
"""Of a learned frame, on each side, that is made and cut off."""
FARTHEST_PX = 1e9
"""Of a corner from 0: beyond, a pixel is lost in rounding, and squares of numbers grow out of bounds."""

Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]


def fault_of(corners_xy: Sequence[Point]) -> str:
    """What is wrong with four corners, in the words of an error; empty where nothing is.

    Args:
        corners_xy: top left, top right, bottom right, bottom left, in px.
    """
    shown = " ".join(f"{x:g},{y:g}" for x, y in corners_xy)
    if len(corners_xy) != 4:
        hint = "give top left, top right, bottom right, bottom left"
        return f"corners_xy: expected four corners, got {len(corners_xy)}; {hint}"
    if not all(math.isfinite(value) for corner in corners_xy for value in corner):
        return f"corners_xy: expected finite numbers, got {shown}; give pixels"
    if any(abs(value) > FARTHEST_PX for corner in corners_xy for value in corner):
        return f"corners_xy: expected numbers up to {FARTHEST_PX:g}, got {shown}; give pixels"
    heights = [_height(corners_xy, place) for place in range(4)]
    if any(abs(height) < CORNER_LEAST_PX for height in heights):
        hint = "a corner lies on its neighbours or on the line between them, pull it away"
        return f"corners_xy: expected four corners {CORNER_LEAST_PX:g} px or more apart, got {shown}; {hint}"
    inward = sum(height < 0 for height in heights)
    if inward == 4:
        hint = "give top left, top right, bottom right, bottom left in this order"
        return f"corners_xy: expected corners clockwise from the top left, got {shown}; {hint}"
    if inward == 2:
        hint = "swap two neighbours"
        return f"corners_xy: expected sides that do not cross, got {shown}; {hint}"
    if inward:
        hint = "pull the inner corner outwards"
        return f"corners_xy: expected a shape without a dent, got {shown}; {hint}"
    return fault_of_size(frame_hw(corners_xy), "corners_xy")


def is_crossed(corners_xy: Sequence[Point]) -> bool:
    """Whether the sides of four corners cross, or go round the wrong way; False where a corner is flat."""
    heights = [_height(corners_xy, place) for place in range(4)]
    is_flat = any(abs(height) < CORNER_LEAST_PX for height in heights)
    return not is_flat and sum(height < 0 for height in heights) in (2, 4)


def fault_of_size(
    size_hw: tuple[int, int], name: str = "target_size_hw", *, least_px: int = SIDE_LEAST_PX
) -> str:
    """What is wrong with the size of a picture or of a new frame, in the words of an error; empty where nothing is.

    Args:
        size_hw: in px.
        name: of what has the size.
        least_px: shortest side.
    """
    h, w = size_hw
    if not all(least_px <= side <= SIDE_MOST_PX for side in size_hw):
        hint = "make it larger" if min(size_hw) < least_px else "make it smaller"
        return f"{name}: expected sides from {least_px} to {SIDE_MOST_PX} px, got {w}x{h} px; {hint}"
    if h * w > AREA_MOST_PX:
        most, got = AREA_MOST_PX // 10**6, f"{w}x{h} px ({h * w / 1e6:.0f} megapixels)"
        return f"{name}: expected at most {most} megapixels, got {got}; make it smaller"
    return ""


def frame_hw(corners_xy: Sequence[Point]) -> tuple[int, int]:
    """Height and width of the new frame in px: the corners' bounding box, rounded up."""
    xs, ys = zip(*corners_xy, strict=True)
    # A corner computed as 255.99999999 + 1e-9 must not ask for another column.
    return math.ceil(max(ys) - min(ys) - 1e-6), math.ceil(max(xs) - min(xs) - 1e-6)


def placed(corners_xy: Sequence[Point]) -> Corners:
    """The corners in the new frame: moved so that their bounding box begins at 0, 0."""
    left, top = min(x for x, _ in corners_xy), min(y for _, y in corners_xy)
    first, second, third, fourth = ((x - left, y - top) for x, y in corners_xy)
    return first, second, third, fourth


def coverage_of(corners_xy: Sequence[Point], rows: range, width: int) -> np.ndarray:
    """How much of each pixel of a frame lies inside the corners.

    Args:
        corners_xy: without fault, as they lie in the frame.
        rows: of the frame that are asked for.
        width: of the frame.

    Returns:
        (R, W) float32 in [0, 1]; soft over one pixel along slanting sides, exact along straight ones.
    """
    x, y = np.arange(width) + 0.5, np.array(rows)[:, None] + 0.5
    inside = np.ones((len(rows), width))
    for place in range(4):
        (ax, ay), (bx, by) = corners_xy[place], corners_xy[(place + 1) % 4]
        distance = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / math.hypot(bx - ax, by - ay)
        inside = np.minimum(inside, np.clip(distance + 0.5, 0, 1))
    return inside.astype(np.float32)


def with_margin(
    size_hw: tuple[int, int], corners: Corners | None, multiple: int
) -> tuple[tuple[int, int], Corners]:
    """The frame a learned network is asked for, and where the picture's corners lie in it.

    At the very edge of a frame a network knows least what to paint. So a larger one is asked for, with mirrored copies
    around the picture; what is wanted begins `MARGIN_PX` from its top and left.

    Args:
        size_hw: of what is wanted, in px.
        corners: in px of it; None = those of the whole.
        multiple: both sides of a frame are multiples of this.
    """
    bottom, right = (float(side) for side in size_hw)
    first, second, third, fourth = (
        (x + MARGIN_PX, y + MARGIN_PX)
        for x, y in corners or ((0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom))
    )
    h, w = (-(-(side + 2 * MARGIN_PX) // multiple) * multiple for side in size_hw)
    return (h, w), (first, second, third, fourth)


def _height(corners_xy: Sequence[Point], place: int) -> float:
    """How far a corner stands from the line through its neighbours; below 0 where it is turned inside out."""
    (ax, ay), (bx, by), (cx, cy) = (corners_xy[(place + step) % 4] for step in (-1, 0, 1))
    across = math.hypot(cx - ax, cy - ay)
    return ((bx - ax) * (cy - by) - (by - ay) * (cx - bx)) / across if across else 0.0
