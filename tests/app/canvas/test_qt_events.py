from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent

from app.canvas.qt_events import from_mouse, is_synthesised, modifiers_of
from app.canvas.viewport import Viewport


def mouse(button=Qt.MouseButton.LeftButton, held=Qt.MouseButton.LeftButton) -> QMouseEvent:
    at = QPointF(30, 40)
    return QMouseEvent(QEvent.Type.MouseMove, at, at, button, held, Qt.KeyboardModifier.ShiftModifier)


def test_modifiers_are_named():
    held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    assert modifiers_of(held | Qt.KeyboardModifier.KeypadModifier) == {"ctrl", "alt"}


def test_a_mouse_event_is_placed_on_the_canvas(qapp):
    viewport = Viewport((100, 100), (200.0, 200.0))
    viewport.zoom_to(2.0)
    event = from_mouse(mouse(), "move", viewport, clicks=2)
    assert event.view_xy == (30.0, 40.0)
    assert event.canvas_xy == (15.0, 20.0)
    assert (event.kind, event.clicks, event.shift) == ("move", 2, True)


def test_the_button_is_the_changed_one_or_else_the_held_one(qapp):
    viewport = Viewport()
    none, right = Qt.MouseButton.NoButton, Qt.MouseButton.RightButton
    assert from_mouse(mouse(right, right), "press", viewport).button == "right"
    assert from_mouse(mouse(none, right), "move", viewport).button == "right"
    assert from_mouse(mouse(none, none), "hover", viewport).button == "none"


def test_an_ordinary_mouse_is_no_echo(qapp):
    assert not is_synthesised(mouse())
