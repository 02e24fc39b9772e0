"""Before and after: hold Tab to see the picture without the result, or drag a line across it.

Left of the line is the picture as it was, or another result; right of it is the result that is shown. The line belongs to
the view, not to the canvas: it stays in reach at every zoom, and turns with nothing.
"""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from app.canvas.viewport import Box, Viewport

GRIP_PX = 8.0  # logical, each side of the line: what the pointer may miss it by
KNOB_PX = 11.0
REACH_PX = 160.0
"""How far from the line its words may reach."""
BEFORE_AFTER = ("Before", "After")


class Compare:
    """What the view shows of picture and result; plain state and its handle."""

    def __init__(self) -> None:
        self.is_held = False
        """The picture alone is shown while this is set."""
        self.share: float | None = None
        """Where the wipe line is, 0..1 of the visible canvas; None when there is none."""
        self.words = BEFORE_AFTER
        """What lies left and right of the line."""

    def line_x(self, viewport: Viewport) -> float | None:
        """The line's place on the widget, in logical pixels."""
        if self.share is None:
            return None
        left, right = _span(viewport)
        return round(left + self.share * (right - left))

    def drag_to(self, x: float, viewport: Viewport) -> float:
        """Put the line under the pointer; the new share."""
        left, right = _span(viewport)
        self.share = min(max((x - left) / max(right - left, 1.0), 0.0), 1.0)
        return self.share

    def is_on_line(self, x: float, viewport: Viewport) -> bool:
        """Is the pointer near enough to take hold of the line?"""
        line = self.line_x(viewport)
        return line is not None and abs(x - line) <= GRIP_PX

    def split(self, box: Box, viewport: Viewport) -> list[tuple[Box, bool]]:
        """Device boxes to paint, and whether with the result."""
        line = self.line_x(viewport)
        if self.is_held or line is None:
            return [(box, not self.is_held)]
        x = min(max(round(line * viewport.device_ratio), box[0]), box[2])
        parts = [((box[0], box[1], x, box[3]), False), ((x, box[1], box[2], box[3]), True)]
        return [(part, has_result) for part, has_result in parts if part[0] < part[2]]

    def paint(self, painter: QPainter, viewport: Viewport, font: QFont) -> None:
        """Paint the line, its knob and the two words, in logical pixels of the widget."""
        x = self.line_x(viewport)
        if x is None:
            return
        height = viewport.view_size_wh[1]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((QColor(0, 0, 0, 140), 4.0), (QColor(255, 255, 255, 245), 2.0)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(QPointF(x, 0), QPointF(x, height))
        middle = QPointF(x, height / 2)
        painter.setPen(QPen(QColor(0, 0, 0, 140), 1.5))
        painter.setBrush(QColor(255, 255, 255, 245))
        painter.drawEllipse(middle, KNOB_PX, KNOB_PX)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(40, 40, 40))
        for side in (-1, 1):
            tip = middle + QPointF(side * 7.5, 0)
            painter.drawPolygon(
                QPolygonF([tip, tip + QPointF(-side * 4.5, -4.0), tip + QPointF(-side * 4.5, 4.0)])
            )
        for word, side in zip(self.words, (-1, 1), strict=True):
            self._paint_word(painter, word, QPointF(x + side * 10, 10), font, side)
        painter.restore()

    def bounds(self, viewport: Viewport) -> QRectF:
        """What ``paint`` may touch."""
        x = self.line_x(viewport)
        return QRectF() if x is None else QRectF(x - REACH_PX, 0, 2 * REACH_PX, viewport.view_size_wh[1])

    @staticmethod
    def _paint_word(painter: QPainter, word: str, corner: QPointF, font: QFont, side: int) -> None:
        metrics = QFontMetricsF(font)
        width, height = metrics.horizontalAdvance(word) + 14, metrics.height() + 6
        chip = QRectF(corner.x() if side > 0 else corner.x() - width, corner.y(), width, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 20, 20, 190))
        painter.drawRoundedRect(chip, 4, 4)
        painter.setPen(QColor(255, 255, 255))
        painter.setFont(font)
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, word)


def _span(viewport: Viewport) -> tuple[float, float]:
    """Left and right of the part of the canvas that is in view."""
    h, w = viewport.canvas_size_hw
    x0, _, x1, _ = viewport.to_view_box((0, 0, w, h))
    return max(float(x0), 0.0), min(float(x1), viewport.view_size_wh[0])
