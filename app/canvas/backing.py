"""The painted scene, as large as the widget, painted again only where it is stale.

A pan moves the image and leaves a stale border. What needs no scene (cursors, outlines)
is copied from here, so it costs nothing but the copy.

Rectangles and regions are device pixels of the widget, unless they are called view.
"""

import math

from PySide6.QtCore import QPointF, QRect, QRectF, QSize
from PySide6.QtGui import QImage, QPainter, QRegion

from app.canvas.scene import Scene
from app.canvas.viewport import Box, Matrix, Viewport

_MANY_RECTS = 12  # above this, one rectangle round all of them is cheaper


class Backing:
    """The scene as it was last painted.

    Args:
        scene: what is painted.
        viewport: how the canvas lies.
    """

    def __init__(self, scene: Scene, viewport: Viewport) -> None:
        self._scene = scene
        self._viewport = viewport
        self._image = QImage()
        self._stale = QRegion()
        self._matrix: Matrix | None = None

    def resize(self, view_size_wh: tuple[int, int], ratio: float) -> None:
        """Have another size; all is stale."""
        width, height = (math.ceil(side * ratio) for side in view_size_wh)
        self._image = QImage(QSize(width, height), QImage.Format.Format_RGB32)
        self.mark_all()

    def mark_all(self) -> None:
        """All is stale."""
        self._matrix = None
        self._stale = QRegion(self._image.rect())

    def mark(self, view_rect: QRect) -> None:
        """A rectangle of the widget is stale."""
        ratio = self._viewport.device_ratio
        x, y = view_rect.x() * ratio, view_rect.y() * ratio
        outer = QRectF(x, y, view_rect.width() * ratio, view_rect.height() * ratio).toAlignedRect()
        self._stale += outer.intersected(self._image.rect())

    def follow(self) -> bool:
        """Take over a changed viewport; whether it was more than a pan."""
        before, matrix = self._matrix, self._viewport.device_matrix
        if before is None or before[:4] != matrix[:4]:
            self.mark_all()
            self._matrix = matrix
            return True
        self._matrix = matrix
        self._scroll(round(matrix.e - before.e), round(matrix.f - before.f))
        return False

    def paint_stale(self) -> bool:
        """Paint what is stale; whether there was anything."""
        if self._stale.isEmpty() or self._image.isNull():
            return False
        rects = (
            [self._stale.boundingRect()] if self._stale.rectCount() > _MANY_RECTS else rects_of(self._stale)
        )
        self._stale = QRegion()
        for rect in rects:
            box = (rect.x(), rect.y(), rect.x() + rect.width(), rect.y() + rect.height())
            self._scene.paint(self._image, box, self._viewport)
        return True

    def copy_to(self, painter: QPainter, view_region: QRegion) -> None:
        """Copy a region to the widget's painter, which counts logical pixels."""
        ratio = self._viewport.device_ratio
        if ratio == 1.0:
            for rect in rects_of(view_region):
                painter.drawImage(rect, self._image, rect)
            return
        self._image.setDevicePixelRatio(ratio)
        painter.save()
        painter.setClipRegion(view_region)
        painter.drawImage(QPointF(0, 0), self._image)
        painter.restore()
        self._image.setDevicePixelRatio(1.0)

    def refine(self, seconds: float) -> tuple[list[Box], bool]:
        """Make rough parts exact for a while; canvas boxes to repaint, and whether more is left."""
        size = self._image.size()
        return self._scene.refine(self._viewport, (0, 0, size.width(), size.height()), seconds)

    def _scroll(self, dx: int, dy: int) -> None:
        """Move the image; what comes into view is stale."""
        whole = self._image.rect()
        if not dx and not dy:
            return
        has_line = self._scene.compare.share is not None  # it stays where it is while the canvas moves
        if abs(dx) >= whole.width() or abs(dy) >= whole.height() or has_line:
            self._stale = QRegion(whole)
            return
        moved = QImage(self._image.size(), self._image.format())
        with QPainter(moved) as painter:
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
            painter.drawImage(dx, dy, self._image)
        self._image = moved
        kept = QRegion(whole.translated(dx, dy))
        self._stale = self._stale.translated(dx, dy).intersected(whole) + QRegion(whole).subtracted(kept)


def rects_of(region: QRegion) -> list[QRect]:
    """The rectangles of a region; PySide iterates over it but does not say so in its types."""
    rects: list[QRect] = list(region)  # type: ignore[call-overload]
    return rects
