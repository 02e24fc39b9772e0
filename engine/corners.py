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
SIDE_MOST_PX = 4096
"""Sides of a picture that can be remade, before and after."""
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


def fault_of_size(size_hw: tuple[int, int], name: str = "target_size_hw") -> str:
    """What is wrong with the size of a new frame, in the words of an error; empty where nothing is."""
    h, w = size_hw
    if all(SIDE_LEAST_PX <= side <= SIDE_MOST_PX for side in size_hw):
        return ""
    hint = "make it larger" if min(size_hw) < SIDE_LEAST_PX else "make it smaller"
    return f"{name}: expected sides from {SIDE_LEAST_PX} to {SIDE_MOST_PX} px, got {w}x{h} px; {hint}"


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


def coverage_of(corners_xy: Sequence[Point], size_hw: tuple[int, int]) -> np.ndarray:
    """How much of each pixel of a frame lies inside the corners.

    Args:
        corners_xy: without fault, as they lie in the frame.
        size_hw: of the frame.

    Returns:
        (H, W) float32 in [0, 1]; soft over one pixel along slanting sides, exact along straight ones.
    """
    h, w = size_hw
    x, y = np.arange(w) + 0.5, np.arange(h)[:, None] + 0.5
    inside = np.ones(size_hw)
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
