"""Qt's actions, made from the table: one a row, with its keys, its icon and what it calls.

Menus and bars ask here for actions by name, so that a thing looks and is called the same everywhere. A fault in a
handler goes to the one door for errors and never through Qt.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar

from app.action_table import ACTIONS, AREAS, BY_ID, ActionSpec, Area, Need
from app.icons import NAME_PROPERTY, set_icon
from app.key_words import key_text, with_both_enters

if TYPE_CHECKING:
    from app.keys import Keys


class ActionRegistry(QObject):
    """The actions of one window.

    Args:
        window: where the handlers' paths start, and whose keys these are.
        on_error: takes what a handler raised.
    """

    def __init__(self, window: QObject, on_error: Callable[[Exception], None]) -> None:
        super().__init__(window)
        self._window = window
        self._on_error = on_error
        self._actions: dict[str, QAction] = {}
        for spec in ACTIONS:
            self._actions[spec.id] = self._make(spec)

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def items(self) -> tuple[tuple[ActionSpec, QAction], ...]:
        """Every row with its action, in the order of the table."""
        return tuple((BY_ID[key], action) for key, action in self._actions.items())

    def set_keys(self, keys: "Keys") -> None:
        """Give every action its keys; tooltips say the first."""
        everyones = {key for own in keys.values() for key in own}
        for spec, action in self.items():
            own = keys.get(spec.id, ())
            action.setShortcuts(with_both_enters(own, everyones - set(own)))
            action.setToolTip(tooltip(spec, action))

    def set_state(self, state: Mapping[Need, bool]) -> None:
        """Enable what can be done now.

        Args:
            state: of every need, whether it is there.
        """
        for spec, action in self.items():
            action.setEnabled(not spec.needs or state.get(spec.needs, False))

    def set_checked(self, action_id: str, is_on: bool) -> None:
        """Show a checkable action as on or off without calling its handler."""
        self._actions[action_id].setChecked(is_on)  # handlers hang on triggered, which this does not send

    def fill_menu(self, menu: QMenu, area: Area) -> None:
        """Put the actions of an area into a menu."""
        for spec, action in self.items():
            if spec.area == area:
                if spec.starts_group:
                    menu.addSeparator()
                menu.addAction(action)

    def fill_menu_bar(self, bar: QMenuBar) -> dict[Area, QMenu]:
        """Make every menu."""
        menus: dict[Area, QMenu] = {}
        for area in AREAS:
            menu = bar.addMenu(f"&{area}")
            menu.setObjectName(f"menu_{area.lower()}")
            menu.setToolTipsVisible(False)
            self.fill_menu(menu, area)
            menus[area] = menu
        return menus

    def _make(self, spec: ActionSpec) -> QAction:
        action = QAction(spec.text, self)
        action.setObjectName(spec.id)
        action.setStatusTip(spec.tip)
        action.setCheckable(spec.is_checkable)
        action.setChecked(spec.is_on)
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setMenuRole(QAction.MenuRole.NoRole)
        if spec.icon and spec.area == "Tools":
            set_icon(action, spec.icon)
        elif spec.icon:
            # Drawing 50 icons takes longer than making the window: `refresh_icons` draws them after the first paint.
            action.setProperty(NAME_PROPERTY, spec.icon)
        action.triggered.connect(lambda is_on=False: self._call(spec, is_on))
        return action

    def _call(self, spec: ActionSpec, is_on: bool) -> None:
        try:
            handler, words = handler_of(self._window, spec)
            handler(*words, *([is_on] if spec.is_checkable and not words else []))
        except Exception as error:  # noqa: BLE001  (Qt would swallow it; the one door shows it)
            self._on_error(error)


def handler_of(window: Any, spec: ActionSpec) -> tuple[Callable[..., Any], list[str]]:
    """What an action calls, and the word it hands over."""
    path, _, word = spec.handler.partition(":")
    target = window
    for name in path.split("."):
        target = getattr(target, name)
    return target, [word] if word else []


def tooltip(spec: ActionSpec, action: QAction) -> str:
    """Name, first key and what it does."""
    keys = action.shortcuts()
    key = f"  ({key_text(keys[0])})" if keys else ""
    return f"{spec.plain_text}{key}\n{spec.tip}"
