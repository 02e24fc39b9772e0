"""The legend of the edge layer: guessed, drawn, erased and locked edges, as the canvas paints them."""

from PySide6.QtGui import QPixmap, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from app.canvas.overlays import EDGE_STYLES, EdgeKind, MaskLook, legend_image
from app.panels.controls import named

SWATCH_WH = (44, 20)
"""Of a sample, in logical pixels: room for two dashes of every kind."""


class EdgeLegend(QWidget):
    """One sample and one word for each kind of edge."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "edge_legend", "Kinds of edges on the canvas")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._swatches: dict[EdgeKind, QLabel] = {}
        self._ratio = 0.0
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setHorizontalSpacing(8)
        layout.setVerticalSpacing(6)
        for place, (kind, style) in enumerate(EDGE_STYLES.items()):
            swatch, words = QLabel(self), QLabel(style.name, self)
            named(swatch, f"edge_legend_{kind}", f"Sample of {style.name.lower()} edges", style.tip)
            words.setToolTip(style.tip)
            swatch.setFixedSize(*SWATCH_WH)
            row, column = divmod(place, 2)
            layout.addWidget(swatch, row, 2 * column)
            layout.addWidget(words, row, 2 * column + 1)
            layout.setColumnStretch(2 * column + 1, 1)
            self._swatches[kind] = swatch

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Draw the samples in the pixels of the screen; before the first showing it is not known which."""
        super().resizeEvent(event)
        ratio = self.devicePixelRatioF()
        if ratio == self._ratio:
            return
        self._ratio = ratio
        for kind, swatch in self._swatches.items():
            swatch.setPixmap(QPixmap.fromImage(legend_image(kind, SWATCH_WH, ratio, MaskLook())))
