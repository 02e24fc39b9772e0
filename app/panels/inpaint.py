"""The panel of the fill tool."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.canvas.tools.context import ToolContext
from app.fill import FillController


class InpaintPanel(QWidget):
    """Everything that says how a hole is filled."""

    load_mask_asked = Signal()
    """The window asks for a file and loads it as mask."""
    save_mask_asked = Signal()
    """The window asks for a file and saves the mask to it."""
    edges_shown = Signal(bool)
    """Show the edge layer over the hole, or hide it."""

    def __init__(
        self, controller: FillController, context: ToolContext, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("inpaint_panel")
        self._controller = controller
        self._context = context

    def set_document(self, document: object | None) -> None:
        """Show another document, or none."""
