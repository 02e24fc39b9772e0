"""Whose a gesture is: the view's (pan, zoom, turn), the wipe line's, the brush size's, or the tool's.

What a press decides holds until the release, whatever keys are let go of meanwhile. Plain
state; the widget feeds it pointer events and repaints what it says has changed.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QCursor

from app.canvas.compare import Compare
from app.canvas.gestures import Drag, DragKind
from app.canvas.pointer import PointerDevice, PointerEvent
from app.canvas.viewport import Viewport

if TYPE_CHECKING:
    from app.canvas.tools.base import BrushOutline, Tool

Changed = Literal["view", "wipe", "nothing"]
"""What a move changed apart from what the tool says itself."""

_DRAG_CURSORS: dict[DragKind, Qt.CursorShape] = {
    "pan": Qt.CursorShape.ClosedHandCursor,
    "zoom": Qt.CursorShape.SizeVerCursor,
    "rotate": Qt.CursorShape.SizeAllCursor,
    "resize": Qt.CursorShape.BlankCursor,
}


class Handling:
    """Where pointer events go.

    Args:
        viewport: moved by drags of the view.
        compare: has the wipe line.
    """

    def __init__(self, viewport: Viewport, compare: Compare) -> None:
        self._viewport = viewport
        self._compare = compare
        self._drag: Drag | None = None
        self._is_wiping = False
        self._shift_press: PointerEvent | None = None
        """A press with Shift that has not moved: a drag will size the brush, a click is the tool's."""
        self.is_shift_sizing: Callable[[], bool] = bool
        """Whether Shift and a drag change the brush size, as hands that know Krita expect; never unless told."""
        self.tool: Tool | None = None
        """What the pointer does where nothing else wants it."""
        self.has_document = False
        """Without one, the tool rests."""
        self.has_space = False
        """Space is held: the next press moves the view."""
        self.stroke_device: PointerDevice | None = None
        """What draws at the moment."""
        self.pointer_xy: tuple[float, float] | None = None
        """Where the brush ring is, in view pixels; None when the pointer is elsewhere."""

    @property
    def is_busy(self) -> bool:
        """Is the tool in the middle of something?"""
        return self.tool is not None and (self.tool.is_busy or self.stroke_device is not None)

    @property
    def is_idle(self) -> bool:
        """Is no button held that means anything?"""
        return self._drag is None and not self._is_wiping and self.stroke_device is None

    def press(self, event: PointerEvent) -> None:
        """Start moving the view, dragging the wipe line, or a gesture of the tool."""
        kind = self._drag_kind(event)
        if kind is not None:
            self._drag = Drag(kind, event.view_xy, event.view_xy)
            self._shift_press = event if kind == "resize" and event.button == "left" else None
        elif event.button == "left" and self._compare.is_on_line(event.view_xy[0], self._viewport):
            self._is_wiping = True
        elif event.button == "left" and self.tool is not None and self.has_document:
            self.stroke_device = event.device
            if event.clicks == 2:
                self.tool.double_press(event)
            else:
                self.tool.press(event)
        self._follow(event)

    def move(self, event: PointerEvent) -> Changed:
        """Go on with what was started, or hover."""
        changed: Changed = "nothing"
        if self._drag is not None:
            changed = self._drag_to(self._drag, event)
        elif self._is_wiping:
            self._compare.drag_to(event.view_xy[0], self._viewport)
            changed = "wipe"
        elif self.tool is not None and self.has_document:
            if self.stroke_device == event.device:
                self.tool.move(event)
            elif self.stroke_device is None and event.kind == "hover":
                self.tool.hover(event)
        self._follow(event)
        return changed

    def release(self, event: PointerEvent) -> bool:
        """End it; whether a gesture of the tool is complete."""
        is_complete = False
        if self._drag is not None:
            self._drag, press = None, self._shift_press
            is_complete = self._click(press, event) if press is not None else False
        elif self._is_wiping:
            self._is_wiping = False
        elif self.stroke_device == event.device and event.button in ("left", "none"):
            self.stroke_device = None
            if self.tool is not None:
                self.tool.release(event)
                is_complete = not self.tool.is_busy
        self._follow(event)
        return is_complete

    def cancel(self) -> tuple[bool, bool]:
        """Take back what is under way.

        Returns:
            Whether there was anything, and whether it was the tool's.
        """
        was_view = self._drag is not None or self._is_wiping
        was_tool = self.is_busy
        self._drag, self._is_wiping, self.stroke_device = None, False, None
        self._shift_press = None
        if was_tool and self.tool is not None:
            self.tool.cancel()
        return was_view or was_tool, was_tool

    def outline(self) -> "BrushOutline | None":
        """The brush ring, when the pointer is the tool's."""
        if self.tool is None or not self.has_document or self.pointer_xy is None or self.has_space:
            return None
        if self._is_wiping or (self._drag is not None and self._drag.kind != "resize"):
            return None
        if self._drag is None and self._is_on_line():
            return None
        return self.tool.outline()

    def cursor(self) -> "QCursor | Qt.CursorShape":
        """What the pointer looks like."""
        if self._drag is not None:
            return _DRAG_CURSORS[self._drag.kind]
        if self.has_space:
            return Qt.CursorShape.OpenHandCursor
        if self._is_wiping or self._is_on_line():
            return Qt.CursorShape.SplitHCursor
        if self.tool is None or not self.has_document:
            return Qt.CursorShape.ArrowCursor
        return self.tool.cursor() if self.tool.outline() is None else Qt.CursorShape.BlankCursor

    def _is_on_line(self) -> bool:
        if self.stroke_device is not None or self.pointer_xy is None:
            return False
        return self._compare.is_on_line(self.pointer_xy[0], self._viewport)

    def _drag_kind(self, event: PointerEvent) -> DragKind | None:
        """What a press does to the view, None if it is the tool's."""
        if event.button == "middle":
            return "pan"
        if event.button == "right" and event.alt:
            return "resize"
        if event.button == "left" and self.has_space:
            return "zoom" if event.ctrl else "rotate" if event.shift else "pan"
        if event.button == "left" and event.shift and not event.ctrl and not event.alt:
            has_brush = self.has_document and self.tool is not None and self.tool.outline() is not None
            return "resize" if has_brush and self.is_shift_sizing() else None
        return None

    def _click(self, press: PointerEvent, release: PointerEvent) -> bool:
        """Hand a click with Shift to the tool, after it turned out to be none of a drag; whether that is complete."""
        self._shift_press = None
        if self.tool is None:
            return False
        self.tool.press(press)
        self.tool.release(release)
        return not self.tool.is_busy

    def _drag_to(self, drag: Drag, event: PointerEvent) -> Changed:
        factor = drag.to(event.view_xy, self._viewport)
        if drag.kind != "resize":
            return "view"
        if factor != 1.0 and self.tool is not None:
            self._shift_press = None
            self.tool.resize_brush(factor)
        return "nothing"

    def _follow(self, event: PointerEvent) -> None:
        """The ring stays where a size drag started."""
        is_resizing = self._drag is not None and self._drag.kind == "resize"
        self.pointer_xy = self._drag.start if is_resizing and self._drag is not None else event.view_xy
