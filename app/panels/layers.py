"""The layers panel: what the document is made of, top first, and what can be done with a layer."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QListView,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.document.events import (
    ActiveLayerChanged,
    CanvasChanged,
    Event,
    LayerChanged,
    LayerListChanged,
    PixelsChanged,
)
from app.icons import set_icon
from app.panels.controls import named
from app.panels.layer_rows import VISIBLE_ROLE, LayerDelegate, LayerModel
from app.panels.mask_drop import MaskDrop

if TYPE_CHECKING:
    from app.canvas.overlays import MaskUse
    from app.document.document import Document
    from app.document.layers import Layer

THUMBNAIL_MS = 400
"""Thumbnails follow the pixels after this pause, so that a stroke never waits for them."""


class LayerList(QListView):
    """The list; Space shows or hides the chosen layer."""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Space shows or hides, Delete is the panel's."""
        index = self.currentIndex()
        if event.key() == Qt.Key.Key_Space and index.isValid():
            self.model().setData(index, not index.data(VISIBLE_ROLE), VISIBLE_ROLE)
        else:
            super().keyPressEvent(event)


class LayersPanel(QWidget):
    """The layers of one document."""

    mask_dropped = Signal(str)
    """A picture file was dropped on the mask's row: its path."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("layers_panel")
        self.setAccessibleName("Layers")
        self._document: Document | None = None
        self._stop = lambda: None
        self._stale: set[str] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(THUMBNAIL_MS)
        self._timer.timeout.connect(self._refresh_thumbnails)
        self._model = LayerModel(self)
        self.list = LayerList(self)
        self.list.setObjectName("layers_list")
        self.list.setAccessibleName("Layers, top first")
        self.list.setModel(self._model)
        self.list.setItemDelegate(LayerDelegate(self.list))
        self.list.setMouseTracking(True)
        self.list.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.selectionModel().currentChanged.connect(self._chosen)
        drop = MaskDrop(self.list.viewport(), self._is_mask_row)
        drop.dropped.connect(self.mask_dropped)
        drop.hovered.connect(self._show_drop)
        self._opacity = QSlider(Qt.Orientation.Horizontal, self)
        self._number = QSpinBox(self)
        for widget, name in ((self._opacity, "layer_opacity"), (self._number, "layer_opacity_value")):
            named(widget, name, "Opacity of the layer", "How much of the layers below the chosen one hides")
            widget.setRange(0, 100)
        self._number.setSuffix(" %")
        self._number.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self._number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._number.setFixedWidth(62)
        self._number.setKeyboardTracking(False)
        for signal in (self._opacity.valueChanged, self._number.valueChanged):
            signal.connect(self._set_opacity)
        label = QLabel("Opacity", self)
        label.setProperty("look", "dim")
        label.setBuddy(self._number)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(label)
        top.addWidget(self._opacity, 1)
        top.addWidget(self._number)
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        self._up = self._button("layer_up", "up", "Move layer up", lambda: self._move(1))
        self._down = self._button("layer_down", "down", "Move layer down", lambda: self._move(-1))
        self._delete = self._button("layer_delete", "delete", "Delete layer", self._remove)
        for button in (self._up, self._down):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._delete)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 8)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self.list, 1)
        layout.addLayout(buttons)
        self._refresh()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Room for four layers."""
        return QSize(280, 280)

    def set_mask_use(self, use: "MaskUse") -> None:
        """Name the mask after what it is for."""
        self._model.set_mask_use(use)

    def set_document(self, document: "Document | None") -> None:
        """Show another document, or none."""
        self._stop()
        self._document = document
        self._stop = document.observe(self._told) if document is not None else lambda: None
        self._model.set_document(document)
        self._follow_active()

    def chosen_layer(self) -> "Layer | None":
        """The layer of the chosen row."""
        return self._model.layer_at(self.list.currentIndex())

    def _is_mask_row(self, at: QPoint) -> bool:
        layer = self._model.layer_at(self.list.indexAt(at))
        return layer is not None and layer.kind == "mask"

    def _show_drop(self, is_here: bool) -> None:
        """Choose the mask's row while a file is held over it, so that it is seen what takes it."""
        if is_here and self._document is not None:
            self._document.active_layer_id = self._document.mask_layer.id

    # What the document says ------------------------------------------------------------------------------------------

    def _told(self, event: Event) -> None:
        if isinstance(event, PixelsChanged | CanvasChanged):
            self._stale |= self._changed_by(event)
            if not self._timer.isActive():
                self._timer.start()
        elif isinstance(event, LayerListChanged):
            self._model.reset_rows()
            self._follow_active()
        elif isinstance(event, LayerChanged):
            self._model.layer_changed(event.layer_id)
            self._refresh()
        elif isinstance(event, ActiveLayerChanged):
            self._follow_active()

    def _changed_by(self, event: PixelsChanged | CanvasChanged) -> set[str]:
        """Ids of layers that look different now; mask and edges have the size of the canvas."""
        if isinstance(event, PixelsChanged):
            return {event.layer_id}
        layers = self._document.layers if self._document is not None else ()
        return {layer.id for layer in layers if layer.kind != "picture"}

    def _refresh_thumbnails(self) -> None:
        stale, self._stale = self._stale, set()
        for layer_id in stale:
            self._model.pixels_changed(layer_id)

    def _follow_active(self) -> None:
        if self._document is not None:
            index = self._model.index_of(self._document.active_layer_id)
            with QSignalBlocker(self.list.selectionModel()):
                flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
                self.list.selectionModel().setCurrentIndex(index, flag)
            self.list.scrollTo(index)
            self.list.viewport().update()
        self._refresh()

    def _refresh(self) -> None:
        layer = self.chosen_layer()
        is_picture = layer is not None and layer.kind == "picture"
        document = self._document
        place = document.layers.index(layer) if document is not None and layer is not None else 0
        pictures = [one for one in document.layers if one.kind == "picture"] if document is not None else []
        self._up.setEnabled(is_picture and layer is not pictures[-1])
        self._down.setEnabled(is_picture and place > 0)
        self._delete.setEnabled(is_picture and len(pictures) > 1)
        for widget in (self._opacity, self._number):
            widget.setEnabled(is_picture)
            with QSignalBlocker(widget):
                widget.setValue(round(100 * layer.opacity) if layer is not None else 100)

    # What the user does ----------------------------------------------------------------------------------------------

    def _chosen(self, index: QModelIndex, _before: QModelIndex) -> None:
        layer = self._model.layer_at(index)
        if layer is not None and self._document is not None:
            self._document.active_layer_id = layer.id
        self._refresh()

    def _set_opacity(self, percent: int) -> None:
        layer = self.chosen_layer()
        if layer is None or self._document is None or round(100 * layer.opacity) == percent:
            return
        with self._document.begin("Layer opacity", merge_key=f"opacity {layer.id}") as change:
            change.set_layer(layer.id, opacity=percent / 100)

    def _move(self, by: int) -> None:
        layer, document = self.chosen_layer(), self._document
        if layer is None or document is None:
            return
        index = document.layers.index(layer) + by
        if 0 <= index < len(document.layers) and document.layers[index].kind == "picture":
            with document.begin("Move layer") as change:
                change.move_layer(layer.id, index)

    def _remove(self) -> None:
        layer = self.chosen_layer()
        if layer is not None and self._document is not None:
            with self._document.begin("Delete layer") as change:
                change.remove_layer(layer.id)

    def _button(self, name: str, icon_name: str, text: str, call: object) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        button.setToolTip(text)
        button.setProperty("look", "flat")
        button.setIconSize(QSize(18, 18))
        set_icon(button, icon_name)
        button.clicked.connect(call)
        return button
