"""The offer to take up work that was not saved when the program last ended."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget

from app.icons import pixmap, set_icon
from app.panels.recovery_row import ROW_PX, RecoveryRow, State
from app.theme import current_theme

SHOWN_ROWS = 3
"""Rows that are seen at once; the others are scrolled to."""


class RecoveryOffer(QFrame):
    """A row for each piece of work; hidden while there is none, and once all of them are recovered."""

    recover_asked = Signal(object)
    """The user wants this one back."""
    discard_asked = Signal(object)
    """The user wants this one gone."""
    undo_asked = Signal(object)
    """The user wants this one after all."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("recovery_offer")
        self.setAccessibleName("Unsaved work")
        self._icon = QLabel(self)
        self._title = QLabel("Unsaved work from last time", self)
        self._title.setProperty("look", "heading")
        self._close = QToolButton(self)
        self._close.setObjectName("recovery_close")
        self._close.setAccessibleName("Hide unsaved work")
        self._close.setToolTip("Hide this; File > Unsaved Work shows it again, and so does the next start")
        self._close.setProperty("look", "flat")
        set_icon(self._close, "close")
        self._close.clicked.connect(self.hide)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self._icon)
        top.addWidget(self._title, 1)
        top.addWidget(self._close)
        self._list = QWidget(self)
        self._list.setObjectName("recovery_list")
        self._places = QVBoxLayout(self._list)
        self._places.setContentsMargins(0, 0, 0, 0)
        self._places.setSpacing(0)
        self._scroll = QScrollArea(self)
        self._scroll.setObjectName("recovery_scroll")
        self._scroll.setWidgetResizable(True)
        self._scroll.setWidget(self._list)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 6, 8, 8)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self._scroll)
        self._rows: list[RecoveryRow] = []
        self.hide()

    @property
    def items(self) -> tuple[Any, ...]:
        """What is offered, whatever became of it."""
        return tuple(row.item for row in self._rows)

    def state_of(self, item: Any) -> State:
        """What became of a piece of work."""
        return self._row(item).state

    def offer(self, items: Sequence[Any]) -> None:
        """Show these pieces of work; none hides the offer."""
        for row in self._rows:
            self._places.removeWidget(row)
            row.deleteLater()
        self._rows = [self._new_row(index, item) for index, item in enumerate(items)]
        self._scroll.setFixedHeight(ROW_PX * min(SHOWN_ROWS, len(self._rows)))
        self.refresh_theme()
        self.setVisible(bool(self._rows))

    def set_state(self, item: Any, state: State) -> None:
        """Show what became of a piece of work; all rows stay where they are."""
        self._row(item).set_state(state)
        if all(row.state == "recovered" for row in self._rows):
            self.offer(())

    def refresh_theme(self) -> None:
        """Take the colours in force."""
        theme = current_theme()
        self._icon.setPixmap(pixmap("history", 20, theme.warning))
        self.setStyleSheet(
            f"#recovery_offer {{ background: {theme.window}; border: none; border-left: 4px solid {theme.warning}; "
            f"border-bottom: 1px solid {theme.faint_line}; }} #recovery_list {{ background: transparent; }}"
        )
        for row in self._rows:
            row.refresh_theme()

    def _row(self, item: Any) -> RecoveryRow:
        return next(row for row in self._rows if row.item is item)

    def _new_row(self, index: int, item: Any) -> RecoveryRow:
        row = RecoveryRow(index, item, self._list)
        row.recover_asked.connect(lambda: self.recover_asked.emit(item))
        row.discard_asked.connect(lambda: self.discard_asked.emit(item))
        row.undo_asked.connect(lambda: self.undo_asked.emit(item))
        self._places.addWidget(row)
        return row
