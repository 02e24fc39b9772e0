"""Tools in the real view, driven by real mouse, pen, wheel and key events."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QTabletEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.canvas.tools.registry import make_tools
from app.canvas.view import CanvasView

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def view(qtbot, bench):
    view = CanvasView()
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.set_document(bench.document)
    bench.context.view = view
    bench.tools = make_tools(bench.context)
    view.set_tool(bench.tools["brush"])
    view.show()
    qtbot.waitExposed(view)
    view.actual_size()
    return view


def at(view, x, y):
    """The view pixel of a canvas point."""
    vx, vy = view.viewport.to_view(x, y)
    return QPoint(round(vx), round(vy))


def drag(view, *points, held=NONE):
    QTest.mousePress(view, LEFT, held, at(view, *points[0]))
    for point in points[1:]:
        QTest.mouseMove(view, at(view, *point))
    QTest.mouseRelease(view, LEFT, held, at(view, *points[-1]))


def pen(view, kind, point, pressure, *, kind_of_tip=QPointingDevice.PointerType.Pen):
    device = QPointingDevice(
        "pen",
        7,
        QInputDevice.DeviceType.Stylus,
        kind_of_tip,
        QInputDevice.Capability.Pressure | QInputDevice.Capability.Position,
        1,
        1,
    )
    place = QPointF(at(view, *point))
    is_down = kind != QEvent.Type.TabletRelease
    event = QTabletEvent(
        kind,
        device,
        place,
        QPointF(view.mapToGlobal(place.toPoint())),
        pressure,
        0,
        0,
        0,
        0,
        0,
        NONE,
        LEFT,
        LEFT if is_down else Qt.MouseButton.NoButton,
    )
    QApplication.sendEvent(view, event)
    device.deleteLater()


def test_a_mouse_paints_where_it_is(view, bench):
    drag(view, (50, 50), (100, 60), (150, 50))
    assert bench.mask[60, 100] == 255
    assert bench.mask[100, 100] == 0
    assert bench.said.count("committed") == 1


def test_painting_lands_under_the_pointer_in_a_turned_and_mirrored_view(view, bench):
    view.rotate_by(37)
    view.mirror()
    view.zoom_to(1.7)
    drag(view, (120, 80), (140, 90))
    assert bench.mask[90, 140] == 255
    ys, xs = np.nonzero(bench.mask)
    assert xs.min() > 105
    assert xs.max() < 155


def test_a_pen_paints_by_its_pressure(view, bench):
    bench.context.set_brush(pressure_size=True)
    pen(view, QEvent.Type.TabletPress, (50, 50), 0.25)
    pen(view, QEvent.Type.TabletMove, (150, 50), 1.0)
    pen(view, QEvent.Type.TabletRelease, (150, 50), 0.0)
    assert (bench.mask[:, 50] > 127).sum() == pytest.approx(5, abs=2)
    assert (bench.mask[:, 150] > 127).sum() == pytest.approx(20, abs=1)
    stroke = bench.document.mask_layer.strokes[0]
    assert stroke.samples[0, 2] == pytest.approx(0.25, abs=0.01)


def test_the_eraser_end_of_a_pen_erases(view, bench):
    drag(view, (50, 50), (150, 50))
    end = QPointingDevice.PointerType.Eraser
    for kind in (QEvent.Type.TabletPress, QEvent.Type.TabletMove, QEvent.Type.TabletRelease):
        pen(view, kind, (100, 50), 1.0, kind_of_tip=end)
    assert bench.mask[50, 100] == 0
    assert bench.mask[50, 60] == 255


def test_esc_takes_a_running_stroke_back(view, bench):
    view.setFocus()
    QTest.mousePress(view, LEFT, NONE, at(view, 50, 50))
    QTest.mouseMove(view, at(view, 120, 80))
    assert bench.mask.any()
    QTest.keyClick(view, Qt.Key.Key_Escape)
    QTest.mouseRelease(view, LEFT, NONE, at(view, 120, 80))
    assert not bench.mask.any()
    assert not bench.document.can_undo


def test_shift_click_draws_straight(view, bench):
    QTest.mouseClick(view, LEFT, NONE, at(view, 40, 40))
    QTest.mouseClick(view, LEFT, Qt.KeyboardModifier.ShiftModifier, at(view, 240, 140))
    assert all(bench.mask[40 + step, 40 + 2 * step] == 255 for step in range(0, 100, 5))


def test_alt_and_the_wheel_change_the_brush(view, bench):
    place = QPointF(at(view, 50, 50))
    event = QWheelEvent(
        place,
        QPointF(view.mapToGlobal(place.toPoint())),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.AltModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)
    assert bench.context.brush().size_px > 20


def test_a_rectangle_is_dragged(view, bench):
    view.set_tool(bench.tools["rectangle"])
    drag(view, (20, 30), (60, 60), (120, 90))
    assert bench.mask.sum() == pytest.approx(255 * 100 * 60, rel=0.03)


def test_a_polygon_is_clicked_and_closed_with_enter(view, bench):
    view.set_tool(bench.tools["polygon"])
    view.setFocus()
    for point in ((50, 50), (150, 50), (150, 150), (50, 150)):
        QTest.mouseClick(view, LEFT, NONE, at(view, *point))
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert bench.mask.sum() == pytest.approx(255 * 10000, rel=0.03)


def test_a_frame_is_dragged_and_seen_with_every_tool(view, bench):
    view.set_tool(bench.tools["frame"])
    drag(view, (60, 50), (100, 90), (160, 130))
    assert bench.context.frame == pytest.approx((60, 50, 160, 130), abs=1)
    view.set_tool(bench.tools["brush"])
    QTest.mouseMove(view, at(view, 250, 180))
    framed = view.grab().toImage()
    bench.context.show_frame(None)
    plain = view.grab().toImage()
    differs = [
        y
        for y in range(framed.height())
        if any(framed.pixel(x, y) != plain.pixel(x, y) for x in range(0, framed.width(), 3))
    ]
    assert differs[-1] - differs[0] >= 80
    view.set_tool(bench.tools["frame"])
    drag(view, (60, 50), (100, 90), (160, 130))
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Backspace)
    assert bench.context.frame is None
    assert not bench.mask.any()


def test_the_hand_moves_the_view_and_nothing_else(view, bench):
    view.zoom_to(4)
    view.set_tool(bench.tools["hand"])
    before = view.viewport.to_view(100, 100)
    start = QPoint(200, 200)
    QTest.mousePress(view, LEFT, NONE, start)
    QTest.mouseMove(view, start + QPoint(30, 20))
    QTest.mouseRelease(view, LEFT, NONE, start + QPoint(30, 20))
    after = view.viewport.to_view(100, 100)
    assert (after[0] - before[0], after[1] - before[1]) == pytest.approx((30, 20), abs=1)
    assert not bench.document.can_undo


def test_the_zoom_tool_enlarges_at_the_pointer(view, bench):
    view.set_tool(bench.tools["zoom"])
    before = view.viewport.scale
    QTest.mouseClick(view, LEFT, NONE, at(view, 100, 100))
    assert view.viewport.scale == pytest.approx(2 * before)


def test_another_tool_brings_its_own_brush(view, bench):
    bench.context.set_brush("mask", "eraser", size_px=77)
    view.set_tool(bench.tools["eraser"])
    assert bench.context.brush().size_px == 77
