"""The shortcut sheet: every key on one page, by area, with a field to search it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.action_table import AREAS
from app.actions import ActionRegistry
from app.key_words import key_text
from app.keys import profile_in_force
from app.settings import settings_store

COLUMNS = 3

GESTURES = (
    ("Space + drag", "Move the picture"),
    ("Middle button + drag", "Move the picture"),
    ("Wheel", "Zoom at the pointer"),
    ("Ctrl+Space + drag", "Zoom"),
    ("Shift+Space + drag", "Turn the view"),
    ("Alt + wheel", "Brush size"),
    ("Alt + right button + drag", "Brush size"),
    ("Shift + click", "Straight line from the last stroke"),
    ("Shift while drawing", "Straight line, square, circle"),
    ("Alt while drawing", "Take away from the mask"),
    ("Ctrl with a brush", "Take away from the mask"),
    ("Ctrl with a shape", "Keep what both have"),
    ("Hold Tab", "The picture without the result"),
)
"""What the canvas does with pointer and keys together, in every profile."""
OWN_GESTURES = {"shift_drag_sizes": ("Shift + drag", "Brush size")}
"""What a profile of keys may add."""


class ShortcutSheet(QDialog):
    """A page of keys; not modal, so it can stand beside the work.

    Args:
        registry: whose keys are shown.
        on_change: opens the dialog that changes them.
        parent: the window.
    """

    def __init__(self, registry: ActionRegistry, on_change: object, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("shortcut_sheet")
        self.setWindowTitle("Keyboard Shortcuts")
        self._registry = registry
        self.search = QLineEdit(self)
        self.search.setObjectName("shortcut_search")
        self.search.setAccessibleName("Search shortcuts")
        self.search.setPlaceholderText("Search")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        change = QPushButton("Change Keys…", self)
        change.setObjectName("shortcut_change")
        change.setAutoDefault(False)
        change.clicked.connect(on_change)
        top = QHBoxLayout()
        top.addWidget(self.search, 1)
        top.addWidget(change)
        self._page = QWidget(self)
        self._page.setObjectName("shortcut_page")
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self._page)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 18, 20, 18)
        layout.setSpacing(14)
        layout.addLayout(top)
        layout.addWidget(scroll, 1)
        self._rows: list[tuple[QWidget, str]] = []
        self._groups: list[tuple[QWidget, list[QWidget]]] = []
        self._none = QLabel("No shortcut has these words in it", self)
        self._none.setProperty("look", "dim")
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._none.hide()
        layout.addWidget(self._none)
        self._build()
        self.resize(980, 640)

    def shown_rows(self) -> list[str]:
        """Words of the rows that can be seen, for tests."""
        return [words for row, words in self._rows if not row.isHidden()]

    def _build(self) -> None:
        columns = QHBoxLayout(self._page)
        columns.setContentsMargins(0, 0, 8, 0)
        columns.setSpacing(36)
        stacks = []
        for _ in range(COLUMNS):
            stack = QVBoxLayout()
            stack.setSpacing(18)
            columns.addLayout(stack, 1)
            stacks.append([stack, 0])
        for title, rows in self._areas():
            stack = min(stacks, key=lambda item: item[1])
            stack[0].addWidget(self._group(title, rows))
            stack[1] += len(rows) + 2
        for stack, _count in stacks:
            stack.addStretch(1)

    def _areas(self) -> list[tuple[str, list[tuple[str, str]]]]:
        areas: list[tuple[str, list[tuple[str, str]]]] = []
        for area in AREAS:
            rows = [
                (spec.plain_text, key)
                for spec, action in self._registry.items()
                if spec.area == area and (key := key_words(action.shortcuts()))
            ]
            if rows:
                areas.append((area, rows))
        own = profile_in_force(settings_store().value.key_profile).gestures
        gestures = (*GESTURES, *(OWN_GESTURES[name] for name in sorted(own)))
        areas.append(("On the canvas", [(what, how) for how, what in gestures]))
        return sorted(areas, key=lambda item: -len(item[1]))

    def _group(self, title: str, rows: list[tuple[str, str]]) -> QWidget:
        group = QWidget(self._page)
        layout = QVBoxLayout(group)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        heading = QLabel(title, group)
        heading.setProperty("look", "heading")
        layout.addWidget(heading)
        made: list[QWidget] = []
        for text, keys in rows:
            row = QWidget(group)
            grid = QGridLayout(row)
            grid.setContentsMargins(0, 0, 0, 0)
            what = QLabel(text, row)
            what.setWordWrap(True)
            how = QLabel(keys, row)
            how.setProperty("look", "dim")
            how.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(what, 0, 0)
            grid.addWidget(how, 0, 1)
            grid.setColumnStretch(0, 1)
            layout.addWidget(row)
            made.append(row)
            self._rows.append((row, f"{text} {keys} {title}"))
        self._groups.append((group, made))
        return group

    def _filter(self, words: str) -> None:
        wanted = words.lower().split()
        for row, text in self._rows:
            row.setVisible(all(word in text.lower() for word in wanted))
        for group, rows in self._groups:
            group.setVisible(any(not row.isHidden() for row in rows))
        self._none.setVisible(all(row.isHidden() for row, _ in self._rows))


def key_words(keys: list[QKeySequence]) -> str:
    """Keys as the system writes them; a second way of typing the same key is left out."""
    words: list[str] = []
    for key in keys:
        text = key_text(key)
        if text not in words and text not in ("?", "Ctrl+="):
            words.append(text)
    return "  or  ".join(words)
