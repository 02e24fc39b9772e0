"""The handles of the retarget tool, by mouse, pen and keys, and what they draw."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QMouseEvent, QPainter, QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.canvas.mesh import Mesh
from app.canvas.tools.context import ToolContext
from app.canvas.tools.handles import FAULT, RetargetTool
from app.canvas.view import CanvasView
from app.canvas.viewport import Viewport
from app.document.retarget_shape import Shape
from tests.app.canvas.fakes import Pen, document_of, hover, photo, rgb_of

START = Shape.of_box((0, 0, 300, 200))


class Keeper:
    """Keeps what the tool says."""

    def __init__(self, shape=START):
        self.shape = shape
        self.is_waiting = False
        self.mesh = None
        self.novelty = None
        self.shown, self.chosen = [], []

    def show_shape(self, dragged):
        self.shape = dragged.shape
        self.shown.append(dragged)

    def choose_shape(self, shape):
        self.chosen.append(shape)


pytestmark = pytest.mark.usefixtures("qapp")  # fonts, for the words on the canvas


@pytest.fixture
def keeper():
    return Keeper()


@pytest.fixture
def tool(bench, keeper):
    made = RetargetTool(bench.context)
    made.keeper = keeper
    return made


def test_a_side_is_pulled_and_chosen_when_it_is_let_go(bench, tool, keeper):
    bench.press(tool, 300, 100)
    bench.move(tool, 330, 110)
    assert tool.is_busy
    assert keeper.shown[-1].shape.box_xyxy == (0, 0, 330, 200)
    assert keeper.chosen == []
    bench.release(tool, 360, 110)
    assert [shape.box_xyxy for shape in keeper.chosen] == [(0, 0, 360, 200)]
    assert not tool.is_busy
    assert not bench.document.can_undo


@pytest.mark.parametrize(
    ("held", "box", "is_rectangle"),
    [("", (0, 0, 330, 210), True), ("shift", (0, 0, 330, 220), True), ("ctrl", (0, 0, 330, 210), False)],
)
def test_modifiers_of_a_corner(bench, tool, keeper, held, box, is_rectangle):
    bench.drag(tool, (300, 200), (330, 210), held=held)
    assert keeper.chosen[-1].box_xyxy == box
    assert keeper.chosen[-1].is_rectangle == is_rectangle


def test_a_modifier_counts_from_the_moment_it_is_held(bench, tool, keeper):
    bench.press(tool, 300, 200)
    bench.move(tool, 330, 210)
    bench.move(tool, 330, 210, "ctrl")
    assert not keeper.shape.is_rectangle
    bench.release(tool, 330, 210)
    assert keeper.chosen[-1].is_rectangle


def test_a_click_on_a_handle_or_beside_changes_nothing(bench, tool, keeper):
    bench.drag(tool, (300, 100))
    bench.drag(tool, (150, 100), (200, 150))
    assert keeper.chosen == keeper.shown == []


def test_escape_puts_the_handle_back(bench, tool, keeper):
    bench.press(tool, 300, 100)
    bench.move(tool, 400, 100)
    tool.cancel()
    assert keeper.shape == START
    bench.release(tool, 400, 100)
    assert keeper.chosen == []


def test_too_far_is_shown_with_its_reason_and_the_limit_is_chosen(bench, tool, keeper):
    bench.press(tool, 300, 100)
    bench.move(tool, 4, 100)
    assert keeper.shown[-1].reason == "32 px is the shortest side"
    bench.release(tool, 4, 100)
    assert keeper.chosen[-1].size_hw == (200, 32)


def test_the_right_button_takes_nothing(bench, tool):
    bench.press(tool, 300, 100, button="right")
    assert not tool.is_busy


def test_before_anything_keeps_a_shape_the_tool_does_nothing(bench):
    tool = RetargetTool(bench.context)
    bench.drag(tool, (300, 100), (350, 100))
    tool.hover(bench.event("hover", 300, 100))
    assert not tool.key(Qt.Key.Key_Left)
    assert tool.cursor() == Qt.CursorShape.ArrowCursor
    tool.cancel()


@pytest.mark.parametrize(
    ("key", "size_hw"),
    [
        (Qt.Key.Key_Right, (200, 301)),
        (Qt.Key.Key_Left, (200, 299)),
        (Qt.Key.Key_Down, (201, 300)),
        (Qt.Key.Key_Up, (199, 300)),
    ],
)
def test_arrows_move_a_side_by_a_pixel(tool, keeper, key, size_hw):
    assert tool.key(key)
    assert keeper.chosen[-1].size_hw == size_hw


def test_arrows_stop_at_the_limit(bench):
    keeper = Keeper(Shape.of_box((0, 0, 32, 200)))
    tool = RetargetTool(bench.context)
    tool.keeper = keeper
    assert tool.key(Qt.Key.Key_Left)
    assert keeper.chosen == []
    assert keeper.shape.size_hw == (200, 32)
    assert not tool.key(Qt.Key.Key_A)


@pytest.mark.parametrize(
    ("at", "shape"),
    [
        ((300, 100), Qt.CursorShape.SizeHorCursor),
        ((150, 0), Qt.CursorShape.SizeVerCursor),
        ((0, 0), Qt.CursorShape.SizeFDiagCursor),
        ((300, 0), Qt.CursorShape.SizeBDiagCursor),
        ((150, 100), Qt.CursorShape.ArrowCursor),
    ],
)
def test_the_cursor_says_which_way_a_handle_goes(bench, tool, at, shape):
    tool.hover(bench.event("hover", *at))
    assert tool.cursor() == shape


# What is drawn -------------------------------------------------------------------------------------------------------


def painted(tool, size_wh=(400, 300)):
    viewport = Viewport((200, 300), size_wh)
    image = QImage(*size_wh, QImage.Format.Format_RGB32)
    image.fill(QColor(90, 90, 90))
    with QPainter(image) as painter:
        tool.paint_overlay(painter, viewport)
    return rgb_of(image), viewport


def has(image, colour, box=None):
    x0, y0, x1, y1 = box or (0, 0, image.shape[1], image.shape[0])
    return bool((np.abs(image[y0:y1, x0:x1].astype(int) - colour).max(axis=-1) < 12).any())


def test_handles_are_seen_and_the_picture_beneath_is_left_alone(tool):
    image, viewport = painted(tool)
    x, y = (round(part) for part in viewport.to_view(300, 100))
    assert has(image, (255, 255, 255), (x - 4, y - 4, x + 4, y + 4))
    assert image[150, 150].tolist() == [90, 90, 90]


@pytest.mark.parametrize("brightness", [30, 240])
def test_a_shape_that_waits_shows_the_picture_through_it(tool, keeper, monkeypatch, brightness):
    palette = QPalette(QColor(brightness, brightness, brightness))
    monkeypatch.setattr(QGuiApplication, "palette", lambda: palette)
    keeper.is_waiting, keeper.mesh = True, Mesh(np.full((200, 300, 3), (10, 200, 30), np.uint8))
    image, _ = painted(tool)
    assert has(image, (10, 200, 30))
    assert abs(int(image[2, 2].max()) - brightness) < 60, "the desk around it goes into the theme's own"


def test_a_handle_that_goes_no_further_is_red(bench, tool):
    bench.press(tool, 300, 100)
    bench.move(tool, 4, 100)
    image, _ = painted(tool)
    assert has(image, FAULT.getRgb()[:3])


def test_the_map_is_drawn_over_the_picture(tool, keeper):
    over = QImage(4, 4, QImage.Format.Format_ARGB32_Premultiplied)
    over.fill(QColor(255, 106, 0))
    keeper.novelty = ((100, 50, 200, 150), over)
    image, viewport = painted(tool)
    x, y = (round(part) for part in viewport.to_view(150, 100))
    assert image[y, x].tolist() == [255, 106, 0]


# In the view, by real events ------------------------------------------------------------------------------------------


@pytest.fixture
def view(qtbot, keeper):
    document = document_of(photo((200, 300)))
    tool = RetargetTool(ToolContext(lambda: document))
    tool.keeper = keeper
    made = CanvasView()
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.set_document(document)
    made.set_tool(tool)
    made.zoom_to(1.0)
    made.show()
    qtbot.waitExposed(made)
    made.grab()  # handles are as far to reach as they were painted
    yield made
    document.close()


def at(view, x, y) -> QPoint:
    return QPointF(*view.viewport.to_view(x, y)).toPoint()


def test_the_mouse_pulls_a_handle(view, keeper):
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at(view, 300, 100))
    QTest.mouseMove(view, at(view, 320, 100))
    QTest.mouseMove(view, at(view, 340, 100))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at(view, 340, 100))
    assert [shape.size_hw for shape in keeper.chosen] == [(200, 340)]


def test_the_pen_frees_nothing_but_pulls(view, keeper):
    pen = Pen(view)
    for kind, x in (("press", 300), ("move", 310), ("move", 350), ("release", 350)):
        point = at(view, x, 200)
        pen.send(kind, point.x(), point.y())
    assert [shape.size_hw for shape in keeper.chosen] == [(200, 350)]


def test_control_and_the_mouse_free_a_corner(view, keeper):
    control = Qt.KeyboardModifier.ControlModifier
    QTest.mousePress(view, Qt.MouseButton.LeftButton, control, at(view, 300, 0))
    for x in (290, 260):
        place = QPointF(at(view, x, 20))
        held = (Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton, control)
        QApplication.sendEvent(
            view, QMouseEvent(QEvent.Type.MouseMove, place, QPointF(view.mapToGlobal(place)), *held)
        )
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, control, at(view, 260, 20))
    assert keeper.chosen[-1].corners_xy == ((0, 0), (260, 20), (300, 200), (0, 200))


def test_escape_and_arrows_reach_the_tool(view, keeper):
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at(view, 300, 100))
    QTest.mouseMove(view, at(view, 320, 100))
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert keeper.shape == START
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert keeper.chosen[-1].size_hw == (200, 301)


def test_the_cursor_changes_over_a_handle(view):
    point = at(view, 300, 100)
    hover(view, point.x(), point.y())
    assert view.cursor().shape() == Qt.CursorShape.SizeHorCursor
