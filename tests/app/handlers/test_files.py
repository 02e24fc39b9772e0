import json
import threading
import zipfile
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMessageBox, QPushButton

from app.document.document import Document
from app.document.selection import select, select_all
from app.document.shapes import rectangle
from app.handlers import files
from app.handlers.files import read_document, recipe_of, with_ending
from app.main_window import MainWindow
from app.recent import recent_files
from engine.edits import read_edit
from engine.errors import EngineError


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


def test_a_document_opens_again_with_its_mask(opened, tmp_path, qtbot) -> None:
    select_all(opened.document)
    opened.saving.save_to(tmp_path / "work.ora")
    qtbot.waitUntil(lambda: not opened.saving.is_saving)
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
    assert opened.messages.message.sentence == "There is no picture on the clipboard."


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
    ("handler", "name"),
    [("saving.save_as", "work.ora"), ("files.export_as", "work.png"), ("masks.save", "work.png")],
)
def test_a_name_without_an_ending_never_replaces_a_file_unasked(
    opened, tmp_path, qtbot, monkeypatch, handler, name
) -> None:
    """The file dialog saw no file of the name that was typed."""
    path = tmp_path / name
    path.write_bytes(b"precious")
    questions = []
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "work"), ""))
    monkeypatch.setattr(QMessageBox, "question", lambda *args: questions.append(args[2]) or answers.pop(0))
    select_all(opened.document)
    ask = attrgetter(handler)(opened)
    ask()
    assert questions == [f"{name} is there already. Replace it?"]
    assert not opened.saving.is_saving
    assert path.read_bytes() == b"precious"
    ask()
    qtbot.waitUntil(lambda: path.read_bytes() != b"precious")
    qtbot.waitUntil(lambda: not opened.saving.is_saving)


@pytest.mark.parametrize("handler", ["saving.save_as", "files.export_as", "masks.save"])
def test_a_file_dialog_that_is_cancelled_writes_nothing(opened, photo, monkeypatch, handler) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    select_all(opened.document)
    ask = attrgetter(handler)(opened)
    ask()
    assert not opened.saving.is_saving
    assert list(photo.parent.iterdir()) == [photo]
    assert opened.messages.message is None


def test_a_document_that_is_open_is_shown_and_not_opened_twice(opened, tmp_path, qtbot) -> None:
    path = tmp_path / "work.ora"
    opened.saving.save_to(path)
    qtbot.waitUntil(lambda: not opened.saving.is_saving)
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
    opened.saving.save_to(path)
    qtbot.waitUntil(lambda: not opened.saving.is_saving)
    opened.registry["close"].trigger()
    opened.files.open_paths([path, path])
    qtbot.waitUntil(lambda: opened.document is not None)
    assert MainWindow.windows == [opened]


def test_a_document_named_from_a_folder_is_found_from_another(opened, tmp_path, qtbot, monkeypatch) -> None:
    """Its journal keeps where it lies: after a crash the program may be started elsewhere."""
    path = tmp_path / "work.ora"
    opened.saving.save_to(path)
    qtbot.waitUntil(lambda: not opened.saving.is_saving)
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
    opened.saving.save_to(path)
    qtbot.waitUntil(lambda: path.exists() and not opened.saving.is_saving)
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
    assert message.sentence == "A later Pentimento made this document."
    assert message.next_step == "Update this program."
    assert opened.document is before


def test_a_picture_without_fills_has_no_recipe(opened) -> None:
    assert recipe_of(opened.document) == {"Software": "Pentimento"}
    assert json.dumps(recipe_of(opened.document))


def test_dialogs_start_where_the_last_file_was(opened, photo, tmp_path) -> None:
    assert opened.files.folder() == str(photo.parent)
    opened.set_document(None)
    assert opened.files.folder() == str(photo.parent)


# Windows that were made for a file -----------------------------------------------------------------------------------


def drawn(opened) -> None:
    """Something that a file to be opened must not take the place of."""
    select_all(opened.document)


def test_a_file_that_cannot_be_opened_leaves_no_window_behind(opened, tmp_path, qtbot) -> None:
    drawn(opened)
    (tmp_path / "bad.png").write_text("no picture")
    opened.files.open_paths([tmp_path / "bad.png", tmp_path / "gone.ora"])
    assert len(MainWindow.windows) == 3
    qtbot.waitUntil(lambda: MainWindow.windows == [opened])
    assert opened.messages.message.title in ("bad.png", "gone.ora")
    assert opened.document is not None


def test_of_several_files_those_that_can_be_opened_have_their_windows(opened, photo, tmp_path, qtbot) -> None:
    drawn(opened)
    (tmp_path / "bad.png").write_text("no picture")
    opened.files.open_paths([tmp_path / "bad.png", photo])
    qtbot.waitUntil(lambda: opened.messages.message is not None)
    qtbot.waitUntil(lambda: all(window.document is not None for window in MainWindow.windows))
    assert len(MainWindow.windows) == 2
    assert opened.messages.message.title == "bad.png"


def test_a_window_that_was_made_for_a_file_and_has_something_else_by_now_stays(
    opened, photo, tmp_path, qtbot, monkeypatch
) -> None:
    drawn(opened)
    go_on = threading.Event()

    def slowly(path):
        if path.suffix == ".ora":
            go_on.wait(5)
        return read_document(path)

    monkeypatch.setattr(files, "read_document", slowly)
    opened.files.open_paths([tmp_path / "gone.ora"])
    (other,) = [window for window in MainWindow.windows if window is not opened]
    other.files.open_path(photo)
    qtbot.waitUntil(lambda: any(window.document for window in MainWindow.windows if window is not opened))
    go_on.set()
    qtbot.waitUntil(lambda: any(window.messages.message for window in MainWindow.windows))
    assert [
        window for window in MainWindow.windows if window.document is None and not window.messages.message
    ] == []


def test_the_window_one_began_with_stays_when_its_file_cannot_be_opened(window, tmp_path, qtbot) -> None:
    window.files.open_paths([tmp_path / "gone.ora"])
    qtbot.waitUntil(lambda: window.messages.message is not None)
    assert MainWindow.windows == [window]
    assert window.isVisible()


def test_closing_the_document_of_one_of_two_windows_closes_that_window(opened, photo, qtbot) -> None:
    other = opened.new_window()
    other.files.open_path(photo)
    qtbot.waitUntil(lambda: other.document is not None)
    QTest.keyClick(other, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: MainWindow.windows == [opened])
    assert opened.document is not None
    opened.activateWindow()
    qtbot.waitUntil(opened.isActiveWindow)
    QTest.keyClick(opened, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert MainWindow.windows == [opened], "the last one shows the start"
    assert opened.document is None
    QTest.keyClick(opened, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert MainWindow.windows == []


def test_one_of_two_windows_stays_while_its_user_wants_to_keep_changes(opened, monkeypatch) -> None:
    other = opened.new_window()
    drawn(opened)
    monkeypatch.setattr(opened.saving, "ask_save", lambda: "cancel")
    opened.registry["close"].trigger()
    assert MainWindow.windows == [opened, other]
    assert opened.document is not None
