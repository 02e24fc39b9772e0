"""The lasso: selects what a line drawn by hand goes round."""

import math
from typing import TYPE_CHECKING, ClassVar

from app.canvas.tools.context import ToolContext
from app.canvas.tools.outlines import paint_outline
from app.canvas.tools.select import SelectTool
from app.document import shapes
from app.document.shapes import Point

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from app.canvas.pointer import PointerEvent
    from app.canvas.viewport import Viewport

NEAREST_PX = 0.25  # points nearer than this add nothing but work


class LassoTool(SelectTool):
    """Freehand; with Shift the line goes straight to the pointer."""

    id: ClassVar[str] = "lasso"
    name: ClassVar[str] = "Lasso"
    icon: ClassVar[str] = "lasso"
    shortcut: ClassVar[str] = "L"
    tip: ClassVar[str] = "Draw round what to select; Alt subtracts, Ctrl intersects, Shift draws straight"

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self._points: list[Point] = []
        self._straight_to: Point | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a line is under way."""
        return bool(self._points)

    def press(self, event: "PointerEvent") -> None:
        """Start the line."""
        if self.context.document is None or self.is_busy or event.button not in ("left", "none"):
            return
        self.take_mode(event)
        self._points, self._straight_to = [event.canvas_xy], None

    def move(self, event: "PointerEvent") -> None:
        """Go on with the line."""
        if not self._points:
            return
        if event.shift:
            self._straight_to = event.canvas_xy
        else:
            if self._straight_to is not None:
                self._points.append(self._straight_to)
                self._straight_to = None
            if math.dist(event.canvas_xy, self._points[-1]) >= NEAREST_PX:
                self._points.append(event.canvas_xy)
        self.context.overlay_changed()

    def release(self, event: "PointerEvent") -> None:
        """Close the line and select what it holds."""
        if not self._points:
            return
        self.move(event)
        points = self._line()
        self._points, self._straight_to = [], None
        self.context.overlay_changed()
        document = self.context.document
        if document is not None:
            self.select(shapes.polygon(points, document.size_hw))

    def cancel(self) -> None:
        """Forget the line."""
        self._points, self._straight_to = [], None
        self.context.overlay_changed()

    def paint_overlay(self, painter: "QPainter", viewport: "Viewport") -> None:
        """The line so far."""
        paint_outline(painter, viewport, self._line(), is_closed=False)

    def _line(self) -> list[Point]:
        return self._points + ([self._straight_to] if self._straight_to is not None else [])
