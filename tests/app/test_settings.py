import json

import pytest
from pydantic import ValidationError

from app.settings import Settings, SettingsStore, settings_store


def test_settings_start_as_the_table_says(tmp_path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    assert store.value == Settings()
    assert not store.path.exists()


def test_a_change_is_told_and_kept(tmp_path) -> None:
    path = tmp_path / "deep" / "settings.json"
    store = SettingsStore(path)
    told: list[str] = []
    stop = store.observe(lambda settings: told.append(settings.theme))
    store.change(theme="light")
    store.change(theme="light")
    stop()
    store.change(theme="system")
    assert told == ["light"]
    assert SettingsStore(path).value.theme == "system"
    assert json.loads(path.read_text()) == {"format": 1, "theme": "system"}


def test_a_value_out_of_range_changes_nothing(tmp_path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    with pytest.raises(ValidationError):
        store.change(mask_opacity=7)
    assert store.value == Settings()


def test_a_wrong_value_in_the_file_costs_only_itself(tmp_path) -> None:
    path, told = tmp_path / "settings.json", []
    path.write_text('{"theme": "pink", "mask_opacity": 0.25, "own_keys": {"undo": 3}, "what": 1}')
    store = SettingsStore(path, on_notice=told.append)
    assert store.value == Settings(mask_opacity=0.25)
    assert [(notice.code, notice.detail) for notice in told] == [("in part", "own_keys, theme")]
    assert '"pink"' in told[0].aside.read_text()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "damaged"),
        ("[1]", "damaged"),
        ("\0\0", "damaged"),
        ('{"own_keys": ' + '{"a": ' * 50_000, "damaged"),
        ('{"format": 99, "theme": "light"}', "newer"),
    ],
    ids=["empty", "list", "zeros", "deep", "newer"],
)
def test_a_file_that_cannot_be_used_is_kept_aside_and_told(tmp_path, text, code) -> None:
    path, told = tmp_path / "settings.json", []
    path.write_text(text)
    store = SettingsStore(path, on_notice=told.append)
    assert store.value == Settings()
    store.change(theme="system")
    assert [notice.code for notice in told] == [code]
    assert told[0].aside.read_text() == text


def test_two_processes_each_keep_what_they_changed(tmp_path) -> None:
    path = tmp_path / "settings.json"
    one, two = SettingsStore(path), SettingsStore(path)
    one.change(theme="light")
    two.change(mask_colour="blue")
    one.change(mask_opacity=0.25)
    assert SettingsStore(path).value == Settings(theme="light", mask_colour="blue", mask_opacity=0.25)
    one.change(mask_opacity=0.5)
    assert json.loads(path.read_text()) == {"format": 1, "mask_colour": "blue", "theme": "light"}


def test_settings_of_another_version_stay_in_the_file(tmp_path) -> None:
    path, told = tmp_path / "settings.json", []
    path.write_text('{"of_tomorrow": [1], "theme": "light"}')
    SettingsStore(path, on_notice=told.append).change(mask_colour="blue")
    assert json.loads(path.read_text())["of_tomorrow"] == [1]
    assert told == []


def test_a_folder_that_cannot_be_written_does_not_stop_the_work(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    told = []
    store = SettingsStore(tmp_path / "file" / "settings.json", on_notice=told.append)
    assert store.change(theme="light").theme == "light"
    assert store.change(theme="dark").theme == "dark"
    assert [notice.code for notice in told] == ["not kept"]


def test_every_choice_has_its_words() -> None:
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra or {}
        if extra.get("widget") != "none":
            assert field.title, name
            assert field.description, name
            assert extra.get("group"), name


def test_the_process_has_one_store_below_its_home(own_folders) -> None:
    assert settings_store() is settings_store()
    assert settings_store().path.is_relative_to(own_folders)
