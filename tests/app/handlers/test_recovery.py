import os
import threading
import time

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QPushButton

from app.document import recovery
from app.document.journal import Journal
from app.document.ora import read_ora, write_ora
from app.document.recovery import journal_for, recoverable
from app.document.selection import select_all
from app.document.snapshot import Snapshot
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
def test_work_that_is_thrown_away_is_gone(window, qtbot) -> None:
    window.recoveries.offer()
    qtbot.waitUntil(window.recovery.isVisible)
    window.findChild(QPushButton, "discard_0").click()
    assert window.recovery.isHidden()
    assert recoverable() == []


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

    def wait_and_recover(item):
        assert gate.wait(10)
        return recover(item)

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

    def wait_and_recover(item):
        assert gate.wait(10)
        try:
            return recover(item)
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
