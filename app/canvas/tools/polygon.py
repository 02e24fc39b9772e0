"""The polygon lasso: corner by corner, closed by a click on the first corner, a double click or Enter."""

import math
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt

from app.canvas.tools.context import ToolContext
from app.canvas.tools.outlines import paint_outline
from app.canvas.tools.select import SelectTool
from app.document import shapes
from app.document.shapes import Point

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from app.canvas.pointer import PointerEvent
    from app.canvas.viewport import Viewport

CLOSING_PX = 8.0  # view pixels around the first corner that close the polygon
TURN = math.pi / 4


class PolygonTool(SelectTool):
    """A corner a click; Shift keeps lines to steps of 45 degrees, Backspace takes the last corner back."""

    id: ClassVar[str] = "polygon"
    name: ClassVar[str] = "Polygon"
    icon: ClassVar[str] = "polygon"
    shortcut: ClassVar[str] = "Shift+L"
    tip: ClassVar[str] = (
        "Click corners; Enter, a double click or the first corner closes, Backspace takes one back"
    )

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self._points: list[Point] = []
        self._first_view_xy: Point = (0.0, 0.0)
        self._pointer: Point | None = None

    @property
    def is_busy(self) -> bool:
        """Whether corners are set."""
        return bool(self._points)

    def press(self, event: "PointerEvent") -> None:
        """Set a corner, or close."""
        if self.context.document is None or event.button not in ("left", "none"):
            return
        if not self._points:
            self.take_mode(event)
            self._points, self._first_view_xy = [event.canvas_xy], event.view_xy
        elif event.clicks == 2 or self._is_at_start(event):
            self.finish()
            return
        else:
            self._points.append(self._snapped(event))
        self._pointer = self._points[-1]
        self.context.overlay_changed()

    def move(self, event: "PointerEvent") -> None:
        """Drag the corner that was just set."""
        if not self._points:
            return
        if len(self._points) > 1:
            corner = self._points.pop()
            self._points.append(self._snapped(event) if event.canvas_xy != corner else corner)
        self._pointer = self._points[-1]
        self.context.overlay_changed()

    def hover(self, event: "PointerEvent") -> None:
        """Show the line to the next corner."""
        if self._points:
            self._pointer = self._snapped(event)
            self.context.overlay_changed()

    def key(self, key: Qt.Key) -> bool:
        """Enter closes, Backspace takes the last corner back."""
        if not self._points:
            return False
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.finish()
            return True
        if key in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            self._points.pop()
            self.context.overlay_changed()
            return True
        return False

    def finish(self) -> None:
        """Close the polygon and select what it holds; fewer than three corners hold nothing."""
        points, document = self._points, self.context.document
        self.cancel()
        if document is not None and len(points) >= 3:
            self.select(shapes.polygon(points, document.size_hw))

    def cancel(self) -> None:
        """Forget all corners."""
        self._points, self._pointer = [], None
        self.context.overlay_changed()

    def paint_overlay(self, painter: "QPainter", viewport: "Viewport") -> None:
        """The corners, and the line to the pointer."""
        if not self._points:
            return
        self._first_view_xy = viewport.to_view(*self._points[0])  # the view may have moved since the click
        if self._pointer is not None:
            paint_outline(painter, viewport, [*self._points, self._pointer], is_closed=False)
        paint_outline(painter, viewport, self._points, is_closed=False, handles=True)

    def _is_at_start(self, event: "PointerEvent") -> bool:
        return len(self._points) >= 3 and math.dist(event.view_xy, self._first_view_xy) <= CLOSING_PX

    def _snapped(self, event: "PointerEvent") -> Point:
        if not event.shift or not self._points:
            return event.canvas_xy
        x, y = self._points[-1]
        dx, dy = event.canvas_xy[0] - x, event.canvas_xy[1] - y
        angle = round(math.atan2(dy, dx) / TURN) * TURN
        reach = dx * math.cos(angle) + dy * math.sin(angle)
        return x + reach * math.cos(angle), y + reach * math.sin(angle)
