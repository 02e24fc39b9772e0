"""The picture drawn through four corners."""

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter

from app.canvas.mesh import LONGEST_PX, Mesh, small_image, through
from app.canvas.viewport import Viewport
from tests.app.canvas.fakes import rgb_of

PLAIN = ((0, 0), (100, 0), (100, 80), (0, 80))


@pytest.fixture
def viewport():
    made = Viewport((80, 100), (200, 160))
    made.scale = 2.0
    made._changed()
    return made


def painted(mesh, viewport, corners, *, has_net=False):
    image = QImage(200, 160, QImage.Format.Format_RGB32)
    image.fill(QColor(255, 0, 255))
    with QPainter(image) as painter:
        mesh.paint(painter, viewport, corners)
        if has_net:
            mesh.paint_net(painter, viewport, corners)
    return rgb_of(image)


def quarters():
    """Each quarter of another colour."""
    pixels = np.zeros((80, 100, 3), np.uint8)
    pixels[:40, :50], pixels[:40, 50:], pixels[40:, :50] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    return pixels


def test_at_its_own_corners_it_is_the_picture(viewport):
    image = painted(Mesh(quarters()), viewport, PLAIN)
    assert image[20, 20].tolist() == [255, 0, 0]
    assert image[20, 180].tolist() == [0, 255, 0]
    assert image[140, 20].tolist() == [0, 0, 255]


def test_it_is_drawn_through_the_perspective_of_its_corners(viewport):
    corners = ((25, 0), (75, 0), (100, 80), (0, 80))
    image = painted(Mesh(quarters()), viewport, corners)
    assert image[4, 4].tolist() == [255, 0, 255], "outside of the shape"
    assert image[4, 60].tolist() == [255, 0, 0]
    middle = through(1, 1, viewport, corners).map(0.5, 0.5)
    assert middle[0] == pytest.approx(100)
    assert middle[1] < 80, "the far half is shorter"


def test_the_net_lies_over_it(viewport):
    mesh = Mesh(quarters())
    assert (painted(mesh, viewport, PLAIN, has_net=True) != painted(mesh, viewport, PLAIN)).any()


def test_corners_on_one_line_draw_nothing(viewport):
    flat = ((0, 0), (50, 0), (100, 0), (0, 0))
    image = painted(Mesh(quarters()), viewport, flat, has_net=True)
    assert (image == [255, 0, 255]).all()


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((700, 2000, 3), np.uint8), ((640, 10), np.uint8), ((90, 1400, 4), np.uint16), ((5, 5, 2), np.uint8)],
)
def test_the_copy_is_small_whatever_the_picture(shape, dtype):
    image = small_image(np.full(shape, np.iinfo(dtype).max, dtype))
    assert max(image.width(), image.height()) <= LONGEST_PX
    assert image.pixelColor(image.width() // 2, image.height() // 2) == QColor(255, 255, 255)
