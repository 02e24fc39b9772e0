import json
from pathlib import Path

import pytest

from app.__main__ import main
from app.run_evaluate import report_paths


def test_one_run_keeps_the_name_and_several_get_their_own() -> None:
    out = Path("folder/report.html")
    assert report_paths(out, [("inpaint", "")]) == [out]
    assert report_paths(out, [("inpaint", "a.safetensors"), ("inpaint", "b")]) == [
        Path("folder/report-inpaint-1-a.html"),
        Path("folder/report-inpaint-2-b.html"),
    ]
    assert report_paths(out, [("a", ""), ("b", "")]) == [
        Path("folder/report-a.html"),
        Path("folder/report-b.html"),
    ]


def test_a_report_is_written_and_told(photo, weights_file, tmp_path, capsys) -> None:
    out = tmp_path / "report.json"
    words = ["evaluate", "inpaint", "--data", str(photo), "--size", "32", "--weights", str(weights_file)]
    assert main([*words, "--out", str(out), "--device", "cpu", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["output"] == str(out)
    assert answer["pictures"] == 1
    assert json.loads(out.read_text())["rows"] == answer["rows"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "FAMILY: expected a family or --all, got neither; known: inpaint, retarget"),
        (["inpaint", "--all"], "FAMILY: expected a family or --all, got both; known: inpaint, retarget"),
        (
            ["--all", "--weights", "a"],
            "--weights: expected nothing beside --all, got weights; weights belong to one",
        ),
        (["inpant"], "family: expected one of inpaint, retarget, got 'inpant'; "),
        (
            ["inpaint", "--limit", "0"],
            "--limit: expected at least 1 picture, got 0; leave it out for all pictures",
        ),
    ],
)
def test_what_does_not_go_together_is_one_line(words: list[str], line: str, tmp_path, capsys) -> None:
    assert main(["evaluate", *words, "--data", "none", "--out", str(tmp_path / "report.json")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {line}")
    assert err.count("\n") == 1


def test_a_report_of_unknown_kind_is_refused_before_the_work(photo, tmp_path, capsys) -> None:
    assert main(["evaluate", "inpaint", "--data", str(photo), "--out", str(tmp_path / "report.xls")]) == 2
    assert capsys.readouterr().err.startswith(
        "error: --out: expected a file ending in one of .html, .json, .md, got"
    )
