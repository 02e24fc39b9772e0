"""The engine in a process of its own: nothing that happens there can take the window or a document with it.

The parent never imports torch. It holds the list of jobs, hands one at a time to the child, and tells what became of
each. `EngineHost` has no thread: whoever owns it calls `poll`, which waits, takes in what the child says, and keeps the
promises below. `wake` ends a wait from another thread.

* Every submitted job ends with exactly one event: `Done`, `Refused`, `Cancelled` or `Died`.
* Cancelling is a flag that the engine looks at between steps and between layers. A job that has not ended after
  `PATIENCE_S` is ended with its process; the next process starts with the next `poll`. Nobody has to wait for that:
  other jobs can be submitted meanwhile.
* A child that dies costs the job it ran. The jobs that wait are kept. After `STARTS_LIMIT` children that died before
  they were ready, waiting jobs are refused; the next job starts another attempt.
* When the parent dies, however that happens, its end of the pipe closes and the child leaves.

Pixels go through shared memory in both directions (see shared.py). A picture stays with the child under its
``image_key``, so that a live edit sends no more than the rows of its masks that hold something. Of a result only the
holes come back, since nothing else may have changed.

Elsewhere: the list of jobs in host_jobs.py, events in host_events.py, the way there in host_inputs.py and back in
host_results.py, the process in host_process.py, what runs in it in host_child.py; a Qt face for this in app/worker.py.
"""

import logging
import multiprocessing
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import wait
from typing import Any, Literal

import numpy as np

from engine.edits import Edit, EditInputs
from engine.errors import EngineError, HostError
from engine.host_child import Setup
from engine.host_events import (
    BoxXYXY,
    Cancelled,
    Died,
    Done,
    HostEvent,
    HostReply,
    Patch,
    ProgressSaid,
    Ready,
    Refused,
    Started,
    StatusSaid,
)
from engine.host_jobs import HostJob, JobList
from engine.host_process import ChildProcess
from engine.host_results import ResultPart, reply_of
from engine.shared import BEST_KIND, Kind, Layout, Segment

__all__ = [
    "STARTS_LIMIT",
    "BoxXYXY",
    "Cancelled",
    "Died",
    "Done",
    "EngineHost",
    "HostEvent",
    "HostReply",
    "Patch",
    "ProgressSaid",
    "Ready",
    "Refused",
    "Started",
    "State",
    "StatusSaid",
]

_log = logging.getLogger(__name__)

PATIENCE_S = 2.0
"""How long a cancelled job may take to end by itself. A new process takes longer, and has forgotten all networks."""
STARTS_LIMIT = 3
"""Children in a row that may die before they are ready."""
FAREWELL_S = 0.5
"""How long a child may take to leave when the host is closed."""

State = Literal["off", "starting", "ready", "busy", "broken"]


class EngineHost:
    """An engine in a child process. Nothing starts before `start` or the first `submit`.

    Methods may be called from any thread, `poll` and `close` from the one that owns the host.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        engine: what the child runs, as ``module:class``; another one in tests.
        patience_s: how long a cancelled job may take to end by itself.
        memory_kind: how memory is shared; the best this system has.
    """

    def __init__(
        self,
        *,
        device: str = "auto",
        engine: str = "engine.engine:Engine",
        patience_s: float = PATIENCE_S,
        memory_kind: Kind = BEST_KIND,
    ) -> None:
        self._setup = Setup(device, engine)
        self._patience_s = patience_s
        self._memory_kind = memory_kind
        self._lock = threading.RLock()
        self._waker, self._alarm = multiprocessing.Pipe(duplex=False)
        # Of its own, so that `wake` never waits for a copy of a picture that holds the other lock.
        self._alarm_lock = threading.Lock()
        self._events: list[HostEvent] = []
        self._jobs = JobList(memory_kind, self._forget)
        self._child: ChildProcess | None = None
        self._dying: list[ChildProcess] = []
        self._is_wanted = False
        """Whether there should be a child; `_work` starts one then."""
        self._failed_starts = 0
        self._is_closed = False

    @property
    def state(self) -> State:
        """What the child is at."""
        with self._lock:
            if self._child is None and not self._is_wanted:
                return "broken" if self._failed_starts >= STARTS_LIMIT else "off"
            if self._child is None or not self._child.is_ready:
                return "starting"
            return "ready" if self._jobs.running is None else "busy"

    @property
    def process_id(self) -> int | None:
        """Of the child that is there now."""
        with self._lock:
            return None if self._child is None else self._child.process_id

    @property
    def jobs(self) -> tuple[int, ...]:
        """Jobs that have not ended, the running one first."""
        with self._lock:
            return self._jobs.numbers

    def start(self) -> None:
        """Start the child if there is none; it says `Ready` when it takes jobs."""
        with self._lock:
            if not self._is_wanted and not self._is_closed:
                self._is_wanted = True
                self._failed_starts = 0
                self._spawn()

    def submit(self, edit: Edit, inputs: EditInputs, *, image_key: str = "") -> int:
        """Put a job at the end of the list. Arrays are copied before this returns.

        Args:
            edit: what to do.
            inputs: what to do it to.
            image_key: names the content of ``inputs.image``: while the key stays the same, it is not sent again.
                Empty = this picture is for this job alone.

        Returns:
            The job's number, which its events carry.

        Raises:
            MemoryError: if there is no room for the copies.
            HostError: if the host was closed, or the key stands for a picture of another size or type.
        """
        with self._lock:
            if self._is_closed:
                raise HostError("engine", "an open host", "a closed one", "make another one")
            number = self._jobs.add(edit, inputs, image_key)
            self.start()
            self._send_next()
            return number

    def cancel(self, job: int) -> bool:
        """Ask a job to stop. Its end is told by `Cancelled`, whatever it had reached.

        Returns:
            Whether there was such a job.
        """
        with self._lock:
            running = self._jobs.running
            if running is not None and running.number == job:
                if not running.is_cancelled:
                    running.is_cancelled = True
                    running.cancel_by = time.monotonic() + self._patience_s
                    self._send(("cancel", job))
            else:
                waiting = self._jobs.end_waiting(job)
                if waiting is None:
                    return False
                self._end(waiting, Cancelled(job))
            self.wake()
            return True

    def ask_status(self) -> None:
        """Have the child say `StatusSaid`."""
        with self._lock:
            self._send(("status",))

    def wake(self) -> None:
        """End a `poll` that waits in another thread."""
        with self._alarm_lock:
            if not self._alarm.closed and not self._waker.poll():
                self._alarm.send_bytes(b".")

    def poll(self, timeout_s: float = 0.0) -> list[HostEvent]:
        """Take in what has happened, and end what was cancelled and would not end.

        Args:
            timeout_s: how long to wait if nothing has happened yet.

        Returns:
            Events in their order; none if nothing happened.
        """
        until = time.monotonic() + timeout_s
        while True:
            with self._lock:
                self._work()
                if self._events or self._is_closed or time.monotonic() >= until:
                    events, self._events = self._events, []
                    return events
                sources: list[Any] = [self._waker]
                if self._child is not None:
                    sources.append(self._child.connection)  # at its end when the process is gone
                running = self._jobs.running
                by = until if running is None else min(until, running.cancel_by)
            wait(sources, max(by - time.monotonic(), 0))
            with self._alarm_lock:
                if not self._waker.closed and self._waker.poll():
                    self._waker.recv_bytes()
                    until = 0.0

    def close(self) -> None:
        """End the child and let go of all shared memory. Jobs that have not ended are dropped without an event."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._is_wanted = False
            if self._child is not None:
                self._end_child(self._child, FAREWELL_S)
            self._reap(FAREWELL_S)
            self._jobs.close()
            with self._alarm_lock:
                self._alarm.close()
                self._waker.close()

    def __enter__(self) -> "EngineHost":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The child ---------------------------------------------------------------------------------------------------------

    def _forget(self, key: str) -> None:
        """No job needs a picture any more; the child lets go of it."""
        if self._child is not None and key in self._child.pictures:
            self._child.pictures.discard(key)
            self._send(("forget", key))

    def _spawn(self) -> None:
        try:
            self._child = ChildProcess(self._setup, self._memory_kind)
        except (OSError, MemoryError) as error:  # no process, no memory or no descriptors left
            self._failed_starts += 1
            self._tell_lost(None, f"it could not be started: {error}")

    def _send(self, message: tuple[Any, ...], segment: Segment | None = None) -> None:
        if self._child is not None:
            self._child.send(message, segment)

    def _send_next(self) -> None:
        """Give the child the next job if it is free."""
        child = self._child
        if child is None or not child.is_ready:
            return
        job = self._jobs.start_next()
        if job is None:
            return
        picture = self._jobs.picture(job)
        if job.image_key not in child.pictures:
            child.pictures.add(job.image_key)
            self._send(("picture", job.image_key, picture.layout, picture.segment.address), picture.segment)
        planes = [(plane.name, plane.layout, plane.shape, plane.first_row) for plane in job.planes]
        address = None if job.segment is None else job.segment.address
        self._send(("job", job.number, job.edit, job.image_key, planes, address), job.segment)
        self._events.append(Started(job.number))

    def _work(self) -> None:
        """All there is to do now, without waiting."""
        self._reap()
        if self._child is None and self._is_wanted:
            self._spawn()
        child = self._child
        if child is None:
            return
        # Looked at before the last messages are read: what a child said before it died counts.
        has_died = child.has_ended
        try:
            while self._child is child and child.connection.poll():
                self._take(child.connection.recv())
        except (EOFError, OSError):
            has_died = True
        if self._child is not child:
            return
        if has_died:
            self._lose(child, child.reason())
        elif self._jobs.running is not None and time.monotonic() >= self._jobs.running.cancel_by:
            self._kill_for(self._jobs.running)
        self._send_next()

    def _lose(self, child: ChildProcess, reason: str) -> None:
        """Tell that a child is gone, and start another unless that has failed too often."""
        self._failed_starts = 0 if child.is_ready else self._failed_starts + 1
        self._end_child(child, 0)
        job, self._jobs.running = self._jobs.running, None
        self._tell_lost(job, reason)

    def _tell_lost(self, job: HostJob | None, reason: str) -> None:
        """Tell that there is no child any more, which ends its job; after too many tries, the waiting ones too."""
        if job is not None and job.is_cancelled:
            self._end(job, Cancelled(job.number, was_killed=True))
            self._events.append(Died(None, reason))
        elif job is not None:
            self._end(job, Died(job.number, reason))
        else:
            self._events.append(Died(None, reason))
        _log.warning("the engine's process ended: %s", reason)
        if self._failed_starts < STARTS_LIMIT:
            return
        self._is_wanted = False
        hint = "`pentimento doctor` says what is wrong; the next job tries again"
        error = HostError("engine", "a process that starts", reason, hint)
        self._refuse_all(error)

    def _refuse_all(self, error: EngineError) -> None:
        while (job := self._jobs.end_waiting()) is not None:
            self._end(job, Refused(job.number, error))

    def _kill_for(self, job: HostJob) -> None:
        """A cancelled job does not end: its process does."""
        child = self._child
        assert child is not None, "a job runs in a child"
        _log.info("job %d did not end when it was asked to; its process is ended", job.number)
        self._jobs.running = None
        self._end_child(child, 0)
        self._end(job, Cancelled(job.number, was_killed=True))

    def _end_child(self, child: ChildProcess, patience_s: float) -> None:
        """Have a process gone. It may take a moment to go; nobody waits for that."""
        if self._child is child:
            self._child = None
        child.end(patience_s)
        self._dying.append(child)

    def _reap(self, wait_s: float = 0.0) -> None:
        """Let go of processes that are gone now."""
        self._dying = [child for child in self._dying if not child.let_go(wait_s)]

    # What the child says -----------------------------------------------------------------------------------------------

    def _take(self, message: tuple[Any, ...]) -> None:
        take: Mapping[str, Callable[..., None]] = {
            "ready": self._take_ready,
            "unfit": self._take_unfit,
            "status": self._take_status,
            "progress": self._take_progress,
            "room": self._take_room,
            "done": self._take_done,
            "refused": self._take_refused,
            "cancelled": self._take_cancelled,
            "fault": self._take_fault,
        }
        take[message[0]](*message[1:])

    def _take_ready(self, facts: dict[str, Any], seconds: float) -> None:
        child = self._child
        assert child is not None, "who speaks is there"
        child.is_ready = True
        self._failed_starts = 0
        self._events.append(
            Ready(
                facts["device"],
                facts["device_name"],
                facts["fast_precision"],
                seconds,
                child.process_id,
            )
        )
        self._take_status(facts)
        self._send_next()

    def _take_unfit(self, error: EngineError) -> None:
        """The asked device is not there: another child would say the same."""
        child = self._child
        assert child is not None, "who speaks is there"
        self._failed_starts = STARTS_LIMIT
        self._is_wanted = False
        self._end_child(child, FAREWELL_S)
        self._events.append(Died(None, str(error)))
        self._refuse_all(error)

    def _take_status(self, facts: dict[str, Any]) -> None:
        self._events.append(
            StatusSaid(
                facts["device"],
                facts["device_name"],
                facts["resident_bytes"],
                facts["free_bytes"],
                facts["process_bytes"],
                facts["kept_bytes"],
            )
        )

    def _take_progress(
        self, number: int, share: float, word: str, layout: Layout | None, box: BoxXYXY | None
    ) -> None:
        preview = None
        if layout is not None and self._child is not None:
            preview = np.array(self._child.preview.view(layout))
            self._send(("seen",))
        job = self._jobs.running
        if job is not None and job.number == number and not job.is_cancelled:
            self._events.append(ProgressSaid(number, share, word, preview, box))

    def _take_room(self, number: int, nbytes: int) -> None:
        """The child has a result of so many bytes to write."""
        job = self._jobs.running
        if job is None or job.number != number:
            return
        try:
            job.room = Segment.create(nbytes, self._memory_kind)
        except (OSError, MemoryError):  # no memory or no descriptors left
            self._send(("room", number, None))
            return
        self._send(("room", number, job.room.address), job.room)

    def _take_done(
        self,
        number: int,
        report: dict[str, Any],
        size_hw: tuple[int, int],
        parts: tuple[ResultPart, ...],
    ) -> None:
        job = self._jobs.end_running(number)
        if job is None:
            return
        reply = reply_of(size_hw, report, parts, job.room)
        self._end(job, Cancelled(number) if job.is_cancelled else Done(number, reply))

    def _take_refused(self, number: int, error: EngineError) -> None:
        job = self._jobs.end_running(number)
        if job is not None:
            self._end(job, Cancelled(number) if job.is_cancelled else Refused(number, error))

    def _take_cancelled(self, number: int) -> None:
        job = self._jobs.end_running(number)
        if job is not None:
            self._end(job, Cancelled(number))

    def _take_fault(self, number: int, words: str, trace: str) -> None:
        """Something nobody foresaw, as a fault of the GPU: what the process holds can no longer be trusted."""
        child = self._child
        assert child is not None, "who speaks is there"
        _log.error("job %d: %s\n%s", number, words, trace)
        self._lose(child, words)

    def _end(self, job: HostJob, event: HostEvent) -> None:
        """Tell a job's end and let go of its memory; the one place where jobs end."""
        self._jobs.release(job)
        self._events.append(event)
