import numpy as np
from PySide6.QtGui import QColor

from app.novelty_map import map_image


def test_the_map_is_clear_where_pixels_were_copied_or_are_none():
    novelty = np.array([[0, 255, 128], [255, 0, 255]], np.uint8)
    counted = np.array([[True, True, True], [False, True, True]])
    image = map_image(novelty, counted)
    assert image.pixelColor(0, 0).alpha() == 0
    assert image.pixelColor(0, 1).alpha() == 0
    full, half = image.pixelColor(1, 0), image.pixelColor(2, 0)
    assert full.alpha() > half.alpha() > 0
    assert abs(full.hue() - QColor(255, 106, 0).hue()) <= 2


def test_the_map_of_a_large_picture_is_small():
    image = map_image(np.full((100, 4096), 255, np.uint8), np.ones((100, 4096), bool))
    assert (image.width(), image.height()) == (1024, 25)
