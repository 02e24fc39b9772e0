"""A result of a size of its own, beside the canvas: seen, saved, opened, noted in the journal and recovered."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from app.document.document import Document
from app.document.flatten import flatten
from app.document.ora_reader import read_ora
from app.document.ora_writer import write_ora
from app.document.recipe import Step
from app.document.recovery import journal_for, recover, recoverable
from app.document.results import Result
from app.document.saving import export_in_background
from app.document.seen import seen_mode, seen_picture, seen_size_hw
from app.document.snapshot import Snapshot
from app.document.stack_xml import read_stack
from app.errors import DocumentError

EDIT = {"family": "retarget", "target_size_hw": [70, 120]}


def whole(rng, *, box=(-10, -4, 110, 66), channels=(3,), dtype=np.uint8, **changes):
    x0, y0, x1, y1 = box
    size_hw = (y1 - y0, x1 - x0)
    return Result(
        **{
            "box_xyxy": box,
            "pixels": rng.integers(0, np.iinfo(dtype).max + 1, (*size_hw, *channels)).astype(dtype),
            "coverage": np.full(size_hw, 255, np.uint8),
            "novelty": rng.integers(0, 256, size_hw).astype(np.uint8),
            "is_whole": True,
            "step": Step(edit=EDIT),
            **changes,
        }
    )


def told(result):
    return (
        result.meta(),
        *(plane.tobytes() for plane in (result.pixels, result.coverage, result.novelty)),
        result.edges is None,
    )


@pytest.fixture(params=["wider", "smaller", "free corners", "deep"])
def shown(request, rng, kit):
    """A document that shows a remade picture."""
    kind = request.param
    document = kit.full_document(rng, "RGB", np.uint16 if kind == "deep" else np.uint8)
    result = {
        "wider": lambda: whole(rng),
        "smaller": lambda: whole(rng, box=(20, 10, 52, 43)),
        "free corners": lambda: whole(rng, channels=(4,)),
        "deep": lambda: whole(rng, dtype=np.uint16),
    }[kind]()
    document.add_result(result)
    yield document
    document.close()


def save(document, path):
    with Snapshot(document) as snapshot:
        write_ora(snapshot, path)
    return path


def test_it_is_named_in_the_history_by_its_size(rng, kit):
    document = kit.full_document(rng)
    document.add_result(whole(rng))
    assert document.undo_label == "Retarget to 120 × 70"
    document.add_result(whole(rng, step=Step(edit=EDIT, seed=4)))
    assert document.undo_label == "Retarget to 120 × 70, seed 4"


def test_a_file_gives_it_back_bit_for_bit(shown, tmp_path, kit):
    again, notes = read_ora(save(shown, tmp_path / "a.ora"))
    assert notes == ()
    assert kit.content_of(again) == kit.content_of(shown)
    assert again.current_result.is_whole
    assert told(again.current_result) == told(shown.current_result)
    assert again.size_hw == shown.size_hw


def test_a_copy_of_a_copy_is_the_same_file(shown, tmp_path):
    first = save(shown, tmp_path / "a.ora")
    again, _ = read_ora(first)
    again.name = shown.name
    assert save(again, tmp_path / "b.ora").read_bytes() == first.read_bytes()


def test_other_programs_see_it_alone_in_its_place(shown, tmp_path):
    result = shown.current_result
    with zipfile.ZipFile(save(shown, tmp_path / "a.ora")) as archive:
        stack = read_stack(archive.read("stack.xml"), name="a")
        photo, _, layer = stack.layers[:3]
        assert not photo.is_visible
        assert (layer.name, layer.is_visible, layer.offset_xy) == ("Result", True, result.box_xyxy[:2])
        with Image.open(archive.open(layer.src)) as picture:
            assert picture.size == result.size_hw[::-1]
        with Image.open(archive.open("mergedimage.png")) as merged:
            assert merged.size == shown.size_hw[::-1], "the flat picture has the size of the canvas"


def test_what_is_visible_here_is_not_forgotten_for_that(shown, tmp_path):
    again, _ = read_ora(save(shown, tmp_path / "a.ora"))
    assert [one.is_visible for one in again.layers] == [one.is_visible for one in shown.layers]


def test_the_canvas_shows_it_and_nothing_of_the_layers(shown):
    result, (h, w) = shown.current_result, shown.size_hw
    flat = flatten(shown, with_result=True)
    assert flat.shape == (h, w, 3)
    x0, y0, x1, y1 = result.box_xyxy
    inside = flat[max(y0, 0) : y1, max(x0, 0) : x1]
    part = result.pixels[max(-y0, 0) :, max(-x0, 0) :][: inside.shape[0], : inside.shape[1], :3]
    covered = result.coverage[max(-y0, 0) :, max(-x0, 0) :][: inside.shape[0], : inside.shape[1]] > 0
    assert np.array_equal(inside[covered], part[covered])
    if y0 > 0:
        assert not flat[:y0].any()
    assert np.array_equal(flatten(shown, with_result=False), shown.layers[0].planes["pixels"])


def test_what_leaves_the_window_has_its_size(shown, tmp_path):
    result = shown.current_result
    assert seen_size_hw(shown) == result.size_hw
    assert seen_mode(shown) == ("RGBA" if result.pixels.shape[2] == 4 else "RGB")
    assert np.array_equal(seen_picture(shown), result.pixels)
    with Snapshot(shown) as snapshot:
        assert np.array_equal(seen_picture(snapshot), result.pixels)
    failures = []
    job = export_in_background(shown, tmp_path / "a.png", failures.append)
    assert job.wait(20)
    assert failures == [None]
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == result.size_hw[::-1]


def test_without_one_the_canvas_is_what_is_seen(full):
    assert seen_size_hw(full) == full.size_hw
    assert seen_mode(full) == "RGB"
    assert np.array_equal(seen_picture(full), flatten(full, with_result=True))
    with Snapshot(full) as snapshot:
        assert np.array_equal(seen_picture(snapshot), flatten(full, with_result=True))


def test_undo_takes_it_back_and_redo_shows_it_again(shown):
    one = shown.current_result_id
    shown.undo()
    assert shown.current_result_id != one
    assert any(result.id == one for result in shown.results)
    shown.redo()
    assert shown.current_result_id == one


def test_a_record_gives_it_back(rng):
    made = whole(rng)
    again = Result.from_record(*made.to_record())
    assert again.is_whole
    assert told(again) == told(made)


def test_a_crash_gives_it_back(shown, tmp_path, kit, monkeypatch):
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path / "home"))
    journal = journal_for(shown)
    shown.add_result(whole(np.random.default_rng(1), box=(5, 6, 45, 46)))
    expected = kit.content_of(shown)
    crashed = {one.id: told(one) for one in shown.results if one.is_whole}
    assert journal.flush()
    journal.close()
    (found,) = recoverable()
    again = recover(found)
    assert kit.content_of(again) == expected
    assert {one.id: told(one) for one in again.results if one.is_whole} == crashed
    again.undo()
    assert again.current_result.is_whole, "the one before, which the file of the journal began with"
    journal_for(again).close(discard=True)
    again.close()


def test_a_file_from_before_there_were_any_is_read(full, tmp_path, kit):
    assert all("is_whole" not in result.meta() for result in full.results)
    again, _ = read_ora(save(full, tmp_path / "a.ora"))
    assert not any(result.is_whole for result in again.results)


@pytest.mark.parametrize("value", [1, "yes", None])
def test_a_mark_that_is_no_truth_is_refused(rng, value):
    made = whole(rng)
    record, packed = made.to_record()
    with pytest.raises(DocumentError, match="result is_whole: expected bool, got"):
        Result.from_record({**record, "is_whole": value}, packed)


def test_a_map_of_another_size_is_refused(rng):
    with pytest.raises(
        DocumentError, match=r"result novelty: expected \(70, 120\) uint8, got \(3, 3\) uint8"
    ):
        whole(rng, novelty=np.zeros((3, 3), np.uint8))


def test_it_sleeps_and_wakes_with_its_map(rng):
    document = Document.blank((60, 80))
    made = whole(rng)
    before = told(made)
    document.add_result(made)
    document.undo()
    assert made.is_asleep
    assert told(made) == before
    document.close()
