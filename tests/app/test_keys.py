import pytest
from PySide6.QtGui import QKeySequence

from app import keys as keys_module
from app.errors import ResourceError
from app.keys import GESTURES, clashes, keys_in_force, profile_in_force, profile_names, profiles, read_profile
from app.notices import NOTICES


def test_our_own_profile_comes_first() -> None:
    assert profile_names() == ("pentimento", "krita", "photoshop")


@pytest.mark.parametrize("name", profile_names())
def test_no_key_of_a_profile_has_two_meanings(name) -> None:
    assert clashes(keys_in_force(name, {})) == {}


@pytest.mark.parametrize("name", profile_names())
def test_qt_reads_every_key(qapp, name) -> None:
    for action_id, keys in read_profile(name).keys.items():
        for key in keys:
            assert QKeySequence(key).toString(), (action_id, key)
            assert QKeySequence(key)[0].key() != 0x1FFFFFF, (action_id, key)


@pytest.mark.parametrize("name", profile_names())
def test_what_hands_know_is_where_they_expect_it(name) -> None:
    keys = keys_in_force(name, {})
    for action_id, key in {
        "save": "Ctrl+S", "undo": "Ctrl+Z", "redo": "Ctrl+Shift+Z", "tool_brush": "B", "tool_eraser": "E",
        "brush_smaller": "[", "brush_larger": "]", "tool_lasso": "L", "switch_target": "Q",
        "fill": "Ctrl+Return", "cancel": "Esc", "shortcuts": "F1",
    }.items():  # fmt: skip
        assert key in keys[action_id], action_id


def test_a_profile_says_only_what_differs() -> None:
    assert read_profile("krita").keys["actual_size"] == ("1", "Ctrl+0")
    assert read_profile("krita").keys["open"] == read_profile("pentimento").keys["open"]


def test_shift_and_a_drag_size_the_brush_for_hands_that_know_krita_alone() -> None:
    assert {name for name in profile_names() if read_profile(name).gestures} == {"krita"}
    assert read_profile("krita").gestures == {"shift_drag_sizes"} <= set(GESTURES)
    assert profile_in_force("gone") == read_profile("pentimento")


def test_a_gesture_nobody_knows_is_refused(tmp_path, monkeypatch) -> None:
    (tmp_path / "odd.toml").write_text('gestures = ["wave"]')
    monkeypatch.setattr(keys_module, "_folder", lambda: tmp_path)
    with pytest.raises(ResourceError, match="odd.toml: expected gestures of shift_drag_sizes, got 'wave'"):
        read_profile("odd")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"title = ", "Invalid value"),
        (b"\xff\xfe", "invalid start byte"),
        (b"a = " + b"[" * 50_000, ""),
        (b'base = "odd"', "it is based on 'odd'"),
        (b'base = "../pentimento"', "it is based on '../pentimento'"),
        (b"base = [1]", "it is based on"),
        (b"keys = 3", ""),
        (b"[keys]\nundo = 3", "its keys are no lists of words"),
        (b"[keys]\nundo = [[1]]", "its keys are no lists of words"),
    ],
)
def test_a_damaged_profile_is_refused_told_and_does_without(tmp_path, monkeypatch, content, words) -> None:
    (tmp_path / "odd.toml").write_bytes(content)
    ours = keys_module._folder() / "pentimento.toml"
    (tmp_path / "pentimento.toml").write_bytes(ours.read_bytes())
    monkeypatch.setattr(keys_module, "_folder", lambda: tmp_path)
    read_profile.cache_clear()
    with pytest.raises(
        ResourceError, match=r"key profile odd: expected one of pentimento, odd, got .*; choose another"
    ):
        read_profile("odd")
    assert profile_in_force("odd") == read_profile("pentimento")
    assert [profile.name for profile in profiles()] == ["pentimento"]
    (notice,) = NOTICES.take()
    assert (notice.code, notice.what, notice.aside) == ("damaged", "the key profile 'odd'", None)
    assert words in notice.detail
    read_profile.cache_clear()


def test_without_any_profile_actions_have_no_keys(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(keys_module, "_folder", lambda: tmp_path)
    read_profile.cache_clear()
    assert set(keys_in_force("pentimento", {}).values()) == {()}
    read_profile.cache_clear()


def test_an_own_key_is_taken_from_its_owner() -> None:
    keys = keys_in_force("pentimento", {"fill": ("Ctrl+Z",)})
    assert keys["fill"] == ("Ctrl+Z",)
    assert keys["undo"] == ()
    assert clashes(keys) == {}


def test_settings_of_another_version_do_no_harm() -> None:
    keys = keys_in_force("gone", {"no_such_action": ("X",), "undo": ("F9",)})
    assert keys["undo"] == ("F9",)
    assert "no_such_action" not in keys


def test_clashes_are_named() -> None:
    assert clashes({"a": ("Ctrl+X",), "b": ("ctrl+x",), "c": ("Y",)}) == {"ctrl+x": ["a", "b"]}


def test_a_missing_profile_is_refused_by_name() -> None:
    with pytest.raises(ResourceError, match="key profile gone: expected one of pentimento, krita, photoshop"):
        read_profile("gone")
