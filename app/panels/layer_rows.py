"""Layers as rows of a list, top layer first: the model, and how a row is drawn.

Elsewhere: the panel with its buttons in layers.py.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.icons import pixmap
from app.theme import current_theme

if TYPE_CHECKING:
    from app.canvas.overlays import MaskUse
    from app.document.document import Document
    from app.document.layers import Layer
    from app.document.recipe import Step

ROW_PX = 40
EYE_PX = 34
THUMB_W_PX = 40
THUMB_H_PX = 30
VISIBLE_ROLE = Qt.ItemDataRole.UserRole + 1
THUMB_ROLE = Qt.ItemDataRole.UserRole + 2
DETAIL_ROLE = Qt.ItemDataRole.UserRole + 3
ID_ROLE = Qt.ItemDataRole.UserRole + 4
KINDS = {"picture": "Picture", "mask": "What is filled", "edges": "Lines the fill follows"}
KEPT = "What keeps its shape"
"""What the mask is where pictures are remade."""

Index = QModelIndex | QPersistentModelIndex


def _applied(step: "Step") -> str:
    """What became a layer."""
    return "Remade picture" if step.edit.get("family") == "retarget" else "Applied fill"


class LayerModel(QAbstractListModel):
    """The layers of a document, top first. Editing goes through the document's transactions."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document: Document | None = None
        self._thumbs: dict[str, QImage] = {}
        self._kinds: dict[str, str] = KINDS

    def set_document(self, document: "Document | None") -> None:
        """Show the layers of another document, or none."""
        self.beginResetModel()
        self._document = document
        self._thumbs.clear()
        self.endResetModel()

    def set_mask_use(self, use: "MaskUse") -> None:
        """Name the mask after what it is for."""
        self._kinds = {**KINDS, "mask": KEPT} if use == "keep" else KINDS
        if self.rowCount():
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))

    def reset_rows(self) -> None:
        """Layers came, went or moved."""
        self.beginResetModel()
        self.endResetModel()

    def layer_changed(self, layer_id: str) -> None:
        """A layer's name, visibility or opacity changed."""
        index = self.index_of(layer_id)
        if index.isValid():
            self.dataChanged.emit(index, index)

    def pixels_changed(self, layer_id: str) -> None:
        """A layer's thumbnail is to be made anew."""
        self._thumbs.pop(layer_id, None)
        self.layer_changed(layer_id)

    def index_of(self, layer_id: str) -> QModelIndex:
        """The row of a layer; invalid if there is none."""
        for row, layer in enumerate(self._layers()):
            if layer.id == layer_id:
                return self.index(row)
        return QModelIndex()

    def layer_at(self, index: Index) -> "Layer | None":
        """The layer of a row."""
        layers = self._layers()
        return layers[index.row()] if index.isValid() and index.row() < len(layers) else None

    def _layers(self) -> "list[Layer]":
        return list(reversed(self._document.layers)) if self._document is not None else []

    # Qt's overrides --------------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008
        """How many layers there are."""
        return 0 if parent.isValid() else len(self._layers())

    def flags(self, index: Index) -> Qt.ItemFlag:
        """All can be chosen; only pictures can be renamed."""
        layer = self.layer_at(index)
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsEditable if layer is not None and layer.kind == "picture" else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name, detail, visibility, thumbnail, and the words for a screen reader."""
        layer = self.layer_at(index)
        if layer is None:
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return layer.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            seen = "visible" if layer.is_visible else "hidden"
            return f"{layer.name}, {self._kinds[layer.kind].lower()}, {seen}"
        if role == Qt.ItemDataRole.ToolTipRole:
            x, y = layer.origin_xy
            return f"{layer.name}\n{layer.size_hw[1]} × {layer.size_hw[0]} px at {x}, {y}"
        if role == VISIBLE_ROLE:
            return layer.is_visible
        if role == DETAIL_ROLE:
            detail = _applied(layer.step) if layer.step is not None else self._kinds[layer.kind]
            return detail if layer.opacity >= 1 else f"{detail}, {layer.opacity * 100:.0f} %"
        if role == THUMB_ROLE:
            if layer.id not in self._thumbs:
                self._thumbs[layer.id] = thumbnail(layer)
            return self._thumbs[layer.id]
        if role == ID_ROLE:
            return layer.id
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:  # noqa: N802
        """Rename, show or hide a layer."""
        layer = self.layer_at(index)
        if layer is None or self._document is None:
            return False
        if role == Qt.ItemDataRole.EditRole and str(value).strip() and str(value).strip() != layer.name:
            with self._document.begin("Rename layer") as change:
                change.set_layer(layer.id, name=str(value).strip()[:200])
            return True
        if role == VISIBLE_ROLE and bool(value) != layer.is_visible:
            with self._document.begin("Show layer" if value else "Hide layer") as change:
                change.set_layer(layer.id, is_visible=bool(value))
            return True
        return False


class LayerDelegate(QStyledItemDelegate):
    """Draws a row: eye, thumbnail, name and detail; a click on the eye shows or hides."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        """Rows are of one height."""
        return QSize(180, max(ROW_PX, 2 * option.fontMetrics.height() + 10))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        theme = current_theme()
        is_chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        is_visible = bool(index.data(VISIBLE_ROLE))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if is_chosen:
            painter.fillRect(option.rect, option.palette.color(QPalette.ColorRole.Highlight))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, QColor(theme.window))
        text = theme.accent_text if is_chosen else theme.text if is_visible else theme.dim_text
        detail = theme.accent_text if is_chosen else theme.dim_text
        eye = eye_box(option.rect)
        painter.drawPixmap(
            eye.center().x() - 8, eye.center().y() - 8, pixmap("eye" if is_visible else "eye-off", 16, detail)
        )
        thumb: QImage = index.data(THUMB_ROLE)
        frame = QRect(eye.right() + 4, 0, THUMB_W_PX, THUMB_H_PX)
        frame.moveTop(option.rect.center().y() - THUMB_H_PX // 2)
        painter.fillRect(frame, QColor(theme.canvas))
        if not thumb.isNull():
            size = thumb.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(0, 0, size.width(), size.height())
            place.moveCenter(frame.center())
            painter.setOpacity(1.0 if is_visible else 0.4)
            painter.drawImage(place, thumb)
            painter.setOpacity(1.0)
        painter.setPen(QColor(theme.line))
        painter.drawRect(frame.adjusted(0, 0, -1, -1))
        words = option.rect.adjusted(frame.right() - option.rect.left() + 10, 0, -8, 0)
        height = option.fontMetrics.height()
        top = option.rect.center().y() - height
        painter.setPen(QColor(text))
        name = option.fontMetrics.elidedText(str(index.data()), Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(QRect(words.left(), top, words.width(), height), Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(QColor(detail))
        font = painter.font()
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.88))
        painter.setFont(font)
        line = painter.fontMetrics().elidedText(
            str(index.data(DETAIL_ROLE)), Qt.TextElideMode.ElideRight, words.width()
        )
        painter.drawText(
            QRect(words.left(), top + height, words.width(), height), Qt.AlignmentFlag.AlignVCenter, line
        )
        painter.restore()

    def editorEvent(  # noqa: N802
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index
    ) -> bool:
        """Show or hide the layer whose eye is clicked."""
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease:
            is_left = event.button() == Qt.MouseButton.LeftButton
            if is_left and eye_box(option.rect).contains(event.position().toPoint()):
                return bool(model.setData(index, not index.data(VISIBLE_ROLE), VISIBLE_ROLE))
        return super().editorEvent(event, model, option, index)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:  # noqa: N802
        """The field for a new name lies over the name, not over the eye."""
        left = eye_box(option.rect).right() + THUMB_W_PX + 8
        editor.setGeometry(option.rect.adjusted(left - option.rect.left(), 6, -4, -6))


def eye_box(row: QRect) -> QRect:
    """Where the eye of a row lies."""
    return QRect(row.left(), row.top(), EYE_PX, row.height())


def thumbnail(layer: "Layer", size_px: int = 2 * THUMB_W_PX) -> QImage:
    """A small picture of a layer: its pixels thinned out, or its planes as grey."""
    if layer.kind == "edges":
        planes = [_thinned(layer.planes[name], size_px) for name in ("drawn", "locked")]
        plane = np.maximum(planes[0], planes[1])
    else:
        plane = _thinned(layer.planes["pixels" if layer.kind == "picture" else "coverage"], size_px)
    if plane.dtype == np.uint16:
        plane = (plane >> 8).astype(np.uint8)
    return _to_image(plane)


def _thinned(plane: np.ndarray, size_px: int) -> np.ndarray:
    step = max(1, max(plane.shape[:2]) // size_px)
    return plane[step // 2 :: step, step // 2 :: step]


def _to_image(plane: np.ndarray) -> QImage:
    if plane.size == 0:
        return QImage()
    if plane.ndim == 3 and plane.shape[2] == 2:
        plane = plane[..., [0, 0, 0, 1]]
    elif plane.ndim == 3 and plane.shape[2] == 1:
        plane = plane[..., 0]
    formats = {
        2: QImage.Format.Format_Grayscale8,
        3: QImage.Format.Format_RGB888,
        4: QImage.Format.Format_RGBA8888,
    }
    plane = np.ascontiguousarray(plane)
    kind = formats[2 if plane.ndim == 2 else plane.shape[2]]
    image = QImage(plane.data, plane.shape[1], plane.shape[0], plane.strides[0], kind)
    return image.copy()
