"""Usage errors are one line of the house form and exit 2, whatever the parser would have drawn."""

import numpy as np
import pytest
from PIL import Image

from app.__main__ import main

CASES = [
    (
        ["rnu"],
        "command: expected one of demo, doctor, evaluate, run, train, weights, got 'rnu'; did you mean 'run'?",
    ),
    (
        ["run", "inpant"],
        "command: expected one of inpaint, retarget, got 'inpant'; did you mean 'inpaint'?",
    ),
    (["run", "inpaint", "a.png"], "--out: expected a value, got none; see 'pentimento run inpaint --help'"),
    (
        ["run", "inpaint", "a.png", "--out"],
        "--out: expected a value, got none; see 'pentimento run inpaint --help'",
    ),
    (
        ["run", "inpaint", "a.png", "--out", "b.png", "--edgs", "c.png"],
        "--edgs: expected an option of 'pentimento run inpaint', got an unknown one; did you mean '--edges'?",
    ),
    (
        ["run", "inpaint", "a.png", "--out", "b.png", "--quality", "best"],
        "--quality: expected one of exact, fast, got 'best'; see 'pentimento run inpaint --help'",
    ),
    (
        ["run", "inpaint", "a.png", "--out", "b.png", "--seed", "1.5"],
        "--seed: expected a whole number, got '1.5'; see 'pentimento run inpaint --help'",
    ),
    (
        ["run", "inpaint", "a.png", "b.png", "--out", "c.png"],
        "pentimento run inpaint: expected no further words, got 'b.png'; see 'pentimento run inpaint --help'",
    ),
    (
        ["run", "inpaint", "a.png", "--out", "b.png", "--out", "c.png"],
        "--out: expected the option once, got it twice; see 'pentimento run inpaint --help'",
    ),
    (
        ["run", "inpaint", "a.png", "--outt", "b.png"],
        "--outt: expected an option of 'pentimento run inpaint', got an unknown one; did you mean '--out'?",
    ),
    (
        ["weights", "import", "a.pth", "--famly=inpaint"],
        "--famly: expected an option of 'pentimento weights import', got an unknown one; did you mean '--family'?",
    ),
    (
        ["run", "inpaint", "a.png", "--out", "b.png", "--expand", "-1,0,0,0"],
        "--expand: expected a value, got '-1,0,0,0'; what begins with a dash is written --expand=-1,0,0,0",
    ),
    (
        ["run", "inpaint", "a.png", "--mask", "--out", "b.png"],
        "--mask: expected a value, got none; see 'pentimento run inpaint --help'",
    ),
    (["evaluate", "--out", "x.json"], "--data: expected a value, got none; see 'pentimento evaluate --help'"),
]


@pytest.mark.parametrize(("words", "line"), CASES)
def test_wrong_words_are_one_line_and_exit_2(words: list[str], line: str, capsys) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"error: {line}\n"


INPAINT, RETARGET = "run inpaint A --mask M --out O", "run retarget A --size 40x40 --out O"
VALUES = [
    (INPAINT, "--seed", "-1", "0 or more"),
    (INPAINT, "--seed", str(1 << 70), "less than 9223372036854775808"),
    (INPAINT, "--edge-sensitivity", "1.5", "1 or less"),
    (INPAINT, "--edge-sensitivity", "nan", "1 or less"),
    (INPAINT, "--context", "there", "hole, full, or a box"),
    (INPAINT, "--expand", "-1,0,0,0", "four whole numbers l,t,r,b from 0"),
    (INPAINT, "--device", "abacus", "auto, cpu, cuda or cuda:N"),
    (INPAINT, "--weights", "none", "one of "),
    (RETARGET, "--seed", "-1", "0 or more"),
    (RETARGET, "--completeness", "2", "1 or less"),
    ("run retarget A --out O", "--size", "8x64", "sides from 32"),
    ("run retarget A --out O", "--scale", "0.1", "sides from 32"),
    ("run retarget A --out O", "--corners", "0,0 1,0 1,1 0,1", ""),
    ("demo --out D", "--seed", "-1", "0 or more"),
    ("evaluate inpaint --data A --out J", "--seed", "-1", "0 or more"),
    ("evaluate inpaint --data A --out J", "--size", "7", "0 or at least 32 px"),
    ("evaluate inpaint --data A --out J", "--device", "abacus", "auto, cpu, cuda or cuda:N"),
    ("weights import A --name x", "--family", "none", "one of inpaint, retarget"),
    ("weights import A --family inpaint", "--name", "A B", "lower-case letters"),
    ("train inpaint --data A --out D", "--seed", "-1", "0 or more"),
    ("train inpaint --data A --out D", "--learning-rate", "nan", "a number in [0, 1]"),
    ("train inpaint --data A --out D", "--mask-ratio", "0.5,0.1", "0 <= low <= high <= 0.95, high above 0"),
    ("train inpaint --data A --out D", "--time-limit", "-1", "0 minutes or more"),
    ("train inpaint --data A --out D", "--from", "none", "one of "),
    ("train inpaint --data A --out D", "--memory-bytes", "-1", "0 or more"),
]


@pytest.mark.parametrize("form", ["{option} {value}", "{option}={value}"])
@pytest.mark.parametrize(("command", "option", "value", "expected"), VALUES)
def test_a_bad_value_is_refused_by_its_options_name(command, option, value, expected, form, tmp_path, capsys):
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(np.eye(40, dtype=np.uint8) * 255).save(tmp_path / "m.png")
    places = {"A": "a.png", "M": "m.png", "O": "o.png", "J": "o.json", "D": "folder"}
    words = [str(tmp_path / places[word]) if word in places else word for word in command.split()]
    given = [option, value] if form.count(" ") else [f"{option}={value}"]
    if value.startswith("-1,") and len(given) == 2:
        expected = "a value, got '-1,0,0,0'; what begins with a dash is written --expand=-1,0,0,0"
    assert main([*words, *given]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(f"error: {option}: expected {expected}"), told
    assert not (tmp_path / "o.png").exists()


def test_a_name_that_no_option_has_stays(capsys):
    assert main(["weights", "remove", "none"]) == 2
    assert capsys.readouterr().err.startswith("error: weights: expected")


def test_a_mistyped_command_is_told_before_its_options(capsys):
    assert main(["nonsense", "--json"]) == 2
    assert capsys.readouterr().err.startswith("error: command: expected one of demo, doctor,")
