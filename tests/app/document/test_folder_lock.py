import subprocess
import sys

import pytest

from app.document.folder_lock import FolderLock

HOLD = """
import sys, time
from pathlib import Path
from app.document.folder_lock import FolderLock
lock = FolderLock.take(Path(sys.argv[1]))
print("held" if lock else "refused", flush=True)
time.sleep(60)
"""


@pytest.fixture
def take():
    """Takes locks that are let go at the end."""
    held = []

    def taken(folder):
        lock = FolderLock.take(folder)
        held.append(lock)
        return lock

    yield taken
    for lock in held:
        if lock is not None:
            lock.release()


def test_a_folder_is_held_once_even_within_one_process(tmp_path, take):
    first = take(tmp_path / "a")
    assert first is not None
    assert take(tmp_path / "a") is None
    assert take(tmp_path / "b") is not None
    first.release()
    assert take(tmp_path / "a") is not None


def test_a_killed_process_leaves_nothing_locked(tmp_path, take):
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "a")], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"held\n"
        assert take(tmp_path / "a") is None
        child.kill()
        child.wait()
    assert take(tmp_path / "a") is not None


def test_removing_takes_the_files_and_the_folder(tmp_path, take):
    lock = take(tmp_path / "a")
    (tmp_path / "a" / "base-0.ora").write_bytes(b"1")
    lock.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_removed_while_another_waits_is_made_anew(tmp_path, take, monkeypatch):
    """The other one opened the lock file just before it was removed: holding that one would hold nothing."""
    from app.document import folder_lock

    first = take(tmp_path / "a")
    real = folder_lock._lock

    def removed_meanwhile(file):
        monkeypatch.setattr(folder_lock, "_lock", real)
        first.remove()
        return real(file)

    monkeypatch.setattr(folder_lock, "_lock", removed_meanwhile)
    second = take(tmp_path / "a")
    assert second is not None
    assert take(tmp_path / "a") is None
