"""The status bar: what was said last at the left; at the right the pointer, the picture's size and the zoom."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QStatusBar, QWidget

from app.panels.controls import named
from app.panels.message_bar import Topic

ZOOMS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
FIT = "Fit"
SAID_MS = 5000
"""How long news is shown."""


class StatusBar(QStatusBar):
    """Facts about the view, and the engine's own field."""

    zoom_asked = Signal(float)
    """The user wants this scale."""
    fit_asked = Signal()
    """The user wants to see everything."""

    def __init__(self, engine: QWidget | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status_bar")
        self.setAccessibleName("Status")
        self.setSizeGripEnabled(False)
        self.setContentsMargins(8, 0, 8, 0)
        self._cursor = self._fact("status_cursor", "Pointer position", "x 00000, y 00000")
        self._size = self._fact("status_size", "Picture size", "00000 × 00000 px")
        self._zoom = QComboBox(self)
        self._zoom.setEditable(True)
        named(self._zoom, "status_zoom", "Zoom", "Zoom: choose or type a percentage")
        self._zoom.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._zoom.addItems([FIT, *(f"{zoom * 100:.0f} %" for zoom in ZOOMS)])
        self._zoom.setFixedWidth(92)
        self._zoom.lineEdit().setAlignment(Qt.AlignmentFlag.AlignRight)
        self._zoom.lineEdit().setAccessibleName("Zoom in percent")
        self._zoom.activated.connect(lambda _: self._typed())
        self._zoom.lineEdit().returnPressed.connect(self._typed)
        self._zoom_words = "100 %"
        self._lasting: dict[Topic, str] = {}
        self._about: Topic = ""
        self.messageChanged.connect(self._show_lasting)
        if engine is not None:
            self.addPermanentWidget(engine)
        for widget in (self._cursor, self._size, self._zoom):
            self.addPermanentWidget(widget)
        self.set_size(None)

    def say(self, words: str, *, about: Topic = "", stays: bool = False) -> None:
        """Say something at the left: for a while, or until it is settled; what stays comes back after what does not.

        Args:
            words: a few; none take away what was said of the same.
            about: what they speak of.
            stays: whether they are true until somebody says that they are not.
        """
        self._lasting.pop(about, None)
        if stays and words:
            self._lasting[about] = words
        self._about = about
        if words:
            self.showMessage(words, 0 if stays else SAID_MS)
        else:
            self.clearMessage()
            self._show_lasting("")

    def settle(self, *topics: Topic) -> None:
        """What was said of these is over."""
        for topic in topics:
            self._lasting.pop(topic, None)
        if self._about and self._about in topics and self.currentMessage():
            self.clearMessage()

    def _show_lasting(self, message: str) -> None:
        """Something was said and is gone; what stays is seen again."""
        if not message and self._lasting:
            self._about, words = list(self._lasting.items())[-1]
            self.showMessage(words)

    def set_cursor(self, x: float, y: float) -> None:
        """Say where the pointer is on the picture."""
        self._cursor.setText(f"x {int(x // 1)}, y {int(y // 1)}")

    def clear_cursor(self) -> None:
        """The pointer is elsewhere."""
        self._cursor.clear()

    def set_size(self, size_hw: tuple[int, int] | None, detail: str = "") -> None:
        """Say how large the picture is, or that there is none.

        Args:
            size_hw: height and width in px.
            detail: what else is worth knowing of the picture, for the tooltip.
        """
        for widget in (self._cursor, self._size, self._zoom):
            widget.setVisible(size_hw is not None)
        self._cursor.clear()
        self._detail = detail
        if size_hw is not None:
            self.show_size(size_hw)

    def show_size(self, size_hw: tuple[int, int]) -> None:
        """Say another size of the same picture, as when it was remade."""
        self._size.setText(f"{size_hw[1]} × {size_hw[0]} px")
        megapixels = size_hw[0] * size_hw[1] / 1e6
        self._size.setToolTip(", ".join(filter(None, (f"{megapixels:.1f} megapixels", self._detail))))

    def set_zoom(self, scale: float) -> None:
        """Say how large a pixel of the picture is seen."""
        percent = scale * 100
        self._zoom_words = f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %"
        if not self._zoom.lineEdit().hasFocus():
            self._zoom.setEditText(self._zoom_words)

    def _typed(self) -> None:
        words = self._zoom.currentText().strip().rstrip("%").replace(",", ".").strip()
        self._zoom.lineEdit().clearFocus()
        if words.lower() == FIT.lower():
            self.fit_asked.emit()
            return
        try:
            percent = float(words)
        except ValueError:
            percent = 0.0
        if 0 < percent < 1e6:
            self.zoom_asked.emit(percent / 100)
        else:
            self._zoom.setEditText(self._zoom_words)

    def _fact(self, name: str, spoken: str, widest: str = "") -> QLabel:
        label = QLabel(self)
        label.setObjectName(name)
        label.setAccessibleName(spoken)
        label.setProperty("look", "dim")
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        label.setContentsMargins(6, 0, 6, 0)
        if widest:
            label.setMinimumWidth(label.fontMetrics().horizontalAdvance(widest) + 12)
        return label
