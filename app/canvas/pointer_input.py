"""Mouse, pen and fingers of the canvas, sorted into pointer events and movements of the view.

Pen: while a pen is down, and for a moment after, mouse events are its echo and ignored;
    some drivers send the echo first, then the mouse stroke is taken back.
Fingers: one draws, two move the view; neither counts while a pen is near.
Elsewhere: what a pointer event does is the view's, in view.py.
"""

import time
from typing import Protocol

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import (
    QInputDevice,
    QMouseEvent,
    QNativeGestureEvent,
    QTabletEvent,
    QTouchEvent,
    QWheelEvent,
)

from app.canvas.gestures import Pinch, wheel_scale
from app.canvas.pointer import PointerDevice, PointerEvent, PointerKind
from app.canvas.qt_events import from_mouse, from_tablet, from_touch, is_synthesised
from app.canvas.viewport import Viewport

ECHO_S = 0.1  # how long after a pen event a mouse event may be its echo
RESIZE_PER_NOTCH = 1.1


class PointerTarget(Protocol):
    """What pointers act on: the view."""

    viewport: Viewport

    @property
    def stroke_device(self) -> PointerDevice | None: ...  # noqa: D102
    def pointer_pressed(self, event: PointerEvent) -> None: ...  # noqa: D102
    def pointer_moved(self, event: PointerEvent) -> None: ...  # noqa: D102
    def pointer_released(self, event: PointerEvent) -> None: ...  # noqa: D102
    def cancel_gesture(self) -> bool: ...  # noqa: D102
    def resize_brush(self, factor: float) -> None: ...  # noqa: D102
    def pan_by(self, dx: float, dy: float) -> None: ...  # noqa: D102
    def zoom_to(self, scale: float, at_view_xy: tuple[float, float] | None = None) -> None: ...  # noqa: D102
    def zoom_by(self, factor: float, at_view_xy: tuple[float, float] | None = None) -> None: ...  # noqa: D102
    def view_moved_by_hand(self) -> None: ...  # noqa: D102
    def hasFocus(self) -> bool: ...  # noqa: D102, N802
    def setFocus(self, reason: Qt.FocusReason) -> None: ...  # noqa: D102, N802


class PointerInput:
    """Takes Qt's pointer events of one widget, and tells its target what they mean.

    Args:
        target: what is told; the widget hands over every event by `take`.
    """

    def __init__(self, target: PointerTarget) -> None:
        self._target = target
        self._pinch: Pinch | None = None
        self._last_pen_s = -1.0

    def take(self, event: QEvent) -> bool:
        """Handle an event if it is a pointer's; whether it was."""
        if isinstance(event, QTabletEvent):
            self._tablet(event)
        elif isinstance(event, QMouseEvent):
            self._mouse(event)
        elif isinstance(event, QWheelEvent):
            self._wheel(event)
        elif isinstance(event, QTouchEvent):
            self._touch(event)
        elif isinstance(event, QNativeGestureEvent):
            self._native_gesture(event)
        else:
            return False
        return True

    def end_pinch(self) -> bool:
        """Forget that two fingers move the view; whether they did."""
        was_pinching, self._pinch = self._pinch is not None, None
        return was_pinching

    # -- mouse

    def _is_echo(self, event: QMouseEvent) -> bool:
        is_recent = time.monotonic() - self._last_pen_s < ECHO_S
        return self._target.stroke_device in ("pen", "touch") or is_recent or is_synthesised(event)

    def _mouse(self, event: QMouseEvent) -> None:
        """Start, follow or end a gesture; a double click starts one by a second press."""
        target, kind = self._target, event.type()
        event.accept()
        if self._is_echo(event):
            return
        if kind == QEvent.Type.MouseButtonPress:
            target.pointer_pressed(from_mouse(event, "press", target.viewport))
        elif kind == QEvent.Type.MouseButtonDblClick:
            target.pointer_pressed(from_mouse(event, "press", target.viewport, clicks=2))
        elif kind == QEvent.Type.MouseMove:
            moved: PointerKind = "move" if event.buttons() != Qt.MouseButton.NoButton else "hover"
            target.pointer_moved(from_mouse(event, moved, target.viewport))
        elif kind == QEvent.Type.MouseButtonRelease:
            target.pointer_released(from_mouse(event, "release", target.viewport))

    def _wheel(self, event: QWheelEvent) -> None:
        """Zoom at the pointer; with Alt, change the brush size; two fingers on a touch pad pan."""
        event.accept()
        turn = event.angleDelta()
        delta = turn.y() or turn.x()  # Alt makes Qt report a wheel as sideways
        at = (event.position().x(), event.position().y())
        is_pad = event.device() is not None and event.device().type() == QInputDevice.DeviceType.TouchPad
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            if delta:
                self._target.resize_brush(RESIZE_PER_NOTCH ** (delta / 120.0))
        elif is_pad and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            pixels = event.pixelDelta() if not event.pixelDelta().isNull() else turn
            self._target.pan_by(pixels.x(), pixels.y())
        elif delta:
            self._target.zoom_to(wheel_scale(self._target.viewport.scale, delta), at)

    # -- pen

    def _tablet(self, event: QTabletEvent) -> None:
        """A pen presses, moves, hovers or lifts."""
        event.accept()
        if self._target.stroke_device in ("mouse", "touch"):  # the echo came first, or the palm did
            self._target.cancel_gesture()
        self._last_pen_s = time.monotonic()
        if event.type() == QEvent.Type.TabletPress:
            if not self._target.hasFocus():
                self._target.setFocus(Qt.FocusReason.MouseFocusReason)
            self._target.pointer_pressed(from_tablet(event, "press", self._target.viewport))
        elif event.type() == QEvent.Type.TabletRelease:
            self._target.pointer_released(from_tablet(event, "release", self._target.viewport))
        else:
            is_down = event.buttons() != Qt.MouseButton.NoButton
            self._target.pointer_moved(
                from_tablet(event, "move" if is_down else "hover", self._target.viewport)
            )

    # -- fingers

    def _touch(self, event: QTouchEvent) -> None:
        """One finger draws, two move the view; a hand on the glass while the pen draws does nothing."""
        event.accept()
        is_pen_near = self._target.stroke_device == "pen" or time.monotonic() - self._last_pen_s < ECHO_S
        if is_pen_near:
            return
        if event.type() == QEvent.Type.TouchCancel:
            self._target.cancel_gesture()
            return
        if event.type() == QEvent.Type.TouchBegin:
            self._pinch = None  # its end may have come while a pen was near
        points = [point for point in event.points() if point.state() != point.State.Released]
        if len(points) >= 2:
            one, other = ((point.position().x(), point.position().y()) for point in points[:2])
            if self._pinch is None:
                self._target.cancel_gesture()
                self._pinch = Pinch(one, other)
            else:
                self._pinch.to(one, other, self._target.viewport)
                self._target.view_moved_by_hand()
        elif self._pinch is not None:
            if not points:
                self._pinch = None
        elif event.type() == QEvent.Type.TouchBegin and points:
            self._target.pointer_pressed(from_touch(event, points[0], "press", self._target.viewport))
        elif event.type() == QEvent.Type.TouchUpdate and points:
            self._target.pointer_moved(from_touch(event, points[0], "move", self._target.viewport))
        elif event.type() == QEvent.Type.TouchEnd and event.points():
            self._target.pointer_released(
                from_touch(event, event.points()[0], "release", self._target.viewport)
            )

    def _native_gesture(self, event: QNativeGestureEvent) -> None:
        """Pinch and turn as a touch pad reports them."""
        event.accept()
        at = (event.position().x(), event.position().y())
        if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self._target.zoom_by(max(1.0 + event.value(), 0.1), at)
        elif event.gestureType() == Qt.NativeGestureType.RotateNativeGesture:
            self._target.viewport.rotate_by(event.value(), at)
            self._target.view_moved_by_hand()
        elif event.gestureType() == Qt.NativeGestureType.PanNativeGesture:
            self._target.pan_by(event.delta().x(), event.delta().y())
