"""The jobs of a host and the memory they hold: who waits, who runs, and what is let go when one ends.

A job holds its masks, the room its result is written to, and a claim on its picture, which other jobs may share.

Elsewhere: how they are run and ended in host.py, the memory of inputs in host_inputs.py.
"""

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.edits import Edit, EditInputs
from engine.host_inputs import SharedPicture, SharedPictures, SharedPlane, share_planes
from engine.shared import Kind, Segment


@dataclass(eq=False)
class HostJob:
    """One requested run, from its request to its end."""

    number: int
    edit: dict[str, Any]
    """As plain data."""
    image_key: str
    planes: tuple[SharedPlane, ...]
    segment: Segment | None
    """Where the planes lie; None where all are empty."""
    cancel_by: float = float("inf")
    """When patience ends; infinite while nobody asked to stop."""
    is_cancelled: bool = False
    room: Segment | None = None
    """For its result, once it has one."""


class JobList:
    """Jobs in their order, and what they hold.

    Args:
        kind: how memory is shared.
        forget: told the key of each picture that nobody needs any more.
    """

    def __init__(self, kind: Kind, forget: Callable[[str], None]) -> None:
        self._kind = kind
        self._forget = forget
        self._numbers = itertools.count(1)
        self._waiting: deque[HostJob] = deque()
        self._pictures = SharedPictures(kind)
        self.running: HostJob | None = None
        """The one that the child has; who ends it sets this to None."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the jobs that have not ended, the running one first."""
        running = [] if self.running is None else [self.running.number]
        return (*running, *(job.number for job in self._waiting))

    @property
    def picture_keys(self) -> tuple[str, ...]:
        """Of all pictures that are there, the one used last at the end."""
        return self._pictures.keys

    def picture(self, job: HostJob) -> SharedPicture:
        """What a job works on."""
        return self._pictures[job.image_key]

    def add(self, edit: Edit, inputs: EditInputs, image_key: str) -> int:
        """Put a job at the end. Arrays are copied before this returns.

        Returns:
            The job's number.

        Raises:
            MemoryError: if there is no room for the copies.
            HostError: if the key stands for a picture of another size or type.
        """
        number = next(self._numbers)
        key = image_key or f"job {number}"
        self._pictures.keep(key, inputs.image, is_for_one_job=not image_key)
        try:
            planes, segment = share_planes(inputs, self._kind)
        except BaseException:
            self._let_go(key)
            raise
        self._waiting.append(HostJob(number, edit.model_dump(mode="json"), key, planes, segment))
        return number

    def start_next(self) -> HostJob | None:
        """The job that waits longest runs now; None if none waits or another runs."""
        if self.running is not None or not self._waiting:
            return None
        self.running = self._waiting.popleft()
        return self.running

    def end_running(self, number: int) -> HostJob | None:
        """The running job, if it has this number; it runs no longer."""
        job = self.running
        if job is None or job.number != number:
            return None
        self.running = None
        return job

    def end_waiting(self, number: int | None = None) -> HostJob | None:
        """The waiting job of this number, or the one that waits longest; it waits no longer."""
        for job in self._waiting:
            if number is None or job.number == number:
                self._waiting.remove(job)
                return job
        return None

    def release(self, job: HostJob) -> None:
        """Let go of what a job held that has ended."""
        for segment in (job.segment, job.room):
            if segment is not None:
                segment.close()
        self._let_go(job.image_key)

    def close(self) -> None:
        """Drop all jobs and let go of all memory."""
        for job in (*self._waiting, *([self.running] if self.running else [])):
            self.release(job)
        self._waiting.clear()
        self.running = None
        self._pictures.close()

    def _let_go(self, key: str) -> None:
        for name in self._pictures.let_go(key):
            self._forget(name)
