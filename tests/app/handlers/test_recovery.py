import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QPushButton, QToolButton

from app.document import recovery
from app.document.journal import Journal
from app.document.journal_reader import Damage
from app.document.ora import read_ora, write_ora
from app.document.recovery import Report, journal_for, journals_folder, recoverable
from app.document.selection import select_all
from app.document.snapshot import Snapshot
from app.handlers.recovery import message_of
from app.main_window import MainWindow
from tests.app.fakes import make_document


@pytest.fixture
def crashed() -> None:
    """What a program leaves that was killed after one step."""
    document = make_document()
    journal: Journal = journal_for(document)
    select_all(document)
    assert journal.flush()
    journal.close()


def test_nothing_to_recover_is_not_mentioned(window, qtbot) -> None:
    window.recoveries.offer()
    qtbot.wait(100)
    assert window.recovery.isHidden()


@pytest.mark.usefixtures("crashed")
def test_work_is_offered_and_comes_back(window, qtbot) -> None:
    window.recoveries.offer()
    qtbot.waitUntil(window.recovery.isVisible)
    window.findChild(QPushButton, "recover_0").click()
    qtbot.waitUntil(lambda: window.document is not None)
    assert window.document.mask_layer.planes["coverage"].min() == 255
    assert window.document.is_modified
    assert window.messages.message.title == "Your work is back"
    assert window.recovery.isHidden()
    window.undo()
    assert window.document.mask_layer.planes["coverage"].max() == 0


@pytest.mark.usefixtures("crashed")
def test_recovering_beside_open_work_opens_a_second_window(window, qtbot) -> None:
    document = make_document((20, 20))
    window.set_document(document)
    select_all(document)
    window.recoveries.offer()
    qtbot.waitUntil(window.recovery.isVisible)
    window.findChild(QPushButton, "recover_0").click()
    qtbot.waitUntil(lambda: len(MainWindow.windows) == 2 and MainWindow.windows[1].document is not None)
    assert window.document is document


@pytest.mark.usefixtures("crashed")
def test_work_that_is_thrown_away_goes_when_the_window_closes(window, qtbot) -> None:
    window.recoveries.offer()
    qtbot.waitUntil(window.recovery.isVisible)
    (item,) = window.recovery.items
    window.findChild(QPushButton, "discard_0").click()
    assert window.recovery.state_of(item) == "discarded"
    assert (item.folder / "base-0.ora").exists()
    assert recoverable() == [], "no other window offers it meanwhile"
    assert window.close()
    assert recoverable() == []
    assert not item.folder.exists()


@pytest.mark.usefixtures("crashed")
def test_throwing_away_can_be_undone_until_then(window, qtbot) -> None:
    window.recoveries.offer()
    qtbot.waitUntil(window.recovery.isVisible)
    window.findChild(QPushButton, "discard_0").click()
    window.findChild(QToolButton, "recovery_close").click()
    assert window.recovery.isHidden()
    window.registry["unsaved_work"].trigger()
    assert window.recovery.isVisible()
    window.findChild(QPushButton, "undo_discard_0").click()
    assert len(recoverable()) == 1
    window.findChild(QPushButton, "recover_0").click()
    qtbot.waitUntil(lambda: window.document is not None)
    assert window.document.mask_layer.planes["coverage"].min() == 255


@pytest.mark.usefixtures("crashed")
def test_work_that_was_thrown_away_is_there_again_after_a_crash(window, qtbot) -> None:
    window.recoveries.offer()
    qtbot.waitUntil(window.recovery.isVisible)
    window.findChild(QPushButton, "discard_0").click()
    for _, lock in window.recoveries._discarded:  # the system lets go of it when a process is killed
        lock.release()
    window.recoveries._discarded.clear()
    assert len(recoverable()) == 1


def test_asking_for_unsaved_work_where_there_is_none_is_answered(window, qtbot) -> None:
    window.registry["unsaved_work"].trigger()
    qtbot.waitUntil(lambda: window.status.currentMessage() == "There is no unsaved work from last time")
    assert window.recovery.isHidden()


def test_a_document_from_the_clipboard_is_offered_though_nothing_was_done_to_it(window, qtbot) -> None:
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(0xFF203040)
    QGuiApplication.clipboard().setImage(image)
    window.files.paste()
    assert window.saving._journal.flush()
    window.saving._journal.close()  # as the program leaves it when it is killed
    (item,) = recoverable()
    assert (item.name, item.steps, item.damage) == ("From clipboard", 0, frozenset())
    document = recovery.recover(item)
    assert document.size_hw == (10, 20)
    assert document.layers[0].planes["pixels"][0, 0].tolist() == [0x20, 0x30, 0x40]
    recovery.let_go(item)


def test_part_of_a_damaged_journal_comes_back_and_the_rest_is_kept(window, qtbot, crashed) -> None:
    log = next(journals_folder().glob("*/log-0"))
    log.write_bytes(log.read_bytes()[:-5])
    window.recoveries.offer()
    qtbot.waitUntil(window.recovery.isVisible)
    (item,) = window.recovery.items
    window.findChild(QPushButton, "recover_0").click()
    qtbot.waitUntil(lambda: window.document is not None)
    assert window.recovery.state_of(item) == "kept"
    assert window.messages.message.title == "Part of your work is back"
    assert "The last steps could not be read" in window.messages.message.sentence
    assert window.document.mask_layer.planes["coverage"].max() == 0
    window.saving.ask_save = lambda: "discard"
    window.close()
    (item,) = recoverable()
    assert item.damage


def test_work_that_cannot_be_opened_stays_in_its_row(window, qtbot, crashed) -> None:
    base = next(journals_folder().glob("*/base-0.ora"))
    data = bytearray(base.read_bytes())
    data[data.index(b"pentimento/document.json") + 40] ^= 255
    base.write_bytes(data)
    window.recoveries.offer()
    qtbot.waitUntil(window.recovery.isVisible)
    (item,) = window.recovery.items
    window.findChild(QPushButton, "recover_0").click()
    qtbot.waitUntil(lambda: window.recovery.state_of(item) == "failed")
    assert window.messages.message.level == "error"
    assert len(recoverable()) == 1


def test_a_journal_that_names_a_pipe_as_its_file_comes_back_without_waiting(
    window, qtbot, crashed, tmp_path
) -> None:
    os.mkfifo(tmp_path / "pipe.ora")
    item = replace(recoverable()[0], path=tmp_path / "pipe.ora")
    window.recovery.offer([item])
    window.findChild(QPushButton, "recover_0").click()
    qtbot.waitUntil(lambda: window.document is not None)
    assert window.recovery.isHidden()


@pytest.mark.parametrize(
    ("report", "changed", "expected"),
    [
        (Report(3, False, frozenset(), ()), None, "It is not saved yet."),
        (Report(1, True, frozenset(), ()), None, "Undo goes back 1 step; what was done before is part of"),
        (Report(0, True, frozenset(), ()), None, "Undo goes back no step; what was done before is part of"),
        (Report(3, False, frozenset({Damage.PICTURE}), ()), None, "Part of the picture was damaged; look it"),
        (Report(3, False, frozenset({Damage.LATER}), ()), None, "A later version of Pentimento wrote some"),
        (Report(3, False, frozenset(), ("a layer is gone",)), None, "A layer is gone."),
        (Report(3, False, frozenset(), ()), Path("/a/b.ora"), "“b.ora” was changed by another program since"),
    ],
)
def test_what_did_not_come_back_is_said(report, changed, expected) -> None:
    assert expected in message_of(report, changed).sentence


@pytest.mark.usefixtures("crashed")
def test_a_double_click_recovers_once(window, qtbot) -> None:
    window.recoveries.offer()
    qtbot.waitUntil(window.recovery.isVisible)
    button = window.findChild(QPushButton, "recover_0")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.document is not None)
    assert MainWindow.windows == [window]
    assert window.messages.message.level == "done"


@pytest.mark.usefixtures("crashed")
def test_work_comes_back_though_the_window_that_offered_it_is_closed(window, qtbot, monkeypatch) -> None:
    gate, recover = threading.Event(), recovery.recover

    def wait_and_recover(item, **options):
        assert gate.wait(10)
        return recover(item, **options)

    monkeypatch.setattr(recovery, "recover", wait_and_recover)
    window.set_document(make_document((20, 20)))
    select_all(window.document)
    window.recoveries.offer()
    qtbot.waitUntil(window.recovery.isVisible)
    qtbot.mouseClick(window.findChild(QPushButton, "recover_0"), Qt.MouseButton.LeftButton)
    (other,) = [one for one in MainWindow.windows if one is not window]
    window.saving.ask_save = lambda: "discard"
    assert window.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gate.set()
    qtbot.waitUntil(lambda: other.document is not None)
    assert other.messages.message.title == "Your work is back"


@pytest.mark.usefixtures("crashed")
def test_work_can_be_recovered_again_after_its_window_was_closed_too_soon(window, qtbot, monkeypatch) -> None:
    gate, ended, recover = threading.Event(), threading.Event(), recovery.recover

    def wait_and_recover(item, **options):
        assert gate.wait(10)
        try:
            return recover(item, **options)
        finally:
            ended.set()

    monkeypatch.setattr(recovery, "recover", wait_and_recover)
    window.set_document(make_document((20, 20)))
    select_all(window.document)
    window.recoveries.offer()
    qtbot.waitUntil(window.recovery.isVisible)
    button = window.findChild(QPushButton, "recover_0")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    (other,) = [one for one in MainWindow.windows if one is not window]
    assert other.close()
    gate.set()
    assert ended.wait(10)
    qtbot.wait(50)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    (other,) = [one for one in MainWindow.windows if one is not window]
    qtbot.waitUntil(lambda: not other.is_waiting)
    assert other.document is not None
    assert other.messages.message.title == "Your work is back"


@pytest.mark.parametrize("age_s", [60, -60])
def test_what_was_written_to_the_file_after_the_crash_is_asked_about(window, tmp_path, qtbot, age_s) -> None:
    path = tmp_path / "work.ora"
    with Snapshot(make_document()) as snapshot:
        write_ora(snapshot, path)
    document, _ = read_ora(path)
    journal = journal_for(document)
    select_all(document)
    assert journal.flush()
    journal.close()
    written_s = time.time() - age_s
    os.utime(path, (written_s, written_s))
    window.recoveries.offer()
    qtbot.waitUntil(window.recovery.isVisible)
    window.findChild(QPushButton, "recover_0").click()
    qtbot.waitUntil(lambda: window.document is not None)
    asked = []
    window.saving.ask_changed = lambda changed: asked.append(changed) or "overwrite"
    window.registry["save"].trigger()
    qtbot.waitUntil(lambda: not window.document.is_modified)
    assert asked == ([] if age_s > 0 else [path])
