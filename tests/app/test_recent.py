from pathlib import Path

from app.folders import state_folder
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


def test_a_damaged_list_is_an_empty_one() -> None:
    state_folder().mkdir(parents=True)
    for text in ("", "{}", "[1, 2]", "nonsense"):
        (state_folder() / "recent.json").write_text(text)
        assert recent_files() == []


def test_a_relative_path_is_found_again(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    add_recent(Path("photo.png"))
    assert recent_files() == [tmp_path / "photo.png"]
