import os
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from app.document import saving
from app.document.document import Document
from app.document.ora import read_ora, write_ora
from app.document.recovery import journals_folder, recoverable
from app.document.selection import select_all
from app.handlers.file_mark import FileMark
from app.main_window import MainWindow
from app.start import after_first_paint


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
    opened.saving.save_to(tmp_path / "no" / "such" / "folder.ora")
    qtbot.waitUntil(lambda: opened.messages.message is not None)
    assert opened.messages.message.level == "error"
    assert opened.document.is_modified
    assert not opened.saving.is_saving


def test_untouched_work_closes_without_a_question(opened) -> None:
    opened.saving.ask_save = lambda: pytest.fail("asked")
    opened.registry["close"].trigger()
    assert opened.document is None


@pytest.fixture
def sample(window, qtbot, monkeypatch) -> MainWindow:
    """What ``pentimento --sample coffee`` shows; a question that comes up is told and left with Cancel."""
    window.questions = []

    def ask(box: QMessageBox) -> QMessageBox.StandardButton:
        window.questions.append(box.objectName())
        return QMessageBox.StandardButton.Cancel

    monkeypatch.setattr(QMessageBox, "exec", ask)
    after_first_paint(window, [], "coffee")
    qtbot.waitUntil(lambda: window.document is not None and not window.is_waiting)
    window.activateWindow()
    return window


def test_a_sample_in_which_nothing_was_drawn_closes_without_a_question(sample) -> None:
    """Its mask came with it."""
    assert sample.document.mask_layer.has_any("coverage")
    assert not sample.isWindowModified()
    QTest.keyClick(sample.canvas, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert sample.questions == []
    assert sample.document is None


def test_a_sample_s_mask_can_be_undone_and_redone_and_is_then_nothing_to_save(sample, qtbot) -> None:
    keys, control = qtbot.keyClick, Qt.KeyboardModifier.ControlModifier
    keys(sample.canvas, Qt.Key.Key_Z, control)
    assert not sample.document.mask_layer.has_any("coverage")
    assert sample.isWindowModified()
    keys(sample.canvas, Qt.Key.Key_Z, control | Qt.KeyboardModifier.ShiftModifier)
    assert sample.document.mask_layer.has_any("coverage")
    assert not sample.isWindowModified()
    assert sample.close()
    assert sample.questions == []


def test_a_sample_that_was_drawn_in_is_asked_about(sample, qtbot) -> None:
    view = sample.canvas
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=view.rect().center())
    qtbot.mouseMove(view, view.rect().center() + QPoint(30, 20))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=view.rect().center() + QPoint(30, 20))
    QTest.keyClick(view, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert sample.questions == ["ask_save"]
    assert sample.document is not None


def test_cancel_keeps_everything_open(opened) -> None:
    select_all(opened.document)
    opened.saving.ask_save = lambda: "cancel"
    assert not opened.close()
    assert opened.document is not None
    assert opened in MainWindow.windows


def test_save_before_closing_saves_and_then_closes(opened, tmp_path, qtbot) -> None:
    select_all(opened.document)
    opened.document.path = tmp_path / "work.ora"
    opened.saving.ask_save = lambda: "save"
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
    opened.saving.ask_save = lambda: "save"
    assert not opened.close()
    opened.masks.clear()
    asked = []
    opened.saving.ask_save = lambda: asked.append(document.is_modified) or "cancel"
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
    opened.saving.ask_save = lambda: "save"
    monkeypatch.setattr(saving, "Snapshot", refuse)
    assert not opened.close()
    assert opened.messages.message.level == "error"
    assert not opened.saving.is_saving
    opened.saving.ask_save = lambda: "discard"
    assert opened.close()


def test_saving_over_what_another_window_has_open_is_refused(opened, tmp_path, qtbot) -> None:
    path = tmp_path / "work.ora"
    opened.saving.save_to(path)
    qtbot.waitUntil(lambda: not opened.saving.is_saving)
    other = opened.new_window()
    other.files.take(Document.blank((20, 30)))
    before = path.read_bytes()
    other.saving.save_to(path)
    assert other.messages.message.sentence == "This document is open in another window."
    assert not other.saving.is_saving
    assert path.read_bytes() == before


def test_the_newest_of_two_saves_is_what_stays(opened, tmp_path, qtbot, held_save) -> None:
    path = tmp_path / "work.ora"
    opened.saving.save_to(path)
    select_all(opened.document)
    opened.saving.save_to(path)
    held_save.set()
    qtbot.waitUntil(lambda: not opened.saving.is_saving)
    assert not opened.document.is_modified
    document, _ = read_ora(path)
    assert document.mask_layer.has_any("coverage")


@pytest.fixture
def changed(opened, tmp_path, qtbot) -> Path:
    """The document's own file, to which another program wrote after it was opened; something was drawn meanwhile."""
    path = tmp_path / "work.ora"
    opened.saving.save_to(path)
    qtbot.waitUntil(lambda: not opened.saving.is_saving)
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
    qtbot.waitUntil(lambda: bool(asked) and not opened.saving.is_saving)
    assert "“work.ora” was changed by another program" in asked[0]
    assert changed.read_bytes() == b"what another program wrote"
    assert opened.document.is_modified


def test_a_file_that_another_program_changed_can_be_overwritten(opened, changed, press, qtbot) -> None:
    asked = press("Overwrite")
    opened.registry["save"].trigger()
    qtbot.waitUntil(lambda: bool(asked) and not opened.document.is_modified)
    assert read_ora(changed)[0].mask_layer.has_any("coverage")
    opened.saving.ask_changed = lambda _path: pytest.fail("asked of what this program wrote itself")
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
    opened.saving.ask_save = lambda: "save"
    asked = press("Cancel")
    assert not opened.close()
    qtbot.waitUntil(lambda: bool(asked) and not opened.saving.is_saving)
    assert opened in MainWindow.windows
    press("Overwrite")
    assert not opened.close()
    qtbot.waitUntil(lambda: opened not in MainWindow.windows)
    assert read_ora(changed)[0].mask_layer.has_any("coverage")


def test_a_file_that_was_only_touched_is_saved_without_a_question(opened, tmp_path, qtbot) -> None:
    path = tmp_path / "work.ora"
    opened.saving.save_to(path)
    qtbot.waitUntil(lambda: not opened.saving.is_saving)
    os.utime(path, ns=(1, 1))
    opened.saving.ask_changed = lambda _path: pytest.fail("asked")
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
    opened.saving.ask_save = lambda: "cancel"
    other = opened.new_window()
    opened.registry["quit"].trigger()
    assert MainWindow.windows == [opened, other]


def test_a_save_that_fails_keeps_the_window_that_quit_would_close(opened, tmp_path, qtbot) -> None:
    opened.document.path = tmp_path / "no" / "such" / "folder.ora"
    select_all(opened.document)
    opened.saving.ask_save = lambda: "save"
    opened.registry["quit"].trigger()
    qtbot.waitUntil(lambda: opened.messages.message is not None)
    assert MainWindow.windows == [opened]
    assert not opened.saving.is_leaving


def test_the_question_has_three_answers(opened, monkeypatch) -> None:
    for button, answer in (
        (QMessageBox.StandardButton.Save, "save"),
        (QMessageBox.StandardButton.Discard, "discard"),
        (QMessageBox.StandardButton.Cancel, "cancel"),
    ):
        monkeypatch.setattr(QMessageBox, "exec", lambda _self, button=button: button)
        assert opened.saving.ask_save() == answer


def test_closing_leaves_no_journal(opened, qtbot) -> None:
    select_all(opened.document)
    qtbot.wait(50)
    opened.saving.ask_save = lambda: "discard"
    opened.close()
    qtbot.waitUntil(lambda: not any(journals_folder().iterdir()))
    assert recoverable() == []


def put(path: Path, size_hw: tuple[int, int]) -> Path:
    document = Document.blank(size_hw)
    with saving.Snapshot(document) as snapshot:
        write_ora(snapshot, path)
    document.close()
    return path


@pytest.fixture
def two(window, tmp_path, qtbot) -> tuple[Path, Path]:
    """Two documents, the first of which is open and untouched."""
    paths = put(tmp_path / "a.ora", (20, 30)), put(tmp_path / "b.ora", (40, 50))
    window.files.open_paths(paths[:1])
    qtbot.waitUntil(lambda: window.document is not None)
    return paths


@pytest.fixture
def held_check(monkeypatch):
    """Whether a file was changed is not known before this event is set."""
    gate, is_same = threading.Event(), FileMark.is_same
    monkeypatch.setattr(FileMark, "is_same", lambda mark: gate.wait(10) and is_same(mark))
    yield gate
    gate.set()


def window_with(path: Path) -> MainWindow | None:
    paths = [(one, one.document.path) for one in MainWindow.windows if one.document is not None]
    return next((one for one, own in paths if own == path), None)


@pytest.mark.parametrize("times", [1, 2])
def test_a_document_opened_during_a_save_is_not_written_over_the_saved_one(
    window, two, times, qtbot, held_save
) -> None:
    for _ in range(times):
        window.registry["save"].trigger()
    window.files.open_paths(two[1:])
    qtbot.waitUntil(lambda: window_with(two[1]) is not None)
    other = window_with(two[1])
    held_save.set()
    qtbot.waitUntil(lambda: not window.saving.is_saving)
    assert [read_ora(path)[0].size_hw for path in two] == [(20, 30), (40, 50)]
    assert other.saving.mark.path == two[1]


def test_a_document_opened_while_a_file_is_looked_at_is_not_written_over_it(
    window, two, qtbot, held_check
) -> None:
    os.utime(two[0], ns=(1, 1))
    window.registry["save"].trigger()
    window.files.open_paths(two[1:])
    qtbot.waitUntil(lambda: window_with(two[1]) is not None)
    held_check.set()
    qtbot.waitUntil(lambda: not window.saving.is_saving)
    assert [read_ora(path)[0].size_hw for path in two] == [(20, 30), (40, 50)]


def test_a_document_opened_beside_the_question_is_not_written_over_the_file(window, two, qtbot) -> None:
    two[0].write_bytes(b"what another program wrote")

    def ask(_path: Path) -> str:
        window.files.open_paths(two[1:])
        qtbot.waitUntil(lambda: window_with(two[1]) is not None)
        return "overwrite"

    window.saving.ask_changed = ask
    window.registry["save"].trigger()
    qtbot.waitUntil(lambda: window_with(two[1]) is not None and not window.saving.is_saving)
    assert [read_ora(path)[0].size_hw for path in two] == [(20, 30), (40, 50)]


def test_save_during_save_as_leaves_the_file_before_as_it_was(
    window, two, tmp_path, qtbot, held_save
) -> None:
    before = two[0].read_bytes()
    select_all(window.document)
    window.saving.save_to(tmp_path / "c.ora")
    window.masks.clear()
    window.registry["save"].trigger()
    held_save.set()
    qtbot.waitUntil(lambda: not window.saving.is_saving)
    assert window.document.path == tmp_path / "c.ora"
    assert not window.document.is_modified
    assert two[0].read_bytes() == before
    assert not read_ora(tmp_path / "c.ora")[0].mask_layer.has_any("coverage")


def test_save_as_is_not_forgotten_while_a_file_is_looked_at(
    window, two, tmp_path, qtbot, monkeypatch, held_check
) -> None:
    os.utime(two[0], ns=(1, 1))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "c.ora"), ""))
    select_all(window.document)
    window.registry["save"].trigger()
    window.registry["save_as"].trigger()
    held_check.set()
    qtbot.waitUntil(lambda: window.document.path == tmp_path / "c.ora" and not window.saving.is_saving)
    assert read_ora(tmp_path / "c.ora")[0].mask_layer.has_any("coverage")


def test_two_windows_do_not_save_to_one_new_file(opened, tmp_path, qtbot, held_save) -> None:
    opened.saving.save_to(tmp_path / "work.ora")
    other = opened.new_window()
    other.files.take(Document.blank((20, 30)))
    other.saving.save_to(tmp_path / "work.ora")
    assert other.messages.message.level == "error"
    held_save.set()
    qtbot.waitUntil(lambda: not opened.saving.is_saving)
    assert read_ora(tmp_path / "work.ora")[0].size_hw == opened.document.size_hw


def test_a_save_that_is_called_off_does_not_say_that_the_window_closes(opened, changed, qtbot) -> None:
    asked = []
    opened.saving.ask_save = lambda: "save"
    opened.saving.ask_changed = lambda path: asked.append(path) or "cancel"
    assert not opened.close()
    qtbot.waitUntil(lambda: bool(asked) and not opened.saving.is_saving)
    assert opened.statusBar().currentMessage() == ""


def test_a_document_opened_beside_the_save_dialog_does_not_get_its_name(
    window, two, tmp_path, qtbot, monkeypatch
) -> None:
    def ask(*_: object) -> tuple[str, str]:
        window.files.open_paths(two[1:])
        qtbot.waitUntil(lambda: window_with(two[1]) is not None)
        return str(tmp_path / "c.ora"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    window.registry["save_as"].trigger()
    qtbot.waitUntil(lambda: window_with(tmp_path / "c.ora") is not None)
    assert read_ora(tmp_path / "c.ora")[0].size_hw == (20, 30)
