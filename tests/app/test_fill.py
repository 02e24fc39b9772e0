"""The controller beside a worker that answers when told; time is the test's as far as Qt lets it be."""

from dataclasses import replace

import numpy as np
import pytest

from app.document.events import EntryCommitted
from app.document.flatten import flatten
from app.document.ora_reader import read_ora
from app.document.ora_writer import write_ora
from app.document.recipe import Step
from app.document.results import Result
from app.document.selection import clear
from app.document.snapshot import Snapshot
from app.errors import EngineLostError
from app.fill import FillController
from app.panels.result_items import tip
from app.result_actions import apply_result
from engine.forecast import Forecast
from tests.app.fakes import make_document, reply_to, stroke

HOLE = (10, 8, 30, 20)
IDLE_MS = 30


@pytest.fixture
def fill(worker, document):
    made = FillController(worker)
    made._idle.setInterval(IDLE_MS)
    made._reckons.setInterval(0)
    made.set_document(document)
    return made


@pytest.fixture
def asking(fill):
    """The controller with live filling switched off."""
    fill.set_live(False)
    return fill


def erase_all(document):
    """Mask nothing by another way than `clear`, in the same one step."""
    with document.begin("Erase") as change:
        change.clear_plane(document.mask_layer.id, "coverage")


def kinds(worker):
    """Of all requests so far: whether live, and the size they ask the networks for."""
    return [(request.is_live, request.edit.working_size_px) for request in worker.requests.values()]


DRAFT, FULL, ASKED = (True, 256), (True, 512), (False, 512)


# On request ----------------------------------------------------------------------------------------------------------


def test_a_fill_that_was_asked_for_is_an_entry_of_its_own(asking, worker, document):
    stroke(document, HOLE)
    asking.fill()
    assert kinds(worker) == [ASKED]
    worker.answer(200)
    assert document.current_result is not None
    assert not document.current_result.is_draft
    assert document.undo_label == "Fill"
    assert len(document.history.steps()) == 2
    document.undo()
    assert document.current_result is None
    assert len(document.results) == 1, "undo does not lose a result"
    assert document.mask_layer.has_any("coverage")


def test_the_result_shows_in_the_hole_and_nowhere_else(asking, worker, document):
    before = flatten(document, with_result=False)
    stroke(document, HOLE)
    asking.fill()
    worker.answer(200)
    after = flatten(document, with_result=True)
    inside = np.zeros(document.size_hw, bool)
    inside[8:20, 10:30] = True
    assert (after[inside] == 200).all()
    assert np.array_equal(after[~inside], before[~inside])


def answer_short_of_memory(worker):
    """The first waiting job ends after it went on at half the size that was asked for."""
    number = worker.waiting.pop(0)
    request = worker.requests[number]
    reply = reply_to(request, 200)
    used_px = request.edit.working_size_px // 2
    short = {"working_size_px": used_px, "crops": [{"levels_hw": [[20, 20], [40, 40]]}]}
    worker.finished.emit(number, replace(reply, report={**reply.report, **short}))


def test_a_fill_that_ran_short_of_memory_says_so(asking, worker, document, qtbot):
    """It is coarser than it could be; nobody would know why."""
    stroke(document, HOLE)
    asking.fill()
    with qtbot.waitSignal(asking.said) as said:
        answer_short_of_memory(worker)
    assert said.args == ["Memory was short: filled at 256 px instead of 512 px"]
    told = tip(document.current_result)
    assert "short: filled at 256 px" in told


def test_a_draft_that_ran_short_of_memory_says_nothing(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    with qtbot.assertNotEmitted(fill.said):
        answer_short_of_memory(worker)


def test_nothing_is_asked_without_a_hole(asking, worker, document, qtbot):
    with qtbot.waitSignal(asking.said) as said:
        asking.fill()
    assert "brush over" in said.args[0]
    asking.fill_variants(3)
    assert worker.requests == {}


def test_the_picture_is_named_by_its_content_so_that_it_is_sent_once(asking, worker, document):
    stroke(document, HOLE)
    asking.fill()
    stroke(document, (5, 5, 8, 8))
    asking.fill()
    first, second = worker.requests.values()
    assert first.image_key == second.image_key
    with document.begin("Hide") as transaction:
        transaction.set_layer(document.layers[0].id, opacity=0.5)
    asking.fill()
    assert worker.newest.image_key != first.image_key


def test_a_file_opened_again_with_another_picture_is_sent_again(asking, worker, document, tmp_path):
    """Its id is that of before, and its revisions are counted from the start again."""
    stroke(document, HOLE)
    asking.fill()
    first = worker.newest.image_key
    worker.answer(200)
    asking.apply_as_layer()
    path = tmp_path / "work.ora"
    with Snapshot(document) as snapshot:
        write_ora(snapshot, path)
    again, _ = read_ora(path)
    asking.set_document(again)
    stroke(again, HOLE)
    asking.fill()
    assert again.id == document.id
    assert worker.newest.image_key != first
    again.close()


def test_a_stroke_after_asking_does_not_change_what_was_asked(asking, worker, document):
    stroke(document, HOLE)
    asking.fill()
    given = worker.newest.inputs.mask.copy()
    stroke(document, (0, 0, 60, 40))
    assert np.array_equal(worker.newest.inputs.mask, given)


def test_an_asked_result_for_an_earlier_mask_waits_in_the_strip(asking, worker, document, qtbot):
    stroke(document, HOLE)
    asking.fill()
    stroke(document, (40, 30, 50, 38))
    entries = document.history.position
    with qtbot.waitSignal(asking.said):
        worker.answer()
    assert len(document.results) == 1
    assert document.current_result is None
    assert document.history.position == entries


def test_variants_share_their_inputs_and_take_seeds_not_yet_used(asking, worker, document):
    stroke(document, HOLE)
    asking.fill()
    worker.answer()
    asking.fill_variants(3)
    seeds = [request.edit.seed for request in worker.requests.values()]
    assert seeds == [0, 1, 2, 3]
    assert len({id(worker.requests[number].inputs) for number in (2, 3, 4)}) == 1
    for value in (50, 60, 70):
        worker.answer(value)
    assert len(document.results) == 4
    assert [result.step.seed for result in document.results] == [0, 1, 2, 3]
    assert [int(result.pixels.max()) for result in document.results] == [200, 50, 60, 70]


def test_after_the_mask_changed_seeds_start_anew(asking, worker, document):
    stroke(document, HOLE)
    asking.fill_variants(2)
    worker.answer()
    worker.answer()
    stroke(document, (40, 30, 50, 38))
    asking.fill_variants(2)
    assert [request.edit.seed for request in worker.requests.values()] == [0, 1, 0, 1]


def test_cancel_stops_what_runs_and_what_waits(asking, worker, document):
    stroke(document, HOLE)
    asking.fill_variants(3)
    worker.begin()
    assert asking.state.running == "asked"
    assert asking.state.queued == 2
    asking.cancel()
    assert worker.waiting == []
    assert not asking.state.is_busy
    assert document.results == ()


def test_a_refusal_is_told_and_the_next_job_goes_on(asking, worker, document, qtbot):
    stroke(document, HOLE)
    asking.fill_variants(2)
    error = EngineLostError("engine", "to finish the job", "signal 9", "try once more")
    with qtbot.waitSignal(asking.failed) as failed:
        worker.refuse(error)
    assert failed.args[0] is error
    worker.answer()
    assert len(document.results) == 1
    assert not asking.state.is_busy


def test_a_reply_of_another_size_is_refused_in_words(asking, worker, document, qtbot):
    stroke(document, HOLE)
    asking.fill()
    worker.waiting.clear()
    reply = replace(reply_to(worker.newest, 3), size_hw=(7, 7))
    with qtbot.waitSignal(asking.failed) as failed:
        worker.finished.emit(1, reply)
    assert "60x40 px as the picture" in str(failed.args[0])
    assert document.results == ()


def test_answers_to_somebody_else_are_left_alone(asking, worker, document):
    worker.finished.emit(77, None)
    worker.refused.emit(77, ValueError())
    worker.cancelled.emit(77)
    worker.started.emit(77)
    assert document.results == ()
    assert not asking.state.is_busy


# Live ----------------------------------------------------------------------------------------------------------------


def test_a_stroke_brings_a_draft_at_once_and_the_full_result_on_idle(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    assert kinds(worker) == [DRAFT]
    assert worker.newest.edit.quality == "fast"
    worker.answer(100)
    assert document.current_result.is_draft
    assert fill.state.shown == "draft"
    qtbot.waitUntil(lambda: bool(worker.waiting))
    assert kinds(worker) == [DRAFT, FULL]
    assert worker.newest.edit.quality == "exact"
    worker.answer(150)
    assert fill.state.shown == "full"
    assert not document.current_result.is_draft
    assert len(document.results) == 1, "the full result takes the place of its draft"


def test_one_undo_takes_back_the_stroke_and_its_live_fill(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer(100)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer(150)
    assert len(document.history.steps()) == 1
    document.undo()
    assert document.current_result is None
    assert not document.mask_layer.has_any("coverage")
    document.redo()
    assert document.mask_layer.has_any("coverage")
    assert int(document.current_result.pixels.max()) == 150
    assert fill.state.shown == "full", "the result of a state is known again when redo brings the state back"


def test_the_full_result_waits_for_a_draft_that_takes_long(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    qtbot.wait(3 * IDLE_MS)
    assert kinds(worker) == [DRAFT], "a draft under way is not thrown away for the full result"
    worker.answer(100)
    assert kinds(worker) == [DRAFT, FULL]


def test_where_a_full_result_is_quick_no_draft_is_made(fill, worker, document, qtbot):
    worker.expected = Forecast(0.1, 0.2, 0, 5)
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer()
    qtbot.waitUntil(lambda: fill.cost is not None)
    stroke(document, (40, 30, 50, 38))
    qtbot.waitUntil(lambda: worker.newest.inputs.mask[34, 45] == 255)
    assert kinds(worker)[-1] == FULL
    worker.answer()
    qtbot.wait(3 * IDLE_MS)
    assert worker.waiting == [], "and none after it"


def test_the_latest_stroke_wins(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: len(worker.requests) == 1)
    stroke(document, (40, 30, 50, 38))
    qtbot.waitUntil(lambda: len(worker.requests) == 2)
    assert len(worker.waiting) == 1
    assert worker.newest.inputs.mask[35, 45] == 255


def test_a_live_answer_for_a_mask_that_is_no_more_is_dropped(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.waiting.clear()  # the answer is under way when the mask changes
    stroke(document, (40, 30, 50, 38))
    worker.finished.emit(1, reply_to(worker.requests[1], 9))
    assert document.results == ()


def test_a_live_answer_during_the_next_stroke_joins_the_stroke_it_is_for(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    layer = document.mask_layer
    transaction = document.begin("Brush")
    with transaction.writing(layer.id, "coverage", (40, 30, 50, 38)) as values:
        values[...] = 255
    worker.answer(90)
    assert document.current_result.is_draft
    transaction.commit()
    assert len(document.history.steps()) == 2
    document.undo()
    assert document.current_result is not None, "the second stroke alone went"
    document.undo()
    assert document.current_result is None


def test_a_stroke_taken_back_before_it_ends_leaves_the_live_fill_in_peace(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    transaction = document.begin("Brush")
    with transaction.writing(document.mask_layer.id, "coverage", (40, 30, 50, 38)) as values:
        values[...] = 255
    transaction.rollback()
    worker.answer(90)
    assert fill.state.shown == "draft"
    qtbot.waitUntil(lambda: bool(worker.waiting))
    assert kinds(worker)[-1] == FULL
    with document.begin("Rename") as renaming:
        renaming.set_layer(document.layers[0].id, name="other")
    worker.answer(90)
    assert fill.state.shown == "full"


def test_undo_asks_for_nothing_and_stops_what_is_pointless(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer()
    document.undo()
    qtbot.wait(3 * IDLE_MS)
    assert worker.waiting == []
    assert fill.state.shown == "nothing"
    document.redo()
    qtbot.wait(3 * IDLE_MS)
    assert worker.waiting == []
    assert fill.state.shown == "draft"


def test_edges_drawn_in_the_hole_refill_it(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer()
    assert worker.newest.inputs.drawn_edges is None
    stroke(document, (12, 10, 28, 11), plane="drawn")
    # On a busy machine the full result of the first stroke was asked for in between; the draft takes its place.
    qtbot.waitUntil(lambda: worker.newest.inputs.drawn_edges is not None)
    assert worker.newest.inputs.drawn_edges[10, 20] == 255
    assert kinds(worker)[-1] == DRAFT
    worker.answer(33)
    assert len(document.history.steps()) == 2, "the refill belongs to the stroke of the edges"


def test_a_name_or_a_star_is_no_reason_to_fill(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer()
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer()
    count = len(worker.requests)
    fill.star_result(document.results[0].id, True)
    with document.begin("Rename") as transaction:
        transaction.set_layer(document.layers[0].id, name="other")
    qtbot.wait(3 * IDLE_MS)
    assert len(worker.requests) == count
    assert fill.state.shown == "full"


def test_a_slider_refills_live_as_one_step_of_its_own(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer()
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer()
    fill.change_settings(edge_sensitivity=0.8)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    assert worker.newest.edit.edge_sensitivity == 0.8
    worker.answer(50)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    assert kinds(worker)[-1] == FULL
    worker.answer(60)
    assert int(document.current_result.pixels.max()) == 60
    assert fill.state.shown == "full"


def test_live_off_means_off_and_on_again_catches_up(fill, worker, document, qtbot):
    fill.set_live(False)
    stroke(document, HOLE)
    qtbot.wait(2 * IDLE_MS)
    assert worker.requests == {}
    with qtbot.waitSignal(fill.live_changed):
        fill.set_live(True)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    assert kinds(worker) == [DRAFT]


def test_asking_takes_the_place_of_live_jobs(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    fill.fill()
    assert kinds(worker) == [DRAFT, ASKED]
    assert worker.waiting == [2]
    worker.answer()
    qtbot.wait(3 * IDLE_MS)
    assert worker.waiting == []


def test_a_mask_that_selects_nothing_any_more_is_not_filled(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    stroke(document, HOLE, value=0)
    qtbot.wait(3 * IDLE_MS)
    assert len(worker.requests) == 1
    assert not fill.state.has_hole


# What is shown -------------------------------------------------------------------------------------------------------


def test_a_preview_is_shown_while_a_job_runs_and_goes_with_it(asking, worker, document):
    stroke(document, HOLE)
    asking.fill()
    heard = []
    asking.preview_changed.connect(lambda box, pixels: heard.append(box))
    worker.begin(preview=np.zeros((4, 4, 3), np.uint8), share=0.3, word="edges")
    assert heard == [(0, 0, 4, 4)]
    assert (asking.state.share, asking.state.word) == (0.3, "edges")
    worker.answer()
    assert heard == [(0, 0, 4, 4), None]


def test_no_coarse_preview_goes_over_a_draft(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer()
    qtbot.waitUntil(lambda: bool(worker.waiting))
    heard = []
    fill.preview_changed.connect(lambda box, pixels: heard.append(box))
    worker.begin(preview=np.zeros((4, 4, 3), np.uint8))
    assert heard == []


def test_a_result_is_outdated_once_the_mask_is_another(asking, worker, document):
    stroke(document, HOLE)
    asking.fill()
    worker.answer()
    assert asking.state.shown == "full"
    stroke(document, (40, 30, 50, 38))
    assert asking.state.shown == "outdated"
    document.undo()
    assert asking.state.shown == "full"


def test_a_document_opened_with_a_result_shows_it_as_full(worker, asking, document):
    stroke(document, HOLE)
    asking.fill()
    worker.answer()
    other = FillController(worker)
    other.set_document(document)
    assert other.state.shown == "full"


def test_another_document_ends_the_jobs_of_the_old_one(asking, worker, document):
    stroke(document, HOLE)
    asking.fill()
    other = make_document()
    asking.set_document(other)
    assert worker.waiting == []
    assert asking.state.has_document
    assert not asking.state.has_hole
    stroke(document, (1, 1, 5, 5))
    assert not asking.state.has_hole, "the old document is not followed any more"
    asking.set_document(None)
    assert not asking.state.has_document
    other.close()


# Results -------------------------------------------------------------------------------------------------------------


def filled(asking, worker, document, count=1):
    stroke(document, HOLE)
    asking.fill_variants(count)
    for _ in range(count):
        worker.answer(lambda number: 10 * number)
    return list(document.results)


def test_walking_through_results_is_one_step_back(asking, worker, document):
    results = filled(asking, worker, document, 3)
    steps = len(document.history.steps())
    for result in results:
        asking.show_result(result.id)
    asking.show_result(None)
    assert document.current_result is None
    assert len(document.history.steps()) == steps + 1
    document.undo()
    assert document.current_result is results[2]


def test_deleted_results_come_back_by_one_undo(asking, worker, document):
    first, second, third = filled(asking, worker, document, 3)
    asking.delete_results([first.id, third.id])
    assert [result.id for result in document.results] == [second.id]
    assert document.current_result is None
    document.undo()
    assert {result.id for result in document.results} == {first.id, second.id, third.id}
    assert document.current_result_id == third.id


def test_a_star_is_undoable(asking, worker, document):
    (result,) = filled(asking, worker, document)
    asking.star_result(result.id, True)
    assert result.is_starred
    document.undo()
    assert not result.is_starred


def test_reopening_brings_the_settings_back_and_shows_the_result(asking, worker, document, qtbot):
    asking.change_settings(edge_sensitivity=0.7, edge_sigma=3.0, quality="fast")
    (result,) = filled(asking, worker, document)
    asking.change_settings(edge_sensitivity=0.1, edge_sigma=1.0, quality="exact", seed=9)
    asking.show_result(None)
    with qtbot.waitSignal(asking.settings_changed):
        asking.reopen_result(result.id)
    assert asking.settings.edge_sensitivity == 0.7
    assert asking.settings.edge_sigma == 3.0
    assert asking.settings.quality == "fast"
    assert asking.settings.seed == 0
    assert document.current_result is result


def test_reopening_brings_the_frame_back(asking, worker, document):
    asking.change_settings(context="box", context_box=(2, 2, 40, 30))
    (result,) = filled(asking, worker, document)
    assert worker.requests[1].edit.context_box == (2, 2, 40, 30)
    asking.change_settings(context="hole", context_box=None)
    asking.reopen_result(result.id)
    assert asking.settings.context_box == (2, 2, 40, 30)


def test_rerunning_uses_the_old_settings_on_the_mask_of_now(asking, worker, document):
    asking.change_settings(edge_sensitivity=0.7)
    (result,) = filled(asking, worker, document)
    asking.change_settings(edge_sensitivity=0.1)
    stroke(document, (40, 30, 50, 38))
    asking.rerun_result(result.id)
    assert worker.newest.edit.edge_sensitivity == 0.7
    assert worker.newest.inputs.mask[35, 45] == 255
    assert asking.settings.edge_sensitivity == 0.1, "the panel stays as it is"


def test_a_setting_out_of_range_is_refused(asking):
    with pytest.raises(ValueError, match="edge_sensitivity"):
        asking.change_settings(edge_sensitivity=2.0)
    assert asking.settings.edge_sensitivity == 0.5


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_an_applied_result_looks_the_same_as_a_layer(worker, mode, dtype, qapp):
    document = make_document(mode=mode, dtype=dtype)
    controller = FillController(worker)
    controller.set_live(False)
    controller.set_document(document)
    stroke(document, HOLE)
    stroke(document, (12, 10, 20, 11), plane="drawn")
    controller.fill()
    worker.answer(np.iinfo(dtype).max)
    seen = flatten(document, with_result=True)
    result = document.current_result
    committed = []
    document.observe(lambda event: committed.append(event) if isinstance(event, EntryCommitted) else None)
    controller.apply_as_layer()
    assert len(committed) == 1
    assert document.current_result is None
    assert not document.mask_layer.has_any("coverage")
    assert not document.edges_layer.has_any("drawn")
    layer = next(layer for layer in document.layers if layer.name == "Fill 1")
    assert layer.step == result.step
    assert np.array_equal(flatten(document, with_result=True), seen)
    document.undo()
    assert document.current_result is result
    assert document.mask_layer.has_any("coverage")
    assert document.edges_layer.has_any("drawn")
    assert len(document.layers) == 3
    document.close()


def test_a_draft_that_is_refused_is_not_followed_by_a_second_message(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    failures = []
    fill.failed.connect(failures.append)
    worker.refuse(EngineLostError("engine", "to finish the job", "signal 9", "try once more"))
    qtbot.wait(3 * IDLE_MS)
    assert len(failures) == 1
    assert len(worker.requests) == 1


def test_a_draft_and_its_full_result_are_made_from_the_very_same(fill, worker, document, qtbot):
    # A lock keeps the edges of the shown result; were the full result asked for anew, it would keep the draft's.
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer()
    qtbot.waitUntil(lambda: bool(worker.waiting))
    draft, full = worker.requests.values()
    assert draft.inputs is full.inputs
    assert draft.edit.seed == full.edit.seed


def test_weights_are_listed_once_there_is_a_document(worker, document):
    controller = FillController(worker)
    assert [row.title for row in controller.weights_listed()] == ["Default"]
    controller.set_document(document)
    assert "inpaint-starter" in [row.name for row in controller.weights_listed()]


def test_a_list_of_weights_that_cannot_be_read_leaves_the_default(worker, document, own_folders, qtbot):
    (own_folders / "weights").mkdir()
    (own_folders / "weights" / "manifest.toml").write_text("schema = 7")
    controller = FillController(worker)
    controller.set_document(document)
    with qtbot.waitSignal(controller.failed) as failed:
        rows = controller.weights_listed()
    assert [row.name for row in rows] == [""]
    assert "manifest.toml" in str(failed.args[0])


def test_a_draft_for_an_earlier_mask_never_becomes_a_layer(fill, worker, document, qtbot):
    stroke(document, HOLE)
    fill.stroke_committed()
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer(100)
    fill.set_live(False)
    stroke(document, (2, 2, 5, 5))
    assert fill.state.shown == "outdated"
    fill.apply_as_layer()
    assert kinds(worker)[-1] == ASKED
    assert not any(layer.step for layer in document.layers)
    worker.answer(200)
    (layer,) = [layer for layer in document.layers if layer.step]
    assert layer.planes["pixels"][..., 0].max() == 200


def test_a_draft_is_made_in_full_before_it_becomes_a_layer(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer(100)
    fill.apply_as_layer()
    assert kinds(worker) == [DRAFT, ASKED]
    assert len(document.layers) == 3
    worker.answer(150)
    layer = next(layer for layer in document.layers if layer.name == "Fill 1")
    assert int(layer.planes["pixels"][..., 0].max()) == 150
    assert not document.mask_layer.has_any("coverage")
    qtbot.wait(3 * IDLE_MS)
    assert worker.waiting == []


def test_esc_ends_the_wish_for_a_layer_too(fill, worker, document, qtbot):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer(100)
    fill.apply_as_layer()
    fill.cancel()
    fill.fill()
    worker.answer(150)
    assert fill.state.shown == "full"
    assert len(document.layers) == 3


# The canvas takes another size meanwhile -----------------------------------------------------------------------------


def remake(document, size_hw, *, is_clear=False):
    """Show a remade picture of a size, and make a layer of it."""
    pixels = np.full((*size_hw, 4 if is_clear else 3), 77, np.uint8)
    if is_clear:
        pixels[0, :, 3] = 0
    h, w = size_hw
    coverage = np.full(size_hw, 255, np.uint8)
    step = Step(edit={"family": "retarget", "target_size_hw": [h, w]})
    document.add_result(
        Result(box_xyxy=(0, 0, w, h), pixels=pixels, coverage=coverage, is_whole=True, step=step)
    )
    apply_result(document)


@pytest.mark.parametrize("size_hw", [(18, 25), (40, 60), (90, 70)])
@pytest.mark.parametrize("is_clear", [False, True])
def test_a_fill_of_a_canvas_that_is_no_more_waits_in_the_strip(
    asking, worker, document, qtbot, size_hw, is_clear
):
    """It was asked for, so it is kept; undo brings back the canvas it belongs to."""
    stroke(document, HOLE)
    asking.fill()
    remake(document, size_hw, is_clear=is_clear)
    seen = flatten(document, with_result=True)
    with qtbot.waitSignal(asking.said) as said, qtbot.assertNotEmitted(asking.failed):
        worker.answer(200)
    assert said.args == ["Filled for an earlier mask: the result is in the strip"]
    made = document.results[-1]
    assert document.current_result is None
    np.testing.assert_array_equal(flatten(document, with_result=True), seen)
    asking.show_result(made.id)  # where it lies on this canvas it is shown
    assert flatten(document, with_result=True).shape == seen.shape
    for _ in range(3):  # the one shown, the layer, the remade picture
        document.undo()
    assert document.undo_label == "Brush"
    asking.show_result(made.id)
    assert asking.state.shown == "full"
    after = flatten(document, with_result=True)
    inside = np.zeros((40, 60), bool)
    inside[8:20, 10:30] = True
    assert (after[inside] == 200).all()
    np.testing.assert_array_equal(after[~inside], flatten(document, with_result=False)[~inside])


def test_a_preview_goes_with_the_canvas_it_lay_on(asking, worker, document, qtbot):
    stroke(document, HOLE)
    asking.fill()
    worker.begin(preview=np.zeros((4, 4, 3), np.uint8))
    with qtbot.waitSignal(asking.preview_changed, timeout=1000) as told:
        remake(document, (18, 25))
    assert told.args == [None, None]


# The mask is taken away ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("take_away", [clear, erase_all])
def test_a_live_fill_goes_with_its_mask_and_comes_back_with_it(fill, worker, document, qtbot, take_away):
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.answer(200)
    shown = document.current_result
    assert shown is not None
    steps = len(document.history.steps())
    take_away(document)
    qtbot.waitUntil(lambda: document.current_result is None)
    assert not worker.waiting
    assert len(document.history.steps()) == steps + 1
    document.undo()
    assert document.current_result is shown
    assert document.mask_layer.has_any("coverage")
    document.redo()
    assert document.current_result is None


def test_a_live_fill_that_runs_is_stopped_with_its_preview(fill, worker, document, qtbot):
    seen = []
    fill.preview_changed.connect(lambda box, _pixels: seen.append(box))
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: bool(worker.waiting))
    worker.begin(preview=np.zeros((4, 4, 3), np.uint8))
    assert seen[-1] is not None
    clear(document)
    qtbot.waitUntil(lambda: not worker.waiting)
    assert seen[-1] is None


def test_the_preview_of_a_fill_that_was_asked_for_goes_and_its_result_waits_in_the_strip(
    asking, worker, document
):
    seen = []
    asking.preview_changed.connect(lambda box, _pixels: seen.append(box))
    stroke(document, HOLE)
    asking.fill()
    worker.begin(preview=np.zeros((4, 4, 3), np.uint8))
    assert seen[-1] is not None
    clear(document)
    assert seen[-1] is None
    worker.begin(preview=np.zeros((4, 4, 3), np.uint8))
    assert seen[-1] is None, "what comes later is not shown either"
    worker.answer(200)
    assert document.current_result is None
    assert len(document.results) == 1


def test_a_result_that_was_asked_for_stays_when_the_mask_is_cleared(asking, worker, document, qtbot):
    stroke(document, HOLE)
    asking.fill()
    worker.answer(200)
    asking.set_live(True)
    clear(document)
    qtbot.wait(20)
    assert document.current_result is not None
