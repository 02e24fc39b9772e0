"""The fills that wait or run: what each is for, how far it is, and how it ended.

The worker knows numbers and arrays; the controller thinks in documents, drafts and results. This stands between.

Elsewhere: when a fill is asked for and what becomes of it in fill.py; the process in worker.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from app.document.document import Document
from app.document.edit_builder import Provenance
from app.fill_state import FillKind
from app.worker import EngineWorker, Request
from engine.edits import EditInputs, InpaintEdit
from engine.host import HostReply, ProgressSaid


@dataclass(frozen=True, eq=False)
class FillInputs:
    """What a fill is made from; a draft, its full result and all variants share one."""

    document: Document
    state: int
    """Of mask, edges and picture, as `InputStates` counts them."""
    edit: InpaintEdit
    inputs: EditInputs
    provenance: Provenance
    image_key: str
    """Names the content of the picture, so that it is sent once."""


@dataclass(frozen=True, eq=False)
class FillJob:
    """One fill that was asked of the worker."""

    kind: FillKind
    made_from: FillInputs
    edit: InpaintEdit

    @property
    def is_live(self) -> bool:
        """Whether nobody misses it when a newer one comes."""
        return self.kind != "asked"


class FillJobs(QObject):
    """Hands fills to the worker and tells how they go.

    Args:
        worker: runs them; jobs of others are left alone.
        parent: owner, as Qt has it.
    """

    answered = Signal(object, object)
    """A `FillJob` and its `HostReply`; told before `changed`."""
    refused = Signal(object, object)
    """A `FillJob` and the exception."""
    previewed = Signal(object, object, object)
    """A `FillJob`, a box on the canvas and pixels; (None, None, None) when there is nothing more to see."""
    changed = Signal()
    """Something started, went on or ended."""

    def __init__(self, worker: EngineWorker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._jobs: dict[int, FillJob] = {}
        self._running: int | None = None
        self._has_preview = False
        self.share = 0.0
        """Of the running job, in [0, 1]."""
        self.word = ""
        """What the running job does now."""
        worker.started.connect(self._started)
        worker.progressed.connect(self._progressed)
        worker.finished.connect(self._finished)
        worker.refused.connect(self._refused)
        worker.cancelled.connect(self._cancelled)

    @property
    def running(self) -> FillKind | None:
        """What runs."""
        job = self._jobs.get(self._running) if self._running is not None else None
        return job.kind if job is not None else None

    @property
    def queued(self) -> int:
        """How many wait."""
        return len(self._jobs) - (self.running is not None)

    def has(self, kind: FillKind) -> bool:
        """Whether one of a kind waits or runs."""
        return any(job.kind == kind for job in self._jobs.values())

    def submit(self, kind: FillKind, made_from: FillInputs, edits: Sequence[InpaintEdit]) -> None:
        """Ask for a fill, or for several from the same inputs."""
        for edit in edits:
            job = FillJob(kind, made_from, edit)
            request = Request(
                edit,
                made_from.inputs,
                image_key=made_from.image_key,
                is_live=job.is_live,
                tag=made_from.document.opening_id,
            )
            self._jobs[self._worker.submit(request)] = job
        self.changed.emit()

    def cancel(self, *, live_only: bool = False) -> None:
        """Stop what runs and what waits."""
        for number, job in tuple(self._jobs.items()):
            if job.is_live or not live_only:
                self._worker.cancel(number)

    # What the worker says --------------------------------------------------------------------------------------------

    @Slot(object)
    def _started(self, number: int) -> None:
        if number in self._jobs:
            self._running, self.share, self.word = number, 0.0, ""
            self.changed.emit()

    @Slot(object)
    def _progressed(self, said: ProgressSaid) -> None:
        job = self._jobs.get(said.job)
        if job is None:
            return
        self._running, self.share, self.word = said.job, said.share, said.word
        if said.preview is not None and said.box_xyxy is not None:
            self._has_preview = True
            self.previewed.emit(job, said.box_xyxy, said.preview)
        self.changed.emit()

    @Slot(object, object)
    def _finished(self, number: int, reply: HostReply) -> None:
        job = self._jobs.pop(number, None)
        if job is not None:
            self.answered.emit(job, reply)
            self._ended(number)

    @Slot(object, object)
    def _refused(self, number: int, error: Exception) -> None:
        job = self._jobs.pop(number, None)
        if job is not None:
            self.refused.emit(job, error)
            self._ended(number)

    @Slot(object)
    def _cancelled(self, number: int) -> None:
        if self._jobs.pop(number, None) is not None:
            self._ended(number)

    def _ended(self, number: int) -> None:
        """A job is over, however it ended."""
        if self._running == number:
            self._running, self.share, self.word = None, 0.0, ""
            if self._has_preview:
                self._has_preview = False
                self.previewed.emit(None, None, None)
        self.changed.emit()
