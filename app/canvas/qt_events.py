"""Qt's mouse, pen and touch events told as one ``PointerEvent``."""

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import (
    QEventPoint,
    QInputDevice,
    QMouseEvent,
    QPointingDevice,
    QTabletEvent,
    QTouchEvent,
)

from app.canvas.pointer import Button, Modifier, PointerEvent, PointerKind
from app.canvas.viewport import Viewport

_BUTTONS: dict[Qt.MouseButton, Button] = {
    Qt.MouseButton.LeftButton: "left",
    Qt.MouseButton.RightButton: "right",
    Qt.MouseButton.MiddleButton: "middle",
}
_MODIFIERS: dict[Qt.KeyboardModifier, Modifier] = {
    Qt.KeyboardModifier.ShiftModifier: "shift",
    Qt.KeyboardModifier.ControlModifier: "ctrl",
    Qt.KeyboardModifier.AltModifier: "alt",
}


def modifiers_of(held: Qt.KeyboardModifier) -> frozenset[Modifier]:
    """The modifiers a tool knows."""
    return frozenset(name for flag, name in _MODIFIERS.items() if held & flag)


def is_synthesised(event: QMouseEvent) -> bool:
    """Was the mouse event made from a pen's or a finger's, which the view has already had?"""
    kind = (
        event.pointingDevice().type() if event.pointingDevice() is not None else QInputDevice.DeviceType.Mouse
    )
    touchy = (
        QInputDevice.DeviceType.Stylus,
        QInputDevice.DeviceType.Airbrush,
        QInputDevice.DeviceType.TouchScreen,
    )
    return kind in touchy or event.source() != Qt.MouseEventSource.MouseEventNotSynthesized


def from_mouse(event: QMouseEvent, kind: PointerKind, viewport: Viewport, *, clicks: int = 1) -> PointerEvent:
    """A mouse event."""
    return PointerEvent(
        kind,
        *_places(event.position(), viewport),
        modifiers=modifiers_of(event.modifiers()),
        button=_button(event.button(), event.buttons()),
        time_ms=float(event.timestamp()),
        clicks=clicks,
    )


def from_tablet(event: QTabletEvent, kind: PointerKind, viewport: Viewport) -> PointerEvent:
    """A pen event. A pen whose driver reports no pressure presses fully, as a mouse does."""
    device = event.pointingDevice()
    has_pressure = device is None or device.hasCapability(QInputDevice.Capability.Pressure)
    return PointerEvent(
        kind,
        *_places(event.position(), viewport),
        pressure=min(max(event.pressure(), 0.0), 1.0) if has_pressure else 1.0,
        tilt_xy=(float(event.xTilt()), float(event.yTilt())),
        modifiers=modifiers_of(event.modifiers()),
        button=_button(event.button(), event.buttons()),
        device="pen",
        time_ms=float(event.timestamp()),
        is_eraser_end=event.pointerType() == QPointingDevice.PointerType.Eraser,
    )


def from_touch(event: QTouchEvent, point: QEventPoint, kind: PointerKind, viewport: Viewport) -> PointerEvent:
    """One finger of a touch event."""
    return PointerEvent(
        kind,
        *_places(point.position(), viewport),
        modifiers=modifiers_of(event.modifiers()),
        device="touch",
        time_ms=float(event.timestamp()),
    )


def _places(position: QPointF, viewport: Viewport) -> tuple[tuple[float, float], tuple[float, float]]:
    x, y = position.x(), position.y()
    return viewport.to_canvas(x, y), (x, y)


def _button(changed: Qt.MouseButton, held: Qt.MouseButton) -> Button:
    """The button an event is about: the one that changed, else the first that is held."""
    if changed in _BUTTONS:
        return _BUTTONS[changed]
    return next((name for flag, name in _BUTTONS.items() if held & flag), "none")
