"""The frame tool: drag what the network sees around the hole, apart from the mask.

A drag draws a frame; a drag of its border or a corner moves that, a drag inside moves all of it. A click beside it, or
Backspace, leaves the choice to the program again. The frame belongs to the settings of the fill: it is no part of the
document and no step of its history.

Elsewhere: what the frame does in engine/crops.py; the panel that shows it in panels/inpaint.py.
"""

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from app.canvas.tools.base import Tool
from app.canvas.tools.context import ToolContext
from app.canvas.tools.outlines import paint_outline
from app.document.shapes import Point
from app.document.tiles import Box, clip_box

if TYPE_CHECKING:
    from PySide6.QtGui import QCursor

    from app.canvas.pointer import PointerEvent
    from app.canvas.viewport import Viewport

Side = Literal["left", "top", "right", "bottom"]
OPPOSITES: tuple[tuple[Side, Side], ...] = (("left", "right"), ("top", "bottom"))
GRIP_PX = 8.0  # view pixels: how far from the border a press still takes it
CLICK_PX = 3.0  # view pixels a click may wander
SMALLEST_PX = 8  # canvas pixels of a side; less is a slip of the hand
WORDS = "The fill looks at this"


class FrameTool(Tool):
    """Draws and changes the frame."""

    id: ClassVar[str] = "frame"
    name: ClassVar[str] = "Context frame"
    icon: ClassVar[str] = "frame"
    shortcut: ClassVar[str] = "Shift+C"
    tip: ClassVar[str] = "Drag what the network should see around the hole; Backspace for its own choice"

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self._start: PointerEvent | None = None
        self._before: Box | None = None
        self._part: frozenset[Side] | Literal["inside", "outside"] = "outside"
        self._has_moved = False
        self._view_px = 1.0
        """Canvas pixels of a view pixel where the frame was painted last."""

    @property
    def is_busy(self) -> bool:
        """Whether a drag is under way."""
        return self._start is not None

    def hover(self, event: "PointerEvent") -> None:
        """See what a press would take."""
        self._part = self._part_at(event.canvas_xy)

    def press(self, event: "PointerEvent") -> None:
        """Take the border, the frame, or a first corner."""
        if self.context.document is None or self.is_busy or event.button not in ("left", "none"):
            return
        self._part = self._part_at(event.canvas_xy)
        self._start, self._before, self._has_moved = event, self.context.frame, False

    def move(self, event: "PointerEvent") -> None:
        """Follow the pointer."""
        start, document = self._start, self.context.document
        if start is None or document is None:
            return
        self._has_moved = self._has_moved or math.dist(event.view_xy, start.view_xy) >= CLICK_PX
        if self._has_moved:
            self.context.show_frame(self._dragged(event, document.size_hw))

    def release(self, event: "PointerEvent") -> None:
        """Keep what was dragged; a click beside the frame takes it away."""
        if self._start is None:
            return
        self.move(event)
        self._start = None
        frame = self.context.frame
        if not self._has_moved and self._part == "outside":
            frame = None
        elif frame is not None and min(frame[2] - frame[0], frame[3] - frame[1]) < SMALLEST_PX:
            frame = self._before
        self._choose(frame)

    def cancel(self) -> None:
        """Put the frame back."""
        if self._start is not None:
            self._start = None
            self.context.show_frame(self._before)

    def key(self, key: Qt.Key) -> bool:
        """Backspace and Delete take the frame away."""
        if key not in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete) or self.context.frame is None:
            return False
        self._start, self._before = None, self.context.frame
        self._choose(None)
        return True

    def cursor(self) -> "QCursor | Qt.CursorShape":
        """What a press would do."""
        if self._part == "inside":
            return Qt.CursorShape.SizeAllCursor
        if self._part == "outside":
            return Qt.CursorShape.CrossCursor
        if len(self._part) == 2:
            is_falling = self._part in ({"left", "top"}, {"right", "bottom"})
            return Qt.CursorShape.SizeFDiagCursor if is_falling else Qt.CursorShape.SizeBDiagCursor
        is_upright = self._part & {"left", "right"}
        return Qt.CursorShape.SizeHorCursor if is_upright else Qt.CursorShape.SizeVerCursor

    def paint_overlay(self, painter: "QPainter", viewport: "Viewport") -> None:
        """The corners that can be dragged."""
        self._view_px = 1.0 / max(viewport.view_scale, 1e-6)
        if self.context.frame is not None:
            paint_outline(painter, viewport, corners_of(self.context.frame), is_closed=True, handles=True)

    def _choose(self, frame: Box | None) -> None:
        """Show a frame, and have it taken over where it is another one than before."""
        self.context.show_frame(frame)
        if frame != self._before:
            self.context.frame_chosen()

    def _part_at(self, at: Point) -> "frozenset[Side] | Literal['inside', 'outside']":
        frame = self.context.frame
        if frame is None:
            return "outside"
        (x, y), (x0, y0, x1, y1), reach = at, frame, GRIP_PX * self._view_px
        if not (x0 - reach <= x <= x1 + reach and y0 - reach <= y <= y1 + reach):
            return "outside"
        distances: dict[Side, float] = {
            "left": abs(x - x0),
            "top": abs(y - y0),
            "right": abs(x - x1),
            "bottom": abs(y - y1),
        }
        near: set[Side] = {side for side, distance in distances.items() if distance <= reach}
        for one, other in OPPOSITES:
            if one in near and other in near:  # a frame smaller than the reach
                near.discard(one if distances[one] > distances[other] else other)
        return frozenset(near) if near else "inside"

    def _dragged(self, event: "PointerEvent", size_hw: tuple[int, int]) -> Box:
        assert self._start is not None, "a frame is dragged from somewhere"
        (from_x, from_y), (x, y) = self._start.canvas_xy, event.canvas_xy
        dx, dy = round(x - from_x), round(y - from_y)
        if self._part == "outside" or self._before is None:
            box = (from_x, from_y, x, y)
        elif self._part == "inside":
            x0, y0, x1, y1 = self._before
            dx = min(max(dx, -x0), size_hw[1] - x1)
            dy = min(max(dy, -y0), size_hw[0] - y1)
            return (x0 + dx, y0 + dy, x1 + dx, y1 + dy)
        else:
            x0, y0, x1, y1 = self._before
            box = (
                x0 + dx * ("left" in self._part),
                y0 + dy * ("top" in self._part),
                x1 + dx * ("right" in self._part),
                y1 + dy * ("bottom" in self._part),
            )
        left, right = sorted((round(box[0]), round(box[2])))
        top, bottom = sorted((round(box[1]), round(box[3])))
        return clip_box((left, top, right, bottom), size_hw)


def paint_frame(painter: QPainter, viewport: "Viewport", frame: Box, font: QFont) -> None:
    """The frame as it is seen with every tool: its outline, and what it is."""
    corners = corners_of(frame)
    paint_outline(painter, viewport, corners, is_closed=True)
    places = [viewport.to_view(*corner) for corner in corners]
    left, top = min(x for x, _ in places), min(y for _, y in places)
    metrics = QFontMetricsF(font)
    width, height = metrics.horizontalAdvance(WORDS) + 14, metrics.height() + 6
    chip = QRectF(QPointF(max(left, 4.0), max(top - height - 4, 4.0)), QPointF())
    chip.setSize(QRectF(0, 0, width, height).size())
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 20, 20, 190))
    painter.drawRoundedRect(chip, 4, 4)
    painter.setPen(QColor(255, 255, 255))
    painter.setFont(font)
    painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, WORDS)
    painter.restore()


def corners_of(frame: Box) -> list[Point]:
    """Its corners, round about."""
    x0, y0, x1, y1 = frame
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
