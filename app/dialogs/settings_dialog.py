"""The settings dialog, made from the table in app/settings.py: a row a field, under its group. A change holds at once."""

from typing import Any, get_args

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.canvas.overlays import MASK_COLOURS
from app.keys import profiles
from app.panels.controls import named
from app.settings import Settings, SettingsStore

LABEL_WIDTH_PX = 104
GAP_PX = 14
FIELD_WIDTH_PX = 220


class SettingsDialog(QDialog):
    """All settings.

    Args:
        store: what is shown and changed.
        parent: the window.
    """

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("settings_dialog")
        self.setWindowTitle("Settings")
        self._store = store
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 18, 22, 16)
        layout.setSpacing(4)
        groups: set[str] = set()
        for name, field in Settings.model_fields.items():
            extra: dict[str, Any] = field.json_schema_extra or {}  # type: ignore[assignment]
            if extra.get("widget") == "none":
                continue
            if extra["group"] not in groups:
                layout.addSpacing(12 if groups else 0)
                groups.add(extra["group"])
                heading = QLabel(extra["group"], self)
                heading.setProperty("look", "heading")
                layout.addWidget(heading)
            widget = self._editor(name, field, extra)
            named(widget, f"setting_{name}", field.title, f"{field.description}.")
            layout.addLayout(self._row("" if field.annotation is bool else field.title, widget))
            help_line = QLabel(f"{field.description}.", self)
            help_line.setProperty("look", "dim")
            indented = QHBoxLayout()
            indented.addSpacing(LABEL_WIDTH_PX + GAP_PX)
            indented.addWidget(help_line, 1)
            layout.addLayout(indented)
            layout.addSpacing(8)
        layout.addStretch(1)
        layout.addSpacing(10)
        box = QDialogButtonBox(self)
        reset = box.addButton("Reset All", QDialogButtonBox.ButtonRole.ResetRole)
        reset.setObjectName("settings_reset")
        reset.setToolTip("Every setting as it was when the program was new")
        reset.clicked.connect(self._reset)
        done = box.addButton(QDialogButtonBox.StandardButton.Close)
        done.clicked.connect(self.close)
        layout.addWidget(box)
        self._stop = store.observe(lambda _: self._refresh())
        self.destroyed.connect(self._stop)
        self._refresh()
        self.setMinimumWidth(660)

    def _row(self, title: str, widget: QWidget) -> QHBoxLayout:
        words = QLabel(title, self)
        words.setFixedWidth(LABEL_WIDTH_PX)
        words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        words.setBuddy(widget)
        if isinstance(widget, (QComboBox, QSlider)):
            widget.setFixedWidth(FIELD_WIDTH_PX)
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        row.addWidget(words)
        row.addWidget(widget)
        row.addStretch(1)
        return row

    def _editor(self, name: str, field: Any, extra: dict[str, Any]) -> QWidget:
        if extra.get("widget") == "mask_colour":
            return self._colours(name)
        if extra.get("widget") == "key_profile":
            return self._choices(name, [(profile.title, profile.name) for profile in profiles()])
        if field.annotation is bool:
            check = QCheckBox(field.title, self)
            check.toggled.connect(lambda is_on: self._store.change(**{name: is_on}))
            return check
        if field.annotation is float:
            slider = QSlider(Qt.Orientation.Horizontal, self)
            low = next(rule.ge for rule in field.metadata if hasattr(rule, "ge"))
            high = next(rule.le for rule in field.metadata if hasattr(rule, "le"))
            slider.setRange(round(low * 100), round(high * 100))
            slider.valueChanged.connect(lambda value: self._store.change(**{name: value / 100}))
            return slider
        keys = extra.get("choices") or get_args(field.annotation)
        words = {"cpu": "Processor", "cuda": "Graphics card", "auto": "Choose by itself"}
        return self._choices(name, [(words.get(key, key.capitalize()), key) for key in keys])

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> QComboBox:
        box = QComboBox(self)
        for text, key in choices:
            box.addItem(text, key)
        box.activated.connect(lambda index: self._store.change(**{name: box.itemData(index)}))
        return box

    def _colours(self, name: str) -> QComboBox:
        box = self._choices(name, [(key.capitalize(), key) for key in MASK_COLOURS])
        for index, rgb in enumerate(MASK_COLOURS.values()):
            box.setItemIcon(index, _swatch(QColor(*rgb)))
        return box

    def _reset(self) -> None:
        kept = {"own_keys", "brushes"}
        fresh = Settings()
        self._store.change(
            **{name: getattr(fresh, name) for name in Settings.model_fields if name not in kept}
        )

    def _refresh(self) -> None:
        for name, value in self._store.value.model_dump().items():
            widget = self.findChild(QWidget, f"setting_{name}")
            if isinstance(widget, QCheckBox):
                widget.setChecked(value)
            elif isinstance(widget, QSlider):
                widget.setValue(round(value * 100))
            elif isinstance(widget, QComboBox):
                index = widget.findData(value)
                if index < 0:  # written by hand into the file, such as cuda:1
                    widget.addItem(str(value), value)
                    index = widget.count() - 1
                widget.setCurrentIndex(index)


def _swatch(colour: QColor) -> QIcon:
    picture = QPixmap(16, 16)
    picture.fill(colour)
    return QIcon(picture)
