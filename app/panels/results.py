"""The results strip: every fill of the document as a thumbnail."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.fill import FillController


class ResultsStrip(QWidget):
    """Thumbnails of all results, and what can be done with one."""

    compare_asked = Signal(bool)
    """Show the wipe between the picture and the result, or put it away: `CanvasView.set_wipe`."""

    def __init__(self, controller: FillController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("results_strip")
        self._controller = controller

    def set_document(self, document: object | None) -> None:
        """Show another document, or none."""
