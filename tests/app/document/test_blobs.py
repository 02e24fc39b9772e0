import gc
import os
import sys
import threading
import time

import numpy as np
import pytest

from app.document import blobs as blobs_module
from app.document.blobs import Blob, BlobStore, default_budget_bytes


def noise(seed: int, size: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (size, size), dtype=np.uint8)


def test_the_budget_is_an_eighth_of_the_memory_and_at_most_one_gibibyte():
    assert 0 < default_budget_bytes() <= 1 << 30


def test_a_machine_that_does_not_tell_its_memory_gets_the_largest_budget(monkeypatch):
    def refuse(name):
        raise ValueError(name)

    monkeypatch.setattr(os, "sysconf", refuse)
    assert default_budget_bytes() == 1 << 30


def test_held_values_survive_later_writing():
    store, array = BlobStore(), noise(0)
    kept = array.copy()
    blob = store.hold(array)
    array[:] = 0
    assert np.array_equal(blob.load(), kept)


def test_packing_on_the_thread_frees_memory_and_keeps_values():
    store = BlobStore()
    flat = [np.full((256, 256), value, np.uint8) for value in range(10)]
    held = [store.hold(array) for array in flat]
    assert store.memory_bytes == 10 * 65536
    store.pack_soon(held)
    assert store.settle()
    assert store.memory_bytes < 10 * 400
    assert all(np.array_equal(blob.load(), array) for blob, array in zip(held, flat, strict=True))


def test_the_oldest_go_to_disk_when_the_budget_is_exceeded():
    store = BlobStore(budget_bytes=30_000)
    arrays = [noise(seed) for seed in range(20)]
    held = [store.hold(array) for array in arrays]
    store.pack_soon(held)
    assert store.settle()
    assert store.memory_bytes <= 30_000
    assert held[0].is_on_disk
    assert not held[-1].is_on_disk
    assert store.disk_bytes == sum(blob.nbytes for blob in held if blob.is_on_disk)
    assert all(np.array_equal(blob.load(), array) for blob, array in zip(held, arrays, strict=True))


def test_freed_blobs_give_memory_and_disk_back():
    store = BlobStore(budget_bytes=30_000)
    held = [store.hold(noise(seed)) for seed in range(20)]
    store.pack_soon(held)
    assert store.settle()
    held.clear()
    gc.collect()
    assert store.memory_bytes == 0
    assert store.disk_bytes == 0


def test_places_in_the_file_are_used_again():
    store = BlobStore(budget_bytes=0)
    rng = np.random.default_rng(1)
    held: list[Blob | None] = []
    arrays = []
    for turn in range(60):
        array = noise(turn, int(rng.integers(8, 80)))
        blob = store.hold(array)
        store.pack_soon([blob])
        held.append(blob)
        arrays.append(array)
        if turn % 3 == 2:
            held[int(rng.integers(0, len(held)))] = None
    assert store.settle()
    del blob
    kept = [(one, array) for one, array in zip(held, arrays, strict=True) if one is not None]
    assert all(np.array_equal(one.load(), array) for one, array in kept)
    assert store.disk_bytes == sum(one.nbytes for one, _ in kept)
    assert store._file._end <= sum(array.nbytes + 100 for array in arrays)


def test_a_full_disk_is_said_and_nothing_is_lost():
    store = BlobStore(budget_bytes=5_000, disk_bytes=10_000)
    arrays = [noise(seed) for seed in range(10)]
    held = [store.hold(array) for array in arrays]
    store.pack_soon(held)
    assert store.settle()
    assert store.is_full
    assert all(np.array_equal(blob.load(), array) for blob, array in zip(held, arrays, strict=True))
    del held[:8]
    gc.collect()
    store.pack_soon([])
    assert store.settle()
    assert not store.is_full


def test_a_folder_that_cannot_be_written_keeps_values_in_memory(tmp_path, caplog):
    store = BlobStore(budget_bytes=0, folder=tmp_path / "missing")
    blob = store.hold(noise(0))
    store.pack_soon([blob])
    assert store.settle()
    assert store.is_full
    assert np.array_equal(blob.load(), noise(0))
    assert "cannot be moved to disk" in caplog.text


def test_the_file_lies_among_the_programs_own_and_has_no_name(monkeypatch, tmp_path):
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path))
    store = BlobStore(budget_bytes=0)
    blob = store.hold(noise(0))
    store.pack_soon([blob])
    assert store.settle()
    assert blob.is_on_disk
    assert (tmp_path / "state" / "undo").is_dir()
    if sys.platform != "win32":
        assert list((tmp_path / "state" / "undo").iterdir()) == []


def test_without_memory_to_pack_in_values_stay_raw(monkeypatch, caplog):
    def fail(array):
        raise MemoryError

    store, blob = BlobStore(), Blob.of(noise(1))
    with monkeypatch.context() as context:
        context.setattr(blobs_module, "pack", fail)
        store.adopt(blob)
        store._hurry.set()
        deadline = time.monotonic() + 5
        while "no memory" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.01)
    assert "no memory to pack" in caplog.text
    assert np.array_equal(blob.load(), noise(1))
    later = store.hold(np.zeros((64, 64), np.uint8))
    store.pack_soon([later])
    assert store.settle()
    assert later.is_packed
    assert blob.is_packed


def test_without_memory_to_spill_in_values_go_to_disk_later(monkeypatch, caplog):
    def fail(data):
        raise MemoryError

    store = BlobStore(budget_bytes=0)
    with monkeypatch.context() as context:
        context.setattr(store._file, "write", fail)
        blob = store.hold(noise(1))
        store.pack_soon([blob])
        deadline = time.monotonic() + 5
        while "no memory" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.01)
    assert store.settle()
    assert blob.is_on_disk


def test_a_blob_that_is_handed_over_twice_does_not_end_the_patience_during_strokes(monkeypatch):
    """Quick strokes hand over what the one left as what the next found, before either is packed."""
    store = BlobStore()
    twice = store.hold(np.zeros((256, 256), np.uint8))
    store.pack_soon([twice, twice])
    assert store.settle()
    monkeypatch.setattr(blobs_module, "PATIENCE_BYTES", 20_000)
    store.is_stroke_under_way = True
    later = store.hold(noise(2))
    store.pack_soon([later])
    time.sleep(3 * blobs_module.PACK_DELAY_S)
    assert not later.is_packed


def test_a_blob_of_a_file_is_adopted_and_counted():
    store = BlobStore()
    blob = Blob.of_packed(Blob.of(noise(4)).packed(), (64, 64), np.uint8)
    store.adopt(blob)
    assert store.settle()
    assert store.memory_bytes == blob.nbytes > 0
    store.adopt(blob)
    assert store.memory_bytes == blob.nbytes


def test_damaged_bytes_show_when_they_are_loaded():
    with pytest.raises(ValueError, match="expected 4096 bytes in LZ4, got 2, too few to hold them"):
        Blob.of_packed(b"\x00\x01", (64, 64), np.uint8).load()
    with pytest.raises(ValueError, match="damaged"):
        Blob.of_packed(bytes(4096), (64, 64), np.uint8).load()


def test_closing_leaves_values_readable():
    store = BlobStore(budget_bytes=0)
    blob = store.hold(noise(2))
    store.pack_soon([blob])
    assert store.settle()
    store.close()
    store.pack_soon([store.hold(noise(3))])
    assert np.array_equal(blob.load(), noise(2))


def test_any_thread_may_read_while_blobs_are_packed_and_spilled():
    store = BlobStore(budget_bytes=20_000)
    arrays = [noise(seed) for seed in range(100)]
    held = [store.hold(array) for array in arrays]
    wrong: list[int] = []

    def read():
        for _ in range(5):
            wrong.extend(at for at, blob in enumerate(held) if not np.array_equal(blob.load(), arrays[at]))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for blob in held:
        store.pack_soon([blob])
    for reader in readers:
        reader.join()
    assert store.settle()
    assert wrong == []
    assert store.memory_bytes <= 20_000
