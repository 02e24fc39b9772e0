"""Pictures to and from the clipboard: arrays here, QImage there."""

import numpy as np
from PySide6.QtGui import QGuiApplication, QImage

from app.errors import AppError


class ClipboardError(AppError):
    """The clipboard holds no picture."""


def copied_pixels() -> np.ndarray:
    """The copied picture: (H, W, 3) uint8, or (H, W, 4) where it is not opaque.

    Raises:
        ClipboardError: if what was copied is no picture.
    """
    image = QGuiApplication.clipboard().image()
    if image.isNull():
        said = "there is no picture on the clipboard"
        raise ClipboardError("clipboard", "a picture", "something else", "copy a picture first", said=said)
    return pixels_of(image)


def has_copied_picture() -> bool:
    """Whether something that can be pasted was copied."""
    data = QGuiApplication.clipboard().mimeData()
    return data is not None and data.hasImage()


def pixels_of(image: QImage) -> np.ndarray:
    """A QImage as an array of its own."""
    has_alpha = image.hasAlphaChannel()
    channels, kind = (4, QImage.Format.Format_RGBA8888) if has_alpha else (3, QImage.Format.Format_RGB888)
    converted = image.convertToFormat(kind)
    rows = np.frombuffer(converted.constBits(), np.uint8).reshape(
        converted.height(), converted.bytesPerLine()
    )
    pixels = (
        rows[:, : converted.width() * channels]
        .reshape(converted.height(), converted.width(), channels)
        .copy()
    )
    if has_alpha and (pixels[..., 3] == 255).all():
        return np.ascontiguousarray(pixels[..., :3])
    return pixels


def image_of(pixels: np.ndarray) -> QImage:
    """An array as a QImage of its own, 8 bits a channel; (H, W) or (H, W, C), uint8 or uint16."""
    if pixels.dtype == np.uint16:
        pixels = (pixels // 257).astype(np.uint8)
    if pixels.ndim == 3 and pixels.shape[2] == 2:
        pixels = pixels[..., [0, 0, 0, 1]]
    elif pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    pixels = np.ascontiguousarray(pixels)
    kinds = {
        2: QImage.Format.Format_Grayscale8,
        3: QImage.Format.Format_RGB888,
        4: QImage.Format.Format_RGBA8888,
    }
    kind = kinds[2 if pixels.ndim == 2 else pixels.shape[2]]
    return QImage(pixels.data, pixels.shape[1], pixels.shape[0], pixels.strides[0], kind).copy()
