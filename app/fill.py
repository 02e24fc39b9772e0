"""From a mask to a filled hole: what is asked of the engine and when, and what becomes of the answers.

Three kinds of jobs. A finished stroke asks for a *draft* at once and, after a pause, for the *full* result; both are
live: a newer one takes the place of an older, and an answer for a mask that is no more is dropped. What the user *asked*
for is never dropped: if the mask has changed meanwhile, its result waits in the strip without being shown.

A live result joins the history entry of the stroke that caused it, so one undo takes both back; a result that was asked
for is an entry of its own.

Elsewhere: the jobs themselves in fill_jobs.py; states and words in fill_state.py; which mask an answer is for in
fill_inputs.py; what can be done with a result in result_actions.py; building the edit in document/edit_builder.py.
"""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.document.document import Document
from app.document.edit_builder import inpaint_request, result_from_reply, settings_of
from app.document.events import CanvasChanged, CurrentResultChanged, Event, HistoryChanged, PixelsChanged
from app.document.results import Result
from app.errors import AppError
from app.fill_inputs import InputStates
from app.fill_jobs import FillInputs, FillJob, FillJobs
from app.fill_state import (
    DRAFT_WORKING_PX,
    Cost,
    FillKind,
    FillState,
    Shown,
    WeightsListed,
    shortage_words,
    weights_listed,
)
from app.result_actions import apply_result, delete_results, show_result, star_results
from app.worker import EngineWorker
from engine.edits import InpaintEdit, InpaintSettings
from engine.errors import EngineError
from engine.host import HostReply

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
        self._jobs = FillJobs(worker, self)
        self._live_inputs: FillInputs | None = None
        """Those of the newest draft: its full result is made from the very same."""
        self._result_states: dict[str, int] = {}
        self._live_ids: set[str] = set()
        """Results that nobody asked for: they go with the mask they were made for."""
        self._is_applying = False
        """Whether the full result becomes a layer as soon as it is there."""
        self._is_resting = False
        """Whether the mask is drawn for something else meanwhile."""
        self._is_engine_up = False
        self._state = FillState()
        self._cost: Cost | None = None
        self._starts = self._timer(0, self._start_live)
        self._idle = self._timer(IDLE_MS, self._idle_over)
        self._reckons = self._timer(RECKON_MS, self._reckon)
        self._jobs.changed.connect(self._refresh)
        self._jobs.answered.connect(self._answered)
        self._jobs.refused.connect(self._refused)
        self._jobs.previewed.connect(self._previewed)
        worker.ready.connect(self._engine_answered)
        worker.status_changed.connect(self._engine_answered)
        worker.died.connect(self._engine_died)

    def _timer(self, ms: int, slot: Callable[[], None]) -> QTimer:
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
        self._live_ids.clear()
        if self._settings.context_box is not None:  # a place in another picture
            self.change_settings(context="hole", context_box=None)
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

    def set_resting(self, is_resting: bool) -> None:
        """Fill nothing by itself while the mask is drawn for something else."""
        self._is_resting = is_resting
        if is_resting:
            self._stop_live()

    # Filling ---------------------------------------------------------------------------------------------------------

    @Slot()
    def fill(self) -> None:
        """Fill the hole now, in full (Ctrl+Enter)."""
        if self._has_hole():
            self._ask(self._settings)
        elif self._document is not None:
            self.said.emit("Nothing to fill: brush over what should go")

    @Slot(int)
    def fill_variants(self, count: int) -> None:
        """Fill the hole ``count`` times, each with a seed that was not yet used on this mask."""
        document = self._document
        if document is None or not self._has_hole():
            self.said.emit("Nothing to fill: brush over what should go")
            return
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
        self._ask(self._settings, seeds)

    @Slot()
    def cancel(self) -> None:
        """Stop what runs and what waits (Esc)."""
        self._starts.stop()
        self._idle.stop()
        self._is_applying = False
        self._jobs.cancel()

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
            self._ask(settings)

    @Slot()
    def apply_as_layer(self) -> None:
        """Turn the shown result into a picture layer; mask and edges are cleared, all in one undo step.

        A draft never becomes a layer: its full result is made first.
        """
        document = self._document
        result = document.current_result if document is not None else None
        if document is None or result is None:
            return
        if result.is_draft and self._has_hole():
            self.said.emit("The full result is made first, then it becomes a layer")
            self._is_applying = self._ask(self._settings)
            return
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
        if not self._is_live or self._is_resting or self._inputs.is_changing:
            return
        if not self._has_hole():
            self._stop_live()
            self._take_live_result_away()
            return
        self._idle.stop()
        # Older live jobs are left to the worker: it stops them more gently than a job that somebody cancels.
        self._live_inputs = self._gather(self._settings)
        if self._live_inputs is None:
            return
        if self._cost is not None and self._cost.seconds <= DRAFT_PAYS_S:
            self._submit("full", self._live_inputs)
            return
        self._submit("draft", self._live_inputs)
        self._idle.start()

    @Slot()
    def _idle_over(self) -> None:
        """Nothing was drawn for a while: ask for the full result, once the draft is there."""
        if self._inputs.is_changing:
            self._idle.start()
        elif self._is_live and self._live_inputs is not None and not self._jobs.has("draft"):
            made_from, self._live_inputs = self._live_inputs, None
            if not self._is_stale(made_from):
                self._submit("full", made_from)

    def _take_live_result_away(self) -> None:
        """The mask is gone, and with it the reason for what was filled unasked; undo gives both back."""
        document = self._document
        if (
            document is not None
            and document.transaction is None
            and document.current_result_id in self._live_ids
        ):
            document.hide_result()

    def _stop_live(self) -> None:
        """Forget live jobs, running or to come."""
        self._starts.stop()
        self._idle.stop()
        self._live_inputs = None
        self._jobs.cancel(live_only=True)

    # Jobs ------------------------------------------------------------------------------------------------------------

    def _ask(self, settings: InpaintSettings, seeds: Sequence[int] = ()) -> bool:
        """Ask for a fill in full, or for one for each seed; False where the document cannot be filled."""
        self._stop_live()
        self._is_applying = False
        made_from = self._gather(settings)
        if made_from is not None:
            self._submit("asked", made_from, seeds)
        return made_from is not None

    def _gather(self, settings: InpaintSettings) -> FillInputs | None:
        """What a fill is made from, as it is now; None, and a message, where the document cannot be filled."""
        document = self._document
        assert document is not None, "callers looked for a hole"
        try:
            edit, inputs, provenance = inpaint_request(document, settings)
        except (AppError, EngineError, ValueError) as error:
            self.failed.emit(error)
            return None
        key = f"{document.opening_id} {document.picture_revision}"
        return FillInputs(document, self._inputs.current, edit, inputs, provenance, key)

    def _submit(self, kind: FillKind, made_from: FillInputs, seeds: Sequence[int] = ()) -> None:
        edit = made_from.edit
        if kind == "draft":
            smaller = min(edit.working_size_px, DRAFT_WORKING_PX)
            edit = edit.model_copy(update={"quality": "fast", "working_size_px": smaller})
        edits = [edit.model_copy(update={"seed": seed}) for seed in seeds or (edit.seed,)]
        self._jobs.submit(kind, made_from, edits)

    @Slot(object, object, object)
    def _previewed(self, job: FillJob | None, box: Any, pixels: Any) -> None:
        if job is None:
            self.preview_changed.emit(None, None)
        # Over a draft for this very mask, the coarse beginnings of the full result would be a step back.
        elif not self._is_stale(job.made_from) and self._shown() != "draft":
            self.preview_changed.emit(box, pixels)

    @Slot(object, object)
    def _answered(self, job: FillJob, reply: HostReply) -> None:
        self._take(job, reply)
        if self._is_applying and self._shown() == "full":
            self._is_applying = False
            self.apply_as_layer()
        if job.kind == "draft" and not self._idle.isActive():
            self._idle_over()  # it was over before the draft was there
        self._reckons.start()

    @Slot(object, object)
    def _refused(self, job: FillJob, error: Exception) -> None:
        if job.is_live:  # what stopped the draft would stop the full result too
            self._idle.stop()
            self._live_inputs = None
        self._is_applying = False
        self.failed.emit(error)

    def _take(self, job: FillJob, reply: HostReply) -> None:
        """Put an answer into its document."""
        made_from, is_stale = job.made_from, self._is_stale(job.made_from)
        document = made_from.document
        if document is not self._document or (is_stale and job.is_live):
            return
        try:
            result = result_from_reply(
                document,
                job.edit,
                reply,
                made_from.provenance,
                image=made_from.inputs.image,
                mask=made_from.inputs.mask,
                is_draft=job.kind == "draft",
            )
        except (AppError, EngineError) as error:
            self.failed.emit(error)
            return
        self._result_states[result.id] = made_from.state
        if job.is_live:
            self._live_ids.add(result.id)
        if is_stale:
            document.add_result(result, make_current=False)
            self.said.emit("Filled for an earlier mask: the result is in the strip")
            return
        self._inputs.is_adding_live_fill = job.is_live
        try:
            is_joining = job.is_live and self._inputs.may_join(made_from.state)
            document.add_result(result, make_current=True, amend=is_joining)
        finally:
            self._inputs.is_adding_live_fill = False
        words = shortage_words(reply.report, job.edit.working_size_px)
        if words and job.kind != "draft":
            self.said.emit(f"Memory was short: {words}")

    def _is_stale(self, made_from: FillInputs) -> bool:
        """Whether the mask, the edges or the picture are no more."""
        return made_from.document is not self._document or made_from.state != self._inputs.current

    # What is shown ---------------------------------------------------------------------------------------------------

    def _heard(self, event: Event) -> None:
        """Follow the document."""
        change = self._inputs.heard(event)
        if change == "changed" and self._is_live:
            self._starts.start(0)
        elif change == "moved":
            self._stop_live()  # undo and redo only show what there was
        if isinstance(event, CanvasChanged):
            self.preview_changed.emit(None, None)  # of a place on the canvas before
        if isinstance(event, PixelsChanged) and self._idle.isActive():
            self._idle.start()
        if change or isinstance(event, CurrentResultChanged | HistoryChanged):
            self._refresh()
        if change:
            self._reckons.start()
            if not self._has_hole():
                self.preview_changed.emit(
                    None, None
                )  # of a fill that goes on: it was for a mask that is no more

    def _has_hole(self) -> bool:
        document = self._document
        return document is not None and document.mask_layer.has_any("coverage")

    def _shown(self) -> Shown:
        result: Result | None = self._document.current_result if self._document is not None else None
        if result is None or result.is_whole:
            return "nothing"
        if self._result_states.get(result.id, -1) != self._inputs.current:
            return "outdated"
        return "draft" if result.is_draft else "full"

    @Slot(object)
    def _engine_answered(self, _said: object) -> None:
        self._is_engine_up = True
        self._refresh()

    @Slot(str, bool)
    def _engine_died(self, _reason: str, _is_starting: bool) -> None:
        self._is_engine_up = False
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        """Tell what has changed, if anything has."""
        jobs = self._jobs
        state = FillState(
            has_document=self._document is not None,
            has_hole=self._has_hole(),
            is_live=self._is_live,
            running=jobs.running,
            share=jobs.share,
            word=jobs.word,
            queued=jobs.queued,
            shown=self._shown(),
            is_engine_up=self._is_engine_up,
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
