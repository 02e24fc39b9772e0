"""The shape a picture is remade in: four corners on the canvas, and the eight handles that change them. No Qt.

A handle scales the whole shape from the opposite side; Shift keeps its ratio. Freely dragged (Ctrl), a corner moves
alone and a side with its two corners. Corners stay on whole pixels, and a drag stops where the shape would be none:
`Dragged` says how far it came and why it went no further.

Elsewhere: what is a shape at all in engine/corners.py; the tool in app/canvas/tools/handles.py.
"""

import math
from dataclasses import dataclass
from typing import Literal, Self, cast, get_args

from app.document.tiles import MAX_SIDE_PX, Box
from engine.corners import (
    AREA_MOST_PX,
    SIDE_LEAST_PX,
    SIDE_MOST_PX,
    Corners,
    Point,
    fault_of,
    is_crossed,
    placed,
)

Handle = Literal["top_left", "top", "top_right", "right", "bottom_right", "bottom", "bottom_left", "left"]
"""Clockwise from the top left."""
HANDLES: tuple[Handle, ...] = get_args(Handle)

RATIOS: tuple[tuple[str, float], ...] = (
    ("1:1", 1.0),
    ("4:3", 4 / 3),
    ("3:2", 3 / 2),
    ("16:9", 16 / 9),
    ("A4", 2**0.5),
)
"""Long side to short side, by the name a person knows."""

HALVINGS = 14
"""Of a drag that goes too far: one pixel of 16384."""


@dataclass(frozen=True)
class Shape:
    """Where the corners of the picture go, on the canvas."""

    corners_xy: Corners
    """Top left, top right, bottom right, bottom left; pixel edges are whole numbers."""

    @classmethod
    def of_box(cls, box: Box) -> Self:
        """A plain rectangle."""
        x0, y0, x1, y1 = (float(side) for side in box)
        return cls(((x0, y0), (x1, y0), (x1, y1), (x0, y1)))

    @property
    def box_xyxy(self) -> Box:
        """The whole pixels around it."""
        xs, ys = zip(*self.corners_xy, strict=True)
        return (round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys)))

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width of what is remade in it."""
        x0, y0, x1, y1 = self.box_xyxy
        return y1 - y0, x1 - x0

    @property
    def is_rectangle(self) -> bool:
        """Whether its sides are those of its box."""
        return self == Shape.of_box(self.box_xyxy)

    @property
    def fault(self) -> str:
        """Why no picture can be remade in it, in the words of an error; empty where one can."""
        return fault_of(self.corners_xy)

    @property
    def placed(self) -> Corners:
        """The corners in a picture that begins at 0, 0."""
        return placed(self.corners_xy)

    def handle_xy(self, handle: Handle) -> Point:
        """Where a handle lies: at a corner, or in the middle of a side."""
        at = HANDLES.index(handle)
        first, second = self.corners_xy[at // 2], self.corners_xy[(at + 1) // 2 % 4]
        return (first[0] + second[0]) / 2, (first[1] + second[1]) / 2

    def resized(self, size_hw: tuple[int, int]) -> "Shape":
        """The same shape at another size, its top left corner where it was."""
        x0, y0, x1, y1 = self.box_xyxy
        factors = (size_hw[1] / max(x1 - x0, 1), size_hw[0] / max(y1 - y0, 1))
        return self._scaled((x0, y0), factors)

    def _scaled(self, anchor: Point, factors: tuple[float, float]) -> "Shape":
        (ax, ay), (fx, fy) = anchor, factors
        return _rounded([(ax + (x - ax) * fx, ay + (y - ay) * fy) for x, y in self.corners_xy])


@dataclass(frozen=True)
class Dragged:
    """What came of a drag."""

    shape: Shape
    reason: str = ""
    """Why the shape does not follow the pointer any further; empty where it does."""
    is_held: bool = True
    """Whether the handle is still in hand; False where it was put back, or went no further."""


def drag(
    start: Shape, handle: Handle, by_xy: Point, *, keeps_ratio: bool = False, is_free: bool = False
) -> Dragged:
    """Pull a handle.

    Args:
        start: the shape when the handle was taken.
        handle: which one.
        by_xy: how far the pointer went since, in canvas px.
        keeps_ratio: scale both sides alike.
        is_free: move the corner alone, or the side with its two corners.
    """

    def at(share: float) -> Shape:
        part = (by_xy[0] * share, by_xy[1] * share)
        return _freed(start, handle, part) if is_free else _pulled(start, handle, part, keeps_ratio)

    wanted = at(1.0)
    if not wanted.fault or start.fault:
        return Dragged(wanted, reason_of(wanted))
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if not at(middle).fault else (low, middle)
    return Dragged(at(low), reason_of(wanted if is_free else at(high)))


def reason_of(shape: Shape) -> str:
    """Why no picture can be remade in a shape, as a person says it; empty where one can."""
    if max(abs(side) for side in shape.box_xyxy) > 4 * MAX_SIDE_PX:
        return "That is too far from the picture"  # no file could say where it lies
    if not shape.fault:
        return ""
    h, w = shape.size_hw
    if max(h, w) > SIDE_MOST_PX:
        return f"{SIDE_MOST_PX} px is the longest side"
    if min(h, w) < SIDE_LEAST_PX:
        return f"{SIDE_LEAST_PX} px is the shortest side"
    if h * w > AREA_MOST_PX:
        return f"{AREA_MOST_PX // 10**6} megapixels is the largest picture"
    if is_crossed(shape.corners_xy):
        return "The sides may not cross"
    return "The corners may not lie on one line or turn inwards"


def with_ratio(shape: Shape, ratio: float, *, is_upright: bool) -> Shape:
    """A rectangle of a ratio with the shape's shorter side, as far as sizes go.

    Args:
        shape: gives its place and its shorter side.
        ratio: long side to short side.
        is_upright: whether it is higher than wide.
    """
    most = min(SIDE_MOST_PX / ratio, math.sqrt(AREA_MOST_PX / ratio) - 1)
    short = min(max(min(shape.size_hw), SIDE_LEAST_PX), int(most))
    long = min(round(short * ratio), SIDE_MOST_PX)
    w, h = (short, long) if is_upright else (long, short)
    x, y, _, _ = shape.box_xyxy
    return Shape.of_box((x, y, x + w, y + h))


def turned(shape: Shape) -> Shape:
    """A rectangle with width and height swapped."""
    h, w = shape.size_hw
    x, y, _, _ = shape.box_xyxy
    return Shape.of_box((x, y, x + h, y + w))


def nearest_valid(size_hw: tuple[int, int]) -> tuple[int, int]:
    """A size brought within what can be remade; one with too many pixels keeps its ratio."""
    share = min(1.0, math.sqrt(AREA_MOST_PX / math.prod(size_hw)))
    h, w = (min(max(int(side * share), SIDE_LEAST_PX), SIDE_MOST_PX) for side in size_hw)
    return h, w


def _pulled(start: Shape, handle: Handle, by_xy: Point, keeps_ratio: bool) -> Shape:
    """Scale from the opposite side, so that the handle stays under the pointer."""
    x0, y0, x1, y1 = start.box_xyxy
    at_x, at_y = start.handle_xy(handle)
    has_x = "left" in handle or "right" in handle
    has_y = "top" in handle or "bottom" in handle
    anchor_x = (x1 if "left" in handle else x0) if has_x else (x0 + x1) / 2
    anchor_y = (y1 if "top" in handle else y0) if has_y else (y0 + y1) / 2
    fx = _factor(at_x - anchor_x, by_xy[0]) if has_x else 1.0
    fy = _factor(at_y - anchor_y, by_xy[1]) if has_y else 1.0
    if keeps_ratio:
        both = max(fx, fy, key=lambda factor: abs(factor - 1)) if has_x and has_y else fx if has_x else fy
        fx = fy = both
    return start._scaled((anchor_x, anchor_y), (fx, fy))


def _freed(start: Shape, handle: Handle, by_xy: Point) -> Shape:
    """Move one corner, or a side with its two."""
    at = HANDLES.index(handle)
    moved = {at // 2, (at + 1) // 2 % 4}
    corners = [
        (x + by_xy[0], y + by_xy[1]) if place in moved else (x, y)
        for place, (x, y) in enumerate(start.corners_xy)
    ]
    return _rounded(corners)


def _factor(reach: float, by: float) -> float:
    return (reach + by) / reach if reach else 1.0


def _rounded(corners: list[Point]) -> Shape:
    return Shape(cast(Corners, tuple((float(round(x)), float(round(y))) for x, y in corners)))
