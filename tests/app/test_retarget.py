"""The controller beside a worker that answers when told: shapes, pictures, undo, and what goes wrong."""

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.canvas.tools.handles import RetargetTool
from app.document.retarget_shape import Dragged, Shape, drag
from app.document.seen import seen_picture
from app.errors import EngineLostError
from app.result_actions import apply_result, show_result
from app.retarget import RetargetController
from engine.forecast import Forecast
from tests.app.canvas.tools.conftest import bench  # noqa: F401
from tests.app.fakes import make_document, stroke

OWN = Shape.of_box((0, 0, 60, 40))
WIDER = Shape.of_box((0, 0, 90, 40))
HIGHER = Shape.of_box((0, -20, 60, 40))


@pytest.fixture
def retarget(worker, document):
    made = RetargetController(worker)
    made._settle.setInterval(0)
    made.set_document(document)
    return made


@pytest.fixture
def choose(retarget, worker, qtbot):
    """Let go of a handle, and wait until the engine is asked."""

    def chosen(shape):
        before = len(worker.requests)
        retarget.show_shape(Dragged(shape))
        retarget.choose_shape(shape)
        qtbot.waitUntil(lambda: len(worker.requests) > before)

    return chosen


def test_without_a_document_nothing_can_be_done(worker):
    made = RetargetController(worker)
    made.remake()
    made.reset_shape()
    made.cancel()
    made.remake_variants(2)
    assert made.shape is None
    assert made.mesh is None
    assert not made.state.can_remake
    assert worker.requests == {}


def test_the_shape_begins_as_the_picture(retarget, worker):
    assert retarget.shape == OWN
    assert not retarget.is_waiting
    assert worker.requests == {}


def test_pulling_asks_for_nothing_and_letting_go_does(retarget, worker, choose, document):
    retarget.show_shape(Dragged(WIDER))
    assert retarget.is_waiting
    assert worker.requests == {}
    choose(WIDER)
    assert worker.newest.edit.target_size_hw == (40, 90)
    assert worker.newest.is_live
    assert retarget.state.is_busy
    worker.begin(share=0.25, word="patches")
    assert (retarget.state.share, retarget.state.word) == (0.25, "patches")
    worker.answer(50)
    result = document.current_result
    assert result.box_xyxy == (0, 0, 90, 40)
    assert (result.pixels == 50).all()
    assert retarget.shape == WIDER
    assert not retarget.is_waiting
    assert not retarget.state.is_busy


def test_one_undo_takes_picture_and_shape_back_and_redo_brings_both(retarget, worker, choose, document):
    choose(WIDER)
    worker.answer()
    choose(HIGHER)
    worker.answer()
    assert [step.label for step in document.history.steps()] == ["Retarget to 90 × 40", "Retarget to 60 × 60"]
    document.undo()
    assert retarget.shape == WIDER
    document.undo()
    assert retarget.shape == OWN
    assert document.current_result is None
    document.redo()
    document.redo()
    assert retarget.shape == HIGHER
    assert len(document.results) == 2, "undo loses no result"


def test_of_several_shapes_the_newest_counts(retarget, worker, choose, document):
    choose(WIDER)
    choose(HIGHER)
    assert worker.waiting == [2]
    worker.answer()
    assert document.current_result.size_hw == (60, 60)
    assert len(document.results) == 1


def test_every_picture_is_made_from_the_first(retarget, worker, choose, document):
    choose(WIDER)
    first = worker.newest
    worker.answer(1)
    choose(HIGHER)
    assert np.array_equal(worker.newest.inputs.image, first.inputs.image)
    assert worker.newest.image_key == first.image_key, "so that it is sent once"


def test_escape_stops_it_and_puts_the_handles_back(retarget, worker, choose, document):
    choose(WIDER)
    retarget.cancel()
    assert worker.waiting == []
    assert retarget.shape == OWN
    assert document.results == ()
    assert not retarget.state.is_busy


def test_what_goes_wrong_is_told_and_the_handles_go_back(retarget, worker, choose, document):
    told = []
    retarget.failed.connect(told.append)
    choose(WIDER)
    error = EngineLostError("engine", "to finish the job", "no memory", "try once more")
    worker.refuse(error)
    assert told == [error]
    assert retarget.shape == OWN
    assert not retarget.state.is_busy


def test_undo_while_it_runs_takes_the_shape_back(retarget, worker, choose, document):
    choose(WIDER)
    worker.answer()
    choose(HIGHER)
    document.undo()
    assert worker.waiting == []
    assert retarget.shape == OWN


def test_an_answer_for_a_picture_that_is_no_more_waits_in_the_strip(retarget, worker, choose, document):
    said = []
    retarget.said.connect(said.append)
    choose(WIDER)
    with document.begin("Hide") as change:
        change.set_layer(document.layers[0].id, is_visible=False)
    worker.answer()
    assert document.current_result is None
    assert len(document.results) == 1
    assert said == ["Remade from the picture as it was before: the result is in the strip"]


def test_an_answer_while_the_next_handle_is_pulled_does_not_take_it_away(retarget, worker, choose, document):
    choose(WIDER)
    retarget.show_shape(Dragged(HIGHER))
    worker.answer()
    assert retarget.shape == HIGHER
    assert document.current_result is None
    assert len(document.results) == 1


def test_an_answer_for_a_document_that_was_closed_is_dropped(retarget, worker, choose, document):
    choose(WIDER)
    retarget.set_document(None)
    assert worker.waiting == []
    assert retarget.shape is None
    assert document.results == ()


def test_only_when_asked(retarget, worker, document, qtbot):
    retarget.set_live(False)
    retarget.choose_shape(WIDER)
    qtbot.wait(20)
    assert worker.requests == {}
    assert retarget.is_waiting
    retarget.remake()
    worker.answer()
    assert document.current_result.size_hw == (40, 90)
    retarget.choose_shape(HIGHER)
    retarget.set_live(True)
    qtbot.waitUntil(lambda: len(worker.requests) == 2)


def test_variants_are_all_kept(retarget, worker, choose, document):
    choose(WIDER)
    worker.answer()
    retarget.remake_variants(3)
    assert [worker.requests[number].edit.seed for number in worker.waiting] == [1, 2, 3]
    assert not any(worker.requests[number].is_live for number in worker.waiting)
    for _ in range(3):
        worker.answer()
    assert len(document.results) == 4
    assert document.undo_label == "Retarget to 90 × 40, seed 3"
    assert retarget.shape == WIDER


def test_another_setting_remakes_what_is_shown_and_nothing_else(retarget, worker, choose, document, qtbot):
    retarget.change_settings(completeness=0.75)
    qtbot.wait(20)
    assert worker.requests == {}, "there is nothing to remake yet"
    choose(WIDER)
    worker.answer()
    retarget.change_settings(seed=8)
    qtbot.waitUntil(lambda: len(worker.requests) == 2)
    assert (worker.newest.edit.seed, worker.newest.edit.completeness) == (8, 0.75)
    retarget.change_settings(seed=8)
    qtbot.wait(20)
    assert len(worker.requests) == 2
    with pytest.raises(ValueError, match="completeness"):
        retarget.change_settings(completeness=7)


def test_what_is_masked_is_locked_where_it_is_wished(retarget, worker, choose, document):
    assert not retarget.state.has_mask
    stroke(document, (5, 5, 20, 20))
    assert retarget.state.has_mask
    choose(WIDER)
    assert worker.newest.inputs.lock is None
    retarget.change_settings(is_locked=True)
    choose(HIGHER)
    assert worker.newest.inputs.lock[10, 10] == 255


def test_a_mask_over_everything_is_told(retarget, worker, document, qtbot):
    told = []
    retarget.failed.connect(told.append)
    stroke(document, (0, 0, 60, 40))
    retarget.change_settings(is_locked=True)
    retarget.choose_shape(WIDER)
    qtbot.waitUntil(lambda: bool(told))
    assert "all of the picture" in str(told[0])
    assert retarget.shape == OWN
    assert worker.requests == {}


def test_a_picture_that_cannot_be_remade_says_so(worker):
    small = make_document((20, 60))
    made = RetargetController(worker)
    made.set_document(small)
    assert made.state.reason == "Pictures of 32 to 12000 px a side and up to 120 megapixels can be remade"
    assert not made.state.can_remake
    small.close()


def test_a_handle_that_goes_no_further_says_why(retarget):
    retarget.show_shape(drag(OWN, "right", (-55, 0)))
    assert retarget.state.reason == "32 px is the shortest side"
    retarget.choose_shape(retarget.shape)
    assert retarget.state.reason == ""


def test_the_original_shape_shows_the_picture_again(retarget, worker, choose, document):
    choose(WIDER)
    worker.answer()
    retarget.reset_shape()
    assert document.current_result is None
    assert retarget.shape == OWN
    document.undo()
    assert retarget.shape == WIDER


def test_a_result_that_is_chosen_brings_its_shape(retarget, worker, choose, document):
    choose(WIDER)
    worker.answer()
    first = document.current_result_id
    choose(HIGHER)
    worker.answer()
    show_result(document, first)
    assert retarget.shape == WIDER
    show_result(document, None)
    assert retarget.shape == OWN


def test_reopening_takes_settings_and_remaking_takes_shape_and_settings(retarget, worker, choose, document):
    retarget.change_settings(seed=4, quality="fast")
    choose(WIDER)
    worker.answer()
    result = document.current_result
    retarget.change_settings(seed=9)
    retarget.cancel()
    show_result(document, None)
    retarget.reopen(result)
    assert (retarget.settings.seed, retarget.settings.quality) == (4, "fast")
    assert retarget.shape == OWN
    retarget.rerun(result)
    assert worker.newest.edit.target_size_hw == (40, 90)
    assert worker.newest.edit.seed == 4


def test_the_map_is_shown_where_it_is_asked_for(retarget, worker, choose, document):
    choose(WIDER)
    worker.answer()
    assert retarget.state.has_map
    assert retarget.state.invented == pytest.approx(0.5)
    assert retarget.novelty is None
    retarget.show_map(True)
    box, image = retarget.novelty
    assert box == (0, 0, 90, 40)
    assert image.width() * 40 == image.height() * 90
    document.undo()
    assert retarget.novelty is None
    document.redo()
    assert retarget.novelty is not None


def test_the_mesh_is_made_once_for_a_picture(retarget, worker, choose, document):
    mesh = retarget.mesh
    choose(WIDER)
    worker.answer()
    assert retarget.mesh is mesh
    with document.begin("Hide") as change:
        change.set_layer(document.layers[0].id, is_visible=False)
    assert retarget.mesh is not mesh


def test_what_it_takes_is_told_for_the_shape(retarget, worker):
    told = []
    retarget.forecast_changed.connect(told.append)
    worker.expected = Forecast(2.0, 3.0, 200_000_000, 5)
    retarget.choose_shape(WIDER)
    assert told[-1].words == "about 2.0 s, 200 MB"
    assert retarget.cost is told[-1]


def test_resting_keeps_a_shape_that_waits_and_asks_for_nothing(retarget, worker, choose, document, qtbot):
    choose(WIDER)
    worker.answer()
    retarget.set_resting(True)
    show_result(document, None)
    assert retarget.shape == WIDER, "the picture will be remade in it again"
    qtbot.wait(20)
    assert len(worker.requests) == 1
    retarget.set_resting(False)
    assert retarget.is_waiting


def test_typing_waits_for_the_last_key(retarget, worker, qtbot):
    retarget._settle.setInterval(40)
    for width in (70, 80, 90):
        retarget.type_shape(Shape.of_box((0, 0, width, 40)))
    assert worker.requests == {}
    qtbot.waitUntil(lambda: len(worker.requests) == 1)
    assert worker.newest.edit.target_size_hw == (40, 90)


@pytest.mark.parametrize(("is_locked", "has_mask"), [(False, True), (True, False)])
def test_a_remade_picture_becomes_a_layer_and_the_document_takes_its_size(
    retarget, worker, choose, document, is_locked, has_mask
):
    stroke(document, (5, 5, 20, 20))
    retarget.change_settings(is_locked=is_locked)
    choose(HIGHER)
    worker.answer(30)
    seen = seen_picture(document)
    layer = apply_result(document)
    assert (layer.name, layer.origin_xy, layer.planes["pixels"].shape) == (
        "Retarget 1",
        (0, 0),
        (60, 60, 4),
    )
    assert document.mask_layer.has_any("coverage") == has_mask, "what it was made from belongs to what was"
    assert document.size_hw == (60, 60)
    assert retarget.shape == Shape.of_box((0, 0, 60, 60))
    np.testing.assert_array_equal(seen_picture(document), seen)
    document.undo()
    assert document.size_hw == (40, 60)
    assert document.mask_layer.has_any("coverage")
    assert retarget.shape == HIGHER
    document.redo()
    assert document.size_hw == (60, 60)
    choose(Shape.of_box((0, 0, 50, 60)))
    assert worker.newest.inputs.image.shape == (60, 60, 3)


def test_a_shape_with_free_corners_stays_clear_beside_them(retarget, worker, choose, document):
    choose(drag(OWN, "top_right", (-20, 5), is_free=True).shape)
    worker.answer(30)
    seen = seen_picture(document)
    apply_result(document)
    assert document.mode == "RGBA"
    assert [layer.is_visible for layer in document.layers] == [False, True, True, True]
    after = seen_picture(document)
    np.testing.assert_array_equal(after[..., 3], seen[..., 3])
    clear = seen[..., 3] == 0
    assert clear.any()
    np.testing.assert_array_equal(after[~clear], seen[~clear])
    document.undo()
    assert document.mode == "RGB"
    assert document.layers[0].is_visible


def test_a_narrower_picture_cuts_the_document_and_nothing_is_lost(retarget, worker, choose, document):
    choose(Shape.of_box((10, 0, 45, 40)))
    worker.answer(30)
    apply_result(document)
    assert document.size_hw == (40, 35)
    assert document.layers[0].size_hw == (40, 60), "what reaches out is there"


@pytest.mark.parametrize(
    ("mode", "dtype"), [("L", "uint8"), ("LA", "uint8"), ("RGBA", "uint16"), ("RGB", "uint16")]
)
def test_every_mode_can_be_remade_with_free_corners(worker, qtbot, mode, dtype):
    document = make_document((40, 60), mode, dtype)
    made = RetargetController(worker)
    made.set_document(document)
    made.choose_shape(drag(OWN, "top_right", (-20, 5), is_free=True).shape)
    qtbot.waitUntil(lambda: len(worker.requests) == 1)
    worker.answer(9)
    result = document.current_result
    assert result.pixels.dtype == dtype
    assert not result.coverage[0].any()
    assert result.coverage[1:].all()
    assert made.mesh is not None
    document.close()


def test_a_learned_picture_needs_its_weights_first(retarget, worker, document, qtbot):
    said = []
    retarget.said.connect(said.append)
    retarget.choose_shape(WIDER)
    retarget.cancel()
    retarget.change_settings(method="learned")
    retarget.choose_shape(WIDER)
    qtbot.waitUntil(lambda: said == ["Choose the weights of the learned picture first"])
    assert worker.requests == {}
    assert retarget.is_waiting, "the shape waits for them"
    retarget.change_settings(weights="/learned/brick.safetensors")
    qtbot.waitUntil(lambda: len(worker.requests) == 1)
    assert (worker.newest.edit.method, worker.newest.edit.weights) == (
        "learned",
        "/learned/brick.safetensors",
    )


def test_what_the_engine_noted_is_shown_with_the_picture(retarget, worker, choose, document):
    choose(WIDER)
    worker.answer()
    assert retarget.state.note == ""
    document.current_result.report["notes"] = ["these weights were learned on another picture"]
    show_result(document, None)
    document.undo()
    assert retarget.state.note == "These weights were learned on another picture."


def _escaped(bench, tool):  # noqa: F811
    bench.press(tool, 90, 20)
    bench.move(tool, 120, 20)
    tool.cancel()


def _put_back(bench, tool):  # noqa: F811
    bench.press(tool, 90, 20)
    bench.move(tool, 120, 20)
    bench.release(tool, 90, 20)


@pytest.mark.parametrize("pull", [_escaped, _put_back])
def test_a_pull_that_is_taken_back_leaves_nothing_behind(retarget, worker, choose, document, bench, pull):  # noqa: F811
    tool = RetargetTool(bench.context)
    tool.keeper = retarget
    choose(WIDER)
    worker.answer(1)
    asked = len(worker.requests)
    pull(bench, tool)
    retarget.remake()
    assert len(worker.requests) == asked + 1
    worker.answer(2)
    assert (document.current_result.pixels == 2).all()
    show_result(document, None)
    assert retarget.shape == OWN


def test_an_arrow_key_that_goes_no_further_leaves_nothing_behind(retarget, worker, choose, bench):  # noqa: F811
    tool = RetargetTool(bench.context)
    tool.keeper = retarget
    choose(Shape.of_box((0, 0, 32, 40)))
    worker.answer(1)
    asked = len(worker.requests)
    assert tool.key(Qt.Key.Key_Left)
    assert retarget.state.reason
    retarget.remake()
    assert len(worker.requests) == asked + 1


@pytest.mark.parametrize("method", ["instant", "learned"])
def test_what_was_learned_before_is_chosen_and_nothing_is_remade_unasked(
    retarget, worker, choose, document, qtbot, method
):
    """Looking at a document must leave nothing in its history."""
    choose(WIDER)
    worker.answer(50)
    retarget.change_settings(method=method)
    worker.cancel_all()
    asked, steps = len(worker.requests), len(document.history.steps())
    retarget.choose_weights("wall-0123456789")
    qtbot.wait(30)
    assert retarget.settings.weights == "wall-0123456789"
    assert (len(worker.requests), len(document.history.steps())) == (asked, steps)
    retarget.remake()
    assert worker.newest.edit.weights == "wall-0123456789"


def test_weights_say_nothing_of_a_picture_put_together_from_patches(retarget, worker, choose, qtbot):
    choose(WIDER)
    worker.answer(50)
    asked = len(worker.requests)
    retarget.change_settings(weights="wall-0123456789")
    qtbot.wait(30)
    assert len(worker.requests) == asked
    retarget.change_settings(method="learned")
    qtbot.waitUntil(lambda: len(worker.requests) > asked)


def test_a_shape_of_the_canvas_before_goes_with_it(retarget, worker, choose, document):
    """With the hand in hand, or while another picture is being remade."""
    choose(Shape.of_box((-20, 0, 60, 40)))
    worker.answer(30)
    retarget.set_resting(True)
    apply_result(document)
    assert retarget.shape == Shape.of_box((0, 0, 80, 40))
    assert not retarget.is_waiting
    document.undo()
    assert retarget.shape == Shape.of_box((-20, 0, 60, 40))


def test_a_picture_remade_for_the_canvas_before_waits_in_the_strip(retarget, worker, choose, document, qtbot):
    choose(Shape.of_box((-20, 0, 60, 40)))
    worker.answer(30)
    retarget.remake_variants(1)
    apply_result(document)
    assert retarget.shape == Shape.of_box((0, 0, 80, 40))
    with qtbot.waitSignal(retarget.said) as said:
        worker.answer(90)
    assert "the result is in the strip" in said.args[0]
    assert document.current_result is None
    assert (document.results[-1].pixels == 90).all()
    assert not retarget.is_waiting
