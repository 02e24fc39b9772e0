"""Square pictures of results in their surroundings, small enough to make on the spot.

Only every n-th pixel is looked at before Qt scales smoothly, so a thumbnail of 24 MP costs what one of 1 MP costs.
"""

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPixmap

from app.document.document import Document
from app.document.flatten import as_in, flattened_view
from app.document.results import Result
from app.document.tiles import Box

MARGIN = 0.35
"""How much of the picture is shown around a result, as a share of the result's longer side."""
LEAST_PX = 64
"""A result smaller than this is shown with more around it, or nobody could tell where it lies."""
OVERSAMPLING = 3
"""Pixels looked at for each one shown, a side."""


def surroundings(box: Box, size_hw: tuple[int, int]) -> Box:
    """A square around a result, moved inside the picture; no larger than the picture's shorter side."""
    x0, y0, x1, y1 = box
    h, w = size_hw
    wanted = max(round(max(x1 - x0, y1 - y0) * (1 + 2 * MARGIN)), LEAST_PX)
    side = min(wanted, w, h)
    left = min(max((x0 + x1 - side) // 2, 0), w - side)
    top = min(max((y0 + y1 - side) // 2, 0), h - side)
    return left, top, left + side, top + side


def picture_with(document: Document, result: Result | None, box: Box, *, least_px: int) -> np.ndarray:
    """The picture inside a box as it looks with a result or without one, whichever the canvas shows.

    Args:
        document: whose picture.
        result: what to lay over it.
        box: on the canvas.
        least_px: pixels wanted along the shorter side; of more, only every n-th is looked at.
    """
    x0, y0, x1, y1 = box
    step = max(min(x1 - x0, y1 - y0) // least_px, 1)
    pixels = flattened_view(document)[y0:y1:step, x0:x1:step].copy()
    if result is None:
        return pixels
    left, top, right, bottom = result.box_xyxy
    rows = np.arange(y0, y1, step)
    columns = np.arange(x0, x1, step)
    is_row, is_column = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
    if not (is_row.any() and is_column.any()):
        return pixels
    place = np.ix_(rows[is_row] - top, columns[is_column] - left)
    part = pixels[np.ix_(is_row, is_column)]
    covered = result.coverage[place] > 0
    part[covered] = as_in(part, result.pixels[place], document.mode)[covered]
    pixels[np.ix_(is_row, is_column)] = part
    return pixels


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
