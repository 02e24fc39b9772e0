"""Which mask, edges and picture an answer is for, when undo and redo walk back and forth.

Every change of what is filled gives a new number. Undo brings back the number of before, redo the one of after, so that
a result found to be for state 3 is right again whenever state 3 is.

Elsewhere: who asks in fill.py; entries and their continuations in document/history.py.
"""

import itertools
from dataclasses import dataclass
from typing import Literal

from app.document.document import Document
from app.document.events import EntryCommitted, EntryRedone, EntryUndone, Event, HistoryChanged, PixelsChanged

InputChange = Literal["", "changed", "moved"]
"""Nothing; a new state by a new entry; an earlier or later state by undo or redo."""


@dataclass(frozen=True)
class _Step:
    """What a history entry did to the inputs."""

    before: int
    after: int
    is_continuation: bool
    is_live_fill: bool


class InputStates:
    """Numbers the states of a document's mask, edges and picture.

    Args:
        document: what is followed; hand its events to `heard`.
    """

    def __init__(self, document: Document | None = None) -> None:
        self._document = document
        self._numbers = itertools.count(1)
        self._current = 0
        self._done: list[_Step] = []
        self._undone: list[_Step] = []
        self._is_touched = False
        self._picture_revision = document.picture_revision if document is not None else 0
        self.is_adding_live_fill = False
        """Set while a live result is added, so that its entry is known again."""

    @property
    def current(self) -> int:
        """Number of the state now."""
        return self._current

    @property
    def is_changing(self) -> bool:
        """Whether something is being drawn that is not yet in the history."""
        return self._is_touched and self._document is not None and self._document.transaction is not None

    def may_join(self, state: int) -> bool:
        """Whether a live result for a state belongs to the newest entry: a stroke that led there, or a live fill."""
        if state != self._current:
            return False
        for step in reversed(self._done):
            if step.after != step.before:
                return True
            if not step.is_continuation:
                return step.is_live_fill
        return False

    def heard(self, event: Event) -> InputChange:
        """Follow the document; says what became of the inputs."""
        if isinstance(event, PixelsChanged):
            self._is_touched = self._is_touched or self._is_input(event)
        elif isinstance(event, EntryCommitted):
            return self._committed(event)
        elif isinstance(event, EntryUndone):
            return self._moved(self._done, self._undone, "before")
        elif isinstance(event, EntryRedone):
            return self._moved(self._undone, self._done, "after")
        elif isinstance(event, HistoryChanged) and not self._is_drawing():
            self._is_touched = False  # after a stroke that was rolled back
        return ""

    def _is_input(self, event: PixelsChanged) -> bool:
        document = self._document
        return document is not None and event.layer_id in (document.mask_layer.id, document.edges_layer.id)

    def _is_drawing(self) -> bool:
        return self._document is not None and self._document.transaction is not None

    def _committed(self, event: EntryCommitted) -> InputChange:
        before, is_new = self._current, False
        if not self._is_drawing():  # else it is a result that came while a stroke is under way
            is_new = self._is_touched | self._is_picture_new()
            self._is_touched = False
        if is_new:
            self._current = next(self._numbers)
        is_continuation = event.entry.is_continuation
        self._done.append(_Step(before, self._current, is_continuation, self.is_adding_live_fill))
        if not is_continuation:
            self._undone.clear()
        return "changed" if is_new else ""

    def _moved(
        self, source: list[_Step], target: list[_Step], side: Literal["before", "after"]
    ) -> InputChange:
        self._is_touched = False
        self._is_picture_new()
        before = self._current
        if source:
            step = source.pop()
            target.append(step)
            self._current = getattr(step, side)
        else:  # an entry older than this watch, as in a document that was recovered
            self._current = next(self._numbers)
        return "moved" if self._current != before else ""

    def _is_picture_new(self) -> bool:
        revision = self._document.picture_revision if self._document is not None else 0
        is_new = revision != self._picture_revision
        self._picture_revision = revision
        return is_new
