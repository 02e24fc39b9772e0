"""What rectangle and ellipse share: dragged from corner to corner.

Alt or Ctrl when the drag starts chooses the mode (subtract, intersect). During the drag Shift makes it as wide as high,
and Alt, where it did not start the drag, draws it around its middle.
"""

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from app.canvas.tools.context import ToolContext
from app.canvas.tools.outlines import paint_outline
from app.canvas.tools.select import SelectTool
from app.document import shapes
from app.document.shapes import Patch, Point

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from app.canvas.pointer import PointerEvent
    from app.canvas.viewport import Viewport

CLICK_PX = 3.0  # view pixels a click may wander; nearer than this nothing was dragged


class ShapeTool(SelectTool, ABC):
    """Base of the two; a subclass says what lies between two corners."""

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self._start: PointerEvent | None = None
        self._corners: tuple[Point, Point] | None = None

    @abstractmethod
    def patch(self, start: Point, end: Point, size_hw: tuple[int, int]) -> Patch | None:
        """The shape between two corners."""

    @abstractmethod
    def border(self, start: Point, end: Point) -> list[Point]:
        """Points of its outline."""

    @property
    def is_busy(self) -> bool:
        """Whether a drag is under way."""
        return self._start is not None

    def press(self, event: "PointerEvent") -> None:
        """Put the first corner."""
        if self.context.document is None or self.is_busy or event.button not in ("left", "none"):
            return
        self.take_mode(event)
        self._start, self._corners = event, None

    def move(self, event: "PointerEvent") -> None:
        """Move the other corner."""
        if self._start is None:
            return
        is_far = self._corners is not None or math.dist(event.view_xy, self._start.view_xy) >= CLICK_PX
        if is_far or event.view_xy == self._start.view_xy != event.canvas_xy:
            self._corners = self._corners_at(event)
            self.context.overlay_changed()

    def release(self, event: "PointerEvent") -> None:
        """Select what lies between the corners; a click without a drag replaces the mask by nothing."""
        if self._start is None:
            return
        self.move(event)
        corners, document = self._corners, self.context.document
        self._start = self._corners = None
        self.context.overlay_changed()
        if document is not None:
            self.select(self.patch(*corners, document.size_hw) if corners is not None else None)

    def cancel(self) -> None:
        """Forget the drag."""
        self._start = self._corners = None
        self.context.overlay_changed()

    def paint_overlay(self, painter: "QPainter", viewport: "Viewport") -> None:
        """The outline of the shape so far."""
        if self._corners is not None:
            paint_outline(painter, viewport, self.border(*self._corners), is_closed=True)

    def _corners_at(self, event: "PointerEvent") -> tuple[Point, Point]:
        assert self._start is not None, "corners belong to a drag"
        (x0, y0), (x1, y1) = self._start.canvas_xy, event.canvas_xy
        wide, high = x1 - x0, y1 - y0
        if event.shift:
            side = max(abs(wide), abs(high))
            wide, high = math.copysign(side, wide), math.copysign(side, high)
        if event.alt and not self._start.alt:
            return (x0 - wide, y0 - high), (x0 + wide, y0 + high)
        return (x0, y0), (x0 + wide, y0 + high)


class RectangleTool(ShapeTool):
    """A rectangle, to whole pixels."""

    id: ClassVar[str] = "rectangle"
    name: ClassVar[str] = "Rectangle"
    icon: ClassVar[str] = "rectangle"
    shortcut: ClassVar[str] = "M"
    tip: ClassVar[str] = (
        "Alt subtracts, Ctrl intersects; then Shift makes a square, Alt draws around the middle"
    )

    def patch(self, start: Point, end: Point, size_hw: tuple[int, int]) -> Patch | None:
        """The rectangle between two corners, rounded to whole pixels."""
        return shapes.rectangle(_whole(start), _whole(end), size_hw)

    def border(self, start: Point, end: Point) -> list[Point]:
        """Its four corners."""
        (x0, y0), (x1, y1) = _whole(start), _whole(end)
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


class EllipseTool(ShapeTool):
    """An ellipse within a rectangle."""

    id: ClassVar[str] = "ellipse"
    name: ClassVar[str] = "Ellipse"
    icon: ClassVar[str] = "ellipse"
    shortcut: ClassVar[str] = "Shift+M"
    tip: ClassVar[str] = (
        "Alt subtracts, Ctrl intersects; then Shift makes a circle, Alt draws around the middle"
    )

    def patch(self, start: Point, end: Point, size_hw: tuple[int, int]) -> Patch | None:
        """The ellipse that touches the rectangle's sides."""
        return shapes.ellipse(start, end, size_hw)

    def border(self, start: Point, end: Point) -> list[Point]:
        """Points on its line, near enough to look round on a screen."""
        (x0, y0), (x1, y1) = start, end
        a, b = (x1 - x0) / 2, (y1 - y0) / 2
        turns = [math.tau * i / 128 for i in range(128)]
        return [(x0 + a + a * math.cos(turn), y0 + b + b * math.sin(turn)) for turn in turns]


def _whole(point: Point) -> Point:
    return float(round(point[0])), float(round(point[1]))
