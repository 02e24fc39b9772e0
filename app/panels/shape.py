"""The shape of a remade picture in numbers: width, height, a few ratios. A part of the retarget panel.

It holds no state of its own; the controller tells when the shape changes.

Elsewhere: shapes in document/retarget_shape.py, the handles on the canvas in canvas/tools/handles.py.
"""

import itertools

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.document.retarget_shape import RATIOS, Shape, nearest_valid, turned, with_ratio
from app.panels.controls import GAP_PX, icon_button, named, section
from app.retarget import RetargetController
from app.retarget_state import RetargetState
from engine.corners import SIDE_LEAST_PX, SIDE_MOST_PX

_RATIO_STYLE = """
QPushButton:checked { background: palette(highlight); color: palette(highlighted-text); border-color: palette(highlight); }
"""


class ShapeBox(QWidget):
    """Everything that says in numbers in which shape a picture is remade.

    Args:
        controller: keeps the shape.
        parent: owner, as Qt has it.
    """

    def __init__(self, controller: RetargetController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "retarget_shape", "Shape")
        self._controller = controller
        self._make()
        self._lay_out()
        self._width.valueChanged.connect(lambda value: self._type_size(width=value))
        self._height.valueChanged.connect(lambda value: self._type_size(height=value))
        self._turn.clicked.connect(self._turn_shape)
        for name, button in self._ratios.items():
            button.clicked.connect(lambda _=False, name=name: self._choose_ratio(name))

    def _make(self) -> None:
        self._width, self._height = (self._size_field(name) for name in ("width", "height"))
        self._keeps_ratio = QCheckBox("Keep ratio", self)
        named(
            self._keeps_ratio,
            "retarget_keep_ratio",
            "Keep ratio",
            "A new width changes the height as well, and the other way round",
        )
        self._turn = icon_button("retarget_turn", "turn", "Turn", "Swap width and height", self)
        self._ratios: dict[str, QPushButton] = {}
        for name in ("Original", *(name for name, _ in RATIOS)):
            button = QPushButton(name, self)
            button.setCheckable(True)
            button.setAutoDefault(False)
            button.setStyleSheet(_RATIO_STYLE)
            tip = (
                "The picture as it is"
                if name == "Original"
                else f"A picture of {name}, its shorter side as it is"
            )
            named(button, f"retarget_ratio_{name.lower().replace(':', '_')}", f"Ratio {name}", tip)
            self._ratios[name] = button

    def _size_field(self, name: str) -> QSpinBox:
        field = QSpinBox(self)
        field.setRange(SIDE_LEAST_PX, SIDE_MOST_PX)
        field.setSuffix(" px")
        field.setKeyboardTracking(False)
        tip = f"{SIDE_LEAST_PX} to {SIDE_MOST_PX} px"
        named(field, f"retarget_{name}", f"{name.capitalize()} of the remade picture", tip)
        return field

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_PX)
        column.addWidget(section("Shape", self._keeps_ratio, self._turn))
        sizes = QHBoxLayout()
        sizes.setSpacing(GAP_PX)
        for words, field in (("Width", self._width), ("Height", self._height)):
            label = QLabel(words, self)
            label.setBuddy(field)
            sizes.addWidget(label)
            sizes.addWidget(field, 1)
        column.addLayout(sizes)
        ratios = QGridLayout()
        ratios.setSpacing(4)
        for place, button in enumerate(self._ratios.values()):
            ratios.addWidget(button, *divmod(place, 3))
        column.addLayout(ratios)
        for above, below in itertools.pairwise(
            (self._keeps_ratio, self._turn, self._width, self._height, *self._ratios.values())
        ):
            self.setTabOrder(above, below)

    def _type_size(self, *, width: int | None = None, height: int | None = None) -> None:
        shape = self._controller.shape
        if shape is None:
            return
        h, w = shape.size_hw
        size_hw = (h if height is None else height, w if width is None else width)
        if self._keeps_ratio.isChecked():
            factor = size_hw[1] / w if width is not None else size_hw[0] / h
            size_hw = nearest_valid((round(h * factor), round(w * factor)))
        self._controller.type_shape(shape.resized(size_hw))

    @Slot()
    def _turn_shape(self) -> None:
        if self._controller.shape is not None:
            self._controller.choose_shape(turned(self._controller.shape))

    def _choose_ratio(self, name: str) -> None:
        controller, document = self._controller, self._controller.document
        shape = controller.shape
        if document is None or shape is None:
            return
        if name == "Original":
            controller.reset_shape()
        else:
            h, w = document.size_hw
            controller.choose_shape(with_ratio(shape, dict(RATIOS)[name], is_upright=h > w))
        self.show_state(controller.state)  # a button that was on already went off by the click

    def show_state(self, state: RetargetState) -> None:
        """Show the shape as it is now."""
        shape = state.shape
        for widget in (self._width, self._height, self._keeps_ratio, self._turn, *self._ratios.values()):
            widget.setEnabled(state.can_remake)
        if shape is None:
            return
        h, w = shape.size_hw
        for field, value in ((self._width, w), (self._height, h)):
            with QSignalBlocker(field):
                # A picture beyond the limits is shown as large as it is.
                field.setRange(min(SIDE_LEAST_PX, value), max(SIDE_MOST_PX, value))
                field.setValue(value)
        shown = _ratio_name(shape, self._controller.document.size_hw if self._controller.document else (h, w))
        for name, button in self._ratios.items():
            button.setChecked(name == shown)


def _ratio_name(shape: Shape, size_hw: tuple[int, int]) -> str:
    """Which ratio a shape has, as far as whole pixels can have it."""
    h, w = shape.size_hw
    if not shape.is_rectangle:
        return ""
    if (h, w) == size_hw:
        return "Original"
    ratio, slack = max(h, w) / min(h, w), 1.0 / min(h, w)
    return next((name for name, wanted in RATIOS if abs(ratio - wanted) <= slack), "")
