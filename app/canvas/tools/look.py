"""Hand and zoom: tools that move the view and leave the document alone."""

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import Qt

from app.canvas.tools.base import Tool
from app.canvas.tools.context import ToolContext

if TYPE_CHECKING:
    from PySide6.QtGui import QCursor

    from app.canvas.pointer import PointerEvent

CLICK_PX = 3.0
CLICK_FACTOR = 2.0
DRAG_PX = 150.0  # view pixels to the right that double the size


class HandTool(Tool):
    """Drags the picture."""

    id: ClassVar[str] = "hand"
    name: ClassVar[str] = "Hand"
    icon: ClassVar[str] = "hand"
    shortcut: ClassVar[str] = "H"
    tip: ClassVar[str] = "Drag to move the picture; with any tool, hold Space"

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self._at: tuple[float, float] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether the picture is held."""
        return self._at is not None

    def press(self, event: "PointerEvent") -> None:
        """Take hold."""
        self._at = event.view_xy

    def move(self, event: "PointerEvent") -> None:
        """Move the picture along."""
        if self._at is None or self.context.view is None:
            return
        (x0, y0), (x1, y1) = self._at, event.view_xy
        self._at = event.view_xy
        self.context.view.pan_by(x1 - x0, y1 - y0)

    def release(self, event: "PointerEvent") -> None:
        """Let go."""
        self.move(event)
        self._at = None

    def cancel(self) -> None:
        """Let go."""
        self._at = None

    def cursor(self) -> "QCursor | Qt.CursorShape":
        """A hand, closed while it holds."""
        return Qt.CursorShape.ClosedHandCursor if self.is_busy else Qt.CursorShape.OpenHandCursor


class ZoomTool(Tool):
    """Click to look closer, Alt+click to see more, drag for any size."""

    id: ClassVar[str] = "zoom"
    name: ClassVar[str] = "Zoom"
    icon: ClassVar[str] = "zoom"
    shortcut: ClassVar[str] = "Z"
    tip: ClassVar[str] = "Click to look closer, Alt+click to see more, drag left and right for any size"

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self._start: tuple[float, float] | None = None
        self._x = 0.0
        self._is_drag = False

    @property
    def is_busy(self) -> bool:
        """Whether the button is down."""
        return self._start is not None

    def press(self, event: "PointerEvent") -> None:
        """Remember the place that stays."""
        self._start, self._x, self._is_drag = event.view_xy, event.view_xy[0], False

    def move(self, event: "PointerEvent") -> None:
        """Zoom by the way to the right."""
        if self._start is None or self.context.view is None:
            return
        x = event.view_xy[0]
        self._is_drag = self._is_drag or abs(x - self._start[0]) > CLICK_PX
        if self._is_drag:
            self.context.view.zoom_by(2 ** ((x - self._x) / DRAG_PX), self._start)
            self._x = x

    def release(self, event: "PointerEvent") -> None:
        """A click zooms one step."""
        self.move(event)
        start, self._start = self._start, None
        if start is not None and not self._is_drag and self.context.view is not None:
            self.context.view.zoom_by(1 / CLICK_FACTOR if event.alt else CLICK_FACTOR, start)

    def cancel(self) -> None:
        """Stop zooming."""
        self._start = None
