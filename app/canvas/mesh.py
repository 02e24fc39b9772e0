"""The picture drawn through a quadrilateral, at once: what a remade picture will be about, before there is one.

A small copy of the picture is stretched by the perspective that takes its corners to those of the shape, with a net of
lines over it. It is stretched as a whole and so is coarser than what comes of it; it is made to follow a pointer.

Elsewhere: the shape in app/document/retarget_shape.py, who draws it in tools/handles.py.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF, QTransform

from app.canvas.display import image_of, premultiplied, to_eight_bit
from app.canvas.viewport import Viewport

if TYPE_CHECKING:
    from engine.corners import Corners

LONGEST_PX = 640
"""Of the small copy: enough to know the picture by, little enough to draw sixty times a second."""
CELLS = 8
"""Of the net, along each side."""


class Mesh:
    """A small copy of a picture, ready to be drawn through any four corners.

    Args:
        pixels: (h, w) or (h, w, C), C 1 to 4, uint8 or uint16.
    """

    def __init__(self, pixels: NDArray[Any]) -> None:
        self._image = small_image(pixels)

    def paint(self, painter: QPainter, viewport: Viewport, corners_xy: "Corners") -> None:
        """Draw it.

        Args:
            painter: in view coordinates.
            viewport: from canvas to view.
            corners_xy: on the canvas, clockwise from the top left.
        """
        transform = through(self._image.width(), self._image.height(), viewport, corners_xy)
        if transform is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setTransform(transform, combine=True)
        painter.drawImage(0, 0, self._image)
        painter.restore()

    def paint_net(self, painter: QPainter, viewport: Viewport, corners_xy: "Corners") -> None:
        """Draw the lines over it."""
        transform = through(CELLS, CELLS, viewport, corners_xy)
        if transform is None:
            return
        lines = []
        for at in range(1, CELLS):
            for start, end in (((at, 0), (at, CELLS)), ((0, at), (CELLS, at))):
                lines.append(QLineF(transform.map(QPointF(*start)), transform.map(QPointF(*end))))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((QColor(0, 0, 0, 60), 2.0), (QColor(255, 255, 255, 120), 1.0)):
            painter.setPen(QPen(colour, width))
            painter.drawLines(lines)
        painter.restore()


def through(width: float, height: float, viewport: Viewport, corners_xy: "Corners") -> QTransform | None:
    """The perspective from a rectangle at 0, 0 to four corners as they lie on the view; None where there is none."""
    target = QPolygonF([QPointF(*viewport.to_view(x, y)) for x, y in corners_xy])
    transform = QTransform()
    source = QPolygonF(QRectF(0, 0, width, height))
    source.removeLast()  # a rectangle is a closed line, and ends where it began
    return transform if QTransform.quadToQuad(source, target, transform) else None


def small_image(pixels: NDArray[Any]) -> QImage:
    """A picture of at most LONGEST_PX a side, with its alpha."""
    step = max(-(-max(pixels.shape[:2]) // LONGEST_PX), 1)
    part = to_eight_bit(np.ascontiguousarray(pixels[step // 2 :: step, step // 2 :: step]))
    return image_of(premultiplied(part), is_opaque=part.ndim == 2 or part.shape[2] in (1, 3))
