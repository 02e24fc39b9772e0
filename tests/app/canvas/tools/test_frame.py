"""The frame tool: drawing, changing and taking away what the network sees."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter

from app.canvas.tools.frame import FrameTool, paint_frame
from app.canvas.viewport import Viewport

FRAME = (50, 40, 150, 120)


@pytest.fixture
def tool(bench):
    return FrameTool(bench.context)


@pytest.fixture
def framed(bench, tool):
    bench.context.show_frame(FRAME)
    bench.said.clear()
    return tool


def test_a_drag_draws_a_frame_and_is_no_step_of_the_history(bench, tool):
    bench.drag(tool, (150.4, 120.2), (90, 80), (49.8, 40.3))
    assert bench.context.frame == FRAME
    assert bench.said.count("frame") == 1
    assert not bench.document.can_undo
    assert not bench.mask.any()


@pytest.mark.parametrize(
    ("start", "end", "frame"),
    [
        ((50, 80), (20, 90), (20, 40, 150, 120)),
        ((150, 120), (170, 150), (50, 40, 170, 150)),
        ((100, 40), (100, 10), (50, 10, 150, 120)),
        ((52, 43), (62, 53), (60, 50, 150, 120)),
        ((50, 80), (190, 80), (150, 40, 190, 120)),
        ((100, 80), (110, 60), (60, 20, 160, 100)),
        ((100, 80), (900, 80), (200, 40, 300, 120)),
        ((150, 80), (900, 80), (50, 40, 300, 120)),
        ((250, 150), (200, 190), (200, 150, 250, 190)),
    ],
    ids=[
        "left",
        "corner",
        "top",
        "top left",
        "over the other side",
        "inside",
        "to the border",
        "cut",
        "anew",
    ],
)
def test_a_drag_changes_what_it_takes(bench, framed, start, end, frame):
    bench.drag(framed, start, end)
    assert bench.context.frame == frame
    assert bench.said.count("frame") == 1


def test_a_click_beside_the_frame_takes_it_away_and_one_inside_does_not(bench, framed):
    bench.drag(framed, (100, 80))
    assert bench.context.frame == FRAME
    assert "frame" not in bench.said
    bench.drag(framed, (250, 180))
    assert bench.context.frame is None
    assert bench.said.count("frame") == 1


@pytest.mark.parametrize("key", [Qt.Key.Key_Backspace, Qt.Key.Key_Delete])
def test_backspace_takes_the_frame_away(bench, framed, key):
    assert framed.key(key)
    assert bench.context.frame is None
    assert bench.said.count("frame") == 1
    assert not framed.key(key)


def test_esc_puts_the_frame_back(bench, framed):
    bench.press(framed, 100, 80)
    bench.move(framed, 140, 80)
    assert bench.context.frame == (90, 40, 190, 120)
    framed.cancel()
    assert bench.context.frame == FRAME
    assert "frame" not in bench.said


def test_a_slip_of_the_hand_is_no_frame(bench, framed):
    bench.drag(framed, (250, 150), (254, 190))
    assert bench.context.frame == FRAME
    assert "frame" not in bench.said


@pytest.mark.parametrize(
    ("at", "shape"),
    [
        ((100, 80), Qt.CursorShape.SizeAllCursor),
        ((50, 80), Qt.CursorShape.SizeHorCursor),
        ((100, 121), Qt.CursorShape.SizeVerCursor),
        ((151, 121), Qt.CursorShape.SizeFDiagCursor),
        ((151, 39), Qt.CursorShape.SizeBDiagCursor),
        ((250, 180), Qt.CursorShape.CrossCursor),
    ],
)
def test_the_cursor_says_what_a_press_would_take(bench, framed, at, shape):
    framed.hover(bench.event("hover", *at, button="none"))
    assert framed.cursor() == shape


def test_the_grip_is_as_wide_on_the_screen_at_every_zoom(bench, framed):
    viewport = Viewport((200, 300), (600, 400))
    viewport.zoom_to(4.0)
    image = QImage(600, 400, QImage.Format.Format_RGB32)
    with QPainter(image) as painter:
        framed.paint_overlay(painter, viewport)
    framed.hover(bench.event("hover", 54, 80, button="none"))
    assert framed.cursor() == Qt.CursorShape.SizeAllCursor
    framed.hover(bench.event("hover", 51, 80, button="none"))
    assert framed.cursor() == Qt.CursorShape.SizeHorCursor


def test_the_frame_is_painted_with_its_words(qapp):
    viewport = Viewport((200, 300), (300, 200))
    viewport.zoom_to(1.0)
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(QColor(128, 128, 128))
    with QPainter(image) as painter:
        paint_frame(painter, viewport, FRAME, QFont())
    left, top = (round(part) for part in viewport.to_view(*FRAME[:2]))
    along = {image.pixelColor(x, top).value() for x in range(left + 5, left + 90)}
    assert {0, 255} <= along
    above = [image.pixelColor(x, top - 14) for x in range(left + 2, left + 120)]
    assert any(colour.value() < 60 for colour in above)
