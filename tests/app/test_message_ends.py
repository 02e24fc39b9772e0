"""Each kind of message goes when what it speaks of is over, and not before."""

import threading

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QApplication

from app.document.selection import clear
from app.handlers import files
from app.learning_state import LearningState
from app.panels.message_bar import Topic
from engine.errors import MaskError
from engine.host import Ready
from tests.app.fakes import make_document, stroke

HOLE = (10, 8, 30, 20)


@pytest.fixture
def document(window):
    made = make_document()
    window.fill.set_live(False)
    window.set_document(made)
    return made


def fault() -> MaskError:
    return MaskError("mask", "a part left", "everything", "unselect some", said="everything is masked")


def title(window) -> str:
    return window.messages.message.title if window.messages.message is not None else ""


def said(window) -> str:
    return window.status.currentMessage()


def test_a_fill_that_failed_is_spoken_of_until_the_next_one_runs(window, document, worker) -> None:
    stroke(document, HOLE)
    window.fill.fill()
    worker.refuse(fault())
    QApplication.processEvents()
    assert title(window) == "Mask"
    window.fill.fill()
    worker.begin()
    assert title(window) == ""


def test_a_fill_that_failed_is_spoken_of_until_there_is_nothing_to_fill(window, document, worker) -> None:
    stroke(document, HOLE)
    window.fill.fill()
    worker.refuse(fault())
    assert title(window) == "Mask"
    clear(document)
    assert title(window) == ""


def test_nothing_to_fill_is_said_until_there_is_something(window, document) -> None:
    window.fill.fill()
    assert "Nothing to fill" in said(window)
    stroke(document, HOLE)
    assert said(window) == ""


def test_a_remake_that_failed_is_spoken_of_until_the_next_one_runs(window, document, worker) -> None:
    window.tools.choose("retarget")
    window.fill_now()
    worker.refuse(fault())
    assert title(window) == "Mask"
    window.fill_now()
    worker.begin()
    assert title(window) == ""


def test_missing_weights_are_asked_for_until_they_are_chosen(window, document) -> None:
    window.tools.choose("retarget")
    window.retargeting.controller.change_settings(method="learned", weights="")
    window.fill_now()
    assert "weights" in said(window)
    window.retargeting.controller.change_settings(weights="wall")
    assert said(window) == ""


@pytest.mark.parametrize("is_starting", [True, False])
def test_an_engine_that_stopped_is_spoken_of_until_it_answers(window, document, worker, is_starting) -> None:
    worker.died.emit("it was ended", is_starting)
    assert "engine" in title(window)
    stroke(document, HOLE)
    assert "engine" in title(window)
    worker.ready.emit(Ready("cpu", "cpu", "bfloat16", 2.0, 1))
    assert title(window) == ""


def test_a_save_that_failed_is_spoken_of_until_one_is_done(window, document, tmp_path, qtbot) -> None:
    stroke(document, HOLE)
    window.saving.save_to(tmp_path / "no folder" / "a.ora")
    qtbot.waitUntil(lambda: title(window) == "a.ora")
    stroke(document, (0, 0, 3, 3))
    assert title(window) == "a.ora", "what is drawn saves nothing"
    window.saving.save_to(tmp_path / "b.ora")
    assert title(window) == ""
    qtbot.waitUntil(lambda: said(window) == "Saved b.ora")


def test_recovered_work_is_spoken_of_until_it_is_saved(window, document) -> None:
    window.notify("warning", "Your work is back", about="recovered")
    stroke(document, HOLE)
    assert title(window)
    document.mark_saved(None)
    assert title(window) == ""


def test_an_export_that_failed_is_spoken_of_until_it_is_tried_again(
    window, document, tmp_path, qtbot
) -> None:
    window.show_error(fault(), "export")
    stroke(document, HOLE)
    assert title(window)
    window.files.export_to(tmp_path / "a.png")
    assert title(window) == ""
    qtbot.waitUntil(lambda: said(window) == "Exported a.png")


def test_a_mask_file_that_could_not_be_read_is_spoken_of_until_another_is(
    window, document, tmp_path, qtbot
) -> None:
    (tmp_path / "bad.png").write_text("no picture")
    Image.fromarray(np.full((40, 60), 255, np.uint8)).save(tmp_path / "good.png")
    window.masks.load_from(tmp_path / "bad.png")
    qtbot.waitUntil(lambda: title(window) == "bad.png")
    assert said(window) == ""
    window.masks.load_from(tmp_path / "good.png")
    assert title(window) == ""
    qtbot.waitUntil(lambda: document.mask_layer.has_any("coverage"))


def test_a_file_that_could_not_be_opened_is_spoken_of_until_another_is(
    window, photo, tmp_path, qtbot
) -> None:
    window.files.open_paths([tmp_path / "gone.png"])
    qtbot.waitUntil(lambda: title(window) == "gone.png")
    window.files.open_paths([photo])
    assert title(window) == ""
    qtbot.waitUntil(lambda: window.document is not None)


def test_the_sample_is_explained_until_something_is_done_with_it(window, qtbot, worker) -> None:
    for done in (lambda: stroke(window.document, HOLE), lambda: (window.fill.fill(), worker.begin())):
        window.set_document(None)
        window.files.open_sample()
        qtbot.waitUntil(lambda: title(window) != "")
        done()
        assert title(window) == ""


def test_a_request_that_was_refused_is_spoken_of_until_the_next_step(window, document) -> None:
    QApplication.clipboard().clear()
    window.registry["paste"].trigger()
    assert title(window) == "Clipboard"
    window.registry["zoom_in"].trigger()
    assert title(window) == "Clipboard"
    stroke(document, HOLE)
    assert title(window) == ""


def test_learning_that_was_refused_is_spoken_of_until_a_picture_is_learned(window, document) -> None:
    window.tools.choose("retarget")
    window.retargeting.learning.refused.emit(fault())
    assert title(window) == "Mask"
    window.retargeting.learning.state_changed.emit(LearningState("asking", seconds=3))
    assert title(window) == "Mask"
    window.retargeting.learning.state_changed.emit(LearningState("learning", 1, 5))
    assert title(window) == ""


def test_every_message_ends_with_its_document(window, document) -> None:
    for topic in ("fill", "save", "export", "engine", "request"):
        window.show_error(fault(), topic)
        window.set_document(make_document())
        assert title(window) == ""


def test_faults_of_ours_stay_until_they_are_put_away(window, document) -> None:
    window.show_error(ZeroDivisionError("a defect"))
    stroke(document, HOLE)
    window.fill.fill()
    assert title(window) == "Something went wrong"
    window.registry["cancel"].trigger()  # the fill first
    window.registry["cancel"].trigger()
    assert title(window) == ""


def test_what_goes_on_is_seen_again_when_news_is_gone(window, document) -> None:
    window.say("Exporting a.png…", stays=True, about="export")
    window.say("Opened b.png")
    assert said(window) == "Opened b.png"
    window.status.clearMessage()  # as its time does, and a menu that is walked through
    assert said(window) == "Exporting a.png…"
    window.say("Saving c.ora…", stays=True, about="save")
    window.settle("export")
    assert said(window) == "Saving c.ora…", "what is over is not what is seen"
    window.settle("save")
    assert said(window) == ""


def test_opening_is_said_until_all_files_are_read(window, photo, qtbot, monkeypatch) -> None:
    go_on = threading.Event()

    def slowly(path):
        go_on.wait(5)
        return read_document(path)

    read_document = files.read_document
    monkeypatch.setattr(files, "read_document", slowly)
    window.files.open_path(photo)
    assert said(window) == "Opening photo.png…"
    window.say("x")
    window.status.clearMessage()
    assert said(window) == "Opening photo.png…"
    go_on.set()
    qtbot.waitUntil(lambda: said(window) == "Opened photo.png")


def test_every_topic_has_an_end_that_is_told() -> None:
    from typing import get_args

    import app.message_ends

    for topic in filter(None, get_args(Topic)):
        assert topic in app.message_ends.__doc__
