import numpy as np
import pytest

from app.document.edit_builder import inpaint_request
from app.fill_jobs import FillInputs, FillJobs
from engine.edits import InpaintSettings
from engine.errors import WeightsError
from tests.app.fakes import make_document, stroke


@pytest.fixture
def jobs(worker):
    return FillJobs(worker)


@pytest.fixture
def made_from():
    document = make_document()
    stroke(document, (4, 4, 12, 12))
    yield FillInputs(document, 1, *inpaint_request(document, InpaintSettings()), "picture 1")
    document.close()


def edits(made_from, count):
    return [made_from.edit.model_copy(update={"seed": seed}) for seed in range(count)]


def test_requests_say_whose_they_are_and_what_may_replace_them(jobs, worker, made_from):
    jobs.submit("asked", made_from, edits(made_from, 2))
    jobs.submit("draft", made_from, edits(made_from, 1))
    requests = list(worker.requests.values())
    assert [request.is_live for request in requests] == [False, False, True]
    assert {request.tag for request in requests} == {made_from.document.opening_id}
    assert {request.image_key for request in requests} == {"picture 1"}
    assert jobs.has("draft")
    assert not jobs.has("full")


def test_what_runs_and_what_waits_is_counted(jobs, worker, made_from):
    jobs.submit("asked", made_from, edits(made_from, 3))
    assert (jobs.running, jobs.queued) == (None, 3)
    worker.begin(share=0.25, word="edges")
    assert (jobs.running, jobs.queued, jobs.share, jobs.word) == ("asked", 2, 0.25, "edges")
    worker.answer()
    assert (jobs.running, jobs.queued, jobs.share, jobs.word) == (None, 2, 0.0, "")


def test_live_ones_can_be_stopped_alone(jobs, worker, made_from):
    jobs.submit("asked", made_from, edits(made_from, 1))
    jobs.submit("full", made_from, edits(made_from, 1))
    jobs.cancel(live_only=True)
    assert not jobs.has("full")
    assert jobs.has("asked")
    jobs.cancel()
    assert jobs.queued == 0


def test_an_answer_comes_before_the_preview_goes(jobs, worker, made_from):
    heard = []
    jobs.answered.connect(lambda job, reply: heard.append("answer"))
    jobs.previewed.connect(lambda job, box, pixels: heard.append("preview" if job else "no preview"))
    jobs.submit("asked", made_from, edits(made_from, 1))
    worker.begin(preview=np.zeros((4, 4, 3), np.uint8))
    worker.answer()
    assert heard == ["preview", "answer", "no preview"], "or the picture would flicker between the two"


def test_a_refusal_ends_the_job(jobs, worker, made_from, qtbot):
    jobs.submit("asked", made_from, edits(made_from, 1))
    error = WeightsError("weights", "a file", "none", "fetch it")
    with qtbot.waitSignal(jobs.refused) as refused:
        worker.refuse(error)
    assert refused.args[1] is error
    assert jobs.queued == 0


def test_jobs_of_another_window_are_left_alone(jobs, worker, made_from):
    other = FillJobs(worker)
    other.submit("asked", made_from, edits(made_from, 1))
    worker.begin()
    assert jobs.running is None
    assert other.running == "asked"
    jobs.cancel()
    assert other.running == "asked"
