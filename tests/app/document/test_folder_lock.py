import subprocess
import sys

import pytest

from app.document.folder_lock import FolderLock
from app.document.journal_records import KINDS, NAMED_KINDS
from engine.private import PlaceError

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


def test_removing_takes_the_files_of_a_journal_and_the_folder(tmp_path, take):
    lock = take(tmp_path / "a")
    (tmp_path / "a" / "base-0.ora").write_bytes(b"damaged")
    (tmp_path / "a" / "log-0").write_bytes(b"damaged")
    lock.remove(NAMED_KINDS)
    assert list(tmp_path.iterdir()) == []


def test_what_the_program_did_not_write_stays(tmp_path, take):
    lock = take(tmp_path / "a")
    for name in ("base-0.ora", "letter.txt", "log-7"):
        (tmp_path / "a" / name).write_bytes(b"dear")
    lock.remove(KINDS)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["base-0.ora", "letter.txt", "log-7"]


def test_a_link_as_lock_or_folder_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "lock").symlink_to(tmp_path / "planted")
    (tmp_path / "b").symlink_to(tmp_path)
    with pytest.raises(PlaceError, match=r"a/lock: expected a file, got a link; move it away"):
        FolderLock.take(tmp_path / "a")
    with pytest.raises(PlaceError, match=r"b: expected a folder, got a link; move it away"):
        FolderLock.take(tmp_path / "b")
    assert not (tmp_path / "planted").exists()


def test_a_folder_removed_while_another_waits_is_made_anew(tmp_path, take, monkeypatch):
    """The other one opened the lock file just before it was removed: holding that one would hold nothing."""
    from app.document import folder_lock

    first = take(tmp_path / "a")
    real = folder_lock.try_lock

    def removed_meanwhile(file, place):
        monkeypatch.setattr(folder_lock, "try_lock", real)
        first.remove(KINDS)
        return real(file, place)

    monkeypatch.setattr(folder_lock, "try_lock", removed_meanwhile)
    second = take(tmp_path / "a")
    assert second is not None
    assert take(tmp_path / "a") is None
