"""The canvas widget: shows a document, and hands pen, mouse and fingers to the tool.

The scene is painted into an image of the widget's size, only where something changed; a
paint event copies from it and adds what moves with the pointer (the tool's outline, the
brush ring, the wipe line). A pan moves that image and paints the rest.

Keys: Space with a drag pans, with Ctrl zooms, with Shift turns; Tab held compares; F6 moves the
    focus on; Esc takes back a running stroke.
Elsewhere: transform in viewport.py, painting in scene.py and backing.py, mouse, pen and fingers in
    pointer_input.py, whose a gesture is in handling.py.
"""

# ruff: noqa: N802 (names that Qt calls)

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QMimeData, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QCursor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from app.canvas.backing import Backing
from app.canvas.compare import BEFORE_AFTER
from app.canvas.handling import Handling
from app.canvas.overlays import MARGIN_PX, MaskLook, paint_ring, ring_bounds
from app.canvas.pointer import PointerDevice, PointerEvent
from app.canvas.pointer_input import PointerInput
from app.canvas.scene import DARK, LIGHT, Scene
from app.canvas.tools.frame import paint_frame
from app.canvas.viewport import Box, Viewport

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app.canvas.tools.base import Tool
    from app.document.document import Document
    from app.document.events import Event
    from app.document.results import Result

REFINE_S = 0.010  # of exact reductions between two events


class CanvasView(QWidget):
    """The canvas of one document."""

    cursor_moved = Signal(float, float)
    """Where the pointer is, in canvas pixels."""
    cursor_left = Signal()
    """The pointer is no longer over the canvas."""
    zoom_changed = Signal(float)
    """The new scale; 1.0 is 100 %."""
    files_dropped = Signal(list)
    """Paths (str) of files that were dropped."""
    tool_finished = Signal()
    """A gesture of the tool ended, by release or by Esc."""
    wipe_changed = Signal(float)
    """The wipe line was dragged; its share, 0..1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewport = Viewport()
        self.pointers = PointerInput(self)  # before any event comes
        self.setObjectName("canvas")
        self.setAccessibleName("Canvas")
        self.setAccessibleDescription(
            "The picture. Draw with the chosen tool; hold Space and drag to move the view."
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(120, 120)

        self.setMouseTracking(True)
        self.setTabletTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)

        self.scene = Scene()
        self.backing = Backing(self.scene, self.viewport)
        self.handling = Handling(self.viewport, self.scene.compare)
        self._stop_observing: list[Callable[[], None]] = []
        self._stop_observing_tool: Callable[[], None] | None = None
        self._is_fitting = True
        """The view follows the window's size until somebody zooms or pans."""

        self._ring = QRect()
        self._is_dropping = False

        self._refine_timer = QTimer(self)
        self._refine_timer.setSingleShot(True)
        self._refine_timer.setInterval(0)
        self._refine_timer.timeout.connect(lambda: self._refine())
        self._choose_colours()
        self._update_cursor()

    def sizeHint(self) -> QSize:
        """A size to start from."""
        return QSize(960, 640)

    # -- document, tool and what is shown

    @property
    def document(self) -> "Document | None":
        """What is shown."""
        return self.scene.document

    def set_document(self, document: "Document | None") -> None:
        """Show another document, fitted, or none."""
        self.cancel_gesture()
        for stop in self._stop_observing:
            stop()
        self._stop_observing = [] if document is None else [document.observe(self._on_event)]
        self.scene.set_document(document)
        self.handling.has_document = document is not None
        self.viewport.set_canvas((1, 1) if document is None else document.size_hw)
        self.viewport.reset_rotation()
        self.backing.mark_all()
        self.fit()

    @property
    def tool(self) -> "Tool | None":
        """What the pointer does."""
        return self.handling.tool

    def set_tool(self, tool: "Tool | None") -> None:
        """Give the pointer to a tool; the one before ends what it was doing."""
        before = self.handling.tool
        if before is not None and before is not tool:
            before.finish()
            self.handling.stroke_device = None
        if self._stop_observing_tool is not None:
            self._stop_observing_tool()
        self.handling.tool = tool
        self._stop_observing_tool = None
        if tool is not None:
            self._stop_observing_tool = tool.context.observe(self._on_tool_change)
            tool.activate()
        self._update_cursor()
        self._update_ring()
        self.update()

    def set_mask_look(self, look: MaskLook) -> None:
        """Show the mask in another colour or pattern."""
        self.scene.mask_look = look
        self._repaint_all()

    @property
    def mask_look(self) -> MaskLook:
        """How the mask is shown."""
        return self.scene.mask_look

    def set_edges_visible(self, is_visible: bool) -> None:
        """Show or hide edges of all kinds."""
        self.scene.shows_edges = is_visible
        self._repaint_all()

    def set_preview(self, box: Box | None, pixels: "NDArray[Any] | None") -> None:
        """Show what a running job has so far in a box of the canvas; None takes it away."""
        changed = self.scene.set_preview(box, pixels)
        if changed is not None:
            self.update_box(changed)

    def set_comparing(self, is_comparing: bool) -> None:
        """Show the picture without its result, as holding Tab does."""
        if self.scene.compare.is_held != is_comparing:
            self.scene.compare.is_held = is_comparing
            self._repaint_all()

    def set_wipe(self, share: float | None) -> None:
        """Put the line between before and after at a share 0..1 of the visible canvas; None takes it away."""
        self.scene.compare.share = share
        self._repaint_all()

    def set_before(self, result: "Result | None", words: tuple[str, str] = BEFORE_AFTER) -> None:
        """Say what is seen left of that line, and what both sides are called.

        Args:
            result: another one than is shown; the picture alone where None.
            words: left and right.
        """
        if self.scene.set_before(result) or words != self.scene.compare.words:
            self.scene.compare.words = words
            self._repaint_all()

    @property
    def wipe(self) -> float | None:
        """Where the wipe line is."""
        return self.scene.compare.share

    def update_box(self, canvas_box: Box) -> None:
        """Repaint a box of the canvas."""
        level_px = max(2.0, 2.0 / self.viewport.scale)  # what a reduced pixel may reach over the box's border
        grown = (
            canvas_box[0] - level_px,
            canvas_box[1] - level_px,
            canvas_box[2] + level_px,
            canvas_box[3] + level_px,
        )
        x0, y0, x1, y1 = self.viewport.to_view_box(grown)
        margin = MARGIN_PX + 1
        self._repaint(QRect(x0 - margin, y0 - margin, x1 - x0 + 2 * margin, y1 - y0 + 2 * margin))

    # -- looking at it

    def fit(self) -> None:
        """Show the whole canvas, and keep doing so while the window changes its size."""
        self.viewport.fit()
        self._is_fitting = True
        self._view_moved()

    def actual_size(self) -> None:
        """One canvas pixel for one pixel of the screen."""
        self.zoom_to(1.0)

    def zoom_to(self, scale: float, at_view_xy: tuple[float, float] | None = None) -> None:
        """Change the scale round a point of the widget, the middle if None."""
        self.viewport.zoom_to(scale, at_view_xy)
        self.view_moved_by_hand()

    def zoom_step(self, steps: int) -> None:
        """Go to the next whole zoom: in for +1, out for -1."""
        self.viewport.zoom_step(steps)
        self.view_moved_by_hand()

    def zoom_by(self, factor: float, at_view_xy: tuple[float, float] | None = None) -> None:
        """Multiply the scale; tools ask for it."""
        self.zoom_to(self.viewport.scale * factor, at_view_xy)

    def pan_by(self, dx: float, dy: float) -> None:
        """Push the canvas by logical pixels."""
        self.viewport.pan_by(dx, dy)
        self.view_moved_by_hand()

    def view_moved_by_hand(self) -> None:
        """The viewport was changed by a person: stop following the window's size, and repaint."""
        self._is_fitting = False
        self._view_moved()

    def rotate_by(self, degrees: float) -> None:
        """Turn the view clockwise; the document stays as it is."""
        self.viewport.rotate_by(degrees)
        self._after_turn()

    def mirror(self) -> None:
        """Swap left and right of the view; the document stays as it is."""
        self.viewport.mirror()
        self._after_turn()

    def reset_rotation(self) -> None:
        """Stand upright and unmirrored again."""
        self.viewport.reset_rotation()
        self._after_turn()

    def _after_turn(self) -> None:
        if self._is_fitting:
            self.viewport.fit()
        self._view_moved()

    def _view_moved(self) -> None:
        """Repaint after any change of the viewport; a plain pan keeps what is painted."""
        if self.backing.follow():
            self.zoom_changed.emit(self.viewport.scale)
        self.update()
        self._update_ring()

    # -- keeping up with the document

    def _on_event(self, event: "Event") -> None:
        from app.document import events

        if isinstance(event, events.PixelsChanged):
            self.scene.invalidate(event.layer_id, event.plane, event.canvas_box)
            self.update_box(event.canvas_box)
        elif isinstance(event, events.CanvasChanged):
            self.scene.refresh_canvas()
            self.viewport.set_canvas(event.size_hw)
            x0, y0, x1, y1 = self.viewport.to_view_box((0, 0, *event.size_hw[::-1]))
            if x0 >= 0 and y0 >= 0 and x1 <= self.width() and y1 <= self.height():
                self._repaint_all()  # what is in sight stays where it is
            else:
                self.fit()
        elif isinstance(event, events.CurrentResultChanged):
            changed = self.scene.refresh_result()
            if changed is not None:
                self.update_box(changed)
        elif isinstance(event, events.LayerListChanged | events.LayerChanged) and self.scene.refresh_layers():
            self._repaint_all()

    def _on_tool_change(self, change: str) -> None:
        if change == "overlay":
            self.update()
        elif change not in ("stroke", "committed"):
            self._update_cursor()
            self._update_ring()

    # -- painting

    def _repaint_all(self) -> None:
        self.backing.mark_all()
        self.backing.follow()
        self.update()

    def _repaint(self, view_rect: QRect) -> None:
        """Paint a rectangle of logical pixels anew."""
        seen = view_rect.intersected(self.rect())
        if not seen.isEmpty():
            self.backing.mark(seen)
            self.update(seen)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what changed, copy it to the screen, add what moves with the pointer."""
        if self.backing.paint_stale() and self.viewport.scale < 1.0 and not self._refine_timer.isActive():
            self._refine_timer.start()
        with QPainter(self) as painter:
            self.backing.copy_to(painter, event.region())
            if self.document is not None and not self.scene.compare.is_held:
                self._paint_over(painter)
            if self._is_dropping:
                self._paint_drop_frame(painter)

    def _paint_over(self, painter: QPainter) -> None:
        """What lies over the scene and moves with the pointer."""
        if self.tool is not None:
            painter.save()
            if self.tool.context.frame is not None:
                paint_frame(painter, self.viewport, self.tool.context.frame, self.font())
            self.tool.paint_overlay(painter, self.viewport)
            painter.restore()
        self.scene.compare.paint(painter, self.viewport, self.font())
        outline, at = self.handling.outline(), self.handling.pointer_xy
        if outline is not None and at is not None:
            radius = outline.diameter_px / 2 * self.viewport.view_scale
            paint_ring(painter, QPointF(*at), radius, outline.hardness)

    def _refine(self, seconds: float = REFINE_S) -> bool:
        """Between events: replace rough reductions by exact ones; whether more is left."""
        changed, is_more = self.backing.refine(seconds)
        for box in changed:
            self.update_box(box)
        if is_more:
            self._refine_timer.start()
        return is_more

    def refine_now(self) -> None:
        """Make all that is seen exact at once, as a screenshot wants it."""
        self.backing.paint_stale()
        while self._refine(1.0):
            pass
        self._refine_timer.stop()

    def _paint_drop_frame(self, painter: QPainter) -> None:
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        fill = QColor(accent)
        fill.setAlpha(40)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(accent, 3))
        painter.setBrush(fill)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(6, 6, -6, -6), 8, 8)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the middle, or the fit."""
        self._new_size()
        super().resizeEvent(event)

    def _new_size(self) -> None:
        ratio = self.devicePixelRatioF()
        self.backing.resize((self.width(), self.height()), ratio)
        self.viewport.resize((self.width(), self.height()), ratio)
        if self._is_fitting:
            self.viewport.fit()
        self._view_moved()

    def _choose_colours(self) -> None:
        is_dark = self.palette().color(QPalette.ColorRole.Window).lightness() < 128
        self.scene.colours = DARK if is_dark else LIGHT

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange) and hasattr(self, "scene"):
            self._choose_colours()
            self._repaint_all()
        super().changeEvent(event)

    # -- the pointer: one door for mouse, pen and finger

    @property
    def stroke_device(self) -> PointerDevice | None:
        """What draws at the moment."""
        return self.handling.stroke_device

    def pointer_pressed(self, event: PointerEvent) -> None:
        """A button went down, or the pen or a finger touched."""
        self.handling.press(event)
        self._pointer_at(event)

    def pointer_moved(self, event: PointerEvent) -> None:
        """The pointer moved, pressed or not."""
        changed = self.handling.move(event)
        if changed == "view":
            self.view_moved_by_hand()
        elif changed == "wipe":
            self._repaint_all()
            self.wipe_changed.emit(self.wipe)
        self._pointer_at(event)

    def pointer_released(self, event: PointerEvent) -> None:
        """The button, pen or finger went up."""
        is_complete = self.handling.release(event)
        self._pointer_at(event)
        if is_complete:
            self.tool_finished.emit()

    def cancel_gesture(self) -> bool:
        """Take back a running stroke and let go of the view; whether there was anything."""
        was_pinching = self.pointers.end_pinch()
        was_any, was_tool = self.handling.cancel()
        self._update_cursor()
        if was_tool:
            self.tool_finished.emit()
        return was_any or was_pinching

    def resize_brush(self, factor: float) -> None:
        """Multiply the brush size of the tool, and show it."""
        if self.tool is not None:
            self.tool.resize_brush(factor)
            self._update_ring()

    def _pointer_at(self, event: PointerEvent) -> None:
        self._update_ring()
        self._update_cursor()
        x, y = self.viewport.to_canvas(*event.view_xy)
        self.cursor_moved.emit(x, y)

    # -- keys and focus

    def event(self, event: QEvent) -> bool:
        """Take what Qt would use otherwise: pointers, Tab, and keys that are shortcuts elsewhere."""
        kind = event.type()
        if self.isEnabled() and self.pointers.take(event):
            return True
        if isinstance(event, QKeyEvent):
            if kind == QEvent.Type.ShortcutOverride and self._wants_key(event):
                event.accept()
                return True
            if event.key() == Qt.Key.Key_Tab and event.modifiers() == Qt.KeyboardModifier.NoModifier:
                if not event.isAutoRepeat():
                    self.set_comparing(kind == QEvent.Type.KeyPress)
                return True
        if kind == QEvent.Type.DevicePixelRatioChange:
            self._new_size()
        return super().event(event)

    def _wants_key(self, event: QKeyEvent) -> bool:
        """Is the key the canvas's own before it is anybody's shortcut?"""
        key = event.key()
        is_plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if key == Qt.Key.Key_Space or (key == Qt.Key.Key_Tab and is_plain):
            return True
        return self.handling.is_busy and key in (
            Qt.Key.Key_Escape,
            Qt.Key.Key_Return,
            Qt.Key.Key_Enter,
            Qt.Key.Key_Backspace,
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space readies a drag of the view, Esc takes a stroke back, F6 moves on; the rest is the tool's."""
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.handling.has_space = True
                self._update_cursor()
                self._update_ring()
        elif key == Qt.Key.Key_Escape:
            if not self.cancel_gesture():
                event.ignore()
        elif key == Qt.Key.Key_F6:
            self.focusNextPrevChild(not event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        elif self.tool is None or not self.tool.key(key):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Space is let go."""
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.handling.has_space = False
                self._update_cursor()
                self._update_ring()
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Keys that were held are not known to be held any more."""
        self.handling.has_space = False
        self.set_comparing(False)
        self._update_cursor()
        super().focusOutEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """The pointer is elsewhere; so is the ring."""
        if self.handling.is_idle:
            self.handling.pointer_xy = None
            self._update_ring()
            self.cursor_left.emit()
        super().leaveEvent(event)

    # -- ring and cursor

    def _update_ring(self) -> None:
        """Repaint where the ring was and where it is; the picture beneath is not painted again."""
        outline, at = self.handling.outline(), self.handling.pointer_xy
        before, self._ring = self._ring, QRect()
        if outline is not None and at is not None:
            radius = outline.diameter_px / 2 * self.viewport.view_scale
            self._ring = ring_bounds(QPointF(*at), radius).toAlignedRect()
        for rect in (before, self._ring):
            if not rect.isEmpty():
                self.update(rect)

    def _update_cursor(self) -> None:
        shape = self.handling.cursor()
        wanted = QCursor(shape)
        if isinstance(shape, QCursor) or self.cursor().shape() != wanted.shape():
            self.setCursor(wanted)

    # -- files

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped."""
        if _paths(event.mimeData()):
            self._is_dropping = True
            event.acceptProposedAction()
            self.update()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Files may be dropped anywhere."""
        if self._is_dropping:
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """They were taken away again."""
        self._is_dropping = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        """Say which files were dropped."""
        self._is_dropping = False
        self.update()
        paths = _paths(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.files_dropped.emit(paths)


def _paths(data: QMimeData) -> list[str]:
    """The local files of a drop."""
    return [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
