import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QColorDialog

from app.background import Background
from app.dialogs.export_dialog import ExportDialog
from app.export_way import ExportSize, ExportWay, size_words
from app.settings import SettingsStore
from engine.pictures import Picture, write_picture


@pytest.fixture
def store(tmp_path):
    return SettingsStore(tmp_path / "settings.json")


@pytest.fixture
def picture():
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 4), np.uint8)
    return Picture(pixels, "RGBA")


@pytest.fixture
def show(qtbot, store, picture, tmp_path):
    """An open dialog for a file of this name."""
    background = Background()

    def make(name, *, needs_colour=False, measure=None):
        path = tmp_path / name
        opaque = Picture(np.ascontiguousarray(picture.pixels[..., :3]), "RGB")
        size = ExportSize(picture if needs_colour else opaque, path)
        dialog = ExportDialog(path, measure or size.measure, store, background, needs_colour=needs_colour)
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitExposed(dialog)
        return dialog

    yield make
    background.close()


def measured(dialog, qtbot, act=lambda: None):
    with qtbot.waitSignal(dialog.measured, timeout=10_000):
        act()
    return dialog.size_label.text()


def test_the_size_said_is_that_of_the_file_that_comes_out(show, qtbot, tmp_path, picture) -> None:
    dialog = show("a.jpg", needs_colour=True)
    said = measured(dialog, qtbot)
    write_picture(picture, tmp_path / "a.jpg", quality=dialog.way.quality, flatten_rgb=dialog.way.flatten_rgb)
    assert said == size_words((tmp_path / "a.jpg").stat().st_size)


def test_keys_move_the_quality_and_the_size_follows(show, qtbot) -> None:
    dialog = show("a.jpg")
    before = measured(dialog, qtbot)
    dialog.slider.setFocus()
    after = measured(dialog, qtbot, lambda: QTest.keyClick(dialog.slider, Qt.Key.Key_PageDown))
    assert dialog.quality.value() == dialog.slider.value() == 85
    assert after != before
    measured(dialog, qtbot, lambda: QTest.keyClick(dialog.slider, Qt.Key.Key_Home))
    assert dialog.way == ExportWay(quality=1)


def test_a_number_can_be_typed(show, qtbot) -> None:
    dialog = show("a.jpg")
    dialog.quality.setFocus()
    dialog.quality.selectAll()
    measured(dialog, qtbot, lambda: QTest.keyClicks(dialog.quality, "40"))
    assert dialog.slider.value() == 40


def test_enter_exports_and_the_quality_is_remembered(show, qtbot, store) -> None:
    dialog = show("a.jpg")
    QTest.keyClick(dialog.slider, Qt.Key.Key_PageDown)
    with qtbot.waitSignal(dialog.accepted):
        QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert store.value.jpeg_quality == 85
    assert show("b.jpg").quality.value() == 85


def test_escape_exports_nothing_and_remembers_nothing(show, qtbot, store) -> None:
    dialog = show("a.jpg")
    QTest.keyClick(dialog.slider, Qt.Key.Key_PageDown)
    with qtbot.waitSignal(dialog.rejected):
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert store.value.jpeg_quality == 95


def test_a_webp_keeps_every_value_until_it_is_told_otherwise(show, qtbot, store) -> None:
    dialog = show("a.webp")
    lossless = measured(dialog, qtbot)
    assert dialog.way == ExportWay(quality=None)
    assert not dialog.slider.isEnabled()
    dialog.lossless.setFocus()
    assert measured(dialog, qtbot, lambda: QTest.keyClick(dialog.lossless, Qt.Key.Key_Space)) != lossless
    assert dialog.way == ExportWay(quality=90)
    dialog.accept()
    assert (store.value.is_webp_lossless, store.value.webp_quality) == (False, 90)


def test_a_colour_is_chosen_and_remembered(show, qtbot, store, monkeypatch) -> None:
    dialog = show("a.jpg", needs_colour=True)
    assert dialog.way.flatten_rgb == (255, 255, 255)
    black = dialog.findChild(type(dialog.other), "export_black")
    measured(dialog, qtbot, lambda: QTest.mouseClick(black, Qt.MouseButton.LeftButton))
    assert dialog.way.flatten_rgb == (0, 0, 0)
    monkeypatch.setattr(QColorDialog, "getColor", lambda *_: QColor("#2040ff"))
    measured(dialog, qtbot, lambda: QTest.mouseClick(dialog.swatch, Qt.MouseButton.LeftButton))
    assert dialog.other.isChecked()
    assert dialog.way.flatten_rgb == (32, 64, 255)
    dialog.accept()
    assert store.value.flatten_colour == "#2040ff"
    assert show("b.jpg", needs_colour=True).way.flatten_rgb == (32, 64, 255)


def test_a_bmp_asks_for_the_colour_alone(show, qtbot) -> None:
    dialog = show("a.bmp", needs_colour=True)
    assert measured(dialog, qtbot) == size_words(40 * 60 * 3 + 54)
    assert dialog.way == ExportWay(None, (255, 255, 255))
    assert not hasattr(dialog, "slider")


def test_what_the_format_cannot_keep_is_said_before(show, qtbot) -> None:
    deep = Picture(np.zeros((4, 4, 3), np.uint16), "RGB", icc_profile=b"profile")
    dialog = show("a.jpg", measure=ExportSize(deep, show("x.jpg")._path).measure)
    measured(dialog, qtbot)
    assert dialog.notes.isVisible()
    assert dialog.notes.text() == "16 bits a channel became 8, as JPEG holds no more."


def test_the_window_waits_for_no_measuring_and_the_newest_choice_is_measured_last(show, qtbot) -> None:
    gate, asked = threading.Event(), []

    def measure(way):
        asked.append(way.quality)
        gate.wait(10)
        return way.quality * 1000, ()

    dialog = show("a.jpg", measure=measure)
    qtbot.waitUntil(lambda: asked == [95])
    for _ in range(5):
        QTest.keyClick(dialog.slider, Qt.Key.Key_PageDown)
    assert dialog.quality.value() == 45
    gate.set()
    qtbot.waitUntil(lambda: dialog.size_label.text() == "45 kB (45,000 bytes)")
    assert asked == [95, 45]


def test_a_size_that_cannot_be_measured_is_said(show, qtbot) -> None:
    def measure(_way):
        raise MemoryError("no room")

    dialog = show("a.jpg", measure=measure)
    qtbot.waitUntil(lambda: dialog.size_label.text() == "cannot be told")
    assert dialog.notes.text() == "no room"


@pytest.mark.parametrize(
    ("nbytes", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1400, "1 kB (1,400 bytes)"),
        (2_413_004, "2.4 MB (2,413,004 bytes)"),
    ],
)
def test_sizes_are_said_as_file_browsers_do(nbytes, words) -> None:
    assert size_words(nbytes) == words
