"""The inner door of a document: changes state without asking the history, and tells observers.

For transactions, operations and snapshots. What is said with `Inner.say` is told with `Inner.tell`, once the change is
whole.
"""

import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.document.blobs import Blob
from app.document.events import (
    ActiveLayerChanged,
    CanvasChanged,
    CurrentResultChanged,
    Event,
    HistoryChanged,
    LayerChanged,
    LayerListChanged,
    LearnedChanged,
    PixelsChanged,
    ResultsChanged,
)
from app.document.history import Entry
from app.document.layers import Layer
from app.document.learned import Learned
from app.document.op import Op
from app.document.results import Result
from app.document.strokes import Stroke
from app.document.tiles import Tile, boxes_around, shift, tile_slices
from app.errors import DocumentError

if TYPE_CHECKING:
    from app.document.document import Document
    from app.document.snapshot import Snapshot
    from app.document.transaction import Transaction


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
    size_hw: tuple[int, int]
    mode: str
    results: tuple[Result, ...]
    stars: tuple[bool, ...]
    current_result_id: str | None
    learned: Learned | None
    mark: "SavedMark"


@dataclass(frozen=True)
class SavedMark:
    """Tells whether two moments of a document have the same content."""

    head_id: str
    arrivals: int


class Inner:
    """The inner door: changes state without asking the history. For transactions, operations and snapshots."""

    def __init__(self, document: "Document") -> None:
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

    def set_canvas(self, size_hw: tuple[int, int], mode: str, guides: Sequence[Layer]) -> None:
        """Give the canvas another size or mode, and put a mask and edges of that size in the place of those of the same id.

        Raises:
            DocumentError: if there are none of that id.
        """
        document = self._document
        places = [document._layers.index(document.layer(guide.id)) for guide in guides]
        for place, guide in zip(places, guides, strict=True):
            document._layers[place] = guide
        document.size_hw, document.mode = size_hw, mode
        document.revision += 1
        document.picture_revision += 1
        self.say(CanvasChanged(size_hw))
        self.say(LayerListChanged())

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

    def set_learned(self, learned: Learned | None) -> None:
        """Carry what was learned of the picture, or nothing."""
        self._document._learned = learned
        self._document.revision += 1
        self.say(LearnedChanged())

    # Transactions and snapshots --------------------------------------------------------------------------------------

    def finish(self, transaction: "Transaction", ops: tuple[Op, ...]) -> Entry | None:
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
            LayerState(layer, layer.attributes, tuple(layer.strokes)) for layer in document._layers
        )
        results = tuple(document._results)
        stars = tuple(result.is_starred for result in results)
        return DocumentState(
            layers,
            document.size_hw,
            document.mode,
            results,
            stars,
            document._current_result_id,
            document._learned,
            self.mark(),
        )

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
