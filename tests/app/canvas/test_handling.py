import pytest
from PySide6.QtCore import Qt

from app.canvas.compare import Compare
from app.canvas.handling import Handling
from app.canvas.pointer import PointerEvent
from app.canvas.tools.context import ToolContext
from app.canvas.viewport import Viewport
from tests.app.canvas.fakes import RecordingTool


def event(kind: str, x: float = 100, y: float = 100, held: str = "", **more) -> PointerEvent:
    return PointerEvent(kind, (x, y), (x, y), modifiers=frozenset(held.split()), **more)


@pytest.fixture
def handling() -> Handling:
    viewport = Viewport((1000, 1000), (400, 400))
    viewport.zoom_to(1.0)
    made = Handling(viewport, Compare())
    made.tool = RecordingTool(ToolContext(lambda: None))
    made.has_document = True
    return made


def test_a_left_press_is_the_tools(handling):
    handling.press(event("press"))
    assert handling.is_busy
    assert handling.move(event("move", 120)) == "nothing"
    assert handling.release(event("release", 120))
    assert handling.tool.kinds == ["press", "move", "release"]
    assert handling.is_idle


@pytest.mark.parametrize(
    ("press", "has_space"),
    [(event("press", button="middle"), False), (event("press"), True), (event("press", held="ctrl"), True)],
)
def test_presses_that_move_the_view(handling, press, has_space):
    handling.has_space = has_space
    handling.press(press)
    handling.has_space = False  # let go of first: the drag goes on
    assert handling.move(event("move", 130)) == "view"
    assert not handling.release(event("release", 130))
    assert handling.tool.kinds == []


def test_a_stroke_goes_on_when_space_is_pressed_in_it(handling):
    handling.press(event("press"))
    handling.has_space = True
    assert handling.move(event("move", 130)) == "nothing"
    assert handling.tool.kinds == ["press", "move"]


def test_another_device_does_not_join_a_stroke(handling):
    handling.press(event("press", device="pen"))
    handling.move(event("move", 130))
    assert not handling.release(event("release", 130))
    assert handling.tool.kinds == ["press"]
    assert handling.stroke_device == "pen"


def test_a_tool_that_stays_busy_is_not_complete(handling):
    handling.tool.release = lambda event: None
    handling.press(event("press"))
    assert not handling.release(event("release"))


def test_cancel_says_whose_it_was(handling):
    assert handling.cancel() == (False, False)
    handling.press(event("press", button="middle"))
    assert handling.cancel() == (True, False)
    handling.press(event("press"))
    assert handling.cancel() == (True, True)
    assert handling.tool.kinds[-1] == "cancel"


def test_without_a_document_there_is_no_tool_and_no_ring(handling):
    handling.has_document = False
    handling.tool.diameter_px = 30.0
    handling.press(event("press"))
    assert handling.tool.kinds == []
    assert handling.outline() is None
    assert handling.cursor() == Qt.CursorShape.ArrowCursor


def test_cursors_say_what_a_press_would_do(handling):
    handling.move(event("hover"))
    assert handling.cursor() == Qt.CursorShape.CrossCursor
    handling.has_space = True
    assert handling.cursor() == Qt.CursorShape.OpenHandCursor
    handling.press(event("press"))
    assert handling.cursor() == Qt.CursorShape.ClosedHandCursor


def test_the_ring_gives_way_to_the_wipe_line(handling):
    handling.tool.diameter_px = 30.0
    handling._compare.share = 0.5
    handling.move(event("hover", 100))
    assert handling.outline() is not None
    handling.move(event("hover", 200))
    assert handling.outline() is None
    assert handling.cursor() == Qt.CursorShape.SplitHCursor


def test_the_ring_stays_where_a_size_drag_began(handling):
    handling.tool.diameter_px = 30.0
    handling.press(event("press", held="alt", button="right"))
    handling.move(event("move", 150, held="alt", button="right"))
    assert handling.pointer_xy == (100, 100)
    assert handling.outline() is not None
    assert handling.tool.factors
