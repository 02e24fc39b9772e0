"""The retarget tool: eight handles round the picture change the shape it is remade in.

A corner or a side scales the shape from the opposite side; Shift keeps the ratio; Ctrl moves the corner, or the two of a
side, freely. While a shape waits for its picture, the old picture is drawn through it. The shape itself is no part of the
document: the picture remade in it is, and undo takes both back.

Elsewhere: how a drag changes a shape in app/document/retarget_shape.py, remaking in app/retarget.py, the drawing of the
picture through the shape in app/canvas/mesh.py.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Protocol

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette, QPen, QPolygonF

from app.canvas.tools.base import Tool
from app.canvas.tools.context import ToolContext
from app.document.retarget_shape import HANDLES, Dragged, Handle, Shape, drag

if TYPE_CHECKING:
    from PySide6.QtGui import QCursor, QFont, QImage, QPainter

    from app.canvas.mesh import Mesh
    from app.canvas.pointer import PointerEvent
    from app.canvas.viewport import Viewport
    from app.document.shapes import Point
    from app.document.tiles import Box

REACH_PX = 12.0  # view pixels round a handle in which a press takes it; a finger and a pen need as much
SIDE_PX = 9.0  # of a handle, in view pixels
CLICK_PX = 2.0
FAULT = QColor(226, 61, 61)
DESKS = QColor(24, 24, 26, 205), QColor(224, 224, 227, 205)  # in a dark and in a light theme
INK, PAPER = QColor(0, 0, 0, 200), QColor(255, 255, 255)
STEP_PX, LARGE_STEP_PX = 1, 10  # of an arrow key, alone and with Shift


class ShapeKeeper(Protocol):
    """Who keeps the shape and has the picture remade in it."""

    @property
    def shape(self) -> Shape | None:
        """The shape now, or None without a document."""

    @property
    def is_waiting(self) -> bool:
        """Whether the picture that is seen is not the one of this shape."""

    @property
    def mesh(self) -> "Mesh | None":
        """The picture that is remade, to be drawn through the shape."""

    @property
    def novelty(self) -> "tuple[Box, QImage] | None":
        """What was copied and what was invented, and where it lies; None where it is not to be seen."""

    def show_shape(self, dragged: Dragged) -> None:
        """The shape while a handle is being pulled."""

    def choose_shape(self, shape: Shape) -> None:
        """The handle was let go."""


class RetargetTool(Tool):
    """Pulls the picture into another shape."""

    id: ClassVar[str] = "retarget"
    name: ClassVar[str] = "Retarget"
    icon: ClassVar[str] = "retarget"
    shortcut: ClassVar[str] = "R"
    tip: ClassVar[str] = "Drag a side or a corner; Shift keeps the ratio, Ctrl moves a corner freely"

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self.keeper: ShapeKeeper | None = None
        """Set by the window when the tool is first chosen."""
        self._start: PointerEvent | None = None
        self._before: Shape | None = None
        self._handle: Handle | None = None
        self._dragged: Dragged | None = None
        self._has_moved = False
        self._view_px = 1.0
        """Canvas pixels of a view pixel where the handles were painted last."""

    @property
    def is_busy(self) -> bool:
        """Whether a handle is being pulled."""
        return self._start is not None

    @property
    def handle(self) -> Handle | None:
        """The handle under the pointer, or the one that is pulled."""
        return self._handle

    def hover(self, event: "PointerEvent") -> None:
        """See which handle a press would take."""
        before, self._handle = self._handle, self._handle_at(event.canvas_xy)
        if before != self._handle:
            self.context.overlay_changed()

    def press(self, event: "PointerEvent") -> None:
        """Take a handle."""
        shape = self.keeper.shape if self.keeper is not None else None
        if shape is None or self.is_busy or event.button not in ("left", "none"):
            return
        self._handle = self._handle_at(event.canvas_xy)
        if self._handle is not None:
            self._start, self._before, self._has_moved = event, shape, False

    def move(self, event: "PointerEvent") -> None:
        """Pull it."""
        start, before, keeper = self._start, self._before, self.keeper
        if start is None or before is None or keeper is None or self._handle is None:
            return
        (x0, y0), (x1, y1) = start.view_xy, event.view_xy
        self._has_moved = self._has_moved or max(abs(x1 - x0), abs(y1 - y0)) >= CLICK_PX
        if not self._has_moved:
            return
        by = (event.canvas_xy[0] - start.canvas_xy[0], event.canvas_xy[1] - start.canvas_xy[1])
        self._dragged = drag(before, self._handle, by, keeps_ratio=event.shift, is_free=event.ctrl)
        keeper.show_shape(self._dragged)
        self.context.overlay_changed()

    def release(self, event: "PointerEvent") -> None:
        """Let go: the picture is remade in the shape."""
        if self._start is None:
            return
        self.move(event)
        dragged, before = self._dragged, self._before
        self._end()
        if self.keeper is not None and dragged is not None:
            if dragged.shape != before:
                self.keeper.choose_shape(dragged.shape)
            else:
                self.keeper.show_shape(Dragged(dragged.shape, is_held=False))
        self.context.overlay_changed()

    def cancel(self) -> None:
        """Put the handle back."""
        before = self._before
        was_busy = self.is_busy
        self._end()
        if was_busy and before is not None and self.keeper is not None:
            self.keeper.show_shape(Dragged(before, is_held=False))
            self.context.overlay_changed()

    def _end(self) -> None:
        self._start = self._before = self._dragged = None

    def key(self, key: Qt.Key) -> bool:
        """Arrows move the right and the bottom side by a pixel."""
        steps = {
            Qt.Key.Key_Left: ("right", (-STEP_PX, 0)),
            Qt.Key.Key_Right: ("right", (STEP_PX, 0)),
            Qt.Key.Key_Up: ("bottom", (0, -STEP_PX)),
            Qt.Key.Key_Down: ("bottom", (0, STEP_PX)),
        }
        keeper = self.keeper
        if key not in steps or keeper is None or keeper.shape is None or self.is_busy:
            return False
        handle, by = steps[key]
        dragged = drag(keeper.shape, handle, by)
        keeper.show_shape(replace(dragged, is_held=False))
        if not dragged.reason:
            keeper.choose_shape(dragged.shape)
        self.context.overlay_changed()
        return True

    def cursor(self) -> "QCursor | Qt.CursorShape":
        """Which way a handle goes, as it lies on the screen."""
        shape = self.keeper.shape if self.keeper is not None else None
        if shape is None or self._handle is None:
            return Qt.CursorShape.ArrowCursor
        return _cursor_of(self._handle)

    def _handle_at(self, at: "Point") -> Handle | None:
        shape = self.keeper.shape if self.keeper is not None else None
        if shape is None:
            return None
        reach = REACH_PX * self._view_px
        near = []
        for handle in HANDLES:
            x, y = shape.handle_xy(handle)
            distance = max(abs(at[0] - x), abs(at[1] - y))
            if distance <= reach:
                near.append((distance, "_" not in handle, handle))  # of a tiny shape, corners go first
        return min(near)[2] if near else None

    # What is drawn ---------------------------------------------------------------------------------------------------

    def paint_overlay(self, painter: "QPainter", viewport: "Viewport") -> None:
        """The picture through the shape while it waits, the map where it is asked for, and the handles."""
        self._view_px = 1.0 / max(viewport.view_scale, 1e-6)
        keeper = self.keeper
        shape = keeper.shape if keeper is not None else None
        if keeper is None or shape is None:
            return
        reason = self._dragged.reason if self._dragged is not None else ""
        is_waiting = keeper.is_waiting or self._dragged is not None
        mesh = keeper.mesh if is_waiting else None
        if mesh is not None:
            painter.fillRect(QRectF(0, 0, *viewport.view_size_wh), _desk())
            mesh.paint(painter, viewport, shape.corners_xy)
            mesh.paint_net(painter, viewport, shape.corners_xy)
        elif keeper.novelty is not None:
            _paint_novelty(painter, viewport, *keeper.novelty)
        _paint_outline(painter, viewport, shape, is_fault=bool(reason))
        for handle in HANDLES:
            is_taken = handle == self._handle
            _paint_handle(
                painter, viewport, shape, handle, is_taken=is_taken, is_fault=is_taken and bool(reason)
            )
        words = reason or (_size_words(shape) if is_waiting else "")
        if words:
            _paint_words(painter, viewport, shape, words, is_fault=bool(reason), font=painter.font())


def _desk() -> QColor:
    """What dims all that is not the new picture, in the brightness of the theme."""
    is_light = QGuiApplication.palette().color(QPalette.ColorRole.Window).lightness() >= 128
    return DESKS[is_light]


def _size_words(shape: Shape) -> str:
    h, w = shape.size_hw
    return f"{w} × {h} px"


def _cursor_of(handle: Handle) -> Qt.CursorShape:
    if handle in ("left", "right"):
        return Qt.CursorShape.SizeHorCursor
    if handle in ("top", "bottom"):
        return Qt.CursorShape.SizeVerCursor
    falling = handle in ("top_left", "bottom_right")
    return Qt.CursorShape.SizeFDiagCursor if falling else Qt.CursorShape.SizeBDiagCursor


def _paint_outline(painter: "QPainter", viewport: "Viewport", shape: Shape, *, is_fault: bool) -> None:
    """Two tones, so that it is seen on any picture."""
    line = QPolygonF([QPointF(*viewport.to_view(*corner)) for corner in shape.corners_xy])
    painter.save()
    painter.setRenderHint(painter.RenderHint.Antialiasing, not shape.is_rectangle)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((INK, 3.0), (FAULT if is_fault else PAPER, 1.0)):
        painter.setPen(QPen(colour, width))
        painter.drawPolygon(line)
    painter.restore()


def _paint_handle(
    painter: "QPainter", viewport: "Viewport", shape: Shape, handle: Handle, *, is_taken: bool, is_fault: bool
) -> None:
    """A square at a corner, a bead at a side; the one in hand in the colour of what is chosen, or of a fault."""
    at = QPointF(*viewport.to_view(*shape.handle_xy(handle)))
    half = SIDE_PX / 2 + (1.5 if is_taken else 0.0)
    painter.save()
    painter.setRenderHint(painter.RenderHint.Antialiasing)
    painter.setPen(QPen(INK, 1.5))
    painter.setBrush(FAULT if is_fault else QColor(64, 148, 255) if is_taken else PAPER)
    box = QRectF(at.x() - half, at.y() - half, 2 * half, 2 * half)
    if "_" in handle:
        painter.drawRoundedRect(box, 1.5, 1.5)
    else:
        painter.drawEllipse(box)
    painter.restore()


def _paint_words(
    painter: "QPainter", viewport: "Viewport", shape: Shape, words: str, *, is_fault: bool, font: "QFont"
) -> None:
    """A chip below the shape, or above it where there is no room, so that it covers no handle; inside where neither has."""
    places = [viewport.to_view(*corner) for corner in shape.corners_xy]
    wide, high = viewport.view_size_wh
    painter.save()
    painter.setFont(font)
    metrics = painter.fontMetrics()
    width, height = metrics.horizontalAdvance(words) + 20, metrics.height() + 8
    x = min(max(sum(x for x, _ in places) / 4 - width / 2, 4.0), wide - width - 4)
    top, bottom = min(y for _, y in places), max(y for _, y in places)
    below, above = bottom + REACH_PX + 2, top - REACH_PX - 2 - height
    y = below if below + height < high else above if above > 0 else high - height - 2 * REACH_PX
    chip = QRectF(x, y, width, height)
    painter.setRenderHint(painter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(FAULT.darker(130) if is_fault else QColor(20, 20, 20, 215))
    painter.drawRoundedRect(chip, 5, 5)
    painter.setPen(PAPER)
    painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, words)
    painter.restore()


def _paint_novelty(painter: "QPainter", viewport: "Viewport", box: "Box", image: "QImage") -> None:
    painter.save()
    painter.setTransform(viewport.transform(), combine=True)
    x0, y0, x1, y1 = box
    painter.drawImage(QRectF(x0, y0, x1 - x0, y1 - y0), image)
    painter.restore()
