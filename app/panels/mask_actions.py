"""Buttons that change the mask as a whole: grow, shrink, feather, invert, clear.

Elsewhere: what they do to the mask in document/selection.py.
"""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QSpinBox, QToolButton, QWidget

from app.document import selection
from app.document.document import Document
from app.icons import set_icon
from app.panels.controls import GAP_PX, named

LARGEST_PX = 250
"""As far as a mask can be grown, shrunk or softened at once."""
USUAL_PX = 8

BY_AMOUNT: tuple[tuple[str, str, str, str, Callable[[Document, float], bool]], ...] = (
    ("inpaint_mask_grow", "grow", "Grow", "Make the mask wider by this many pixels", selection.grow),
    (
        "inpaint_mask_shrink",
        "shrink",
        "Shrink",
        "Make the mask narrower by this many pixels",
        selection.shrink,
    ),
    (
        "inpaint_mask_feather",
        "feather",
        "Feather",
        "Soften the mask's border over this many pixels",
        selection.feather,
    ),
)
"""objectName, icon, words, tip and what it does."""
AS_A_WHOLE: tuple[tuple[str, str, str, str, Callable[[Document], bool]], ...] = (
    ("inpaint_mask_invert", "invert", "Invert", "Select what is not selected", selection.invert),
    ("inpaint_mask_clear", "clear", "Clear", "Select nothing", selection.clear),
)


class MaskActions(QWidget):
    """A small grid of buttons, and the amount that three of them share."""

    failed = Signal(object)
    """An exception that a person should read."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "mask_actions", "Change the mask")
        self._document: Document | None = None
        self._amount = QSpinBox(self)
        self._amount.setRange(1, LARGEST_PX)
        self._amount.setValue(USUAL_PX)
        self._amount.setPrefix("by ")
        self._amount.setSuffix(" px")
        named(
            self._amount, "inpaint_mask_amount", "Amount in pixels", "How far Grow, Shrink and Feather reach"
        )
        self._buttons: list[QToolButton] = []
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP_PX)
        for column, (name, icon, words, tip, change) in enumerate(BY_AMOUNT):
            button = self._button(name, icon, words, tip)
            button.clicked.connect(lambda _=False, change=change: self._do(change, self._amount.value()))
            layout.addWidget(button, 0, column)
        for column, (name, icon, words, tip, whole) in enumerate(AS_A_WHOLE):
            button = self._button(name, icon, words, tip)
            button.clicked.connect(lambda _=False, whole=whole: self._do(whole))
            layout.addWidget(button, 1, column)
        layout.addWidget(self._amount, 1, len(AS_A_WHOLE))
        for column in range(len(BY_AMOUNT)):
            layout.setColumnStretch(column, 1)
        self.setEnabled(False)

    def set_document(self, document: Document | None) -> None:
        """Act on another document, or on none."""
        self._document = document
        self.setEnabled(document is not None)

    def _button(self, name: str, icon: str, words: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(words)
        button.setIconSize(QSize(18, 18))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setSizePolicy(self._amount.sizePolicy())
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        set_icon(button, icon)
        named(button, name, f"{words} mask", tip)
        self._buttons.append(button)
        return button

    def _do(self, change: Callable[..., bool], *amount: float) -> None:
        if self._document is None:
            return
        try:
            change(self._document, *amount)
        except Exception as error:  # noqa: BLE001  (Qt would swallow it; the one door shows it)
            self.failed.emit(error)
