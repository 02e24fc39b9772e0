from app.action_table import ACTIONS, AREAS, BY_ID
from app.resources import resources_dir


def test_names_are_used_once() -> None:
    assert len(BY_ID) == len(ACTIONS)


def test_every_action_has_words_and_an_area() -> None:
    for spec in ACTIONS:
        assert spec.area in AREAS
        assert spec.text.count("&") == 1, spec.id
        assert spec.tip, spec.id
        assert not spec.tip.endswith("."), spec.id


def test_every_icon_is_drawn() -> None:
    drawn = {path.stem for path in (resources_dir() / "icons").glob("*.svg")}
    assert {spec.icon for spec in ACTIONS if spec.icon} <= drawn


def test_a_menu_has_no_letter_twice() -> None:
    for area in AREAS:
        letters = [spec.text[spec.text.index("&") + 1].lower() for spec in ACTIONS if spec.area == area]
        twice = {letter for letter in letters if letters.count(letter) > 1}
        assert not twice, (area, twice)


def test_plain_text_has_no_marks() -> None:
    assert BY_ID["open"].plain_text == "Open"
    assert BY_ID["save_as"].plain_text == "Save As"
