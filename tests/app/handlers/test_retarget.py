"""The retarget tool in the window: its panel, its keys, and the way from a handle to a document of its own."""

import sys
from pathlib import Path

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QLabel, QScrollArea, QWidget

from app.document.document import Document
from app.document.ora_reader import read_ora
from app.document.selection import select_all
from app.main_window import MainWindow
from app.panels.layer_rows import DETAIL_ROLE
from engine.pictures import Picture, read_picture
from tests.app.fakes import stroke
from tests.test_imports import run_fresh

SIZE_HW = (60, 80)


@pytest.fixture
def opened(window, qtbot) -> MainWindow:
    pixels = np.random.default_rng(3).integers(0, 255, (*SIZE_HW, 3)).astype(np.uint8)
    window.set_document(Document.from_picture(Picture(pixels, "RGB"), name="photo"))
    qtbot.wait(10)
    return window


@pytest.fixture
def retargeting(opened, qtbot) -> MainWindow:
    QTest.keyClick(opened.canvas, Qt.Key.Key_R)
    opened.canvas.grab()
    opened.retargeting.controller._settle.setInterval(0)
    return opened


def drag(window, start, end):
    """Pull a handle with the mouse, between two points of the picture."""
    view = window.canvas
    points = [QPointF(*view.viewport.to_view(*xy)).toPoint() for xy in (start, end)]
    none = Qt.KeyboardModifier.NoModifier
    QTest.mousePress(view, Qt.MouseButton.LeftButton, none, points[0])
    QTest.mouseMove(view, (points[0] + points[1]) / 2)
    QTest.mouseMove(view, points[1])
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, none, points[1])


def widen(window, worker, qtbot, to=100):
    """Drag the right side, and let the engine answer."""
    count = len(worker.requests)
    shape = window.retargeting.controller.shape
    x, y = shape.handle_xy("right")
    drag(window, (x, y), (to, y))
    qtbot.waitUntil(lambda: len(worker.requests) > count)
    worker.answer(120)


def panel_in_front(window) -> str:
    return window.findChild(QWidget, "mode_pages").currentWidget().objectName()


def click(window, name):
    QTest.mouseClick(window.findChild(QAbstractButton, name), Qt.MouseButton.LeftButton)


def test_nothing_of_it_is_imported_before_it_is_chosen(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path))
    code = """
from PySide6.QtWidgets import QApplication
application = QApplication([])
from app.main_window import MainWindow
from app.panels.layer_rows import DETAIL_ROLE
window = MainWindow()
window.show()
print([name for name in ("app.retarget", "app.panels.retarget", "app.learning", "app.canvas.mesh") if name in sys.modules])
window.tools.choose("retarget")
print("app.retarget" in sys.modules)
"""
    assert run_fresh(code, blocked=("torch",)).split("\n")[:2] == ["[]", "True"]
    assert sys.modules


def test_the_key_takes_the_tool_and_its_panel(retargeting) -> None:
    assert retargeting.tools.current.id == "retarget"
    assert panel_in_front(retargeting) == "retarget_panel"
    assert retargeting.docks["inpaint_dock"].windowTitle() == "Retarget"
    assert retargeting.findChild(QAbstractButton, "mode_retarget").isChecked()


def test_the_row_above_chooses_panel_and_tool(opened) -> None:
    click(opened, "mode_retarget")
    assert (panel_in_front(opened), opened.tools.current.id) == ("retarget_panel", "retarget")
    click(opened, "mode_inpaint")
    assert (panel_in_front(opened), opened.tools.current.id) == ("inpaint_panel", "brush")
    assert opened.docks["inpaint_dock"].windowTitle() == "Inpaint"


def test_there_is_room_round_the_picture_for_the_handles(retargeting) -> None:
    viewport = retargeting.canvas.viewport
    x0, y0, x1, y1 = viewport.to_view_box((0, 0, SIZE_HW[1], SIZE_HW[0]))
    wide, high = viewport.view_size_wh
    assert min(x0, wide - x1) > 40
    assert min(y0, high - y1) > 40
    retargeting.canvas.zoom_to(3.0)
    retargeting.tools.choose("hand")
    retargeting.tools.choose("retarget")
    assert viewport.scale == 3.0, "who zoomed wants to see that"


def test_a_dragged_side_becomes_a_picture_and_undo_takes_both_back(retargeting, worker, qtbot) -> None:
    widen(retargeting, worker, qtbot)
    document = retargeting.document
    assert document.current_result.size_hw == (60, 100)
    assert retargeting.findChild(QLabel, "status_size").text() == "100 × 60 px"
    assert retargeting.registry["undo"].text() == "&Undo Retarget to 100 × 60"
    retargeting.undo()
    assert document.current_result is None
    assert retargeting.retargeting.controller.shape.size_hw == SIZE_HW
    assert retargeting.findChild(QLabel, "status_size").text() == "80 × 60 px"
    retargeting.redo()
    assert retargeting.retargeting.controller.shape.size_hw == (60, 100)


def test_escape_stops_remaking(retargeting, worker, qtbot) -> None:
    drag(retargeting, (80, 30), (100, 30))
    qtbot.waitUntil(lambda: bool(worker.waiting))
    retargeting.registry["cancel"].trigger()
    assert worker.waiting == []
    assert retargeting.retargeting.controller.shape.size_hw == SIZE_HW
    assert not retargeting.retargeting.cancel(), "there is nothing left to stop"


def test_undo_first_takes_back_a_shape_that_waits(retargeting, worker, qtbot) -> None:
    widen(retargeting, worker, qtbot)
    retargeting.retargeting.controller.set_live(False)
    drag(retargeting, (100, 30), (120, 30))
    assert retargeting.retargeting.is_busy
    retargeting.undo()
    assert retargeting.document.current_result.size_hw == (60, 100)
    assert retargeting.retargeting.controller.shape.size_hw == (60, 100)


def test_the_fill_key_remakes_and_fills_in_turn(retargeting, worker, qtbot) -> None:
    retargeting.retargeting.controller.set_live(False)
    drag(retargeting, (80, 30), (100, 30))
    assert retargeting.registry["fill"].isEnabled()
    retargeting.registry["fill"].trigger()
    assert worker.newest.edit.family == "retarget"
    worker.answer()
    retargeting.registry["fill_variants"].trigger()
    assert len(worker.waiting) == 4
    retargeting.cancel()
    click(retargeting, "mode_inpaint")
    retargeting.set_live(False)
    stroke(retargeting.document, (10, 10, 20, 20))
    retargeting.registry["fill"].trigger()
    assert worker.newest.edit.family == "inpaint"


def test_what_is_brushed_in_this_mode_is_kept_and_not_filled(retargeting, worker, qtbot) -> None:
    assert retargeting.fill.is_live
    widen(retargeting, worker, qtbot)
    count = len(worker.requests)
    click(retargeting, "retarget_brush")
    assert retargeting.tools.current.id == "brush"
    assert panel_in_front(retargeting) == "retarget_panel"
    assert retargeting.document.current_result is None, "what is painted lies on the picture"
    drag(retargeting, (20, 20), (40, 40))
    qtbot.wait(30)
    assert len(worker.requests) == count
    assert retargeting.retargeting.controller.settings.is_locked
    QTest.keyClick(retargeting.canvas, Qt.Key.Key_R)
    controller = retargeting.retargeting.controller
    assert controller.shape.size_hw == (60, 100), "the shape waits for the picture with what is kept"
    retargeting.registry["fill"].trigger()
    assert worker.newest.inputs.lock.any()
    worker.answer()
    assert retargeting.document.current_result.size_hw == (60, 100)


def test_back_in_the_other_panel_a_stroke_is_filled_again(retargeting, worker, qtbot) -> None:
    click(retargeting, "mode_inpaint")
    drag(retargeting, (20, 20), (40, 40))
    qtbot.waitUntil(lambda: bool(worker.requests))
    assert worker.newest.edit.family == "inpaint"


def test_looking_around_leaves_the_remade_picture(retargeting, worker, qtbot) -> None:
    widen(retargeting, worker, qtbot)
    for tool in ("hand", "zoom"):
        retargeting.tools.choose(tool)
        assert retargeting.document.current_result is not None


def test_a_new_document_has_the_new_size(retargeting, worker, qtbot, tmp_path) -> None:
    widen(retargeting, worker, qtbot)
    before = set(MainWindow.windows)
    retargeting.findChild(QAbstractButton, "retarget_new_document").click()
    (other,) = set(MainWindow.windows) - before
    assert other.document.size_hw == (60, 100)
    assert other.document.is_modified
    assert other.document.name == "photo 100 × 60"
    assert (other.document.layers[0].planes["pixels"] == 120).all()


def test_a_layer_lies_over_the_picture(retargeting, worker, qtbot) -> None:
    widen(retargeting, worker, qtbot)
    retargeting.findChild(QAbstractButton, "retarget_layer").click()
    document = retargeting.document
    assert [layer.name for layer in document.layers if layer.kind == "picture"] == ["photo", "Retarget 1"]
    assert document.current_result is None
    assert document.size_hw == (60, 100)


def size_told(window) -> str:
    return window.findChild(QLabel, "status_size").text()


def test_the_window_follows_a_document_that_takes_another_size(retargeting, worker, qtbot, tmp_path) -> None:
    window, document = retargeting, retargeting.document
    stroke(document, (60, 40, 80, 60))
    window.context.show_frame((40, 0, 80, 60))
    widen(window, worker, qtbot, 130)
    window.findChild(QAbstractButton, "retarget_layer").click()
    assert window.canvas.viewport.canvas_size_hw == (60, 130)
    assert size_told(window) == "130 × 60 px"
    assert window.context.frame is None
    box = window.canvas.viewport.to_view_box((0, 0, 130, 60))
    assert (box[0] > 0, box[2] < window.canvas.width()) == (True, True), "all of it is in sight"
    stroke(document, (100, 0, 130, 60), value=200)
    window.canvas.grab()
    window.undo()
    window.undo()
    assert window.canvas.viewport.canvas_size_hw == SIZE_HW
    assert size_told(window) == "130 × 60 px", "the remade picture is seen again"
    window.undo()
    assert size_told(window) == "80 × 60 px"
    window.canvas.grab()
    window.redo()
    window.redo()
    assert window.canvas.viewport.canvas_size_hw == (60, 130)
    window.files.export_to(tmp_path / "out.png")
    qtbot.waitUntil((tmp_path / "out.png").exists, timeout=20_000)
    qtbot.waitUntil(lambda: read_picture(tmp_path / "out.png").pixels.shape == (60, 130, 3))


def test_the_strip_reopens_and_remakes(retargeting, worker, qtbot) -> None:
    controller = retargeting.retargeting.controller
    controller.change_settings(seed=3)
    widen(retargeting, worker, qtbot)
    controller.set_live(False)
    controller.change_settings(seed=0)
    retargeting.tools.choose("hand")
    click(retargeting, "results_reopen")
    assert retargeting.tools.current.id == "retarget"
    assert panel_in_front(retargeting) == "retarget_panel"
    assert controller.settings.seed == 3
    assert controller.shape.size_hw == (60, 100)
    click(retargeting, "results_rerun")
    assert worker.newest.edit.target_size_hw == (60, 100)
    assert worker.newest.edit.seed == 3


def test_a_result_of_a_later_program_is_shown_but_not_reopened(retargeting, worker, qtbot) -> None:
    widen(retargeting, worker, qtbot)
    result = retargeting.document.current_result
    result.step = result.step.model_copy(update={"edit": {**result.step.edit, "method": "dreamed"}})
    click(retargeting, "results_reopen")
    assert retargeting.messages.message is not None
    assert retargeting.document.current_result is result


def test_what_is_copied_is_the_remade_picture(retargeting, worker, qtbot) -> None:
    widen(retargeting, worker, qtbot)
    retargeting.files.copy()
    image = QGuiApplication.clipboard().image()
    assert (image.width(), image.height()) == (100, 60)


def test_a_remade_picture_is_saved_and_opened_as_it_is_seen(retargeting, worker, qtbot, tmp_path) -> None:
    widen(retargeting, worker, qtbot)
    path = tmp_path / "a.ora"
    retargeting.saving.save_to(path)
    qtbot.waitUntil(path.exists, timeout=10000)
    qtbot.waitUntil(lambda: not retargeting.document.is_modified, timeout=10000)
    again, _ = read_ora(path)
    assert again.current_result.size_hw == (60, 100)
    retargeting.set_document(again)
    assert retargeting.retargeting.controller.shape.size_hw == (60, 100)
    assert retargeting.findChild(QLabel, "status_size").text() == "100 × 60 px"


def test_an_opened_remade_picture_is_all_in_sight(window, worker, qtbot) -> None:
    from tests.app.document.test_whole_results import whole

    document = Document.blank((60, 80))
    document.add_result(whole(np.random.default_rng(0), box=(0, 0, 400, 60)))
    window.set_document(document)
    x0, _, x1, _ = window.canvas.viewport.to_view_box((0, 0, 400, 60))
    assert x0 >= 0
    assert x1 <= window.canvas.width()


def test_what_goes_wrong_is_told_in_the_window(retargeting, worker, qtbot) -> None:
    stroke(retargeting.document, (0, 0, 80, 60))
    retargeting.retargeting.controller.change_settings(is_locked=True)
    drag(retargeting, (80, 30), (100, 30))
    qtbot.waitUntil(lambda: retargeting.messages.message is not None)
    assert retargeting.retargeting.controller.shape.size_hw == SIZE_HW


def test_another_document_has_its_own_shape(retargeting, worker, qtbot) -> None:
    widen(retargeting, worker, qtbot)
    retargeting.set_document(Document.blank((50, 50)))
    assert retargeting.retargeting.controller.shape.size_hw == (50, 50)
    retargeting.set_document(None)
    assert retargeting.retargeting.controller.shape is None


def test_a_remade_picture_that_comes_into_sight_brings_its_handles(window, worker, qtbot) -> None:
    """Whatever brings it: nobody paints on it, for the mask lies on the picture it was made from."""
    from tests.app.document.test_whole_results import whole

    document = Document.blank((60, 80))
    document.add_result(whole(np.random.default_rng(0)))
    window.set_document(document)
    assert window.tools.current.id == "retarget", "opened with it"
    window.tools.choose("brush")
    assert document.current_result is None
    window.fill.show_result(document.results[0].id)
    assert window.tools.current.id == "retarget", "chosen in the strip"
    click(window, "mode_inpaint")
    assert document.current_result is None
    window.undo()
    assert window.tools.current.id == "retarget", "come back by undo"
    window.tools.choose("hand")
    window.fill.show_result(None)
    window.undo()
    assert window.tools.current.id == "hand", "looking does no harm"


def test_an_answer_does_not_interrupt_a_stroke(retargeting, worker, qtbot) -> None:
    drag(retargeting, (80, 30), (100, 30))
    qtbot.waitUntil(lambda: bool(worker.waiting))
    retargeting.tools.choose("brush")
    view, none = retargeting.canvas, Qt.KeyboardModifier.NoModifier
    place = QPointF(*view.viewport.to_view(20, 20)).toPoint()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, none, place)
    worker.answer()
    assert retargeting.tools.current.id == "brush"
    assert retargeting.document.current_result is None
    assert len(retargeting.document.results) == 1
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, none, place)


def test_undo_with_a_brush_in_hand_takes_back_the_stroke_and_not_the_shape_that_waits(
    retargeting, worker, qtbot
) -> None:
    widen(retargeting, worker, qtbot)
    click(retargeting, "retarget_brush")
    drag(retargeting, (20, 20), (40, 40))
    assert retargeting.document.mask_layer.has_any("coverage")
    retargeting.undo()
    assert not retargeting.document.mask_layer.has_any("coverage")
    assert retargeting.retargeting.controller.shape.size_hw == (60, 100)
    retargeting.cancel()
    assert retargeting.retargeting.controller.shape.size_hw == (60, 100)


def test_weights_are_chosen_in_a_dialog(retargeting, worker, qtbot, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("engine.weights.shipped_folder", lambda: tmp_path / "none")
    click(retargeting, "retarget_method_learned")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    click(retargeting, "retarget_weights")
    assert retargeting.retargeting.controller.settings.weights == ""
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("/a/learned.safetensors", ""))
    click(retargeting, "retarget_weights")
    assert retargeting.retargeting.controller.settings.weights == "/a/learned.safetensors"


def test_a_window_that_had_the_handles_is_freed_when_it_is_closed(window, qtbot) -> None:
    other = window.new_window()
    other.set_document(Document.blank((60, 80)))
    other.tools.choose("retarget")
    assert other.retargeting.controller.mesh is not None
    assert other.close()
    qtbot.waitUntil(lambda: not shiboken6.isValid(other))


# Learning ------------------------------------------------------------------------------------------------------------

STAND_IN = "tests.app.learning_stand_in"


def scroll_and_click(window, qtbot, name):
    """As a user does whose panel is too low for all of it."""
    button = window.findChild(QAbstractButton, name)
    qtbot.waitUntil(lambda: not button.isHidden())
    qtbot.wait(20)
    window.findChild(QScrollArea, "retarget_scroll").ensureWidgetVisible(button)
    qtbot.wait(20)
    click(window, name)


@pytest.fixture
def learning(retargeting, qtbot) -> MainWindow:
    """A window whose picture is being learned, by a child that learns nothing."""
    scroll_and_click(retargeting, qtbot, "retarget_method_learned")
    found = retargeting.retargeting.learning
    found._module = STAND_IN
    scroll_and_click(retargeting, qtbot, "learning_learn")
    qtbot.waitUntil(lambda: found.state.phase == "asking", timeout=20_000)
    scroll_and_click(retargeting, qtbot, "learning_anyway")
    qtbot.waitUntil(lambda: found.state.has_weights, timeout=20_000)
    yield retargeting
    if (process := found.process) is not None:
        process.leave()
        assert process.join(20)


def test_what_is_learned_so_far_remakes_the_picture_while_learning_goes_on(learning, worker, qtbot) -> None:
    scroll_and_click(learning, qtbot, "learning_use")
    qtbot.waitUntil(lambda: bool(worker.requests))
    edit = worker.newest.edit
    assert edit.method == "learned"
    assert Path(edit.weights).name == "being-learned.safetensors"
    assert learning.findChild(QAbstractButton, "retarget_weights").text() == "Being learned"
    assert learning.retargeting.learning.state.phase == "learning"


def test_what_is_kept_is_chosen(learning, qtbot) -> None:
    with qtbot.waitSignal(learning.retargeting.learning.kept, timeout=20_000) as kept:
        scroll_and_click(learning, qtbot, "learning_keep")
    assert kept.args[0].startswith("photo-")
    assert learning.retargeting.controller.settings.weights == kept.args[0]


def test_a_slow_machine_may_take_the_instant_method_instead(retargeting, qtbot) -> None:
    scroll_and_click(retargeting, qtbot, "retarget_method_learned")
    found = retargeting.retargeting.learning
    found._module = STAND_IN
    scroll_and_click(retargeting, qtbot, "learning_learn")
    qtbot.waitUntil(lambda: found.state.phase == "asking", timeout=20_000)
    scroll_and_click(retargeting, qtbot, "learning_instant")
    assert retargeting.retargeting.controller.settings.method == "instant"
    qtbot.waitUntil(lambda: not found.is_running, timeout=20_000)


@pytest.mark.parametrize("way", ["window", "document"])
def test_what_closes_ends_the_process_with_everything_saved(learning, own_folders, qtbot, way) -> None:
    found = learning.retargeting.learning
    process, step = found.process, found.state.step
    if way == "window":
        assert learning.close()
    else:
        learning.set_document(None)
        assert found.process is None
    assert process.join(20)
    (folder,) = (own_folders / "cache" / "learning").iterdir()
    assert max(int(path.stem[5:]) for path in (folder / "checkpoints").iterdir()) >= step


def test_a_shape_that_waits_can_be_undone_though_nothing_else_can(retargeting) -> None:
    retargeting.retargeting.controller.set_live(False)
    x, y = retargeting.retargeting.controller.shape.handle_xy("right")
    drag(retargeting, (x, y), (100, y))
    assert retargeting.retargeting.controller.shape.size_hw == (60, 100)
    QTest.keyClick(retargeting.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert retargeting.retargeting.controller.shape.size_hw == SIZE_HW


def test_the_brush_after_one_undo_too_many_leaves_what_can_be_redone(retargeting, worker, qtbot) -> None:
    document = retargeting.document
    widen(retargeting, worker, qtbot)
    qtbot.waitUntil(lambda: document.current_result is not None)
    QTest.keyClick(retargeting.canvas, Qt.Key.Key_B)
    select_all(document)
    retargeting.undo()
    retargeting.undo()
    assert document.current_result is not None
    QTest.keyClick(retargeting.canvas, Qt.Key.Key_B)
    assert document.current_result is None
    retargeting.redo()
    assert document.mask_layer.has_any("coverage")


# What the mask means -------------------------------------------------------------------------------------------------


def test_the_mask_is_drawn_and_named_after_what_it_is_for(opened) -> None:
    def seen() -> tuple[object, ...]:
        button = opened.tool_options.findChild(QAbstractButton, "option_target_mask")
        row = opened.layers.list.model()
        details = {row.index(at).data(DETAIL_ROLE) for at in range(row.rowCount())}
        spoken = {row.index(at).data(Qt.ItemDataRole.AccessibleTextRole) for at in range(row.rowCount())}
        named = [words for words in ("What is filled", "What keeps its shape") if words in details]
        assert any(named[0].lower() in words for words in spoken)
        return opened.canvas.mask_look.use, button.text(), button.accessibleName(), *named

    stroke(opened.document, (10, 10, 30, 30))
    assert seen() == ("replace", "Mask", "Paint on: Mask", "What is filled")
    QTest.keyClick(opened.canvas, Qt.Key.Key_R)
    assert seen() == ("keep", "Keep", "Paint on: Keep", "What keeps its shape")
    opened.findChild(QAbstractButton, "mode_inpaint").click()
    assert seen() == ("replace", "Mask", "Paint on: Mask", "What is filled")


def test_a_mask_that_remaking_does_not_look_at_is_an_outline_alone(retargeting) -> None:
    stroke(retargeting.document, (10, 10, 30, 30))
    assert not retargeting.canvas.mask_look.is_filled
    retargeting.retargeting.controller.change_settings(is_locked=True)
    assert retargeting.canvas.mask_look.is_filled
    retargeting.registry["mask_outline"].trigger()
    assert not retargeting.canvas.mask_look.is_filled
    retargeting.registry["mask_outline"].trigger()
    retargeting.findChild(QAbstractButton, "mode_inpaint").click()
    assert retargeting.canvas.mask_look.is_filled


def test_the_look_of_what_is_kept_survives_a_change_of_settings(retargeting) -> None:
    retargeting.store.change(mask_colour="green")
    look = retargeting.canvas.mask_look
    assert (look.use, look.colour) == ("keep", "green")
