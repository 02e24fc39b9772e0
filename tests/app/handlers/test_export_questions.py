import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from app.dialogs.export_dialog import ExportDialog


@pytest.fixture
def clear(window, tmp_path, qtbot):
    """A window with a picture that has a clear corner."""
    pixels = np.random.default_rng(0).integers(0, 255, (40, 50, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[:5, :5, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "clear.png")
    window.files.open_path(tmp_path / "clear.png")
    qtbot.waitUntil(lambda: window.document is not None)
    return window


@pytest.fixture
def export(monkeypatch, tmp_path, qtbot):
    """Export a window's picture under a name; gives the dialog, or None where the file came without one."""

    def call(window, name, action="export_as"):
        path = tmp_path / name
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
        path.unlink(missing_ok=True)
        window.registry[action].trigger()
        qtbot.waitUntil(lambda: window.findChild(ExportDialog) is not None or path.exists(), timeout=10_000)
        return window.findChild(ExportDialog)

    return call


def gone(window, qtbot):
    qtbot.waitUntil(lambda: window.findChild(ExportDialog) is None)


def test_a_jpeg_asks_once_and_export_again_does_not(opened, export, tmp_path, qtbot) -> None:
    dialog = export(opened, "out.jpg")
    QTest.keyClick(dialog.slider, Qt.Key.Key_Home)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: opened.files._exported is not None)
    gone(opened, qtbot)
    small = (tmp_path / "out.jpg").stat().st_size
    assert export(opened, "out.jpg", action="export") is None
    qtbot.waitUntil(lambda: (tmp_path / "out.jpg").stat().st_size == small)


@pytest.mark.parametrize("name", ["out.png", "out.tif"])
def test_what_keeps_everything_asks_nothing(clear, export, name) -> None:
    assert export(clear, name) is None


def test_a_bmp_without_anything_clear_asks_nothing(opened, export) -> None:
    assert export(opened, "out.bmp") is None


def test_a_jpeg_of_what_is_clear_asks_for_the_colour(clear, export, tmp_path, qtbot) -> None:
    dialog = export(clear, "out.jpg")
    QTest.mouseClick(dialog.findChild(type(dialog.other), "export_black"), Qt.MouseButton.LeftButton)
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: (tmp_path / "out.jpg").exists())
    qtbot.waitUntil(lambda: clear.files._exported is not None)
    with Image.open(tmp_path / "out.jpg") as image:
        assert image.mode == "RGB"
        assert max(image.getpixel((1, 1))) < 16


def test_escape_writes_nothing(clear, export, tmp_path, qtbot) -> None:
    dialog = export(clear, "out.jpg")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    gone(clear, qtbot)
    assert not (tmp_path / "out.jpg").exists()
    assert clear.files._exported is None
