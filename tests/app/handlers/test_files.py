import json
import os
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QPushButton

from app.document import saving
from app.document.document import Document
from app.document.ora import read_ora
from app.document.recovery import journals_folder, recoverable
from app.document.selection import select, select_all
from app.document.shapes import rectangle
from app.handlers import files
from app.handlers.files import read_document, recipe_of, with_ending
from app.main_window import MainWindow
from app.recent import recent_files
from engine.edits import read_edit
from engine.errors import EngineError


@pytest.fixture
def opened(window, photo, qtbot) -> MainWindow:
    window.files.open_path(photo)
    qtbot.waitUntil(lambda: window.document is not None)
    return window


def test_a_photo_becomes_a_document_without_a_file(opened, photo) -> None:
    assert opened.document.path is None
    assert opened.document.name == "photo"
    assert not opened.document.is_modified
    assert recent_files() == [photo]
    assert np.array_equal(opened.document.layers[0].planes["pixels"], np.array(Image.open(photo)))


def test_what_cannot_be_opened_is_told_and_changes_nothing(opened, tmp_path, qtbot) -> None:
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    document = opened.document
    opened.files.open_path(bad)
    qtbot.waitUntil(lambda: opened.messages.message is not None)
    assert opened.messages.message.title == "bad.png"
    assert opened.document is document
    assert not opened.is_waiting


def test_a_missing_document_is_told(window, tmp_path, qtbot) -> None:
    window.files.open_path(tmp_path / "gone.ora")
    qtbot.waitUntil(lambda: window.messages.message is not None)
    assert window.messages.message.level == "error"
    assert window.document is None


def test_saving_asks_for_a_name_once_and_never_writes_over_the_photo(
    opened, photo, tmp_path, qtbot, monkeypatch
) -> None:
    before = photo.read_bytes()
    asked = []

    def ask(*args: object) -> tuple[str, str]:
        asked.append(args)
        return str(tmp_path / "work"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    select_all(opened.document)
    opened.registry["save"].trigger()
    qtbot.waitUntil(lambda: not opened.document.is_modified)
    path = tmp_path / "work.ora"
    assert opened.document.path == path
    assert not opened.isWindowModified()
    select_all(opened.document)
    opened.masks.clear()
    opened.registry["save"].trigger()
    qtbot.waitUntil(lambda: not opened.document.is_modified)
    assert len(asked) == 1
    assert photo.read_bytes() == before
    document, _ = read_ora(path)
    assert not document.mask_layer.has_any("coverage")


def test_a_save_that_fails_is_told_and_the_work_stays_unsaved(opened, tmp_path, qtbot) -> None:
    select_all(opened.document)
    opened.files.save_to(tmp_path / "no" / "such" / "folder.ora")
    qtbot.waitUntil(lambda: opened.messages.message is not None)
    assert opened.messages.message.level == "error"
    assert opened.document.is_modified
    assert not opened.files.is_saving


def test_a_document_opens_again_with_its_mask(opened, tmp_path, qtbot) -> None:
    select_all(opened.document)
    opened.files.save_to(tmp_path / "work.ora")
    qtbot.waitUntil(lambda: not opened.files.is_saving)
    document, notes = read_document(tmp_path / "work.ora")
    assert document.mask_layer.planes["coverage"].min() == 255
    assert notes == ()


def test_export_keeps_untouched_pixels_bit_for_bit(opened, photo, tmp_path, qtbot) -> None:
    out = tmp_path / "out.png"
    opened.files.export_to(out)
    qtbot.waitUntil(out.exists)
    assert np.array_equal(np.array(Image.open(out)), np.array(Image.open(photo)))


def test_export_asks_the_first_time_only(opened, tmp_path, qtbot, monkeypatch) -> None:
    asked = []

    def ask(*args: object) -> tuple[str, str]:
        asked.append(args[2])
        return str(tmp_path / "out"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    opened.registry["export"].trigger()
    qtbot.waitUntil(lambda: opened.files._exported is not None)
    opened.registry["export"].trigger()
    qtbot.wait(50)
    assert len(asked) == 1
    assert asked[0].endswith("photo-filled.png")
    assert (tmp_path / "out.png").exists()


def test_an_export_that_cannot_be_is_refused_before_the_work(opened, tmp_path) -> None:
    with pytest.raises(EngineError, match=r"expected a name ending in .*, got '\.doc'"):
        opened.files.export_to(tmp_path / "out.doc")


def test_a_copied_picture_opens_and_pastes(window, qtbot) -> None:
    image = QImage(30, 20, QImage.Format.Format_RGB32)
    image.fill(0xFF3366CC)
    QGuiApplication.clipboard().setImage(image)
    window.registry["new_from_clipboard"].trigger()
    assert window.document.size_hw == (20, 30)
    assert window.document.is_modified
    window.registry["paste"].trigger()
    layer = window.document.layer(window.document.active_layer_id)
    assert layer.name == "Pasted"
    assert layer.origin_xy == (0, 0)
    window.undo()
    assert [one.kind for one in window.document.layers] == ["picture", "mask", "edges"]


def test_nothing_to_paste_is_told(opened) -> None:
    QGuiApplication.clipboard().clear()
    opened.registry["paste"].trigger()
    assert opened.messages.message.sentence == "There should be a picture, but there is something else."


def test_what_is_seen_can_be_copied(opened, photo) -> None:
    QGuiApplication.clipboard().clear()
    opened.registry["copy"].trigger()
    image = QGuiApplication.clipboard().image()
    assert (image.width(), image.height()) == (56, 44)


def test_a_sample_comes_with_its_mask(window, qtbot) -> None:
    window.registry["sample"].trigger()
    qtbot.waitUntil(lambda: window.document is not None)
    assert window.document.mask_layer.has_any("coverage")
    assert window.messages.message.level == "info"


def test_a_sample_is_opened_by_its_name(window, qtbot) -> None:
    window.guarded(window.files.open_sample)("chelsea")
    qtbot.waitUntil(lambda: window.document is not None)
    assert window.document.name == "Old print, repaired"


def test_a_sample_that_is_not_there_is_told_with_those_that_are(window) -> None:
    window.guarded(window.files.open_sample)("tea")
    message = window.messages.message
    assert message.level == "error"
    assert "tea" in message.title
    assert "coffee, rocket" in message.next_step
    assert window.document is None
    assert not window.is_waiting


def test_untouched_work_closes_without_a_question(opened) -> None:
    opened.files.ask_save = lambda: pytest.fail("asked")
    opened.registry["close"].trigger()
    assert opened.document is None


def test_cancel_keeps_everything_open(opened) -> None:
    select_all(opened.document)
    opened.files.ask_save = lambda: "cancel"
    assert not opened.close()
    assert opened.document is not None
    assert opened in MainWindow.windows


def test_save_before_closing_saves_and_then_closes(opened, tmp_path, qtbot) -> None:
    select_all(opened.document)
    opened.document.path = tmp_path / "work.ora"
    opened.files.ask_save = lambda: "save"
    assert not opened.close()
    qtbot.waitUntil(lambda: opened not in MainWindow.windows)
    assert (tmp_path / "work.ora").exists()


@pytest.fixture
def held_save(monkeypatch):
    """Saves wait until this event is set."""
    gate, write = threading.Event(), saving.write_ora

    def wait_and_write(*args: object) -> object:
        assert gate.wait(10)
        return write(*args)

    monkeypatch.setattr(saving, "write_ora", wait_and_write)
    yield gate
    gate.set()


def test_what_is_drawn_while_saving_before_closing_is_asked_about(opened, tmp_path, qtbot, held_save) -> None:
    document = opened.document
    document.path = tmp_path / "work.ora"
    select_all(document)
    opened.files.ask_save = lambda: "save"
    assert not opened.close()
    opened.masks.clear()
    asked = []
    opened.files.ask_save = lambda: asked.append(document.is_modified) or "cancel"
    held_save.set()
    qtbot.waitUntil(lambda: asked == [True])
    assert opened.document is document
    assert opened in MainWindow.windows


def test_a_save_that_cannot_begin_is_told_and_keeps_nobody_from_closing(
    opened, tmp_path, monkeypatch
) -> None:
    def refuse(_document: object) -> None:
        raise MemoryError

    select_all(opened.document)
    opened.document.path = tmp_path / "work.ora"
    opened.files.ask_save = lambda: "save"
    monkeypatch.setattr(saving, "Snapshot", refuse)
    assert not opened.close()
    assert opened.messages.message.level == "error"
    assert not opened.files.is_saving
    opened.files.ask_save = lambda: "discard"
    assert opened.close()


def test_what_is_drawn_while_a_file_is_read_stays(opened, photo, qtbot, monkeypatch) -> None:
    """The file that was asked for comes in a window of its own then."""
    gate, read = threading.Event(), files.read_document

    def wait_and_read(path: Path) -> object:
        assert gate.wait(10)
        return read(path)

    monkeypatch.setattr(files, "read_document", wait_and_read)
    document = opened.document
    opened.files.open_paths([photo])
    select_all(document)
    gate.set()
    qtbot.waitUntil(lambda: len(MainWindow.windows) == 2)
    assert opened.document is document
    assert document.mask_layer.has_any("coverage")
    assert MainWindow.windows[1].document.name == "photo"


def test_an_export_never_aims_at_what_another_picture_was_exported_to(opened, tmp_path, qtbot) -> None:
    opened.files.export_to(tmp_path / "out.png")
    opened.set_document(None)
    opened.files.take(Document.blank((20, 30)))
    qtbot.waitUntil(lambda: opened.statusBar().currentMessage() == "Exported out.png")
    assert opened.files._exported is None


@pytest.mark.parametrize(
    ("ask", "name"), [("save_as", "work.ora"), ("export_as", "work.png"), ("save_mask", "work.png")]
)
def test_a_name_without_an_ending_never_replaces_a_file_unasked(
    opened, tmp_path, qtbot, monkeypatch, ask, name
) -> None:
    """The file dialog saw no file of the name that was typed."""
    path = tmp_path / name
    path.write_bytes(b"precious")
    questions = []
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "work"), ""))
    monkeypatch.setattr(QMessageBox, "question", lambda *args: questions.append(args[2]) or answers.pop(0))
    select_all(opened.document)
    call = opened.masks.save if ask == "save_mask" else getattr(opened.files, ask)
    call()
    assert questions == [f"{name} is there already. Replace it?"]
    assert not opened.files.is_saving
    assert path.read_bytes() == b"precious"
    call()
    qtbot.waitUntil(lambda: path.read_bytes() != b"precious")
    qtbot.waitUntil(lambda: not opened.files.is_saving)


@pytest.mark.parametrize("ask", ["save_as", "export_as", "save_mask"])
def test_a_file_dialog_that_is_cancelled_writes_nothing(opened, photo, monkeypatch, ask) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    select_all(opened.document)
    call = opened.masks.save if ask == "save_mask" else getattr(opened.files, ask)
    call()
    assert not opened.files.is_saving
    assert list(photo.parent.iterdir()) == [photo]
    assert opened.messages.message is None


def test_a_document_that_is_open_is_shown_and_not_opened_twice(opened, tmp_path, qtbot) -> None:
    path = tmp_path / "work.ora"
    opened.files.save_to(path)
    qtbot.waitUntil(lambda: not opened.files.is_saving)
    other = opened.new_window()
    other.files.open_paths([tmp_path / "." / "work.ora"])
    assert not other.is_waiting
    assert opened.statusBar().currentMessage() == "work.ora is open here already"
    assert len(MainWindow.windows) == 2


def test_a_double_click_on_a_recent_file_opens_it_once(window, tmp_path, photo, qtbot) -> None:
    window.welcome.set_recent([photo])
    link = window.welcome.findChild(QPushButton, "welcome_recent_0")
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.document is not None)
    assert MainWindow.windows == [window]
    window.files.open_paths([photo])  # later, a picture may be open twice
    qtbot.waitUntil(lambda: not window.is_waiting)


def test_a_document_named_twice_is_opened_once(opened, tmp_path, qtbot) -> None:
    """Two windows of one document would write over each other."""
    path = tmp_path / "work.ora"
    opened.files.save_to(path)
    qtbot.waitUntil(lambda: not opened.files.is_saving)
    opened.registry["close"].trigger()
    opened.files.open_paths([path, path])
    qtbot.waitUntil(lambda: opened.document is not None)
    assert MainWindow.windows == [opened]


def test_a_document_named_from_a_folder_is_found_from_another(opened, tmp_path, qtbot, monkeypatch) -> None:
    """Its journal keeps where it lies: after a crash the program may be started elsewhere."""
    path = tmp_path / "work.ora"
    opened.files.save_to(path)
    qtbot.waitUntil(lambda: not opened.files.is_saving)
    opened.registry["close"].trigger()
    monkeypatch.chdir(tmp_path)
    opened.files.open_paths(["work.ora"])
    qtbot.waitUntil(lambda: opened.document is not None)
    assert opened.document.path == path


def test_a_double_click_on_the_sample_opens_it_once(window, qtbot) -> None:
    button = window.welcome.findChild(QPushButton, "welcome_sample")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.document is not None)
    assert MainWindow.windows == [window]


def test_a_file_that_could_not_be_opened_can_be_tried_again(window, photo, qtbot) -> None:
    content = photo.read_bytes()
    photo.write_bytes(b"")
    window.files.open_paths([photo])
    qtbot.waitUntil(lambda: not window.is_waiting)
    assert window.document is None
    photo.write_bytes(content)
    window.files.open_paths([photo])
    qtbot.waitUntil(lambda: window.document is not None)


def test_saving_over_what_another_window_has_open_is_refused(opened, tmp_path, qtbot) -> None:
    path = tmp_path / "work.ora"
    opened.files.save_to(path)
    qtbot.waitUntil(lambda: not opened.files.is_saving)
    other = opened.new_window()
    other.files.take(Document.blank((20, 30)))
    before = path.read_bytes()
    other.files.save_to(path)
    assert other.messages.message.sentence.endswith(
        "a file no other window has, but there is one that is open."
    )
    assert not other.files.is_saving
    assert path.read_bytes() == before


def test_the_newest_of_two_saves_is_what_stays(opened, tmp_path, qtbot, held_save) -> None:
    path = tmp_path / "work.ora"
    opened.files.save_to(path)
    select_all(opened.document)
    opened.files.save_to(path)
    held_save.set()
    qtbot.waitUntil(lambda: not opened.files.is_saving)
    assert not opened.document.is_modified
    document, _ = read_ora(path)
    assert document.mask_layer.has_any("coverage")


@pytest.fixture
def changed(opened, tmp_path, qtbot) -> Path:
    """The document's own file, to which another program wrote after it was opened; something was drawn meanwhile."""
    path = tmp_path / "work.ora"
    opened.files.save_to(path)
    qtbot.waitUntil(lambda: not opened.files.is_saving)
    opened.registry["close"].trigger()
    opened.files.open_paths([path])
    qtbot.waitUntil(lambda: opened.document is not None)
    select_all(opened.document)
    path.write_bytes(b"what another program wrote")
    return path


@pytest.fixture
def press(qtbot):
    """Press a button of the question that comes up next, as a person does; gives the words of the question."""

    def soon(words: str) -> list[str]:
        asked: list[str] = []

        def look() -> None:
            box = QApplication.activeModalWidget()
            if isinstance(box, QMessageBox):
                timer.stop()
                asked.extend([box.text(), box.informativeText()])
                button = next(one for one in box.buttons() if one.text().replace("&", "") == words)
                qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

        timer = QTimer(QApplication.instance())
        timer.timeout.connect(look)
        timer.start(10)
        return asked

    return soon


def test_a_file_that_another_program_changed_is_not_overwritten_unasked(
    opened, changed, press, qtbot
) -> None:
    asked = press("Cancel")
    opened.registry["save"].trigger()
    qtbot.waitUntil(lambda: bool(asked) and not opened.files.is_saving)
    assert "“work.ora” was changed by another program" in asked[0]
    assert changed.read_bytes() == b"what another program wrote"
    assert opened.document.is_modified


def test_a_file_that_another_program_changed_can_be_overwritten(opened, changed, press, qtbot) -> None:
    asked = press("Overwrite")
    opened.registry["save"].trigger()
    qtbot.waitUntil(lambda: bool(asked) and not opened.document.is_modified)
    assert read_ora(changed)[0].mask_layer.has_any("coverage")
    opened.files.ask_changed = lambda _path: pytest.fail("asked of what this program wrote itself")
    opened.masks.clear()
    opened.registry["save"].trigger()
    qtbot.waitUntil(lambda: not opened.document.is_modified)


def test_of_a_file_that_another_program_changed_both_can_be_kept(
    opened, changed, press, qtbot, monkeypatch
) -> None:
    other = changed.with_name("other.ora")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(other), ""))
    asked = press("Save As…")
    opened.registry["save"].trigger()
    qtbot.waitUntil(lambda: bool(asked) and not opened.document.is_modified)
    assert changed.read_bytes() == b"what another program wrote"
    assert opened.document.path == other
    assert read_ora(other)[0].mask_layer.has_any("coverage")


def test_closing_asks_too_before_it_saves_over_a_changed_file(opened, changed, press, qtbot) -> None:
    opened.files.ask_save = lambda: "save"
    asked = press("Cancel")
    assert not opened.close()
    qtbot.waitUntil(lambda: bool(asked) and not opened.files.is_saving)
    assert opened in MainWindow.windows
    press("Overwrite")
    assert not opened.close()
    qtbot.waitUntil(lambda: opened not in MainWindow.windows)
    assert read_ora(changed)[0].mask_layer.has_any("coverage")


def test_a_file_that_was_only_touched_is_saved_without_a_question(opened, tmp_path, qtbot) -> None:
    path = tmp_path / "work.ora"
    opened.files.save_to(path)
    qtbot.waitUntil(lambda: not opened.files.is_saving)
    os.utime(path, ns=(1, 1))
    opened.files.ask_changed = lambda _path: pytest.fail("asked")
    select_all(opened.document)
    opened.registry["save"].trigger()
    qtbot.waitUntil(lambda: not opened.document.is_modified)
    assert read_ora(path)[0].mask_layer.has_any("coverage")


def test_quit_waits_for_a_window_that_is_saving_and_closes_the_others(
    opened, tmp_path, qtbot, held_save
) -> None:
    opened.document.path = tmp_path / "work.ora"
    select_all(opened.document)
    opened.registry["save"].trigger()
    opened.new_window()
    opened.registry["quit"].trigger()
    assert MainWindow.windows == [opened]
    assert opened.statusBar().currentMessage() == "Saving; the window closes when that is done"
    held_save.set()
    qtbot.waitUntil(lambda: not MainWindow.windows)
    assert read_ora(tmp_path / "work.ora")[0].mask_layer.has_any("coverage")


def test_quit_ends_where_the_user_wants_to_keep_a_window(opened, qtbot) -> None:
    select_all(opened.document)
    opened.files.ask_save = lambda: "cancel"
    other = opened.new_window()
    opened.registry["quit"].trigger()
    assert MainWindow.windows == [opened, other]


def test_a_save_that_fails_keeps_the_window_that_quit_would_close(opened, tmp_path, qtbot) -> None:
    opened.document.path = tmp_path / "no" / "such" / "folder.ora"
    select_all(opened.document)
    opened.files.ask_save = lambda: "save"
    opened.registry["quit"].trigger()
    qtbot.waitUntil(lambda: opened.messages.message is not None)
    assert MainWindow.windows == [opened]
    assert not opened.files.is_leaving


def test_the_question_has_three_answers(opened, monkeypatch) -> None:
    for button, answer in (
        (QMessageBox.StandardButton.Save, "save"),
        (QMessageBox.StandardButton.Discard, "discard"),
        (QMessageBox.StandardButton.Cancel, "cancel"),
    ):
        monkeypatch.setattr(QMessageBox, "exec", lambda _self, button=button: button)
        assert opened.files.ask_save() == answer


def test_closing_leaves_no_journal(opened, qtbot) -> None:
    select_all(opened.document)
    qtbot.wait(50)
    opened.files.ask_save = lambda: "discard"
    opened.close()
    qtbot.waitUntil(lambda: not any(journals_folder().iterdir()))
    assert recoverable() == []


def test_endings_are_added_where_they_are_missing(tmp_path) -> None:
    assert with_ending(tmp_path / "a", ".ora").name == "a.ora"
    assert with_ending(tmp_path / "a.b", ".ora").name == "a.b.ora"
    assert with_ending(tmp_path / "a.ORA", ".ora").name == "a.ORA"
    assert with_ending(tmp_path / "a.jpg", ".png", any_known=True).name == "a.jpg"


def fill(window, qtbot, seed: int) -> None:
    """Fill a hole with what the stand-in of the engine answers."""
    window.fill.set_live(False)
    if not window.document.mask_layer.has_any("coverage"):
        select(window.document, rectangle((8, 6), (30, 20), window.document.size_hw), "add")
    window.fill.change_settings(seed=seed)
    window.registry["fill"].trigger()
    window.worker.answer(200)


def test_an_exported_png_says_how_it_was_made(opened, tmp_path, qtbot) -> None:
    """Seed, parameters and the digest of the weights, of applied results and of the one that is seen."""
    fill(opened, qtbot, 4)
    opened.registry["apply_result"].trigger()
    fill(opened, qtbot, 9)
    result = opened.document.current_result
    out = tmp_path / "out.png"
    opened.files.export_to(out)
    qtbot.waitUntil(out.exists)
    with Image.open(out) as image:
        steps = json.loads(image.text["pentimento.recipe"])
    assert [step["edit"]["seed"] for step in steps] == [4, 9]
    assert steps[1] == result.step.model_dump(mode="json")
    assert read_edit(steps[1]["edit"]) == result.step.reopened()


def test_a_document_of_a_later_version_is_refused_in_words(opened, tmp_path, qtbot) -> None:
    path = tmp_path / "later.ora"
    opened.files.save_to(path)
    qtbot.waitUntil(lambda: path.exists() and not opened.files.is_saving)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    index = json.loads(entries["pentimento/document.json"])
    entries["pentimento/document.json"] = json.dumps({**index, "format": index["format"] + 1}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    before = opened.document
    opened.files.open_path(path)
    qtbot.waitUntil(lambda: opened.messages.message is not None)
    message = opened.messages.message
    assert (message.level, message.title) == ("error", "later.ora")
    assert message.sentence == "There should be a file of version 1 or older, but there is version 2."
    assert message.next_step == "Update this program."
    assert opened.document is before


def test_a_picture_without_fills_has_no_recipe(opened) -> None:
    assert recipe_of(opened.document) == {"Software": "Pentimento"}
    assert json.dumps(recipe_of(opened.document))


def test_dialogs_start_where_the_last_file_was(opened, photo, tmp_path) -> None:
    assert opened.files.folder() == str(photo.parent)
    opened.set_document(None)
    assert opened.files.folder() == str(photo.parent)
