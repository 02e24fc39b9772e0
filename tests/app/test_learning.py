"""What belongs to learning a picture besides the buttons: what goes wrong, and what the document carries."""

import os
import shutil
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from app import learning
from app.document.document import Document
from app.document.learned import Learned
from app.document.ora import read_ora, write_ora
from app.document.snapshot import Snapshot
from app.learned_weights import kept_of
from app.learning import LearningController
from app.learning_runs import Run, prepare
from engine.pictures import picture_sha256
from engine.weights import WeightsStore
from tests.app.document.conftest import weights_file
from tests.app.fakes import make_document
from tests.engine.pipelines.test_retarget import write_learned

PATIENCE_MS = 60_000


def pixels_of(document: Document) -> np.ndarray:
    return document.layers[0].planes["pixels"]


@pytest.fixture
def carrying(document, tmp_path):
    """The document, with networks of its picture in it; nothing of them is anywhere else."""
    pixels = pixels_of(document)
    data = write_learned(tmp_path / "a.safetensors", learned_from=pixels).read_bytes()
    document.add_learned(Learned.of(picture_sha256(pixels), data))
    document.mark_saved(None)
    return document


@pytest.fixture
def look(qtbot):
    """A controller that looks at a document, as the panel does when it is shown."""
    made = []

    def at(document, phase):
        controller = LearningController()
        made.append(controller)
        controller.set_document(document)
        controller.look()
        qtbot.waitUntil(lambda: controller.state.phase == phase, timeout=PATIENCE_MS)
        return controller

    yield at
    for controller in made:
        controller.close()


def test_a_child_that_cannot_be_started_is_told(qtbot, document, monkeypatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/program")
    controller = LearningController()
    controller.set_document(document)
    controller.learn()
    qtbot.waitUntil(lambda: controller.state.phase == "failed")
    assert controller.state.words == "There is no such file or folder. Check the path."
    controller.close()


def test_weights_that_are_gone_are_told_when_they_are_to_be_used(qtbot, document, own_folders) -> None:
    controller = LearningController()
    controller.set_document(document)
    controller._run = Run("0", own_folders / "gone")
    controller._set(replace(controller.state, phase="paused", step=3, steps=9, has_weights=True))
    controller.use_so_far()
    assert "There is no such file or folder." in controller.state.words
    controller.close()


def test_the_window_waits_neither_for_the_picture_nor_for_the_film(look, document, monkeypatch) -> None:
    begun(document)
    threads = []

    def told(work):
        def call(*arguments, **named):
            threads.append(threading.current_thread())
            return work(*arguments, **named)

        return call

    for name in ("base_picture", "prepare", "film_of"):
        monkeypatch.setattr(learning, name, told(getattr(learning, name)))
    look(document, "paused")
    assert len(threads) == 3
    assert threading.main_thread() not in threads


# What the document carries -------------------------------------------------------------------------------------------


def test_a_document_brings_what_was_learned_to_another_machine(look, carrying, qtbot, tmp_path) -> None:
    path = tmp_path / "wall.ora"
    with Snapshot(carrying) as snapshot:
        write_ora(snapshot, path)
    document, notes = read_ora(path)
    assert notes == ()
    assert kept_of(document.learned.picture_sha256) is None, "nothing of it is among the weights"
    controller = look(document, "carried")
    assert controller.state.carried_bytes == carrying.learned.nbytes
    with qtbot.waitSignal(controller.kept, timeout=PATIENCE_MS) as kept:
        controller.bring_in()
    (name,) = kept.args
    assert name == f"wall-{document.learned.picture_sha256[:10]}"
    assert WeightsStore().resolve(name, "retarget").sha256 == carrying.learned.sha256
    assert controller.state.phase == "kept"
    assert not document.is_modified, "it carried that already"
    assert look(document, "kept").state.words == name
    document.close()


def test_what_came_with_the_document_is_offered_before_what_was_only_begun_here(
    look, carrying, qtbot
) -> None:
    folder = prepare(pixels_of(carrying), is_written=True).folder
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "step-000000040.pt").write_bytes(b"")
    (folder / "options.json").write_text('{"train": {"steps": 90}}')
    controller = look(carrying, "carried")
    controller.learn()
    qtbot.waitUntil(lambda: controller.state.phase == "paused", timeout=PATIENCE_MS)
    assert controller.state.step == 40, "and that can be gone on with"


def test_forged_networks_never_come_among_the_weights(look, document, qtbot) -> None:
    digest = picture_sha256(pixels_of(document))
    document.add_learned(Learned.of(digest, weights_file(picture=digest)))
    controller = look(document, "carried")
    controller.bring_in()
    qtbot.waitUntil(lambda: controller.state.phase == "failed", timeout=PATIENCE_MS)
    assert "Needed: a weights file of Pentimento" in controller.state.words
    assert kept_of(digest) is None


def test_what_the_user_learned_stays_beside_what_came_with_the_document(
    look, carrying, qtbot, tmp_path
) -> None:
    digest = carrying.learned.picture_sha256
    path = write_learned(tmp_path / "own.safetensors", learned_from=pixels_of(carrying), seed=1)
    own = WeightsStore().import_official([path], "retarget", f"photo-{digest[:10]}").entry
    begun(carrying)  # more was learned since
    controller = look(carrying, "carried")
    with qtbot.waitSignal(controller.kept, timeout=PATIENCE_MS) as kept:
        controller.bring_in()
    assert kept.args == [f"photo-2-{digest[:10]}"]
    assert WeightsStore().resolve(kept.args[0], "retarget").sha256 == carrying.learned.sha256
    assert WeightsStore().resolve(own.name, "retarget").sha256 == own.sha256


def test_another_picture_is_not_offered_what_the_document_carries(look, carrying, qtbot) -> None:
    pixels_of(carrying)[0, 0] = 255 - pixels_of(carrying)[0, 0]
    carrying.picture_revision += 1
    controller = look(carrying, "idle")
    qtbot.waitUntil(lambda: controller._run is not None)
    assert controller.state.phase == "idle"
    assert controller.state.carried_bytes


def kept_weights(document, tmp_path) -> str:
    digest = picture_sha256(pixels_of(document))
    path = write_learned(tmp_path / "b.safetensors", learned_from=pixels_of(document))
    return WeightsStore().import_official([path], "retarget", f"wall-{digest[:10]}").entry.name


def test_what_is_kept_is_found_and_can_be_taken_into_the_document_and_left_out(
    look, document, qtbot, tmp_path
) -> None:
    name = kept_weights(document, tmp_path)
    controller = look(document, "kept")
    assert (controller.state.words, controller.state.carried_bytes) == (name, 0)
    controller.carry(True)
    qtbot.waitUntil(lambda: controller.state.carried_bytes > 0)
    assert document.learned.sha256 == kept_of(document.learned.picture_sha256).sha256
    assert document.is_modified
    controller.carry(False)
    assert (document.learned, controller.state.carried_bytes) == (None, 0)
    document.undo()
    assert controller.state.carried_bytes > 0


def test_what_is_larger_is_not_taken_in_unasked(look, document, qtbot, tmp_path, monkeypatch) -> None:
    kept_weights(document, tmp_path)
    controller = look(document, "kept")
    monkeypatch.setattr(learning, "CARRIED_UNASKED_BYTES", 10)
    controller._take_in(learning.CARRIED_UNASKED_BYTES)
    controller.carry(True)
    qtbot.waitUntil(lambda: document.learned is not None)


def test_what_was_left_out_by_mistake_is_offered_again_after_undo(look, carrying, qtbot) -> None:
    controller = look(carrying, "carried")
    controller.carry(False)
    qtbot.waitUntil(lambda: controller.state.phase == "idle")
    carrying.undo()
    qtbot.waitUntil(lambda: controller.state.phase == "carried", timeout=PATIENCE_MS)


def test_a_stroke_under_way_is_told_where_something_is_to_be_left_out(look, carrying, qtbot) -> None:
    controller = look(carrying, "carried")
    with carrying.begin("Brush"), qtbot.waitSignal(controller.refused) as refused:
        controller.carry(False)
    assert "finish or cancel the stroke first" in str(refused.args[0])
    assert carrying.learned is not None


def test_weights_that_go_before_they_are_taken_in_are_told(
    look, document, qtbot, tmp_path, monkeypatch
) -> None:
    kept_weights(document, tmp_path)
    controller = look(document, "kept")
    monkeypatch.setattr(learning, "read_kept", lambda kept, digest: kept.path.with_name("gone").read_bytes())
    with qtbot.waitSignal(controller.refused) as refused:
        controller.carry(True)
    assert isinstance(refused.args[0], FileNotFoundError)


def test_a_document_that_goes_takes_nothing_in(look, document, qtbot, tmp_path) -> None:
    kept_weights(document, tmp_path)
    controller = look(document, "kept")
    controller.carry(True)
    other = make_document((48, 40))
    controller.set_document(other)
    qtbot.wait(100)
    assert (document.learned, other.learned) == (None, None)
    other.close()


# The folder of a picture ---------------------------------------------------------------------------------------------


def begun(document, step=40):
    """The folder of a document's picture, in which learning was begun a year ago."""
    folder = prepare(pixels_of(document), is_written=True).folder
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / f"step-{step:09d}.pt").write_bytes(b"")
    (folder / "options.json").write_text('{"train": {"steps": 90}}')
    return folder


def age(folder):
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (0, 0))


def test_what_a_window_shows_is_not_cleared_up_by_another(look, document) -> None:
    folder = begun(document)
    controller = look(document, "paused")
    age(folder)
    prepare(np.zeros((40, 50, 3), np.uint8), is_written=True)
    assert folder.is_dir()
    controller.close()
    age(folder)
    prepare(np.zeros((40, 50, 3), np.uint8), is_written=True)
    assert not folder.exists()


def test_going_on_where_nothing_is_left_does_not_begin_anew_in_silence(look, document, qtbot) -> None:
    folder = begun(document)
    controller = look(document, "paused")
    shutil.rmtree(folder)
    controller.go_on()
    qtbot.waitUntil(lambda: controller.state.phase == "failed", timeout=PATIENCE_MS)
    assert controller.state.words == learning.GONE_WORDS
    assert controller.process is None
