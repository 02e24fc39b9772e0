import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.panels.history import HistoryPanel
from tests.app.fakes import make_document, stroke


@pytest.fixture
def document():
    made = make_document()
    for left in (0, 10, 20):
        stroke(made, (left, 0, left + 5, 5))
    return made


@pytest.fixture
def panel(qtbot, document) -> HistoryPanel:
    made = HistoryPanel()
    qtbot.addWidget(made)
    made.resize(300, 300)
    made.show()
    made.set_document(document)
    return made


def rows(panel: HistoryPanel) -> list[str]:
    return [panel.list.item(row).text() for row in range(panel.list.count())]


def test_steps_are_listed_below_the_start(panel) -> None:
    assert rows(panel) == ["Opened", "Brush", "Brush", "Brush"]
    assert panel.list.currentRow() == 3
    assert panel._size.text().startswith("3 steps, ")


def test_a_click_goes_back_and_forth(panel, document) -> None:
    at = panel.list.visualItemRect(panel.list.item(1)).center()
    QTest.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=at)
    coverage = document.mask_layer.planes["coverage"]
    assert coverage[2, 2] == 255
    assert coverage[2, 12] == 0
    assert panel.list.currentRow() == 1
    assert rows(panel) == ["Opened", "Brush", "Brush", "Brush"]
    assert panel.list.item(3).font().italic()
    panel.go_to(3)
    assert coverage[2, 22] == 255


def test_the_first_row_is_the_picture_as_it_was_opened(panel, document) -> None:
    panel.go_to(0)
    assert not document.mask_layer.has_any("coverage")
    assert not document.can_undo


def test_a_new_step_takes_the_place_of_what_was_undone(panel, document) -> None:
    panel.go_to(1)
    with document.begin("Rename layer") as change:
        change.set_layer(document.layers[0].id, name="x")
    assert rows(panel) == ["Opened", "Brush", "Rename layer"]


def test_without_a_document_there_is_nothing(panel) -> None:
    panel.set_document(None)
    assert rows(panel) == []
    panel.go_to(1)
