"""Filling with the engine's own process, tiny weights and a small picture: from a stroke to pixels, and a crash."""

import os
import signal

import numpy as np
import pytest

from app.document.flatten import flatten
from app.errors import EngineLostError
from app.fill import FillController
from app.worker import EngineWorker
from tests.app.fakes import make_document, stroke

START_MS = 120_000
"""The process imports torch, on a machine that may have other work."""
HOLE = (24, 20, 48, 40)


@pytest.fixture
def worker(qapp):
    made = EngineWorker(device="cpu")
    yield made
    made.stop()


@pytest.fixture
def document():
    made = make_document((72, 96))
    yield made
    made.close()


@pytest.fixture
def fill(worker, document, weights_file):
    made = FillController(worker)
    made.set_live(False)
    made.set_document(document)
    made.change_settings(weights=str(weights_file))
    return made


def test_from_a_stroke_to_pixels_and_back_after_a_crash(fill, worker, document, qtbot):
    before = flatten(document, with_result=False)
    outside = np.ones(document.size_hw, bool)
    outside[20:40, 24:48] = False
    failures, processes = [], []
    fill.failed.connect(failures.append)
    worker.ready.connect(lambda event: processes.append(event.process_id))

    # Live: a draft, then the full result in its place.
    fill.set_live(True)
    stroke(document, HOLE)
    qtbot.waitUntil(lambda: fill.state.shown == "full", timeout=START_MS)
    assert failures == []
    live = document.current_result
    assert live.report["quality"] == "exact"
    assert live.step.weights["name"] == "tiny.safetensors"
    assert len(document.results) == 1
    assert len(document.history.steps()) == 1
    shown = flatten(document, with_result=True)
    assert np.array_equal(shown[outside], before[outside])
    assert not np.array_equal(shown[~outside], before[~outside])
    assert live.edges is not None

    # Asked for: the same seed gives the same bytes, another gives another picture.
    fill.set_live(False)
    fill.fill_variants(2)
    qtbot.waitUntil(lambda: len(document.results) == 3, timeout=START_MS)
    again, variant = document.results[1:]
    assert {again.step.seed, variant.step.seed} == {1, 2}, "seed 0 is there already"
    fill.fill()
    qtbot.waitUntil(lambda: len(document.results) == 4, timeout=START_MS)
    assert np.array_equal(document.results[3].pixels, live.pixels)
    assert not np.array_equal(variant.pixels, live.pixels)

    # What it cost is known from then on.
    qtbot.waitUntil(lambda: fill.cost is not None, timeout=10_000)
    assert 0 < fill.cost.seconds < 60

    # Edges that are drawn and erased change what is in the hole and nothing else.
    stroke(document, (24, 28, 48, 30), plane="drawn")
    fill.fill()
    qtbot.waitUntil(lambda: len(document.results) == 5, timeout=START_MS)
    edited = flatten(document, with_result=True)
    assert np.array_equal(edited[outside], before[outside])
    assert (document.current_result.edges[8:10] == 255).all(), "the drawn line was followed"

    # The process dies: the job is refused in words, the document stands, the next job runs.
    kept = [result.id for result in document.results]
    os.kill(processes[-1], signal.SIGKILL)
    qtbot.waitUntil(lambda: len(processes) == 2, timeout=START_MS)
    assert [result.id for result in document.results] == kept
    fill.fill()
    qtbot.waitUntil(lambda: len(document.results) == 6 or bool(failures), timeout=START_MS)
    assert all(isinstance(error, EngineLostError) for error in failures)
    assert np.array_equal(flatten(document, with_result=False), before)


def test_weights_that_are_gone_are_refused_in_words(fill, document, qtbot, tmp_path):
    fill.change_settings(weights=str(tmp_path / "gone.safetensors"))
    stroke(document, HOLE)
    with qtbot.waitSignal(fill.failed, timeout=START_MS) as failed:
        fill.fill()
    assert "gone.safetensors" in str(failed.args[0])
    assert document.results == ()
    assert not fill.state.is_busy
