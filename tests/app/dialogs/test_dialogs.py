from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QSlider

from app.dialogs.about import About
from app.dialogs.key_dialog import KeyDialog
from app.dialogs.settings_dialog import SettingsDialog
from app.dialogs.shortcut_sheet import ShortcutSheet, key_words
from app.settings import Settings, SettingsStore, settings_store


def test_the_sheet_shows_and_searches_every_key(window, qtbot) -> None:
    window.registry["shortcuts"].trigger()
    sheet = window._dialogs["shortcuts"]
    assert isinstance(sheet, ShortcutSheet)
    everything = sheet.shown_rows()
    assert len(everything) > 50
    assert any(row.startswith("Undo Ctrl+Z") for row in everything)
    QTest.keyClicks(sheet.search, "brush size")
    assert sheet.shown_rows()
    assert all("brush" in row.lower() for row in sheet.shown_rows())
    sheet.search.setText("no such words")
    assert sheet.shown_rows() == []
    assert sheet._none.isVisible()


def test_the_sheet_knows_the_gestures_of_a_profile(window) -> None:
    for profile, is_there in (("pentimento", False), ("krita", True)):
        settings_store().change(key_profile=profile)
        window.registry["shortcuts"].trigger()
        rows = window._dialogs["shortcuts"].shown_rows()
        assert any(row.startswith("Brush size Shift + drag") for row in rows) == is_there
        assert any("Alt + wheel" in row for row in rows)


def test_f1_opens_the_sheet(window) -> None:
    window.activateWindow()
    QTest.keyClick(window, Qt.Key.Key_F1)
    assert window._dialogs["shortcuts"].isVisible()


def test_keys_that_are_typed_alike_are_said_once() -> None:
    from PySide6.QtGui import QKeySequence

    assert key_words([QKeySequence("Ctrl+Return"), QKeySequence("Ctrl+Enter")]) == "Ctrl+Enter"
    assert key_words([QKeySequence("Ctrl+Shift+Z"), QKeySequence("Ctrl+Y")]) == "Ctrl+Shift+Z  or  Ctrl+Y"
    assert key_words([QKeySequence("{")]) == "{"


def test_a_key_is_changed_taken_and_given_back(qtbot, tmp_path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    dialog = KeyDialog(store)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.choose("fill")
    QTest.keyClick(dialog.edit, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert dialog.note.text() == "Ctrl+Z belongs to “Undo” and will be taken from it."
    dialog.findChild(QPushButton, "key_set").click()
    assert store.value.own_keys == {"fill": ("Ctrl+Z",)}
    assert dialog.keys_shown("fill") == "Ctrl+Z"
    assert dialog.keys_shown("undo") == ""
    dialog.findChild(QPushButton, "key_reset").click()
    assert dialog.keys_shown("undo") == "Ctrl+Z"
    dialog.findChild(QPushButton, "key_remove").click()
    assert dialog.keys_shown("fill") == ""
    dialog.findChild(QPushButton, "key_reset_all").click()
    assert store.value.own_keys == {}


def test_an_own_key_given_twice_belongs_to_the_last(qtbot, tmp_path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    dialog = KeyDialog(store)
    qtbot.addWidget(dialog)
    dialog.show()
    for action_id in ("fill", "export"):
        dialog.choose(action_id)
        dialog.edit.setKeySequence("F9")
        dialog.findChild(QPushButton, "key_set").click()
    assert store.value.own_keys == {"fill": (), "export": ("F9",)}


def test_a_profile_is_taken_whole(window) -> None:
    window.show_keys()
    dialog = window._dialogs["keys"]
    box = dialog.findChild(QComboBox, "key_profile")
    index = box.findData("krita")
    box.setCurrentIndex(index)
    box.activated.emit(index)
    assert window.store.value.key_profile == "krita"
    assert [key.toString() for key in window.registry["fit"].shortcuts()] == ["2"]


def test_settings_change_at_once(qtbot, tmp_path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    dialog = SettingsDialog(store)
    qtbot.addWidget(dialog)
    box = dialog.findChild(QComboBox, "setting_mask_colour")
    index = box.findData("blue")
    box.activated.emit(index)
    dialog.findChild(QSlider, "setting_mask_opacity").setValue(80)
    assert (store.value.mask_colour, store.value.mask_opacity) == ("blue", 0.8)
    store.change(theme="light")
    assert dialog.findChild(QComboBox, "setting_theme").currentData() == "light"
    dialog.findChild(QPushButton, "settings_reset").click()
    assert store.value == Settings()


def test_a_device_written_by_hand_is_shown(qtbot, tmp_path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    store.change(device="cuda:1")
    dialog = SettingsDialog(store)
    qtbot.addWidget(dialog)
    assert dialog.findChild(QComboBox, "setting_device").currentText() == "cuda:1"


def test_about_says_what_a_report_needs(qtbot) -> None:
    dialog = About()
    qtbot.addWidget(dialog)
    facts = dialog.findChild(QLabel, "about_facts").text()
    assert "Python 3." in facts
    assert "pentimento.log" in facts
