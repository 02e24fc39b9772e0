"""The wheel over a slider, a number or a drop-down scrolls the panel round it, and changes nothing unasked.

Who scrolls a panel does not look at what comes to lie under the pointer. So a control takes the wheel only while it has the
keyboard because somebody clicked it; the Tab key, a label's letter or the start of a dialog are no click.
"""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QScrollBar, QWidget

WHEELED = (QAbstractSlider, QAbstractSpinBox, QComboBox)
"""Controls that Qt lets the wheel change; scroll bars are there for it."""
_CLICKED = "is_clicked"
_KEEPING = (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason)
"""The keyboard comes back from a list or another window to where it was."""


class WheelFilter(QObject):
    """Watches controls; one serves them all."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Note clicks, and keep the wheel from what was not clicked."""
        kind = event.type()
        if kind == QEvent.Type.MouseButtonPress:
            inner = isinstance(watched, QLineEdit)  # of a number or of a list that can be typed into
            (watched.parent() if inner else watched).setProperty(_CLICKED, True)
        elif isinstance(event, QFocusEvent) and kind == QEvent.Type.FocusIn:
            if event.reason() not in _KEEPING:
                watched.setProperty(_CLICKED, event.reason() == Qt.FocusReason.MouseFocusReason)
        elif kind == QEvent.Type.Wheel and isinstance(watched, WHEELED):
            is_meant = watched.hasFocus() and bool(watched.property(_CLICKED))
            event.setAccepted(is_meant)  # ignored, it goes on to the parent
            return not is_meant
        return False


_filter: WheelFilter | None = None


def calm_wheel(widget: QWidget) -> None:
    """Let the wheel pass by a control until it is clicked; leaves other widgets as they are."""
    global _filter
    if not isinstance(widget, WHEELED) or isinstance(widget, QScrollBar):
        return
    if _filter is None:
        _filter = WheelFilter()
    if widget.focusPolicy() == Qt.FocusPolicy.WheelFocus:  # the wheel itself would count as a click
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(_filter)
    inner = widget.lineEdit() if isinstance(widget, QAbstractSpinBox | QComboBox) else None
    if inner is not None:
        inner.installEventFilter(_filter)
