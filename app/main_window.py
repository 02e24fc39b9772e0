"""The window: a canvas in the middle, what acts on it around it.

`MainWindow()` takes no arguments and starts no process. Every part has an ``objectName`` by which tests and the saved
layout find it.
"""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QToolBar, QWidget

DOCKS = (
    ("inpaint_dock", "Inpaint", Qt.DockWidgetArea.RightDockWidgetArea),
    ("layers_dock", "Layers", Qt.DockWidgetArea.RightDockWidgetArea),
    ("history_dock", "History", Qt.DockWidgetArea.RightDockWidgetArea),
    ("results_dock", "Results", Qt.DockWidgetArea.BottomDockWidgetArea),
)
"""objectName, title and place of each dock."""


class MainWindow(QMainWindow):
    """One document and everything to work on it."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("Pentimento")
        centre = QWidget(self)
        centre.setObjectName("centre")
        self.setCentralWidget(centre)
        self.docks: dict[str, QDockWidget] = {}
        for name, title, area in DOCKS:
            dock = QDockWidget(title, self)
            dock.setObjectName(name)
            self.addDockWidget(area, dock)
            self.docks[name] = dock
        self.tabifyDockWidget(self.docks["layers_dock"], self.docks["history_dock"])
        self.docks["layers_dock"].raise_()
        for name, title, side in (
            ("tool_bar", "Tools", Qt.ToolBarArea.LeftToolBarArea),
            ("tool_options", "Tool options", Qt.ToolBarArea.TopToolBarArea),
        ):
            bar = QToolBar(title, self)
            bar.setObjectName(name)
            self.addToolBar(side, bar)
        self.statusBar().setObjectName("status_bar")
