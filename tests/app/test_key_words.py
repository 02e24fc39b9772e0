import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from app.dialogs.key_dialog import KeyDialog
from app.key_words import key_text, with_both_enters
from app.keys import keys_in_force, profile_names
from app.panels.controls import key_of
from app.settings import SettingsStore

elsewhere = pytest.mark.skipif(sys.platform == "darwin", reason="macOS has signs, and the large key first")


@elsewhere
def test_return_is_called_enter() -> None:
    assert key_text(QKeySequence("Ctrl+Return")) == key_text("Ctrl+Enter") == "Ctrl+Enter"
    assert key_text("Ctrl+Shift+Return") == "Ctrl+Shift+Enter"
    assert key_text(QKeySequence()) == ""


@elsewhere
def test_return_brings_enter_along_and_enter_is_said_first() -> None:
    both = [QKeySequence("Ctrl+Enter"), QKeySequence("Ctrl+Return")]
    assert with_both_enters(["Ctrl+Return"], set()) == both
    assert with_both_enters(["Ctrl+Return", "Ctrl+Enter"], set()) == both
    assert with_both_enters(["Ctrl+Return"], {"Ctrl+Enter"}) == both[1:]
    assert with_both_enters(["F", "Ctrl+O"], set()) == [QKeySequence("F"), QKeySequence("Ctrl+O")]


@elsewhere
@pytest.mark.parametrize("profile", profile_names())
def test_no_menu_tooltip_or_hint_says_return(window, profile) -> None:
    """A menu writes the first key of an action by itself."""
    window.registry.set_keys(keys_in_force(profile, {}))
    native = QKeySequence.SequenceFormat.NativeText
    for spec, action in window.registry.items():
        assert "Return" not in action.shortcut().toString(native), spec.id
        assert "Return" not in action.toolTip(), spec.id
    assert key_of(window.inpaint, "fill", "none") in ("Ctrl+Enter", "Shift+Enter")


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_either_key_fills(window, key) -> None:
    window.registry["fill"].setEnabled(True)
    pressed: list[bool] = []
    window.registry["fill"].triggered.connect(lambda *_: pressed.append(True))
    window.activateWindow()
    QTest.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
    assert len(pressed) == 1


@elsewhere
def test_a_key_that_is_pressed_in_the_dialog_is_written_alike(qtbot, tmp_path) -> None:
    dialog = KeyDialog(SettingsStore(tmp_path / "settings.json"))
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.choose("undo")
    QTest.keyClick(dialog.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert dialog.edit.findChild(QLineEdit).text() == "Ctrl+Enter"
    assert dialog.note.text().startswith("Ctrl+Enter belongs to")
