import errno
import gc
import multiprocessing
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.shared import ALIGNED_BYTES, Layout, Segment

KINDS = ["named"] + (["memfd"] if hasattr(os, "memfd_create") else [])
SHM = Path("/dev/shm")


def names():
    return {path.name for path in SHM.iterdir()} if SHM.is_dir() else set()


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def pipe():
    ours, theirs = multiprocessing.Pipe(duplex=True)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_a_layout_tells_sizes():
    layout = Layout.of(np.zeros((3, 5), np.uint16), 64)
    assert (layout.nbytes, layout.next_offset) == (30, 128)
    assert Layout.of(np.zeros((0, 5), np.uint8)).next_offset == 0
    assert Layout((1,), "|u1").next_offset == ALIGNED_BYTES


def test_what_one_side_writes_the_other_reads(kind, pipe):
    ours, theirs = pipe
    array = np.arange(600, dtype=np.uint16).reshape(20, 30)
    layout = Layout.of(array, 128)
    made = Segment.create(layout.next_offset, kind)
    assert not made.view(Layout((128,), "|u1")).any()
    np.copyto(made.view(layout), array)
    ours.send(made.address)
    made.send(ours)
    taken = Segment.receive(theirs, theirs.recv())
    assert np.array_equal(taken.view(layout), array)
    taken.view(layout)[3, 4] = 9
    assert made.view(layout)[3, 4] == 9
    taken.close()
    made.close()


def test_a_private_copy_is_written_by_one_side_alone(kind, pipe):
    ours, theirs = pipe
    array = np.arange(20_000, dtype=np.uint16).reshape(100, 200)
    layout = Layout.of(array, 64)
    made = Segment.create(layout.next_offset, kind)
    np.copyto(made.view(layout), array)
    ours.send(made.address)
    made.send(ours)
    taken = Segment.receive(theirs, theirs.recv())
    copy = taken.private_copy(layout)
    taken.close()
    made.close()
    assert np.array_equal(copy, array)
    copy[3, 4] = 9
    again = Segment.create(layout.next_offset, kind)
    np.copyto(again.view(layout), array)
    other = again.private_copy(layout)
    other[3, 4] = 9
    assert again.view(layout)[3, 4] == array[3, 4]
    again.close()
    assert np.array_equal(other, copy)


def test_a_message_after_a_segment_arrives_whole(kind, pipe):
    ours, theirs = pipe
    segments = [Segment.create(10, kind) for _ in range(3)]
    for segment in segments:
        ours.send(segment.address)
        segment.send(ours)
        ours.send("next")
    for segment in segments:
        taken = Segment.receive(theirs, theirs.recv())
        assert theirs.recv() == "next"
        taken.close()
        segment.close()


def test_nothing_is_left_behind(kind):
    before = names()
    segment = Segment.create(5000, kind)
    segment.close()
    segment.close()
    assert names() == before
    with pytest.raises(ValueError, match="closed"):
        segment.view(Layout((1,), "|u1"))


def test_memfd_has_no_name_at_all():
    if "memfd" not in KINDS:
        pytest.skip("no memfd here")
    before = names()
    segment = Segment.create(5000, "memfd")
    assert names() == before
    segment.close()


def test_memory_stays_while_an_array_looks_at_it():
    if "memfd" not in KINDS:
        pytest.skip("no memfd here")
    segment = Segment.create(100, "memfd")
    array = segment.view(Layout((100,), "|u1"))
    array[:] = 7
    segment.close()
    gc.collect()
    assert array.sum() == 700


def test_file_descriptors_are_given_back(kind, pipe):
    ours, theirs = pipe
    count = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    for _ in range(20):
        made = Segment.create(10, kind)
        ours.send(made.address)
        made.send(ours)
        Segment.receive(theirs, theirs.recv()).close()
        made.close()
    if count:
        assert len(os.listdir("/proc/self/fd")) <= count + 2  # the resource tracker's pipe may be new


def test_more_than_there_is_is_told_when_it_is_asked_for(kind, monkeypatch):
    import errno

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    before = names()
    with pytest.raises(MemoryError, match="4096 bytes to share with the engine"):
        Segment.create(4096, kind)
    assert names() == before


def test_it_needs_no_torch():
    code = "import sys, engine.shared; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif("memfd" not in KINDS, reason="no memfd here")
def test_no_room_for_a_private_copy_is_told_as_such(monkeypatch):
    """The engine answers that with a smaller working size; any other error costs the process."""
    segment = Segment.create(4096, "memfd")

    def full(*_, **__):
        raise OSError(errno.ENOMEM, "cannot allocate memory")

    monkeypatch.setattr("engine.shared.mmap.mmap", full)
    with pytest.raises(MemoryError, match="4096 bytes"):
        segment.private_copy(Layout((4096,), "|u1"))
    segment.close()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="this system keeps named memory elsewhere")
def test_named_memory_is_its_owner_s_alone():
    before = os.umask(0)
    try:
        segment = Segment.create(100, "named")
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("/dev/shm", segment.address.name).stat().st_mode) == 0o600
    segment.close()
