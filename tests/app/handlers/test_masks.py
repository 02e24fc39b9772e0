import threading

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QSpinBox, QWidget

from app.document import selection
from app.document.document import Document
from app.main_window import MainWindow
from engine import pictures
from engine.pictures import Picture
from tests.app.fakes import drop, stroke


def with_document(window) -> Document:
    pixels = np.zeros((40, 60, 3), np.uint8)
    window.set_document(Document.from_picture(Picture(pixels, "RGB"), name="photo"))
    return window.document


def test_a_mask_goes_to_a_file_and_comes_back(window, tmp_path, monkeypatch, qtbot) -> None:
    document = with_document(window)
    path = tmp_path / "mask.png"
    values = np.zeros((40, 60), np.uint8)
    values[10:20, 5:30] = 255
    Image.fromarray(values).save(path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    window.registry["mask_load"].trigger()
    qtbot.waitUntil(lambda: np.array_equal(document.mask_layer.planes["coverage"], values))
    out = tmp_path / "out"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out), ""))
    window.registry["mask_save"].trigger()
    qtbot.waitUntil(lambda: window.statusBar().currentMessage() == "Mask saved as out.png")
    assert np.array_equal(np.array(Image.open(tmp_path / "out.png")), values)


@pytest.mark.parametrize("name", ["inpaint_mask_load", "inpaint_mask_part", "layers"])
def test_a_picture_dropped_on_the_mask_becomes_the_mask(window, tmp_path, name, qtbot) -> None:
    document = with_document(window)
    values = np.zeros((40, 60), np.uint8)
    values[10:20, 5:30] = 255
    Image.fromarray(values).save(tmp_path / "mask.png")
    at = None
    if name == "layers":
        window.docks["layers_dock"].raise_()
        rows = window.layers.list
        at = rows.visualRect(rows.model().index_of(document.mask_layer.id)).center()
        target = rows.viewport()
    else:
        target = window.findChild(QWidget, name)
    assert drop(target, tmp_path / "mask.png", at=at)
    qtbot.waitUntil(lambda: np.array_equal(document.mask_layer.planes["coverage"], values))
    assert MainWindow.windows == [window]
    window.undo()
    assert not document.mask_layer.has_any("coverage")


def test_what_is_no_picture_is_told_when_it_is_dropped(window, tmp_path, qtbot) -> None:
    document = with_document(window)
    (tmp_path / "mask.png").write_text("nothing")
    drop(window.findChild(QWidget, "inpaint_mask_part"), tmp_path / "mask.png")
    qtbot.waitUntil(lambda: window.messages.message is not None)
    assert window.messages.message.level == "error"
    assert not document.can_undo


@pytest.fixture
def held_pictures(monkeypatch):
    """Masks wait on their thread until this event is set."""
    gate, write, read = threading.Event(), pictures.write_picture, pictures.read_mask

    def wait_and(call, *args, **more):
        assert threading.current_thread() is not threading.main_thread()
        assert gate.wait(10)
        return call(*args, **more)

    monkeypatch.setattr(pictures, "write_picture", lambda *args, **more: wait_and(write, *args, **more))
    monkeypatch.setattr(pictures, "read_mask", lambda *args, **more: wait_and(read, *args, **more))
    yield gate
    gate.set()


def test_a_mask_is_saved_as_it_was_while_drawing_goes_on(window, tmp_path, qtbot, held_pictures) -> None:
    document = with_document(window)
    stroke(document, (5, 5, 20, 20))
    window.masks.save_to(tmp_path / "mask.png")
    assert window.statusBar().currentMessage() == "Saving the mask as mask.png…"
    window.registry["mask_all"].trigger()
    held_pictures.set()
    qtbot.waitUntil(lambda: window.statusBar().currentMessage() == "Mask saved as mask.png")
    saved = np.array(Image.open(tmp_path / "mask.png"))
    assert saved[10, 10] == 255
    assert not saved[30, 30]


def test_a_mask_is_whole_though_the_window_closes_while_it_is_saved(window, tmp_path, held_pictures) -> None:
    stroke(with_document(window), (5, 5, 20, 20))
    window.masks.save_to(tmp_path / "mask.png")
    window.saving.ask_save = lambda: "discard"
    assert window.close()
    held_pictures.set()
    for thread in threading.enumerate():
        if thread.name == "save mask.png":
            thread.join(10)
    assert np.array(Image.open(tmp_path / "mask.png"))[10, 10] == 255


def test_a_mask_that_cannot_be_saved_is_told(window, tmp_path, qtbot) -> None:
    stroke(with_document(window), (5, 5, 20, 20))
    window.masks.save_to(tmp_path / "mask.xyz")
    qtbot.waitUntil(lambda: window.messages.message is not None)
    assert window.messages.message.level == "error"
    assert "mask.xyz" in window.messages.message.title
    assert not window.statusBar().currentMessage()


def test_a_mask_that_is_loaded_never_lands_in_another_picture(window, tmp_path, qtbot, held_pictures) -> None:
    with_document(window)
    Image.fromarray(np.full((40, 60), 255, np.uint8)).save(tmp_path / "mask.png")
    drop(window.findChild(QWidget, "inpaint_mask_part"), tmp_path / "mask.png")
    other = with_document(window)
    held_pictures.set()
    qtbot.waitUntil(lambda: not window.statusBar().currentMessage())
    assert not other.mask_layer.has_any("coverage")


def answer_px(amount: int, *, is_agreed: bool = True) -> None:
    """Answer the next question for pixels."""

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        dialog.findChild(QSpinBox).setValue(amount)
        dialog.accept() if is_agreed else dialog.reject()

    QTimer.singleShot(0, answer)


def test_the_pixels_are_asked_for(window) -> None:
    document = with_document(window)
    window.registry["mask_all"].trigger()
    answer_px(3)
    with document.begin("Hole") as change:
        layer = document.mask_layer
        change.touch(layer.id, "coverage", (0, 0, 60, 40))
        layer.planes["coverage"][:] = 0
        layer.planes["coverage"][18:22, 28:32] = 255
        change.changed(layer.id, "coverage", (0, 0, 60, 40))
    window.registry["mask_grow"].trigger()
    assert layer.planes["coverage"][15, 30] == 255
    assert layer.planes["coverage"][13, 30] == 0
    answer_px(3, is_agreed=False)
    before = layer.planes["coverage"].copy()
    window.registry["mask_shrink"].trigger()
    assert np.array_equal(layer.planes["coverage"], before)


def test_a_file_that_is_no_mask_is_told(window, tmp_path, monkeypatch, qtbot) -> None:
    with_document(window)
    path = tmp_path / "mask.png"
    path.write_text("nothing")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    window.registry["mask_load"].trigger()
    qtbot.waitUntil(lambda: window.messages.message is not None)
    assert window.messages.message.level == "error"


@pytest.fixture
def held_reading(monkeypatch):
    """A mask is read when the event of its file's name is set."""
    gates, read = {"mask.png": threading.Event(), "other.png": threading.Event()}, selection.read_patch

    def wait_and_read(path, *args, **how):
        assert gates[path.name].wait(10)
        return read(path, *args, **how)

    monkeypatch.setattr(selection, "read_patch", wait_and_read)
    yield gates
    for gate in gates.values():
        gate.set()


def test_a_mask_that_comes_during_a_stroke_waits_for_its_end(window, tmp_path, qtbot, held_reading) -> None:
    document = with_document(window)
    Image.new("L", (60, 40), 255).save(tmp_path / "mask.png")
    window.masks.load_from(tmp_path / "mask.png")
    change = document.begin("Brush")
    held_reading["mask.png"].set()
    qtbot.wait(150)
    assert window.messages.message is None
    change.rollback()
    qtbot.waitUntil(lambda: document.mask_layer.has_any("coverage"))


def test_of_two_masks_the_one_chosen_last_stays(window, tmp_path, qtbot, held_reading) -> None:
    document = with_document(window)
    Image.new("L", (60, 40), 255).save(tmp_path / "mask.png")
    Image.new("L", (60, 40), 100).save(tmp_path / "other.png")
    for name in ("mask.png", "other.png"):
        window.masks.load_from(tmp_path / name)
    held_reading["other.png"].set()
    qtbot.waitUntil(lambda: document.mask_layer.planes["coverage"].max() == 100)
    held_reading["mask.png"].set()
    qtbot.wait(150)
    assert document.mask_layer.planes["coverage"].max() == 100
