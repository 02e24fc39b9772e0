import json
import os
import threading
from pathlib import Path

import pytest

from app.folders import state_folder
from app.notices import NOTICES
from app.recent import MAX_FILES, add_recent, clear_recent, recent_files


def test_the_newest_is_first_and_nothing_is_listed_twice(tmp_path) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    for path in (one, two, one):
        add_recent(path)
    assert recent_files() == [one, two]


def test_the_list_is_short(tmp_path) -> None:
    for number in range(MAX_FILES + 5):
        add_recent(tmp_path / f"{number}.png")
    assert len(recent_files()) == MAX_FILES
    clear_recent()
    assert recent_files() == []


@pytest.mark.parametrize(
    "text", ["", "{}", "nonsense", '{"files": 3}', '{"format": 9, "files": []}', "[" * 100_000]
)
def test_a_list_that_cannot_be_used_is_an_empty_one_and_kept_aside(text) -> None:
    state_folder().mkdir(parents=True)
    path = state_folder() / "recent.json"
    path.write_text(text)
    assert recent_files() == []
    (notice,) = NOTICES.take()
    assert notice.what == "the list of recent files"
    assert notice.aside.read_text() == text


def test_what_is_no_path_is_left_out(tmp_path) -> None:
    state_folder().mkdir(parents=True)
    items = [1, "a\0b", "x" * 5000, "", None, ["deep"], str(tmp_path / "good.png")]
    (state_folder() / "recent.json").write_text(json.dumps({"files": items}))
    assert recent_files() == [tmp_path / "good.png"]
    assert [(notice.code, notice.detail) for notice in NOTICES.take()] == [("in part", "6 of 7 are no paths")]


def test_a_list_of_the_first_format_is_read(tmp_path) -> None:
    state_folder().mkdir(parents=True)
    (state_folder() / "recent.json").write_text(json.dumps([str(tmp_path / "a.png")]))
    assert recent_files() == [tmp_path / "a.png"]


def test_what_several_open_at_once_is_all_listed(tmp_path) -> None:
    threads = [threading.Thread(target=add_recent, args=(tmp_path / f"{number}.png",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(recent_files()) == 8


def test_a_name_that_is_no_text_is_found_again(tmp_path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.png")
    add_recent(path)
    assert recent_files() == [path]


def test_a_relative_path_is_found_again(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    add_recent(Path("photo.png"))
    assert recent_files() == [tmp_path / "photo.png"]
