import os
import signal
import subprocess
import sys

import pytest

from engine import locking
from engine.errors import TrainingError
from engine.private import PlaceError
from engine.training.run_folder import alone_in

REFUSED = (
    r"run: expected a folder that no other training writes to, got one in use; wait for its end, or choo"
)
HOLDER = """
import os, sys, time
from pathlib import Path
from engine.training.run_folder import alone_in
with alone_in(Path(sys.argv[1]), print):
    child = os.fork()
    if child:
        print(child, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def silent(event):
    raise AssertionError(event)


def test_a_second_training_in_a_folder_is_refused_by_its_name(run):
    with (
        alone_in(run, silent),
        pytest.raises(TrainingError, match=REFUSED),
        alone_in(run, silent),
    ):
        pass
    with alone_in(run, silent):
        assert os.listdir(run) == []


def test_a_killed_one_is_not_in_the_way_even_where_its_workers_live_on(run):
    command = [sys.executable, "-c", HOLDER, str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        worker = int(process.stdout.readline())
        with pytest.raises(TrainingError, match=REFUSED), alone_in(run, silent):
            pass
        process.kill()
    try:
        with alone_in(run, silent):
            os.kill(worker, 0)  # still there
    finally:
        os.kill(worker, signal.SIGKILL)


def test_a_disk_without_locks_is_told_and_used(run, monkeypatch):
    def no_locks(*_):
        raise PlaceError(run, "a place that can be locked", "not supported", "use a disk of this machine")

    monkeypatch.setattr(locking, "try_lock", no_locks)
    told = []
    with alone_in(run, told.append):
        assert told[0].text.endswith(
            "run is on a disk without locks: see that no other training writes there"
        )


def test_parts_of_a_killed_run_are_cleared_and_nothing_else(run):
    part = ".pentimento-0123456789ab.part"
    ours = {
        "checkpoints": b"PK\3\4rest",
        "previews": b"\x89PNG\r\n\x1a\n",
        "": b"\1\0\0\0\0\0\0\0{}",
    }
    for below, content in ours.items():
        (run / below).mkdir(exist_ok=True)
        (run / below / part).write_bytes(content)
        (run / below / part.replace("0", "f")).write_bytes(b"")  # torn before its first byte
    others = {
        ".pentimento-xyz.part": b"PK\3\4",
        ".pentimento-0123456789ac.part": b"mine",
        "a.part": b"PK\3\4",
    }
    for name, content in others.items():
        (run / "checkpoints" / name).write_bytes(content)
    with alone_in(run, silent):
        assert sorted(os.listdir(run)) == ["checkpoints", "previews"]
    assert os.listdir(run / "previews") == []
    assert sorted(os.listdir(run / "checkpoints")) == sorted(others)
