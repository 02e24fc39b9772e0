import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QComboBox,
    QLabel,
    QMainWindow,
    QSlider,
    QSpinBox,
    QWidget,
)

from app.canvas.tools.context import ToolContext
from app.fill import FillController
from app.panels.inpaint import InpaintPanel
from engine.forecast import Forecast
from engine.host import Ready
from tests.app.fakes import drop, make_document, stroke

HOLE = (10, 8, 30, 20)


@pytest.fixture
def controller(worker):
    made = FillController(worker)
    made._reckons.setInterval(0)
    made.set_live(False)
    return made


@pytest.fixture
def context(document):
    return ToolContext(lambda: document)


@pytest.fixture
def panel(qtbot, controller, context, document):
    made = InpaintPanel(controller, context)
    qtbot.addWidget(made)
    made.resize(320, 900)
    controller.set_document(document)
    made.set_document(document)
    made.show()
    return made


def click(panel, name):
    widget = panel.findChild(QAbstractButton, name)
    if isinstance(widget, QCheckBox):
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(8, widget.height() // 2))
    else:
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def words(panel, name):
    return panel.findChild(QLabel, name).text()


def test_fill_is_possible_once_there_is_a_hole(panel, worker, document):
    button = panel.findChild(QAbstractButton, "inpaint_fill")
    assert not button.isEnabled()
    assert words(panel, "inpaint_hint") == "Brush over what should go."
    stroke(document, HOLE)
    assert button.isEnabled()
    click(panel, "inpaint_fill")
    assert len(worker.requests) == 1
    assert not worker.newest.is_live


def test_the_forecast_stands_below_the_button(panel, worker, document, qtbot):
    worker.expected = Forecast(0.52, 0.7, 118_000_000, 9)
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: words(panel, "inpaint_hint") == "About 0.5 s, 118 MB · Ctrl+Enter fills")


def test_a_fill_that_waits_for_the_engine_to_start_says_so(panel, worker, document):
    stroke(document, HOLE)
    click(panel, "inpaint_fill")
    assert words(panel, "inpaint_hint") == "Waiting for the engine to start. Esc stops it."
    worker.ready.emit(Ready("cpu", "cpu", "bfloat16", 2.0, 1))
    assert "Waiting" not in words(panel, "inpaint_hint")
    worker.begin()
    assert words(panel, "inpaint_hint") == "Filling. Esc stops it."
    worker.died.emit("out of memory", True)
    assert words(panel, "inpaint_hint") == "Filling. Esc stops it."
    worker.answer()
    click(panel, "inpaint_fill")
    assert words(panel, "inpaint_hint").startswith("Waiting for the engine")
    worker.cancel_all()
    assert words(panel, "inpaint_hint") == "Ctrl+Enter fills"


def test_the_hint_names_the_key_that_the_window_has_now(panel, document):
    window = QMainWindow()
    window.setCentralWidget(panel)
    action = QAction("Fill", window)
    action.setObjectName("fill")
    action.setShortcut("F5")
    stroke(document, HOLE)
    assert words(panel, "inpaint_hint") == "F5 fills"
    action.setShortcut("")
    stroke(document, (1, 1, 5, 5), value=0)
    stroke(document, HOLE, value=0)
    stroke(document, HOLE)
    assert words(panel, "inpaint_hint") == ""
    panel.setParent(None)


def test_the_live_switch_and_the_controller_say_the_same(panel, controller):
    switch = panel.findChild(QCheckBox, "inpaint_live")
    assert not switch.isChecked()
    click(panel, "inpaint_live")
    assert controller.is_live
    controller.set_live(False)
    assert not switch.isChecked()


def test_the_target_follows_the_tools_and_the_tools_follow_it(panel, context):
    click(panel, "inpaint_target_edges")
    assert context.target == "edges"
    context.switch_target()
    assert panel.findChild(QAbstractButton, "inpaint_target_mask").isChecked()


def test_sliders_set_the_edges_and_the_number_agrees(panel, controller):
    slider = panel.findChild(QSlider, "inpaint_sensitivity_slider")
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_End)
    assert controller.settings.edge_sensitivity == 1.0
    QTest.keyClick(slider, Qt.Key.Key_Home)
    assert controller.settings.edge_sensitivity == 0.0
    sigma = panel.findChild(QSlider, "inpaint_sigma_slider")
    QTest.keyClick(sigma, Qt.Key.Key_End)
    assert controller.settings.edge_sigma == 8.0


def test_quality_seed_source_and_context_reach_the_request(panel, controller, worker, document):
    click(panel, "inpaint_quality_fast")
    seed = panel.findChild(QSpinBox, "inpaint_seed")
    seed.setFocus()
    seed.selectAll()
    QTest.keyClicks(seed, "12")
    QTest.keyClick(seed, Qt.Key.Key_Return)
    for name, key in (("inpaint_edge_source", "drawn"), ("inpaint_context", "full")):
        box = panel.findChild(QComboBox, name)
        while box.currentData() != key:
            QTest.keyClick(box, Qt.Key.Key_Down)
    stroke(document, HOLE)
    click(panel, "inpaint_fill")
    edit = worker.newest.edit
    assert (edit.quality, edit.seed, edit.edge_source, edit.context) == ("fast", 12, "drawn", "full")
    assert not panel.findChild(QWidget, "inpaint_sensitivity").isEnabled(), "nothing is guessed then"


def choose(panel, name, key):
    box = panel.findChild(QComboBox, name)
    QTest.keyClick(box, Qt.Key.Key_Home)
    while box.currentData() != key:
        QTest.keyClick(box, Qt.Key.Key_Down)


def test_a_frame_starts_around_the_hole_and_reaches_the_request(panel, context, worker, document):
    told = []
    context.observe(told.append)
    stroke(document, HOLE)
    choose(panel, "inpaint_context", "box")
    assert told[-1] == "frame_tool", "the next drag draws it"
    assert context.frame == (0, 0, *document.size_hw[::-1]), "64 px around the hole, cut to the picture"
    context.show_frame((5, 4, 40, 30))
    context.frame_chosen()
    click(panel, "inpaint_fill")
    edit = worker.newest.edit
    assert (edit.context, edit.context_box) == ("box", (5, 4, 40, 30))


def test_a_frame_that_is_taken_away_leaves_the_choice_to_the_program(panel, controller, context, document):
    combo = panel.findChild(QComboBox, "inpaint_context")
    context.show_frame((5, 4, 40, 30))
    context.frame_chosen()
    assert combo.currentData() == "box"
    context.show_frame(None)
    context.frame_chosen()
    assert combo.currentData() == "hole"
    assert controller.settings.context_box is None
    context.show_frame((5, 4, 40, 30))
    context.frame_chosen()
    choose(panel, "inpaint_context", "full")
    assert context.frame is None
    assert controller.settings.context == "full"


def test_a_frame_stays_with_its_picture(panel, controller, context, document):
    context.show_frame((5, 4, 40, 30))
    context.frame_chosen()
    other = make_document()
    controller.set_document(other)
    assert context.frame is None
    assert controller.settings.context == "hole"
    controller.set_document(document)
    other.close()


def test_no_frame_without_a_document(panel, controller):
    controller.set_document(None)
    panel.set_document(None)
    panel.findChild(QComboBox, "inpaint_context").activated.emit(0)
    box = panel.findChild(QComboBox, "inpaint_context")
    for _ in range(3):
        QTest.keyClick(box, Qt.Key.Key_Down)
    assert controller.settings.context_box is None
    assert box.currentData() == controller.settings.context


def test_the_dice_takes_another_seed(panel, controller):
    click(panel, "inpaint_dice")
    assert controller.settings.seed > 0


def test_variants_are_made_in_the_number_that_is_asked(panel, worker, document):
    stroke(document, HOLE)
    panel.findChild(QSpinBox, "inpaint_variant_count").setValue(3)
    button = panel.findChild(QAbstractButton, "inpaint_variants")
    assert button.text() == "Make 3 variants"
    click(panel, "inpaint_variants")
    assert [request.edit.seed for request in worker.requests.values()] == [0, 1, 2]


def test_weights_that_are_gone_are_still_named(panel, controller):
    box = panel.findChild(QComboBox, "inpaint_weights")
    assert box.currentData() == ""
    assert "inpaint-starter" in box.currentText()
    controller.change_settings(weights="my-own")
    assert box.currentText() == "my-own (file missing)"
    controller.change_settings(weights="inpaint-starter")
    assert box.currentData() == "inpaint-starter"


def test_the_seam_of_the_shown_result_is_said(panel, controller, worker, document):
    assert words(panel, "inpaint_seam") == "Nothing measured yet"
    stroke(document, HOLE)
    controller.fill()
    worker.answer()
    assert words(panel, "inpaint_seam") == "Not visible: 5.1 levels, picture 4.8"
    document.undo()
    assert words(panel, "inpaint_seam") == "Nothing measured yet"


def test_mask_buttons_change_the_mask_by_the_amount(panel, document):
    stroke(document, HOLE)
    mask = document.mask_layer.planes["coverage"]
    before = int((mask > 127).sum())
    panel.findChild(QSpinBox, "inpaint_mask_amount").setValue(2)
    click(panel, "inpaint_mask_grow")
    assert mask[6, 20] == 255
    assert document.undo_label == "Grow mask"
    click(panel, "inpaint_mask_shrink")
    assert int((mask > 127).sum()) <= before
    click(panel, "inpaint_mask_invert")
    assert mask[0, 0] == 255
    click(panel, "inpaint_mask_clear")
    assert not document.mask_layer.has_any("coverage")


def test_loading_and_saving_are_left_to_the_window(panel, qtbot):
    with qtbot.waitSignal(panel.load_mask_asked) as asked:
        click(panel, "inpaint_mask_load")
    assert asked.args == [""]
    with qtbot.waitSignal(panel.save_mask_asked):
        click(panel, "inpaint_mask_save")


@pytest.mark.parametrize("name", ["inpaint_mask_load", "inpaint_mask_part"])
def test_a_file_dropped_on_the_mask_part_is_asked_for(panel, qtbot, tmp_path, name):
    with qtbot.waitSignal(panel.load_mask_asked) as asked:
        assert drop(panel.findChild(QWidget, name), tmp_path / "mask.png")
    assert asked.args == [str(tmp_path / "mask.png")]


def test_mask_changes_of_the_panel_fill_live(panel, controller, worker, document, qtbot, tmp_path):
    stroke(document, HOLE)
    controller.set_live(True)
    qtbot.waitUntil(lambda: len(worker.requests) == 1)
    for count, name in enumerate(("grow", "shrink", "feather", "invert"), start=2):
        click(panel, f"inpaint_mask_{name}")
        qtbot.waitUntil(lambda count=count: len(worker.requests) == count)
        assert worker.newest.is_live
    assert worker.newest.inputs.mask[0, 0] > 0, "the inverted mask is what is filled"
    click(panel, "inpaint_mask_clear")
    qtbot.waitUntil(lambda: worker.waiting == [])


def test_edges_can_be_hidden(panel, qtbot):
    assert panel.is_showing_edges
    with qtbot.waitSignal(panel.edges_shown) as shown:
        click(panel, "inpaint_show_edges")
    assert shown.args == [False]


def test_a_mask_action_under_a_stroke_is_refused_in_words(panel, controller, document, qtbot):
    stroke(document, HOLE)
    transaction = document.begin("Brush")
    with qtbot.waitSignal(controller.failed) as failed:
        click(panel, "inpaint_mask_invert")
    assert "finish or cancel the stroke first" in str(failed.args[0])
    transaction.rollback()


def test_without_a_document_nothing_can_be_pressed(panel, controller):
    controller.set_document(None)
    panel.set_document(None)
    assert words(panel, "inpaint_hint") == "Open a photo to begin."
    for name in ("inpaint_fill", "inpaint_variants", "inpaint_mask_grow", "inpaint_mask_load"):
        assert not panel.findChild(QAbstractButton, name).isEnabled(), name


def test_every_control_has_a_name_and_a_tip(panel):
    for kind in (QAbstractButton, QComboBox, QSlider, QSpinBox):
        for widget in panel.findChildren(kind):
            if widget.objectName().startswith("qt_"):
                continue
            assert widget.accessibleName(), widget.objectName() or widget
            assert widget.toolTip(), widget.objectName()


def test_no_control_is_wider_than_the_dock(panel):
    panel.resize(300, 500)
    for widget in panel.findChildren(QWidget):
        if widget.isVisibleTo(panel) and widget.objectName():
            right = widget.mapTo(panel, QPoint(widget.width(), 0)).x()
            assert right <= 300, widget.objectName()
