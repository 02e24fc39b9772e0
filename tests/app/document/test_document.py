import errno
import subprocess
import sys

import numpy as np
import pytest

from app.document.blobs import Blob, BlobStore
from app.document.document import Document
from app.document.events import (
    ActiveLayerChanged,
    CurrentResultChanged,
    EntryCommitted,
    EntryRedone,
    EntryUndone,
    HistoryChanged,
    PixelsChanged,
    ResultArrived,
    ResultDropped,
    Saved,
)
from app.document.history import Entry
from app.document.layer_ops import LayerChanged, LayerMoved
from app.document.layers import Layer
from app.document.pixel_ops import TileChange
from app.document.recipe import Step
from app.document.results import Result
from app.document.snapshot import Snapshot
from app.errors import DocumentError
from engine.metadata.kept import Metadata
from engine.pictures import Picture


def stroke(document, value=255, box=(0, 0, 20, 20), label="Brush"):
    mask = document.mask_layer
    with document.begin(label) as transaction, transaction.writing(mask.id, "coverage", box) as values:
        values[...] = value


def result(**changes):
    return Result(
        **{
            "box_xyxy": (2, 2, 12, 12),
            "pixels": np.full((10, 10, 3), 99, np.uint8),
            "coverage": np.full((10, 10), 255, np.uint8),
            "step": Step(edit={}),
            **changes,
        }
    )


@pytest.fixture
def document():
    return Document.blank((40, 50))


@pytest.mark.parametrize(("mode", "shape"), [("L", ()), ("LA", (2,)), ("RGB", (3,)), ("RGBA", (4,))])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_becomes_a_document_of_its_mode_and_depth(mode, shape, dtype):
    pixels = np.arange(12 * 9 * 4, dtype=dtype)[: 12 * 9 * (shape or (1,))[0]].reshape(12, 9, *shape)
    picture = Picture(pixels, mode, icc_profile=b"icc", metadata=Metadata(exif=b"exif"))
    document = Document.from_picture(picture, name="holiday")
    assert (document.size_hw, document.mode, document.is_deep) == ((12, 9), mode, dtype == np.uint16)
    assert (document.icc_profile, document.metadata, document.name) == (
        b"icc",
        Metadata(exif=b"exif"),
        "holiday",
    )
    assert [layer.kind for layer in document.layers] == ["picture", "mask", "edges"]
    assert np.array_equal(document.layers[0].planes["pixels"], pixels)
    assert document.layers[0].planes["pixels"] is not pixels
    assert document.active_layer_id == document.layers[0].id
    assert not document.is_modified


def test_a_blank_document_is_white_or_clear():
    assert Document.blank((3, 4)).layers[0].planes["pixels"].min() == 255
    assert Document.blank((3, 4), "LA").layers[0].planes["pixels"][..., 1].max() == 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Document((0, 5)), "canvas: expected 1 to 16384 px a side, got 5x0 px"),
        (lambda: Document((5, 16385)), "canvas: expected 1 to 16384 px a side"),
        (lambda: Document((5, 5), "CMYK"), "mode: expected one of L, LA, RGB, RGBA, got 'CMYK'"),
        (
            lambda: Document((5, 5), layers=[Layer.empty_mask((5, 5)), Layer.empty_mask((5, 5))]),
            "layers: expected one layer of mask, got 2",
        ),
        (
            lambda: Document((5, 5), layers=[Layer.empty_mask((5, 6))]),
            "Mask: expected the size of the canvas",
        ),
        (lambda: Document((5, 5), current_result_id="x"), "result: expected one of this document"),
        (
            lambda: Document(
                (5, 5), layers=[Layer("picture", "a", {"pixels": np.zeros((1, 1), np.uint8)})] * 2
            ),
            "layers: expected an id for each",
        ),
    ],
)
def test_parts_that_do_not_go_together_are_refused(make, words):
    with pytest.raises(DocumentError) as refused:
        make()
    assert str(refused.value).startswith(words)


def test_undo_and_redo_tell_what_changed(document):
    stroke(document)
    heard = []
    document.observe(heard.append)
    (entry,) = document.history.entries
    mask = document.mask_layer
    assert document.undo()
    changed = PixelsChanged(mask.id, "coverage", (0, 0, 50, 40), (0, 0, 50, 40))
    assert heard == [changed, EntryUndone(entry), HistoryChanged()]
    heard.clear()
    assert document.redo()
    assert heard == [changed, EntryRedone(entry), HistoryChanged()]


def test_revisions_count_changes_of_all_and_of_the_picture_alone(document):
    all_before, picture_before = document.revision, document.picture_revision
    stroke(document)
    document.add_result(result())
    assert document.revision > all_before
    assert document.picture_revision == picture_before
    with document.begin("Hide") as transaction:
        transaction.set_layer(document.layers[0].id, is_visible=False)
    assert document.picture_revision == picture_before + 1
    document.undo()
    assert document.picture_revision == picture_before + 2


def test_observers_hear_no_more_once_they_stopped(document):
    heard = []
    stop = document.observe(heard.append)
    stop()
    stop()
    stroke(document)
    assert heard == []


def test_an_observer_that_fails_keeps_no_other_from_hearing(document):
    heard = []

    def fail(event):
        raise RuntimeError("a fault in a panel")

    document.observe(fail)
    document.observe(heard.append)
    transaction = document.begin("Brush")
    with pytest.raises(RuntimeError, match="a fault in a panel"):
        transaction.commit()
    assert heard == [HistoryChanged()]
    assert document.transaction is None


def test_what_an_observer_changes_is_told_after_what_it_was_told_of(document):
    arrived = []

    def fill(event):
        if isinstance(event, EntryCommitted) and event.entry.label == "Brush":
            document.add_result(result(), amend=True)

    document.observe(fill)
    document.observe(lambda event: arrived.append(event) if isinstance(event, EntryCommitted) else None)
    stroke(document)
    assert [event.entry.label for event in arrived] == ["Brush", "Fill"]


def test_the_active_layer_is_told_and_not_undone(document):
    heard = []
    document.observe(heard.append)
    document.active_layer_id = document.mask_layer.id
    document.active_layer_id = document.mask_layer.id
    assert heard == [ActiveLayerChanged(document.mask_layer.id)]
    assert not document.can_undo


# Results -----------------------------------------------------------------------------------------------------------------


def test_a_live_fill_belongs_to_its_stroke(document):
    stroke(document)
    live = result()
    document.add_result(live, amend=True)
    assert document.current_result is live
    assert [step.label for step in document.history.steps()] == ["Brush"]
    document.undo()
    assert document.current_result is None
    assert document.mask_layer.planes["coverage"].max() == 0
    assert document.results == (live,)
    document.redo()
    assert document.current_result is live
    assert document.mask_layer.planes["coverage"].max() == 255


def test_a_requested_fill_is_a_step_of_its_own(document):
    stroke(document)
    document.add_result(result())
    assert [step.label for step in document.history.steps()] == ["Brush", "Fill"]
    assert document.undo_label == "Fill"
    document.undo()
    assert document.mask_layer.planes["coverage"].max() == 255


def test_variants_are_told_apart_in_the_history(document):
    for seed in (0, 3, 4):
        document.add_result(result(step=Step(edit={}, seed=seed)))
    assert [step.label for step in document.history.steps()] == ["Fill", "Fill, seed 3", "Fill, seed 4"]


def test_the_full_result_takes_the_place_of_its_draft(document):
    heard = []
    stroke(document)
    document.observe(heard.append)
    draft, full = result(is_draft=True), result()
    document.add_result(draft, amend=True)
    document.add_result(full, amend=True)
    assert document.results == (full,)
    assert ResultDropped(draft.id) in heard
    document.undo()
    assert document.current_result_id is None
    document.redo()
    assert document.current_result is full


def test_a_draft_of_another_step_and_a_starred_one_stay(document):
    draft, starred = result(is_draft=True), result(is_draft=True, is_starred=True)
    document.add_result(draft)
    stroke(document)
    document.add_result(starred, amend=True)
    document.add_result(result(), amend=True)
    assert document.results[:2] == (draft, starred)


def test_a_live_fill_keeps_what_can_be_redone(document):
    stroke(document, label="First")
    stroke(document, label="Second", value=7)
    document.undo()
    document.add_result(result(), amend=True)
    assert document.redo_label == "Second"
    document.redo()
    assert document.mask_layer.planes["coverage"].max() == 7


def test_a_live_fill_without_any_step_is_one_of_its_own(document):
    document.add_result(result(), amend=True)
    assert [step.label for step in document.history.steps()] == ["Fill"]
    document.undo()
    assert document.current_result is None


def test_a_result_may_arrive_while_a_stroke_is_drawn(document):
    stroke(document, label="First")
    transaction = document.begin("Second")
    with transaction.writing(document.mask_layer.id, "coverage", (5, 5, 30, 30)) as values:
        values[...] = 9
    live = result()
    document.add_result(live, amend=True)
    assert not document.can_undo
    assert not document.undo()
    transaction.commit()
    assert [step.label for step in document.history.steps()] == ["First", "Second"]
    document.undo()
    assert document.current_result is live
    document.undo()
    assert document.current_result is None
    assert document.mask_layer.planes["coverage"].max() == 0


def test_a_result_may_be_added_without_being_shown(document):
    heard = []
    document.observe(heard.append)
    variant = result()
    document.add_result(variant, make_current=False)
    assert heard[0] == ResultArrived(variant)
    assert document.current_result is None
    assert not document.can_undo
    assert document.is_modified
    assert variant.is_asleep


def test_only_the_shown_result_is_awake(document):
    first, second = result(), result()
    document.add_result(first)
    document.add_result(second)
    assert (first.is_asleep, second.is_asleep) == (True, False)
    document.undo()
    assert (first.is_asleep, second.is_asleep) == (False, True)
    assert first.pixels.min() == 99


def test_a_deleted_result_comes_back_with_undo(document):
    heard = []
    shown = result()
    document.add_result(shown)
    document.observe(heard.append)
    with document.begin("Delete result") as transaction:
        transaction.remove_result(shown.id)
    assert document.results == ()
    assert document.current_result is None
    assert CurrentResultChanged(None) in heard
    document.undo()
    assert document.results == (shown,)
    assert document.current_result is shown
    assert shown.pixels.min() == 99


def test_a_star_is_undone(document):
    shown = result()
    document.add_result(shown)
    with document.begin("Star") as transaction:
        transaction.star_result(shown.id, True)
    assert shown.is_starred
    document.undo()
    assert not shown.is_starred


def test_the_same_result_is_not_added_twice(document):
    shown = result()
    document.add_result(shown)
    with pytest.raises(DocumentError, match="result: expected a new one"):
        document.add_result(shown)


# Saving ------------------------------------------------------------------------------------------------------------------


def test_undoing_back_to_what_was_saved_leaves_nothing_to_save(document, tmp_path):
    heard = []
    document.observe(heard.append)
    stroke(document)
    assert document.is_modified
    document.mark_saved(tmp_path / "holiday.ora")
    assert (document.path, document.name) == (tmp_path / "holiday.ora", "holiday")
    assert Saved(tmp_path / "holiday.ora") in heard
    assert not document.is_modified
    document.undo()
    assert document.is_modified
    document.redo()
    assert not document.is_modified
    document.undo()
    stroke(document)
    assert document.is_modified


def test_a_change_made_while_saving_is_still_to_be_saved(document, tmp_path):
    stroke(document)
    with Snapshot(document) as snapshot:
        stroke(document, value=3)
        document.mark_saved(tmp_path / "a.ora", snapshot)
    assert document.is_modified
    document.undo()
    assert not document.is_modified


def test_a_recovered_document_is_to_be_saved(document):
    document.mark_unsaved()
    assert document.is_modified


# A journal's way in ------------------------------------------------------------------------------------------------------


def test_an_entry_that_does_not_fit_leaves_the_document_as_it_was(document):
    name = document.layers[0].name
    good = LayerChanged(document.layers[0].id, "name", name, "changed")
    bad = LayerMoved("nobody", 0, 1)
    with pytest.raises(DocumentError, match="layer: expected one of this document"):
        document.apply_entry(Entry("x", (good, bad)))
    assert document.layers[0].name == name
    assert not document.can_undo


def test_an_entry_with_damaged_values_leaves_the_document_as_it_was(document):
    tile = (document.mask_layer.id, "coverage", 0, 0)
    good = Blob.of(np.full((40, 50), 9, np.uint8))
    zero, bad = Blob.of(np.zeros((40, 50), np.uint8)), Blob.of_packed(b"\xff\xff", (40, 50), np.uint8)
    with pytest.raises(
        DocumentError, match="history entry: expected values that fit, got tile: expected 2000"
    ):
        document.apply_entry(Entry("x", (TileChange(*tile, zero, good), TileChange(*tile, good, bad))))
    assert document.mask_layer.planes["coverage"].max() == 0


def test_an_undo_that_ends_half_way_is_told(document, monkeypatch):
    stroke(document)
    document.add_result(result(), amend=True)
    heard = []

    def fail(*_values):
        raise OSError(errno.EIO, "the disk is gone")

    monkeypatch.setattr(document.inner, "write_tile", fail)
    document.observe(heard.append)
    with pytest.raises(OSError, match="the disk is gone"):
        document.undo()
    assert document.redo_label == "Fill"
    assert heard[-1] == HistoryChanged()


def test_an_undo_whose_values_cannot_be_read_takes_nothing_back(monkeypatch):
    document = Document((300, 600), store=BlobStore(budget_bytes=0))
    stroke(document, box=(0, 0, 600, 300))
    assert document.store.settle()
    (entry,) = document.history.entries
    reads = []

    def fail(place):
        reads.append(place)
        if len(reads) == 3:
            raise OSError(errno.EIO, "the disk is gone")
        return original(place)

    original = document.store.read
    monkeypatch.setattr(document.store, "read", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        document.undo()
    assert document.mask_layer.planes["coverage"].min() == 255
    assert document.history.newest is entry
    assert document.undo()
    assert document.mask_layer.planes["coverage"].max() == 0
    reads.clear()
    with pytest.raises(OSError, match="the disk is gone"):
        document.redo()
    assert document.mask_layer.planes["coverage"].max() == 0
    assert document.redo()
    assert document.mask_layer.planes["coverage"].min() == 255


def test_entries_are_taken_back_one_by_one(document):
    stroke(document)
    document.add_result(result(), amend=True)
    document.undo_entry()
    assert document.current_result is None
    assert document.mask_layer.planes["coverage"].max() == 255
    document.undo_entry()
    with pytest.raises(DocumentError, match="undo: expected an entry to take back"):
        document.undo_entry()
    document.redo_entry()
    document.redo_entry()
    with pytest.raises(DocumentError, match="redo: expected an entry to do again"):
        document.redo_entry()
    assert document.current_result is not None


def test_a_closed_document_tells_nobody_and_keeps_no_history(document):
    stroke(document)
    transaction = document.begin("Brush")
    document.close()
    assert not transaction.is_open
    assert not document.can_undo
    assert document.store.memory_bytes == 0


def test_the_document_needs_no_qt_and_no_heavy_library():
    code = """
import sys
import app.document.edit_builder, app.document.snapshot, app.document.flatten
heavy = {"PySide6", "torch", "cv2", "skimage", "scipy", "models"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)
