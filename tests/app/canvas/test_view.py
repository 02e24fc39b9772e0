"""The canvas driven by real Qt events, with the real tools where pixels are looked at."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QFocusEvent,
    QPalette,
    QWheelEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from app.canvas.overlays import MaskLook
from app.canvas.tools.brush import BrushTool
from app.canvas.tools.context import ToolContext
from app.canvas.tools.registry import make_tools
from tests.app.canvas.fakes import (
    Pen,
    RecordingTool,
    document_of,
    hover,
    is_same,
    photo,
    result_of,
    seen,
    write,
)

LEFT, MIDDLE, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton
NONE = Qt.KeyboardModifier.NoModifier
SHIFT, CTRL, ALT = (
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)


def drag(view, start, end, button=LEFT, held=NONE):
    """A real mouse drag in three steps."""
    QTest.mousePress(view, button, held, QPoint(*start))
    for share in (0.5, 1.0):
        at = QPointF(*(a + (b - a) * share for a, b in zip(start, end, strict=True)))
        send_move(view, at, button, held)
    QTest.mouseRelease(view, button, held, QPoint(*end))


def send_move(view, at, button=LEFT, held=NONE):
    """QTest moves no mouse with a button held; the event is the same."""
    from PySide6.QtGui import QMouseEvent

    event = QMouseEvent(
        QEvent.Type.MouseMove, at, view.mapToGlobal(at), Qt.MouseButton.NoButton, button, held
    )
    QApplication.sendEvent(view, event)


def wheel(view, at, notches, held=NONE, is_sideways=False):
    turn = QPoint(round(notches * 120), 0) if is_sideways else QPoint(0, round(notches * 120))
    position = QPointF(*at)
    event = QWheelEvent(
        *(position, QPointF(view.mapToGlobal(position.toPoint())), QPoint(), turn),
        *(Qt.MouseButton.NoButton, held, Qt.ScrollPhase.NoScrollPhase, False),
    )
    QApplication.sendEvent(view, event)
    return event


# -- tools


def test_a_mouse_drag_is_press_moves_and_release(view, tool):
    drag(view, (100, 120), (140, 160))
    said = [(kind, event) for kind, event in tool.said if kind in ("press", "move", "release")]
    assert [kind for kind, _ in said] == ["press", "move", "move", "release"]
    event = said[2][1]
    assert event.view_xy == (140.0, 160.0)
    assert event.canvas_xy == pytest.approx(view.viewport.to_canvas(140, 160))
    assert (event.device, event.pressure, event.button) == ("mouse", 1.0, "left")


def test_hovering_is_told_and_the_cursor_is_reported(view, tool, qtbot):
    with qtbot.waitSignal(view.cursor_moved) as caught:
        hover(view, 77, 88)
    assert tool.kinds[-1] == "hover"
    assert tuple(caught.args) == pytest.approx(view.viewport.to_canvas(77, 88))


def test_modifiers_reach_the_tool(view, tool):
    QTest.mousePress(view, LEFT, SHIFT | ALT, QPoint(100, 100))
    assert tool.said[-1][1].modifiers == {"shift", "alt"}
    QTest.mouseRelease(view, LEFT, NONE, QPoint(100, 100))


def test_the_right_button_is_not_the_tools(view, tool):
    drag(view, (100, 100), (120, 100), RIGHT)
    assert "press" not in tool.kinds


def test_a_double_click_is_told_apart(view, tool):
    QTest.mouseDClick(view, LEFT, NONE, QPoint(100, 100))
    assert "double" in tool.kinds
    assert tool.said[tool.kinds.index("double")][1].clicks == 2


def test_the_end_of_a_gesture_is_signalled(view, qtbot):
    with qtbot.waitSignal(view.tool_finished):
        drag(view, (100, 100), (110, 110))


def test_another_tool_ends_the_first_ones_gesture(view, tool, document):
    QTest.mousePress(view, LEFT, NONE, QPoint(100, 100))
    view.set_tool(RecordingTool(ToolContext(lambda: document)))
    assert tool.kinds[-1] == "finish"
    send_move(view, QPointF(120, 120))
    assert tool.kinds[-1] == "finish"


def test_without_a_document_the_tool_rests(view, tool):
    view.set_document(None)
    drag(view, (100, 100), (110, 110))
    assert "press" not in tool.kinds
    assert (seen(view) == seen(view)[0, 0]).all()


def test_escape_takes_the_stroke_back_and_goes_on_when_there_is_none(view, tool):
    QTest.mousePress(view, LEFT, NONE, QPoint(100, 100))
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert tool.kinds[-1] == "cancel"
    send_move(view, QPointF(130, 130))
    QTest.mouseRelease(view, LEFT, NONE, QPoint(130, 130))
    assert tool.kinds[-1] == "cancel", "the rest of the drag is nobody's"

    heard = []

    class Window(QWidget):
        def keyPressEvent(self, event):  # noqa: N802
            heard.append(event.key())

    window = Window()
    view.setParent(window)
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert heard == [Qt.Key.Key_Escape]
    view.setParent(None)


def test_other_keys_are_offered_to_the_tool(view, tool):
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert tool.keys == [Qt.Key.Key_Return]


# -- pixels


def test_a_stroke_of_the_real_brush_is_seen(make_view, document):
    context = ToolContext(lambda: document)
    context.set_brush("mask", "brush", size_px=60, hardness=1.0, pressure_size=False)
    view = make_view(document, BrushTool(context))
    before = seen(view)
    drag(view, (150, 200), (350, 200))
    after = seen(view)
    coverage = document.mask_layer.planes["coverage"]
    x, y = (round(side) for side in view.viewport.to_canvas(250, 200))
    assert coverage[y, x] == 255
    changed = (before != after).any(axis=2)
    assert changed[195:205, 200:300].mean() > 0.95
    assert not changed[:150].any()
    document.undo()
    hover(view, 5, 5)
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    assert is_same(seen(view), before)


def test_only_what_changed_is_painted(make_view, document, monkeypatch):
    view = make_view(document)
    seen(view)
    boxes = []
    paint = view.scene.paint
    monkeypatch.setattr(
        view.scene, "paint", lambda image, box, viewport: (boxes.append(box), paint(image, box, viewport))
    )
    write(document, "coverage", (100, 100, 110, 110))
    QApplication.processEvents()
    assert boxes
    assert sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes) < 60 * 60


def test_the_pointer_paints_nothing_of_the_scene_anew(view, tool, monkeypatch):
    tool.diameter_px = 50.0
    seen(view)
    boxes = []
    monkeypatch.setattr(view.scene, "paint", lambda *args: boxes.append(args))
    for x in range(100, 200, 10):
        hover(view, x, 150)
        QApplication.processEvents()
    assert boxes == []


def test_the_ring_follows_the_pointer_and_leaves_no_trace(view, tool):
    clean = seen(view)
    tool.diameter_px = 40.0
    hover(view, 200, 200)
    ringed = seen(view)
    radius = 20 * view.viewport.view_scale
    assert (ringed != clean).any()
    rows, columns = np.nonzero((ringed != clean).any(axis=2))
    assert columns.max() - columns.min() == pytest.approx(2 * radius, abs=6)
    hover(view, 100, 120)
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    assert is_same(seen(view), clean)


def test_a_brush_hides_the_cursor_and_other_tools_show_one(view, tool):
    tool.diameter_px = 40.0
    hover(view, 200, 200)
    assert view.cursor().shape() == Qt.CursorShape.BlankCursor
    tool.diameter_px = None
    hover(view, 201, 200)
    assert view.cursor().shape() == Qt.CursorShape.CrossCursor


def test_undo_and_results_are_followed(view, document):
    clean = seen(view)
    document.add_result(result_of(document, (100, 80, 200, 160), 0))
    filled = seen(view)
    x, y = (round(side) for side in view.viewport.to_view(150, 120))
    assert (filled[y, x] == 0).all()
    document.undo()
    assert is_same(seen(view), clean)
    document.redo()
    assert is_same(seen(view), filled)


def test_layers_that_come_and_go_are_followed(view, document):
    from app.document.layers import Layer

    clean = seen(view)
    with document.begin("add") as transaction:
        transaction.add_layer(Layer("picture", "Top", {"pixels": np.zeros((300, 400, 3), np.uint8)}), 1)
    assert seen(view)[200, 250].max() == 0
    document.undo()
    assert is_same(seen(view), clean)


def test_another_document_is_not_followed_any_more(view, document):
    other = document_of(np.full((50, 50, 3), 9, np.uint8))
    view.set_document(other)
    shown = seen(view)
    write(document, "coverage", (0, 0, 50, 50))
    assert is_same(seen(view), shown)
    assert (shown[200, 250] == 9).all()


def test_a_preview_comes_and_goes(view):
    clean = seen(view)
    view.set_preview((100, 80, 200, 160), np.zeros((8, 8, 3), np.uint8))
    assert not is_same(seen(view), clean)
    view.set_preview(None, None)
    assert is_same(seen(view), clean)


def test_the_mask_look_is_set(view, document):
    write(document, "coverage", (100, 80, 200, 160))
    orange = seen(view)
    view.set_mask_look(MaskLook("blue", "dots"))
    assert view.mask_look == MaskLook("blue", "dots")
    assert not is_same(seen(view), orange)


def test_edges_can_be_hidden(view, document):
    clean = seen(view)
    write(document, "drawn", (100, 80, 300, 82))
    assert not is_same(seen(view), clean)
    view.set_edges_visible(False)
    assert is_same(seen(view), clean)


def test_a_huge_canvas_works(make_view):
    pixels = np.broadcast_to(np.uint8(90), (16384, 16384, 3))
    view = make_view(document_of(pixels))
    assert (seen(view)[200, 250] == 90).all()
    view.actual_size()
    view.pan_by(-1e7, -1e7)
    assert view.viewport.to_canvas(0, 0)[0] > 16000
    assert (seen(view)[10, 10] == 90).all()


# -- moving the view


def test_space_drag_pans(view, tool):
    view.zoom_to(3.0)
    held = view.viewport.to_canvas(200, 200)
    QTest.keyPress(view, Qt.Key.Key_Space)
    assert view.cursor().shape() == Qt.CursorShape.OpenHandCursor
    drag(view, (200, 200), (260, 170))
    QTest.keyRelease(view, Qt.Key.Key_Space)
    assert view.viewport.to_canvas(260, 170) == pytest.approx(held, abs=0.5)
    assert "press" not in tool.kinds
    drag(view, (200, 200), (210, 200))
    assert "press" in tool.kinds, "let go, the pointer is the tool's again"


def test_middle_drag_pans(view, tool):
    view.zoom_to(3.0)
    held = view.viewport.to_canvas(200, 200)
    drag(view, (200, 200), (150, 260), MIDDLE)
    assert view.viewport.to_canvas(150, 260) == pytest.approx(held, abs=0.5)
    assert "press" not in tool.kinds


def test_ctrl_space_drag_zooms_and_shift_space_drag_turns(view):
    scale = view.viewport.scale
    QTest.keyPress(view, Qt.Key.Key_Space)
    drag(view, (200, 200), (287, 200), held=CTRL)
    assert view.viewport.scale == pytest.approx(2 * scale, rel=0.02)
    drag(view, (450, 200), (250, 390), held=SHIFT)
    assert view.viewport.rotation_deg == pytest.approx(90, abs=1)
    QTest.keyRelease(view, Qt.Key.Key_Space)


def test_the_wheel_zooms_at_the_pointer(view, qtbot):
    held = view.viewport.to_canvas(123, 234)
    scale = view.viewport.scale
    with qtbot.waitSignal(view.zoom_changed) as caught:
        wheel(view, (123, 234), 2)
    assert caught.args[0] == pytest.approx(view.viewport.scale)
    assert view.viewport.scale > scale
    assert view.viewport.to_canvas(123, 234) == pytest.approx(held, abs=1.0)


@pytest.mark.parametrize("is_sideways", [False, True])
def test_alt_wheel_sizes_the_brush(view, tool, is_sideways):
    before = view.viewport.matrix
    wheel(view, (100, 100), 1, ALT, is_sideways)
    wheel(view, (100, 100), -1, ALT, is_sideways)
    assert tool.factors == pytest.approx([1.1, 1 / 1.1])
    assert view.viewport.matrix == before


def test_alt_right_drag_sizes_the_brush_where_it_started(view, tool):
    tool.diameter_px = 30.0
    drag(view, (200, 200), (240, 200), RIGHT, ALT)
    assert np.prod(tool.factors) == pytest.approx(np.exp(40 * 0.008))
    assert "press" not in tool.kinds


@pytest.mark.parametrize("turn", ["none", "rotate", "mirror"])
def test_panning_moves_what_is_painted(view, document, turn):
    """A moved image must equal one that is painted anew."""
    write(document, "coverage", (100, 80, 300, 160))
    if turn == "rotate":
        view.rotate_by(90)
    elif turn == "mirror":
        view.mirror()
    view.zoom_to(2.5)
    seen(view)
    view.pan_by(37, -21)
    view.pan_by(-11, 5)
    moved = seen(view)
    view.resize(501, 400)
    view.resize(500, 400)
    assert is_same(seen(view), moved)


def test_fit_follows_the_window_until_somebody_zooms(view):
    scale = view.viewport.scale
    view.resize(800, 700)
    assert view.viewport.scale > scale
    view.zoom_to(0.5)
    view.resize(500, 400)
    assert view.viewport.scale == 0.5
    view.fit()
    assert view.viewport.scale == pytest.approx(scale)


def test_turning_mirroring_and_back(view):
    clean = seen(view)
    view.rotate_by(90)
    turned = seen(view)
    assert not is_same(turned, clean)
    view.mirror()
    view.reset_rotation()
    assert is_same(seen(view), clean)


def test_the_hand_and_zoom_tools_move_the_view(make_view, document):
    context = ToolContext(lambda: document)
    tools = make_tools(context)
    view = make_view(document, tools["hand"])
    context.view = view
    view.zoom_to(3.0)
    held = view.viewport.to_canvas(200, 200)
    drag(view, (200, 200), (230, 220))
    assert view.viewport.to_canvas(230, 220) == pytest.approx(held, abs=0.5)
    view.set_tool(tools["zoom"])
    scale = view.viewport.scale
    drag(view, (200, 200), (200, 200))
    assert view.viewport.scale > scale


def test_100_percent(view):
    view.actual_size()
    assert view.viewport.scale == 1.0
    view.zoom_step(1)
    assert view.viewport.scale == 1.5
    view.zoom_by(2.0)
    assert view.viewport.scale == 3.0


# -- comparing, focus


def test_holding_tab_compares_and_does_not_move_the_focus(view, document):
    clean = seen(view)
    document.add_result(result_of(document, (100, 80, 200, 160), 0))
    filled = seen(view)
    QTest.keyPress(view, Qt.Key.Key_Tab)
    assert is_same(seen(view), clean)
    QTest.keyRelease(view, Qt.Key.Key_Tab)
    assert is_same(seen(view), filled)


def test_tab_elsewhere_moves_the_focus_and_f6_moves_on(view, qtbot):
    window = QWidget()
    layout = QVBoxLayout(window)
    first, last = QLineEdit(), QLineEdit()
    for widget in (first, view, last):
        layout.addWidget(widget)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Tab)
    assert view.hasFocus()
    QTest.keyClick(view, Qt.Key.Key_Tab)
    assert view.hasFocus()
    QTest.keyClick(view, Qt.Key.Key_F6)
    assert last.hasFocus()
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_F6, SHIFT)
    assert first.hasFocus()
    view.setParent(None)


def test_losing_the_focus_lets_go_of_held_keys(view, document):
    document.add_result(result_of(document, (100, 80, 200, 160), 0))
    filled = seen(view)
    QTest.keyPress(view, Qt.Key.Key_Tab)
    QTest.keyPress(view, Qt.Key.Key_Space)
    QApplication.sendEvent(view, QFocusEvent(QEvent.Type.FocusOut))
    assert is_same(seen(view), filled)
    held = view.viewport.matrix
    drag(view, (200, 200), (260, 170))
    assert view.viewport.matrix == held


def test_the_wipe_line_is_dragged_before_the_tool_draws(view, tool, document):
    document.add_result(result_of(document, (100, 80, 300, 160), 0))
    view.set_wipe(0.5)
    assert view.wipe == 0.5
    x = view.scene.compare.line_x(view.viewport)
    shares = []
    view.wipe_changed.connect(shares.append)
    drag(view, (int(x), 60), (int(x) + 80, 60))
    assert shares[-1] == view.wipe > shares[0] > 0.5
    assert "press" not in tool.kinds
    drag(view, (60, 60), (70, 60))
    assert "press" in tool.kinds
    view.set_wipe(None)
    assert view.wipe is None


# -- files and looks


def drop_of(paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def test_dropped_files_are_named(view, qtbot, tmp_path):
    data = drop_of([tmp_path / "a.png", tmp_path / "b.ora"])
    left = Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, left, NONE)
    clean = seen(view)
    QApplication.sendEvent(view, enter)
    assert enter.isAccepted()
    assert not is_same(seen(view), clean), "the canvas shows that it takes them"
    with qtbot.waitSignal(view.files_dropped) as caught:
        drop = QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, left, NONE)
        QApplication.sendEvent(view, drop)
    assert caught.args[0] == [str(tmp_path / "a.png"), str(tmp_path / "b.ora")]
    assert is_same(seen(view), clean)


def test_other_drops_are_refused(view):
    data = QMimeData()
    data.setText("hello")
    enter = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, NONE)
    enter.ignore()
    QApplication.sendEvent(view, enter)
    assert not enter.isAccepted()


def test_the_desk_follows_the_theme(view):
    palette = QPalette()
    shades = []
    for shade in (Qt.GlobalColor.black, Qt.GlobalColor.white):
        palette.setColor(QPalette.ColorRole.Window, shade)
        view.setPalette(palette)
        shades.append(int(seen(view)[2, 2].mean()))
    assert shades[0] < 60
    assert shades[1] > 190


def test_the_canvas_has_a_name_for_screen_readers(view):
    assert view.accessibleName() == "Canvas"
    assert "Space" in view.accessibleDescription()


def test_a_pen_stroke_paints_with_its_pressure(make_view, document):
    context = ToolContext(lambda: document)
    context.set_brush("mask", "brush", size_px=60, hardness=1.0, pressure_size=True, smoothing=0)
    view = make_view(document, BrushTool(context))
    pen = Pen(view)
    for y, pressure in ((120, 1.0), (280, 0.3)):
        pen.send("press", 150, y, pressure)
        pen.send("move", 350, y, pressure)
        pen.send("release", 350, y, 0.0)
    coverage = document.mask_layer.planes["coverage"]
    widths = []
    for y in (120, 280):
        x, middle = (round(side) for side in view.viewport.to_canvas(250, y))
        widths.append((coverage[middle - 60 : middle + 60, x] > 127).sum())
    assert widths[0] == pytest.approx(60, abs=2)
    assert widths[1] < 0.6 * widths[0]


def test_sixteen_bit_pictures_are_shown(make_view):
    view = make_view(document_of(photo((200, 300), dtype=np.uint16)))
    assert seen(view).max() > 100
