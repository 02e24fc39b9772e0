import numpy as np
import pytest
from PySide6.QtGui import QColor

from app.panels.thumbnails import rgba_image, square_thumbnail


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [0, 1, 2, 3, 4])
def test_every_mode_and_depth_shows_its_own_colour(qapp, dtype, channels):
    top = np.iinfo(dtype).max
    colour = [top, 0, top // 2, top][: channels or 1]
    pixels = np.full((5, 7, channels) if channels else (5, 7), colour if channels else top, dtype)
    shown = rgba_image(pixels).pixelColor(3, 2)
    if channels >= 3:
        assert (shown.red(), shown.green(), shown.blue()) == (255, 0, 127)
    else:
        assert shown.red() == shown.green() == shown.blue() == 255
    assert shown.alpha() == {2: 0}.get(channels, 255)


def test_a_thumbnail_is_the_middle_of_the_picture_on_dense_screens_too(qapp):
    pixels = np.zeros((40, 120, 3), np.uint8)
    pixels[:, 40:80] = (255, 0, 0)
    thumbnail = square_thumbnail(pixels, 32, ratio=2.0)
    assert thumbnail.width() == thumbnail.height() == 64
    assert thumbnail.devicePixelRatio() == 2.0
    image = thumbnail.toImage()
    assert image.pixelColor(32, 32) == QColor(255, 0, 0)
    assert image.pixelColor(8, 32) == QColor(255, 0, 0)
    assert image.pixelColor(0, 0).alpha() == 0, "corners are round"
