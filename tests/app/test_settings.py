import json

import pytest
from pydantic import ValidationError

from app.settings import Settings, SettingsStore, settings_store


def test_settings_start_as_the_table_says(tmp_path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    assert store.value == Settings()
    assert store.notes == ()
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
    assert json.loads(path.read_text()) == {"theme": "system"}


def test_a_value_out_of_range_changes_nothing(tmp_path) -> None:
    store = SettingsStore(tmp_path / "settings.json")
    with pytest.raises(ValidationError):
        store.change(mask_opacity=7)
    assert store.value == Settings()


def test_a_wrong_value_in_the_file_costs_only_itself(tmp_path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "pink", "mask_opacity": 0.25, "what": 1}')
    store = SettingsStore(path)
    assert store.value == Settings(mask_opacity=0.25)
    assert store.notes == ("The setting 'theme' was not understood and is as new",)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\0\0"])
def test_a_damaged_file_starts_afresh_and_says_so(tmp_path, text) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text)
    store = SettingsStore(path)
    assert store.value == Settings()
    assert "start afresh" in store.notes[0]


def test_a_folder_that_cannot_be_written_does_not_stop_the_work(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    store = SettingsStore(tmp_path / "file" / "settings.json")
    assert store.change(theme="light").theme == "light"


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
