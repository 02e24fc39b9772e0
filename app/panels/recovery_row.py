"""One piece of unsaved work in the offer: what it is, how much of it there is, and what can be done with it.

A row keeps its height and its place whatever becomes of the work, so that a second click never meets another row. Where
*Discard* was is nothing to press afterwards; *Undo* stands in the place of *Recover*.
"""

from datetime import date, datetime
from typing import Any, Literal

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.icons import pixmap
from app.theme import current_theme

State = Literal["offered", "recovering", "recovered", "kept", "failed", "discarded"]
"""What became of a piece of work; ``kept``: recovered from a journal that is damaged and stays."""
THUMBNAIL_PX = 48
ROW_PX = 60

_DAMAGE_WORDS = {
    "folder": "Its folder cannot be read; check its permissions.",
    "start": "Its picture is damaged: nothing can be brought back.",
    "picture": "Part of its picture is damaged; the rest comes back.",
    "later": "Newer steps need a later version; the rest comes back.",
    "steps": "The last steps are damaged; the rest comes back.",
}
_STATE_WORDS: dict[State, str] = {
    "recovering": "Recovering…",
    "recovered": "Recovered.",
    "kept": "Recovered up to the damage; kept until you discard it.",
    "failed": "It could not be opened; kept until you discard it.",
    "discarded": "Discarded; deleted when this window closes.",
}


class RecoveryRow(QFrame):
    """A row of the offer.

    Args:
        index: of the row, for the names of its buttons.
        item: a `Recoverable`.
    """

    recover_asked = Signal()
    discard_asked = Signal()
    undo_asked = Signal()

    def __init__(self, index: int, item: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"recovery_row_{index}")
        self.setFixedHeight(ROW_PX)
        self.item = item
        self.state: State = "offered"
        self._thumbnail = QLabel(self)
        self._thumbnail.setFixedSize(THUMBNAIL_PX, THUMBNAIL_PX)
        self._name = ElidedLabel(item.name, self)
        self._name.setProperty("look", "heading")
        self._name.setToolTip(str(item.path) if item.path is not None else "Never saved to a file")
        self._detail = ElidedLabel(detail_words(item), self)
        self._detail.setProperty("look", "dim")
        self._note = ElidedLabel("", self)
        self._note.setObjectName(f"recovery_note_{index}")
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addStretch(1)
        for label in (self._name, self._detail, self._note):
            words.addWidget(label)
        words.addStretch(1)
        self._recover = self._button(f"recover_{index}", "Recover", self.recover_asked)
        self._recover.setProperty("look", "primary")
        self._undo = self._button(f"undo_discard_{index}", "Undo", self.undo_asked)
        self._undo.setAccessibleName(f"Undo discarding {item.name}")
        self._discard = self._button(f"discard_{index}", "Discard", self.discard_asked)
        buttons = QGridLayout()
        buttons.setHorizontalSpacing(8)
        buttons.addWidget(self._recover, 0, 0)
        buttons.addWidget(self._undo, 0, 0)
        buttons.addWidget(self._discard, 0, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self._thumbnail)
        layout.addLayout(words, 1)
        layout.addLayout(buttons)
        self.set_state("offered")

    def set_state(self, state: State) -> None:
        """Show what became of the work."""
        self.state = state
        is_open = state in ("offered", "recovering", "failed")
        self._recover.setVisible(is_open)
        self._recover.setEnabled(state != "recovering" and "start" not in self.item.damage)
        self._undo.setVisible(state == "discarded")
        self._discard.setVisible(is_open or state == "kept")
        self._discard.setEnabled(state != "recovering")
        self.refresh_theme()

    def refresh_theme(self) -> None:
        """Take the colours in force."""
        theme = current_theme()
        damage = [words for key, words in _DAMAGE_WORDS.items() if key in self.item.damage]
        note = _STATE_WORDS.get(self.state) or next(iter(damage), "")
        is_warning = self.state in ("kept", "failed") or (self.state == "offered" and bool(damage))
        self._note.set_full_text(note)
        self._note.setVisible(bool(note))
        self._note.setStyleSheet(f"color: {theme.warning if is_warning else theme.text};")
        self._name.setEnabled(self.state != "discarded")
        self._thumbnail.setPixmap(self._picture(theme.base, theme.dim_text))
        self.setAccessibleDescription(" ".join(filter(None, (detail_words(self.item), note))))

    def _button(self, name: str, words: str, asked: Any) -> QPushButton:
        button = QPushButton(words, self)
        button.setObjectName(name)
        button.setAccessibleName(f"{words} {self.item.name}")
        button.setMinimumWidth(84)
        policy = button.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        button.setSizePolicy(policy)
        button.clicked.connect(asked)
        return button

    def _picture(self, ground: str, line: str) -> QPixmap:
        """The thumbnail, cut to a square, or a sign where there is none; faint once the work is discarded."""
        ratio = self.devicePixelRatioF()
        side = round(THUMBNAIL_PX * ratio)
        found = QPixmap()
        if self.item.thumbnail is not None:
            found.loadFromData(self.item.thumbnail, "PNG")
        made = QPixmap(side, side)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QPainterPath()
        frame.addRoundedRect(QRectF(0, 0, side, side), 4 * ratio, 4 * ratio)
        painter.setClipPath(frame)
        painter.fillPath(frame, QColor(ground))
        painter.setOpacity(0.4 if self.state == "discarded" else 1.0)
        if found.isNull():
            found = pixmap("image", 24, line)
            found.setDevicePixelRatio(1.0)
        else:
            wanted = QSize(side, side)
            found = found.scaled(
                wanted,
                Qt.AspectRatioMode.KeepAspectRatioByExpanding,
                Qt.TransformationMode.SmoothTransformation,
            )
        painter.drawPixmap((side - found.width()) // 2, (side - found.height()) // 2, found)
        painter.end()
        made.setDevicePixelRatio(ratio)
        return made


class ElidedLabel(QLabel):
    """One line of plain text, cut off where there is no room for it; all of it in the tooltip then.

    Args:
        text: whole; another's, so nothing in it is taken for markup.
    """

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(40)
        self._full = ""
        self.set_full_text(text)

    def set_full_text(self, text: str) -> None:
        """Show another text."""
        self._full = text
        self.setAccessibleName(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Cut the text to the new width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(self._full, Qt.TextElideMode.ElideRight, self.width())
        self.setText(shown)
        if shown != self._full:
            self.setToolTip(self._full)


def detail_words(item: Any) -> str:
    """When it was worked on, how much there is, and whether a file holds any of it."""
    parts = [_when_words(item.when)]
    if item.steps:
        parts.append(_count(item.steps, "step"))
    if item.results:
        parts.append(_count(item.results, "result"))
    if item.path is None:
        parts.append("never saved")
    return ", ".join(parts)


def _when_words(when: datetime | None) -> str:
    if when is None:
        return "At an unknown time"
    local = when.astimezone()
    days = (date.today() - local.date()).days
    day = {0: "Today", 1: "Yesterday"}.get(days, f"{local.day} {local:%B}")
    year = "" if local.year == date.today().year or 0 <= days <= 1 else f" {local.year}"
    return f"{day}{year} at {local:%H:%M}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
