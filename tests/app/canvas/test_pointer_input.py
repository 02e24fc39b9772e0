"""Pens, fingers and their echoes."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QInputDevice,
    QMouseEvent,
    QNativeGestureEvent,
    QPointingDevice,
    QTouchEvent,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.canvas import pointer_input
from tests.app.canvas.fakes import Pen

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Fingers:
    """A touch screen under a widget; events take Qt's own way through the window."""

    def __init__(self, widget) -> None:
        self.widget = widget
        self.device = QTest.createTouchDevice()

    def send(self, **fingers: tuple[int, int]) -> None:
        """Each finger is ``press0``, ``move0``, ``release0``.. and its place."""
        sequence = QTest.touchEvent(self.widget, self.device, False)
        for name, place in fingers.items():
            number = int(name[-1])
            getattr(sequence, name[:-1])(number, QPoint(*place), self.widget)
        sequence.commit()
        QApplication.processEvents()


@pytest.fixture
def pen(view) -> Pen:
    return Pen(view)


def test_pressure_and_tilt_reach_the_tool(pen, tool):
    pen.send("press", 100, 100, 0.25, (20, -35))
    pen.send("move", 120, 100, 0.75, (10, 5))
    pen.send("release", 120, 100, 0.0)
    press, move = tool.said[-3][1], tool.said[-2][1]
    assert tool.kinds[-3:] == ["press", "move", "release"]
    assert (press.pressure, press.tilt_xy, press.device) == (0.25, (20.0, -35.0), "pen")
    assert (move.pressure, move.tilt_xy) == (0.75, (10.0, 5.0))


def test_a_pen_without_pressure_presses_fully(view, tool):
    Pen(view, has_pressure=False).send("press", 100, 100, 0.0)
    assert tool.said[-1][1].pressure == 1.0


def test_the_turned_pen_is_told(view, tool):
    pen = Pen(view, end="Eraser")
    pen.send("press", 100, 100)
    assert tool.said[-1][1].is_eraser_end


def test_a_hovering_pen_hovers(pen, tool):
    pen.send("hover", 100, 100, 0.0)
    assert tool.kinds[-1] == "hover"


def test_mouse_events_during_a_pen_stroke_are_its_echo(view, pen, tool):
    pen.send("press", 100, 100)
    count = len(tool.said)
    QTest.mousePress(view, LEFT, NONE, QPoint(100, 100))
    QTest.mouseMove(view, QPoint(130, 100))
    QTest.mouseRelease(view, LEFT, NONE, QPoint(130, 100))
    assert len(tool.said) == count
    pen.send("release", 130, 100)
    QTest.mousePress(view, LEFT, NONE, QPoint(130, 100))
    assert tool.kinds[-1] == "release", "an echo that comes late"


def test_the_mouse_draws_again_a_moment_later(view, pen, tool, monkeypatch):
    pen.send("press", 100, 100)
    pen.send("release", 130, 100)
    monkeypatch.setattr(pointer_input, "ECHO_S", 0.0)
    QTest.mousePress(view, LEFT, NONE, QPoint(130, 100))
    assert tool.kinds[-1] == "press"
    assert tool.said[-1][1].device == "mouse"


def test_an_echo_that_comes_first_is_taken_back(view, pen, tool):
    QTest.mousePress(view, LEFT, NONE, QPoint(100, 100))
    pen.send("press", 100, 100)
    kinds = [kind for kind in tool.kinds if kind != "hover"]
    assert kinds[-3:] == ["press", "cancel", "press"]
    assert tool.said[-1][1].device == "pen"


def test_mouse_events_made_by_a_touch_screen_are_ignored(view, tool):
    fingers = Fingers(view)
    at = QPointF(100, 100)
    event = QMouseEvent(
        *(QEvent.Type.MouseButtonPress, at, at, at, LEFT, LEFT, NONE),
        fingers.device,
    )
    QApplication.sendEvent(view, event)
    assert "press" not in tool.kinds


def test_space_and_a_pen_pan(view, pen, tool):
    view.zoom_to(3.0)
    held = view.viewport.to_canvas(200, 200)
    QTest.keyPress(view, Qt.Key.Key_Space)
    pen.send("press", 200, 200)
    pen.send("move", 240, 230)
    pen.send("release", 240, 230)
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert view.viewport.to_canvas(240, 230) == pytest.approx(held, abs=0.5)
    assert "press" not in tool.kinds


def test_one_finger_draws(view, tool):
    fingers = Fingers(view)
    fingers.send(press0=(100, 100))
    fingers.send(move0=(120, 110))
    fingers.send(release0=(120, 110))
    assert tool.kinds[-3:] == ["press", "move", "release"]
    assert tool.said[-2][1].device == "touch"
    assert tool.said[-2][1].view_xy == (120.0, 110.0)


def test_a_second_finger_takes_the_stroke_back_and_moves_the_view(view, tool):
    fingers = Fingers(view)
    scale = view.viewport.scale
    fingers.send(press0=(100, 200))
    fingers.send(move0=(100, 200), press1=(300, 200))
    assert tool.kinds[-1] == "cancel"
    held = view.viewport.to_canvas(100, 200), view.viewport.to_canvas(300, 200)
    fingers.send(move0=(60, 220), move1=(360, 220))
    assert view.viewport.scale == pytest.approx(1.5 * scale)
    assert view.viewport.to_canvas(60, 220) == pytest.approx(held[0], abs=1.0)
    assert view.viewport.to_canvas(360, 220) == pytest.approx(held[1], abs=1.0)
    fingers.send(move0=(60, 220), release1=(360, 220))
    fingers.send(move0=(90, 220))
    assert tool.kinds[-1] == "cancel", "the finger that stays does not draw"
    fingers.send(release0=(90, 220))
    fingers.send(press0=(100, 100))
    assert tool.kinds[-1] == "press"


def test_a_hand_on_the_glass_does_nothing_while_the_pen_draws(view, pen, tool):
    pen.send("press", 100, 100)
    count = len(tool.said)
    fingers = Fingers(view)
    fingers.send(press0=(200, 200))
    fingers.send(move0=(200, 200), press1=(300, 200))
    assert len(tool.said) == count


def test_a_touch_that_is_cancelled_leaves_nothing(view, tool):
    fingers = Fingers(view)
    fingers.send(press0=(100, 100))
    QApplication.sendEvent(view, QTouchEvent(QEvent.Type.TouchCancel, fingers.device))
    assert tool.kinds[-1] == "cancel"


def pad() -> QPointingDevice:
    return QPointingDevice(
        "pad",
        11,
        QInputDevice.DeviceType.TouchPad,
        QPointingDevice.PointerType.Finger,
        QInputDevice.Capability.Position | QInputDevice.Capability.PixelScroll,
        2,
        0,
    )


def test_two_fingers_on_a_touch_pad_pan_and_with_ctrl_zoom(view):
    view.zoom_to(3.0)
    device, at = pad(), QPointF(200, 200)
    for held, is_pan in ((NONE, True), (Qt.KeyboardModifier.ControlModifier, False)):
        before, scale = view.viewport.to_canvas(200, 200), view.viewport.scale
        event = QWheelEvent(
            *(at, at, QPoint(30, -20), QPoint(60, -40), Qt.MouseButton.NoButton, held),
            *(Qt.ScrollPhase.ScrollUpdate, False, Qt.MouseEventSource.MouseEventNotSynthesized, device),
        )
        QApplication.sendEvent(view, event)
        if is_pan:
            assert view.viewport.to_canvas(230, 180) == pytest.approx(before, abs=0.5)
            assert view.viewport.scale == scale
        else:
            assert view.viewport.scale < scale


def test_a_finger_draws_after_a_pen_came_near_two_fingers(view, tool, pen, monkeypatch):
    fingers = Fingers(view)
    fingers.send(press0=(100, 100), press1=(200, 100))
    fingers.send(move0=(90, 100), move1=(210, 100))
    pen.send("move", 150, 150, 0.0)
    fingers.send(release0=(90, 100), release1=(210, 100))
    monkeypatch.setattr(pointer_input, "ECHO_S", 0.0)
    fingers.send(press0=(100, 100))
    fingers.send(release0=(100, 100))
    assert tool.kinds[-2:] == ["press", "release"]


def test_pinch_and_turn_of_a_touch_pad(view):
    device, at = pad(), QPointF(200, 200)
    held, scale = view.viewport.to_canvas(200, 200), view.viewport.scale

    def send(kind, value):
        event = QNativeGestureEvent(kind, device, 2, at, at, at, value, QPointF())
        QApplication.sendEvent(view, event)

    send(Qt.NativeGestureType.ZoomNativeGesture, 0.5)
    assert view.viewport.scale == pytest.approx(1.5 * scale)
    assert view.viewport.to_canvas(200, 200) == pytest.approx(held, abs=1.0)
    send(Qt.NativeGestureType.RotateNativeGesture, 30.0)
    assert view.viewport.rotation_deg == pytest.approx(30.0)
