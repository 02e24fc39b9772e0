import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QThread

from app.errors import EngineLostError, explain
from app.worker import EngineWorker, Request
from engine.edits import EditInputs, InpaintEdit
from engine.errors import MaskError
from engine.forecast import Forecasts
from engine.host import (
    Cancelled,
    Died,
    Done,
    HostReply,
    ProgressSaid,
    Ready,
    Refused,
    Started,
    StatusSaid,
)

ROOT = Path(__file__).resolve().parents[2]
WAIT_MS = 60_000
READY = Ready("cpu", "cpu", "float32", 1.0, 4)


class FakeHost:
    """Does what the test says, when it says it: jobs end by `say` alone."""

    def __init__(self):
        self.jobs = []
        self.cancelled = []
        self.is_closed = False
        self.asked_status = 0
        self.refuse_submit = None
        self.fail_poll = None
        self.state = "starting"
        self._events = []
        self._changed = threading.Condition()
        self._is_woken = False

    def start(self):
        self.say(READY)

    def submit(self, edit, inputs, *, image_key=""):
        if self.refuse_submit is not None:
            raise self.refuse_submit
        number = 100 + len(self.jobs)
        self.jobs.append((edit, inputs, image_key))
        self.say(Started(number))
        return number

    def cancel(self, job):
        self.cancelled.append(job)
        return True

    def ask_status(self):
        self.asked_status += 1

    def poll(self, timeout_s=0.0):
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._is_woken, timeout_s)
            self._is_woken = False
            if self.fail_poll is not None:
                raise self.fail_poll
            events, self._events = self._events, []
            return events

    def wake(self):
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def close(self):
        self.is_closed = True

    def say(self, *events):
        with self._changed:
            self._events += events
            self._changed.notify_all()


class Log:
    """Everything a worker tells, in order, with the thread it is heard on."""

    def __init__(self, worker):
        self.said = []
        self.threads = set()
        for name in (
            "ready",
            "started",
            "progressed",
            "finished",
            "refused",
            "cancelled",
            "died",
            "status_changed",
        ):
            getattr(worker, name).connect(lambda *told, name=name: self._hear(name, told))

    def _hear(self, name, told):
        self.threads.add(QThread.currentThread())
        self.said.append((name, *told))

    def names(self):
        return [name for name, *_ in self.said]

    def of(self, wanted):
        return [tuple(told) for name, *told in self.said if name == wanted]


def inputs(seed=0):
    mask = np.zeros((44, 56), np.uint8)
    mask[14:26, 20:34] = 255
    return EditInputs(np.random.default_rng(seed).integers(0, 256, (44, 56, 3), dtype=np.uint8), mask)


def request(seed=0, **more):
    return Request(InpaintEdit(seed=seed), inputs(), **more)


def reply(seconds=1.0):
    report = {
        "device": "cpu", "weights": {"name": "w", "sha256": "0"}, "working_size_px": 512, "notes": [],
        "crops": [{"levels_hw": [[100, 100]], "windows": 0}], "seconds": {"total": seconds},
    }  # fmt: skip
    return HostReply((44, 56), (), (), report)


@pytest.fixture
def host():
    return FakeHost()


@pytest.fixture
def worker(qtbot, host, tmp_path):
    worker = EngineWorker(make_host=lambda: host, forecasts=Forecasts(tmp_path / "forecast.json"))
    yield worker
    worker.stop()


@pytest.fixture
def log(worker):
    return Log(worker)


@pytest.fixture
def until(qtbot):
    return lambda condition: qtbot.waitUntil(condition, timeout=WAIT_MS)


def test_a_job_from_start_to_end(worker, host, log, until):
    job = worker.submit(request(seed=3, image_key="doc 1"))
    until(lambda: log.names() == ["ready", "started"])
    assert worker.running_job == job
    edit, given, key = host.jobs[0]
    assert (edit.seed, key) == (3, "doc 1")
    assert given.mask.sum() > 0
    preview = np.ones((2, 2, 3), np.uint8)
    answer = reply()
    host.say(ProgressSaid(100, 0.5, "fill", preview, (1, 2, 3, 4)), Done(100, answer))
    until(lambda: log.of("finished") == [(job, answer)])
    (said,) = log.of("progressed")[0]
    assert (said.job, said.share, said.word, said.box_xyxy) == (job, 0.5, "fill", (1, 2, 3, 4))
    assert said.preview is preview
    assert worker.job_count == 0
    assert log.threads == {worker.thread()}


def test_nothing_starts_before_it_is_asked_for(worker, host, log, qtbot):
    qtbot.wait(50)
    assert log.said == []
    assert host.jobs == []


def test_one_job_runs_at_a_time_and_the_others_in_order(worker, host, log, until):
    jobs = [worker.submit(request(seed)) for seed in range(3)]
    for place, job in enumerate(jobs):
        until(lambda: len(log.of("started")) == place + 1)  # noqa: B023
        assert [edit.seed for edit, *_ in host.jobs] == list(range(place + 1))
        assert worker.job_count == 3 - place
        host.say(Done(100 + place, reply()))
        until(lambda: len(log.of("finished")) == place + 1)  # noqa: B023
        assert log.of("finished")[-1][0] == job


def test_of_waiting_live_requests_the_latest_wins(worker, host, log, until):
    first = worker.submit(request(0))
    until(lambda: log.of("started") == [(first,)])
    live = [worker.submit(request(seed, is_live=True, tag="doc")) for seed in (1, 2, 3)]
    other = worker.submit(request(9, is_live=True, tag="another"))
    until(lambda: log.of("cancelled") == [(live[0],), (live[1],)])
    host.say(Done(100, reply()))
    until(lambda: log.of("started") == [(first,), (live[2],)])
    host.say(Done(101, reply()))
    until(lambda: log.of("started")[-1] == (other,))
    assert [edit.seed for edit, *_ in host.jobs] == [0, 3, 9]
    assert host.cancelled == []


def test_a_live_request_takes_the_place_of_a_running_one_and_spares_the_process(worker, host, log, until):
    """The old one is gone for the window at once; it gets time to stop, and its late end is not told again."""
    first = worker.submit(request(1, is_live=True, tag="doc"))
    until(lambda: log.of("started") == [(first,)])
    second = worker.submit(request(2, is_live=True, tag="doc"))
    until(lambda: log.of("started") == [(first,), (second,)])
    assert log.of("cancelled") == [(first,)]
    assert host.cancelled == [100]
    host.say(ProgressSaid(100, 0.9, "fill"), Cancelled(100), Done(101, reply()))
    until(lambda: len(log.of("finished")) == 1)
    assert log.of("finished")[0][0] == second
    assert log.of("progressed") == []
    assert log.of("cancelled") == [(first,)]


def test_a_live_request_leaves_what_was_asked_for_alone(worker, host, log, until):
    asked = worker.submit(request(0, tag="doc"))
    until(lambda: log.of("started") == [(asked,)])
    waiting = worker.submit(request(1, tag="doc"))
    live = worker.submit(request(2, is_live=True, tag="doc"))
    host.say(Done(100, reply()))
    until(lambda: len(log.of("started")) == 2)
    host.say(Done(101, reply()))
    until(lambda: len(log.of("started")) == 3)
    assert [job for (job,) in log.of("started")] == [asked, waiting, live]
    assert host.cancelled == []


def test_a_cancelled_job_has_ended_whatever_the_engine_does_and_the_next_is_taken(worker, host, log, until):
    """The host is told, and says nothing for as long as it likes."""
    job = worker.submit(request())
    until(lambda: log.of("started") == [(job,)])
    worker.cancel(job)
    assert worker.job_count == 0
    assert log.of("cancelled") == [], "told from the event loop"
    until(lambda: log.of("cancelled") == [(job,)])
    after = worker.submit(request(1))
    until(lambda: len(host.jobs) == 2)
    assert host.cancelled == [100]
    host.say(ProgressSaid(100, 0.9, "fill"), Cancelled(100, was_killed=True), READY, Done(101, reply()))
    until(lambda: len(log.of("finished")) == 1)
    assert log.of("finished")[0][0] == after
    assert log.of("cancelled") == [(job,)]
    assert log.of("progressed") == []


def test_a_job_is_cancelled_even_while_its_pictures_are_copied(worker, host, log, until):
    """The thread is deep in the host then; neither the user nor the next job may wait for more than the copy."""
    may_go, is_copying = threading.Event(), threading.Event()
    submit = host.submit

    def slow(*words, **more):
        is_copying.set()
        assert may_go.wait(60)
        return submit(*words, **more)

    host.submit = slow
    job = worker.submit(request())
    assert is_copying.wait(60)
    worker.cancel(job)
    until(lambda: log.of("cancelled") == [(job,)])
    assert host.jobs == []
    may_go.set()
    until(lambda: host.cancelled == [100])
    other = worker.submit(request(1))
    until(lambda: log.of("started") == [(other,)])


def test_an_answer_on_its_way_when_a_job_is_cancelled_is_not_told(worker, host, log, until):
    job = worker.submit(request())
    until(lambda: log.of("started") == [(job,)])
    with worker._lock:  # the thread has the answer and waits to tell it
        host.say(Done(100, reply()), Done(100, reply()))
        until(lambda: not host._events)
        worker._drop([worker._running])
    until(lambda: log.of("cancelled") == [(job,)])
    worker.ask_status()
    until(lambda: host.asked_status == 1)
    assert log.of("finished") == []


def test_cancel_all_ends_everything_once(worker, host, log, until):
    jobs = [worker.submit(request(seed)) for seed in range(3)]
    until(lambda: len(log.of("started")) == 1)
    worker.cancel_all()
    assert worker.job_count == 0
    until(lambda: len(log.of("cancelled")) == 3)
    assert sorted(job for (job,) in log.of("cancelled")) == jobs
    until(lambda: host.cancelled == [100])
    worker.cancel_all()
    worker.cancel(jobs[0])
    worker.ask_status()
    until(lambda: host.asked_status == 1)
    assert len(log.of("cancelled")) == 3
    assert host.cancelled == [100]


def test_a_refusal_is_told_and_the_next_job_runs(worker, host, log, until):
    first, second = worker.submit(request(0)), worker.submit(request(1))
    until(lambda: len(log.of("started")) == 1)
    error = MaskError("mask", "a hole", "none", "draw one")
    host.say(Refused(100, error))
    until(lambda: log.of("started") == [(first,), (second,)])
    assert log.of("refused") == [(first, error)]


def test_a_job_that_cannot_be_handed_over_is_refused(worker, host, log, until):
    host.refuse_submit = MemoryError("no room")
    job = worker.submit(request())
    until(lambda: len(log.of("refused")) == 1)
    assert log.of("refused")[0] == (job, host.refuse_submit)
    host.refuse_submit = None
    other = worker.submit(request())
    until(lambda: log.of("started") == [(other,)])


def test_a_death_costs_one_job_and_is_told_in_words(worker, host, log, until):
    first, second = worker.submit(request(0)), worker.submit(request(1))
    until(lambda: len(log.of("started")) == 1)
    host.say(Died(100, "it was ended by SIGSEGV, a fault in native code"), READY)
    until(lambda: log.of("started") == [(first,), (second,)])
    ((job, error),) = log.of("refused")
    assert job == first
    assert isinstance(error, EngineLostError)
    words = "engine: expected to finish the job, got it was ended by SIGSEGV, a fault in native code; it starts again"
    assert explain(error).line.startswith(words)
    assert log.of("died") == [("it was ended by SIGSEGV, a fault in native code", True)]
    assert len(log.of("ready")) == 2


def test_a_host_that_gives_up_is_not_said_to_start_again(worker, host, log, until):
    worker.start()
    host.state = "broken"
    host.say(Died(None, "no module named torch"))
    until(lambda: log.of("died") == [("no module named torch", False)])


def test_when_the_thread_fails_every_job_ends_once(worker, host, log, until):
    running, dropped, waiting = (worker.submit(request(seed)) for seed in range(3))
    until(lambda: log.of("started") == [(running,)])
    with host._changed:  # the thread finds both at once: what was cancelled, and that all is over
        host.fail_poll = OSError("no pipe")
        worker.cancel(dropped)
        worker.cancel(running)
        worker.submit(request(3))
    host.wake()
    until(lambda: len(log.of("refused")) == 2)
    assert sorted(log.of("cancelled")) == [(running,), (dropped,)]
    assert [number for number, _ in log.of("refused")] == [waiting, waiting + 1]
    assert "no pipe" in str(log.of("refused")[0][1])
    host.fail_poll = None
    again = worker.submit(request(4))
    until(lambda: (again,) in log.of("started"))
    assert len(log.of("cancelled")) == 2


def test_status_is_passed_on(worker, host, log, until):
    said = StatusSaid("cuda:0", "a GPU", 1, 2, 3, 4)
    worker.start()
    host.say(said)
    until(lambda: log.of("status_changed") == [(said,)])


def test_what_a_job_cost_is_remembered(worker, host, log, until):
    mask = inputs().mask
    assert worker.forecast(InpaintEdit(), mask) is None
    worker.submit(request())
    host.say(Done(100, reply(2.0)))
    until(lambda: worker.forecast(InpaintEdit(), mask) is not None)
    assert worker.forecast(InpaintEdit(), mask).seconds > 0


def test_stopping_ends_the_thread_and_the_host(worker, host, log, until):
    worker.submit(request())
    until(lambda: len(log.of("started")) == 1)
    worker.stop()
    assert host.is_closed
    assert not worker._thread.is_alive()
    worker.stop()


def test_a_worker_that_never_started_stops_at_once(worker):
    worker.stop()
    worker.start()
    assert worker._thread is None


def test_a_host_that_cannot_be_made_is_told(qtbot, tmp_path, until):
    def fail():
        raise OSError("too many open files")

    worker = EngineWorker(make_host=fail, forecasts=Forecasts(tmp_path / "forecast.json"))
    log = Log(worker)
    job = worker.submit(request())
    until(lambda: log.of("died") == [("too many open files", False)])
    assert [number for number, _ in log.of("refused")] == [job]
    again = worker.submit(request())
    until(lambda: [number for number, _ in log.of("refused")] == [job, again])
    worker.stop()


# With the engine itself -----------------------------------------------------------------------------------------------


def test_a_tiny_picture_is_filled_and_a_live_edit_replaces_another(qtbot, until, weights_file):
    worker = EngineWorker(device="cpu")
    log = Log(worker)
    try:
        given = inputs()
        edit = InpaintEdit(weights=str(weights_file))
        first = worker.submit(Request(edit, given, image_key="doc 1"))
        until(lambda: len(log.of("finished")) == 1)
        (job, answer) = log.of("finished")[0]
        assert job == first
        assert answer.box_xyxy == (20, 14, 34, 26)
        assert answer.report["device"] == "cpu"
        live = [
            Request(edit.model_copy(update={"seed": seed}), given, "doc 1", True, "doc")
            for seed in range(1, 6)
        ]
        jobs = [worker.submit(one) for one in live]
        until(lambda: len(log.of("finished")) + len(log.of("cancelled")) == 6)
        assert log.of("finished")[-1][0] == jobs[-1]
        assert log.of("finished")[-1][1].report["seed"] == 5
        assert len(log.of("cancelled")) >= 3
        assert worker.forecast(edit, given.mask).seconds > 0
        assert log.of("died") == []
    finally:
        worker.stop()


def test_the_worker_starts_in_a_process_without_torch(weights_file):
    """In a fresh interpreter with torch blocked in the parent: the child alone imports it."""
    code = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "skimage", "scipy") and __name__ == "__main__":
            raise ImportError(name + " is blocked in this test")
sys.meta_path.insert(0, Blocker())
import numpy as np
from PySide6.QtCore import QCoreApplication, QTimer
from app.worker import EngineWorker, Request
from engine.edits import EditInputs, InpaintEdit
if __name__ == "__main__":
    application = QCoreApplication([])
    worker = EngineWorker(device="cpu")
    mask = np.zeros((60, 70), np.uint8)
    mask[20:30, 20:30] = 255
    worker.finished.connect(lambda job, reply: (print(reply.box_xyxy), application.quit()))
    worker.refused.connect(lambda job, error: (print(error), application.quit()))
    QTimer.singleShot(100_000, application.quit)
    edit = InpaintEdit(weights={str(weights_file)!r})
    worker.submit(Request(edit, EditInputs(np.zeros((60, 70, 3), np.uint8), mask)))
    application.exec()
    worker.stop()
    print([name for name in ("torch", "skimage", "scipy") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["(20, 20, 30, 30)", "[]"], done.stderr


def test_stop_does_not_wait_for_a_job(qtbot, until, weights_file):
    worker = EngineWorker(device="cpu")
    log = Log(worker)
    worker.start()
    until(lambda: "ready" in log.names())
    mask = np.ones((700, 700), np.uint8)
    mask[:100] = 0
    worker.submit(Request(InpaintEdit(), EditInputs(np.zeros((700, 700, 3), np.uint8), mask)))
    until(lambda: "started" in log.names())
    start = time.perf_counter()
    worker.stop()
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize("module", ["app.__main__", "engine.host_child"])
def test_what_the_engines_process_imports_first_is_light(module):
    """What makes it slow to start makes the first fill slow."""
    code = (
        "import runpy, sys\n"
        f"runpy.run_module({module!r}, run_name='__mp_main__', alter_sys=True)\n"
        "print([name for name in ('PySide6', 'torch', 'models', 'cv2', 'skimage', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
