"""How long work says where it is, and how it is asked to stop.

Work calls back with a share and a word; it never prints and never knows who listens. Cancelling is a question the
work asks between two networks, two crops or two levels: a plain function that says yes or no. When it says yes the
work raises `Cancelled`, which is not an error: the job ends quietly and what it had built is dropped.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Progress:
    """One message on the way."""

    share: float
    """Done so far, in [0, 1]; never falls within one job."""

    word: str
    """What is being done now, lower case: ``"edges"``, ``"fill"``."""

    preview: np.ndarray | None = None
    """(H, W, 3) uint8 picture of what there is so far, if there is something to see."""

    box_xyxy: tuple[int, int, int, int] | None = None
    """Where in the result the preview belongs, in px; the preview itself may be smaller or larger than that."""


class Cancelled(Exception):  # noqa: N818  (a request that was met, not an error)
    """The job was asked to stop and did."""


class Clock:
    """Adds up the seconds of each phase of a job."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        """Count what runs inside towards ``phase``; phases may come again, and are not meant to nest."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[phase] = self._seconds.get(phase, 0.0) + time.perf_counter() - start

    def seconds(self) -> dict[str, float]:
        """Seconds by phase in order of first use, and ``total`` since the clock was made."""
        total = time.perf_counter() - self._start
        return {phase: round(value, 4) for phase, value in {**self._seconds, "total": total}.items()}


ProgressCallback = Callable[[Progress], None]
CancelCheck = Callable[[], bool]


def stop_if_cancelled(is_cancelled: CancelCheck | None) -> None:
    """Look at the request to stop, where there is one.

    Raises:
        Cancelled: if the job was asked to stop.
    """
    if is_cancelled is not None and is_cancelled():
        raise Cancelled("the job was cancelled")


class Steps:
    """Counts the steps of a job of known length, reports each and looks at the request to stop.

    Args:
        count: steps in the whole job.
        progress: who listens, or None.
        is_cancelled: the request to stop, or None.
    """

    def __init__(
        self, count: int, progress: ProgressCallback | None, is_cancelled: CancelCheck | None
    ) -> None:
        self._count = max(count, 1)
        self._done = 0
        self._share = 0.0
        self._progress = progress
        self._is_cancelled = is_cancelled

    def look(self) -> None:
        """Look at the request to stop, in the middle of a step.

        Raises:
            Cancelled: if the job was asked to stop.
        """
        stop_if_cancelled(self._is_cancelled)

    def begin(self, word: str) -> None:
        """Say what starts now.

        Raises:
            Cancelled: if the job was asked to stop; nothing of the step has run then.
        """
        stop_if_cancelled(self._is_cancelled)
        self._say(word)

    def end(
        self,
        word: str,
        preview: np.ndarray | None = None,
        box_xyxy: tuple[int, int, int, int] | None = None,
    ) -> None:
        """Count one step as done, with what can be seen of it and where that is."""
        self._done += 1
        self._say(word, preview, box_xyxy)

    def restart(self, count: int) -> None:
        """Start over with another count, as after running out of memory; the share told never falls."""
        self._count, self._done = max(count, 1), 0

    def catch_up(self, done: int) -> None:
        """Count up to ``done`` steps at once: those that turned out not to be needed."""
        self._done = max(self._done, done)

    def finish(self, word: str) -> None:
        """Say that all is done."""
        self._done = self._count
        self._say(word)

    def _say(
        self,
        word: str,
        preview: np.ndarray | None = None,
        box_xyxy: tuple[int, int, int, int] | None = None,
    ) -> None:
        self._share = max(self._share, min(self._done / self._count, 1.0))
        if self._progress is not None:
            self._progress(Progress(self._share, word, preview, box_xyxy))
