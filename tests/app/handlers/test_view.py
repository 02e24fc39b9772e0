"""What the canvas shows, asked for in the menu, in the panel and in the strip: one state, wherever it is switched."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QListView, QToolButton

from app.document.document import Document
from tests.app.fakes import make_document, stroke

HOLE = (10, 8, 30, 20)


@pytest.fixture
def document(window) -> Document:
    made = make_document()
    window.fill.set_live(False)
    window.set_document(made)
    return made


@pytest.fixture
def three(window, worker, document) -> list[str]:
    stroke(document, HOLE)
    window.fill.fill_variants(3)
    for value in (60, 120, 180):
        worker.answer(value)
    return [result.id for result in document.results]


def click(window, name: str) -> None:
    QTest.mouseClick(window.findChild(QToolButton, name), Qt.MouseButton.LeftButton)


def choose(window, row: int, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    strip = window.findChild(QListView, "results_list")
    place = strip.visualRect(strip.model().index(row, 0)).center() + QPoint(0, 8)
    QTest.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, modifier, place)


def middle_of_hole(window) -> tuple[int, int]:
    """What is seen of the hole, left and right of the line."""
    canvas = window.canvas
    x, y = canvas.viewport.to_view(20.5, 11.5)  # beside the line of edges
    values = []
    for share in (1.0, 0.0):  # the line at the right end shows what lies left of it, and the other way round
        canvas.set_wipe(share)
        image = canvas.grab().toImage()
        values.append(image.pixelColor(round(x), round(y)).red())
    return values[0], values[1]


def test_edges_are_shown_or_hidden_by_the_menu_and_the_panel_alike(window, document) -> None:
    box, action = window.findChild(QCheckBox, "inpaint_show_edges"), window.registry["show_edges"]
    for switch in (
        action.trigger,
        lambda: QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, 8)),
    ):
        for expected in (False, True):
            switch()
            assert (box.isChecked(), action.isChecked(), window.canvas.scene.shows_edges) == (expected,) * 3


def test_the_line_is_laid_by_the_menu_and_the_button_alike(window, three) -> None:
    button, action = window.findChild(QToolButton, "results_compare"), window.registry["wipe"]
    for switch in (action.trigger, lambda: click(window, "results_compare")):
        for expected in (True, False):
            switch()
            seen = (button.isChecked(), action.isChecked(), window.canvas.wipe is not None)
            assert seen == (expected,) * 3


def test_the_line_goes_with_the_result_and_with_the_document(window, three) -> None:
    button, action = window.findChild(QToolButton, "results_compare"), window.registry["wipe"]
    for end in (lambda: window.hide_result(), lambda: window.set_document(make_document())):
        window.fill.show_result(three[0])
        action.trigger()
        assert button.isChecked()
        end()
        assert (button.isChecked(), action.isChecked(), window.canvas.wipe) == (False, False, None)


def test_two_selected_results_are_compared_with_each_other(window, three, document) -> None:
    choose(window, 1)
    choose(window, 3, Qt.KeyboardModifier.ControlModifier)
    assert document.current_result_id == three[2]
    click(window, "results_compare")
    assert middle_of_hole(window) == (60, 180)
    assert window.canvas.scene.compare.words == ("Fill 1", "Fill 3 · seed 2")


def test_the_selection_may_change_while_the_line_is_there(window, three, document) -> None:
    own = int(document.layers[0].planes["pixels"][11, 20, 0])
    choose(window, 2)
    window.registry["wipe"].trigger()
    assert middle_of_hole(window) == (own, 120)
    assert window.canvas.scene.compare.words == ("Before", "After")
    choose(window, 1, Qt.KeyboardModifier.ControlModifier)
    assert middle_of_hole(window) == (120, 60)
    choose(window, 3)
    assert middle_of_hole(window) == (own, 180)


def test_a_result_that_is_compared_and_deleted_leaves_the_picture(window, three, document) -> None:
    own = int(document.layers[0].planes["pixels"][11, 20, 0])
    choose(window, 1)
    choose(window, 3, Qt.KeyboardModifier.ControlModifier)
    click(window, "results_compare")
    window.fill.delete_results([three[0]])
    assert middle_of_hole(window) == (own, 180)
    document.undo()
    assert middle_of_hole(window)[1] == 180


def test_holding_tab_shows_the_picture_alone_on_both_sides(window, three, document) -> None:
    own = int(document.layers[0].planes["pixels"][11, 20, 0])
    choose(window, 1)
    choose(window, 3, Qt.KeyboardModifier.ControlModifier)
    click(window, "results_compare")
    window.canvas.set_comparing(True)
    assert middle_of_hole(window) == (own, own)
