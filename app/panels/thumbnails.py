"""Square pictures, small enough to make on the spot.

Only every n-th pixel is looked at before Qt scales smoothly, so a thumbnail of 24 MP costs what one of 1 MP costs.
"""

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPixmap

from app.document.results import Result

OVERSAMPLING = 3
"""Pixels looked at for each one shown, a side."""


def whole_picture(result: Result, *, least_px: int) -> np.ndarray:
    """A remade picture in the middle of a clear square, so that its shape is seen.

    Args:
        result: one of a size of its own.
        least_px: pixels wanted along the longer side; of more, only every n-th is looked at.
    """
    step = max(max(result.size_hw) // least_px, 1)
    part, covered = result.pixels[::step, ::step], result.coverage[::step, ::step] > 0
    part = part if part.ndim == 3 else part[:, :, None]
    h, w, channels = part.shape
    top = np.iinfo(part.dtype).max
    side = max(h, w)
    square = np.zeros((side, side, 4), part.dtype)
    place = square[(side - h) // 2 :, (side - w) // 2 :][:h, :w]
    place[..., :3] = part[..., :3] if channels >= 3 else part[..., :1]
    place[..., 3] = np.where(covered, part[..., -1] if channels in (2, 4) else top, 0)
    return square


def square_thumbnail(
    pixels: np.ndarray, side_px: int, *, ratio: float = 1.0, radius_px: float = 4.0
) -> QPixmap:
    """The middle of a picture as a square with round corners.

    Args:
        pixels: (h, w) or (h, w, C), C 1 to 4, uint8 or uint16.
        side_px: side in logical pixels.
        ratio: device pixels of a logical one.
        radius_px: of the corners, in logical pixels.
    """
    side = max(round(side_px * ratio), 1)
    image = rgba_image(_middle(pixels, side * OVERSAMPLING))
    scaled = image.scaled(
        QSize(side, side), Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    made = QPixmap(side, side)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    outline = QPainterPath()
    outline.addRoundedRect(QRectF(0, 0, side, side), radius_px * ratio, radius_px * ratio)
    painter.setClipPath(outline)
    painter.drawImage(0, 0, scaled)
    painter.end()
    made.setDevicePixelRatio(ratio)
    return made


def rgba_image(pixels: np.ndarray) -> QImage:
    """A picture of any mode and depth as an image that owns its pixels."""
    plane = pixels if pixels.ndim == 3 else pixels[:, :, None]
    if plane.dtype == np.uint16:
        plane = (plane >> 8).astype(np.uint8)
    h, w, channels = plane.shape
    rgba = np.full((h, w, 4), 255, dtype=np.uint8)
    rgba[..., :3] = plane[..., :3] if channels >= 3 else plane[..., :1]
    if channels in (2, 4):
        rgba[..., 3] = plane[..., -1]
    return QImage(rgba.data, w, h, w * 4, QImage.Format.Format_RGBA8888).copy()


def _middle(pixels: np.ndarray, wanted_px: int) -> np.ndarray:
    """The largest square in the middle, thinned to about ``wanted_px`` a side."""
    h, w = pixels.shape[:2]
    side = min(h, w)
    top, left = (h - side) // 2, (w - side) // 2
    step = max(side // wanted_px, 1)
    return pixels[top : top + side : step, left : left + side : step]
