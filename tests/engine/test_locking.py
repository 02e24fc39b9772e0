import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine import locking
from engine.locking import locked, try_lock
from engine.private import PlaceError

HOLDER = """
import sys
from pathlib import Path
from engine.locking import locked
with locked(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that is in for ``tmp_path``."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"in\n"
    yield process
    process.kill()
    process.communicate()


def test_threads_come_one_after_the_other(tmp_path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")

    def add() -> None:
        for _ in range(20):
            with locked(tmp_path):
                counter.write_text(str(int(counter.read_text()) + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.read_text() == "80"
    assert [path.name for path in tmp_path.iterdir()] == ["counter"]


def test_nobody_waits_for_ever(tmp_path, holder) -> None:
    words = r"expected a folder nobody is writing to, got one that another program has kept for 0.1 s; end that program"
    with pytest.raises(PlaceError, match=words), locked(tmp_path, patience_s=0.1):
        pass


def test_a_lock_ends_with_the_process_that_is_killed(tmp_path, holder) -> None:
    holder.kill()
    holder.wait()
    with locked(tmp_path, patience_s=5):
        pass


def test_a_fault_lets_go(tmp_path) -> None:
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
    with locked(tmp_path, patience_s=0):
        pass


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path / "nowhere"):
        pass


def test_a_disk_without_locks_is_told(tmp_path, monkeypatch) -> None:
    def refuse(_descriptor: int, *, is_shared: bool) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(locking, "_lock", refuse)
    words = r"expected a place that can be locked, got no locks available; use a disk of this machine"
    with pytest.raises(PlaceError, match=words), locked(tmp_path):
        pass


def test_many_may_share_a_file_that_nobody_has_alone(tmp_path) -> None:
    path = Path(tmp_path / "file")
    with open(path, "ab") as one, open(path, "ab") as two, open(path, "ab") as three:
        assert try_lock(one, path, is_shared=True)
        assert try_lock(two, path, is_shared=True)
        assert not try_lock(three, path)
