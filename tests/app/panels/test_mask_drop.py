import pytest
from PySide6.QtGui import QDragLeaveEvent
from PySide6.QtWidgets import QApplication, QLabel

from app.panels.mask_drop import MaskDrop
from tests.app.fakes import drop


@pytest.fixture
def label(qtbot) -> QLabel:
    made = QLabel("Mask")
    qtbot.addWidget(made)
    made.resize(100, 40)
    return made


def test_one_file_is_taken(label, tmp_path) -> None:
    target, dropped = MaskDrop(label), []
    target.dropped.connect(dropped.append)
    assert drop(label, tmp_path / "mask.png")
    assert dropped == [str(tmp_path / "mask.png")]


def test_several_files_or_none_are_not(label, tmp_path) -> None:
    target, dropped = MaskDrop(label), []
    target.dropped.connect(dropped.append)
    assert not drop(label, tmp_path / "a.png", tmp_path / "b.png")
    assert not drop(label)
    assert dropped == []


def test_it_is_told_while_a_file_is_held_over_the_place_that_takes_it(label, tmp_path) -> None:
    target, hovered = MaskDrop(label, lambda at: at.x() > 50), []
    target.hovered.connect(hovered.append)
    assert not drop(label, tmp_path / "a.png", at=label.rect().topLeft())
    assert True not in hovered
    assert drop(label, tmp_path / "a.png", at=label.rect().bottomRight())
    assert hovered[-2:] == [True, False]
    QApplication.sendEvent(label, QDragLeaveEvent())
    assert hovered[-1] is False
