"""Small controls that several panels share: a slider with its number, a row of choices, a heading.

Each is made with its name for tests (``objectName``), its name for a screen reader and a tooltip, so that none is
forgotten. Colours come from the palette, so a change of theme needs nothing here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QToolButton,
    QWidget,
)

from app.icons import set_icon
from app.key_words import key_text
from app.panels.wheel import calm_wheel

GAP_PX = 6
"""Between controls that belong together."""
SECTION_GAP_PX = 14
"""Above a heading."""
SLIDER_STEPS = 1000
"""A slider counts in whole numbers; the number beside it has the exact value."""

_CHOICE_STYLE = """
QPushButton {{
    border: 1px solid palette(mid); background: palette(button); color: palette(button-text);
    padding: 4px 8px; margin: 0; {corners}
}}
QPushButton:hover {{ background: palette(midlight); }}
QPushButton:checked {{ background: palette(highlight); color: palette(highlighted-text); border-color: palette(highlight); }}
QPushButton:focus {{ border: 2px solid palette(highlighted-text); padding: 3px 7px; }}
QPushButton:focus:!checked {{ border-color: palette(highlight); }}
QPushButton:disabled {{ color: palette(mid); }}
"""


def named(widget: QWidget, name: str, spoken: str, tip: str = "") -> None:
    """Give a control its name for tests, its name for a screen reader, its tooltip, and manners with the wheel."""
    widget.setObjectName(name)
    widget.setAccessibleName(spoken)
    widget.setToolTip(tip)
    if tip:
        widget.setAccessibleDescription(tip)
    calm_wheel(widget)


def key_of(widget: QWidget, action_name: str, usual: str) -> str:
    """The key that an action of the window has now, for words about it; the usual one where there is no window."""
    action = widget.window().findChild(QAction, action_name)
    if action is None:
        return usual
    return key_text(action.shortcut())


def section(text: str, *beside: QWidget) -> QWidget:
    """A heading with what belongs to the whole section at the right end of its line."""
    line = QWidget()
    layout = QHBoxLayout(line)
    layout.setContentsMargins(0, SECTION_GAP_PX - GAP_PX, 0, 0)
    layout.setSpacing(2)
    title = QLabel(text, line)
    title.setProperty("look", "heading")
    layout.addWidget(title)
    layout.addStretch(1)
    for widget in beside:
        layout.addWidget(widget)
    return line


def quiet_label(text: str = "", parent: QWidget | None = None) -> QLabel:
    """A line of help: wrapped, and in the palette's colour for what matters less."""
    label = QLabel(text, parent)
    label.setWordWrap(True)
    label.setProperty("look", "dim")
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


def icon_button(name: str, icon: str, spoken: str, tip: str, parent: QWidget | None = None) -> QToolButton:
    """A small flat button without words; its tooltip and its spoken name say what it does."""
    button = QToolButton(parent)
    button.setProperty("look", "flat")
    button.setIconSize(QSize(18, 18))
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    set_icon(button, icon)
    named(button, name, spoken, tip)
    return button


@dataclass(frozen=True)
class Range:
    """What a slider can say."""

    low: float
    high: float
    step: float
    """Of the arrow keys and of the number's last place."""
    decimals: int = 2
    suffix: str = ""


class ValueSlider(QWidget):
    """A title, a slider and its number; both can be changed, both say the same.

    Args:
        name: objectName; the slider is ``<name>_slider``, the number ``<name>_value``.
        title: what it sets.
        values: from where to where.
        tip: explains it.
    """

    value_changed = Signal(float)
    """The user changed it; setting it from code says nothing."""

    def __init__(self, name: str, title: str, values: Range, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._range = values
        named(self, name, title, tip)
        label = QLabel(title, self)
        label.setToolTip(tip)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setRange(0, SLIDER_STEPS)
        self._slider.setSingleStep(max(round(SLIDER_STEPS * values.step / (values.high - values.low)), 1))
        self._slider.setPageStep(SLIDER_STEPS // 10)
        named(self._slider, f"{name}_slider", title, tip)
        self._number = QDoubleSpinBox(self)
        self._number.setDecimals(values.decimals)
        self._number.setRange(values.low, values.high)
        self._number.setSingleStep(values.step)
        self._number.setSuffix(values.suffix)
        self._number.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        self._number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._number.setKeyboardTracking(False)
        self._number.setFixedWidth(self._number.fontMetrics().horizontalAdvance("0000.0 px ") + 8)
        named(self._number, f"{name}_value", f"{title}, as a number", tip)
        label.setBuddy(self._number)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(2)
        layout.addWidget(label, 0, 0)
        layout.addWidget(self._number, 0, 1)
        layout.addWidget(self._slider, 1, 0, 1, 2)
        layout.setColumnStretch(0, 1)
        self._slider.valueChanged.connect(self._slid)
        self._number.valueChanged.connect(self._typed)

    @property
    def value(self) -> float:
        """What it says."""
        return self._number.value()

    def set_value(self, value: float) -> None:
        """Show a value without saying that the user changed it."""
        with QSignalBlocker(self._number), QSignalBlocker(self._slider):
            self._number.setValue(value)
            self._slider.setValue(self._steps_of(value))

    def _steps_of(self, value: float) -> int:
        return round((value - self._range.low) / (self._range.high - self._range.low) * SLIDER_STEPS)

    def _slid(self, steps: int) -> None:
        value = self._range.low + (self._range.high - self._range.low) * steps / SLIDER_STEPS
        with QSignalBlocker(self._number):
            self._number.setValue(round(value / self._range.step) * self._range.step)
        self.value_changed.emit(self._number.value())

    def _typed(self, value: float) -> None:
        with QSignalBlocker(self._slider):
            self._slider.setValue(self._steps_of(value))
        self.value_changed.emit(value)


@dataclass(frozen=True)
class Choice:
    """One button of a row."""

    key: str
    text: str
    tip: str


class ChoiceRow(QWidget):
    """A few choices side by side, one of them chosen.

    Args:
        name: objectName; each button is ``<name>_<key>``.
        spoken: what is chosen here, for a screen reader.
        choices: from left to right.
    """

    chosen = Signal(str)
    """The user chose the one with this key."""

    def __init__(
        self, name: str, spoken: str, choices: Sequence[Choice], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        named(self, name, spoken)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._group = QButtonGroup(self)
        self._keys = [choice.key for choice in choices]
        for index, choice in enumerate(choices):
            button = QPushButton(choice.text, self)
            button.setCheckable(True)
            button.setAutoDefault(False)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setStyleSheet(_CHOICE_STYLE.format(corners=_corners(index, len(choices))))
            named(button, f"{name}_{choice.key}", f"{spoken}: {choice.text}", choice.tip)
            self._group.addButton(button, index)
            layout.addWidget(button)
        self._group.button(0).setChecked(True)
        self._group.idClicked.connect(lambda index: self.chosen.emit(self._keys[index]))

    @property
    def key(self) -> str:
        """The chosen one."""
        return self._keys[self._group.checkedId()]

    def set_key(self, key: str) -> None:
        """Show another as chosen, without saying that the user chose it."""
        self._group.button(self._keys.index(key)).setChecked(True)

    def button(self, key: str) -> QAbstractButton:
        """One of the buttons."""
        return self._group.button(self._keys.index(key))


def _corners(index: int, count: int) -> str:
    """Round corners at the ends of a row, straight joints between."""
    left, right = ("4px" if index == 0 else "0"), ("4px" if index == count - 1 else "0")
    joint = "" if index == 0 else "border-left: none; "
    return (
        f"{joint}border-top-left-radius: {left}; border-bottom-left-radius: {left}; "
        f"border-top-right-radius: {right}; border-bottom-right-radius: {right};"
    )
