import errno
import os
import signal
import stat

import pytest

from app.document.spill_file import SpillFile


def test_what_was_written_is_read_from_its_place():
    file = SpillFile(1000, None)
    places = [file.write(bytes([one]) * (one + 1)) for one in range(9)]
    assert [file.read(place) for place in places] == [bytes([one]) * (one + 1) for one in range(9)]
    assert file.used_bytes == sum(range(1, 10))


def test_a_freed_place_is_used_again_and_neighbours_become_one():
    file = SpillFile(1000, None)
    first, second, third = (file.write(bytes(100)) for _ in range(3))
    file.free(second)
    file.free(first)
    assert file.write(bytes(150)) == (0, 150)
    assert file.write(bytes(50)) == (150, 50)
    assert file.read(third) == bytes(100)


def test_a_hole_at_the_end_gives_its_room_back():
    file = SpillFile(100, None)
    first, second = file.write(bytes(40)), file.write(bytes(60))
    file.free(second)
    file.free(first)
    assert file.write(bytes(100)) == (0, 100)


def test_beyond_the_limit_it_refuses_until_a_place_is_freed():
    file = SpillFile(100, None)
    place = file.write(bytes(80))
    assert file.write(bytes(30)) is None
    assert file.is_refusing
    assert file.used_bytes == 80
    file.free(place)
    assert not file.is_refusing
    assert file.write(bytes(30)) == (0, 30)


def test_a_disk_that_is_full_is_told_and_takes_no_place(tmp_path, caplog):
    class FullDisk:
        def seek(self, offset):
            raise OSError(errno.ENOSPC, "no space left")

        def truncate(self, size):
            raise OSError(errno.ENOSPC, "no space left")

        def close(self):
            pass

    file = SpillFile(1000, tmp_path)
    file._file = FullDisk()
    assert file.write(b"1") is None
    assert file.is_refusing
    assert file.used_bytes == 0
    assert "cannot be moved to disk: [Errno 28] no space left" in caplog.text


def test_what_was_written_before_can_be_read_when_the_disk_is_full(tmp_path):
    resource = pytest.importorskip("resource")
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    file = SpillFile(1 << 20, tmp_path)
    place = file.write(b"a" * 5000)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5050, limits[1]))
        assert file.write(b"b" * 100) is None
        assert file.read(place) == b"a" * 5000
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


def test_the_file_is_its_owner_s_alone_and_a_link_to_its_folder_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path))
    before = os.umask(0)
    try:
        file = SpillFile(1000, None)
        assert file.write(b"pixels") is not None
    finally:
        os.umask(before)
    folder = tmp_path / "state" / "undo"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(os.fstat(file._file.fileno()).st_mode) == 0o600
    assert list(folder.iterdir()) == []
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    assert SpillFile(1000, None).write(b"pixels") is None
