import json
import os
import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from PIL import Image

from app.__main__ import main
from app.console import Console
from app.options import TrainFlags
from app.run_train import TrainView, event_line, is_first_process, make_options, span
from engine.training import TrainOptions, events

ROOT = Path(__file__).resolve().parents[2]

LINES = [
    (events.Notice("perceptual terms are off"), "perceptual terms are off"),
    (events.Skipped("a.png", "truncated"), "a.png is left out: truncated"),
    (events.Estimated({"edges": 0.5}, 600.0, 12.34, 3 << 29), "about 10 min to go, 12.3 pictures/s, 1.5 GiB"),
    (events.StageStarted("edges", "guess edges", 0, 10), "stage edges (guess edges): steps 0 to 10"),
    (
        events.Measured(5, 10, "edges", {"generator/gan": 0.5}, {"precision": 0.25}, 8.0, 3.0, 40.0),
        "5/10  generator/gan 0.5  precision 0.25  8.0 pictures/s, 40 s to go",
    ),
    (events.Written("weights", Path("out/inpaint.safetensors")), "out/inpaint.safetensors  weights"),
]


@pytest.mark.parametrize(("event", "line"), LINES)
def test_each_event_has_its_line(event: events.Event, line: str) -> None:
    assert event_line(event) == line


def test_without_a_terminal_lines_are_plain_and_notices_are_notes(capsys) -> None:
    view = TrainView(Console(), None)
    for event, _ in LINES:
        view.tell(event)
    view.tell(events.Stepped(1, 10, "edges"))
    view.tell(events.Written("snapshot", Path("out/inpaint.safetensors")))
    out, err = capsys.readouterr()
    assert err == "note: perceptual terms are off\nnote: a.png is left out: truncated\n"
    assert out.splitlines() == [line for _, line in LINES[2:]]


@pytest.mark.parametrize(("seconds", "words"), [(3, "3 s"), (600, "10 min"), (9000, "2.5 h")])
def test_times_are_told_as_people_do(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_only_given_words_change_the_options(weights_file) -> None:
    flags = TrainFlags(
        data=(Path("a"),),
        out=Path("b"),
        steps=7,
        loss=(("fill_l1", 2.0),),
        from_weights=str(weights_file),
        parts=(("edges", Path("e.safetensors")),),
    )
    options = make_options("inpaint", flags)
    assert (options.steps, options.seed, options.family) == (7, 0, "inpaint")
    assert options.loss == {"fill_l1": 2.0}
    assert options.from_weights == weights_file
    assert options.parts == {"edges": Path("e.safetensors")}
    flags = TrainFlags(data=(Path("a.png"),), out=Path("b"), recipe="official", target_hw=(48, 64))
    options = make_options("retarget", flags)
    assert (options.steps, options.target_hw, options.snapshot_every) == (75_000, (48, 64), 5.0)


def test_every_flag_is_an_option_of_training() -> None:
    options = {field.name for field in fields(TrainOptions)}
    assert {field.name for field in fields(TrainFlags)} == options - {"family"}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--steps", "0"], "--steps: expected 1 or more, got 0; give a larger number"),
        (["--loss", "l1"], "--loss: expected NAME=NUMBER, got 'l1'; see 'pentimento train --help'"),
        (
            ["--mask-ratio", "0.3"],
            "--mask-ratio: expected LOW,HIGH, got '0.3'; see 'pentimento train --help'",
        ),
        (["--from", "none"], "--from: expected one of "),
        (["--size", "63"], "--size: expected a multiple of 8, 32 or more, got 63; "),
        (["--target", "64"], "--target: expected WIDTHxHEIGHT, got '64'; see 'pentimento train --help'"),
        (["--time-limit", "soon"], "--time-limit: expected MINUTES|90s|20m|2h, got 'soon'; see 'pentimento "),
        (["--time-limit", "20d"], "--time-limit: expected MINUTES|90s|20m|2h, got '20d'; see 'pentimento "),
        (["--time-limit", "-5s"], "--time-limit: expected "),
        (["--time-limit", "nan"], "--time-limit: expected 0 minutes or more, got nan; write it like 90s, "),
        (["--recipe", "fast"], "--recipe: expected no such option for inpaint, got 'fast'; only retarget "),
    ],
)
def test_wrong_options_are_one_line(words: list[str], line: str, tmp_path, capsys) -> None:
    assert main(["train", "inpaint", "--data", "a", "--out", str(tmp_path / "run"), *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {line}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(("rank", "is_first"), [("0", True), ("1", False)])
def test_only_the_first_process_speaks(rank: str, is_first: bool, monkeypatch) -> None:
    for key in ("RANK", "LOCAL_RANK", "NODE_RANK"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("LOCAL_RANK", rank)
    assert is_first_process() is is_first
    assert os.environ["LOCAL_RANK"] == rank


# Whole runs --------------------------------------------------------------------------------------


@pytest.fixture
def words(tmp_path, photo) -> list[str]:
    """A run of moments on one small picture."""
    tiny = [
        "--size",
        "32",
        "--batch",
        "1",
        "--width",
        "4",
        "--depth",
        "1",
        "--workers",
        "0",
        "--device",
        "cpu",
        "--log-every",
        "1",
    ]
    return ["train", "inpaint", "--data", str(photo), "--out", str(tmp_path / "run"), *tiny]


def test_a_run_writes_weights_that_run(words, photo, mask, tmp_path, capsys) -> None:
    assert main([*words, "--steps", "4", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    weights = tmp_path / "run" / "inpaint.safetensors"
    assert (answer["output"], answer["step"], answer["reason"]) == (str(weights), 4, "finished")
    run = ["run", "inpaint", str(photo), "--mask", str(mask), "--out", str(tmp_path / "out.png")]
    assert main([*run, "--weights", str(weights), "--device", "cpu"]) == 0


def test_ctrl_c_saves_and_exits_0_and_the_run_goes_on(words, tmp_path, capsys) -> None:
    command = [sys.executable, "-m", "app", *words, "--steps", "100000"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("1/100000"):
                break
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert "stopped at step " in rest
    assert "saved; go on with --resume" in rest
    assert (tmp_path / "run" / "inpaint.safetensors").is_file()

    assert main([*words, "--steps", "100000", "--resume", "--time-limit", "0.0001", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["reason"] == "time limit"
    assert answer["step"] > 1


def test_a_picture_too_small_to_learn_is_bad_input(tmp_path, capsys):
    Image.new("RGB", (1, 1)).save(tmp_path / "a.png")
    words = ["--data", str(tmp_path / "a.png"), "--out", str(tmp_path / "run"), "--device", "cpu"]
    assert main(["train", "retarget", *words]) == 2
    assert "too small" in capsys.readouterr().err
