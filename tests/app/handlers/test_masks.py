import numpy as np
from PIL import Image
from PySide6.QtWidgets import QFileDialog, QInputDialog

from app.document.document import Document
from engine.pictures import Picture


def with_document(window) -> Document:
    pixels = np.zeros((40, 60, 3), np.uint8)
    window.set_document(Document.from_picture(Picture(pixels, "RGB"), name="photo"))
    return window.document


def test_a_mask_goes_to_a_file_and_comes_back(window, tmp_path, monkeypatch) -> None:
    document = with_document(window)
    path = tmp_path / "mask.png"
    values = np.zeros((40, 60), np.uint8)
    values[10:20, 5:30] = 255
    Image.fromarray(values).save(path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    window.registry["mask_load"].trigger()
    assert np.array_equal(document.mask_layer.planes["coverage"], values)
    out = tmp_path / "out"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out), ""))
    window.registry["mask_save"].trigger()
    assert np.array_equal(np.array(Image.open(tmp_path / "out.png")), values)


def test_the_pixels_are_asked_for(window, monkeypatch) -> None:
    document = with_document(window)
    window.registry["mask_all"].trigger()
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (3, True))
    with document.begin("Hole") as change:
        layer = document.mask_layer
        change.touch(layer.id, "coverage", (0, 0, 60, 40))
        layer.planes["coverage"][:] = 0
        layer.planes["coverage"][18:22, 28:32] = 255
        change.changed(layer.id, "coverage", (0, 0, 60, 40))
    window.registry["mask_grow"].trigger()
    assert layer.planes["coverage"][15, 30] == 255
    assert layer.planes["coverage"][13, 30] == 0
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (3, False))
    before = layer.planes["coverage"].copy()
    window.registry["mask_shrink"].trigger()
    assert np.array_equal(layer.planes["coverage"], before)


def test_a_file_that_is_no_mask_is_told(window, tmp_path, monkeypatch) -> None:
    with_document(window)
    path = tmp_path / "mask.png"
    path.write_text("nothing")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    window.registry["mask_load"].trigger()
    assert window.messages.message.level == "error"
