import errno
import os
import resource
import signal
import stat
import struct
import subprocess
import sys

import pytest

from engine.atomic import path_error, write_atomically
from engine.errors import EngineError, PictureError


def test_the_file_is_there_whole_and_nothing_beside_it(tmp_path):
    write_atomically(tmp_path / "a.txt", lambda file: file.write(b"whole"))
    assert (tmp_path / "a.txt").read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("failure", [ValueError("no"), KeyboardInterrupt(), OSError(errno.ENOSPC, "full")])
def test_a_failure_keeps_the_old_file_and_leaves_nothing_beside_it(tmp_path, failure):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def write(file):
        file.write(b"new")
        raise failure

    with pytest.raises((ValueError, KeyboardInterrupt, EngineError)):
        write_atomically(path, write)
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["a.txt"]


def test_a_process_killed_while_it_writes_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    code = (
        "import os, signal, sys\n"
        "from engine.atomic import write_atomically\n"
        "def write(file):\n"
        "    file.write(b'new' * 100_000)\n"
        "    file.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomically(sys.argv[1], write)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"


def test_a_full_disk_is_told_in_the_caller_s_class(tmp_path):
    def write(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(
        PictureError, match=r"a.txt: expected free space on the disk, got no space left; free some"
    ):
        write_atomically(tmp_path / "a.txt", write, error_type=PictureError)


def test_a_size_limit_met_by_the_system_is_told(tmp_path):
    """The real refusal, in a process of its own because the limit cannot be lifted again."""
    script = (
        "import resource, sys\n"
        "from engine.atomic import write_atomically\n"
        "from engine.errors import EngineError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    write_atomically(sys.argv[1], lambda file: file.write(bytes(100_000)))\n"
        "except EngineError as error:\n"
        "    sys.exit(str(error))\n"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)
    command = [sys.executable, "-c", script, str(tmp_path / "a.bin")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert "expected a file size the disk allows, got a larger file; write to another disk" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(
        EngineError, match=r"expected a folder that exists, got no such folder; create the folder"
    ):
        write_atomically(tmp_path / "nowhere" / "a.txt", lambda file: None)


def test_a_folder_instead_of_a_file_is_told(tmp_path):
    with pytest.raises(EngineError, match=r"expected a file name, got a folder; add a file name to the path"):
        write_atomically(tmp_path, lambda file: None)


def test_a_file_in_the_middle_of_the_path_is_told(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(EngineError, match=r"got a file in the middle of the path; correct the path"):
        write_atomically(tmp_path / "a" / "b.txt", lambda file: None)


def test_a_device_or_pipe_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(EngineError, match=r"expected a file name, got a device or pipe; write to a file"):
        write_atomically(tmp_path / "pipe", lambda file: None)
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM])
def test_a_place_without_permission_is_told(tmp_path, monkeypatch, code):
    """The refusal is made up, because the superuser may write everywhere."""

    def refuse(source, target):
        raise OSError(code, "no")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(EngineError, match=r"can be written, got no permission; choose another folder"):
        write_atomically(tmp_path / "a.txt", lambda file: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EROFS, "a place that can be written, got a read-only disk; choose another folder"),
        (errno.EDQUOT, "free space on the disk, got a used-up quota; free some space"),
        (errno.ENAMETOOLONG, "a shorter file name, got a name longer than the disk allows; shorten"),
        (errno.EIO, "a place that can be written, got input/output error; check the path and the disk"),
    ],
)
def test_other_refusals_have_words(code, words):
    assert words in str(path_error("a.txt", OSError(code, os.strerror(code))))


def test_a_name_longer_than_the_disk_allows_is_told(tmp_path):
    with pytest.raises(EngineError, match=r"got a name longer than the disk allows; shorten the name"):
        write_atomically(tmp_path / ("a" * 300), lambda file: None)
    assert list(tmp_path.iterdir()) == []


def test_permissions_follow_the_mask_of_the_user_or_the_old_file(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    before = os.umask(0o027)
    try:
        write_atomically(new, lambda file: None)
        old.touch()
        old.chmod(0o600)
        write_atomically(old, lambda file: None)
    finally:
        os.umask(before)
    assert stat.S_IMODE(new.stat().st_mode) == 0o640
    assert stat.S_IMODE(old.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o604])
def test_the_temporary_file_is_open_to_no_more_than_the_old_one_from_its_first_moment(
    tmp_path, monkeypatch, mode
):
    old, seen = tmp_path / "old", []
    old.touch()
    old.chmod(mode)
    real_open = os.open

    def watched(path, flags, *rest, **named):
        descriptor = real_open(path, flags, *rest, **named)
        if os.fspath(path).endswith(".part"):
            seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    before = os.umask(0)
    try:
        write_atomically(old, lambda file: seen.append(stat.S_IMODE(os.fstat(file.fileno()).st_mode)))
    finally:
        os.umask(before)
    assert seen == [0o600, mode]
    assert stat.S_IMODE(old.stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may give files away")
def test_owner_and_group_of_a_replaced_file_are_kept(tmp_path):
    old = tmp_path / "old"
    old.touch()
    os.chown(old, 4711, 4712)
    write_atomically(old, lambda file: None)
    assert (old.stat().st_uid, old.stat().st_gid) == (4711, 4712)


def test_another_group_gets_the_rights_of_others_where_the_old_one_cannot_be_kept(tmp_path, monkeypatch):
    old = tmp_path / "old"
    old.touch()
    old.chmod(0o664)
    status = os.stat_result((*old.stat()[:5], old.stat().st_gid + 1, *old.stat()[6:]))

    def refuse(descriptor, uid, gid):
        raise PermissionError(errno.EPERM, "no")

    monkeypatch.setattr(os, "fchown", refuse)
    monkeypatch.setattr("engine.atomic._status_of", lambda *_, **__: status)
    write_atomically(old, lambda file: None)
    assert stat.S_IMODE(old.stat().st_mode) == 0o644


def test_attributes_of_a_replaced_file_are_kept(tmp_path):
    old = tmp_path / "old"
    old.touch()
    try:
        os.setxattr(old, "user.tag", b"holiday")
    except (AttributeError, OSError):
        pytest.skip("this disk knows no attributes")
    write_atomically(old, lambda file: None)
    assert os.getxattr(old, "user.tag") == b"holiday"


def test_an_access_list_of_a_replaced_file_is_kept(tmp_path):
    old = tmp_path / "old"
    old.touch()
    # Version 2; owner rw-, user 4711 r--, group ---, mask r--, others ---: tag, rights and id of each.
    entries = [(1, 6, 2**32 - 1), (2, 4, 4711), (4, 0, 2**32 - 1), (16, 4, 2**32 - 1), (32, 0, 2**32 - 1)]
    access = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(old, "system.posix_acl_access", access)
    except (AttributeError, OSError):
        pytest.skip("this disk knows no access lists")
    write_atomically(old, lambda file: None)
    assert os.getxattr(old, "system.posix_acl_access") == access


def test_without_its_access_list_a_file_is_closed_to_the_group(tmp_path, monkeypatch):
    old = tmp_path / "old"
    old.touch()
    old.chmod(0o660)

    def refuse(*_):
        raise OSError(errno.ENOTSUP, "no")

    monkeypatch.setattr(os, "listxattr", lambda _: ["system.posix_acl_access"])
    monkeypatch.setattr(os, "getxattr", lambda *_: b"a list")
    monkeypatch.setattr(os, "setxattr", refuse)
    write_atomically(old, lambda file: None)
    assert stat.S_IMODE(old.stat().st_mode) == 0o600


def test_a_file_of_the_program_s_own_replaces_a_link_and_not_what_it_points_to(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", lambda file: file.write(b"new"), is_private=True)
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_bytes() == b"new"
    assert (tmp_path / "real").read_bytes() == b"old"


def test_an_error_in_words_keeps_them_in_the_caller_s_class():
    told = path_error("a", PictureError("b", "a file", "a link", "move it"), EngineError)  # type: ignore[arg-type]
    assert str(told) == "b: expected a file, got a link; move it"


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_atomically(tmp_path / "link", lambda file: file.write(b"new"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"
