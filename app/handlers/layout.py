"""The Window menu: full screen, panels, moving the keyboard among them; and where everything was last time."""

from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, get_args
from zlib import crc32

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QWidget

from app.folders import state_folder
from app.notices import NOTICES
from app.theme import ThemeName
from engine.own_file import OwnFile, Read

if TYPE_CHECKING:
    from app.main_window import MainWindow

FORMAT = 1
LAYOUT_VERSION = 1
"""Raise it when docks or bars change: an older layout is then left aside."""


@dataclass(frozen=True)
class KeptLayout:
    """A window as it was when it was closed; bytes of Qt's own in base64, empty where nothing is known."""

    geometry: str = ""
    state: str = ""
    theme: ThemeName = "dark"


def kept_layout_file() -> OwnFile[KeptLayout]:
    """Where the arrangement of the last window is kept."""
    return OwnFile(
        state_folder() / "window.json",
        what="the place of the window",
        empty=KeptLayout(),
        version=FORMAT,
        load=_load,
        dump=lambda kept: {**asdict(kept), "crc": _checksum(kept)},
        on_notice=NOTICES.add,
    )


def _load(data: Any) -> Read[KeptLayout]:
    kept = KeptLayout(**{key: value for key, value in data.items() if key != "crc"})
    if kept.theme not in get_args(ThemeName):
        raise ValueError("its theme is unknown")
    if _checksum(kept) != data["crc"]:  # Qt counts what such bytes announce, for minutes if need be
        raise ValueError("its checksum is wrong")
    return Read(kept)


def _checksum(kept: KeptLayout) -> int:
    return crc32(b64decode(kept.geometry, validate=True) + b64decode(kept.state, validate=True))


def _words(content: QByteArray) -> str:
    return b64encode(content.data()).decode()


def _bytes(words: str) -> QByteArray:
    return QByteArray(b64decode(words))


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
        window = self._window
        geometry, state = window.saveGeometry(), window.saveState(LAYOUT_VERSION)
        kept = KeptLayout(_words(geometry), _words(state), window.store.value.theme)
        kept_layout_file().update(lambda _: kept)

    def last_theme(self) -> ThemeName:
        """Colours the last window had; the settings hold what the user chose, but are read after the first paint."""
        return kept_layout_file().read().theme

    def restore(self) -> None:
        """Arrange the window as the last one was; note how it is arranged without that."""
        window = self._window
        self._default = window.saveState(LAYOUT_VERSION)
        kept = kept_layout_file().read()
        if kept.geometry:  # Qt leaves alone what it cannot make sense of
            window.restoreGeometry(_bytes(kept.geometry))
        if kept.state:
            window.restoreState(_bytes(kept.state), LAYOUT_VERSION)


def _first_focusable(area: QWidget) -> QWidget | None:
    """The widget of an area that takes the keyboard."""
    for widget in (area, *area.findChildren(QWidget)):
        takes_it = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if takes_it and widget.isVisible() and widget.isEnabled():
            return widget
    return None
