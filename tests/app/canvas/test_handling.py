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


@pytest.fixture
def sizing(handling) -> Handling:
    handling.is_shift_sizing = lambda: True
    handling.tool.diameter_px = 30.0
    return handling


def test_shift_and_a_drag_size_the_brush_where_a_profile_says_so(sizing):
    sizing.press(event("press", held="shift"))
    sizing.move(event("move", 140))
    assert not sizing.release(event("release", 140))
    assert sizing.tool.kinds == []
    assert sizing.tool.factors == pytest.approx([1.377], rel=1e-3)
    assert sizing.is_idle


def test_a_click_with_shift_still_draws_straight(sizing):
    sizing.press(event("press", held="shift"))
    sizing.move(event("move", 101, held="shift"))
    assert sizing.release(event("release", 101, held="shift"))
    assert sizing.tool.kinds == ["press", "release"]
    assert sizing.tool.said[0][1].shift
    assert sizing.is_idle


def test_shift_is_the_tools_without_a_brush_and_without_the_profile(sizing):
    sizing.tool.diameter_px = None
    sizing.press(event("press", held="shift"))
    sizing.release(event("release", held="shift"))
    assert sizing.tool.kinds == ["press", "release"]
    sizing.tool.diameter_px = 30.0
    sizing.is_shift_sizing = lambda: False
    sizing.press(event("press", held="shift"))
    sizing.move(event("move", 150, held="shift"))
    assert sizing.tool.kinds[-1] == "move"


def test_a_size_drag_that_is_taken_back_clicks_nothing(sizing):
    sizing.press(event("press", held="shift"))
    assert sizing.cancel() == (True, False)
    sizing.release(event("release", held="shift"))
    assert sizing.tool.kinds == []
