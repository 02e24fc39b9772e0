import numpy as np
import pytest
from PySide6.QtGui import QFont, QImage, QPainter

from app.canvas.compare import GRIP_PX, Compare
from app.canvas.viewport import Viewport


@pytest.fixture
def viewport() -> Viewport:
    made = Viewport((100, 200), (300.0, 200.0))
    made.zoom_to(1.0)
    return made  # the canvas lies from 50 to 250


def test_all_of_the_result_is_seen_by_default(viewport):
    assert Compare().split((0, 0, 300, 200), viewport) == [((0, 0, 300, 200), True)]


def test_held_shows_the_picture_alone(viewport):
    compare = Compare()
    compare.share = 0.5
    compare.is_held = True
    assert compare.split((0, 0, 300, 200), viewport) == [((0, 0, 300, 200), False)]


def test_the_line_parts_what_is_painted(viewport):
    compare = Compare()
    compare.share = 0.25
    assert compare.line_x(viewport) == 100
    assert compare.split((0, 0, 300, 200), viewport) == [
        ((0, 0, 100, 200), False),
        ((100, 0, 300, 200), True),
    ]
    assert compare.split((150, 0, 160, 10), viewport) == [((150, 0, 160, 10), True)]


def test_the_line_is_parted_in_device_pixels():
    dense = Viewport((100, 200), (300.0, 200.0), 2.0)
    dense.zoom_to(2.0)
    compare = Compare()
    compare.share = 0.25
    assert compare.split((0, 0, 600, 400), dense)[0] == ((0, 0, 200, 400), False)


def test_dragging_stays_on_the_canvas(viewport):
    compare = Compare()
    assert compare.drag_to(150, viewport) == pytest.approx(0.5)
    assert compare.drag_to(-1000, viewport) == 0.0
    assert compare.drag_to(1000, viewport) == 1.0


def test_the_line_is_taken_hold_of_nearby(viewport):
    compare = Compare()
    assert not compare.is_on_line(100, viewport)
    compare.share = 0.25
    assert compare.is_on_line(100 + GRIP_PX, viewport)
    assert not compare.is_on_line(101 + GRIP_PX, viewport)


def test_the_line_stays_in_reach_when_zoomed_in(viewport):
    compare = Compare()
    compare.share = 0.9
    viewport.zoom_to(20.0)
    assert 0 < compare.line_x(viewport) < 300


def test_painting_stays_within_its_bounds(qapp, viewport):
    compare = Compare()
    compare.share = 0.5
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(0xFF808080)
    painter = QPainter(image)
    compare.paint(painter, viewport, QFont())
    painter.end()
    words = np.frombuffer(image.constBits(), np.uint32).reshape(200, 300)
    columns = np.flatnonzero((words != 0xFF808080).any(axis=0))
    bounds = compare.bounds(viewport)
    assert bounds.left() <= columns.min()
    assert columns.max() < bounds.right()
    assert (words[40:80, 149:151] & 0xFF).min() > 190
