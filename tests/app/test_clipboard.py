import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication, QImage

from app.clipboard import ClipboardError, copied_pixels, has_copied_picture, image_of, pixels_of


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 2), (5, 7, 3), (5, 7, 4)])
def test_pixels_survive_the_way_there_and_back(shape) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8)
    back = pixels_of(image_of(pixels))
    expected = {2: lambda: np.dstack([pixels] * 3)}.get(pixels.ndim, lambda: pixels)()
    if shape == (5, 7, 2):
        expected = pixels[..., [0, 0, 0, 1]]
    assert np.array_equal(back, expected)


def test_sixteen_bits_are_shown_as_eight() -> None:
    deep = np.array([[0, 257, 65535]], np.uint16)
    assert pixels_of(image_of(deep))[0, :, 0].tolist() == [0, 1, 255]


def test_an_opaque_picture_has_no_alpha() -> None:
    assert pixels_of(image_of(np.full((3, 5, 4), 255, np.uint8))).shape == (3, 5, 3)


def test_nothing_copied_is_said(qapp) -> None:
    QGuiApplication.clipboard().clear()
    assert not has_copied_picture()
    with pytest.raises(
        ClipboardError, match="clipboard: expected a picture, got something else; copy a picture first"
    ):
        copied_pixels()


def test_a_copied_picture_is_taken(qapp) -> None:
    image = QImage(4, 3, QImage.Format.Format_RGB32)
    image.fill(0xFF102030)
    QGuiApplication.clipboard().setImage(image)
    assert copied_pixels().shape == (3, 4, 3)
    assert copied_pixels()[0, 0].tolist() == [0x10, 0x20, 0x30]
