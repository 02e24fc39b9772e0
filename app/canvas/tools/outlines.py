"""Draw the outline of a selection that is being made, in two tones, so that it is seen on any picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPen, QPolygonF

from app.document.shapes import Point

if TYPE_CHECKING:
    from PySide6.QtGui import QPainter

    from app.canvas.viewport import Viewport

DARK, LIGHT = QColor(0, 0, 0), QColor(255, 255, 255)
DASH = 4.0


def paint_outline(
    painter: "QPainter",
    viewport: "Viewport",
    points: Sequence[Point],
    *,
    is_closed: bool,
    handles: bool = False,
) -> None:
    """Draw a line through canvas points: black, with white dashes on it.

    Args:
        painter: in view coordinates.
        viewport: from canvas to view.
        points: in canvas pixels.
        is_closed: join the last to the first.
        handles: mark each point with a small square.
    """
    if not points:
        return
    line = QPolygonF([QPointF(*viewport.to_view(x, y)) for x, y in points])
    painter.save()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, style in ((DARK, Qt.PenStyle.SolidLine), (LIGHT, Qt.PenStyle.CustomDashLine)):
        pen = QPen(colour, 1)
        pen.setCosmetic(True)
        pen.setStyle(style)
        if style == Qt.PenStyle.CustomDashLine:
            pen.setDashPattern([DASH, DASH])
        painter.setPen(pen)
        if is_closed:
            painter.drawPolygon(line)
        else:
            painter.drawPolyline(line)
    if handles:
        painter.setPen(QPen(DARK, 1))
        painter.setBrush(LIGHT)
        for at in range(line.count()):
            point = line.at(at)
            painter.drawRect(round(point.x()) - 2, round(point.y()) - 2, 4, 4)
    painter.restore()
