"""The Window menu: full screen, panels, moving the keyboard among them; and where everything was last time."""

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from PySide6.QtCore import QByteArray, QSettings, Qt
from PySide6.QtWidgets import QWidget

from app.folders import state_folder
from app.theme import ThemeName

if TYPE_CHECKING:
    from app.main_window import MainWindow

LAYOUT_VERSION = 1
"""Raise it when docks or bars change: an older layout is then left aside."""


class LayoutHandlers:
    """The arrangement of one window; made before its parts, which it needs for everything but `restore`."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._hidden: list[QWidget] = []
        self._default = QByteArray()

    def set_full_screen(self, is_on: bool) -> None:
        """Use the whole screen, or a window again."""
        state = self._window.windowState()
        full = Qt.WindowState.WindowFullScreen
        self._window.setWindowState(state | full if is_on else state & ~full)

    def hide_panels(self, is_hidden: bool) -> None:
        """Nothing but the picture, or everything again."""
        window = self._window
        if is_hidden:
            panels = [*window.docks.values(), window.tool_bar, window.tool_options, window.status]
            self._hidden = [panel for panel in panels if not panel.isHidden()]
            for panel in self._hidden:
                panel.hide()
        else:
            for panel in self._hidden:
                panel.show()
            self._hidden = []
        window.registry.set_checked("hide_panels", is_hidden)

    def reset(self) -> None:
        """Every panel back to its place."""
        self.hide_panels(False)
        self._window.restoreState(self._default, LAYOUT_VERSION)

    # The keyboard ----------------------------------------------------------------------------------------------------

    def focus_next(self) -> None:
        """Move the keyboard to the next area."""
        self._focus(1)

    def focus_previous(self) -> None:
        """Move the keyboard to the area before."""
        self._focus(-1)

    def _focus(self, step: int) -> None:
        areas = self._areas()
        focused = self._window.focusWidget()
        inside = (
            index
            for index, area in enumerate(areas)
            if focused is not None and (area is focused or area.isAncestorOf(focused))
        )
        start = next(inside, 0 if step < 0 else -1)
        for turn in range(1, len(areas) + 1):
            target = _first_focusable(areas[(start + step * turn) % len(areas)])
            if target is not None:
                target.setFocus(Qt.FocusReason.TabFocusReason)
                return

    def _areas(self) -> list[QWidget]:
        window = self._window
        panels = [dock.widget() for dock in window.docks.values()]
        areas = [window.stack.currentWidget(), window.tool_bar, window.tool_options, *panels, window.status]
        return [area for area in areas if area.isVisible() and area.isEnabled()]

    # From one time to the next ---------------------------------------------------------------------------------------

    def save(self) -> None:
        """Keep size, place and panels for the next window."""
        self.hide_panels(False)
        layout = self._file()
        layout.setValue("geometry", self._window.saveGeometry())
        layout.setValue("state", self._window.saveState(LAYOUT_VERSION))
        layout.setValue("theme", self._window.store.value.theme)

    def last_theme(self) -> ThemeName:
        """Colours the last window had; the settings hold what the user chose, but are read after the first paint."""
        theme = self._file().value("theme") if self._path().exists() else None
        return theme if theme in get_args(ThemeName) else "dark"

    def restore(self) -> None:
        """Arrange the window as the last one was; note how it is arranged without that."""
        window = self._window
        self._default = window.saveState(LAYOUT_VERSION)
        if not self._path().exists():
            return
        layout = self._file()
        geometry, state = layout.value("geometry"), layout.value("state")
        if isinstance(geometry, QByteArray):
            window.restoreGeometry(geometry)
        if isinstance(state, QByteArray):
            window.restoreState(state, LAYOUT_VERSION)

    def _file(self) -> QSettings:
        return QSettings(str(self._path()), QSettings.Format.IniFormat)

    def _path(self) -> Path:
        return state_folder() / "window.ini"


def _first_focusable(area: QWidget) -> QWidget | None:
    """The widget of an area that takes the keyboard."""
    for widget in (area, *area.findChildren(QWidget)):
        takes_it = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if takes_it and widget.isVisible() and widget.isEnabled():
            return widget
    return None
