"""The engine in a child process; most tests run a small stand-in there, which starts at once and misbehaves on demand."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from engine.edits import EditInputs, InpaintEdit
from engine.engine import Engine
from engine.errors import DeviceError, EngineError, HostError, MaskError, OutOfMemoryError, WeightsError
from engine.host import (
    PATIENCE_S,
    STARTS_LIMIT,
    Cancelled,
    Died,
    Done,
    EngineHost,
    ProgressSaid,
    Ready,
    Refused,
    Started,
    StatusSaid,
)
from engine.host_inputs import PICTURES_KEPT
from engine.shared import Segment

ROOT = Path(__file__).resolve().parents[2]
SHM = Path("/dev/shm")
WAIT_S = 60
"""A child that has not answered by then never will; nothing waits so long where all is well."""

# What `edit.weights` says decides what the stand-in does with a job.
STAND_IN = '''
import os, signal, time
from types import SimpleNamespace

import numpy as np

from engine.errors import DeviceError, MaskError
from engine.progress import Cancelled, Progress


class StandIn:
    def __init__(self, device):
        if device == "cuda:7":
            raise DeviceError("device", "cuda:0 to cuda:0", device, "counting starts at 0")

    def status(self):
        return {
            "device": "cpu", "device_name": "stand-in", "fast_precision": "float32",
            "resident_bytes": 11, "kept_bytes": 33, "free_bytes": 22,
        }

    def warm_up(self, is_cancelled):
        pass

    def reset_peak(self):
        pass

    def peak_bytes(self):
        return 5

    def tidy(self):
        pass

    def run(self, edit, inputs, *, progress, is_cancelled, copy_picture):
        word, _, rest = edit.weights.partition(" ")
        self.copy_picture = copy_picture
        return getattr(self, word or "invert")(inputs, progress, is_cancelled, rest)

    def invert(self, inputs, progress, is_cancelled, rest):
        """Invert what is selected, as one crop."""
        image, mask = self.copy_picture(inputs.image), inputs.mask
        h, w = mask.shape
        image[mask > 0] = 255 - image[mask > 0]
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        crops = []
        if rows.size:
            hole = [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]
            crops = [{"hole": hole, "frame": [0, 0, w, h]}]
        edges = mask if inputs.drawn_edges is None else inputs.drawn_edges
        report = {"crops": crops, "pid": os.getpid(), "drawn": inputs.drawn_edges is not None,
                  "erased_sum": 0 if inputs.erased_edges is None else float(inputs.erased_edges.sum()),
                  "writeable": inputs.image.flags.writeable}
        return SimpleNamespace(image=image, edges=edges.astype(np.uint8), report=report)

    def tell(self, inputs, progress, is_cancelled, rest):
        h, w = inputs.mask.shape
        side = int(rest or 8)
        for step in range(3):
            preview = np.full((side, side, 3), step * 10, np.uint8)
            progress(Progress(step / 3, "step", preview, (1, 2, 3, 4)))
            time.sleep(0.15)
        return self.invert(inputs, progress, is_cancelled, rest)

    def listen(self, inputs, progress, is_cancelled, rest):
        """Do as the engine does: look at the flag now and then."""
        progress(Progress(0.0, "listening"))
        while not is_cancelled():
            time.sleep(0.01)
        raise Cancelled("stop")

    def deaf(self, inputs, progress, is_cancelled, rest):
        """Never look at the flag."""
        progress(Progress(0.0, "deaf"))
        time.sleep(60)

    def hog(self, inputs, progress, is_cancelled, rest):
        """Native code that lets no other thread of the process run."""
        progress(Progress(0.0, "hog"))
        time.sleep(0.05)
        pow(7, 3 ** 17)

    def late(self, inputs, progress, is_cancelled, rest):
        """Finish although cancelled."""
        progress(Progress(0.0, "late"))
        while not is_cancelled():
            time.sleep(0.01)
        return self.invert(inputs, progress, is_cancelled, rest)

    def environment(self, inputs, progress, is_cancelled, rest):
        result = self.invert(inputs, progress, is_cancelled, rest)
        result.report["said"] = os.environ.get(rest)
        return result

    def refuse(self, inputs, progress, is_cancelled, rest):
        raise MaskError("mask", "something", ("a", 3), "select something")

    def fault(self, inputs, progress, is_cancelled, rest):
        raise RuntimeError("CUDA error: an illegal memory access was encountered\\nmore lines")

    def leave(self, inputs, progress, is_cancelled, rest):
        os._exit(3)

    def hungry(self, inputs, progress, is_cancelled, rest):
        raise MemoryError

    def killed(self, inputs, progress, is_cancelled, rest):
        os.kill(os.getpid(), signal.SIGKILL)


class NeverStarts:
    def __init__(self, device):
        os._exit(9)
'''


@pytest.fixture(autouse=True)
def nothing_stays_behind():
    """No test may leave memory or a process."""
    before = shared_names()
    yield
    assert shared_names() == before


def shared_names():
    return {path.name for path in SHM.iterdir()} if SHM.is_dir() else set()


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A host of the stand-in; others with `stand_in(...)`."""
    (tmp_path / "host_stand_in.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(str(tmp_path))
    made = []

    def make(name="StandIn", **options):
        host = EngineHost(engine=f"host_stand_in:{name}", **options)
        made.append(host)
        return host

    yield make
    for host in made:
        host.close()


@pytest.fixture
def host(stand_in):
    return stand_in()


def picture(h=40, w=50, channels=(3,), kind=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, np.iinfo(kind).max + 1, (h, w, *channels), dtype=kind)


def holed(h=40, w=50, **more):
    mask = np.zeros((h, w), np.uint8)
    mask[10:20, 15:35] = 255
    return EditInputs(picture(h, w, **more), mask)


def work(word):
    return InpaintEdit(weights=word)


def started(host):
    host.start()
    return host


def events_until(host, wanted, *, count=1):
    """Everything said up to the ``count``-th event of a kind."""
    seen = []
    until = time.monotonic() + WAIT_S
    while sum(isinstance(event, wanted) for event in seen) < count:
        assert time.monotonic() < until, f"no {wanted} among {seen}"
        seen += host.poll(1.0)
    return seen


def event_of(host, wanted):
    """The next event of a kind."""
    return next(event for event in events_until(host, wanted) if isinstance(event, wanted))


def until_running(host, word):
    """Wait for a job of the stand-in to say that it is at work."""
    while event_of(host, ProgressSaid).word != word:
        pass


def is_there(process_id):
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process_id}/status")
    return not (status.exists() and "State:\tZ" in status.read_text())


def wait_until_gone(process_id):
    until = time.monotonic() + 10
    while is_there(process_id):
        assert time.monotonic() < until, f"process {process_id} is still there"
        time.sleep(0.02)


# A job ----------------------------------------------------------------------------------------------------------------


def test_a_job_comes_back_with_what_changed(host):
    inputs = holed()
    job = host.submit(InpaintEdit(), inputs)
    seen = [event for event in events_until(host, Done) if not isinstance(event, StatusSaid)]
    assert [type(event) for event in seen] == [Ready, Started, Done]
    reply = seen[-1].reply
    assert (seen[-1].job, reply.size_hw, reply.box_xyxy) == (job, (40, 50), (15, 10, 35, 20))
    assert np.array_equal(reply.patches[0].pixels, 255 - inputs.image[10:20, 15:35])
    assert np.array_equal(reply.edges_in((0, 0, 50, 40)), inputs.mask)
    assert reply.report["peak_bytes"] == 5
    assert reply.report["writeable"] is False
    whole = inputs.image.copy()
    reply.paste_into(whole)
    assert np.array_equal(whole[inputs.mask > 0], 255 - inputs.image[inputs.mask > 0])
    assert np.array_equal(whole[inputs.mask == 0], inputs.image[inputs.mask == 0])


@pytest.mark.parametrize("kind", ["named", "memfd"])
def test_memory_of_each_kind_carries_pixels(stand_in, kind):
    if kind == "memfd" and not hasattr(os, "memfd_create"):
        pytest.skip("no memfd here")
    host = stand_in(memory_kind=kind)
    inputs = holed(channels=(4,), kind=np.uint16)
    for key in ("", "a picture", "a picture"):
        host.submit(InpaintEdit(), inputs, image_key=key)
        reply = event_of(host, Done).reply
        assert np.array_equal(reply.patches[0].pixels, 255 - inputs.image[10:20, 15:35])


def test_planes_arrive_as_they_were_sent(host):
    inputs = holed()
    drawn = np.zeros(inputs.size_hw, np.uint8)
    drawn[0, 3], drawn[39, 49] = 7, 9
    erased = np.zeros(inputs.size_hw, np.float32)
    erased[5, 5] = 0.25
    for mask in (inputs.mask, inputs.mask > 0):
        host.submit(InpaintEdit(), EditInputs(inputs.image, mask, drawn, erased))
        reply = event_of(host, Done).reply
        assert np.array_equal(reply.edges_in((0, 0, 50, 40)), drawn)
        assert reply.report["erased_sum"] == 0.25


def test_an_empty_plane_is_still_a_plane(host):
    nothing = np.zeros((40, 50), np.uint8)
    host.submit(InpaintEdit(), EditInputs(picture(), nothing, nothing))
    reply = event_of(host, Done).reply
    assert (reply.patches, reply.edges, reply.box_xyxy) == ((), (), (0, 0, 0, 0))
    assert reply.report["drawn"]


def test_inputs_may_change_once_they_are_submitted(host):
    inputs = holed()
    image, mask = inputs.image.copy(), inputs.mask.copy()
    host.submit(InpaintEdit(), EditInputs(image, mask))
    image[:], mask[:] = 0, 0
    reply = event_of(host, Done).reply
    assert np.array_equal(reply.patches[0].pixels, 255 - inputs.image[10:20, 15:35])


def test_jobs_run_in_their_order(host):
    jobs = [host.submit(InpaintEdit(), holed()) for _ in range(4)]
    assert host.jobs == tuple(jobs)
    seen = events_until(host, Done, count=4)
    assert [event.job for event in seen if isinstance(event, Done)] == jobs
    assert host.jobs == ()


def test_progress_comes_with_previews_and_their_place(host):
    host.submit(work("tell"), holed())
    said = [event for event in events_until(host, Done) if isinstance(event, ProgressSaid)]
    assert [event.share for event in said] == [0, 1 / 3, 2 / 3]
    for step, event in enumerate(said):
        assert event.preview.shape == (8, 8, 3)
        assert (event.preview == step * 10).all()
        assert (event.word, event.box_xyxy) == ("step", (1, 2, 3, 4))


def test_a_preview_too_large_for_its_place_is_thinned(host):
    host.submit(work("tell 2500"), holed())
    said = event_of(host, ProgressSaid)
    assert said.preview.shape == (834, 834, 3)


def test_a_refusal_arrives_as_the_error_it_was(host):
    job = host.submit(work("refuse"), holed())
    refused = event_of(host, Refused)
    assert refused.job == job
    assert isinstance(refused.error, MaskError)
    assert str(refused.error) == "mask: expected something, got ('a', 3); select something"
    assert refused.error.hint == "select something"
    host.submit(InpaintEdit(), holed())
    event_of(host, Done)


# The picture stays ----------------------------------------------------------------------------------------------------


def sent(host, monkeypatch):
    """Words the child is told from now on."""
    words = []
    send = host._send
    monkeypatch.setattr(
        host, "_send", lambda message, *rest: (words.append(message[0]), send(message, *rest))
    )
    return words


def test_a_picture_is_sent_once_for_its_key(host, monkeypatch):
    words = sent(host, monkeypatch)
    first, second = holed(), holed(seed=1)
    for inputs, key in ((first, "a"), (first, "a"), (second, "b"), (first, "a")):
        host.submit(InpaintEdit(), inputs, image_key=key)
        reply = event_of(host, Done).reply
        assert np.array_equal(reply.patches[0].pixels, 255 - inputs.image[10:20, 15:35])
    assert words.count("picture") == 2
    assert words.count("forget") == 0


def test_pictures_that_nobody_needs_leave(host, monkeypatch):
    words = sent(host, monkeypatch)
    for key in ("a", "b", "c", "d", "", ""):
        host.submit(InpaintEdit(), holed(), image_key=key)
        event_of(host, Done)
    assert set(host._jobs.picture_keys) == {"c", "d"}
    assert words.count("forget") == 4


def test_another_picture_under_a_known_key_is_refused(host):
    host.submit(InpaintEdit(), holed(), image_key="a")
    with pytest.raises(
        HostError, match=r"image_key: expected \(40, 50, 3\) \|u1 under 'a', got \(30, 50, 3\) \|u1;"
    ):
        host.submit(InpaintEdit(), holed(h=30), image_key="a")
    event_of(host, Done)


def test_all_memory_of_a_job_is_given_back(host):
    host.submit(InpaintEdit(), holed(), image_key="a")
    event_of(host, Done)
    held = len(os.listdir("/proc/self/fd"))
    for word in ("", "refuse", "tell", ""):
        host.submit(work(word), holed(), image_key="a")
        events_until(host, Done | Refused)
    assert len(os.listdir("/proc/self/fd")) == held


def test_no_room_for_a_result_is_told(host, monkeypatch):
    host.start()
    event_of(host, Ready)
    create = Segment.create
    made = []

    def scarce(nbytes, kind):
        made.append(nbytes)
        if len(made) == 3:  # after the picture and the mask
            raise MemoryError
        return create(nbytes, kind)

    monkeypatch.setattr(Segment, "create", scarce)
    host.submit(InpaintEdit(), holed())
    error = event_of(host, Refused).error
    assert isinstance(error, OutOfMemoryError)
    assert "MiB to share" in str(error)


def test_no_room_for_a_job_is_told_at_once(host, monkeypatch):
    def full(*_):
        raise MemoryError("none")

    monkeypatch.setattr(Segment, "create", full)
    with pytest.raises(MemoryError):
        host.submit(InpaintEdit(), holed())
    assert host.jobs == ()
    assert host._jobs.picture_keys == ()


@pytest.mark.parametrize("error", [MemoryError("none"), OSError(errno.EMFILE, "too many open files")])
def test_a_process_that_cannot_be_made_is_told_like_one_that_dies(host, monkeypatch, error):
    """Neither `submit` nor `poll` raises: the job is there, and ends with one event."""

    def fails(*_):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("engine.host.ChildProcess", fails)
        job = host.submit(InpaintEdit(), holed())
        seen = events_until(host, Refused)
    assert [type(event) for event in seen] == [*[Died] * STARTS_LIMIT, Refused]
    assert seen[-1].job == job
    assert "`pentimento doctor`" in str(seen[-1].error)
    assert (host.state, host.jobs) == ("broken", ())
    host.submit(InpaintEdit(), holed())
    event_of(host, Done)


def test_a_result_that_cannot_be_shared_for_another_reason_is_told(host, monkeypatch):
    event_of(started(host), Ready)
    create = Segment.create
    made = []

    def scarce(nbytes, kind):
        made.append(nbytes)
        if len(made) == 3:  # after the picture and the mask
            raise OSError(errno.EMFILE, "too many open files")
        return create(nbytes, kind)

    monkeypatch.setattr(Segment, "create", scarce)
    host.submit(InpaintEdit(), holed())
    assert isinstance(event_of(host, Refused).error, OutOfMemoryError)


# Cancelling -----------------------------------------------------------------------------------------------------------


def test_a_waiting_job_is_cancelled_at_once(host):
    host.submit(work("listen"), holed())
    until_running(host, "listening")
    waiting = host.submit(InpaintEdit(), holed())
    assert host.cancel(waiting)
    assert event_of(host, Cancelled) == Cancelled(waiting)
    assert not host.cancel(waiting)


def test_a_job_that_listens_ends_without_its_process(host):
    job = host.submit(work("listen"), holed())
    until_running(host, "listening")
    process = host.process_id
    assert host.cancel(job)
    assert event_of(host, Cancelled) == Cancelled(job)
    host.submit(InpaintEdit(), holed())
    assert event_of(host, Done).reply.report["pid"] == process


def test_a_job_cancelled_before_the_child_is_ready_never_runs(host):
    job = host.submit(work("deaf"), holed())
    host.cancel(job)
    assert event_of(host, Cancelled) == Cancelled(job)
    other = host.submit(InpaintEdit(), holed())
    assert event_of(host, Done).job == other


@pytest.mark.parametrize("word", ["deaf", "hog"])
def test_a_job_that_does_not_look_is_ended_with_its_process_and_costs_no_other(stand_in, word):
    """``hog`` holds the interpreter's lock: not even the child's reader hears the flag."""
    host = stand_in(patience_s=0.3)
    job = host.submit(work(word), holed(), image_key="a")
    waiting = host.submit(InpaintEdit(), holed(), image_key="a")
    until_running(host, word)
    time.sleep(0.1)
    process = host.process_id
    start = time.perf_counter()
    host.cancel(job)
    host.cancel(job)  # asking twice neither shortens nor lengthens it
    ended = event_of(host, Cancelled)
    assert ended == Cancelled(job, was_killed=True)
    assert time.perf_counter() - start >= 0.3  # it was given its time
    assert host.jobs == (waiting,)
    done = event_of(host, Done)
    assert (done.job, done.reply.report["pid"] != process) == (waiting, True)
    wait_until_gone(process)


def test_a_job_may_take_two_seconds_to_look_while_others_are_taken(host):
    assert PATIENCE_S == 2.0
    job = host.submit(work("deaf"), holed())
    until_running(host, "deaf")
    host.cancel(job)
    other = host.submit(InpaintEdit(), holed())
    assert host.poll(0.4) == []
    assert host.jobs == (job, other)


def test_a_cancelled_job_that_finishes_all_the_same_is_cancelled(host):
    job = host.submit(work("late"), holed())
    until_running(host, "late")
    host.cancel(job)
    assert event_of(host, Cancelled) == Cancelled(job)


def test_a_cancelled_job_says_no_more(host):
    job = host.submit(work("tell"), holed())
    event_of(host, ProgressSaid)
    host.cancel(job)
    seen = events_until(host, Cancelled)
    assert not [event for event in seen if isinstance(event, ProgressSaid)]


# Dying ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("leave", "it left with exit code 3"),
        ("killed", "it was ended by SIGKILL, which a system short of memory does"),
        ("fault", "RuntimeError: CUDA error: an illegal memory access was encountered"),
    ],
)
def test_a_child_that_dies_costs_its_job_and_no_other(host, word, reason):
    job = host.submit(work(word), holed(), image_key="a")
    others = [host.submit(InpaintEdit(), holed(), image_key="a") for _ in range(2)]
    seen = events_until(host, Done, count=2)
    assert [event for event in seen if isinstance(event, Died)] == [Died(job, reason)]
    assert [event.job for event in seen if isinstance(event, Done)] == others
    assert sum(isinstance(event, Ready) for event in seen) == 2


def test_too_little_memory_refuses_the_job_and_spares_the_process(host):
    host.submit(work("hungry"), holed())
    assert "job: expected enough memory, got too little; close" in str(event_of(host, Refused).error)
    process = host.process_id
    host.submit(InpaintEdit(), holed())
    assert event_of(host, Done).reply.report["pid"] == process


def test_a_child_killed_from_outside_is_replaced(host):
    host.start()
    process = event_of(host, Ready).process_id
    os.kill(process, signal.SIGKILL)
    assert event_of(host, Died).job is None
    assert event_of(host, Ready).process_id != process


def test_a_child_that_never_starts_is_given_up_and_tried_again_for_the_next_job(stand_in):
    host = stand_in("NeverStarts")
    for _ in range(2):
        job = host.submit(InpaintEdit(), holed())
        seen = events_until(host, Refused)
        assert [event.reason for event in seen if isinstance(event, Died)] == [
            "it left with exit code 9"
        ] * STARTS_LIMIT
        assert seen[-1].job == job
        words = (
            "engine: expected a process that starts, got it left with exit code 9; `pentimento doctor` says"
        )
        assert str(seen[-1].error).startswith(words)
        assert host.state == "broken"


def test_a_device_that_is_not_there_is_told_once(stand_in):
    host = stand_in(device="cuda:7")
    job = host.submit(InpaintEdit(), holed())
    seen = events_until(host, Refused)
    assert [type(event) for event in seen] == [Died, Refused]
    assert seen[-1].job == job
    assert isinstance(seen[-1].error, DeviceError)
    assert host.state == "broken"


def test_ctrl_c_does_not_reach_the_child(host):
    host.start()
    process = event_of(host, Ready).process_id
    os.kill(process, signal.SIGINT)
    host.submit(InpaintEdit(), holed())
    assert event_of(host, Done).reply.report["pid"] == process


# Closing --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["listen", "deaf", "hog"])
def test_closing_ends_the_child_whatever_it_does(host, word):
    host.submit(work(word), holed())
    until_running(host, "listening" if word == "listen" else word)
    process = host.process_id
    host.close()
    host.close()
    wait_until_gone(process)
    assert host.state == "off"
    with pytest.raises(HostError, match="engine: expected an open host, got a closed one"):
        host.submit(InpaintEdit(), holed())
    assert host.poll(1.0) == []


def test_descriptors_are_given_back(stand_in):
    stand_in().close()
    held = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        host = stand_in()
        host.submit(InpaintEdit(), holed(), image_key="a")
        event_of(host, Done)
        host.close()
    assert len(os.listdir("/proc/self/fd")) <= held


PARENT = """
    import sys, time
    import numpy as np
    from engine.edits import EditInputs, InpaintEdit
    from engine.host import EngineHost, ProgressSaid

    if __name__ == "__main__":
        host = EngineHost(engine="host_stand_in:StandIn", memory_kind=sys.argv[2])
        image, mask = np.zeros((300, 300, 3), np.uint8), np.ones((300, 300), np.uint8)
        host.submit(InpaintEdit(weights=sys.argv[1]), EditInputs(image, mask), image_key="a")
        while not any(isinstance(event, ProgressSaid) for event in host.poll(1)):
            pass
        print(host.process_id, flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize("kind", ["named", "memfd"])
@pytest.mark.parametrize("word", ["listen", "deaf"])
def test_the_child_leaves_when_its_parent_is_killed(stand_in, tmp_path, word, kind):
    if kind == "memfd" and not hasattr(os, "memfd_create"):
        pytest.skip("no memfd here")
    before = shared_names()
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent(PARENT))
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    parent = subprocess.Popen(
        [sys.executable, script, word, kind],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True,
    )  # fmt: skip
    try:
        child = int(parent.stdout.readline())
        assert is_there(child)
        if kind == "memfd":
            assert shared_names() == before
        else:
            assert len(shared_names()) > len(before)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    wait_until_gone(child)
    until = time.monotonic() + 10  # the resource tracker clears up after both
    while shared_names() != before:
        assert time.monotonic() < until, shared_names() - before
        time.sleep(0.05)


# Threads --------------------------------------------------------------------------------------------------------------


def test_wake_ends_a_wait(host):
    host.start()
    event_of(host, StatusSaid)
    host.poll(0.2)
    timer = threading.Timer(0.1, host.wake)
    timer.start()
    start = time.perf_counter()
    assert host.poll(30) == []
    assert time.perf_counter() - start < 10
    timer.join()


def test_cancel_from_another_thread_ends_the_wait_of_the_owner(host):
    job = host.submit(work("listen"), holed())
    until_running(host, "listening")
    timer = threading.Timer(0.1, host.cancel, (job,))
    timer.start()
    assert event_of(host, Cancelled) == Cancelled(job)
    timer.join()


def test_status_is_told_when_asked(host):
    host.start()
    event_of(host, StatusSaid)
    host.ask_status()
    said = event_of(host, StatusSaid)
    assert (said.device_name, said.resident_bytes, said.free_bytes, said.kept_bytes) == (
        "stand-in",
        11,
        22,
        33,
    )
    assert said.process_bytes > 1 << 20


def test_states_are_told(host):
    assert host.state == "off"
    host.submit(work("listen"), holed())
    assert host.state == "starting"
    until_running(host, "listening")
    assert host.state == "busy"
    host.cancel(host.jobs[0])
    event_of(host, Cancelled)
    assert host.state == "ready"


# The engine itself ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real():
    with EngineHost(device="cpu") as host:
        yield host


@pytest.mark.parametrize(
    ("layout", "kind", "edit"),
    [
        ((3,), np.uint8, {}),
        ((4,), np.uint16, {"seed": 3}),
        ((), np.uint8, {"expand_ltrb": (8, 0, 16, 4)}),
        ((3,), np.uint8, {"working_size_px": 64, "context": "full"}),
    ],
)
def test_the_answer_is_the_engines_own_bit_for_bit(real, small_weights, layout, kind, edit):
    image = picture(200, 260, layout, kind)
    mask = np.zeros((200, 260), np.uint8)
    mask[20:40, 20:50], mask[150:180, 210:240] = 255, 128
    inputs = EditInputs(image, mask)
    edit = InpaintEdit(weights=str(small_weights), **edit)
    wanted = Engine(device="cpu").run(edit, inputs)
    real.submit(edit, inputs)
    reply = event_of(real, Done | Refused).reply
    assert reply.size_hw == wanted.image.shape[:2]
    left, top, _, _ = edit.expand_ltrb
    whole = np.zeros_like(wanted.image)
    whole[top : top + 200, left : left + 260] = image
    if edit.is_expanding and layout == (4,):
        whole[..., 3] = np.iinfo(kind).max
    reply.paste_into(whole)
    assert np.array_equal(whole, wanted.image)
    height, width = wanted.edges.shape
    assert np.array_equal(reply.edges_in((0, 0, width, height)), wanted.edges)
    told, known = dict(reply.report), dict(wanted.report)
    for report in (told, known):
        report.pop("seconds")
        report.pop("peak_bytes", None)
    assert told == known


def test_weights_deleted_while_in_use_are_told_and_the_engine_goes_on(real, small_weights, tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(small_weights.read_bytes())
    edit = InpaintEdit(weights=str(path))
    real.submit(edit, holed(), image_key="a")
    event_of(real, Done)
    process = real.process_id
    path.unlink()
    real.submit(edit, holed(), image_key="a")
    error = event_of(real, Refused).error
    assert isinstance(error, WeightsError)
    assert "mine.safetensors" in str(error)
    path.write_bytes(small_weights.read_bytes())
    real.submit(edit, holed(), image_key="a")
    event_of(real, Done)
    assert real.process_id == process


def test_the_status_of_the_engine_is_told(real, small_weights):
    real.submit(InpaintEdit(weights=str(small_weights)), holed())
    said = event_of(real, StatusSaid)
    assert (said.device, said.device_name) == ("cpu", "cpu")
    assert said.resident_bytes > 1000
    assert said.free_bytes > 1 << 20


def test_the_parent_never_imports_torch(small_weights):
    """In a fresh interpreter, through a whole job, cv2 and scikit-image included."""
    code = f"""
    import sys
    import numpy as np
    from engine.edits import EditInputs, InpaintEdit
    from engine.forecast import Forecasts
    from engine.host import Done, EngineHost

    if __name__ == "__main__":
        mask = np.zeros((60, 70), np.uint8)
        mask[20:30, 20:30] = 255
        with EngineHost(device="cpu") as host:
            host.submit(InpaintEdit(weights={str(small_weights)!r}), EditInputs(np.zeros((60, 70, 3), np.uint8), mask))
            seen = []
            while not any(isinstance(event, Done) for event in seen):
                seen += host.poll(60)
        print([name for name in ("torch", "models", "cv2", "skimage", "scipy") if name in sys.modules])
    """
    script = textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_errors_of_the_host_are_errors_of_the_engine():
    assert issubclass(HostError, EngineError)


def test_threads_of_the_child_do_not_spin_and_let_the_window_go_first(host):
    host.start()
    process = event_of(host, Ready).process_id
    if not hasattr(os, "getpriority"):
        pytest.skip("no priorities here")
    assert os.getpriority(os.PRIO_PROCESS, process) > os.getpriority(os.PRIO_PROCESS, 0)
    host.submit(InpaintEdit(weights="environment OMP_WAIT_POLICY"), holed())
    assert event_of(host, Done).reply.report["said"] == os.environ.get("OMP_WAIT_POLICY", "PASSIVE")


@pytest.mark.parametrize("seed", [1, 2])
def test_every_job_ends_once_whatever_happens(host, seed):
    """Random jobs, cancelled at random moments, some of which take the process with them."""
    rng = np.random.default_rng(seed)
    words = ["", "", "", "listen", "late", "refuse", "tell", "deaf", "leave", "fault"]
    jobs, seen = [], []
    for _ in range(25):
        word = words[rng.integers(len(words))]
        jobs.append(
            host.submit(work(word), holed(), image_key=str(rng.integers(4)) if rng.random() < 0.7 else "")
        )
        seen += host.poll(float(rng.random() * 0.1))
        if rng.random() < 0.5:
            host.cancel(int(rng.choice(jobs)))
    until = time.monotonic() + WAIT_S
    while host.jobs:
        assert time.monotonic() < until, host.jobs
        host.cancel(host.jobs[0])
        seen += host.poll(0.3)
    seen += host.poll()
    ends = [event.job for event in seen if isinstance(event, Done | Refused | Cancelled | Died)]
    assert sorted(job for job in ends if job is not None) == jobs
    last = host.submit(InpaintEdit(), holed(), image_key="last")
    assert event_of(host, Done).job == last
    assert len(host._jobs.picture_keys) <= PICTURES_KEPT + 1
