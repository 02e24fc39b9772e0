import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QListView, QMenu, QToolButton

from app.document.layers import Layer
from app.document.ora import read_ora, write_ora
from app.document.retarget_shape import Shape
from app.document.snapshot import Snapshot
from app.panels.result_delegate import star_box
from app.panels.result_items import ID_ROLE
from app.panels.results import ResultsStrip
from app.retarget import RetargetController
from tests.app.fakes import make_document, stroke

HOLE = (10, 8, 30, 20)


@pytest.fixture
def strip(qtbot, controller, document):
    made = ResultsStrip(controller)
    qtbot.addWidget(made)
    made.resize(1000, 180)
    made.set_document(document)
    made.show()
    qtbot.waitExposed(made)
    return made


@pytest.fixture
def three(strip, controller, worker, document):
    stroke(document, HOLE)
    controller.fill_variants(3)
    for value in (60, 120, 180):
        worker.answer(value)
    return list(document.results)


def the_list(strip):
    return strip.findChild(QListView, "results_list")


def click_item(strip, row, *, modifier=Qt.KeyboardModifier.NoModifier, at=None):
    view = the_list(strip)
    place = view.visualRect(view.model().index(row, 0))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, at or place.center())


def click(strip, name):
    QTest.mouseClick(strip.findChild(QToolButton, name), Qt.MouseButton.LeftButton)


def test_an_empty_strip_says_what_to_do(strip):
    label = strip.findChild(QLabel, "results_empty")
    assert label.isVisible()
    assert "press Fill" in label.text()
    assert not strip.findChild(QToolButton, "results_delete").isVisible()


def test_the_picture_comes_first_then_every_result(strip, three):
    model = the_list(strip).model()
    assert model.rowCount() == 4
    assert model.index(0, 0).data(ID_ROLE) is None
    assert [model.index(row, 0).data(ID_ROLE) for row in (1, 2, 3)] == [result.id for result in three]
    assert [model.index(row, 0).data() for row in range(4)] == [
        "Picture",
        "Fill 1",
        "Fill 2 · seed 1",
        "Fill 3 · seed 2",
    ]
    assert strip.findChild(QLabel, "results_count").text() == "3 results"


def test_a_thumbnail_shows_the_result_in_its_surroundings(strip, three):
    model = the_list(strip).model()
    for row, value in ((1, 60), (3, 180)):
        thumbnail = model.index(row, 0).data(Qt.ItemDataRole.DecorationRole).toImage()
        side = thumbnail.width()  # the square is x 0..40, y 0..40 of the picture
        assert thumbnail.pixelColor(side // 2, side * 14 // 40).red() == value
        assert thumbnail.pixelColor(side // 2, side * 30 // 40).red() != value


def thumbnails_of(strip) -> list[QImage]:
    """What the strip shows of each result; what it knew is forgotten first."""
    items = the_list(strip).model()
    items._thumbnails.clear()
    rows = range(1, items.rowCount())
    return [items.index(row, 0).data(Qt.ItemDataRole.DecorationRole).toImage() for row in rows]


def test_thumbnails_stay_those_of_what_the_results_were_made_on(strip, three, document, controller):
    before = thumbnails_of(strip)
    controller.show_result(three[0].id)
    controller.apply_as_layer()
    with document.begin("Paste") as change:
        change.add_layer(Layer("picture", "Pasted", {"pixels": np.full((40, 60, 3), 255, np.uint8)}))
    assert thumbnails_of(strip) == before, "another picture below"
    with document.begin("Size") as change:
        change.set_canvas((30, 90), "RGBA")
    assert thumbnails_of(strip) == before, "another canvas"
    controller.delete_results([one.id for one in three])
    document.undo()
    assert thumbnails_of(strip) == before, "taken away and brought back"
    other = make_document()
    strip.set_document(other)
    strip.set_document(document)
    assert thumbnails_of(strip) == before, "another document meanwhile"
    other.close()


def test_thumbnails_come_back_from_a_file(strip, three, document, tmp_path):
    before = thumbnails_of(strip)
    with document.begin("Paste") as change:
        change.add_layer(Layer("picture", "Pasted", {"pixels": np.full((40, 60, 3), 255, np.uint8)}))
    with Snapshot(document) as snapshot:
        write_ora(snapshot, tmp_path / "again.ora")
    again, _ = read_ora(tmp_path / "again.ora")
    strip.set_document(again)
    assert thumbnails_of(strip) == before
    strip.set_document(None)
    again.close()


def test_a_screen_reader_hears_what_is_seen(strip, three, controller):
    model = the_list(strip).model()
    controller.star_result(three[1].id, True)
    heard = [model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(3)]
    assert heard == ["The picture without a fill", "Fill 1", "Fill 2, seed 1, starred"]


def test_hovering_tells_how_it_was_made(strip, three):
    tip = the_list(strip).model().index(2, 0).data(Qt.ItemDataRole.ToolTipRole)
    for words in ("Full result", "Seed", "exact", "tiny", "0.2 s on cpu", "not visible"):
        assert words in tip, words


def test_a_click_shows_a_result_and_the_picture(strip, three, document):
    click_item(strip, 2)
    assert document.current_result is three[1]
    click_item(strip, 0)
    assert document.current_result is None
    assert document.undo_label == "Show result"


def test_arrows_walk_through_the_results(strip, three, document):
    view = the_list(strip)
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Left)
    assert document.current_result is three[1]
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert document.current_result is None
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert document.current_result is three[0]


def test_undo_moves_the_selection_back(strip, three, document):
    click_item(strip, 1)
    document.undo()
    view = the_list(strip)
    assert view.currentIndex().data(ID_ROLE) == three[2].id


def test_del_removes_what_is_chosen_and_undo_brings_it_back(strip, three, document):
    click_item(strip, 1)
    click_item(strip, 2, modifier=Qt.KeyboardModifier.ControlModifier)
    view = the_list(strip)
    QTest.keyClick(view, Qt.Key.Key_Delete)
    assert [result.id for result in document.results] == [three[2].id]
    assert document.undo_label == "Delete 2 results"
    document.undo()
    assert view.model().rowCount() == 4


def test_a_click_on_the_star_stars_and_shows_nothing_else(strip, three, document):
    view = the_list(strip)
    place = view.visualRect(view.model().index(1, 0))
    click_item(strip, 1, at=star_box(place).center())
    assert three[0].is_starred
    click_item(strip, 1, at=star_box(place).center())
    assert not three[0].is_starred


def test_starring_several_is_one_step(strip, three, document):
    click_item(strip, 1)
    click_item(strip, 3, modifier=Qt.KeyboardModifier.ShiftModifier)
    steps = len(document.history.steps())
    click(strip, "results_star")
    assert all(result.is_starred for result in three)
    assert len(document.history.steps()) == steps + 1
    assert strip.findChild(QToolButton, "results_star").text() == "Unstar"
    click(strip, "results_star")
    assert not any(result.is_starred for result in three)


def test_compare_is_asked_of_the_window_and_ends_with_the_result(strip, three, document, qtbot):
    with qtbot.waitSignal(strip.compare_asked) as asked:
        click(strip, "results_compare")
    assert asked.args == [True]
    click_item(strip, 0)
    assert not strip.findChild(QToolButton, "results_compare").isChecked()
    assert not strip.findChild(QToolButton, "results_compare").isEnabled()


def test_apply_makes_the_shown_result_a_layer(strip, three, document):
    click_item(strip, 2)
    click(strip, "results_apply")
    assert [layer.name for layer in document.layers if layer.kind == "picture"] == ["photo", "Fill 1"]
    assert document.current_result is None
    assert len(document.results) == 3


def test_reopening_brings_the_settings_back(strip, three, controller):
    click_item(strip, 3)
    click(strip, "results_reopen")
    assert controller.settings.seed == 2


def test_filling_again_uses_the_result_s_settings(strip, three, controller, worker):
    click_item(strip, 2)
    click(strip, "results_rerun")
    assert worker.newest.edit.seed == 1


def test_a_draft_is_listed_only_while_it_is_shown(strip, controller, worker, document, qtbot):
    controller._idle.setInterval(20)
    controller.set_live(True)
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer()
    model = the_list(strip).model()
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == ["Picture", "Draft"]
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer()
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == ["Picture", "Fill 1"]


def test_a_narrow_strip_keeps_its_icons_and_drops_their_words(strip, three):
    button = strip.findChild(QToolButton, "results_apply")
    assert button.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    strip.resize(420, 180)
    QApplication.processEvents()
    assert button.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly
    assert button.mapTo(strip, QPoint(button.width(), 0)).x() <= 420


def test_another_document_lists_its_own_results(strip, three):
    other = make_document()
    strip.set_document(other)
    assert strip.findChild(QLabel, "results_empty").isVisible()
    strip.set_document(None)
    other.close()


def test_the_menu_offers_what_the_buttons_do(strip, three, document):
    click_item(strip, 2)
    view = the_list(strip)
    view.customContextMenuRequested.emit(view.visualRect(view.model().index(2, 0)).center())
    menu = strip.findChild(QMenu, "results_menu")
    actions = {action.text(): action for action in menu.actions()}
    assert list(actions) == ["Star", "Compare", "Use settings", "Fill again", "Apply as layer", "Delete"]
    actions["Star"].trigger()
    assert three[1].is_starred
    menu.close()


def test_every_button_has_a_name_and_a_tip(strip):
    for button in strip.findChildren(QToolButton):
        if not button.objectName().startswith("qt_"):
            assert button.accessibleName(), button.objectName()
            assert button.toolTip(), button.objectName()
    assert the_list(strip).accessibleName() == "Results"


def test_a_remade_picture_goes_by_its_number_and_tells_its_size(strip, worker, document, qtbot):
    retarget = RetargetController(worker)
    retarget.set_document(document)
    stroke(document, HOLE)
    retarget.change_settings(is_locked=True)
    retarget.choose_shape(Shape.of_box((0, 0, 90, 40)))
    retarget.remake()
    worker.answer()
    index = strip._items.index(1)
    assert index.data() == "Remake 1"
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "Remake 1, 90 by 40 pixels"
    told = index.data(Qt.ItemDataRole.ToolTipRole)
    assert "Remade at 90 × 40 px" in told
    assert "what was masked" in told
    assert "1.5 s on cpu" in told
    assert not index.data(Qt.ItemDataRole.DecorationRole).isNull()
    assert not strip._items.index(0).data(Qt.ItemDataRole.DecorationRole).isNull()
    assert strip.findChild(QToolButton, "results_rerun").text() == "Remake"
    document_before = document.current_result_id
    QTest.keyClick(strip.findChild(QListView, "results_list"), Qt.Key.Key_S)
    assert document.result(document_before).is_starred
