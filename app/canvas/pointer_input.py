"""Mouse, pen and fingers of the canvas, sorted into pointer events and movements of the view.

Pen: while a pen is down, and for a moment after, mouse events are its echo and ignored;
    some drivers send the echo first, then the mouse stroke is taken back.
Fingers: one draws, two move the view; neither counts while a pen is near.
Elsewhere: what a pointer event does is the view's, in view.py.
"""

# ruff: noqa: N802 (names that Qt calls)

import time

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import (
    QInputDevice,
    QMouseEvent,
    QNativeGestureEvent,
    QTabletEvent,
    QTouchEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.canvas.gestures import Pinch, wheel_scale
from app.canvas.pointer import PointerDevice, PointerEvent, PointerKind
from app.canvas.qt_events import from_mouse, from_tablet, from_touch, is_synthesised
from app.canvas.viewport import Viewport

ECHO_S = 0.1  # how long after a pen event a mouse event may be its echo
RESIZE_PER_NOTCH = 1.1


class PointerInput(QWidget):
    """A widget that hears Qt's pointers and calls ``pointer_pressed``, ``pointer_moved`` and ``pointer_released``."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewport = Viewport()
        self._pinch: Pinch | None = None
        self._last_pen_s = -1.0
        self.setMouseTracking(True)
        self.setTabletTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)

    # -- what the view does with it

    @property
    def stroke_device(self) -> PointerDevice | None:
        """What draws at the moment."""
        raise NotImplementedError

    def pointer_pressed(self, event: PointerEvent) -> None:
        """A button went down, or the pen or a finger touched."""
        raise NotImplementedError

    def pointer_moved(self, event: PointerEvent) -> None:
        """The pointer moved, pressed or not."""
        raise NotImplementedError

    def pointer_released(self, event: PointerEvent) -> None:
        """The button, pen or finger went up."""
        raise NotImplementedError

    def cancel_gesture(self) -> bool:
        """Take back what the pointer is doing."""
        raise NotImplementedError

    def resize_brush(self, factor: float) -> None:
        """Change the brush size."""
        raise NotImplementedError

    def pan_by(self, dx: float, dy: float) -> None:
        """Push the canvas by logical pixels."""
        raise NotImplementedError

    def zoom_to(self, scale: float, at_view_xy: tuple[float, float] | None = None) -> None:
        """Change the scale round a point of the widget."""
        raise NotImplementedError

    def zoom_by(self, factor: float, at_view_xy: tuple[float, float] | None = None) -> None:
        """Multiply the scale."""
        raise NotImplementedError

    def view_moved_by_hand(self) -> None:
        """The viewport was changed; repaint."""
        raise NotImplementedError

    # -- mouse

    def _is_echo(self, event: QMouseEvent) -> bool:
        is_recent = time.monotonic() - self._last_pen_s < ECHO_S
        return self.stroke_device in ("pen", "touch") or is_recent or is_synthesised(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start a gesture."""
        event.accept()
        if not self._is_echo(event):
            self.pointer_pressed(from_mouse(event, "press", self.viewport))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Start a gesture by a second press."""
        event.accept()
        if not self._is_echo(event):
            self.pointer_pressed(from_mouse(event, "press", self.viewport, clicks=2))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        event.accept()
        if not self._is_echo(event):
            kind: PointerKind = "move" if event.buttons() != Qt.MouseButton.NoButton else "hover"
            self.pointer_moved(from_mouse(event, kind, self.viewport))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a gesture."""
        event.accept()
        if not self._is_echo(event):
            self.pointer_released(from_mouse(event, "release", self.viewport))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer; with Alt, change the brush size; two fingers on a touch pad pan."""
        event.accept()
        turn = event.angleDelta()
        delta = turn.y() or turn.x()  # Alt makes Qt report a wheel as sideways
        at = (event.position().x(), event.position().y())
        is_pad = event.device() is not None and event.device().type() == QInputDevice.DeviceType.TouchPad
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            if delta:
                self.resize_brush(RESIZE_PER_NOTCH ** (delta / 120.0))
        elif is_pad and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            pixels = event.pixelDelta() if not event.pixelDelta().isNull() else turn
            self.pan_by(pixels.x(), pixels.y())
        elif delta:
            self.zoom_to(wheel_scale(self.viewport.scale, delta), at)

    # -- pen

    def tabletEvent(self, event: QTabletEvent) -> None:
        """A pen presses, moves, hovers or lifts."""
        event.accept()
        if self.stroke_device in ("mouse", "touch"):  # the echo came first, or the palm did
            self.cancel_gesture()
        self._last_pen_s = time.monotonic()
        if event.type() == QEvent.Type.TabletPress:
            if not self.hasFocus():
                self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.pointer_pressed(from_tablet(event, "press", self.viewport))
        elif event.type() == QEvent.Type.TabletRelease:
            self.pointer_released(from_tablet(event, "release", self.viewport))
        else:
            is_down = event.buttons() != Qt.MouseButton.NoButton
            self.pointer_moved(from_tablet(event, "move" if is_down else "hover", self.viewport))

    # -- fingers

    def touch(self, event: QTouchEvent) -> None:
        """One finger draws, two move the view; a hand on the glass while the pen draws does nothing."""
        event.accept()
        is_pen_near = self.stroke_device == "pen" or time.monotonic() - self._last_pen_s < ECHO_S
        if is_pen_near:
            return
        if event.type() == QEvent.Type.TouchCancel:
            self.cancel_gesture()
            return
        points = [point for point in event.points() if point.state() != point.State.Released]
        if len(points) >= 2:
            one, other = ((point.position().x(), point.position().y()) for point in points[:2])
            if self._pinch is None:
                self.cancel_gesture()
                self._pinch = Pinch(one, other)
            else:
                self._pinch.to(one, other, self.viewport)
                self.view_moved_by_hand()
        elif self._pinch is not None:
            if not points:
                self._pinch = None
        elif event.type() == QEvent.Type.TouchBegin and points:
            self.pointer_pressed(from_touch(event, points[0], "press", self.viewport))
        elif event.type() == QEvent.Type.TouchUpdate and points:
            self.pointer_moved(from_touch(event, points[0], "move", self.viewport))
        elif event.type() == QEvent.Type.TouchEnd and event.points():
            self.pointer_released(from_touch(event, event.points()[0], "release", self.viewport))

    def native_gesture(self, event: QNativeGestureEvent) -> None:
        """Pinch and turn as a touch pad reports them."""
        event.accept()
        at = (event.position().x(), event.position().y())
        if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_by(max(1.0 + event.value(), 0.1), at)
        elif event.gestureType() == Qt.NativeGestureType.RotateNativeGesture:
            self.viewport.rotate_by(event.value(), at)
            self.view_moved_by_hand()
        elif event.gestureType() == Qt.NativeGestureType.PanNativeGesture:
            self.pan_by(event.delta().x(), event.delta().y())
