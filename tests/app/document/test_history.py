import gc
import json

import numpy as np
import pytest

from app.document import history as history_module
from app.document.blobs import BlobStore
from app.document.document import Document
from app.document.history import Entry, entry_from_record
from app.errors import DocumentError


def scribble(document, label="Brush", seed=0, box=(0, 0, 64, 64)):
    mask = document.mask_layer
    with document.begin(label) as transaction, transaction.writing(mask.id, "coverage", box) as values:
        values[...] = np.random.default_rng(seed).integers(0, 256, values.shape)


def set_opacity(document, value, merge_key="opacity"):
    with document.begin("Opacity", merge_key=merge_key) as transaction:
        transaction.set_layer(document.mask_layer.id, opacity=value)


def test_steps_of_a_slider_are_one_step():
    document = Document.blank((64, 64))
    for value in (0.9, 0.8, 0.7):
        set_opacity(document, value)
    assert [step.label for step in document.history.steps()] == ["Opacity"]
    assert document.history.position == 3
    document.undo()
    assert document.mask_layer.opacity == 1
    document.redo()
    assert document.mask_layer.opacity == 0.7


def test_steps_of_two_sliders_stay_apart():
    document = Document.blank((64, 64))
    set_opacity(document, 0.9, "first")
    set_opacity(document, 0.8, "second")
    set_opacity(document, 0.7, "")
    set_opacity(document, 0.6, "")
    assert len(document.history.steps()) == 4


def test_a_slider_moved_again_later_is_another_step(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(history_module.time, "monotonic", lambda: now[0])
    document = Document.blank((64, 64))
    set_opacity(document, 0.9)
    now[0] += 5
    set_opacity(document, 0.8)
    assert len(document.history.steps()) == 2


def test_a_slider_moved_after_an_undo_or_a_save_is_another_step(tmp_path):
    document = Document.blank((64, 64))
    set_opacity(document, 0.9)
    document.mark_saved(tmp_path / "a.ora")
    set_opacity(document, 0.8)
    assert len(document.history.steps()) == 2
    document.undo()
    assert not document.is_modified
    set_opacity(document, 0.7)
    assert len(document.history.steps()) == 2


def test_a_new_change_after_an_undo_drops_what_could_be_redone():
    document = Document.blank((64, 64))
    scribble(document, "First")
    scribble(document, "Second", seed=1)
    document.undo()
    assert (document.undo_label, document.redo_label) == ("First", "Second")
    assert [step.is_done for step in document.history.steps()] == [True, False]
    scribble(document, "Third", seed=2)
    assert not document.can_redo
    assert [step.label for step in document.history.steps()] == ["First", "Third"]


def test_undone_entries_that_are_dropped_give_their_memory_back():
    document = Document.blank((64, 64))
    document.store.settle()
    scribble(document, seed=1)
    document.undo()
    assert document.history.nbytes > 4096
    set_opacity(document, 0.5)
    gc.collect()
    assert document.store.settle()
    assert document.history.nbytes < 2 * 4096


def test_old_entries_go_to_disk_and_are_undone_from_there():
    document = Document((600, 600), store=BlobStore(budget_bytes=100_000))
    planes = []
    for seed in range(10):
        planes.append(document.mask_layer.planes["coverage"].copy())
        scribble(document, seed=seed, box=(0, 0, 600, 600))
    assert document.store.settle()
    assert document.store.memory_bytes <= 100_000
    assert document.store.disk_bytes > 2_000_000
    for expected in reversed(planes):
        assert document.undo()
        assert np.array_equal(document.mask_layer.planes["coverage"], expected)
    assert not document.can_undo
    document.close()


def test_with_a_full_disk_the_oldest_entries_are_given_up():
    store = BlobStore(budget_bytes=200_000, disk_bytes=500_000)
    document = Document((600, 600), store=store)
    for seed in range(12):
        scribble(document, f"Stroke {seed}", seed=seed, box=(0, 0, 256, 256))
        assert store.settle()
    steps = document.history.steps()
    assert 1 <= len(steps) < 12
    assert steps[-1].label == "Stroke 11"
    while document.undo():
        pass
    assert document.is_modified  # the state before the entries that were given up is out of reach
    assert store.memory_bytes + store.disk_bytes < 900_000


def test_an_entry_comes_back_from_its_record():
    document, twin = Document.blank((64, 64)), Document.blank((64, 64))
    twin.mask_layer.id = document.mask_layer.id
    scribble(document)
    (entry,) = document.history.entries
    record, packed = entry.to_record()
    again = entry_from_record(json.loads(json.dumps(record)), packed)
    assert (again.id, again.label, again.created) == (entry.id, "Brush", entry.created)
    twin.apply_entry(again)
    assert np.array_equal(twin.mask_layer.planes["coverage"], document.mask_layer.planes["coverage"])
    twin.undo()
    assert twin.mask_layer.planes["coverage"].max() == 0


def test_bytes_of_an_entry_shrink_once_it_is_packed():
    document = Document((256, 256))
    mask = document.mask_layer
    with (
        document.begin("Fill") as transaction,
        transaction.writing(mask.id, "coverage", (0, 0, 256, 256)) as values,
    ):
        values[...] = 255
    (entry,) = document.history.entries
    assert entry.nbytes == 2 * 65536
    assert document.store.settle()
    assert entry.nbytes < 2000
    assert document.history.steps()[0].nbytes == entry.nbytes


@pytest.mark.parametrize(
    "record", [{}, {"ops": 5}, {"ops": [{"kind": "tile", "parts": "x"}]}, {"ops": [None]}]
)
def test_a_damaged_record_is_refused(record):
    with pytest.raises(DocumentError, match="history entry: expected a whole entry"):
        entry_from_record(record, [])


def test_an_empty_history_has_no_labels():
    document = Document.blank((9, 9))
    assert (document.undo_label, document.redo_label) == ("", "")
    assert not document.undo()
    assert not document.redo()
    assert Entry("x", ()).nbytes == 0
