import json

import numpy as np
import pytest

from app.document.canvas_ops import CanvasResized
from app.document.document import Document
from app.document.events import CanvasChanged
from app.document.flatten import flatten
from app.document.ora import read_ora, write_ora
from app.document.recovery import journal_for, let_go, recover, recoverable
from app.document.snapshot import Snapshot
from app.errors import DocumentError


@pytest.fixture
def marked(kit, rng):
    """A picture of 80 x 60 px with a mask that reaches to its right border."""
    document = kit.full_document(rng)
    kit.brush(document, (50, 30, 80, 60), 9)
    return document


def resize(document, size_hw):
    with document.begin("Canvas") as change:
        change.set_canvas(size_hw)


@pytest.mark.parametrize("size_hw", [(60, 120), (90, 80), (40, 50), (300, 20)])
def test_a_canvas_takes_a_size_and_undo_gives_all_of_it_back(kit, marked, size_hw):
    before, seen = kit.content_of(marked), flatten(marked, with_result=False)
    heard = []
    marked.observe(heard.append)
    resize(marked, size_hw)
    assert marked.size_hw == size_hw
    assert CanvasChanged(size_hw) in heard
    assert {layer.size_hw for layer in marked.layers if layer.kind != "picture"} == {size_hw}
    h, w = min(60, size_hw[0]), min(80, size_hw[1])
    np.testing.assert_array_equal(flatten(marked, with_result=False)[:h, :w], seen[:h, :w])
    after = kit.content_of(marked)
    marked.undo()
    assert kit.content_of(marked) == before
    marked.redo()
    assert kit.content_of(marked) == after


def test_another_mode_is_taken_and_given_back_alone(kit, marked):
    before = kit.content_of(marked)
    with marked.begin("Alpha") as change:
        change.set_canvas((60, 80), "RGBA")
    assert marked.mode == "RGBA"
    assert flatten(marked, with_result=False).shape == (60, 80, 4)
    marked.undo()
    assert kit.content_of(marked) == before
    with pytest.raises(DocumentError, match="mode: expected one of L"), marked.begin("No mode") as change:
        change.set_canvas((60, 80), "CMYK")


def test_its_own_size_is_no_change(marked):
    before = marked.history.position
    resize(marked, (60, 80))
    assert marked.history.position == before


def test_a_size_that_no_canvas_has_changes_nothing(kit, marked):
    before = kit.content_of(marked)
    with pytest.raises(DocumentError, match="canvas: expected 1 to 16384 px a side, got 80x0 px"):
        resize(marked, (0, 80))
    assert kit.content_of(marked) == before


def test_a_stroke_before_and_after_in_one_step_is_taken_back_with_it(kit, marked):
    before = kit.content_of(marked)
    change = marked.begin("All at once")
    mask = marked.mask_layer.id
    with change.writing(mask, "coverage", (0, 0, 80, 60)) as values:
        values[...] = 3
    change.set_canvas((40, 100))
    with change.writing(mask, "coverage", (70, 0, 100, 40)) as values:
        values[...] = 5
    assert marked.mask_layer.planes["coverage"][0].tolist() == [3] * 70 + [5] * 30
    change.rollback()
    assert kit.content_of(marked) == before


def test_a_snapshot_keeps_the_size_it_was_made_in(kit, marked):
    seen = flatten(marked, with_result=True)
    with Snapshot(marked) as snapshot:
        change = marked.begin("Canvas")
        change.set_canvas((30, 30), "L")
        with Snapshot(marked) as inside:
            for one in (snapshot, inside):
                assert one.size_hw == (60, 80)
                np.testing.assert_array_equal(one.flatten(with_result=True), seen)
                assert one.plane(marked.mask_layer.id, "coverage").shape == (60, 80)
        change.commit()
        np.testing.assert_array_equal(snapshot.flatten(with_result=True), seen)


@pytest.mark.parametrize("size_hw", [(60, 120), (40, 50)])
def test_it_is_saved_and_recovered_in_its_size(kit, marked, tmp_path, monkeypatch, size_hw):
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path / "home"))
    journal = journal_for(marked)
    resize(marked, size_hw)
    assert journal.flush()
    journal.close()
    (item,) = recoverable()
    recovered = recover(item)
    let_go(item)
    assert kit.content_of(recovered) == kit.content_of(marked)
    recovered.undo()
    assert recovered.size_hw == (60, 80)
    with Snapshot(marked) as snapshot:
        write_ora(snapshot, tmp_path / "a.ora")
    again, notes = read_ora(tmp_path / "a.ora")
    assert notes == ()
    assert kit.content_of(again) == kit.content_of(marked)


@pytest.mark.parametrize(
    "change",
    [{"after_hw": [9, 9]}, {"after_hw": [60]}, {"after": []}, {"before": "x"}, {"after_mode": "CMYK"}],
)
def test_a_record_that_does_not_fit_is_refused(marked, change):
    resize(marked, (70, 70))
    (op,) = marked.history.newest.ops
    record, packed = op.to_record()
    again = CanvasResized.from_record(json.loads(json.dumps(record)), packed)
    assert again.to_record() == (record, packed)
    with pytest.raises((ValueError, TypeError, KeyError)):
        CanvasResized.from_record({**record, **change}, packed)


def test_a_large_canvas_costs_only_what_is_drawn():
    document = Document.blank((40, 40))
    resize(document, (16000, 16000))
    assert document.history.newest.nbytes < 10_000
    assert document.mask_layer.written_tiles("coverage") == set()
    document.close()
