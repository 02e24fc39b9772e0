"""What the chosen tool can be told: a row at the top that shows its options and no others.

Values live in the `ToolContext`, which the tools, their keys and this bar share; the bar shows what is there, and says
what the user changed.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, QSize, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QToolBar,
    QToolButton,
    QWidget,
)

from app.icons import set_icon
from app.panels.controls import named
from app.theme import current_theme

if TYPE_CHECKING:
    from app.canvas.overlays import MaskUse
    from app.canvas.tools.base import Option, Tool
    from app.canvas.tools.context import Change, ToolContext

HEIGHT_PX = 39
"""Of the bar while it is empty, so that it stays as it is when the options come."""
STEPS = 400
"""The size slider counts so many steps from the smallest to the largest brush, each larger by the same factor."""

MASK_WORDS: dict["MaskUse", tuple[str, str]] = {
    "replace": ("Mask", "Paint what is to be filled (Q switches)"),
    "keep": ("Keep", "Paint what keeps its shape when the picture is remade (Q switches)"),
}


class ToolOptions(QToolBar):
    """Options of one tool at a time.

    Args:
        context: what is shown and changed; without it the bar is empty until `fill`.
        parent: owner, as Qt has it.
    """

    def __init__(self, context: "ToolContext | None" = None, parent: QWidget | None = None) -> None:
        super().__init__("Tool Options", parent)
        self.setObjectName("tool_options")
        self.setAccessibleName("Tool options")
        self.setMovable(False)
        self.setIconSize(QSize(18, 18))
        self.setMinimumHeight(HEIGHT_PX)
        self._name = QLabel(self)
        self._name.setObjectName("tool_name")
        self._name.setProperty("look", "heading")
        self._name.setMinimumWidth(96)
        self._name.setContentsMargins(8, 0, 8, 0)
        self.addWidget(self._name)
        self._show: list[Callable[[], None]] = []
        self._groups: dict[Option, list[QAction]] = {}
        if context is not None:
            self.fill(context)

    def fill(self, context: "ToolContext") -> None:
        """Put the options in, once."""
        self._context = context
        self._build()
        self._hint = HintLabel(self)
        self._hint.setObjectName("tool_hint")
        self._hint.setProperty("look", "dim")
        self._hint.setContentsMargins(8, 0, 8, 0)
        self.addWidget(self._hint)
        self._stop = context.observe(self._changed)
        self.destroyed.connect(self._stop)

    def show_tool(self, tool: "Tool") -> None:
        """Show the options of a tool."""
        self._name.setText(tool.name)
        wanted = set(tool.options)
        for option, actions in self._groups.items():
            for action in actions:
                action.setVisible(option in wanted)
        self._hint.setText(tool.tip)
        self._hint.setToolTip(tool.tip)
        self._refresh()

    def set_mask_use(self, use: "MaskUse") -> None:
        """Name the mask after what it is for."""
        text, tip = MASK_WORDS[use]
        button = self.findChild(QToolButton, "option_target_mask")
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(f"Paint on: {text}")

    # Building --------------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._add("target", self._target_row())
        self._add("mode", self._mode_row())
        self._add("size", self._size_field())
        for option, text, tip in (
            ("hardness", "Hardness", "How sharp the brush's edge is"),
            ("opacity", "Opacity", "How strongly one stroke covers"),
            ("smoothing", "Smoothing", "Steadies the hand: the line follows behind the pointer"),
        ):
            self._add(option, self._percent(option, text, tip))
        pressure = QWidget(self)
        row = _row(pressure, 2)
        for attribute, icon_name, text in (
            ("pressure_size", "pressure-size", "Pen pressure changes the size"),
            ("pressure_opacity", "pressure-opacity", "Pen pressure changes the opacity"),
            ("tilt_shape", "tilt", "Pen tilt changes the shape"),
        ):
            row.addWidget(self._toggle(attribute, icon_name, text))
        self._add("pressure_size", pressure)
        self._add("tolerance", self._tolerance_field())
        self._add("contiguous", self._contiguous_button())
        self._add("feather", self._feather_field())

    def _add(self, option: "Option", widget: QWidget) -> None:
        action = self.addWidget(widget)
        self._groups.setdefault(option, []).append(action)

    def _target_row(self) -> QWidget:
        return self._choices(
            "target",
            "Paint on",
            (
                ("mask", "mask", *MASK_WORDS["replace"]),
                ("edges", "edges", "Edges", "Draw the lines the fill follows (Q switches)"),
            ),
            lambda: self._context.target,
            lambda key: setattr(self._context, "target", key),
            has_text=True,
        )

    def _mode_row(self) -> QWidget:
        return self._choices(
            "mode",
            "Meets the mask",
            (
                ("replace", "mode-replace", "Replace", "Replace the mask"),
                ("add", "mode-add", "Add", "Add to the mask"),
                ("subtract", "mode-subtract", "Subtract", "Take away from the mask (Alt while drawing)"),
                ("intersect", "mode-intersect", "Intersect", "Keep only what both have (Ctrl while drawing)"),
            ),
            lambda: self._context.mode,
            lambda key: setattr(self._context, "mode", key),
        )

    def _choices(
        self,
        name: str,
        spoken: str,
        choices: tuple[tuple[str, str, str, str], ...],
        get: Callable[[], str],
        choose: Callable[[str], None],
        *,
        has_text: bool = False,
    ) -> QWidget:
        holder = QWidget(self)
        holder.setObjectName(f"option_{name}")
        holder.setAccessibleName(spoken)
        row = _row(holder, 2)
        group = QButtonGroup(holder)
        buttons: dict[str, QToolButton] = {}
        for key, icon_name, text, tip in choices:
            button = QToolButton(holder)
            button.setObjectName(f"option_{name}_{key}")
            button.setAccessibleName(f"{spoken}: {text}")
            button.setToolTip(tip)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            set_icon(button, icon_name)
            if has_text:
                button.setText(text)
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.clicked.connect(lambda _=False, key=key: choose(key))
            group.addButton(button)
            row.addWidget(button)
            buttons[key] = button
        self._show.append(lambda: buttons[get()].setChecked(True))
        return holder

    def _size_field(self) -> QWidget:
        from app.canvas.tools.context import LARGEST_PX, SMALLEST_PX

        number = self._number(
            "size", "Size", "Brush size in pixels of the picture ([ and ])", SMALLEST_PX, LARGEST_PX, " px"
        )
        number.setDecimals(1)
        slider = QSlider(Qt.Orientation.Horizontal, self)
        named(slider, "option_size_slider", "Size", number.toolTip())
        slider.setRange(0, STEPS)
        slider.setFixedWidth(110)
        span = math.log(LARGEST_PX / SMALLEST_PX)

        def slid(step: int) -> None:
            size = SMALLEST_PX * math.exp(span * step / STEPS)
            self._context.set_brush(size_px=round(size, 1) if size < 10 else round(size))

        def show() -> None:
            size = self._context.brush().size_px
            with QSignalBlocker(slider), QSignalBlocker(number):
                slider.setValue(round(STEPS * math.log(size / SMALLEST_PX) / span))
                number.setDecimals(1 if size < 10 and size % 1 else 0)
                number.setValue(size)

        slider.valueChanged.connect(slid)
        number.valueChanged.connect(lambda value: self._context.set_brush(size_px=value))
        self._show.append(show)
        return self._labelled("Size", slider, number)

    def _percent(self, option: "Option", text: str, tip: str) -> QWidget:
        number = self._number(option, text, tip, 0, 100, " %")
        number.setDecimals(0)
        number.setSingleStep(5)

        def show() -> None:
            with QSignalBlocker(number):
                number.setValue(round(100 * getattr(self._context.brush(), option)))

        number.valueChanged.connect(lambda value: self._context.set_brush(**{option: value / 100}))
        self._show.append(show)
        return self._labelled(text, number)

    def _tolerance_field(self) -> QWidget:
        tip = "How far a colour may be from the one you click"
        number = self._number("tolerance", "Tolerance", tip, 0, 100, " %")
        number.setDecimals(0)

        def show() -> None:
            with QSignalBlocker(number):
                number.setValue(round(100 * self._context.tolerance))

        number.valueChanged.connect(lambda value: setattr(self._context, "tolerance", value / 100))
        self._show.append(show)
        return self._labelled("Tolerance", number)

    def _feather_field(self) -> QWidget:
        number = self._number("feather", "Feather", "How soft the edge of a new shape is", 0, 250, " px")
        number.setDecimals(0)

        def show() -> None:
            with QSignalBlocker(number):
                number.setValue(self._context.feather_px)

        number.valueChanged.connect(lambda value: setattr(self._context, "feather_px", value))
        self._show.append(show)
        return self._labelled("Feather", number)

    def _contiguous_button(self) -> QWidget:
        button = self._flat_button(
            "contiguous", "contiguous", "Contiguous", "Take only what hangs together with the pixel you click"
        )
        button.setText("Contiguous")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.clicked.connect(lambda is_on: setattr(self._context, "is_contiguous", is_on))
        self._show.append(lambda: button.setChecked(self._context.is_contiguous))
        return button

    def _toggle(self, attribute: str, icon_name: str, text: str) -> QToolButton:
        button = self._flat_button(attribute, icon_name, text, text)
        button.clicked.connect(lambda is_on: self._context.set_brush(**{attribute: is_on}))
        self._show.append(lambda: button.setChecked(bool(getattr(self._context.brush(), attribute))))
        return button

    def _flat_button(self, option: str, icon_name: str, text: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"option_{option}")
        button.setAccessibleName(text)
        button.setToolTip(tip)
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        set_icon(button, icon_name)
        return button

    def _number(
        self, option: str, text: str, tip: str, low: float, high: float, suffix: str
    ) -> QDoubleSpinBox:
        number = QDoubleSpinBox(self)
        named(number, f"option_{option}", text, tip)
        number.setRange(low, high)
        number.setSuffix(suffix)
        number.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
        number.setAlignment(Qt.AlignmentFlag.AlignRight)
        number.setKeyboardTracking(False)
        number.setFixedWidth(70)
        return number

    def _labelled(self, text: str, *widgets: QWidget) -> QWidget:
        holder = QWidget(self)
        row = _row(holder, 6)
        row.setContentsMargins(6, 0, 6, 0)
        label = QLabel(text, holder)
        label.setProperty("look", "dim")
        label.setBuddy(widgets[-1])
        row.addWidget(label)
        for widget in widgets:
            row.addWidget(widget)
        return holder

    # Showing ---------------------------------------------------------------------------------------------------------

    def _changed(self, change: "Change") -> None:
        if change in ("target", "brush", "mode", "wand"):
            self._refresh()

    def _refresh(self) -> None:
        for show in self._show:
            show()


class HintLabel(QLabel):
    """Words that take the room that is left, and end in dots where there is too little."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """It can go without room."""
        return QSize(0, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:  # noqa: N802
        """It asks for none."""
        return self.minimumSizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw what fits."""
        room = self.contentsRect()
        words = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter = QPainter(self)
        painter.setPen(QColor(current_theme().dim_text))
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, words)


def _row(holder: QWidget, spacing_px: int) -> QHBoxLayout:
    holder.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
    row = QHBoxLayout(holder)
    row.setContentsMargins(4, 0, 4, 0)
    row.setSpacing(spacing_px)
    return row
