import os
import pickle
import re
import stat
from pathlib import Path

import pytest

from engine.atomic import write_atomically
from engine.private import (
    Kind,
    PlaceError,
    files_of,
    is_folder,
    open_private,
    part_kind,
    private_folder,
    read_private,
    remove_files,
    remove_folder,
    remove_stale,
)

LOGS = Kind(re.compile(r"log-\d"), (b"a log\n",))
LOCK = Kind.of("lock")


def rights(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o077, 0o777], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_new_folders_and_files_are_their_owner_s_whatever_the_umask(tmp_path, umask) -> None:
    folder = private_folder(tmp_path / "above" / "root", "inside", "deep")
    for path in (folder, folder.parent, tmp_path / "above" / "root", tmp_path / "above"):
        assert rights(path) == 0o700
    for name, mode in (("made", "xb"), ("added", "ab")):
        with open_private(folder / name, mode) as file:
            assert rights(folder / name) == 0o600
            file.write(b"x")
    write_atomically(folder / "whole", lambda file: file.write(b"x"), is_private=True)
    assert rights(folder / "whole") == 0o600


def test_wider_rights_are_narrowed_and_those_above_the_root_are_not(tmp_path) -> None:
    above = tmp_path / "above"
    (above / "root" / "inside").mkdir(parents=True)
    for path in (above, above / "root", above / "root" / "inside"):
        path.chmod(0o755)
    (above / "root" / "file").write_text("old")
    (above / "root" / "file").chmod(0o644)
    private_folder(above / "root", "inside")
    assert read_private(above / "root" / "file", 10) == b"old"
    assert [rights(path) for path in (above, above / "root", above / "root" / "inside")] == [
        0o755,
        0o700,
        0o700,
    ]
    assert rights(above / "root" / "file") == 0o600


def test_rights_that_are_narrower_stay(tmp_path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(0o400)
    assert read_private(tmp_path / "file", 10) == b"old"
    assert rights(tmp_path / "file") == 0o400


def test_a_disk_that_knows_no_rights_is_used_all_the_same(tmp_path, monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    (tmp_path / "root").mkdir(mode=0o755)
    monkeypatch.setattr(os, "fchmod", refuse)
    monkeypatch.setattr(os, "chmod", refuse)
    folder = private_folder(tmp_path / "root", "inside")
    with open_private(folder / "file", "xb") as file:
        file.write(b"kept")
    write_atomically(folder / "whole", lambda file: file.write(b"kept"), is_private=True)
    assert read_private(folder / "file", 10) == read_private(folder / "whole", 10) == b"kept"


def test_a_link_in_the_place_of_a_folder_is_refused(tmp_path) -> None:
    (tmp_path / "foreign").mkdir(mode=0o755)
    private_folder(tmp_path / "root")
    (tmp_path / "root" / "inside").symlink_to(tmp_path / "foreign")
    with pytest.raises(PlaceError, match=r"root/inside: expected a folder, got a link; move it away"):
        private_folder(tmp_path / "root", "inside", "deep")
    assert list((tmp_path / "foreign").iterdir()) == []
    assert rights(tmp_path / "foreign") == 0o755


def test_the_root_may_be_a_link_of_the_user_s(tmp_path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    (tmp_path / "root").symlink_to(tmp_path / "elsewhere")
    assert is_folder(private_folder(tmp_path / "root", "inside"))
    assert rights(tmp_path / "elsewhere") == rights(tmp_path / "elsewhere" / "inside") == 0o700


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path) -> None:
    (tmp_path / "root").write_text("")
    with pytest.raises(PlaceError, match=r"root: expected a folder, got a file; move it away"):
        private_folder(tmp_path / "root")


def test_another_user_s_folder_is_refused(tmp_path, monkeypatch) -> None:
    private_folder(tmp_path / "root")
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(
        PlaceError, match=r"root: expected a folder of your own, got one of another user; move"
    ):
        private_folder(tmp_path / "root")


@pytest.mark.parametrize("mode", ["rb", "r+b", "ab", "xb"])
def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path, mode) -> None:
    for target in ("there", "nowhere"):
        link = tmp_path / f"link to {target}"
        link.symlink_to(tmp_path / target)
    (tmp_path / "there").write_text("old")
    (tmp_path / "there").chmod(0o644)
    for target in ("there", "nowhere"):
        with pytest.raises(PlaceError, match=r"expected a file, got a link; move it away"):
            open_private(tmp_path / f"link to {target}", mode)
    assert (tmp_path / "there").read_text() == "old"
    assert rights(tmp_path / "there") == 0o644
    assert not (tmp_path / "nowhere").exists()


def test_a_pipe_is_refused_and_nobody_waits_for_it(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for mode in ("rb", "ab"):
        with pytest.raises(PlaceError, match=r"expected a file, got a device or pipe; move it away"):
            open_private(tmp_path / "pipe", mode)


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path) -> None:
    for mode in ("rb", "ab"):
        with pytest.raises(PlaceError, match=r"expected a file, got a folder; move it away"):
            open_private(tmp_path, mode)


def test_a_file_longer_than_its_limit_is_refused(tmp_path) -> None:
    (tmp_path / "long").write_bytes(bytes(11))
    with pytest.raises(PlaceError, match=r"long: expected at most 10 bytes, got more; move it away"):
        read_private(tmp_path / "long", 10)


def test_the_error_is_one_of_the_system_and_travels_whole() -> None:
    error = pickle.loads(pickle.dumps(PlaceError("a", "a file", "a link", "move it")))  # noqa: S301
    assert isinstance(error, OSError)
    assert str(error) == "a: expected a file, got a link; move it"


def test_files_are_the_program_s_by_name_and_content(tmp_path) -> None:
    content = {
        "log-1": b"a log\nand more",
        "log-2": b"a l",
        "log-3": b"",
        "log-4": b"a letter of somebody else",
        "log-55": b"a log\n",
        "lock": b"",
        "notes": b"a log\n",
    }
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "log-6").symlink_to(tmp_path / "log-1")
    (tmp_path / "log-7").mkdir()
    assert sorted(files_of(tmp_path, [LOGS, LOCK])) == ["lock", "log-1", "log-2", "log-3"]
    remove_files(tmp_path, [LOGS, LOCK])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log-4", "log-55", "log-6", "log-7", "notes"]


def test_a_lock_with_content_is_not_the_program_s(tmp_path) -> None:
    (tmp_path / "lock").write_text("of another program")
    assert files_of(tmp_path, [LOCK]) == []


def test_what_a_file_begins_with_may_stand_further_behind(tmp_path) -> None:
    for name, data in {"a": b"12345678{}", "b": b"12345678[", "c": b"1234", "d": b""}.items():
        (tmp_path / name).write_bytes(data)
    assert sorted(files_of(tmp_path, [Kind.of("[a-d]", b"{", offset=8)])) == ["a", "c", "d"]


def test_a_temporary_file_that_was_left_is_known(tmp_path) -> None:
    (tmp_path / ".pentimento-0123456789ab.part").write_bytes(b"PK\3\4 torn")
    (tmp_path / ".pentimento-0123456789ac.part").write_bytes(b"something else")
    (tmp_path / "movie.part").write_bytes(b"PK\3\4")
    assert files_of(tmp_path, [part_kind(b"PK\3\4")]) == [".pentimento-0123456789ab.part"]


def test_a_temporary_file_goes_once_nobody_has_written_to_it_for_a_day(tmp_path) -> None:
    for name in (".pentimento-0123456789ab.part", ".pentimento-0123456789ac.part", "movie.part"):
        (tmp_path / name).write_bytes(b"PK\3\4")
    for name in (".pentimento-0123456789ab.part", "movie.part"):
        os.utime(tmp_path / name, (0, 0))
    remove_stale(tmp_path, [part_kind(b"PK\3\4")])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".pentimento-0123456789ac.part", "movie.part"]


def test_a_folder_goes_only_when_nothing_foreign_is_in_it(tmp_path) -> None:
    for name in ("ours", "mixed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log-1").write_bytes(b"a log\n")
    (tmp_path / "mixed" / "letter").write_text("dear")
    assert remove_folder(tmp_path / "ours", [LOGS])
    assert not remove_folder(tmp_path / "mixed", [LOGS])
    assert [path.name for path in (tmp_path / "mixed").iterdir()] == ["letter"]


def test_nothing_is_removed_through_a_link(tmp_path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "log-1").write_bytes(b"a log\n")
    (tmp_path / "link").symlink_to(tmp_path / "foreign")
    assert not remove_folder(tmp_path / "link", [LOGS])
    assert (tmp_path / "foreign" / "log-1").exists()
    assert (tmp_path / "link").is_symlink()
