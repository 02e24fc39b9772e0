import pytest
from PySide6.QtCore import Qt

from app.canvas.tools.polygon import PolygonTool

SQUARE = [(50, 50), (150, 50), (150, 150), (50, 150)]


def click(bench, tool, x, y, held="", **more):
    bench.press(tool, x, y, held, **more)
    bench.release(tool, x, y, held, **more)


@pytest.fixture
def tool(bench):
    tool = PolygonTool(bench.context)
    for point in SQUARE:
        click(bench, tool, *point)
    assert tool.is_busy
    return tool


def test_enter_closes_the_polygon(bench, tool):
    assert tool.key(Qt.Key.Key_Return)
    assert bench.mask.sum() == 255 * 100 * 100
    assert not tool.is_busy


def test_a_click_on_the_first_corner_closes(bench, tool):
    click(bench, tool, 53, 48)
    assert bench.mask.sum() == 255 * 100 * 100


def test_a_double_click_closes(bench, tool):
    bench.press(tool, 50, 150, clicks=2)
    assert bench.mask.sum() == 255 * 100 * 100


def test_backspace_takes_corners_back_to_nothing(bench, tool):
    assert tool.key(Qt.Key.Key_Backspace)
    tool.key(Qt.Key.Key_Return)
    assert bench.mask.sum() / 255 == pytest.approx(5000, rel=0.01)
    click(bench, tool, 10, 10)
    assert tool.key(Qt.Key.Key_Backspace)
    assert not tool.is_busy
    assert not tool.key(Qt.Key.Key_Backspace)


def test_the_mode_is_that_of_the_first_corner(bench, tool):
    tool.finish()
    click(bench, tool, 50, 50, "alt")
    for point in ((100, 50), (100, 150), (50, 150)):
        click(bench, tool, *point)
    tool.finish()
    assert bench.mask.sum() == 255 * 100 * 50
    assert bench.mask[100, 75] == 0


def test_shift_keeps_lines_to_steps_of_45_degrees(bench):
    tool = PolygonTool(bench.context)
    click(bench, tool, 50, 50)
    click(bench, tool, 150, 58, "shift")
    click(bench, tool, 141, 150, "shift")
    tool.finish()
    assert bench.mask.sum() / 255 == pytest.approx(100 * 100 / 2, rel=0.01)


def test_two_corners_hold_nothing(bench):
    tool = PolygonTool(bench.context)
    click(bench, tool, 50, 50)
    click(bench, tool, 150, 50)
    tool.finish()
    assert not bench.document.can_undo
    assert not tool.is_busy


def test_esc_forgets_all_corners(bench, tool):
    tool.cancel()
    assert not tool.is_busy
    assert not bench.mask.any()
