"""The engine for the window: requests out, signals back, nothing that blocks.

A background thread owns the `EngineHost`, whose child process runs the networks. Everything public here may be called
from the GUI thread and returns at once; signals arrive there, since receivers live there. One job runs at a time:

* Requests run in the order they came.
* A live request (`Request.is_live`) takes the place of a live one of the same tag, waiting or running: the latest wins.
* A job that is cancelled has ended for whoever listens, at once and whatever the engine is in: `cancelled` asks neither
  the thread nor the process. The engine gets the host's patience to stop by itself, since a new process takes seconds;
  the next job is taken meanwhile and waits there.
* Every request ends with exactly one of `finished`, `refused` and `cancelled`.

If the engine's process dies, the job it ran is refused with `EngineLostError`, `died` tells why, and the requests that
wait go on in the next process. Where processes die before they are ready, the host starts no more of them, `died` says
so, and what waits is refused; the next request is another attempt.
"""

import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PySide6.QtCore import QObject, Qt, Signal, SignalInstance

from app.errors import EngineLostError
from app.notices import NOTICES
from engine.edits import Edit, EditInputs
from engine.forecast import Forecast, Forecasts
from engine.host import (
    Cancelled,
    Died,
    Done,
    EngineHost,
    HostEvent,
    ProgressSaid,
    Ready,
    Refused,
    Started,
    State,
    StatusSaid,
)

_log = logging.getLogger(__name__)

IDLE_S = 1.0
"""How long the thread waits for something to happen; a request wakes it at once."""
STOP_S = 3.0
"""How long `EngineWorker.stop` waits for the thread."""


@dataclass(frozen=True, eq=False)
class Request:
    """One job for the engine. Arrays are handed over: nobody may write to them until the job has ended."""

    edit: Edit
    inputs: EditInputs
    image_key: str = ""
    """Names the content of ``inputs.image``, as the document's opening and picture revision do: while it stays the same the
    picture is not sent again. Empty = never the same."""
    is_live: bool = False
    """Whether a newer live request makes this one pointless."""
    tag: str = ""
    """Which live requests replace each other; the document's opening, for example."""


class Host(Protocol):
    """What the worker needs of `engine.host.EngineHost`."""

    @property
    def state(self) -> State: ...  # noqa: D102
    def start(self) -> None: ...  # noqa: D102
    def submit(self, edit: Edit, inputs: EditInputs, *, image_key: str = "") -> int: ...  # noqa: D102
    def cancel(self, job: int) -> bool: ...  # noqa: D102
    def ask_status(self) -> None: ...  # noqa: D102
    def poll(self, timeout_s: float = 0.0) -> Sequence[HostEvent]: ...  # noqa: D102
    def wake(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


@dataclass(eq=False)
class _Job:
    number: int
    request: Request
    host_number: int | None = None
    """What the host calls it; None until it has it."""


class EngineWorker(QObject):
    """Runs requests in the engine's process and tells what became of them.

    Args:
        parent: owner in Qt's sense.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        make_host: makes the host, on the worker's thread; another one in tests.
        forecasts: past runs; those of the user's cache where None.
    """

    ready = Signal(object)
    """`engine.host.Ready`: the engine has started, or started again."""
    started = Signal(object)
    """The job's number: it runs now."""
    progressed = Signal(object)
    """`engine.host.ProgressSaid`; its ``job`` is the number that `submit` gave."""
    finished = Signal(object, object)
    """The job's number and its `engine.host.HostReply`."""
    refused = Signal(object, object)
    """The job's number and the error: an `EngineError`, or an `EngineLostError` if the engine died of it."""
    cancelled = Signal(object)
    """The job's number: it was cancelled, or a newer one took its place. Told from the event loop, never within `cancel`."""
    died = Signal(str, bool)
    """Why the engine's process ended, in words, and whether another one is starting."""
    status_changed = Signal(object)
    """`engine.host.StatusSaid`."""
    _let_go = Signal(object)

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        device: str = "auto",
        make_host: Callable[[], Host] | None = None,
        forecasts: Forecasts | None = None,
    ) -> None:
        super().__init__(parent)
        self._make_host = make_host or (lambda: EngineHost(device=device))
        self._forecasts = Forecasts(on_notice=NOTICES.add) if forecasts is None else forecasts
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._queue: deque[_Job] = deque()
        self._running: _Job | None = None
        """The host has it, or is about to; who sets this to None tells the job's end."""
        self._to_cancel: list[_Job] = []
        """Ended for the window; the host is still to hear of it."""
        self._is_status_wanted = False
        self._is_stopping = False
        self._host: Host | None = None
        self._thread: threading.Thread | None = None
        self._let_go.connect(self.cancelled, Qt.ConnectionType.QueuedConnection)

    # Called by the window ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread, which starts the engine. Call after the first paint: it takes the processor for a while."""
        with self._lock:
            if self._thread is None and not self._is_stopping:
                self._thread = threading.Thread(target=self._run, name="engine worker", daemon=True)
                self._thread.start()

    def submit(self, request: Request) -> int:
        """Ask for a job; returns its number at once."""
        with self._lock:
            job = _Job(next(self._numbers), request)
            if request.is_live:
                self._replace_live(request.tag)
            self._queue.append(job)
        self.start()
        self._wake()
        return job.number

    def cancel(self, job: int) -> None:
        """End a job, waiting or running; nothing happens if it has ended already."""
        with self._lock:
            self._drop([other for other in self._all() if other.number == job])
        self._wake()

    def cancel_all(self) -> None:
        """End the running job, and forget those that wait."""
        with self._lock:
            self._drop(self._all())
        self._wake()

    def ask_status(self) -> None:
        """Have `status_changed` told."""
        with self._lock:
            self._is_status_wanted = True
        self._wake()

    def stop(self) -> None:
        """End the engine's process and the thread; jobs end without a signal. Waits until they are gone."""
        with self._lock:
            self._is_stopping = True
            thread = self._thread
        self._wake()
        if thread is not None:
            thread.join(STOP_S)

    def forecast(
        self, edit: Edit, mask: np.ndarray | None, *, size_hw: tuple[int, int] | None = None
    ) -> Forecast | None:
        """What a job is expected to cost, from this machine's past runs; None where there are none like it.

        Some milliseconds for a large mask, so not for every event of a stroke.
        """
        return self._forecasts.forecast(edit, mask, size_hw=size_hw)

    @property
    def job_count(self) -> int:
        """Jobs that wait or run."""
        with self._lock:
            return len(self._all())

    @property
    def running_job(self) -> int | None:
        """Number of the job that runs."""
        with self._lock:
            return None if self._running is None else self._running.number

    # With the lock held ------------------------------------------------------------------------------------------------

    def _all(self) -> list[_Job]:
        """Jobs that have not ended, the running one first."""
        return [*filter(None, [self._running]), *self._queue]

    def _replace_live(self, tag: str) -> None:
        """A newer live request has come."""
        self._drop([job for job in self._all() if job.request.is_live and job.request.tag == tag])

    def _drop(self, jobs: list[_Job]) -> None:
        for job in jobs:
            if job is self._running:
                self._running = None
                self._to_cancel.append(job)
            else:
                self._queue.remove(job)
            _emit(self._let_go, job.number)

    def _wake(self) -> None:
        host = self._host
        if host is not None:
            host.wake()

    # On the thread -----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  (a thread that ends without a word would be worse)
            _log.exception("the engine's worker failed")
            self._give_up(error)

    def _work(self) -> None:
        """Own a host until the worker is stopped."""
        host = self._make_host()
        self._host = host
        try:
            host.start()
            while not self._is_stopping:
                self._serve(host)
        finally:
            self._host = None
            host.close()

    def _give_up(self, error: Exception) -> None:
        """Refuse what is left; the next request starts another thread."""
        with self._lock:
            left = self._all()
            self._queue.clear()
            self._to_cancel = []
            self._running = self._thread = None
        _emit(self.died, str(error), False)
        hint = "save your work and start the program again; the log has the details"
        for job in left:
            _emit(
                self.refused,
                job.number,
                EngineLostError(
                    "engine", "to take a job", str(error), hint, said=f"it could not take the job: {error}"
                ),
            )

    def _serve(self, host: Host) -> None:
        """Carry out what was asked, then wait for what happens."""
        with self._lock:
            to_cancel, self._to_cancel = self._to_cancel, []
            is_status_wanted, self._is_status_wanted = self._is_status_wanted, False
        for job in to_cancel:
            if job.host_number is not None:
                host.cancel(job.host_number)
        if is_status_wanted:
            host.ask_status()
        self._send_next(host)
        for event in host.poll(IDLE_S):
            self._tell(event, host)

    def _send_next(self, host: Host) -> None:
        with self._lock:
            if self._running is not None or not self._queue:
                return
            job = self._running = self._queue.popleft()
        request = job.request
        try:
            job.host_number = host.submit(request.edit, request.inputs, image_key=request.image_key)
        except Exception as error:  # noqa: BLE001  (whatever it is, this job ends with it and the next one runs)
            self._end(job, self.refused, error)

    def _tell(self, event: HostEvent, host: Host) -> None:
        if isinstance(event, Ready):
            _emit(self.ready, event)
            self._forecasts.prepare()
        elif isinstance(event, StatusSaid):
            _emit(self.status_changed, event)
        elif isinstance(event, Died):
            if (job := self._running_as(event.job)) is not None:
                hint = "it starts again, the document is as it was; try once more, or a smaller hole"
                error = EngineLostError(
                    "engine",
                    "to finish the job",
                    event.reason,
                    hint,
                    said=f"it stopped on the way: {event.reason}",
                )
                self._end(job, self.refused, error)
            _emit(self.died, event.reason, host.state != "broken")
        elif (job := self._running_as(event.job)) is not None:
            self._tell_of_job(job, event)

    def _running_as(self, host_number: int | None) -> _Job | None:
        """The running job, if the host means it."""
        job = self._running
        return job if job is not None and job.host_number == host_number is not None else None

    def _tell_of_job(self, job: _Job, event: Started | ProgressSaid | Done | Refused | Cancelled) -> None:
        if isinstance(event, Started):
            _emit(self.started, job.number)
        elif isinstance(event, ProgressSaid):
            said = ProgressSaid(job.number, event.share, event.word, event.preview, event.box_xyxy)
            _emit(self.progressed, said)
        elif isinstance(event, Done):
            self._end(job, self.finished, event.reply)
            self._forecasts.remember(job.request.edit, event.reply.report)
        elif isinstance(event, Refused):
            self._end(job, self.refused, event.error)
        else:
            self._end(job, self.cancelled)

    def _end(self, job: _Job, signal: SignalInstance, *told: object) -> None:
        """Tell a job's end, unless it was cancelled meanwhile, which has been told."""
        with self._lock:
            if self._running is not job:
                return
            self._running = None
        _emit(signal, job.number, *told)


def _emit(signal: SignalInstance, *told: object) -> None:
    """Emit, unless the window is gone already while its thread still ends."""
    try:
        signal.emit(*told)
    except RuntimeError:
        _log.debug("nobody is left to tell")
