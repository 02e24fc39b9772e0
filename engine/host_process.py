"""One process of the engine, from its start to its end.

Started afresh: nothing of the parent is copied, least of all its threads and its window. What the two share is a pipe
and one place for previews.

Elsewhere: who starts it and why in host.py, what runs in it in host_child.py, how Python is started in
python_process.py.
"""

import multiprocessing
import signal
import subprocess
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from engine.host_child import Setup
from engine.python_process import start
from engine.shared import Kind, Segment, tracker_handles

PREVIEW_BYTES = 3 << 20
"""Room for one preview, 1024x1024 in colour; a larger one is thinned out."""
LAST_WORDS_S = 0.5
"""How long the exit code may come after the pipe has closed."""


class ChildProcess:
    """A process of the engine; runs from the moment this is made.

    Args:
        setup: what runs in it.
        kind: how memory is shared.

    Raises:
        OSError: if the system makes no process.
        MemoryError: if there is no room for previews.
    """

    def __init__(self, setup: Setup, kind: Kind) -> None:
        self.preview = Segment.create(PREVIEW_BYTES, kind)
        """Where the child writes previews."""
        self.connection: Connection
        try:
            self.connection, theirs = multiprocessing.Pipe(duplex=True)
        except OSError:
            self.preview.close()
            raise
        self.pictures: set[str] = set()
        """Keys it knows."""
        self.is_ready = False
        handles = (theirs.fileno(), *tracker_handles(kind))
        try:
            self._process = start(
                "engine.host_child",
                [str(handle) for handle in handles],
                handles=handles,
                stdin=subprocess.DEVNULL,
            )
        except OSError:
            self.connection.close()
            self.preview.close()
            raise
        finally:
            theirs.close()
        self.send(("setup", setup))
        self.send(("preview", self.preview.address), self.preview)

    @property
    def process_id(self) -> int:
        """The system's number of the process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone; what it said before may still be in the pipe."""
        return self._process.poll() is not None

    def reason(self) -> str:
        """Why the process ended, in words."""
        self._join(LAST_WORDS_S)
        return reason_of(self._process.returncode)

    def send(self, message: tuple[Any, ...], segment: Segment | None = None) -> None:
        """Tell it something. A broken pipe is not looked at here: who reads notices that the process is gone."""
        with suppress(OSError):
            self.connection.send(message)
            if segment is not None:
                segment.send(self.connection)

    def end(self, patience_s: float = 0.0) -> None:
        """Close the pipe, which a healthy child takes as the end; kill it if it is still there after ``patience_s``."""
        self.connection.close()
        if patience_s:
            self._join(patience_s)
        if not self.has_ended:
            self._process.kill()
        self.preview.close()

    def let_go(self, wait_s: float = 0.0) -> bool:
        """After `end`: give back what the system keeps of the process; False while it is not gone yet."""
        self._join(wait_s)
        return self.has_ended

    def _join(self, seconds: float) -> None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)


def reason_of(exitcode: int | None) -> str:
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
