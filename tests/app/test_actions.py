import pytest
from PySide6.QtCore import QObject, Signal

from app.action_table import ACTIONS
from app.actions import ActionRegistry, handler_of, tooltip
from app.keys import keys_in_force


def test_every_action_of_the_window_calls_something(window) -> None:
    for spec in ACTIONS:
        call, _ = handler_of(window, spec)
        assert callable(call), spec.id


def test_a_fault_in_a_handler_comes_to_the_one_door(qtbot) -> None:
    class Broken(QObject):
        changed = Signal()

        def quit(self) -> None:
            raise RuntimeError("broken")

    told: list[Exception] = []
    registry = ActionRegistry(Broken(), told.append)
    registry["quit"].trigger()
    assert [str(error) for error in told] == ["broken"]


def test_actions_that_need_something_are_grey_without_it(window) -> None:
    for action_id in ("save", "undo", "fill", "apply_result", "mask_invert", "zoom_in"):
        assert not window.registry[action_id].isEnabled(), action_id
    for action_id in ("open", "settings", "shortcuts", "quit"):
        assert window.registry[action_id].isEnabled(), action_id


def test_a_checkable_action_hands_over_whether_it_is_on(window) -> None:
    window.registry["full_screen"].trigger()
    assert window.isFullScreen()
    assert window.registry["full_screen"].isChecked()
    window.registry["full_screen"].trigger()
    assert not window.isFullScreen()


def test_a_tooltip_names_key_and_deed(window) -> None:
    spec = next(spec for spec in ACTIONS if spec.id == "open")
    window.registry.set_keys(keys_in_force("pentimento", {}))
    assert tooltip(spec, window.registry["open"]) == "Open  (Ctrl+O)\nOpen a photo or a document"


@pytest.mark.parametrize("area", ["File", "Edit", "View", "Tools", "Mask", "Fill", "Window", "Help"])
def test_every_area_has_its_menu(window, area) -> None:
    menu = next(action.menu() for action in window.menuBar().actions() if action.text() == f"&{area}")
    assert [action for action in menu.actions() if not action.isSeparator()]
