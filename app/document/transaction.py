"""One undoable change: opened with `Document.begin`, committed as one entry of the history or rolled back whole.

Whoever writes into a plane says so before (`touch`) and after (`changed`). Touching keeps the values of tiles that were
not yet kept, as one copy each; everything that needs time, packing above all, is done later on another thread. Boxes
are in the pixels of the plane; for masks and edges that is the canvas.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from app.document.blobs import Blob
from app.document.canvas import check_canvas, resized
from app.document.canvas_ops import CanvasResized, contents_of
from app.document.events import PixelsChanged
from app.document.history import Entry
from app.document.layer_content import LayerContent
from app.document.layer_ops import LayerAdded, LayerChanged, LayerMoved, LayerRemoved
from app.document.layers import ATTRIBUTES, Layer, attribute_from_plain
from app.document.learned_ops import LearnedRemoved
from app.document.op import Op
from app.document.pixel_ops import StrokesChanged, TileChange
from app.document.result_ops import ResultChanged, ResultRemoved, ResultStarred
from app.document.strokes import Stroke
from app.document.tiles import Box, Tile, clip_box, is_empty, overlap, shift, slices_of, tile_box, tiles_of
from app.errors import DocumentError

if TYPE_CHECKING:
    from app.document.document import Document

RAW_LIMIT_BYTES = 64 << 20
"""Touched values beyond this are packed while the transaction is still open."""

TileKey = tuple[str, str, Tile]


@dataclass(eq=False)
class KeptTile:
    """Values of a tile as they were when it was first touched."""

    plane: np.ndarray
    """The plane it is of; tells a layer from the one that took its place."""
    blob: Blob
    _values: np.ndarray | None = None

    @property
    def values(self) -> np.ndarray:
        """The values, at hand for the next dab; not to be written to."""
        if self._values is None:
            self._values = self.blob.load()
        return self._values


class Transaction:
    """One undoable change. As a context manager it commits at the end, and rolls back if an error passes through."""

    def __init__(self, document: "Document", label: str, *, merge_key: str = "") -> None:
        self.label = label
        self.merge_key = merge_key
        self.before_state = document.inner.state()
        """Layers and current result as they were at the start; for snapshots."""
        self._document = document
        self._ops: list[Op] = []
        self._held: dict[TileKey, KeptTile] = {}
        self._flushed: dict[TileKey, KeptTile] = {}
        self._raw_bytes = 0
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_open:
            return
        if kind is None:
            self.commit()
        else:
            self.rollback()

    @property
    def is_open(self) -> bool:
        """Whether it was neither committed nor rolled back yet."""
        return self._is_open

    @property
    def nbytes(self) -> int:
        """Bytes touched so far."""
        return self._raw_bytes

    # Pixels ----------------------------------------------------------------------------------------------------------

    def touch(self, layer_id: str, plane: str, box: Box) -> None:
        """Keep the values of a box before it is written to.

        Args:
            layer_id: whose plane.
            plane: its name.
            box: in the pixels of the plane; what lies outside does not count.

        Raises:
            DocumentError: if there is no such layer or plane, or the transaction is over.
        """
        layer, values = self._plane(layer_id, plane)
        document, size_hw = self._document, layer.size_hw
        for tile in tiles_of(box, size_hw):
            key = (layer_id, plane, tile)
            if key in self._held:
                continue
            blob = document.inner.pop_latest(layer_id, plane, tile, values)
            if blob is None:
                blob = document.store.hold(values[slices_of(tile_box(*tile, size_hw))])
            self._held[key] = KeptTile(values, blob)
            document.inner.hand_to_snapshots(layer_id, plane, tile, values, blob)
            layer.note_written(plane, tile)
            self._raw_bytes += blob.memory_bytes
            if self._raw_bytes > RAW_LIMIT_BYTES:
                document.store.pack_soon([blob])

    def before(self, layer_id: str, plane: str, box: Box) -> np.ndarray:
        """The values of a box as they were before this transaction.

        Args:
            layer_id: whose plane.
            plane: its name.
            box: in the pixels of the plane.

        Returns:
            An array of one's own, of the part of the box inside the plane.
        """
        layer, values = self._plane(layer_id, plane)
        size_hw = layer.size_hw
        box = clip_box(box, size_hw)
        result = values[slices_of(box)].copy()
        for tile in tiles_of(box, size_hw):
            kept = self._held.get((layer_id, plane, tile))
            if kept is None:
                continue
            place = tile_box(*tile, size_hw)
            shared = overlap(place, box)
            part = kept.values[slices_of(shift(shared, (-place[0], -place[1])))]
            result[slices_of(shift(shared, (-box[0], -box[1])))] = part
        return result

    def changed(self, layer_id: str, plane: str, box: Box) -> None:
        """Tell observers that a touched box was written to."""
        layer, _ = self._plane(layer_id, plane)
        box = clip_box(box, layer.size_hw)
        if not is_empty(box):
            self._document.inner.count_pixels(layer)
            self._document.inner.say(PixelsChanged(layer_id, plane, box, shift(box, layer.origin_xy)))
            self._document.inner.tell()

    @contextmanager
    def writing(self, layer_id: str, plane: str, box: Box) -> Iterator[np.ndarray]:
        """Touch a box, lend its values to be written to, then tell observers."""
        layer, values = self._plane(layer_id, plane)
        box = clip_box(box, layer.size_hw)
        self.touch(layer_id, plane, box)
        yield values[slices_of(box)]
        self.changed(layer_id, plane, box)

    def clear_plane(self, layer_id: str, plane: str) -> None:
        """Set a plane to zero; only tiles that were ever written are looked at."""
        layer, values = self._plane(layer_id, plane)
        size_hw = layer.size_hw
        for tile in sorted(layer.written_tiles(plane)):
            box = tile_box(*tile, size_hw)
            part = values[slices_of(box)]
            if part.any():
                self.touch(layer_id, plane, box)
                part[...] = 0
        self.changed(layer_id, plane, layer.written_box(plane))

    # Layers ----------------------------------------------------------------------------------------------------------

    def set_layer(self, layer_id: str, **attributes: Any) -> None:
        """Change a layer's ``name``, ``origin_xy``, ``is_visible``, ``opacity`` or ``step``.

        Raises:
            DocumentError: if an attribute is unknown or out of range, or the place of a mask is to change.
        """
        self._check_open()
        layer = self._document.layer(layer_id)
        for name, value in attributes.items():
            if name not in ATTRIBUTES:
                raise DocumentError("layer", f"one of {', '.join(ATTRIBUTES)}", repr(name), "it is unknown")
            if name == "origin_xy" and layer.kind != "picture" and tuple(value) != (0, 0):
                raise DocumentError(
                    layer.name, "the whole canvas", f"an origin of {value}", "only pictures can be moved"
                )
            if name == "origin_xy":
                value = tuple(int(part) for part in value)
            new, old = attribute_from_plain(name, value), getattr(layer, name)
            if new == old:
                continue
            self._do(LayerChanged(layer_id, name, old, new))
            self._merge_last_two()

    def add_layer(self, layer: Layer, index: int | None = None) -> None:
        """Put a picture layer in; above the topmost picture where ``index`` is None.

        Raises:
            DocumentError: if it is a mask or an edges layer, of which there is exactly one, or its id is in use.
        """
        self._check_open()
        document = self._document
        _check_is_picture(layer, "added")
        if any(layer.id == other.id for other in document.layers):
            raise DocumentError(layer.name, "a layer of its own", "one that is there", "give it another id")
        pictures = sum(other.kind == "picture" for other in document.layers)
        if index is None:
            index = pictures
        if not 0 <= index <= pictures:
            hint = "layers count from the bottom, mask and edges stay above the pictures"
            raise DocumentError("index", f"0 to {pictures}", index, hint)
        added = LayerAdded(index, LayerContent.of(layer, document))
        document.inner.insert_layer(index, layer)
        self._ops.append(added)
        document.inner.tell()

    def remove_layer(self, layer_id: str) -> None:
        """Take a picture layer out.

        Raises:
            DocumentError: if there is no such layer, or it is the mask or the edges layer.
        """
        self._check_open()
        document = self._document
        layer = document.layer(layer_id)
        _check_is_picture(layer, "removed")
        self._flush(layer_id)
        self._do(LayerRemoved(document.layers.index(layer), LayerContent.of(layer, document)))

    def move_layer(self, layer_id: str, index: int) -> None:
        """Move a layer to a place in the stack, counted from the bottom.

        Raises:
            DocumentError: if there is no such layer or place, or mask and edges would not stay on top.
        """
        self._check_open()
        layers = self._document.layers
        layer = self._document.layer(layer_id)
        pictures = sum(other.kind == "picture" for other in layers)
        first, last = (0, pictures - 1) if layer.kind == "picture" else (pictures, len(layers) - 1)
        if not first <= index <= last:
            hint = "mask and edges stay above the pictures"
            raise DocumentError(layer.name, f"a place from {first} to {last}", index, hint)
        before = layers.index(layer)
        if before != index:
            self._do(LayerMoved(layer_id, before, index))

    def add_stroke(self, layer_id: str, stroke: Stroke) -> None:
        """Keep a stroke beside the pixels it became."""
        self._check_open()
        count = len(self._document.layer(layer_id).strokes)
        self._do(StrokesChanged(layer_id, count, (), (stroke,)))

    def clear_strokes(self, layer_id: str) -> None:
        """Forget all strokes of a layer; its pixels stay."""
        self._check_open()
        strokes = tuple(self._document.layer(layer_id).strokes)
        if strokes:
            self._do(StrokesChanged(layer_id, 0, strokes, ()))

    # Canvas ----------------------------------------------------------------------------------------------------------

    def set_canvas(self, size_hw: tuple[int, int], mode: str = "") -> None:
        """Give the canvas another size, and another mode where one is named. Pictures stay where they lie; mask and edges are cut or gain room.

        Raises:
            DocumentError: if a canvas cannot have that size or mode.
        """
        self._check_open()
        document = self._document
        mode = mode or document.mode
        if (size_hw, mode) == (document.size_hw, document.mode):
            return
        check_canvas(size_hw, mode)
        guides = [layer for layer in document.layers if layer.kind != "picture"]
        for guide in guides:
            self._flush(guide.id)
        before = contents_of(guides, document)
        after = contents_of([resized(guide, size_hw) for guide in guides], document)
        self._do(CanvasResized(document.size_hw, size_hw, document.mode, mode, before, after))

    # Results ---------------------------------------------------------------------------------------------------------

    def set_current_result(self, result_id: str | None) -> None:
        """Show another result, or none."""
        self._check_open()
        document = self._document
        if result_id is not None:
            document.result(result_id)
        if result_id != document.current_result_id:
            self._do(ResultChanged(document.current_result_id, result_id))

    def remove_result(self, result_id: str) -> None:
        """Delete a result; where it is shown, none is shown then."""
        self._check_open()
        document = self._document
        result = document.result(result_id)
        if document.current_result_id == result_id:
            self._do(ResultChanged(result_id, None))
        self._do(ResultRemoved(document.results.index(result), result))

    def star_result(self, result_id: str, is_starred: bool) -> None:
        """Star a result, or take its star."""
        self._check_open()
        before = self._document.result(result_id).is_starred
        if before != is_starred:
            self._do(ResultStarred(result_id, before, is_starred))

    def remove_learned(self) -> None:
        """Leave out what was learned of the picture; nothing where there is nothing."""
        self._check_open()
        if self._document.learned is not None:
            self._do(LearnedRemoved(self._document.learned))

    # The end ---------------------------------------------------------------------------------------------------------

    def commit(self) -> Entry | None:
        """Make one entry of the history of all that was done; None where nothing changed.

        Where there is no memory for it, all is rolled back.
        """
        self._check_open()
        try:
            self._flush()
        except BaseException:
            self.rollback()
            raise
        return self._document.inner.finish(self, tuple(self._ops))

    def rollback(self) -> None:
        """Take everything back, as if the transaction had never begun."""
        self._check_open()
        document = self._document
        for (layer_id, plane, tile), kept in self._held.items():
            document.inner.write_tile(layer_id, plane, tile, None, kept.blob)
        self._held.clear()
        for op in reversed(self._ops):
            op.revert(document)
        document.inner.finish(self, ())

    def kept_tiles(self) -> dict[TileKey, KeptTile]:
        """Values that were there before the transaction, by tile; for snapshots."""
        return {**self._held, **self._flushed}

    def note_arrival(self) -> None:
        """A result came while this is open; it is no part of this, and a snapshot has it."""
        now = self._document.inner.state()
        self.before_state = replace(
            self.before_state,
            results=now.results,
            stars=now.stars,
            current_result_id=now.current_result_id,
            learned=now.learned,
            mark=now.mark,
        )

    def close(self) -> None:
        """Forget what was kept; for the document alone."""
        self._is_open = False
        self._held.clear()
        self._flushed.clear()

    def _do(self, op: Op) -> None:
        op.apply(self._document)
        self._ops.append(op)
        self._document.inner.tell()

    def _merge_last_two(self) -> None:
        """Two changes of one attribute in a row are one."""
        if len(self._ops) < 2:
            return
        first, second = self._ops[-2:]
        if (
            isinstance(first, LayerChanged)
            and isinstance(second, LayerChanged)
            and (first.layer_id, first.attribute) == (second.layer_id, second.attribute)
        ):
            merged = LayerChanged(first.layer_id, first.attribute, first.before, second.after)
            self._ops[-2:] = [] if merged.before == merged.after else [merged]

    def _flush(self, layer_id: str | None = None) -> None:
        """Turn kept tiles, of one layer or of all, into operations; tiles that are as they were are let go."""
        document = self._document
        changes: list[tuple[TileKey, TileChange | None]] = []
        for key, kept in self._held.items():
            if layer_id not in (None, key[0]):
                continue
            owner, plane, tile = key
            size_hw = (kept.plane.shape[0], kept.plane.shape[1])
            values = kept.plane[slices_of(tile_box(*tile, size_hw))]
            is_same = np.array_equal(kept.values, values)
            after = None if is_same else document.store.hold(values)
            changes.append(
                (key, None if after is None else TileChange(owner, plane, *tile, kept.blob, after))
            )
        blobs: list[Blob] = []
        for key, change in changes:  # from here on nothing can fail: all of them or none
            kept = self._held.pop(key)
            self._flushed.setdefault(key, kept)
            document.inner.note_latest(*key, kept.plane, kept.blob if change is None else change.after)
            if change is not None:
                self._ops.append(change)
                blobs.extend(change.blobs)
        document.store.pack_soon(blobs)

    def _plane(self, layer_id: str, plane: str) -> tuple[Layer, np.ndarray]:
        self._check_open()
        layer = self._document.layer(layer_id)
        values = layer.planes.get(plane)
        if values is None:
            raise DocumentError(layer.name, f"one of {', '.join(layer.planes)}", repr(plane), "no such plane")
        return layer, values

    def _check_open(self) -> None:
        if not self._is_open:
            raise DocumentError(self.label, "an open transaction", "one that is over", "begin another")


def _check_is_picture(layer: Layer, verb: str) -> None:
    if layer.kind != "picture":
        hint = "a document has exactly one mask and one edges layer"
        raise DocumentError(layer.name, f"a picture layer to be {verb}", f"a layer of {layer.kind}", hint)
