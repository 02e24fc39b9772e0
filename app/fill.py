"""From a mask to a filled hole: what is asked of the engine and when, and what becomes of the answers.

Three kinds of jobs. A finished stroke asks for a *draft* at once and, after a pause, for the *full* result; both are
live: a newer one takes the place of an older, and an answer for a mask that is no more is dropped. What the user asked
for is never dropped: if the mask has changed meanwhile, its result waits in the strip without being shown.

A live result joins the history entry of the stroke that caused it, so one undo takes both back; a result that was asked
for is an entry of its own.

Elsewhere: states and words in fill_state.py; building the edit in document/edit_builder.py; the process in worker.py.
"""

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.fill_state import FillState

IDLE_MS = 700
"""Pause after a stroke before the full result is asked for."""


class FillController(QObject):
    """Fills the holes of one document at a time.

    Args:
        worker: the `EngineWorker`, or anything with its signals and ``submit``.
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

    def __init__(self, worker: QObject, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._state = FillState()
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE_MS)

    @property
    def state(self) -> FillState:
        """What is known now."""
        return self._state

    def set_document(self, document: object | None) -> None:
        """Work on another document, or on none."""

    @Slot()
    def fill(self) -> None:
        """Fill the hole now, in full (Ctrl+Enter)."""

    @Slot(int)
    def fill_variants(self, count: int) -> None:
        """Fill the hole ``count`` times, each with another seed."""

    @Slot()
    def cancel(self) -> None:
        """Stop what runs and what waits (Esc)."""

    @Slot(bool)
    def set_live(self, is_live: bool) -> None:
        """Fill after every stroke, or only when asked."""

    def show_result(self, result_id: str | None) -> None:
        """Show a result on the canvas, or the picture without one; can be undone."""

    def star_result(self, result_id: str, is_starred: bool) -> None:
        """Mark a result as one to keep; can be undone."""

    def delete_results(self, result_ids: list[str]) -> None:
        """Remove results; can be undone."""

    def reopen_result(self, result_id: str) -> None:
        """Take a result's settings into the panel and show it."""

    def rerun_result(self, result_id: str) -> None:
        """Fill again with the settings of a result, on the mask and edges as they are now."""

    @Slot()
    def apply_as_layer(self) -> None:
        """Turn the shown result into a picture layer; mask and edges are cleared, all in one undo step."""
