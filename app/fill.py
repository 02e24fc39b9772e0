"""From a mask to a filled hole: what is asked of the engine and when, and what becomes of the answers.

Three kinds of jobs. A finished stroke asks for a *draft* at once and, after a pause, for the *full* result; both are
live: a newer one takes the place of an older, and an answer for a mask that is no more is dropped. What the user *asked*
for is never dropped: if the mask has changed meanwhile, its result waits in the strip without being shown.

A live result joins the history entry of the stroke that caused it, so one undo takes both back; a result that was asked
for is an entry of its own.

Elsewhere: states and words in fill_state.py; which mask an answer is for in fill_inputs.py; what can be done with a
result in result_actions.py; building the edit in document/edit_builder.py; the process in worker.py.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.document.document import Document
from app.document.edit_builder import (
    InpaintSettings,
    Provenance,
    inpaint_request,
    result_from_reply,
    settings_of,
)
from app.document.events import CurrentResultChanged, Event, HistoryChanged, PixelsChanged
from app.document.results import Result
from app.errors import AppError
from app.fill_inputs import InputStates
from app.fill_state import DRAFT_WORKING_PX, Cost, FillKind, FillState, Shown, WeightsListed, weights_listed
from app.result_actions import apply_result, delete_results, show_result, star_results
from app.worker import EngineWorker, Request
from engine.edits import Edit, EditInputs, InpaintEdit
from engine.errors import EngineError
from engine.host import HostReply, ProgressSaid

_log = logging.getLogger(__name__)

IDLE_MS = 700
"""Pause after a stroke before the full result is asked for."""
SETTLE_MS = 60
"""How long a slider may go on moving before a live fill follows it."""
RECKON_MS = 150
"""How long after a change the next cost is worked out; on a large canvas it takes longer than a stroke may wait."""
VARIANTS_LIMIT = 16
"""Most variants made at once; the strip shows about that many."""
DRAFT_PAYS_S = 0.35
"""Where a full result takes less, a draft before it would only flicker."""


@dataclass(eq=False)
class _Job:
    """What an answer will be for."""

    kind: FillKind
    document: Document
    state: int
    """Of mask, edges and picture, as `InputStates` counts them."""
    edit: Edit
    inputs: EditInputs
    provenance: Provenance


class FillController(QObject):
    """Fills the holes of one document at a time.

    Args:
        worker: runs the jobs.
        parent: owner, as Qt has it.
    """

    state_changed = Signal(object)
    """`FillState`: something of what runs or is shown has changed."""
    settings_changed = Signal(object)
    """`InpaintSettings`: they were changed here, by the panel or by reopening a result."""
    live_changed = Signal(bool)
    """Live filling was switched on or off."""
    preview_changed = Signal(object, object)
    """Box on the canvas and pixels of a running job, for `CanvasView.set_preview`; (None, None) when it is over."""
    forecast_changed = Signal(object)
    """`Cost` of the next fill, or None where this machine has no past runs to go by."""
    failed = Signal(object)
    """An exception that a person should read."""
    said = Signal(str)
    """A sentence for the status line."""

    def __init__(self, worker: EngineWorker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._document: Document | None = None
        self._stop_observing = lambda: None
        self._inputs = InputStates()
        self._settings = InpaintSettings()
        self._weights: tuple[WeightsListed, ...] = ()
        self._is_live = True
        self._jobs: dict[int, _Job] = {}
        self._running: int | None = None
        self._progress: ProgressSaid | None = None
        self._result_states: dict[str, int] = {}
        self._has_preview = False
        self._state = FillState()
        self._cost: Cost | None = None
        self._starts = self._timer(0, self._start_live)
        self._idle = self._timer(IDLE_MS, self._idle_over)
        self._reckons = self._timer(RECKON_MS, self._reckon)
        worker.started.connect(self._started)
        worker.progressed.connect(self._progressed)
        worker.finished.connect(self._finished)
        worker.refused.connect(self._refused)
        worker.cancelled.connect(self._cancelled)

    def _timer(self, ms: int, slot: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(ms)
        timer.timeout.connect(slot)
        return timer

    # What is known ---------------------------------------------------------------------------------------------------

    @property
    def state(self) -> FillState:
        """What runs and what is shown now."""
        return self._state

    @property
    def settings(self) -> InpaintSettings:
        """How the next fill is made."""
        return self._settings

    @property
    def is_live(self) -> bool:
        """Whether a fill follows every stroke."""
        return self._is_live

    @property
    def document(self) -> Document | None:
        """What is worked on."""
        return self._document

    @property
    def cost(self) -> Cost | None:
        """What the next fill is expected to take."""
        return self._cost

    def weights_listed(self) -> tuple[WeightsListed, ...]:
        """Weights that can be chosen, the default first; before there is a document, the default alone."""
        if self._document is None and not self._weights:
            return (WeightsListed("", "Default", "The first that is there"),)
        if not self._weights:
            self.refresh_weights()
        return self._weights

    def refresh_weights(self) -> None:
        """Look anew which weights there are."""
        try:
            self._weights = weights_listed("inpaint")
        except EngineError as error:
            self._weights = (WeightsListed("", "Default", "The list of weights cannot be read"),)
            self.failed.emit(error)

    # Settings --------------------------------------------------------------------------------------------------------

    def set_document(self, document: Document | None) -> None:
        """Work on another document, or on none; what runs for the old one ends."""
        self._stop_observing()
        self._stop_observing = lambda: None
        self.cancel()
        self._document = document
        self._inputs = InputStates(document)
        self._result_states.clear()
        if document is not None:
            self._stop_observing = document.observe(self._heard)
            for result in document.results:
                self._result_states[result.id] = (
                    self._inputs.current if result is document.current_result else -1
                )
        self._refresh()
        self._reckons.start()

    def change_settings(self, **changes: Any) -> None:
        """Change how holes are filled; a live fill follows.

        Raises:
            pydantic.ValidationError: if a value is out of range.
        """
        self.set_settings(InpaintSettings.model_validate({**self._settings.model_dump(), **changes}))

    def set_settings(self, settings: InpaintSettings) -> None:
        """Take all settings at once; a live fill follows."""
        if settings == self._settings:
            return
        self._settings = settings
        self.settings_changed.emit(settings)
        self._reckons.start()
        if self._is_live and self._document is not None and self._document.current_result is not None:
            self._starts.start(SETTLE_MS)

    @Slot(bool)
    def set_live(self, is_live: bool) -> None:
        """Fill after every stroke, or only when asked."""
        if is_live == self._is_live:
            return
        self._is_live = is_live
        if is_live:
            if self._shown() in ("nothing", "outdated"):
                self._starts.start(0)
        else:
            self._stop_live()
        self.live_changed.emit(is_live)
        self._refresh()

    # Filling ---------------------------------------------------------------------------------------------------------

    @Slot()
    def fill(self) -> None:
        """Fill the hole now, in full (Ctrl+Enter)."""
        if self._has_hole():
            self._stop_live()
            self._submit("asked", self._settings)
        elif self._document is not None:
            self.said.emit("Nothing to fill: brush over what should go")

    @Slot(int)
    def fill_variants(self, count: int) -> None:
        """Fill the hole ``count`` times, each with a seed that was not yet used on this mask."""
        document = self._document
        if document is None or not self._has_hole():
            self.said.emit("Nothing to fill: brush over what should go")
            return
        self._stop_live()
        here = [
            result
            for result in document.results
            if self._result_states.get(result.id) == self._inputs.current
        ]
        used = {result.step.seed for result in here if not result.is_draft}
        seeds: list[int] = []
        seed = self._settings.seed
        while len(seeds) < min(count, VARIANTS_LIMIT):
            if seed not in used:
                seeds.append(seed)
            seed += 1
        self._submit("asked", self._settings, seeds)

    @Slot()
    def cancel(self) -> None:
        """Stop what runs and what waits (Esc)."""
        self._starts.stop()
        self._idle.stop()
        for number in tuple(self._jobs):
            self._worker.cancel(number)

    @Slot()
    def stroke_committed(self) -> None:
        """A stroke or a selection is in the history; a live fill starts if it changed what is filled."""
        if self._is_live and self._shown() != "full":
            self._starts.start(0)

    # Results ---------------------------------------------------------------------------------------------------------

    def show_result(self, result_id: str | None) -> None:
        """Show a result on the canvas, or the picture without one; can be undone."""
        if self._document is not None:
            self._stop_live()  # or it would take the place of what was chosen
            show_result(self._document, result_id)

    @Slot(str, bool)
    def star_result(self, result_id: str, is_starred: bool) -> None:
        """Mark a result as one to keep; can be undone."""
        self.star_results([result_id], is_starred)

    def star_results(self, result_ids: list[str], is_starred: bool) -> None:
        """Mark results as ones to keep, in one step; can be undone."""
        if self._document is not None:
            star_results(self._document, result_ids, is_starred)

    def delete_results(self, result_ids: list[str]) -> None:
        """Remove results; can be undone."""
        if self._document is not None:
            delete_results(self._document, result_ids)

    def reopen_result(self, result_id: str) -> None:
        """Take a result's settings into the panel and show it."""
        settings = self._settings_of(result_id)
        if settings is not None:
            self.show_result(result_id)
            self.set_settings(settings)
            self._stop_live()  # the result is here already, live filling has nothing to add

    def rerun_result(self, result_id: str) -> None:
        """Fill again with the settings of a result, on the mask and edges as they are now."""
        settings = self._settings_of(result_id)
        if settings is not None and self._has_hole():
            self._stop_live()
            self._submit("asked", settings)

    @Slot()
    def apply_as_layer(self) -> None:
        """Turn the shown result into a picture layer; mask and edges are cleared, all in one undo step."""
        document = self._document
        if document is not None and document.current_result is not None:
            self._stop_live()
            apply_result(document)

    def _settings_of(self, result_id: str) -> InpaintSettings | None:
        """The settings that made a result; None, and a message, where a later program made it."""
        if self._document is None:
            return None
        try:
            return settings_of(self._document.result(result_id).step)
        except ValueError as error:  # pydantic's is one
            self.failed.emit(error)
            return None

    # Live ------------------------------------------------------------------------------------------------------------

    @Slot()
    def _start_live(self) -> None:
        """A stroke or a setting has changed what the hole should look like."""
        if not self._is_live or self._inputs.is_changing:
            return
        if not self._has_hole():
            self._stop_live()
            return
        self._idle.stop()
        # Older live jobs are left to the worker: it stops them more gently than a job that somebody cancels.
        if self._cost is not None and self._cost.seconds <= DRAFT_PAYS_S:
            self._submit("full", self._settings)
            return
        self._submit("draft", self._settings)
        self._idle.start()

    @Slot()
    def _idle_over(self) -> None:
        """Nothing was drawn for a while: ask for the full result, once the draft is there."""
        if self._inputs.is_changing:
            self._idle.start()
        elif self._is_live and self._has_hole() and not self._jobs_of("draft"):
            self._submit("full", self._settings)

    def _stop_live(self) -> None:
        """Forget live jobs, running or to come."""
        self._starts.stop()
        self._idle.stop()
        for number, job in tuple(self._jobs.items()):
            if job.kind != "asked":
                self._worker.cancel(number)

    def _jobs_of(self, kind: FillKind) -> list[int]:
        return [number for number, job in self._jobs.items() if job.kind == kind]

    # Jobs ------------------------------------------------------------------------------------------------------------

    def _submit(self, kind: FillKind, settings: InpaintSettings, seeds: Sequence[int] = ()) -> None:
        """Ask the worker, once or once for each seed; the inputs are made once and shared."""
        document = self._document
        assert document is not None, "callers looked for a hole"
        if kind == "draft":
            smaller = min(settings.working_size_px, DRAFT_WORKING_PX)
            settings = settings.model_copy(update={"quality": "fast", "working_size_px": smaller})
        try:
            edit, inputs, provenance = inpaint_request(document, settings)
        except (AppError, EngineError, ValueError) as error:
            self.failed.emit(error)
            return
        key = f"{document.id} {document.picture_revision}"
        for seed in seeds or (settings.seed,):
            variant = edit.model_copy(update={"seed": seed})
            request = Request(variant, inputs, image_key=key, is_live=kind != "asked", tag=document.id)
            number = self._worker.submit(request)
            self._jobs[number] = _Job(kind, document, self._inputs.current, variant, inputs, provenance)
        self._refresh()

    @Slot(object)
    def _started(self, number: int) -> None:
        if number in self._jobs:
            self._running = number
            self._progress = None
            self._refresh()

    @Slot(object)
    def _progressed(self, said: ProgressSaid) -> None:
        job = self._jobs.get(said.job)
        if job is None:
            return
        self._running, self._progress = said.job, said
        # Over a draft or a result for this very mask, the coarse beginnings of a job would be a step back.
        is_worth = job.document is self._document and not self._is_stale(job) and self._shown() != "draft"
        if said.preview is not None and said.box_xyxy is not None and is_worth:
            self._has_preview = True
            self.preview_changed.emit(said.box_xyxy, said.preview)
        self._refresh()

    @Slot(object, object)
    def _finished(self, number: int, reply: HostReply) -> None:
        job = self._jobs.pop(number, None)
        if job is None:
            return
        self._take(job, reply)
        self._ended(number)
        if job.kind == "draft" and not self._idle.isActive() and not self._is_stale(job):
            self._idle_over()
        self._reckons.start()

    @Slot(object, object)
    def _refused(self, number: int, error: Exception) -> None:
        job = self._jobs.pop(number, None)
        if job is not None:
            if job.kind == "draft":
                self._idle.stop()  # what stopped the draft would stop the full result too
            self._ended(number)
            self.failed.emit(error)

    @Slot(object)
    def _cancelled(self, number: int) -> None:
        if self._jobs.pop(number, None) is not None:
            self._ended(number)

    def _ended(self, number: int) -> None:
        """A job is over, however it ended."""
        if self._running == number:
            self._running = self._progress = None
            if self._has_preview:
                self._has_preview = False
                self.preview_changed.emit(None, None)
        self._refresh()

    def _take(self, job: _Job, reply: HostReply) -> None:
        """Put an answer into its document."""
        document, is_stale = job.document, self._is_stale(job)
        if is_stale and job.kind != "asked":
            return
        try:
            result = result_from_reply(
                document,
                job.edit,
                reply,
                job.provenance,
                mask=job.inputs.mask,
                is_draft=job.kind == "draft",
            )
        except (AppError, EngineError) as error:
            self.failed.emit(error)
            return
        self._result_states[result.id] = job.state
        if is_stale:
            document.add_result(result, make_current=False)
            self.said.emit("Filled for an earlier mask: the result is in the strip")
            return
        self._inputs.is_adding_live_fill = job.kind != "asked"
        try:
            is_joining = job.kind != "asked" and self._inputs.may_join(job.state)
            document.add_result(result, make_current=True, amend=is_joining)
        finally:
            self._inputs.is_adding_live_fill = False

    def _is_stale(self, job: _Job) -> bool:
        """Whether the mask, the edges or the picture of a job are no more."""
        return job.document is not self._document or job.state != self._inputs.current

    # What is shown ---------------------------------------------------------------------------------------------------

    def _heard(self, event: Event) -> None:
        """Follow the document."""
        change = self._inputs.heard(event)
        if change == "changed" and self._is_live:
            self._starts.start(0)
        elif change == "moved":
            self._stop_live()  # undo and redo only show what there was
        if isinstance(event, PixelsChanged) and self._idle.isActive():
            self._idle.start()
        if change or isinstance(event, CurrentResultChanged | HistoryChanged):
            self._refresh()
        if change:
            self._reckons.start()

    def _has_hole(self) -> bool:
        document = self._document
        return document is not None and document.mask_layer.has_any("coverage")

    def _shown(self) -> Shown:
        result: Result | None = self._document.current_result if self._document is not None else None
        if result is None:
            return "nothing"
        if self._result_states.get(result.id, -1) != self._inputs.current:
            return "outdated"
        return "draft" if result.is_draft else "full"

    def _refresh(self) -> None:
        """Tell what has changed, if anything has."""
        running = self._jobs.get(self._running) if self._running is not None else None
        state = FillState(
            has_document=self._document is not None,
            has_hole=self._has_hole(),
            is_live=self._is_live,
            running=running.kind if running is not None else None,
            share=self._progress.share if self._progress is not None else 0.0,
            word=self._progress.word if self._progress is not None else "",
            queued=len(self._jobs) - (running is not None),
            shown=self._shown(),
        )
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    @Slot()
    def _reckon(self) -> None:
        """Work out what the next fill would take, once nothing is being drawn."""
        document = self._document
        if self._inputs.is_changing:
            self._reckons.start()
            return
        cost = None
        if document is not None and self._has_hole():
            edit = InpaintEdit(**self._settings.model_dump())
            found = self._worker.forecast(edit, document.mask_layer.planes["coverage"])
            cost = (
                Cost(found.seconds, found.memory_bytes) if found is not None and found.seconds > 0 else None
            )
        if cost != self._cost:
            self._cost = cost
            self.forecast_changed.emit(cost)
