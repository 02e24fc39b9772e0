"""A bare Qt window that writes down what happens to it: the harness is tested on it, and cold start measured beside it."""

import sys

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget


class Canvas(QWidget):
    """Keeps every event of the mouse and the keyboard in ``seen``."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setFocusPolicy(self.focusPolicy().StrongFocus)
        self.setAutoFillBackground(True)
        self.setPalette(QPalette(QColor(40, 120, 200)))
        self.seen: list[tuple[str, object]] = []
        self.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  (Qt's name)
        kind = event.type()
        if kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease, QEvent.Type.MouseMove):
            at = event.position()
            self.seen.append((kind.name, (at.x(), at.y(), event.modifiers().value)))
        elif kind == QEvent.Type.Wheel:
            self.seen.append((kind.name, event.angleDelta().y()))
        elif kind == QEvent.Type.KeyPress:
            self.seen.append((kind.name, event.text()))
        return False


if __name__ == "__main__":
    # Else Qt joins moves that wait, on a busy machine all of a drag.
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, False)
    app = QApplication(sys.argv)
    window = QMainWindow()
    window.setWindowTitle("bare")
    window.setCentralWidget(Canvas())
    window.resize(600, 400)
    window.show()
    sys.exit(app.exec())
