"""What is seen of the window first: menus, bars, the titles of the docks, and the place to drop a photo.

All of it stands where it stays. The ground of what `app.window_parts` puts in later is there as well, in its colour and
size, so that nothing moves when it arrives. Nothing imported here needs numpy, pydantic or the document: that, more
than Qt, is what a cold start waits for.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.panels.message_bar import MessageBar
from app.panels.recovery_offer import RecoveryOffer
from app.panels.status import StatusBar
from app.panels.tool_bar import ToolBar
from app.panels.tool_options import ToolOptions
from app.panels.welcome import Welcome
from app.theme import apply_theme
from app.window_place import start_place, start_size

if TYPE_CHECKING:
    from app.main_window import MainWindow

DOCKS = (
    ("inpaint_dock", "Inpaint", Qt.DockWidgetArea.RightDockWidgetArea),
    ("layers_dock", "Layers", Qt.DockWidgetArea.RightDockWidgetArea),
    ("history_dock", "History", Qt.DockWidgetArea.RightDockWidgetArea),
    ("results_dock", "Results", Qt.DockWidgetArea.BottomDockWidgetArea),
)
"""objectName, title and place of each dock."""
RESULTS_HEIGHT_PX = 180
"""The strip is as high without results as with them, so that the first one does not move the picture."""


def build_frame(window: "MainWindow") -> None:
    """Make what is seen first, arranged as the last window was."""
    _colour(window)
    _build_centre(window)
    _build_bars(window)
    _build_docks(window)
    _build_menus(window)
    window.registry.set_state({})
    window.tool_bar.setEnabled(False)
    window.tool_options.setEnabled(False)
    window.arrangement.restore()


def _colour(window: "MainWindow") -> None:
    """Take the colours of the last window; reading the settings, which may say others, comes later."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)  # a window cannot be made without
    if application.property("theme") is None:
        theme = window.arrangement.last_theme()
        application.setProperty("theme", theme)
        apply_theme(application, theme)
    window.theme = application.property("theme")


def _build_centre(window: "MainWindow") -> None:
    centre = QWidget(window)
    centre.setObjectName("centre")
    window.recovery = RecoveryOffer(centre)
    window.welcome = Welcome(centre)
    window.stack = QStackedWidget(centre)
    window.stack.setObjectName("stack")
    window.stack.addWidget(window.welcome)
    window.messages = MessageBar(window.stack)
    layout = QVBoxLayout(centre)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(window.recovery)
    layout.addWidget(window.stack, 1)
    window.setCentralWidget(centre)


def _build_bars(window: "MainWindow") -> None:
    window.tool_bar = ToolBar(window.registry, window)
    window.tool_bar.show_tool("brush")
    window.tool_options = ToolOptions(parent=window)
    window.addToolBar(Qt.ToolBarArea.TopToolBarArea, window.tool_options)
    window.addToolBar(Qt.ToolBarArea.LeftToolBarArea, window.tool_bar)
    window.status = StatusBar(parent=window)
    window.setStatusBar(window.status)


def _build_docks(window: "MainWindow") -> None:
    window.setDockNestingEnabled(True)
    window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
    window.setTabPosition(
        Qt.DockWidgetArea.AllDockWidgetAreas, window.tabPosition(Qt.DockWidgetArea.TopDockWidgetArea)
    )
    window.docks = {}
    for name, title, area in DOCKS:
        dock = QDockWidget(title, window)
        dock.setObjectName(name)
        ground = QWidget(dock)
        if name == "results_dock":
            ground.setMinimumHeight(RESULTS_HEIGHT_PX)
            ground.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        dock.setWidget(ground)
        window.addDockWidget(area, dock)
        window.docks[name] = dock
    window.tabifyDockWidget(window.docks["layers_dock"], window.docks["history_dock"])
    window.docks["layers_dock"].raise_()
    available = window.screen().availableGeometry()
    window.resize(start_size(available))
    window.move(start_place(window.size(), available))
    right = [window.docks["inpaint_dock"], window.docks["layers_dock"]]
    window.resizeDocks(right, [336, 336], Qt.Orientation.Horizontal)
    window.resizeDocks(right, [500, 300], Qt.Orientation.Vertical)
    window.resizeDocks([window.docks["results_dock"]], [222], Qt.Orientation.Vertical)


def _build_menus(window: "MainWindow") -> None:
    menus = window.registry.fill_menu_bar(window.menuBar())
    window.recent_menu = QMenu("Open &Recent", window)
    window.recent_menu.setObjectName("menu_recent")
    menus["File"].insertMenu(window.registry["new_from_clipboard"], window.recent_menu)
    before = window.registry["reset_layout"]
    for dock in window.docks.values():
        menus["Window"].insertAction(before, dock.toggleViewAction())
    for bar in (window.tool_bar, window.tool_options):
        menus["Window"].insertAction(before, bar.toggleViewAction())
    window.refresh_recent()
