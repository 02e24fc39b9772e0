"""The child's side of host.py: an engine, and the pipe it is told things through.

Two threads. The main one makes the engine, which imports torch, and runs one job after the other. The reader takes what
the parent sends while a job runs: the request to stop, a picture for the next job. When the pipe closes, the parent is
gone, and the reader ends the process on the spot, whatever the other thread is in.

Importing this file imports no torch: the parent does, for `Setup`.
"""

import importlib
import math
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, NoReturn

import numpy as np

from engine.edits import EditInputs, read_edit
from engine.errors import EngineError, OutOfMemoryError
from engine.host_results import ResultParts
from engine.out_of_memory import is_out_of_memory
from engine.progress import Cancelled, Progress
from engine.shared import Address, Layout, Segment, share_tracker

PREVIEW_PAUSE_S = 0.1
"""Between two previews of a job: more cannot be told apart, and each is copied twice."""
PAUSE_S = 1.0
"""Without a job, before memory is tidied up: live edits follow each other faster, and tidying makes the next slower."""
JOBS_UNTIDIED = 24
"""Most jobs in a row before memory is tidied up without a pause."""
NICENESS = 5
"""The window goes first where both want the processor."""
LIBRARY_SETTINGS: Mapping[str, str] = {
    # OpenMP's threads wait for each other by spinning. With the window or anything else on one of their cores they spin
    # for whole time slices: fills took 4 times as long on a busy machine.
    "OMP_WAIT_POLICY": "PASSIVE",
    # oneDNN keeps a compiled kernel for each layer and size it met, a thousand by default, and holes come in all sizes: an
    # afternoon of strokes took a gigabyte. Sixty-four hold the sizes in use; fills are no slower.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
    # torch (its ideep) keeps the description of each kernel beside it, 25 to 40 KB: a thousand of convolutions and a
    # thousand of transposed ones by default, 80 MB in a thousand fills. What has no kernel any more needs no description.
    "LRU_CACHE_CAPACITY": "64",
}
"""Environment of the child, where it says nothing else; libraries read it when torch is loaded. Together the two caches
level off at some 10 MB, however many sizes are met."""


@dataclass(frozen=True)
class Setup:
    """What the parent wants to have run."""

    device: str
    engine: str
    """``module:class``."""


def main() -> NoReturn:
    """Serve the parent that started this process; never returns before its pipe closes.

    The command line names the child's end of the pipe, and what `engine.shared.share_tracker` takes, by the numbers
    under which they were inherited. The first message is the `Setup`.
    """
    pipe, *tracker = map(int, sys.argv[1:])
    share_tracker(tuple(tracker))
    connection = _inherited(pipe)
    try:
        _, setup = connection.recv()
    except (EOFError, OSError):
        _leave()
    serve(connection, setup)


def serve(connection: Connection, setup: Setup) -> NoReturn:
    """Run jobs until the pipe closes; never returns before.

    Args:
        connection: the child's end of the pipe.
        setup: which engine, where.
    """
    # Ctrl-C in a terminal reaches every process of it; the parent decides what becomes of jobs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(AttributeError, OSError):
        os.nice(NICENESS)
    for name, value in LIBRARY_SETTINGS.items():
        os.environ.setdefault(name, value)
    _Child(connection, setup, time.perf_counter()).run()


def _inherited(handle: int) -> Connection:
    """The child's end of a pipe, which nothing that it starts inherits in turn."""
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        os.set_handle_inheritable(handle, False)
        return PipeConnection(handle)
    os.set_inheritable(handle, False)
    return Connection(handle)


@dataclass(frozen=True, eq=False)
class _Job:
    number: int
    edit: dict[str, Any]
    inputs: EditInputs
    segment: Segment | None


class _Child:
    def __init__(self, connection: Connection, setup: Setup, started: float) -> None:
        self._connection = connection
        self._setup = setup
        self._started = started
        self._engine: Any = None
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._rooms: queue.SimpleQueue[tuple[int, Segment | None]] = queue.SimpleQueue()
        self._pictures: dict[str, tuple[Segment, np.ndarray]] = {}
        self._preview: Segment | None = None
        self._preview_is_free = threading.Event()
        self._preview_next = 0.0
        self._cancelled_job = 0
        self._jobs_untidied = 0
        self._sending = threading.Lock()

    # Main thread -------------------------------------------------------------------------------------------------------

    def run(self) -> NoReturn:
        """Make the engine, then do what comes."""
        threading.Thread(target=self._read, name="reader", daemon=True).start()
        module, _, name = self._setup.engine.partition(":")
        try:
            self._engine = getattr(importlib.import_module(module), name)(device=self._setup.device)
        except EngineError as error:
            self._say("unfit", error)
            _leave()
        self._say("ready", self._facts(), time.perf_counter() - self._started)
        self._engine.warm_up(is_cancelled=lambda: not self._jobs.empty())
        self._say("status", self._facts())
        while True:
            job = self._next_job()
            self._do(job)
            if job.segment is not None:
                segment = job.segment
                del job  # and with it the arrays that look at the segment
                segment.close()

    def _next_job(self) -> _Job:
        """Wait for a job; in the first pause, and after many jobs without one, tidy up."""
        if self._jobs_untidied < JOBS_UNTIDIED:
            with suppress(queue.Empty):
                job = self._jobs.get(timeout=PAUSE_S)
                self._jobs_untidied += 1
                return job
        self._engine.tidy()
        self._jobs_untidied = 1
        return self._jobs.get()

    def _do(self, job: _Job) -> None:
        self._preview_next = 0.0
        try:
            with _Peak(self._engine) as peak:
                result = self._engine.run(
                    read_edit(job.edit),
                    job.inputs,
                    progress=lambda step: self._tell(job.number, step),
                    is_cancelled=lambda: self._cancelled_job == job.number,
                    copy_picture=self._copy_picture,
                )
            self._answer(job, result, {**result.report, "peak_bytes": peak.nbytes})
        except Cancelled:
            self._say("cancelled", job.number)
        except EngineError as error:
            self._say("refused", job.number, error)
        except BaseException as error:  # noqa: BLE001  (the parent is told of everything, then this process ends)
            if is_out_of_memory(error):
                hint = "close other programs, or use a smaller picture or hole"
                self._say("refused", job.number, OutOfMemoryError("job", "enough memory", "too little", hint))
                return
            words = f"{type(error).__name__}: {error}".partition("\n")[0]
            self._say("fault", job.number, words, traceback.format_exc())
            return
        with suppress(RuntimeError):  # a GPU that fails here fails in the next job too, and is told there
            self._say("status", self._facts())

    def _copy_picture(self, picture: np.ndarray) -> np.ndarray:
        """A copy to write the result into: of a large photo only the pages that the hole touches."""
        for segment, array in self._pictures.copy().values():
            if array is picture:
                return segment.private_copy(Layout.of(array))
        return picture.copy()

    def _answer(self, job: _Job, result: Any, report: dict[str, Any]) -> None:
        """Send what changed."""
        found = ResultParts(result)
        if found.parts:
            room = self._room(job.number, found.nbytes)
            found.write_to(room)
            room.close()
        self._say("done", job.number, report, tuple(result.image.shape[:2]), found.parts)

    def _room(self, number: int, nbytes: int) -> Segment:
        """Memory for a result, made by the parent: what a child makes is left behind when the child is killed."""
        self._say("room", number, nbytes)
        while True:
            owner, room = self._rooms.get()
            if owner != number:
                continue
            if room is None:
                hint = "close other programs, or use a smaller picture or hole"
                raise OutOfMemoryError("result", f"{nbytes / 2**20:.0f} MiB to share", "less", hint)
            return room

    def _tell(self, number: int, step: Progress) -> None:
        """Pass progress on; a preview only where the last one was taken, and not too often."""
        layout = None
        now = time.perf_counter()
        if (
            step.preview is not None
            and self._preview is not None
            and now >= self._preview_next
            and self._preview_is_free.is_set()
        ):
            self._preview_is_free.clear()
            self._preview_next = now + PREVIEW_PAUSE_S
            shown = thinned(step.preview, self._preview.address.nbytes)
            layout = Layout.of(shown)
            np.copyto(self._preview.view(layout), shown)
        self._say("progress", number, step.share, step.word, layout, step.box_xyxy if layout else None)

    def _facts(self) -> dict[str, Any]:
        return {**self._engine.status(), "process_bytes": _own_bytes("VmRSS")}

    def _say(self, *message: object) -> None:
        with self._sending:
            try:
                self._connection.send(message)
            except OSError:
                _leave()

    # Reader thread -----------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            while True:
                self._hear(*self._connection.recv())
        except (EOFError, OSError):
            _leave()
        except BaseException:  # noqa: BLE001  (a child that does not listen must not stay)
            traceback.print_exc()
            _leave()

    def _hear(self, word: str, *rest: Any) -> None:
        if word == "job":
            self._jobs.put(self._taken(*rest))
        elif word == "cancel":
            (self._cancelled_job,) = rest
        elif word == "picture":
            key, layout, address = rest
            segment = Segment.receive(self._connection, address)
            self._pictures[key] = segment, _read_only(segment.view(layout))
        elif word == "forget":
            segment, array = self._pictures.pop(rest[0])
            del array
            segment.close()
        elif word == "room":
            number, address = rest
            room = None if address is None else Segment.receive(self._connection, address)
            self._rooms.put((number, room))
        elif word == "preview":
            self._preview = Segment.receive(self._connection, rest[0])
            self._preview_is_free.set()
        elif word == "seen":
            self._preview_is_free.set()
        elif word == "status" and self._engine is not None:
            self._say("status", self._facts())

    def _taken(
        self,
        number: int,
        edit: dict[str, Any],
        image_key: str,
        planes: list[tuple[str, Layout, tuple[int, int], int]],
        address: Address | None,
    ) -> _Job:
        segment = None if address is None else Segment.receive(self._connection, address)
        arrays: dict[str, np.ndarray] = {}
        for name, layout, shape, first in planes:
            rows = layout.shape[0]
            if segment is not None and rows == shape[0]:
                arrays[name] = _read_only(segment.view(layout))
                continue
            whole = np.zeros(shape, layout.dtype)
            if segment is not None and rows:
                whole[first : first + rows] = segment.view(layout)
            arrays[name] = whole
        return _Job(number, edit, EditInputs(self._pictures[image_key][1], **arrays), segment)


class _Peak:
    """The most memory that a job took beyond what was held before it; 0 where that cannot be told."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.nbytes = 0

    def __enter__(self) -> "_Peak":
        self._engine.reset_peak()
        with suppress(OSError), open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # sets VmHWM back to what is held now
        self._before = _own_bytes("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        # On a GPU its memory is what runs short, elsewhere the machine's.
        self.nbytes = self._engine.peak_bytes() or max(_own_bytes("VmHWM") - self._before, 0)


def thinned(picture: np.ndarray, limit_bytes: int) -> np.ndarray:
    """The picture, or every n-th row and column of it where it would take more than ``limit_bytes``."""
    if picture.nbytes <= limit_bytes:
        return picture
    step = math.ceil(math.sqrt(picture.nbytes / limit_bytes))
    while True:
        smaller = np.ascontiguousarray(picture[::step, ::step])
        if smaller.nbytes <= limit_bytes:
            return smaller
        step += 1


def _own_bytes(name: str) -> int:
    """A line of this process's status, in bytes; 0 where the system has none."""
    with suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    return 0


def _read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def _leave() -> NoReturn:
    """End the process without unwinding: another thread may be in native code for seconds."""
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(0)
