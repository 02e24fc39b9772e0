"""From a shape to a remade picture: what is asked of the engine, and what becomes of the answer.

A shape that somebody let go of is remade at once, where that is wished, or with Ctrl+Enter. Of several in a row only the
newest counts. The answer is a result like any other: one step of the history, kept in the strip, named with its recipe.
The shape belongs to the result that is shown, so undo takes both back; a shape that still waits for its picture belongs to
nobody and is dropped by Esc, by undo, or by what goes wrong.

Elsewhere: what is asked in document/retarget_builder.py, the handles in canvas/tools/handles.py, jobs in fill_jobs.py,
what the panel is told in retarget_state.py, the map in novelty_map.py.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from app.canvas.mesh import Mesh
from app.document.document import Document
from app.document.events import (
    CurrentResultChanged,
    EntryRedone,
    EntryUndone,
    Event,
    HistoryChanged,
)
from app.document.results import Result
from app.document.retarget_builder import (
    RetargetSettings,
    base_picture,
    is_retarget,
    picture_key,
    remade_result,
    retarget_request,
    settings_of,
    shape_of,
)
from app.document.retarget_shape import Dragged, Shape, reason_of
from app.errors import AppError
from app.fill_jobs import FillInputs, FillJob, FillJobs
from app.fill_state import Cost
from app.novelty_map import map_image
from app.retarget_state import RetargetState, note_of, picture_fault
from app.worker import EngineWorker
from engine.errors import EngineError
from engine.host import HostReply

if TYPE_CHECKING:
    from app.document.tiles import Box

SETTLE_MS = 350
"""How long a slider or an arrow key may go on before the picture follows."""


@dataclass(frozen=True, eq=False)
class RetargetInputs(FillInputs):
    """What a picture is remade from."""

    shape: Shape = field(kw_only=True)


class RetargetController(QObject):
    """Remakes the picture of one document at a time.

    Args:
        worker: runs the jobs.
        parent: owner, as Qt has it.
    """

    state_changed = Signal(object)
    """`RetargetState`: something of the shape, of what runs or of what is shown has changed."""
    settings_changed = Signal(object)
    """`RetargetSettings`: they were changed by the panel or by reopening a result."""
    forecast_changed = Signal(object)
    """`app.fill_state.Cost` of remaking the picture in this shape, or None where that is not known."""
    looks_changed = Signal()
    """The canvas has something else to draw over the picture."""
    failed = Signal(object)
    """An exception that a person should read."""
    said = Signal(str)
    """A sentence for the status line."""

    def __init__(self, worker: EngineWorker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._document: Document | None = None
        self._stop_observing = lambda: None
        self._settings = RetargetSettings()
        self._jobs = FillJobs(worker, self)
        self._shape: Shape | None = None
        self._reason = ""
        self._is_live = True
        self._is_engine_up = False
        self._is_dragging = False
        self._shows_map = False
        self._map: tuple[str, Box, QImage, float] | None = None
        self._mesh: tuple[str, Mesh] | None = None
        self._is_resting = False
        self._seen = (False, 0)
        """Whether a remade picture is shown, and which picture is there to be remade."""
        self._cost: Cost | None = None
        self._state = RetargetState()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.remake)
        self._jobs.changed.connect(self._refresh)
        self._jobs.answered.connect(self._answered)
        self._jobs.refused.connect(self._refused)
        worker.ready.connect(self._engine_answered)
        worker.started.connect(self._engine_answered)
        worker.status_changed.connect(self._engine_answered)
        worker.died.connect(self._engine_died)
        worker.ask_status()  # the engine may be up already, and will not say so by itself

    # What is known ---------------------------------------------------------------------------------------------------

    @property
    def state(self) -> RetargetState:
        """The shape, what runs and what is shown now."""
        return self._state

    @property
    def settings(self) -> RetargetSettings:
        """How the picture is remade next."""
        return self._settings

    @property
    def cost(self) -> Cost | None:
        """What that is expected to take."""
        return self._cost

    @property
    def document(self) -> Document | None:
        """What is worked on."""
        return self._document

    @property
    def is_live(self) -> bool:
        """Whether the picture is remade as soon as a handle is let go."""
        return self._is_live

    @property
    def shape(self) -> Shape | None:
        """The shape now."""
        return self._shape

    @property
    def is_waiting(self) -> bool:
        """Whether the picture that is seen is not the one of this shape."""
        return self._shape is not None and self._shape != self._shape_shown()

    @property
    def mesh(self) -> Mesh | None:
        """The picture that is remade, small; made when it is first drawn."""
        document = self._document
        if document is None:
            return None
        key = picture_key(document)
        if self._mesh is None or self._mesh[0] != key:
            self._mesh = key, Mesh(base_picture(document))
        return self._mesh[1]

    @property
    def novelty(self) -> "tuple[Box, QImage] | None":
        """The map of what was invented, where it is to be seen."""
        result = self._remade()
        if not self._shows_map or result is None or self._map is None or self._map[0] != result.id:
            return None
        return self._map[1], self._map[2]

    # Shape and settings ----------------------------------------------------------------------------------------------

    def set_document(self, document: Document | None) -> None:
        """Work on another document, or on none; what runs for the old one ends."""
        self._stop_observing()
        self._stop_observing = lambda: None
        self._settle.stop()
        self._jobs.cancel()
        self._document = document
        self._mesh = self._map = None
        self._is_dragging, self._reason = False, ""
        if document is not None:
            self._stop_observing = document.observe(self._heard)
        self._shape = self._shape_shown()
        self._note_seen()
        self._refresh()
        self._reckon()

    def show_shape(self, dragged: Dragged) -> None:
        """The shape while a handle is being pulled, or where it was put back."""
        self._settle.stop()
        self._is_dragging = dragged.is_held
        self._shape, self._reason = dragged.shape, dragged.reason
        self._refresh()

    def choose_shape(self, shape: Shape) -> None:
        """The shape was let go, typed or picked: the picture follows."""
        self._is_dragging, self._reason = False, ""
        self._shape = shape
        self._refresh()
        self._reckon()
        if self._is_live:
            self._settle.start(0)

    def type_shape(self, shape: Shape) -> None:
        """The shape was changed by a field that may change on: the picture follows when it rests."""
        self._is_dragging, self._reason = False, ""
        self._shape = shape
        self._refresh()
        self._reckon()
        if self._is_live:
            self._settle.start()

    def reset_shape(self) -> None:
        """Go back to the picture's own shape; the picture itself is shown, which can be undone."""
        document = self._document
        if document is None:
            return
        self.cancel()
        if self._remade() is not None:
            from app.result_actions import show_result

            show_result(document, self._base_id())
        self._shape = self._shape_shown()
        self._refresh()

    def change_settings(self, **changes: Any) -> None:
        """Change how the picture is remade; where one is shown, it follows.

        Raises:
            pydantic.ValidationError: if a value is out of range.
        """
        before = self._settings
        settings = RetargetSettings.model_validate({**before.model_dump(), **changes})
        if not self._take_settings(settings):
            return
        is_seen = settings.method == "learned" or settings != before.model_copy(
            update={"weights": settings.weights}
        )
        if (
            is_seen
            and self._is_live
            and self._is_ready
            and not self._is_resting
            and (self._remade() is not None or self.is_waiting)
        ):
            self._settle.start()

    def choose_weights(self, weights: str) -> None:
        """Take other weights for what is remade next; the picture that is shown stays."""
        self._take_settings(self._settings.model_copy(update={"weights": weights}))

    def _take_settings(self, settings: RetargetSettings) -> bool:
        """Take settings and tell of them; whether they are others."""
        if settings == self._settings:
            return False
        self._settings = settings
        self.settings_changed.emit(settings)
        self._reckon()
        return True

    @Slot(bool)
    def set_live(self, is_live: bool) -> None:
        """Remake as soon as a handle is let go, or only when asked."""
        self._is_live = is_live
        if not is_live:
            self._settle.stop()
        elif self.is_waiting:
            self._settle.start(0)

    @Slot(bool)
    def show_map(self, is_shown: bool) -> None:
        """Show what was copied and what was invented, or hide it."""
        self._shows_map = is_shown
        self._make_map()
        self.looks_changed.emit()

    def set_resting(self, is_resting: bool) -> None:
        """Another tool has the canvas: keep a shape that waits, and ask for nothing."""
        self._is_resting = is_resting
        if is_resting:
            self._settle.stop()

    # Remaking --------------------------------------------------------------------------------------------------------

    @Slot()
    def remake(self) -> None:
        """Remake the picture in the shape now (Ctrl+Enter)."""
        self._ask((self._settings.seed,))

    def remake_variants(self, count: int) -> None:
        """Remake it several times, each with another seed."""
        first = self._settings.seed
        self._ask(tuple(first + step for step in range(1, count + 1)), is_each_kept=True)

    @Slot()
    def cancel(self) -> None:
        """Stop what runs; the shape goes back to that of the picture that is shown (Esc)."""
        self._settle.stop()
        self._jobs.cancel()
        self._drop_shape()

    def _ask(self, seeds: tuple[int, ...], *, is_each_kept: bool = False) -> None:
        self._settle.stop()
        document, shape = self._document, self._shape
        if document is None or shape is None or self._is_dragging:
            return
        if not self._is_ready:
            self.said.emit("Choose the weights of the learned picture first")
            return
        if not is_each_kept:
            self._jobs.cancel()
        try:
            edit, inputs, provenance = retarget_request(document, shape, self._settings)
        except (AppError, EngineError, ValueError) as error:
            self._drop_shape()
            self.failed.emit(error)
            return
        key = picture_key(document)
        made_from = RetargetInputs(document, 0, edit, inputs, provenance, key, shape=shape)
        edits = [edit.model_copy(update={"seed": seed}) for seed in seeds]
        self._jobs.submit("asked" if is_each_kept else "full", made_from, edits)

    @Slot(object, object)
    def _answered(self, job: FillJob, reply: HostReply) -> None:
        made_from = job.made_from
        document = made_from.document
        if document is not self._document or not isinstance(made_from, RetargetInputs):
            return
        is_stale = made_from.image_key != picture_key(document)
        try:
            result = remade_result(job.edit, reply, made_from.shape, made_from.provenance)
        except (AppError, EngineError) as error:
            self._drop_shape()
            self.failed.emit(error)
            return
        is_drawing = self._is_dragging or document.transaction is not None
        is_shown = not (is_stale or is_drawing) and (job.kind == "asked" or self._shape == made_from.shape)
        if is_shown:
            self._shape = made_from.shape
        document.add_result(result, make_current=is_shown)
        if is_stale:
            self.said.emit("Remade from the picture as it was before: the result is in the strip")
        self._reckon()

    @Slot(object, object)
    def _refused(self, job: FillJob, error: Exception) -> None:
        if job.made_from.document is self._document:
            self._drop_shape()
            self.failed.emit(error)

    def _drop_shape(self) -> None:
        """Forget a shape that has no picture."""
        self._is_dragging, self._reason = False, ""
        self._shape = self._shape_shown()
        self._refresh()
        self._reckon()

    # What is shown ---------------------------------------------------------------------------------------------------

    def reopen(self, result: Result) -> None:
        """Take a result's settings into the panel.

        Raises:
            ValueError: if a later program made it, in the words of pydantic.
        """
        self._take_settings(settings_of(result.step))
        self._settle.stop()

    def rerun(self, result: Result) -> None:
        """Remake the picture as it is now with the settings and in the shape of a result."""
        self.reopen(result)
        self._shape = shape_of(result)
        self.remake()

    def _heard(self, event: Event) -> None:
        if isinstance(event, CurrentResultChanged):
            self._shown_changed()
        elif isinstance(event, EntryUndone | EntryRedone) and not self._is_resting:
            self._settle.stop()
            self._jobs.cancel()
            self._drop_shape()
        elif isinstance(event, HistoryChanged):
            self._refresh()

    def _shown_changed(self) -> None:
        """Another result is shown, by undo or by choice: its shape comes with it."""
        self._make_map()
        is_awaited = (self._is_resting or self._jobs_for_shape()) and self._remade() is None
        if self._note_seen():
            is_awaited = False  # it lay on the canvas before
        if not self._is_dragging and not is_awaited:
            self._shape = self._shape_shown()
        self._refresh()
        self._reckon()

    def _note_seen(self) -> bool:
        """Note what is seen now; whether the remade picture that was shown until now has become the picture."""
        was_remade, revision = self._seen
        self._seen = self._remade() is not None, self._document.picture_revision if self._document else 0
        return was_remade and not self._seen[0] and self._seen[1] != revision

    def _jobs_for_shape(self) -> bool:
        return self._jobs.running is not None or self._jobs.queued > 0

    def _remade(self) -> Result | None:
        """The remade picture that is shown."""
        result = self._document.current_result if self._document is not None else None
        return result if result is not None and result.is_whole and is_retarget(result.step) else None

    def _base_id(self) -> str | None:
        from app.document.retarget_builder import base_of

        base = base_of(self._document) if self._document is not None else None
        return None if base is None else base.id

    def _shape_shown(self) -> Shape | None:
        """The shape of the picture that is seen."""
        if self._document is None:
            return None
        result = self._remade()
        if result is not None:
            return shape_of(result)
        h, w = self._document.size_hw
        return Shape.of_box((0, 0, w, h))

    @property
    def _is_ready(self) -> bool:
        """Whether nothing is left to be chosen first: learned networks have a name."""
        return self._settings.method == "instant" or bool(self._settings.weights)

    def _make_map(self) -> None:
        """Colour what was invented in the result that is shown."""
        result = self._remade()
        if result is None or (self._map is not None and self._map[0] == result.id):
            return
        novelty = result.novelty
        if novelty is None:
            self._map = None
            return
        counted = result.coverage > 0
        share = float(novelty.sum(dtype=np.int64, where=counted)) / 255 / max(int(counted.sum()), 1)
        self._map = result.id, result.box_xyxy, map_image(novelty, counted), share

    @Slot(object)
    def _engine_answered(self, _said: object) -> None:
        self._is_engine_up = True
        self._refresh()

    @Slot(str)
    def _engine_died(self, _reason: str) -> None:
        self._is_engine_up = False
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        """Tell what has changed, if anything has."""
        document, jobs, remade = self._document, self._jobs, self._remade()
        has_map = remade is not None and self._map is not None and self._map[0] == remade.id
        fault = picture_fault(document) if document is not None else ""
        state = RetargetState(
            shape=self._shape,
            reason=self._reason or fault,
            can_remake=document is not None and self._shape is not None and not fault,
            is_waiting=self.is_waiting,
            is_busy=self._jobs_for_shape(),
            share=jobs.share,
            word=jobs.word,
            is_engine_up=self._is_engine_up,
            has_mask=document is not None and document.mask_layer.has_any("coverage"),
            has_remade=remade is not None,
            has_map=has_map,
            invented=self._map[3] if has_map and self._map is not None else 0.0,
            is_painted=remade is not None and remade.step.edit.get("method") == "learned",
            note=note_of(remade),
        )
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)
            self.looks_changed.emit()

    def _reckon(self) -> None:
        """Work out what remaking would take."""
        cost = None
        document, shape = self._document, self._shape
        if document is not None and shape is not None and not reason_of(shape):
            from engine.edits import RetargetEdit

            picked = self._settings.model_dump(exclude={"is_locked"})
            edit = RetargetEdit(**picked, target_size_hw=shape.size_hw)
            found = self._worker.forecast(edit, None, size_hw=document.size_hw)
            cost = (
                Cost(found.seconds, found.memory_bytes) if found is not None and found.seconds > 0 else None
            )
        if cost != self._cost:
            self._cost = cost
            self.forecast_changed.emit(cost)
