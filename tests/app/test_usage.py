"""Usage errors are one line of the house form and exit 2, whatever the parser would have drawn."""

import pytest

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
    (["evaluate", "--out", "x.json"], "--data: expected a value, got none; see 'pentimento evaluate --help'"),
]


@pytest.mark.parametrize(("words", "line"), CASES)
def test_wrong_words_are_one_line_and_exit_2(words: list[str], line: str, capsys) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"error: {line}\n"
