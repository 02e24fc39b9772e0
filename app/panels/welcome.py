"""The window without a picture: a place to drop one, and the ways to get one."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.icons import pixmap
from app.key_words import key_text
from app.theme import current_theme

MAX_RECENT = 6
CARD_WIDTH_PX = 520
LEAST_WIDTH_PX = 384
"""Both buttons, and the longer line of words, with their margins."""
LEAST_HEIGHT_PX = 160
"""Title and buttons, with their margins."""
MARGIN_PX = 24
GAP_PX = 8
"""Least room between the card and what is around it."""


class Welcome(QWidget):
    """What is shown while no document is open."""

    open_asked = Signal()
    """The user wants to choose a file."""
    sample_asked = Signal()
    """The user wants something to try things on."""
    file_asked = Signal(str)
    """The user chose a recent file, by its path."""
    files_dropped = Signal(list)
    """Paths of files that were dropped."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self.setAccessibleName("Start")
        self.setAcceptDrops(True)
        self._is_target = False
        card = QFrame(self)
        card.setObjectName("welcome_card")
        card.setMaximumWidth(CARD_WIDTH_PX)
        card.setMinimumWidth(LEAST_WIDTH_PX)
        card.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self._card = card
        self._picture = QLabel(card)
        self._picture.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        title = QLabel("Drop a photo here", card)
        title.setProperty("look", "title")
        title.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        words = QLabel(
            "Brush over what should go, and Pentimento fills it in.\nYour pictures never leave this computer.",
            card,
        )
        words.setObjectName("welcome_words")
        words.setWordWrap(True)  # beside the docks of an 800 px wide screen there is no room for a line
        words.setProperty("look", "dim")
        words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._words = words
        self._open = QPushButton("Open a Photo…", card)
        self._open.setObjectName("welcome_open")
        self._open.setAccessibleName("Open a photo")
        self._open.setProperty("look", "primary")
        self._open.clicked.connect(self.open_asked)
        sample = QPushButton("Try a Sample", card)
        sample.setObjectName("welcome_sample")
        sample.setAccessibleName("Try a sample")
        sample.setToolTip("Opens a photo with a mask to try things on")
        sample.clicked.connect(self.sample_asked)
        for button in (self._open, sample):
            button.setMinimumHeight(34)
            button.setMinimumWidth(150)
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch(1)
        buttons.addWidget(self._open)
        buttons.addWidget(sample)
        buttons.addStretch(1)
        self._recent_title = QLabel("Recent", card)
        self._recent_title.setProperty("look", "heading")
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        layout = QVBoxLayout(card)
        layout.setContentsMargins(MARGIN_PX, 22, MARGIN_PX, 14)
        layout.setSpacing(8)
        layout.addWidget(self._picture)
        layout.addSpacing(6)
        layout.addWidget(title)
        layout.addWidget(words)
        layout.addSpacing(14)
        layout.addLayout(buttons)
        layout.addSpacing(16)
        layout.addWidget(self._recent_title)
        layout.addLayout(self._recent)
        outer = QVBoxLayout(self)
        outer.addStretch(1)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(card, 2)
        row.addStretch(1)
        outer.addLayout(row)
        outer.addStretch(1)
        self.set_recent(())
        self.refresh_theme()

    def set_recent(self, paths: Sequence[Path]) -> None:
        """List the files that were open last, newest first; those that are gone are left out."""
        while (item := self._recent.takeAt(0)) is not None:
            item.widget().deleteLater()
        shown = [path for path in paths if path.exists()][:MAX_RECENT]
        for index, path in enumerate(shown):
            button = QPushButton(path.name, self._card)
            button.setObjectName(f"welcome_recent_{index}")
            button.setAccessibleName(f"Open {path.name}")
            button.setToolTip(str(path))
            button.setProperty("look", "link")
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda _=False, path=path: self.file_asked.emit(str(path)))
            self._recent.addWidget(button)
        self._fit()

    def _fit(self) -> None:
        """Show what there is room for beside title and buttons, and of a long name its beginning and its end."""
        buttons = [self._recent.itemAt(index).widget() for index in range(self._recent.count())]
        room_px = self._card.width() - 2 * MARGIN_PX
        for button in buttons:
            assert isinstance(button, QPushButton), "only buttons are put there"
            name = Path(button.toolTip()).name
            button.setText(button.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, room_px))
        groups: list[tuple[QWidget, ...]] = [
            (self._words,),
            (self._picture,),
        ]  # what is wanted most comes first
        groups += [
            (button,) if index else (self._recent_title, button) for index, button in enumerate(buttons)
        ]
        self._recent_title.hide()
        for count in range(len(groups), -1, -1):
            for index, group in enumerate(groups):
                for part in group:
                    part.setVisible(index < count)
            self._recent.invalidate()  # a layout within another hears later of what is hidden
            self._card.layout().invalidate()
            if self._card.layout().totalHeightForWidth(self._card.width()) <= self.height() - 2 * GAP_PX:
                break

    def set_open_key(self, key: QKeySequence) -> None:
        """Say on the button's tooltip which key does the same."""
        self._open.setToolTip(f"Open a photo or a document ({key_text(key)})")

    def refresh_theme(self) -> None:
        """Take the colours in force."""
        self._picture.setPixmap(pixmap("image", 44, current_theme().dim_text))
        self.update()

    # Qt's overrides --------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Make the best of another size."""
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Room for title and buttons alone: what lies above may need the rest."""
        return QSize(super().minimumSizeHint().width(), LEAST_HEIGHT_PX)

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """No: the words wrap, but they go where there is no room for them."""
        return False

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """The ground, and round the card the dashed line that says "drop here"."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(theme.canvas))
        pen = QPen(QColor(theme.focus if self._is_target else theme.dim_text), 2 if self._is_target else 1.4)
        pen.setStyle(Qt.PenStyle.CustomDashLine)
        pen.setDashPattern([5, 4])
        painter.setPen(pen)
        painter.setBrush(QColor(theme.window))
        painter.drawRoundedRect(QRectF(self._card.geometry()), 12, 12)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Take files."""
        if event.mimeData().hasUrls():
            self._set_target(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802
        """They went elsewhere."""
        self._set_target(False)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Files arrived."""
        self._set_target(False)
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.files_dropped.emit(paths)

    def _set_target(self, is_target: bool) -> None:
        self._is_target = is_target
        self.update()
