"""What an export has to ask: the quality of a JPEG or WebP, and the colour below what is clear.

The bytes that would come out are measured beside the window while the slider moves; the newest answer is shown, and
what is chosen is remembered for the next time.
"""

import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QColorDialog,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.background import Background
from app.export_way import ExportWay, size_words
from app.panels.controls import named
from app.settings import SettingsStore
from app.theme import current_theme
from engine.encoding import WEBP, format_of

MEASURE_AFTER_MS = 120
"""A slider that moves is measured where it rests, not at every step."""
_LABEL_WIDTH_PX = 88
_SWATCH_PX = 14

Measure = Callable[[ExportWay], tuple[int, tuple[str, ...]]]


class ExportDialog(QDialog):
    """The questions of one export.

    Args:
        path: the file that will be written.
        measure: gives the bytes of the file and what it could not keep; called beside the window.
        store: what was chosen the last time, and keeps what is chosen now.
        background: where it is measured; outlives the dialog.
        needs_colour: ask what is below what is clear.
        parent: the window.
    """

    measured = Signal()
    """The size that is shown is that of what is chosen."""

    def __init__(
        self,
        path: Path,
        measure: Measure,
        store: SettingsStore,
        background: Background,
        *,
        needs_colour: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("export_dialog")
        self._path = path
        self._measure = measure
        self._store = store
        chosen = format_of(path)
        assert chosen is not None, "asked only for names that say a format"
        self._format = chosen
        self._is_webp = chosen is WEBP
        self._needs_colour = needs_colour
        self._colour = store.value.flatten_colour
        self._background = background
        self._is_measuring = False
        self._is_over = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(MEASURE_AFTER_MS)
        self._timer.timeout.connect(self._measure_now)
        self._build()
        self._measure_soon()
        self._timer.start(0)

    @property
    def way(self) -> ExportWay:
        """What is chosen."""
        is_lossless = self._is_webp and self.lossless.isChecked()
        quality = self.quality.value() if self._format.has_quality and not is_lossless else None
        colour = QColor(self._colour)
        rgb = (colour.red(), colour.green(), colour.blue())
        return ExportWay(quality, rgb if self._needs_colour else None)

    def accept(self) -> None:
        """Remember what is chosen, and export."""
        if self._format.has_quality:
            key = "webp_quality" if self._is_webp else "jpeg_quality"
            self._store.change(**{key: self.quality.value()})
        if self._is_webp:
            self._store.change(is_webp_lossless=self.lossless.isChecked())
        if self._needs_colour:
            self._store.change(flatten_colour=self._colour)
        super().accept()

    def done(self, result: int) -> None:
        """Stop listening to what is measured."""
        self._is_over = True
        self._timer.stop()
        super().done(result)

    # Parts -----------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.setWindowTitle(f"Export {self._format.name}")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 18, 22, 16)
        layout.setSpacing(14)
        name = QLabel(self._path.name, self)
        name.setProperty("look", "heading")
        name.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        layout.addWidget(name)
        self._rows = QGridLayout()
        self._rows.setHorizontalSpacing(14)
        self._rows.setVerticalSpacing(4)
        self._rows.setColumnMinimumWidth(0, _LABEL_WIDTH_PX)
        self._rows.setColumnStretch(1, 1)
        self.size_label = QLabel("measuring…", self)
        self.size_label.setObjectName("export_size")
        self.size_label.setAccessibleName("Size of the file")
        if self._format.has_quality:
            self._build_quality()
        if self._needs_colour:
            self._build_colour()
        self._add_row("Size", self.size_label)
        layout.addLayout(self._rows)
        self.notes = QLabel(self)
        self.notes.setObjectName("export_notes")
        self.notes.setProperty("look", "dim")
        self.notes.setWordWrap(True)
        self.notes.hide()
        layout.addWidget(self.notes)
        layout.addStretch(1)
        box = QDialogButtonBox(self)
        go = QPushButton("&Export", self)
        go.setObjectName("export_go")
        go.setProperty("look", "primary")
        go.setDefault(True)
        box.addButton(go, QDialogButtonBox.ButtonRole.AcceptRole)
        box.addButton(QDialogButtonBox.StandardButton.Cancel)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        layout.addWidget(box)
        self.setMinimumWidth(460)

    def _build_quality(self) -> None:
        settings = self._store.value
        value = settings.webp_quality if self._is_webp else settings.jpeg_quality
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        named(self.slider, "export_slider", "Quality")
        self.slider.setRange(1, 100)
        self.slider.setPageStep(10)
        self.slider.setValue(value)
        self.quality = QSpinBox(self)
        named(self.quality, "export_quality", "Quality, as a number")
        self.quality.setRange(1, 100)
        self.quality.setValue(value)
        self.slider.valueChanged.connect(self.quality.setValue)
        self.quality.valueChanged.connect(self.slider.setValue)
        self.quality.valueChanged.connect(self._measure_soon)
        both = QHBoxLayout()
        both.setSpacing(10)
        both.addWidget(self.slider, 1)
        both.addWidget(self.quality)
        self._add_row("&Quality", both, buddy=self.slider)
        ends = QHBoxLayout()
        for words, side in (
            ("smaller file", Qt.AlignmentFlag.AlignLeft),
            ("finer picture", Qt.AlignmentFlag.AlignRight),
        ):
            end = QLabel(words, self)
            end.setProperty("look", "dim")
            ends.addWidget(end, 1, side)
        ends.addSpacing(self.quality.sizeHint().width() + 10)
        self._rows.addLayout(ends, self._rows.rowCount(), 1)
        if self._is_webp:
            self.lossless = QCheckBox("&Lossless: every value is kept", self)
            self.lossless.setObjectName("export_lossless")
            self.lossless.toggled.connect(self._lossless_changed)
            self._rows.addWidget(self.lossless, self._rows.rowCount(), 1)
            self.lossless.setChecked(settings.is_webp_lossless)
        self._add_gap()

    def _build_colour(self) -> None:
        self._choices = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(16)
        for name, words, colour in (("white", "&White", "#ffffff"), ("black", "&Black", "#000000")):
            choice = QRadioButton(words, self)
            choice.setObjectName(f"export_{name}")
            choice.setChecked(self._colour == colour)
            choice.toggled.connect(partial(self._colour_chosen, colour))
            self._choices.addButton(choice)
            row.addWidget(choice)
        self.other = QRadioButton("&Colour", self)
        self.other.setObjectName("export_other")
        self.other.setChecked(self._choices.checkedButton() is None)
        self._choices.addButton(self.other)
        self._other_colour = self._colour if self.other.isChecked() else "#808080"
        self.other.toggled.connect(lambda is_on: self._colour_chosen(self._other_colour, is_on))
        self.swatch = QPushButton(self)
        self.swatch.setAutoDefault(False)
        named(self.swatch, "export_swatch", "Choose the colour", "Choose the colour")
        self.swatch.clicked.connect(self._ask_colour)
        self._show_swatch()
        row.addWidget(self.other)
        row.addWidget(self.swatch)
        row.addStretch(1)
        self._add_row("Background", row)
        why = QLabel(f"Below what is clear: {self._format.name} holds no transparency", self)
        why.setProperty("look", "dim")
        self._rows.addWidget(why, self._rows.rowCount(), 1)
        self._add_gap()

    def _add_row(self, words: str, content: QWidget | QHBoxLayout, *, buddy: QWidget | None = None) -> None:
        label = QLabel(words, self)
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if buddy is not None:
            label.setBuddy(buddy)
        row = self._rows.rowCount()
        self._rows.addWidget(label, row, 0)
        if isinstance(content, QWidget):
            self._rows.addWidget(content, row, 1)
        else:
            self._rows.addLayout(content, row, 1)

    def _add_gap(self) -> None:
        self._rows.setRowMinimumHeight(self._rows.rowCount(), 10)

    # Changes ---------------------------------------------------------------------------------------------------------

    def _lossless_changed(self, is_on: bool) -> None:
        self.slider.setEnabled(not is_on)
        self.quality.setEnabled(not is_on)
        self._measure_soon()

    def _colour_chosen(self, colour: str, is_on: bool) -> None:
        if is_on:
            self._colour = colour
            self._measure_soon()

    def _ask_colour(self) -> None:
        chosen = QColorDialog.getColor(QColor(self._other_colour), self, "Background")
        if chosen.isValid():
            self._other_colour = self._colour = chosen.name()
            self._show_swatch()
            self.other.setChecked(True)
            self._measure_soon()

    def _show_swatch(self) -> None:
        picture = QPixmap(_SWATCH_PX, _SWATCH_PX)
        picture.fill(QColor(self._other_colour))
        self.swatch.setIcon(QIcon(picture))
        self.swatch.setText(self._other_colour)

    def _show_notes(self, words: str) -> None:
        """Say what is lost, and make room for it."""
        if words != self.notes.text():
            self.notes.setText(words)
            self.notes.setVisible(bool(words))
            height = self.layout().totalHeightForWidth(self.width())
            self.resize(self.width(), max(self.height(), height))

    # The size --------------------------------------------------------------------------------------------------------

    def _measure_soon(self) -> None:
        self.size_label.setStyleSheet(
            f"color: {current_theme().dim_text}"
        )  # it is that of what was chosen before
        self._timer.start(MEASURE_AFTER_MS)

    def _measure_now(self) -> None:
        """Measure what is chosen; what is chosen meanwhile is measured after it."""
        if self._is_measuring:
            return
        self._is_measuring = True
        way, measure = self.way, self._measure
        # A dialog that is closed meanwhile must not live on, and end, on the measuring thread.
        own = weakref.ref(self)

        def done(answer: tuple[int, tuple[str, ...]]) -> None:
            dialog = own()
            if dialog is not None and not dialog._is_over:
                nbytes, notes = answer
                words = "\n".join(f"{note[:1].upper()}{note[1:]}." for note in notes)
                dialog._show_size(way, size_words(nbytes), words)

        def failed(error: Exception) -> None:
            dialog = own()
            if dialog is not None and not dialog._is_over:
                dialog._show_size(way, "cannot be told", str(error))

        self._background.run(lambda: measure(way), done, failed)

    def _show_size(self, way: ExportWay, size: str, notes: str) -> None:
        self._is_measuring = False
        self.size_label.setText(size)
        self._show_notes(notes)
        if way != self.way:
            self._timer.start(0)
            return
        self.size_label.setStyleSheet("")
        self.measured.emit()
