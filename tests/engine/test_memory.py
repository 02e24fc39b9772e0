from pathlib import Path

import numpy as np
import pytest
import torch

from engine import memory
from engine.memory import Codes, ResidentKey, Shelf, digest_of, free_bytes, trim_heap


def block(count):
    return np.zeros(count, np.uint8)


def test_least_recently_used_goes_first():
    shelf = Shelf(100)
    for name in "ab":
        shelf.get(name, lambda: block(40))
    shelf.get("a", lambda: block(40))
    shelf.get("c", lambda: block(40))
    assert ("a" in shelf, "b" in shelf, "c" in shelf) == (True, False, True)
    assert shelf.nbytes == 80


def test_what_is_there_is_not_made_again():
    shelf = Shelf(100)
    first = shelf.get("a", lambda: block(40))
    assert shelf.get("a", lambda: pytest.fail("made twice")) is first


def test_the_newest_stays_even_above_the_limit():
    shelf = Shelf(10)
    shelf.get("a", lambda: block(5))
    shelf.get("b", lambda: block(50))
    assert "b" in shelf
    assert len(shelf) == 1


def test_a_failed_make_leaves_the_shelf_as_it_was():
    def fail():
        raise OSError("damaged")

    shelf = Shelf(10)
    shelf.get("a", lambda: block(10))
    with pytest.raises(OSError, match="damaged"):
        shelf.get("b", fail)
    assert "a" in shelf
    assert "b" not in shelf


def test_one_can_be_kept_alone_and_all_can_go():
    shelf = Shelf(100)
    for name in "abc":
        shelf.get(name, lambda: block(10))
    shelf.keep_only("b")
    assert len(shelf) == 1
    assert "b" in shelf
    shelf.clear()
    assert shelf.nbytes == 0


def test_codes_are_read_only():
    codes = Codes(100)
    with pytest.raises(ValueError, match="read-only"):
        codes.get("a", lambda: block(3))[0] = 1


def test_digests_tell_content_shape_and_type_apart():
    plain = np.arange(6, dtype=np.uint8)
    others = [
        digest_of("a", plain),
        digest_of("b", plain),
        digest_of("a", plain.reshape(2, 3)),
        digest_of("a", plain.astype(np.int8)),
        digest_of("a", plain + 1),
        digest_of(plain, "a"),
    ]
    assert len(set(others)) == len(others)
    assert digest_of("a", plain.reshape(2, 3).T.copy().T) == digest_of("a", plain.reshape(2, 3))


def test_resident_keys_differ_by_each_part():
    keys = {ResidentKey("f", "s", "cpu", q) for q in ("exact", "fast")} | {
        ResidentKey("f", "s", "cuda:0", "fast")
    }
    assert len(keys) == 3


def test_free_memory_is_read_when_asked():
    assert free_bytes(torch.device("cpu")) > 0


def test_a_system_that_tells_nothing_is_taken_as_modest(tmp_path):
    assert memory._free_ram_bytes(tmp_path / "none") == memory.UNKNOWN_FREE_BYTES
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\n")
    assert memory._free_ram_bytes(tmp_path / "meminfo") == memory.UNKNOWN_FREE_BYTES
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   5 kB\n")
    assert memory._free_ram_bytes(tmp_path / "meminfo") == 5 * 1024


def test_the_bound_of_a_container_counts(tmp_path):
    assert memory._free_group_bytes(tmp_path) == 1 << 62
    (tmp_path / "memory.current").write_text("400\n")
    (tmp_path / "memory.stat").write_text("anon 9\ninactive_file 100\n")
    (tmp_path / "memory.max").write_text("1000\n")
    assert memory._free_group_bytes(tmp_path) == 700
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._free_group_bytes(tmp_path) == 1 << 62


def resident_bytes():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


@pytest.mark.skipif(memory._malloc_trim() is None, reason="needs glibc")
def test_memory_between_blocks_in_use_goes_back_to_the_system():
    pairs = [(np.ones(100_000, np.uint8), np.ones(2_000, np.uint8)) for _ in range(1000)]
    pins = [small for _, small in pairs]
    full = resident_bytes()
    del pairs
    trim_heap()
    assert full - resident_bytes() > 80_000_000
    assert all(pin.all() for pin in pins)


def test_a_c_library_without_trimming_is_left_alone(monkeypatch):
    monkeypatch.setattr(memory, "_malloc_trim", lambda: None)
    trim_heap()
