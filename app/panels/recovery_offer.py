"""The offer to take up work that was not saved when the program last ended."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.icons import pixmap
from app.theme import current_theme


class RecoveryOffer(QFrame):
    """A row for each piece of work; hidden while there is none."""

    recover_asked = Signal(object)
    """The user wants this one back."""
    discard_asked = Signal(object)
    """The user wants this one gone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("recovery_offer")
        self.setAccessibleName("Unsaved work")
        self._icon = QLabel(self)
        title = QLabel("There is unsaved work from last time", self)
        title.setProperty("look", "heading")
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self._icon)
        top.addWidget(title, 1)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addLayout(self._rows)
        self._items: list[Any] = []
        self.hide()

    @property
    def items(self) -> tuple[Any, ...]:
        """What is offered."""
        return tuple(self._items)

    def offer(self, items: Sequence[Any]) -> None:
        """Show these pieces of work; none hides the offer."""
        self._items = list(items)
        while (child := self._rows.takeAt(0)) is not None:
            child.widget().deleteLater()
        for index, item in enumerate(self._items):
            self._rows.addWidget(self._row(index, item))
        self.refresh_theme()
        self.setVisible(bool(self._items))

    def remove(self, item: Any) -> None:
        """It was taken or thrown away."""
        self.offer([other for other in self._items if other is not item])

    def refresh_theme(self) -> None:
        """Take the colours in force."""
        theme = current_theme()
        self._icon.setPixmap(pixmap("history", 20, theme.warning))
        self.setStyleSheet(
            f"#recovery_offer {{ background: {theme.window}; border: none; border-left: 4px solid {theme.warning}; "
            f"border-bottom: 1px solid {theme.faint_line}; }}"
        )

    def _row(self, index: int, item: Any) -> QWidget:
        row = QWidget(self)
        layout = QHBoxLayout(row)
        layout.setContentsMargins(32, 0, 0, 0)
        layout.setSpacing(8)
        name = QLabel(item.name, row)
        name.setTextFormat(Qt.TextFormat.PlainText)
        name.setToolTip(str(item.path))
        detail = QLabel(detail_words(item), row)
        detail.setProperty("look", "dim")
        recover = QPushButton("Recover", row)
        recover.setObjectName(f"recover_{index}")
        recover.setAccessibleName(f"Recover {item.name}")
        recover.setProperty("look", "primary")
        recover.clicked.connect(lambda: self.recover_asked.emit(item))
        discard = QPushButton("Discard", row)
        discard.setObjectName(f"discard_{index}")
        discard.setAccessibleName(f"Discard {item.name}")
        discard.clicked.connect(lambda: self.discard_asked.emit(item))
        layout.addWidget(name)
        layout.addWidget(detail, 1)
        layout.addWidget(recover)
        layout.addWidget(discard)
        return row


def detail_words(item: Any) -> str:
    """When it was worked on, and how much there is."""
    when = item.when
    if isinstance(when, (int, float)):
        when = datetime.fromtimestamp(when)
    elif isinstance(when, str):
        when = datetime.fromisoformat(when)
    when = when.astimezone()
    today = datetime.now().astimezone().date()
    day = "today" if when.date() == today else when.strftime("%d %B")
    steps = item.steps
    return f"{day} at {when:%H:%M}, {steps} {'step' if steps == 1 else 'steps'}"
