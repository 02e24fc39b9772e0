import json
import os
import stat
import threading
from typing import Any

import pytest

from engine.locking import locked
from engine.own_file import ASIDE, LIMIT_BYTES, Notice, OwnFile, Read


def load(data: Any) -> Read[dict[str, int]]:
    numbers = {key: value for key, value in dict(data).items() if type(value) is int}
    return Read(numbers, ", ".join(sorted(set(data) - set(numbers))))


@pytest.fixture
def told() -> list[Notice]:
    return []


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "numbers.json"


@pytest.fixture
def make(path, told):
    def made() -> OwnFile[dict[str, int]]:
        return OwnFile(
            path, what="the numbers", empty={}, version=2, load=load, dump=dict, on_notice=told.append
        )

    return made


def put(path, content: str | bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def test_where_there_is_no_file_the_value_is_empty_and_nothing_is_made(make, path, told) -> None:
    assert make().read() == {}
    assert not path.parent.exists()
    assert told == []


def test_what_is_written_is_read_by_others_and_is_their_owner_s_alone(make, path) -> None:
    assert make().update(lambda numbers: {**numbers, "a": 1})
    assert make().read() == {"a": 1}
    assert json.loads(path.read_text()) == {"format": 2, "a": 1}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_rights_that_were_wider_are_narrowed_by_reading(make, path) -> None:
    put(path, '{"a": 1}')
    path.chmod(0o644)
    assert make().read() == {"a": 1}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_several_add_at_once_is_all_kept(make) -> None:
    def add(number: int) -> None:
        for step in range(5):
            added = {f"{number}-{step}": 1}
            assert make().update(lambda numbers, added=added: {**numbers, **added})

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(make().read()) == 20


def test_a_change_that_changes_nothing_writes_nothing(make, path) -> None:
    put(path, '{"a": 1}')
    assert make().update(lambda numbers: dict(numbers))
    assert path.read_text() == '{"a": 1}'


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ("", "damaged", "Expecting value"),
        ("{", "damaged", "Expecting property name"),
        ("[1]", "damaged", ""),
        ("1", "damaged", ""),
        ("null", "damaged", ""),
        ('{"a": NaN}', "damaged", "expected finite numbers, got NaN"),
        ('{"format": "2"}', "damaged", "its format is no number"),
        ('{"format": true}', "damaged", "its format is no number"),
        ('{"format": 3, "a": 1}', "newer", "its format is 3, and 2 is known"),
        ('{"a": ' + "[" * 100_000, "damaged", "expected JSON at most 64 deep"),
        ('{"a": ' + "9" * 5000 + "}", "damaged", "expected whole numbers of 64 bits"),
        (b'{"a": "\xff\xfe"}', "damaged", "invalid start byte"),
        (b"\0" * 100, "damaged", ""),
        (b" " * (LIMIT_BYTES + 1), "damaged", "there is more"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_used_is_moved_aside_and_told(make, path, told, content, code, words) -> None:
    put(path, content)
    before = path.read_bytes()
    assert make().read() == {}
    (notice,) = told
    assert (notice.code, notice.what, notice.path) == (code, "the numbers", path)
    assert words in notice.detail
    assert notice.aside == path.with_name(path.name + ASIDE)
    assert notice.aside.read_bytes() == before
    assert make().update(lambda numbers: {**numbers, "b": 2})
    assert make().read() == {"b": 2}
    assert len(told) == 1


def test_what_was_moved_aside_before_stays(make, path) -> None:
    for number in range(3):
        put(path, f"damaged {number}")
        assert make().read() == {}
    names = [f"{path.name}{ASIDE}", f"{path.name}{ASIDE}-2", f"{path.name}{ASIDE}-3"]
    assert [(path.parent / name).read_text() for name in names] == ["damaged 0", "damaged 1", "damaged 2"]


def test_a_file_damaged_while_the_program_runs_is_not_written_over(make, path, told) -> None:
    file = make()
    assert file.update(lambda numbers: {"a": 1})
    put(path, "damaged")
    assert file.update(lambda numbers: {**numbers, "b": 2})
    assert file.read() == {"b": 2}
    assert told[0].aside is not None
    assert told[0].aside.read_text() == "damaged"


def test_of_what_can_be_used_in_part_a_copy_is_kept(make, path, told) -> None:
    put(path, '{"a": 1, "b": "two", "c": []}')
    assert make().read() == {"a": 1}
    (notice,) = told
    assert (notice.code, notice.detail) == ("in part", "b, c")
    assert notice.aside is not None
    assert notice.aside.read_text() == '{"a": 1, "b": "two", "c": []}'
    assert make().read() == {"a": 1}
    assert len(told) == 1


def test_a_link_is_moved_aside_and_not_followed(make, path, told, tmp_path) -> None:
    put(tmp_path / "foreign", '{"a": 1}')
    path.parent.mkdir()
    path.symlink_to(tmp_path / "foreign")
    assert make().read() == {}
    assert make().update(lambda numbers: {"b": 2})
    assert (tmp_path / "foreign").read_text() == '{"a": 1}'
    assert not path.is_symlink()
    assert told[0].aside is not None
    assert told[0].aside.is_symlink()


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_moved_aside(make, path, told, kind) -> None:
    path.parent.mkdir()
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    assert make().read() == {}
    assert make().update(lambda numbers: {"b": 2})
    assert [notice.code for notice in told] == ["damaged"]


def test_what_can_be_moved_nowhere_is_not_written_over(make, path, told, monkeypatch) -> None:
    put(path, "damaged")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "rename", refuse)
    file = make()
    assert file.read() == {}
    assert not file.update(lambda numbers: {"b": 2})
    assert path.read_text() == "damaged"
    assert [(notice.code, notice.aside) for notice in told] == [("damaged", None), ("not kept", None)]


def test_what_holds_is_used_where_no_copy_can_be_made(make, path, told, monkeypatch) -> None:
    put(path, '{"a": 1, "b": "two"}')

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.own_file.open_private", refuse)
    assert make().read() == {"a": 1}
    assert path.read_text() == '{"a": 1, "b": "two"}'
    assert [notice.code for notice in told] == ["not kept"]


def test_a_folder_that_is_a_file_is_told_once(make, path, told) -> None:
    path.parent.write_text("")
    file = make()
    assert file.read() == {}
    assert not file.update(lambda numbers: {"b": 2})
    assert not file.update(lambda numbers: {"b": 2})
    assert [(notice.code, notice.detail) for notice in told] == [("not kept", "there is a file")]


def test_somebody_who_keeps_the_folder_locked_is_not_waited_for(make, path, told, monkeypatch) -> None:
    put(path, '{"a": 1}')
    monkeypatch.setattr("engine.own_file.PATIENCE_S", 0.05)
    with locked(path.parent):
        assert make().read() == {"a": 1}
        assert not make().update(lambda numbers: {"b": 2})
    assert told[0].detail == "there is one that another program has kept for 0.05 s"
    assert path.read_text() == '{"a": 1}'
