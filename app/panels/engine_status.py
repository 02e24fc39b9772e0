"""What the engine is doing, in the status bar."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.fill import FillController


class EngineStatus(QWidget):
    """Device, memory, the running job with its progress and a button to stop it."""

    def __init__(self, worker: QObject, controller: FillController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("engine_status")
        self._worker = worker
        self._controller = controller
