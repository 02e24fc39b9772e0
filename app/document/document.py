"""A document: a picture being worked on, its layers, results and history.

Reading is free; changing goes through a transaction (`Document.begin`) or through undo and redo, all on one thread. Whoever
needs to follow observes: callbacks run on that thread, after the change is whole. Another thread reads through a
`Snapshot` only.

Two doors lead in. `Document` is for everybody. `Inner`, as ``document.inner``, is for transactions, operations and
snapshots: it changes state without asking the history.
"""

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from app.document.blobs import Blob, BlobStore
from app.document.events import (
    ActiveLayerChanged,
    CurrentResultChanged,
    EntryCommitted,
    EntryRedone,
    EntryUndone,
    Event,
    HistoryChanged,
    LayerChanged,
    LayerListChanged,
    PixelsChanged,
    ResultArrived,
    ResultDropped,
    ResultsChanged,
    Saved,
)
from app.document.history import Entry, History
from app.document.layers import MAX_SIDE_PX, Layer
from app.document.ops import Op, ResultChanged
from app.document.results import Result
from app.document.strokes import Stroke, new_id
from app.document.tiles import Tile, boxes_around, shift, tile_slices
from app.document.transaction import Transaction
from app.errors import DocumentError

if TYPE_CHECKING:
    from app.document.snapshot import Snapshot
    from engine.pictures import Picture

__all__ = ["Document", "DocumentState", "LayerState", "SavedMark", "Transaction"]

MODES = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
"""Modes of a document, and their channels."""

Observer = Callable[[Event], None]


@dataclass(frozen=True, eq=False)
class LayerState:
    """A layer's attributes at one moment; its planes go on changing."""

    layer: Layer
    attributes: dict[str, Any]
    strokes: tuple[Stroke, ...]


@dataclass(frozen=True, eq=False)
class DocumentState:
    """Everything but pixels at one moment."""

    layers: tuple[LayerState, ...]
    results: tuple[Result, ...]
    stars: tuple[bool, ...]
    current_result_id: str | None
    mark: "SavedMark"


@dataclass(frozen=True)
class SavedMark:
    """Tells whether two moments of a document have the same content."""

    head_id: str
    arrivals: int


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
        exif: camera data of the picture.
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
        exif: bytes | None = None,
        id: str | None = None,
        store: BlobStore | None = None,
    ) -> None:
        _check_canvas(size_hw, mode)
        self.id = new_id() if id is None else id
        self.name = name
        self.path = path
        self.size_hw: tuple[int, int] = (int(size_hw[0]), int(size_hw[1]))
        self.mode = mode
        self.is_deep = is_deep
        self.icc_profile = icc_profile
        self.exif = exif
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
        self._layers = _with_mask_and_edges(list(layers), self.size_hw)
        self._results = list(results)
        self._current_result_id: str | None = None
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
        _check_canvas(size_hw, picture.mode)
        layer = Layer("picture", name, {"pixels": picture.pixels.copy()})
        return cls(
            size_hw,
            picture.mode,
            is_deep=picture.is_deep,
            name=name,
            path=path,
            layers=[layer],
            icc_profile=picture.icc_profile,
            exif=picture.exif,
        )

    @classmethod
    def blank(cls, size_hw: tuple[int, int], mode: str = "RGB", *, name: str = "Untitled") -> Self:
        """A document of one white layer, clear where the mode has alpha."""
        _check_canvas(size_hw, mode)
        channels = MODES[mode]
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
        while (entry := self.history.newest) is not None:
            self._take_back()
            if not entry.is_continuation:
                break
        self.inner.say(HistoryChanged())
        self.inner.tell()
        return True

    def redo(self) -> bool:
        """Do again what was undone last; False if there is nothing, or a stroke is under way."""
        if not self.can_redo:
            return False
        self._do_again()
        while (entry := self.history.next_redo) is not None and entry.is_continuation:
            self._do_again()
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
        self._do_all(entry.ops)
        self._keep(entry)
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
        self._keep(Entry("Fill", (op,), is_continuation=is_continuation))
        if is_same_step and draft is not None and draft.is_draft and not draft.is_starred:
            self._results.remove(draft)
            self.inner.say(ResultDropped(draft.id))
        self._end_arrival()

    def mark_saved(self, path: Path | None, snapshot: "Snapshot | None" = None) -> None:
        """Say that the document was written to its file.

        Args:
            path: the file.
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
        entry = self.history.pop_done()
        for op in reversed(entry.ops):
            op.revert(self)
        self.inner.say(EntryUndone(entry))

    def _do_again(self) -> None:
        entry = self.history.pop_undone()
        for op in entry.ops:
            op.apply(self)
        self.inner.say(EntryRedone(entry))

    def _do_all(self, ops: tuple[Op, ...]) -> None:
        """Apply operations; all or none."""
        for op in ops:
            for blob in getattr(op, "blobs", ()):
                self.store.adopt(blob)
        for at, op in enumerate(ops):
            try:
                op.apply(self)
            except (DocumentError, ValueError, IndexError) as error:
                for done in reversed(ops[:at]):
                    done.revert(self)
                self.inner.tell()
                if isinstance(error, DocumentError):
                    raise
                hint = "the record is damaged"
                raise DocumentError("history entry", "values that fit", str(error)[:80], hint) from error

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


class Inner:
    """The inner door: changes state without asking the history. For transactions, operations and snapshots."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._events: list[Event] = []
        self._is_telling = False
        self._written: dict[tuple[str, str], set[Tile]] = {}
        self._latest: dict[
            tuple[str, str, Tile], tuple[weakref.ref[np.ndarray], weakref.ref[Blob]] | tuple[None, None]
        ] = {}
        self._snapshots: tuple[weakref.ref[Snapshot], ...] = ()
        self._snapshots_lock = threading.Lock()

    # Telling ---------------------------------------------------------------------------------------------------------

    def say(self, event: Event) -> None:
        """Note an event for the next `tell`; what happened to tiles comes before it."""
        self._note_written_tiles()
        self._events.append(event)

    def tell(self) -> None:
        """Tell observers all that was noted, in order: what an observer changes is told after what it was told of.

        Raises:
            Exception: what an observer raised, after all of them were told.
        """
        self._note_written_tiles()
        if self._is_telling:
            return
        self._is_telling = True
        failure: Exception | None = None
        try:
            while self._events:
                events, self._events = self._events, []
                for event in events:
                    for observer in tuple(self._document._observers):
                        try:
                            observer(event)
                        except Exception as error:  # noqa: BLE001 (raised below, once everybody knows)
                            failure = failure or error
        finally:
            self._is_telling = False
        if failure is not None:
            raise failure

    def count_pixels(self, layer: Layer) -> None:
        """Count a change of a layer's pixels."""
        self._document.revision += 1
        if layer.kind == "picture":
            self._document.picture_revision += 1

    def _note_written_tiles(self) -> None:
        written, self._written = self._written, {}
        for (layer_id, plane), tiles in written.items():
            layer = next((one for one in self._document._layers if one.id == layer_id), None)
            if layer is None:
                continue
            self.count_pixels(layer)
            for box in boxes_around(tiles, layer.size_hw):
                self._events.append(PixelsChanged(layer_id, plane, box, shift(box, layer.origin_xy)))

    # Layers ----------------------------------------------------------------------------------------------------------

    def write_tile(self, layer_id: str, plane: str, tile: Tile, old: Blob | None, new: Blob) -> None:
        """Put values into a tile.

        Args:
            layer_id: whose plane.
            plane: its name.
            tile: which one.
            old: its values now; None where snapshots were handed them already.
            new: its values then.

        Raises:
            DocumentError: if there is no such layer, plane or tile, or the values have another shape.
        """
        layer = self._document.layer(layer_id)
        values = layer.planes.get(plane)
        if values is None:
            raise DocumentError(layer.name, f"one of {', '.join(layer.planes)}", repr(plane), "no such plane")
        part = values[tile_slices(*tile, layer.size_hw)]
        if min(tile) < 0 or 0 in part.shape or part.shape != new.shape or part.dtype != new.dtype:
            expected, got = f"{part.shape} {part.dtype}", f"{new.shape} {new.dtype}"
            raise DocumentError(f"tile {tile}", expected, got, "it is of another picture")
        loaded = new.load()
        if old is not None:
            self.hand_to_snapshots(layer_id, plane, tile, values, old)
        part[...] = loaded
        layer.note_written(plane, tile)
        self.note_latest(layer_id, plane, tile, values, new)
        self._written.setdefault((layer_id, plane), set()).add(tile)

    def note_latest(self, layer_id: str, plane: str, tile: Tile, values: np.ndarray, blob: Blob) -> None:
        """Remember the blob that holds what a tile holds now: what a stroke leaves is what the next one finds."""
        self._latest[layer_id, plane, tile] = (weakref.ref(values), weakref.ref(blob))

    def pop_latest(self, layer_id: str, plane: str, tile: Tile, values: np.ndarray) -> Blob | None:
        """The blob that holds what a tile holds now, if there is one; the tile is about to be written to."""
        plane_ref, blob_ref = self._latest.pop((layer_id, plane, tile), (None, None))
        is_same = plane_ref is not None and plane_ref() is values
        return blob_ref() if is_same and blob_ref is not None else None

    def insert_layer(self, index: int, layer: Layer) -> None:
        """Put a layer in."""
        document = self._document
        document._layers.insert(index, layer)
        self.count_pixels(layer)
        self.say(LayerListChanged())

    def take_layer(self, layer_id: str) -> None:
        """Take a layer out; where it was worked on, the one below is worked on next."""
        document = self._document
        layer = document.layer(layer_id)
        index = document._layers.index(layer)
        document._layers.remove(layer)
        self.count_pixels(layer)
        self.say(LayerListChanged())
        if document._active_layer_id == layer_id:
            document._active_layer_id = document._layers[max(index - 1, 0)].id
            self.say(ActiveLayerChanged(document._active_layer_id))

    def move_layer(self, layer_id: str, index: int) -> None:
        """Move a layer."""
        document = self._document
        layer = document.layer(layer_id)
        document._layers.remove(layer)
        document._layers.insert(index, layer)
        self.count_pixels(layer)
        self.say(LayerListChanged())

    def set_attribute(self, layer_id: str, name: str, value: Any) -> None:
        """Set one attribute of a layer."""
        layer = self._document.layer(layer_id)
        setattr(layer, name, value)
        if name in ("is_visible", "opacity", "origin_xy"):
            self.count_pixels(layer)
        else:
            self._document.revision += 1
        self.say(LayerChanged(layer_id))

    def splice_strokes(self, layer_id: str, start: int, count: int, strokes: tuple[Stroke, ...]) -> None:
        """Put strokes in the place of others."""
        self._document.layer(layer_id).strokes[start : start + count] = strokes
        self._document.revision += 1
        self.say(LayerChanged(layer_id))

    # Results ---------------------------------------------------------------------------------------------------------

    def show_result(self, result_id: str | None) -> None:
        """Show a result; none where it is not there any more, as a dropped draft is."""
        document = self._document
        found = next((result for result in document._results if result.id == result_id), None)
        old = document.current_result
        if old is not None and old is not found:
            old.sleep(document.store)
        if found is not None:
            found.wake()
        document._current_result_id = None if found is None else found.id
        document.revision += 1
        self.say(CurrentResultChanged(document._current_result_id))

    def insert_result(self, index: int, result: Result) -> None:
        """Put a result in."""
        result.sleep(self._document.store)
        self._document._results.insert(index, result)
        self._document.revision += 1
        self.say(ResultsChanged())

    def take_result(self, result_id: str) -> None:
        """Take a result out."""
        document = self._document
        result = document.result(result_id)
        if document._current_result_id == result_id:
            self.show_result(None)
        result.sleep(document.store)
        document._results.remove(result)
        document.revision += 1
        self.say(ResultsChanged())

    def star_result(self, result_id: str, is_starred: bool) -> None:
        """Star a result, or take its star."""
        self._document.result(result_id).is_starred = is_starred
        self._document.revision += 1
        self.say(ResultsChanged())

    # Transactions and snapshots --------------------------------------------------------------------------------------

    def finish(self, transaction: Transaction, ops: tuple[Op, ...]) -> Entry | None:
        """End the open transaction with what it did; nothing where it was rolled back."""
        document = self._document
        transaction.close()
        document.transaction = None
        document.store.is_stroke_under_way = False
        entry = None
        if ops:
            is_continuation = document.history.is_merging(transaction.merge_key, document._saved.head_id)
            entry = Entry(transaction.label, ops, transaction.merge_key, is_continuation)
            document._keep(entry)
        else:
            self.say(HistoryChanged())
        self.tell()
        return entry

    def mark(self) -> SavedMark:
        """Tells the content now from the content at other moments."""
        return SavedMark(self._document.history.head_id, self._document._arrivals)

    def state(self) -> DocumentState:
        """Everything but pixels as it is now."""
        document = self._document
        layers = tuple(
            LayerState(
                layer,
                {
                    "name": layer.name,
                    "origin_xy": layer.origin_xy,
                    "is_visible": layer.is_visible,
                    "opacity": layer.opacity,
                    "step": layer.step,
                },
                tuple(layer.strokes),
            )
            for layer in document._layers
        )
        results = tuple(document._results)
        stars = tuple(result.is_starred for result in results)
        return DocumentState(layers, results, stars, document._current_result_id, self.mark())

    def register(self, snapshot: "Snapshot") -> None:
        """Have values handed to a snapshot before they are written over."""
        with self._snapshots_lock:
            self._snapshots = (*self._snapshots, weakref.ref(snapshot))

    def unregister(self, snapshot: "Snapshot") -> None:
        """Hand nothing more to a snapshot; on any thread."""
        with self._snapshots_lock:
            self._snapshots = tuple(ref for ref in self._snapshots if ref() not in (None, snapshot))

    def hand_to_snapshots(self, layer_id: str, plane: str, tile: Tile, values: np.ndarray, old: Blob) -> None:
        """Give the values of a tile to snapshots before it is written to."""
        for ref in self._snapshots:
            snapshot = ref()
            if snapshot is not None:
                snapshot.keep(layer_id, plane, tile, values, old)


def _check_canvas(size_hw: tuple[int, int], mode: str) -> None:
    if mode not in MODES:
        raise DocumentError("mode", f"one of {', '.join(MODES)}", repr(mode), "convert the picture")
    h, w = size_hw
    if not (1 <= h <= MAX_SIDE_PX and 1 <= w <= MAX_SIDE_PX):
        raise DocumentError(
            "canvas", f"1 to {MAX_SIDE_PX} px a side", f"{w}x{h} px", "make the picture smaller"
        )


def _with_mask_and_edges(layers: list[Layer], size_hw: tuple[int, int]) -> list[Layer]:
    """The layers with one mask and one edges layer on top of them."""
    for kind, make in (("mask", Layer.empty_mask), ("edges", Layer.empty_edges)):
        found = [layer for layer in layers if layer.kind == kind]
        if len(found) > 1:
            raise DocumentError("layers", f"one layer of {kind}", len(found), "join them into one")
        if not found:
            layers.append(make(size_hw))
        elif found[0].size_hw != size_hw or found[0].origin_xy != (0, 0):
            got = "{1}x{0} px".format(*found[0].size_hw)
            raise DocumentError(found[0].name, "the size of the canvas", got, "the file is damaged")
    if len({layer.id for layer in layers}) != len(layers):
        raise DocumentError("layers", "an id for each", "one used twice", "the file is damaged")
    return [
        *(layer for layer in layers if layer.kind == "picture"),
        *(layer for layer in layers if layer.kind != "picture"),
    ]
