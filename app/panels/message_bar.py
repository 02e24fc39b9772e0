"""Messages over the top of the canvas: what happened, in a sentence, and what to do next.

A message lies over the canvas and moves nothing: one that comes while a stroke is drawn must not shift the picture
under the pen. One is seen at a time; the newest replaces the one before. A fault stays until it is put away; what is
only worth knowing goes by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.icons import pixmap, set_icon
from app.theme import current_theme

Level = Literal["error", "warning", "info", "done"]
Topic = Literal[
    "",
    "open",
    "save",
    "export",
    "mask_file",
    "fill",
    "remake",
    "learning",
    "engine",
    "sample",
    "recovered",
    "request",
]
"""What a message speaks of; when that is over, it goes (`app.message_ends` says when). Without one it goes by itself."""
MARGIN_PX = 14
WIDTH_PX = 620
SHOWN_MS = 6000
"""How long news is shown; faults and questions stay."""


@dataclass(frozen=True)
class Message:
    """What is said."""

    level: Level
    title: str
    """A few words, without a full stop."""
    sentence: str = ""
    next_step: str = ""
    """What to do about it."""
    is_lasting: bool = False
    """Whether it stays until it is put away; faults and questions always do."""
    about: Topic = ""


@dataclass(frozen=True)
class Answer:
    """A button of a message."""

    text: str
    call: Callable[[], object]


class MessageBar(QFrame):
    """One message at a time, at the top of its parent; hidden while there is none."""

    closed = Signal()
    """The message was put away."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message_bar")
        self.setAccessibleName("Message")
        self.message: Message | None = None
        """What is shown now."""
        self._icon = QLabel(self)
        self._icon.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._icon.setContentsMargins(0, 2, 0, 0)
        self._title = self._label("message_title", "heading")
        self._sentence = self._label("message_sentence", "")
        self._next = self._label("message_next", "dim")
        words = QVBoxLayout()
        words.setSpacing(2)
        for label in (self._title, self._sentence, self._next):
            words.addWidget(label)
        self._answers = QHBoxLayout()
        self._answers.setSpacing(6)
        self._close = QToolButton(self)
        self._close.setObjectName("message_close")
        self._close.setAccessibleName("Close message")
        self._close.setToolTip("Put this message away (Esc)")
        self._close.setProperty("look", "flat")
        set_icon(self._close, "close")
        self._close.clicked.connect(self.put_away)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 10, 8, 10)
        layout.setSpacing(12)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        layout.addLayout(self._answers)
        layout.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.put_away)
        if parent is not None:
            parent.installEventFilter(self)
        self.hide()

    def show_message(self, message: Message, answers: Sequence[Answer] = ()) -> None:
        """Show a message in place of the one before.

        Args:
            message: what is said.
            answers: buttons; each puts the message away before it calls.
        """
        self.message = message
        for label, text in (
            (self._title, message.title),
            (self._sentence, message.sentence),
            (self._next, message.next_step),
        ):
            label.setText(text)
            label.setVisible(bool(text))
        while (item := self._answers.takeAt(0)) is not None:
            item.widget().deleteLater()
        for index, answer in enumerate(answers):
            button = QPushButton(answer.text, self)
            button.setObjectName(f"message_answer_{index}")
            if index == 0:
                button.setProperty("look", "primary")
            button.clicked.connect(lambda _=False, call=answer.call: self._answered(call))
            self._answers.addWidget(button)
        self.setAccessibleDescription(
            " ".join(filter(None, (message.title, message.sentence, message.next_step)))
        )
        self.refresh_theme()
        self.show()
        self.raise_()
        self._place()
        if message.level in ("info", "done") and not answers and not message.is_lasting:
            self._timer.start(SHOWN_MS)
        else:
            self._timer.stop()

    def settle(self, *topics: Topic) -> None:
        """What these messages speak of is over."""
        if self.message is not None and self.message.about and self.message.about in topics:
            self.put_away()

    def put_away(self) -> None:
        """Hide the message."""
        self._timer.stop()
        if self.message is not None:
            self.message = None
            self.hide()
            self.closed.emit()

    def refresh_theme(self) -> None:
        """Take the colours in force."""
        if self.message is None:
            return
        theme = current_theme()
        level = self.message.level
        colour = {"error": theme.error, "warning": theme.warning, "done": theme.good, "info": theme.focus}[
            level
        ]
        self._icon.setPixmap(pixmap({"error": "error", "warning": "warning"}.get(level, level), 20, colour))
        self.setStyleSheet(
            f"#message_bar {{ background: {theme.window}; border: 1px solid {theme.line}; "
            f"border-left: 4px solid {colour}; border-radius: 6px; }}"
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Stay at the top of the parent."""
        if event.type() == QEvent.Type.Resize and self.message is not None:  # also before the window is seen
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        parent = self.parentWidget()
        if parent is None:
            return
        width = min(WIDTH_PX, parent.width() - 2 * MARGIN_PX)
        layout = self.layout()
        layout.activate()
        height = layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else self.sizeHint().height()
        self.setGeometry(
            (parent.width() - width) // 2, MARGIN_PX, width, max(height, self.minimumSizeHint().height())
        )

    def _answered(self, call: Callable[[], object]) -> None:
        self.put_away()
        call()

    def _label(self, name: str, look: str) -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        if look:
            label.setProperty("look", look)
        return label
