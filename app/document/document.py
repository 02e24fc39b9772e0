"""A document: a picture being worked on, its layers, results and history.

Reading is free; changing goes through a transaction (`Document.begin`) or through undo and redo, all on one thread.
Whoever needs to follow observes: callbacks run on that thread, after the change is whole. Another thread reads through
a `Snapshot` only.

Two doors lead in. `Document` is for everybody. `Inner`, as ``document.inner``, is for transactions, operations and
snapshots: it changes state without asking the history.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from app.document.blobs import BlobStore
from app.document.canvas import check_canvas, with_mask_and_edges
from app.document.events import (
    ActiveLayerChanged,
    EntryCommitted,
    EntryRedone,
    EntryUndone,
    Event,
    HistoryChanged,
    LearnedArrived,
    ResultArrived,
    ResultDropped,
    ResultsChanged,
    Saved,
)
from app.document.flatten import CHANNELS
from app.document.history import Entry, History
from app.document.inner import Inner, SavedMark
from app.document.layers import Layer
from app.document.learned import Learned
from app.document.op import Op
from app.document.result_ops import ResultChanged
from app.document.results import Result
from app.document.strokes import new_id
from app.document.transaction import Transaction
from app.errors import DocumentError
from engine.metadata.kept import NOTHING, Metadata

if TYPE_CHECKING:
    from app.document.snapshot import Snapshot
    from engine.pictures import Picture

__all__ = ["Document", "Transaction"]

Observer = Callable[[Event], None]
Change = Callable[["Document"], None]  # of an operation, forth or back


class Document:
    """A picture being worked on.

    Args:
        size_hw: of the canvas, in px.
        mode: ``L``, ``LA``, ``RGB`` or ``RGBA``.
        is_deep: whether a channel has 16 bits.
        name: for the title bar.
        path: its own file, or None.
        layers: bottom to top; a mask and an edges layer are made where they are missing.
        results: oldest first.
        current_result_id: the result that is shown, or None.
        active_layer_id: the layer that is worked on; the topmost picture where None.
        icc_profile: colour profile of the picture.
        metadata: what else the picture's file said: camera data, words, resolution.
        learned: networks that learned the picture.
        id: drawn where None.
        store: where old values lie; one of its own where None.

    Raises:
        DocumentError: if sizes, kinds or ids do not go together.
    """

    def __init__(
        self,
        size_hw: tuple[int, int],
        mode: str = "RGB",
        *,
        is_deep: bool = False,
        name: str = "Untitled",
        path: Path | None = None,
        layers: tuple[Layer, ...] | list[Layer] = (),
        results: tuple[Result, ...] | list[Result] = (),
        current_result_id: str | None = None,
        active_layer_id: str | None = None,
        icc_profile: bytes | None = None,
        metadata: Metadata = NOTHING,
        learned: Learned | None = None,
        id: str | None = None,
        store: BlobStore | None = None,
    ) -> None:
        check_canvas(size_hw, mode)
        self.id = new_id() if id is None else id
        self.opening_id = new_id()
        """Another one each time the document is opened, while ``id`` stays with its file and the copies of that."""
        self.name = name
        self.path = path
        self.size_hw: tuple[int, int] = (int(size_hw[0]), int(size_hw[1]))
        self.mode = mode
        self.is_deep = is_deep
        self.icc_profile = icc_profile
        self.metadata = metadata
        self.unknown_entries: dict[str, bytes] = {}
        """Entries of its file that this program does not know, by name; they survive a save."""
        self.revision = 0
        """Counts every change."""
        self.picture_revision = 0
        """Counts changes of the flattened picture without the current result."""
        self.store = BlobStore() if store is None else store
        self.history = History(self.store)
        self.transaction: Transaction | None = None
        """The open one."""
        self.flat_cache: tuple[int, np.ndarray | None] = (-1, None)
        """``picture_revision`` and what `app.document.flatten.flattened_view` made of it."""
        self._layers = with_mask_and_edges(list(layers), self.size_hw)
        self._results = list(results)
        self._current_result_id: str | None = None
        self._learned = learned
        self._arrivals = 0
        self._observers: list[Observer] = []
        self.inner = Inner(self)
        pictures = [layer for layer in self._layers if layer.kind == "picture"]
        self._active_layer_id = (pictures[-1] if pictures else self.mask_layer).id
        if active_layer_id is not None:
            self._active_layer_id = self.layer(active_layer_id).id
        if current_result_id is not None:
            self._current_result_id = self.result(current_result_id).id
        for result in self._results:
            if result.id != current_result_id:
                result.sleep(self.store)
        if learned is not None:
            self.store.adopt(learned.blob)
        self._saved = self.inner.mark()

    @classmethod
    def from_picture(cls, picture: "Picture", *, name: str, path: Path | None = None) -> Self:
        """A document of one picture, in its mode and depth; its pixels are copied.

        Args:
            picture: as ``engine.pictures.read_picture`` gives it.
            name: for the title bar.
            path: the document's own file; not where the picture came from.
        """
        size_hw = (picture.pixels.shape[0], picture.pixels.shape[1])
        check_canvas(size_hw, picture.mode)
        layer = Layer("picture", name, {"pixels": picture.pixels.copy()})
        return cls(
            size_hw,
            picture.mode,
            is_deep=picture.is_deep,
            name=name,
            path=path,
            layers=[layer],
            icc_profile=picture.icc_profile,
            metadata=picture.metadata,
        )

    @classmethod
    def blank(cls, size_hw: tuple[int, int], mode: str = "RGB", *, name: str = "Untitled") -> Self:
        """A document of one white layer, clear where the mode has alpha."""
        check_canvas(size_hw, mode)
        channels = CHANNELS[mode]
        shape = size_hw if channels == 1 else (*size_hw, channels)
        pixels = np.full(shape, 255, np.uint8)
        if mode.endswith("A"):
            pixels[..., -1] = 0
        return cls(size_hw, mode, name=name, layers=[Layer("picture", "Background", {"pixels": pixels})])

    # Reading ---------------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Bottom to top."""
        return tuple(self._layers)

    def layer(self, layer_id: str) -> Layer:
        """The layer of an id.

        Raises:
            DocumentError: if there is none.
        """
        for layer in self._layers:
            if layer.id == layer_id:
                return layer
        raise DocumentError(
            "layer", "one of this document", repr(layer_id), "it was removed, or is another's"
        )

    @property
    def mask_layer(self) -> Layer:
        """The one mask layer."""
        return next(layer for layer in self._layers if layer.kind == "mask")

    @property
    def edges_layer(self) -> Layer:
        """The one edges layer."""
        return next(layer for layer in self._layers if layer.kind == "edges")

    @property
    def active_layer_id(self) -> str:
        """The layer that is worked on. Not undoable."""
        return self._active_layer_id

    @active_layer_id.setter
    def active_layer_id(self, layer_id: str) -> None:
        if self.layer(layer_id).id != self._active_layer_id:
            self._active_layer_id = layer_id
            self.inner.say(ActiveLayerChanged(layer_id))
            self.inner.tell()

    @property
    def results(self) -> tuple[Result, ...]:
        """Oldest first."""
        return tuple(self._results)

    def result(self, result_id: str) -> Result:
        """The result of an id.

        Raises:
            DocumentError: if there is none.
        """
        for result in self._results:
            if result.id == result_id:
                return result
        raise DocumentError("result", "one of this document", repr(result_id), "it was deleted")

    @property
    def current_result_id(self) -> str | None:
        """The result that is shown over the picture."""
        return self._current_result_id

    @property
    def current_result(self) -> Result | None:
        """The result that is shown over the picture."""
        return None if self._current_result_id is None else self.result(self._current_result_id)

    @property
    def learned(self) -> Learned | None:
        """What was learned of the picture, where the document carries it."""
        return self._learned

    @property
    def is_modified(self) -> bool:
        """Whether there is something to save."""
        return self.transaction is not None or self._saved != self.inner.mark()

    # Observing -------------------------------------------------------------------------------------------------------

    def observe(self, callback: Observer) -> Callable[[], None]:
        """Have every event told to a callback, on the thread that changes the document.

        Returns:
            What ends it; calling it twice does no harm.
        """
        self._observers.append(callback)

        def stop() -> None:
            if callback in self._observers:
                self._observers.remove(callback)

        return stop

    # Changing --------------------------------------------------------------------------------------------------------

    def begin(self, label: str, *, merge_key: str = "") -> Transaction:
        """Open a transaction.

        Args:
            label: for the history panel: what a person would say they did.
            merge_key: changes in a row with the same key become one step, as those of a slider do.

        Raises:
            DocumentError: if one is open already.
        """
        if self.transaction is not None:
            hint = "finish or cancel the stroke first"
            raise DocumentError(label, "no other change under way", f"'{self.transaction.label}'", hint)
        self.transaction = Transaction(self, label, merge_key=merge_key)
        self.store.is_stroke_under_way = True
        return self.transaction

    @property
    def can_undo(self) -> bool:
        """Whether `undo` does something."""
        return self.transaction is None and self.history.newest is not None

    @property
    def can_redo(self) -> bool:
        """Whether `redo` does something."""
        return self.transaction is None and self.history.next_redo is not None

    @property
    def undo_label(self) -> str:
        """What an undo takes back; empty if there is nothing."""
        return self.history.undo_label

    @property
    def redo_label(self) -> str:
        """What a redo does again; empty if there is nothing."""
        return self.history.redo_label

    def undo(self) -> bool:
        """Take back the newest entry and what continued it; False if there is nothing, or a stroke is under way."""
        if not self.can_undo:
            return False
        try:
            while (entry := self.history.newest) is not None:
                self._take_back()
                if not entry.is_continuation:
                    break
        finally:  # where one entry cannot be taken back, those before it were
            self.inner.say(HistoryChanged())
            self.inner.tell()
        return True

    def redo(self) -> bool:
        """Do again what was undone last; False if there is nothing, or a stroke is under way."""
        if not self.can_redo:
            return False
        try:
            self._do_again()
            while (entry := self.history.next_redo) is not None and entry.is_continuation:
                self._do_again()
        finally:
            self.inner.say(HistoryChanged())
            self.inner.tell()
        return True

    def undo_entry(self) -> None:
        """Take back exactly one entry, as a journal names them; `undo` is what a person means.

        Raises:
            DocumentError: if there is none.
        """
        if not self.can_undo:
            raise DocumentError("undo", "an entry to take back", "none", "the history starts here")
        self._take_back()
        self.inner.say(HistoryChanged())
        self.inner.tell()

    def redo_entry(self) -> None:
        """Do exactly one entry again, as a journal names them; `redo` is what a person means.

        Raises:
            DocumentError: if there is none.
        """
        if not self.can_redo:
            raise DocumentError("redo", "an entry to do again", "none", "nothing was undone")
        self._do_again()
        self.inner.say(HistoryChanged())
        self.inner.tell()

    def apply_entry(self, entry: Entry) -> None:
        """Do an entry that was read from a journal, as the newest of the history.

        Raises:
            DocumentError: if it does not fit this document; the document is then as before.
        """
        if self.transaction is not None:
            raise DocumentError(
                entry.label, "no change under way", f"'{self.transaction.label}'", "finish it"
            )
        for op in entry.ops:
            for blob in getattr(op, "blobs", ()):
                self.store.adopt(blob)
        self._apply_all(entry.ops)
        self._keep(entry)
        self.inner.tell()

    def revert_entry(self, entry: Entry) -> None:
        """Take back an entry that was read from a journal and done before this history began; it can be redone.

        Raises:
            DocumentError: if it does not fit this document; the document is then as before.
        """
        if self.can_undo:
            raise DocumentError(entry.label, "a history without entries", "newer ones", "undo them first")
        for op in entry.ops:
            for blob in getattr(op, "blobs", ()):
                self.store.adopt(blob)
        self._revert_all(entry.ops)
        self.history.push_undone(entry)
        self.inner.say(EntryUndone(entry))
        self.inner.say(HistoryChanged())
        self.inner.tell()

    def add_result(self, result: Result, *, make_current: bool = True, amend: bool = False) -> None:
        """Add what the engine made; allowed at any time, also while a stroke is under way.

        A result is never lost by an undo: it stays in ``results``, only the one that is shown goes back. A draft that
        the full result of the same step replaces is dropped.

        Args:
            result: new to this document.
            make_current: show it.
            amend: join the newest entry of the history, as a live fill belongs to its stroke: one undo takes both
                back. What was undone can still be redone.

        Raises:
            DocumentError: if its id is in use.
        """
        if any(result.id == other.id for other in self._results):
            raise DocumentError("result", "a new one", "one that is there", "give it another id")
        draft = self.current_result if amend else None
        self._results.append(result)
        self._arrivals += 1
        self.revision += 1
        self.inner.say(ResultArrived(result))
        self.inner.say(ResultsChanged())
        if not make_current:
            result.sleep(self.store)
            self.inner.say(HistoryChanged())
            self._end_arrival()
            return
        op = ResultChanged(self._current_result_id, result.id)
        is_continuation = amend and self.history.newest is not None
        is_same_step = is_continuation and draft is not None and self._was_shown_by_newest(draft)
        op.apply(self)
        self._keep(Entry(result.label, (op,), is_continuation=is_continuation))
        if is_same_step and draft is not None and draft.is_draft and not draft.is_starred:
            self._results.remove(draft)
            self.inner.say(ResultDropped(draft.id))
        self._end_arrival()

    def hide_result(self) -> None:
        """Show the picture without a result, as a part of the newest step: one undo takes both back."""
        if self._current_result_id is None:
            return
        op = ResultChanged(self._current_result_id, None)
        op.apply(self)
        self._keep(Entry("Show picture", (op,), is_continuation=self.history.newest is not None))
        self.inner.tell()

    def add_learned(self, learned: Learned) -> None:
        """Carry what was learned of the picture in the document, in the place of what was learned before.

        Allowed at any time, also while a stroke is under way; no undo takes it away.
        """
        self.store.adopt(learned.blob)
        self._arrivals += 1
        self.inner.set_learned(learned)
        self.inner.say(LearnedArrived(learned))
        self.inner.say(HistoryChanged())
        self._end_arrival()

    def mark_saved(self, path: Path | None, snapshot: "Snapshot | None" = None) -> None:
        """Say that the document was written to its file, or that nothing of it would be lost.

        Args:
            path: the file; None where it has none and can be had again as it is.
            snapshot: what was written, where the document may have changed since; the document as it is where None.
        """
        if path is not None:
            self.path = path
            self.name = path.stem
        self._saved = self.inner.mark() if snapshot is None else snapshot.mark
        self.inner.say(Saved(path))
        self.inner.say(HistoryChanged())
        self.inner.tell()

    def mark_unsaved(self) -> None:
        """Say that the content is in no file, as after a recovery."""
        self._saved = SavedMark("", -1)
        self.inner.say(HistoryChanged())
        self.inner.tell()

    def close(self) -> None:
        """Let go of observers, history and temporary files. The document is not used afterwards."""
        self._observers.clear()
        if self.transaction is not None:
            self.transaction.close()
            self.transaction = None
        self.history.clear()
        self.store.close()

    def _end_arrival(self) -> None:
        if self.transaction is not None:
            self.transaction.note_arrival()
        self.inner.tell()

    def _take_back(self) -> None:
        entry = self.history.newest
        assert entry is not None, "asked for by can_undo"
        self._revert_all(entry.ops)
        self.history.pop_done()
        self.inner.say(EntryUndone(entry))

    def _do_again(self) -> None:
        entry = self.history.next_redo
        assert entry is not None, "asked for by can_redo"
        self._apply_all(entry.ops)
        self.history.pop_undone()
        self.inner.say(EntryRedone(entry))

    def _apply_all(self, ops: tuple[Op, ...]) -> None:
        """Apply operations; all or none."""
        self._all_or_none([(op.apply, op.revert) for op in ops])

    def _revert_all(self, ops: tuple[Op, ...]) -> None:
        """Take operations back, the last one first; all or none."""
        self._all_or_none([(op.revert, op.apply) for op in reversed(ops)])

    def _all_or_none(self, changes: Sequence[tuple[Change, Change]]) -> None:
        """Make changes, each given with its opposite; where one fails, those before it are made undone.

        Raises:
            DocumentError: if an operation does not fit, as one from a damaged record.
        """
        opposites: list[Change] = []
        try:
            for change, opposite in changes:
                change(self)
                opposites.append(opposite)
        except BaseException as error:  # also where the disk that old values lie on failed
            for opposite in reversed(opposites):
                opposite(self)
            self.inner.tell()
            if isinstance(error, ArithmeticError | LookupError | ValueError):
                expected, hint = "values that fit", "the record of it is damaged"
                raise DocumentError("history entry", expected, str(error)[:80], hint) from error
            raise

    def _keep(self, entry: Entry) -> None:
        """Put an entry that was done into the history."""
        self.history.push(entry, is_redo_kept=entry.is_continuation)
        self.revision += 1
        self.inner.say(EntryCommitted(entry))
        self.inner.say(HistoryChanged())

    def _was_shown_by_newest(self, result: Result) -> bool:
        """Whether the newest entry is the live fill that showed this result."""
        newest = self.history.newest
        return newest is not None and any(
            isinstance(op, ResultChanged) and op.after == result.id for op in newest.ops
        )
