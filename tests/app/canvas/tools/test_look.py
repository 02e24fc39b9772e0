import pytest
from PySide6.QtCore import Qt

from app.canvas.tools.look import HandTool, ZoomTool


class _View:
    def __init__(self):
        self.moved = [0.0, 0.0]
        self.factor = 1.0
        self.places = []

    def pan_by(self, dx, dy):
        self.moved[0] += dx
        self.moved[1] += dy

    def zoom_by(self, factor, at_view_xy):
        self.factor *= factor
        self.places.append(at_view_xy)


@pytest.fixture
def view(bench):
    bench.context.view = _View()
    return bench.context.view


def test_the_hand_moves_the_picture_by_what_it_moves(bench, view):
    tool = HandTool(bench.context)
    bench.drag(tool, (10, 10), (30, 15), (60, 40))
    assert view.moved == [50, 30]
    assert tool.cursor() == Qt.CursorShape.OpenHandCursor


def test_a_click_zooms_in_and_alt_out_at_the_pointer(bench, view):
    tool = ZoomTool(bench.context)
    bench.drag(tool, (40, 50))
    assert view.factor == 2
    bench.drag(tool, (40, 50), held="alt")
    assert view.factor == 1
    assert view.places == [(40, 50), (40, 50)]


def test_a_drag_to_the_right_enlarges_around_where_it_began(bench, view):
    bench.drag(ZoomTool(bench.context), (40, 50), (100, 50), (190, 50))
    assert view.factor == pytest.approx(2)
    assert set(view.places) == {(40, 50)}


def test_nothing_happens_without_a_view(bench):
    bench.drag(HandTool(bench.context), (10, 10), (30, 15))
    bench.drag(ZoomTool(bench.context), (10, 10))
