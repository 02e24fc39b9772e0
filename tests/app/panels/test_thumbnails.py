import numpy as np
import pytest
from PySide6.QtGui import QColor

from app.document.recipe import Step
from app.document.results import Result
from app.panels.thumbnails import rgba_image, square_thumbnail, whole_picture


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


@pytest.mark.parametrize(
    ("size_hw", "channels", "dtype"),
    [((40, 100), 3, np.uint8), ((90, 30), 4, np.uint16), ((50, 50), 1, np.uint8)],
)
def test_a_remade_picture_is_shown_in_its_own_shape(size_hw, channels, dtype):
    h, w = size_hw
    top = np.iinfo(dtype).max
    pixels = np.full((h, w, channels), top, dtype)
    coverage = np.full(size_hw, 255, np.uint8)
    coverage[0] = 0
    result = Result(
        box_xyxy=(0, 0, w, h),
        pixels=pixels,
        coverage=coverage,
        is_whole=True,
        step=Step(edit={"family": "retarget"}),
    )
    square = whole_picture(result, least_px=200)
    side = max(h, w)
    assert square.shape == (side, side, 4)
    assert square.dtype == dtype
    assert square[side // 2, side // 2].tolist() == [top] * 4
    alpha = square[..., 3] > 0
    assert alpha.sum() == (h - 1) * w, "clear around it, and where it does not count"
    assert max(whole_picture(result, least_px=10).shape) <= 12
