import numpy as np
import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter, QRegion

from app.canvas.backing import Backing
from app.canvas.scene import Scene
from app.canvas.viewport import Viewport
from tests.app.canvas.fakes import rgb_of


class Painted:
    """A backing of 300 x 200 logical pixels and the boxes that were painted."""

    def __init__(self, document, ratio: float = 1.0) -> None:
        self.scene = Scene()
        self.scene.set_document(document)
        self.viewport = Viewport(document.size_hw, (300, 200), ratio)
        self.viewport.zoom_to(2.0)
        self.boxes: list[tuple[int, int, int, int]] = []
        paint = self.scene.paint

        def noted(image, box, viewport):
            self.boxes.append(box)
            paint(image, box, viewport)

        self.scene.paint = noted
        self.backing = Backing(self.scene, self.viewport)
        self.backing.resize((300, 200), ratio)
        self.backing.follow()

    def shown(self) -> np.ndarray:
        self.backing.paint_stale()
        ratio = self.viewport.device_ratio
        image = QImage(round(300 * ratio), round(200 * ratio), QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        with QPainter(image) as painter:
            self.backing.copy_to(painter, QRegion(0, 0, 300, 200))
        return rgb_of(image)

    @property
    def area(self) -> int:
        return sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in self.boxes)


@pytest.fixture
def painted(document) -> Painted:
    made = Painted(document)
    made.shown()
    made.boxes.clear()
    return made


def test_nothing_stale_paints_nothing(painted):
    assert not painted.backing.paint_stale()
    assert painted.boxes == []


def test_only_what_is_marked_is_painted(painted):
    painted.backing.mark(QRect(10, 20, 30, 40))
    assert painted.backing.paint_stale()
    assert painted.boxes == [(10, 20, 40, 60)]


def test_what_is_marked_outside_is_nothing(painted):
    painted.backing.mark(QRect(400, 20, 30, 40))
    assert not painted.backing.paint_stale()


def test_many_small_marks_are_painted_as_one(painted):
    for number in range(30):
        painted.backing.mark(QRect(number * 9, number * 5, 2, 2))
    painted.backing.paint_stale()
    assert painted.boxes == [(0, 0, 263, 147)]


def test_a_pan_paints_the_border_that_comes_into_view(painted):
    painted.viewport.pan_by(12, -7)
    assert not painted.backing.follow()
    moved = painted.shown()
    assert painted.area == 12 * 200 + 7 * 288
    painted.backing.mark_all()
    assert np.array_equal(painted.shown(), moved)


def test_two_pans_before_a_paint_add_up(painted):
    for step in ((12, -7), (-30, 20), (5, 5)):
        painted.viewport.pan_by(*step)
        painted.backing.follow()
    moved = painted.shown()
    painted.backing.mark_all()
    assert np.array_equal(painted.shown(), moved)


def test_a_mark_moves_with_a_pan(painted):
    painted.backing.mark(QRect(100, 100, 10, 10))
    painted.viewport.pan_by(20, 0)
    painted.backing.follow()
    painted.backing.paint_stale()
    assert (120, 100, 130, 110) in painted.boxes


def test_a_far_pan_and_a_zoom_paint_all(painted):
    painted.viewport.pan_by(0, -250)
    painted.backing.follow()
    painted.backing.paint_stale()
    assert painted.area == 300 * 200
    painted.viewport.zoom_to(3.0)
    assert painted.backing.follow()


def test_the_wipe_line_stays_while_the_canvas_moves(painted):
    painted.scene.compare.share = 0.5
    painted.backing.mark_all()
    painted.shown()
    painted.boxes.clear()
    painted.viewport.pan_by(5, 0)
    painted.backing.follow()
    painted.backing.paint_stale()
    assert painted.area == 300 * 200


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0])
def test_dense_screens_get_device_pixels(document, ratio):
    painted = Painted(document, ratio)
    painted.viewport.zoom_to(1.0)
    painted.backing.follow()
    shown = painted.shown()
    matrix = painted.viewport.device_matrix
    x, y = round(matrix.e), round(matrix.f)
    pixels = document.layers[0].planes["pixels"]
    h, w = shown.shape[:2]
    part = pixels[max(-y, 0) : max(-y, 0) + h, max(-x, 0) : max(-x, 0) + w]
    top, left = max(y, 0), max(x, 0)
    part = part[: h - top, : w - left]
    assert np.array_equal(shown[top : top + part.shape[0], left : left + part.shape[1]], part)


def test_a_marked_rectangle_covers_all_device_pixels_it_touches(document):
    painted = Painted(document, 1.5)
    painted.shown()
    painted.boxes.clear()
    painted.backing.mark(QRect(1, 1, 1, 1))
    painted.backing.paint_stale()
    assert painted.boxes == [(1, 1, 3, 3)]
