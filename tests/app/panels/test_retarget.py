"""The retarget panel, by its controls."""

import itertools

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QLabel, QMenu, QProgressBar, QPushButton, QSpinBox

from app.document.retarget_shape import Shape, drag
from app.fill_state import WeightsListed
from app.learning import LearningController
from app.panels.retarget import RetargetPanel
from app.retarget import RetargetController
from engine.errors import WeightsError
from engine.forecast import Forecast
from tests.app.fakes import make_document, stroke

OWN = Shape.of_box((0, 0, 60, 40))


@pytest.fixture
def retarget(worker, document):
    made = RetargetController(worker)
    made._settle.setInterval(0)
    made.set_document(document)
    return made


@pytest.fixture
def panel(qtbot, retarget):
    made = RetargetPanel(retarget, LearningController())
    qtbot.addWidget(made)
    made.resize(320, 900)
    made.show()
    return made


def click(panel, name):
    widget = panel.findChild(QAbstractButton, name)
    place = {"pos": QPoint(8, widget.height() // 2)} if isinstance(widget, QCheckBox) else {}
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, **place)


def words(panel, name):
    return panel.findChild(QLabel, name).text()


def is_on(panel, name):
    return panel.findChild(QAbstractButton, name).isEnabled()


def sizes(panel):
    return tuple(panel.findChild(QSpinBox, f"retarget_{side}").value() for side in ("width", "height"))


def checked(panel):
    return [
        button.text()
        for button in panel.findChildren(QPushButton)
        if button.objectName().startswith("retarget_ratio_") and button.isChecked()
    ]


def asked(qtbot, worker, count=1):
    qtbot.waitUntil(lambda: len(worker.requests) == count)
    return worker.newest.edit


def test_it_begins_with_the_shape_of_the_picture(panel):
    assert sizes(panel) == (60, 40)
    assert checked(panel) == ["Original"]
    assert words(panel, "retarget_hint").startswith("Drag a handle")
    assert words(panel, "retarget_result_hint") == "Nothing is remade yet."
    assert not is_on(panel, "retarget_new_document")


def test_without_a_document_it_asks_for_one(panel, retarget):
    retarget.set_document(None)
    assert words(panel, "retarget_hint") == "Open a photo to begin."
    assert not is_on(panel, "retarget_remake")
    assert not is_on(panel, "retarget_ratio_1_1")
    click(panel, "retarget_turn")


def test_progress_stands_where_the_hint_was_and_can_be_stopped(panel, retarget, worker, qtbot):
    click(panel, "retarget_turn")
    asked(qtbot, worker)
    worker.begin(share=0.4, word="patches")
    bar = panel.findChild(QProgressBar, "retarget_progress")
    assert bar.isVisible()
    assert bar.value() == 400
    assert bar.text() == "Remaking: patches · Esc stops it"
    click(panel, "retarget_stop")
    assert not bar.isVisible()
    assert worker.waiting == []
    assert sizes(panel) == (60, 40)


def test_the_keyboard_walks_from_top_to_bottom(panel, retarget):
    retarget.change_settings(method="learned")
    first = at = panel.findChild(QAbstractButton, "retarget_remake")
    places = []
    while True:
        places.append(at.mapTo(panel, QPoint(0, at.height() // 2)).y())
        at = at.nextInFocusChain()
        while at is not first and not (
            at.focusPolicy() & Qt.FocusPolicy.TabFocus and at.isVisible() and panel.isAncestorOf(at)
        ):
            at = at.nextInFocusChain()
        if at is first:
            break
    places.pop()  # all that scrolls, as one
    assert len(places) > 10
    assert all(below >= above - 30 for above, below in itertools.pairwise(places)), places


def test_an_engine_that_starts_is_said(panel, worker, qtbot):
    click(panel, "retarget_turn")
    asked(qtbot, worker)
    assert words(panel, "retarget_hint") == "Waiting for the engine to start. Esc stops it."
    worker.status_changed.emit(object())
    assert panel.findChild(QProgressBar, "retarget_progress").isVisible()


def test_what_stops_a_handle_is_said(panel, retarget):
    retarget.show_shape(drag(OWN, "right", (-50, 0)))
    assert words(panel, "retarget_hint") == "32 px is the shortest side."


def test_remaking_by_hand(panel, retarget, worker, qtbot):
    click(panel, "retarget_live")
    click(panel, "retarget_turn")
    qtbot.wait(20)
    assert worker.requests == {}
    worker.expected = Forecast(2.0, 3.0, 0, 5)
    retarget.choose_shape(Shape.of_box((0, 0, 90, 40)))
    assert words(panel, "retarget_hint") == "About 2.0 s · Ctrl+Enter remakes"
    click(panel, "retarget_remake")
    assert asked(qtbot, worker).target_size_hw == (40, 90)


def test_what_is_masked_can_be_kept(panel, retarget, document):
    assert not is_on(panel, "retarget_lock")
    assert words(panel, "retarget_lock_hint").startswith("Brush over what must keep its shape")
    stroke(document, (5, 5, 20, 20))
    assert is_on(panel, "retarget_lock")
    assert words(panel, "retarget_lock_hint") == "Only outlined: what you painted gives way like the rest."
    retarget.change_settings(is_locked=True)
    assert "the same parts would be replaced" in words(panel, "retarget_lock_hint")
    retarget.change_settings(is_locked=False)
    click(panel, "retarget_lock")
    assert retarget.settings.is_locked


def test_settings_go_to_the_controller_and_come_back(panel, retarget):
    click(panel, "retarget_quality_fast")
    panel.findChild(QSpinBox, "retarget_seed").setValue(12)
    click(panel, "retarget_dice")
    assert retarget.settings.quality == "fast"
    assert retarget.settings.seed == panel.findChild(QSpinBox, "retarget_seed").value()
    retarget.change_settings(seed=2**40, quality="exact", completeness=0.9)
    assert panel.findChild(QSpinBox, "retarget_seed").value() == 2**31 - 1
    assert panel._quality.key == "exact"
    assert panel._completeness.value == 0.9


def test_the_map_and_what_becomes_of_the_picture(panel, retarget, worker, qtbot):
    assert not is_on(panel, "retarget_map")
    click(panel, "retarget_turn")
    asked(qtbot, worker)
    worker.answer()
    assert (
        words(panel, "retarget_map_words") == "Blue stripes: invented. Clear: copied. 50% of it was invented."
    )
    click(panel, "retarget_map")
    assert retarget.novelty is not None
    with qtbot.waitSignals([panel.new_document_asked, panel.layer_asked, panel.brush_asked]):
        for name in ("new_document", "layer", "brush"):
            click(panel, f"retarget_{name}")


def test_a_small_picture_says_what_can_be_remade(worker, qtbot):
    small = make_document((20, 60))
    retarget = RetargetController(worker)
    retarget.set_document(small)
    panel = RetargetPanel(retarget, LearningController())
    qtbot.addWidget(panel)
    assert (
        words(panel, "retarget_hint")
        == "Pictures of 32 to 12000 px a side and up to 120 megapixels can be remade."
    )
    assert not is_on(panel, "retarget_remake")
    assert not is_on(panel, "retarget_turn")
    small.close()


def test_every_control_has_a_name_and_a_tip(panel):
    for control in (*panel.findChildren(QAbstractButton), *panel.findChildren(QSpinBox)):
        if control.objectName().startswith("retarget_"):
            assert control.accessibleName(), control.objectName()
            assert control.toolTip(), control.objectName()


def test_the_learned_method_asks_for_its_weights(panel, retarget, worker, qtbot, monkeypatch, tmp_path):
    monkeypatch.setattr("engine.weights.shipped_folder", lambda: tmp_path / "none")
    weights = panel.findChild(QPushButton, "retarget_weights")
    assert not weights.isVisible()
    click(panel, "retarget_method_learned")
    assert weights.isVisible()
    assert "learn this one below" in words(panel, "retarget_weights_hint")
    assert "only the instant method" in words(panel, "retarget_lock_hint")
    assert not panel._completeness.isEnabled()
    with qtbot.waitSignal(panel.weights_asked):
        click(panel, "retarget_weights")
    retarget.change_settings(weights="/learned/brick.safetensors")
    assert weights.text() == "brick.safetensors"
    assert not panel.findChild(QLabel, "retarget_weights_hint").isVisible()
    click(panel, "retarget_turn")
    assert asked(qtbot, worker).method == "learned"
    reply = worker.answer()
    assert reply is not None
    click(panel, "retarget_method_instant")
    assert not weights.isVisible()


def test_learned_pictures_that_are_there_are_offered_by_name(panel, retarget, qtbot, monkeypatch):
    listed = (
        WeightsListed("", "Default", ""),
        WeightsListed("fruit", "fruit", "Licence: none"),
        WeightsListed("wall", "wall (file missing)", "", is_here=False),
    )
    monkeypatch.setattr("app.panels.retarget.weights_listed", lambda _family: listed)
    click(panel, "retarget_method_learned")
    click(panel, "retarget_weights")
    menu = panel.findChild(QMenu, "retarget_weights_menu")
    offered = {action.text(): action for action in menu.actions() if action.text()}
    assert list(offered) == ["fruit", "Choose a file…"]
    with qtbot.waitSignal(panel.weights_asked):
        offered["Choose a file…"].trigger()
    offered["fruit"].trigger()
    assert retarget.settings.weights == "fruit"
    assert panel.findChild(QPushButton, "retarget_weights").text() == "fruit"
    menu.close()


def test_a_list_of_weights_that_cannot_be_read_is_told(panel, retarget, monkeypatch):
    told = []
    retarget.failed.connect(told.append)
    error = WeightsError("manifest", "a table", "a list", "it is damaged")

    def damaged(_family):
        raise error

    monkeypatch.setattr("app.panels.retarget.weights_listed", damaged)
    click(panel, "retarget_method_learned")
    click(panel, "retarget_weights")
    assert told == [error]
