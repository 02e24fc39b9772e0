import json
import os
import stat
import sys

import pytest

from app.console import Console, log_path, write_traceback
from app.errors import Explanation

REFUSAL = Explanation("mask", "a picture", "none", "name one", 2)


def test_plain_lines_go_to_stdout_and_notes_to_stderr(capsys) -> None:
    console = Console()
    console.say("a line")
    console.note("a note")
    console.answer({"never": "seen"})
    assert capsys.readouterr() == ("a line\n", "note: a note\n")


def test_quiet_says_nothing_but_errors(capsys) -> None:
    console = Console(is_quiet=True)
    console.say("a line")
    console.note("a note")
    console.refuse(REFUSAL)
    assert capsys.readouterr() == ("", "error: mask: expected a picture, got none; name one\n")


def test_json_is_one_object_and_nothing_else(capsys) -> None:
    console = Console(is_json=True)
    console.say("a line")
    console.answer({"output": "ä.png"})
    assert json.loads(capsys.readouterr().out) == {"output": "ä.png"}


def test_an_error_under_json_is_told_twice(capsys) -> None:
    Console(is_json=True).refuse(REFUSAL)
    out, err = capsys.readouterr()
    assert err == "error: mask: expected a picture, got none; name one\n"
    assert json.loads(out)["error"] == {
        "message": "mask: expected a picture, got none; name one",
        "name": "mask",
        "sentence": "expected a picture, got none",
        "next_step": "name one",
        "exit_code": 2,
    }


def test_progress_is_silent_without_a_terminal(capsys) -> None:
    with Console().progress("work") as show:
        show(0.5, "half")
    assert capsys.readouterr() == ("", "")


def test_progress_is_drawn_on_a_terminal(capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with Console().progress("work") as show:
        show(0.5, "half")
    out, err = capsys.readouterr()
    assert out == ""
    assert "work" in err


def test_the_log_lies_where_the_environment_says(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PENTIMENTO_LOG", str(tmp_path / "deep" / "our.log"))
    assert log_path() == tmp_path / "deep" / "our.log"
    assert write_traceback(ValueError("broken"), ["demo"]) == log_path()
    text = log_path().read_text()
    assert "ValueError: broken" in text
    assert "pentimento ['demo']" in text


def test_the_log_is_its_owner_s_alone(tmp_path, monkeypatch) -> None:
    place = tmp_path / "deep" / "our.log"
    monkeypatch.setenv("PENTIMENTO_LOG", str(place))
    write_traceback(ValueError("broken"), [])
    place.chmod(0o644)
    write_traceback(ValueError("again"), [])
    assert place.read_text().count("ValueError") == 2
    assert [stat.S_IMODE(path.stat().st_mode) for path in (place.parent, place)] == [0o700, 0o600]


def test_the_user_may_name_a_device(monkeypatch) -> None:
    monkeypatch.setenv("PENTIMENTO_LOG", os.devnull)
    assert write_traceback(ValueError("broken"), []) == log_path()


def test_a_link_in_the_place_of_the_log_is_not_followed(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("PENTIMENTO_LOG")
    log_path().parent.mkdir(parents=True)
    log_path().symlink_to(tmp_path / "foreign")
    assert write_traceback(ValueError("broken"), []) is None
    assert not (tmp_path / "foreign").exists()


def test_words_that_are_no_text_are_logged(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PENTIMENTO_LOG", str(tmp_path / "our.log"))
    assert write_traceback(ValueError("broken \udcff"), ["\udcff.png"])
    assert "\\udcff.png" in (tmp_path / "our.log").read_text()


def test_a_log_that_cannot_be_written_hides_nothing(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PENTIMENTO_LOG", str(tmp_path / "file" / "our.log"))
    assert write_traceback(ValueError("broken"), []) is None


def test_the_log_is_in_the_users_folder_otherwise(monkeypatch) -> None:
    monkeypatch.delenv("PENTIMENTO_LOG", raising=False)
    assert log_path().name == "pentimento.log"


@pytest.mark.parametrize("word", ["--json"])
def test_words_before_parsing_decide_how_errors_are_told(word: str, capsys) -> None:
    from app.__main__ import main

    assert main(["nonsense", word]) == 2
    assert "error" in json.loads(capsys.readouterr().out)


def test_a_name_that_is_no_text_is_spelt_out(capsys) -> None:
    name = b"a\xff.png".decode("utf-8", "surrogateescape")
    Console().say(name)
    Console(is_json=True).answer({"output": name})
    assert capsys.readouterr().out == 'a\\udcff.png\n{"output": "a\\udcff.png"}\n'
