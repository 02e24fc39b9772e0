import os
from pathlib import Path

import pytest

from app.console import Console
from app.run_train import TrainView, event_line, is_first_process, make_options, span
from engine.errors import TrainingError
from engine.training import events

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
    out, err = capsys.readouterr()
    assert err == "note: perceptual terms are off\nnote: a.png is left out: truncated\n"
    assert out.splitlines() == [line for _, line in LINES[2:]]


@pytest.mark.parametrize(("seconds", "words"), [(3, "3 s"), (600, "10 min"), (9000, "2.5 h")])
def test_times_are_told_as_people_do(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_only_given_words_change_the_options() -> None:
    options = make_options(
        "inpaint", {"data": (Path("a"),), "out": Path("b"), "steps": 7, "seed": None}, start=None
    )
    assert (options.steps, options.seed, options.family) == (7, 0, "inpaint")


def test_an_option_out_of_range_is_refused_by_name() -> None:
    with pytest.raises(TrainingError, match="steps: expected 1 or more, got 0; give a larger number"):
        make_options("inpaint", {"data": (Path("a"),), "out": Path("b"), "steps": 0}, start=None)


@pytest.mark.parametrize(("rank", "is_first"), [("0", True), ("1", False)])
def test_only_the_first_process_speaks(rank: str, is_first: bool, monkeypatch) -> None:
    for key in ("RANK", "LOCAL_RANK", "NODE_RANK"):
        monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("LOCAL_RANK", rank)
    assert is_first_process() is is_first
    assert os.environ["LOCAL_RANK"] == rank
