"""The engine in a process of its own: nothing that happens there can take the window or a document with it.

The parent never imports torch. It holds the list of jobs, hands one at a time to the child, and tells what became of
each. `EngineHost` has no thread: whoever owns it calls `poll`, which waits, takes in what the child says, and keeps the
promises below. `wake` ends a wait from another thread.

* Every submitted job ends with exactly one event: `Done`, `Refused`, `Cancelled` or `Died`.
* Cancelling is a flag that the engine looks at between steps and between layers. A job that has not ended after
  `PATIENCE_S` is ended with its process; the next process starts with the next `poll`.
* A child that dies costs the job it ran. The jobs that wait are kept. After `STARTS_LIMIT` children that died before
  they were ready, waiting jobs are refused; the next job starts another attempt.
* When the parent dies, however that happens, its end of the pipe closes and the child leaves.

Pixels go through shared memory in both directions (see shared.py). A picture stays with the child under its
``image_key``, so that a live edit sends no more than the rows of its masks that hold something. Of a result only the
holes come back, since nothing else may have changed.

Elsewhere: the child in host_child.py; a Qt face for this in app/worker.py.
"""

import itertools
import logging
import multiprocessing
import signal
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Literal

import numpy as np

from engine.edits import Edit, EditInputs
from engine.errors import EngineError, HostError
from engine.host_child import Setup, serve
from engine.shared import BEST_KIND, Kind, Layout, Segment

_log = logging.getLogger(__name__)

PATIENCE_S = 0.2
"""How long a cancelled job may take to end by itself; with the kill it stays below 300 ms."""
STARTS_LIMIT = 3
"""Children in a row that may die before they are ready."""
PICTURES_KEPT = 2
"""Pictures that stay with the child though no job waits for them."""
PREVIEW_BYTES = 3 << 20
"""Room for one preview, 1024x1024 in colour; a larger one is thinned out."""
FAREWELL_S = 0.5
"""How long a child may take to leave when the host is closed."""

PLANES = ("mask", "drawn_edges", "erased_edges")

BoxXYXY = tuple[int, int, int, int]
State = Literal["off", "starting", "ready", "busy", "broken"]


# What is told ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ready:
    """The child has its device and takes jobs."""

    device: str
    """``cpu`` or ``cuda:N``."""
    device_name: str
    """In words: ``cpu``, or what the GPU is called."""
    fast_precision: str
    """What ``fast`` computes with there: ``bfloat16`` or ``float32``."""
    seconds: float
    """From the start of the process."""
    process_id: int


@dataclass(frozen=True)
class StatusSaid:
    """What the child holds, after each job and when asked."""

    device: str
    device_name: str
    resident_bytes: int
    """Networks that stay loaded."""
    free_bytes: int
    """What a job could get now on the device."""
    process_bytes: int
    """Memory of the child's process; 0 where the system does not tell."""


@dataclass(frozen=True)
class Started:
    """The child has the job now."""

    job: int


@dataclass(frozen=True, eq=False)
class ProgressSaid:
    """A job on its way."""

    job: int
    share: float
    """In [0, 1]; never falls within a job."""
    word: str
    preview: np.ndarray | None = None
    """(h, w, 3) uint8; may be smaller than its box."""
    box_xyxy: BoxXYXY | None = None
    """Where in the result the preview belongs."""


@dataclass(frozen=True, eq=False)
class Patch:
    """A rectangle of a result."""

    box_xyxy: BoxXYXY
    pixels: np.ndarray
    """(h, w) or (h, w, C), in the type of the whole."""


@dataclass(frozen=True, eq=False)
class HostReply:
    """What changed."""

    size_hw: tuple[int, int]
    """Of the whole result; larger than the picture where the canvas grew."""
    patches: tuple[Patch, ...]
    """One a hole, like the picture in channels and type; outside of them nothing changed. No two share a pixel."""
    edges: tuple[Patch, ...]
    """(h, w) uint8, the edge map used, one for each frame that the networks saw; frames may overlap."""
    report: dict[str, Any]
    """As `engine.engine.Result.report`, and ``peak_bytes``, the memory the job took where that can be told."""

    @property
    def box_xyxy(self) -> BoxXYXY:
        """Around all patches; empty where nothing changed."""
        return _around([patch.box_xyxy for patch in self.patches])

    def edges_in(self, box_xyxy: BoxXYXY) -> np.ndarray:
        """(h, w) uint8: the edge map inside a box of the result, 0 where no network looked."""
        x0, y0, x1, y1 = box_xyxy
        whole = np.zeros((y1 - y0, x1 - x0), np.uint8)
        for patch in self.edges:
            shared = _common(patch.box_xyxy, box_xyxy)
            if shared is not None:
                part = whole[_slices(shared, box_xyxy)]
                np.maximum(part, patch.pixels[_slices(shared, patch.box_xyxy)], out=part)
        return whole

    def paste_into(self, image: np.ndarray, *, offset_xy: tuple[int, int] = (0, 0)) -> None:
        """Write the patches into an array of the result; ``offset_xy`` is where the array begins in the result."""
        height, width = image.shape[:2]
        area = (offset_xy[0], offset_xy[1], offset_xy[0] + width, offset_xy[1] + height)
        for patch in self.patches:
            shared = _common(patch.box_xyxy, area)
            if shared is not None:
                image[_slices(shared, area)] = patch.pixels[_slices(shared, patch.box_xyxy)]


@dataclass(frozen=True, eq=False)
class Done:
    """A job ended well."""

    job: int
    reply: HostReply


@dataclass(frozen=True, eq=False)
class Refused:
    """A job cannot be done with this input, these weights or this machine."""

    job: int
    error: EngineError


@dataclass(frozen=True)
class Cancelled:
    """A job ended because it was asked to."""

    job: int
    was_killed: bool = False
    """Whether its process had to go with it; another one is starting then."""


@dataclass(frozen=True)
class Died:
    """The child is gone; another one is starting unless the host is broken."""

    job: int | None
    """What it was doing; that job has ended."""
    reason: str
    """In words."""


HostEvent = Ready | StatusSaid | Started | ProgressSaid | Done | Refused | Cancelled | Died


# The host --------------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Picture:
    segment: Segment
    layout: Layout
    jobs: int = 0
    """That wait for it or run on it."""


@dataclass(frozen=True)
class _Plane:
    """Rows ``first_row`` and on of a plane of ``shape``; the others are zero."""

    name: str
    layout: Layout
    shape: tuple[int, int]
    first_row: int


@dataclass(eq=False)
class _Job:
    number: int
    edit: dict[str, Any]
    image_key: str
    planes: tuple[_Plane, ...]
    segment: Segment | None
    cancel_by: float = float("inf")
    """When patience ends; infinite while nobody asked to stop."""
    is_cancelled: bool = False
    room: Segment | None = None


@dataclass(eq=False)
class _Child:
    process: multiprocessing.process.BaseProcess
    connection: Connection
    preview: Segment
    pictures: set[str] = field(default_factory=set)
    """Keys it knows."""
    is_ready: bool = False


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
        self._context = multiprocessing.get_context("spawn")
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._waker, self._alarm = multiprocessing.Pipe(duplex=False)
        # Of its own, so that `wake` never waits for a copy of a picture that holds the other lock.
        self._alarm_lock = threading.Lock()
        self._events: list[HostEvent] = []
        self._queue: deque[_Job] = deque()
        self._running: _Job | None = None
        self._pictures: OrderedDict[str, _Picture] = OrderedDict()
        self._child: _Child | None = None
        self._dying: list[multiprocessing.process.BaseProcess] = []
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
            return "ready" if self._running is None else "busy"

    @property
    def process_id(self) -> int | None:
        """Of the child that is there now."""
        with self._lock:
            return None if self._child is None else self._child.process.pid

    @property
    def jobs(self) -> tuple[int, ...]:
        """Jobs that have not ended, the running one first."""
        with self._lock:
            running = [] if self._running is None else [self._running.number]
            return (*running, *(job.number for job in self._queue))

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
            HostError: if the host was closed.
        """
        with self._lock:
            if self._is_closed:
                raise HostError("engine", "an open host", "a closed one", "make another one")
            number = next(self._numbers)
            key = image_key or f"job {number}"
            self._keep_picture(key, inputs.image)
            try:
                planes, segment = self._copy_planes(inputs)
            except BaseException:
                self._let_go(key)
                raise
            self._queue.append(_Job(number, edit.model_dump(mode="json"), key, planes, segment))
            self.start()
            self._send_next()
            return number

    def cancel(self, job: int, *, patience_s: float | None = None) -> bool:
        """Ask a job to stop. Its end is told by `Cancelled`, whatever it had reached.

        Args:
            job: its number.
            patience_s: how long a running one may take to end by itself before its process is ended; the host's own
                where None.

        Returns:
            Whether there was such a job.
        """
        with self._lock:
            running = self._running
            if running is not None and running.number == job:
                patience_s = self._patience_s if patience_s is None else patience_s
                running.cancel_by = min(running.cancel_by, time.monotonic() + patience_s)
                if not running.is_cancelled:
                    running.is_cancelled = True
                    self._send(("cancel", job))
                self.wake()
                return True
            for waiting in self._queue:
                if waiting.number == job:
                    self._queue.remove(waiting)
                    self._end(waiting, Cancelled(job))
                    self.wake()
                    return True
        return False

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
                    sources += [self._child.connection, self._child.process.sentinel]
                by = min(until, self._running.cancel_by if self._running else until)
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
            for job in (*self._queue, *([self._running] if self._running else [])):
                self._release(job)
            self._queue.clear()
            self._running = None
            if self._child is not None:
                self._end_child(self._child, FAREWELL_S)
            for process in self._dying:
                process.join(FAREWELL_S)
            self._reap()
            for picture in self._pictures.values():
                picture.segment.close()
            self._pictures.clear()
            with self._alarm_lock:
                self._alarm.close()
                self._waker.close()

    def __enter__(self) -> "EngineHost":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Pixels out --------------------------------------------------------------------------------------------------------

    def _keep_picture(self, key: str, image: np.ndarray) -> None:
        """Have the picture in shared memory under its key, for one job more."""
        known = self._pictures.get(key)
        layout = Layout.of(image)
        if known is not None and known.layout != layout:
            raise HostError(
                "image_key", f"{known.layout.shape} {known.layout.dtype} under '{key}'",
                f"{layout.shape} {layout.dtype}", "give another content another key",
            )  # fmt: skip
        if known is None:
            known = _Picture(Segment.create(layout.nbytes, self._memory_kind), layout)
            np.copyto(known.segment.view(layout), image)
            self._pictures[key] = known
        known.jobs += 1
        self._pictures.move_to_end(key)

    def _copy_planes(self, inputs: EditInputs) -> tuple[tuple[_Plane, ...], Segment | None]:
        """Masks and edges in one segment: of each the rows between the first and the last that hold something."""
        planes: list[_Plane] = []
        parts: list[np.ndarray] = []
        offset = 0
        for name in PLANES:
            plane: np.ndarray | None = getattr(inputs, name)
            if plane is None:
                continue
            rows = np.flatnonzero(plane.any(axis=1))
            first, last = (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, 0)
            part = plane[first:last]
            layout = Layout.of(part, offset)
            offset = layout.next_offset
            planes.append(_Plane(name, layout, inputs.size_hw, first))
            parts.append(part)
        if not offset:
            return tuple(planes), None
        segment = Segment.create(offset, self._memory_kind)
        for place, part in zip(planes, parts, strict=True):
            if part.size:
                np.copyto(segment.view(place.layout), part)
        return tuple(planes), segment

    def _let_go(self, key: str) -> None:
        """One job less needs a picture; those that nobody needs leave, but for the newest."""
        picture = self._pictures[key]
        picture.jobs -= 1
        unused = [name for name, known in self._pictures.items() if not known.jobs]
        single = [name for name in unused if name.startswith("job ")]
        kept = [name for name in unused if name not in single]
        for name in (*single, *kept[: max(len(kept) - PICTURES_KEPT, 0)]):
            self._pictures.pop(name).segment.close()
            if self._child is not None and name in self._child.pictures:
                self._child.pictures.discard(name)
                self._send(("forget", name))

    # The child ---------------------------------------------------------------------------------------------------------

    def _spawn(self) -> None:
        preview = Segment.create(PREVIEW_BYTES, self._memory_kind)
        ours, theirs = self._context.Pipe(duplex=True)
        process = self._context.Process(
            target=serve, args=(theirs, self._setup), name="pentimento-engine", daemon=True
        )
        process.start()
        theirs.close()
        self._child = _Child(process, ours, preview)
        self._send(("preview", preview.address), preview)

    def _send(self, message: tuple[Any, ...], segment: Segment | None = None) -> None:
        """Tell the child something. A broken pipe is not looked at here: the child's end is noticed by `_work`."""
        if self._child is None:
            return
        with suppress(OSError):
            self._child.connection.send(message)
            if segment is not None:
                segment.send(self._child.connection)

    def _send_next(self) -> None:
        """Give the child the next job if it is free."""
        child = self._child
        if child is None or not child.is_ready or self._running is not None or not self._queue:
            return
        job = self._running = self._queue.popleft()
        picture = self._pictures[job.image_key]
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
        has_died = child.process.exitcode is not None
        try:
            while self._child is child and child.connection.poll():
                self._take(child.connection.recv())
        except (EOFError, OSError):
            has_died = True
        if self._child is not child:
            return
        if has_died:
            self._bury(child)
        elif self._running is not None and time.monotonic() >= self._running.cancel_by:
            self._kill_for(self._running)
        self._send_next()

    def _bury(self, child: _Child) -> None:
        """The child ended by itself."""
        child.process.join(FAREWELL_S)  # the pipe closes a moment before the process has its exit code
        self._lose(child, _reason(child.process.exitcode))

    def _lose(self, child: _Child, reason: str) -> None:
        """Tell that a child is gone, and start another unless that has failed too often."""
        job, self._running = self._running, None
        self._failed_starts = 0 if child.is_ready else self._failed_starts + 1
        self._end_child(child, 0)
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
        while self._queue:
            job = self._queue.popleft()
            self._end(job, Refused(job.number, error))

    def _kill_for(self, job: _Job) -> None:
        """A cancelled job does not end: its process does."""
        child = self._child
        assert child is not None, "a job runs in a child"
        _log.info("job %d did not end when it was asked to; its process is ended", job.number)
        self._running = None
        self._end_child(child, 0)
        self._end(job, Cancelled(job.number, was_killed=True))

    def _end_child(self, child: _Child, patience_s: float) -> None:
        """Close the pipe, and end the process if that does not. It may take a moment to go; nobody waits for that."""
        if self._child is child:
            self._child = None
        child.connection.close()
        process: Any = child.process
        if patience_s:
            process.join(patience_s)
        if process.exitcode is None:
            process.kill()
        self._dying.append(process)
        child.preview.close()

    def _reap(self) -> None:
        """Let go of processes that are gone now."""
        for process in [process for process in self._dying if process.exitcode is not None]:
            self._dying.remove(process)
            process.close()

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
                child.process.pid or 0,
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
            )
        )

    def _take_progress(
        self, number: int, share: float, word: str, layout: Layout | None, box: BoxXYXY | None
    ) -> None:
        preview = None
        if layout is not None and self._child is not None:
            preview = np.array(self._child.preview.view(layout))
            self._send(("seen",))
        job = self._running
        if job is not None and job.number == number and not job.is_cancelled:
            self._events.append(ProgressSaid(number, share, word, preview, box))

    def _take_room(self, number: int, nbytes: int) -> None:
        """The child has a result of so many bytes to write."""
        job = self._running
        if job is None or job.number != number:
            return
        try:
            job.room = Segment.create(nbytes, self._memory_kind)
        except MemoryError:
            self._send(("room", number, None))
            return
        self._send(("room", number, job.room.address), job.room)

    def _take_done(
        self,
        number: int,
        report: dict[str, Any],
        size_hw: tuple[int, int],
        parts: list[tuple[str, BoxXYXY, Layout]],
    ) -> None:
        job = self._take_end(number)
        if job is None:
            return
        found: dict[str, list[Patch]] = {"pixels": [], "edges": []}
        for name, box, layout in parts:
            assert job.room is not None, "a result with parts asked for room"
            found[name].append(Patch(box, np.array(job.room.view(layout))))
        reply = HostReply(size_hw, tuple(found["pixels"]), tuple(found["edges"]), report)
        self._end(job, Cancelled(number) if job.is_cancelled else Done(number, reply))

    def _take_refused(self, number: int, error: EngineError) -> None:
        job = self._take_end(number)
        if job is not None:
            self._end(job, Cancelled(number) if job.is_cancelled else Refused(number, error))

    def _take_cancelled(self, number: int) -> None:
        job = self._take_end(number)
        if job is not None:
            self._end(job, Cancelled(number))

    def _take_fault(self, number: int, words: str, trace: str) -> None:
        """Something nobody foresaw, as a fault of the GPU: what the process holds can no longer be trusted."""
        child = self._child
        assert child is not None, "who speaks is there"
        _log.error("job %d: %s\n%s", number, words, trace)
        self._lose(child, words)

    def _take_end(self, number: int) -> _Job | None:
        """The running job, if it is this one; it runs no longer."""
        job = self._running
        if job is None or job.number != number:
            return None
        self._running = None
        return job

    def _end(self, job: _Job, event: HostEvent) -> None:
        """Tell a job's end and let go of its memory; the one place where jobs end."""
        self._release(job)
        self._events.append(event)

    def _release(self, job: _Job) -> None:
        for segment in (job.segment, job.room):
            if segment is not None:
                segment.close()
        self._let_go(job.image_key)


def _reason(exitcode: int | None) -> str:
    """An exit code in words."""
    if exitcode is None:
        return "it closed its pipe"
    if exitcode >= 0:
        return f"it left with exit code {exitcode}"
    try:
        name = signal.Signals(-exitcode).name
    except ValueError:
        name = f"signal {-exitcode}"
    words = {"SIGKILL": ", which a system short of memory does", "SIGSEGV": ", a fault in native code"}
    return f"it was ended by {name}{words.get(name, '')}"


def _around(boxes: list[BoxXYXY]) -> BoxXYXY:
    if not boxes:
        return (0, 0, 0, 0)
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _common(box: BoxXYXY, other: BoxXYXY) -> BoxXYXY | None:
    x0, y0 = max(box[0], other[0]), max(box[1], other[1])
    x1, y1 = min(box[2], other[2]), min(box[3], other[3])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _slices(box: BoxXYXY, area: BoxXYXY) -> tuple[slice, slice]:
    """Rows and columns of a box in an array that begins where ``area`` does."""
    return slice(box[1] - area[1], box[3] - area[1]), slice(box[0] - area[0], box[2] - area[0])
