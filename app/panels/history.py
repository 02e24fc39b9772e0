"""The history panel: every step with its name, the ones taken back in grey; a click goes there."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.document.events import Event, HistoryChanged
from app.theme import current_theme

if TYPE_CHECKING:
    from app.document.document import Document

START = "Opened"


class HistoryPanel(QWidget):
    """The steps of one document, oldest first."""

    failed = Signal(object)
    """An exception that a person should read."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("history_panel")
        self.setAccessibleName("History")
        self._document: Document | None = None
        self._stop: Callable[[], None] = lambda: None
        self.list = QListWidget(self)
        self.list.setObjectName("history_list")
        self.list.setAccessibleName("Steps, oldest first")
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.itemClicked.connect(lambda item: self.go_to(self.list.row(item)))
        self.list.itemActivated.connect(lambda item: self.go_to(self.list.row(item)))
        self._size = QLabel(self)
        self._size.setObjectName("history_size")
        self._size.setProperty("look", "dim")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 8)
        layout.setSpacing(6)
        layout.addWidget(self.list, 1)
        layout.addWidget(self._size)

    def sizeHint(self) -> QSize:  # noqa: N802
        """As the layers."""
        return QSize(280, 280)

    def set_document(self, document: "Document | None") -> None:
        """Show another document, or none."""
        self._stop()
        self._document = document
        self._stop = document.observe(self._told) if document is not None else lambda: None
        self.refresh()

    def go_to(self, row: int) -> None:
        """Undo or redo until the step of a row is the newest one done; row 0 is the picture as it was opened."""
        document = self._document
        if document is None:
            return
        try:
            while self._done() > row and document.undo():
                pass
            while self._done() < row and document.redo():
                pass
        except Exception as error:  # noqa: BLE001  (Qt would swallow it; the one door shows it)
            self.failed.emit(error)

    def refresh(self) -> None:
        """Take what is there."""
        self.list.clear()
        document = self._document
        if document is None:
            self._size.clear()
            return
        theme = current_theme()
        self._add(START, "The document as it was opened", theme.text)
        steps = document.history.steps()
        for step in steps:
            tip = f"{step.label}, {_clock(step.created)}, {_size_words(step.nbytes)}"
            self._add(
                step.label,
                tip if step.is_done else f"{tip}, undone",
                theme.text if step.is_done else theme.dim_text,
            )
            if not step.is_done:
                item = self.list.item(self.list.count() - 1)
                font = item.font()
                font.setItalic(True)
                item.setFont(font)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{step.label}, undone")
        self.list.setCurrentRow(self._done())
        self.list.scrollToItem(self.list.item(self._done()))
        count = len(steps)
        self._size.setText(
            f"{count} {'step' if count == 1 else 'steps'}, {_size_words(document.history.nbytes)}"
        )

    def _done(self) -> int:
        return (
            sum(step.is_done for step in self._document.history.steps()) if self._document is not None else 0
        )

    def _told(self, event: Event) -> None:
        if isinstance(event, HistoryChanged):
            self.refresh()

    def _add(self, text: str, tip: str, colour: str) -> None:
        item = QListWidgetItem(text)
        item.setToolTip(tip)
        item.setForeground(QColor(colour))
        item.setSizeHint(QSize(0, 28))
        self.list.addItem(item)


def _clock(created: str) -> str:
    try:
        return datetime.fromisoformat(created).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return created


def _size_words(count: int) -> str:
    if count < 1000:
        return f"{count} bytes"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    return f"{count / 1_000_000:.1f} MB"
