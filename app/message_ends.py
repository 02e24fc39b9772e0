"""When a message of the window is over, so that none speaks of what is no longer so.

- open: another file is being opened.             - save: the document is saved, or is being saved again.
- export, mask_file: the same is tried again.     - engine: it answers.
- fill, remake: another one runs; for a fill also, there is something to fill now, or nothing any more.
- learning: a picture is being learned.           - sample: the mask or the picture was changed, or a fill runs.
- recovered: the work is saved.                   - request: the next step of the document.

All of them end with their document. News without a subject goes after a few seconds; faults of ours stay until they are
put away, for the details they name are needed.
"""

from typing import TYPE_CHECKING

from app.document.events import EntryCommitted, Event, Saved

if TYPE_CHECKING:
    from app.fill_state import FillState
    from app.learning_state import LearningState
    from app.main_window import MainWindow
    from app.retarget_state import RetargetState


class MessageEnds:
    """Listens to all that ends a message of one window."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._was_filling, self._had_hole = False, False
        self._was_remaking = False
        window.fill.state_changed.connect(self._fill_changed)
        window.worker.ready.connect(lambda _: window.settle("engine"))

    def heard(self, event: Event) -> None:
        """Follow the document."""
        if isinstance(event, EntryCommitted):
            self._window.settle("request", "sample")
        elif isinstance(event, Saved):
            self._window.settle("save", "recovered")

    def _fill_changed(self, state: "FillState") -> None:
        is_new = state.is_busy and not self._was_filling
        if is_new or state.has_hole != self._had_hole:
            self._window.settle("fill")
        if is_new:
            self._window.settle("sample")
        self._was_filling, self._had_hole = state.is_busy, state.has_hole

    def remake_changed(self, state: "RetargetState") -> None:
        """Another picture is being remade."""
        if state.is_busy and not self._was_remaking:
            self._window.settle("remake")
        self._was_remaking = state.is_busy

    def learning_changed(self, state: "LearningState") -> None:
        """A picture is being learned, whatever kept it from that before."""
        if state.phase == "learning":
            self._window.settle("learning")
