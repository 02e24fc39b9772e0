"""A document as it was at one moment, for a thread that saves it while the user goes on.

Taking a snapshot copies no pixels. It registers with the document, which hands it the values of each tile before they
are written over; what is read later comes from there, or from the document where a tile is as it was. With a stroke
under way, the snapshot holds what was before the stroke: half a stroke is never saved.

Make it on the thread that changes the document; read and close it on any one.
"""

import copy
import functools
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from app.document.blobs import Blob
from app.document.flatten import Sheet, flatten_sheets, lay_result
from app.document.layers import ATTRIBUTES, LayerKind, meta_to_plain
from app.document.strokes import Stroke
from app.document.tiles import (
    Box,
    Tile,
    all_tiles,
    clip_box,
    join,
    overlap,
    shift,
    slices_of,
    tile_box,
    tiles_of,
)
from app.errors import DocumentError

if TYPE_CHECKING:
    from app.document.document import Document
    from app.document.recipe import Step
    from app.document.results import Result


@dataclass(frozen=True, eq=False)
class LayerMeta:
    """All of a layer but its pixels."""

    id: str
    kind: LayerKind
    name: str
    origin_xy: tuple[int, int]
    is_visible: bool
    opacity: float
    strokes: tuple[Stroke, ...]
    step: "Step | None"
    planes: dict[str, tuple[tuple[int, ...], np.dtype]]
    """Shape and type of each plane."""

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width in px."""
        shape = next(iter(self.planes.values()))[0]
        return shape[0], shape[1]

    @property
    def box_xyxy(self) -> Box:
        """Where it lies on the canvas."""
        (x, y), (h, w) = self.origin_xy, self.size_hw
        return (x, y, x + w, y + h)

    def to_plain(self) -> dict[str, Any]:
        """All but planes and strokes as plain data, as `Layer.meta` gives it."""
        return meta_to_plain(self.id, self.kind, {name: getattr(self, name) for name in ATTRIBUTES})


class Snapshot:
    """A document as it was when this was made. Close it, or use it as a context manager."""

    def __init__(self, document: "Document") -> None:
        self.id = document.id
        self.name = document.name
        self.path = document.path
        self.is_deep = document.is_deep
        self.icc_profile = document.icc_profile
        self.metadata = document.metadata
        self.unknown_entries = dict(document.unknown_entries)
        self.revision = document.revision
        transaction = document.transaction
        state = document.inner.state() if transaction is None else transaction.before_state
        self.size_hw = state.size_hw
        self.mode = state.mode
        self.mark = state.mark
        """For ``Document.mark_saved``."""
        self._document = document
        self._lock = threading.Lock()
        self._planes = {
            (one.layer.id, name): values for one in state.layers for name, values in one.layer.planes.items()
        }
        self._written = {
            key: None if (known := one.layer._written[key[1]]) is None else frozenset(known)
            for one in state.layers
            for key in ((one.layer.id, name) for name in one.layer.planes)
        }
        self._kept: dict[tuple[str, str, Tile], Blob] = {}
        self.layers_meta = tuple(
            LayerMeta(
                id=one.layer.id,
                kind=one.layer.kind,
                strokes=one.strokes,
                planes={name: (values.shape, values.dtype) for name, values in one.layer.planes.items()},
                **one.attributes,
            )
            for one in state.layers
        )
        """Bottom to top."""
        active = document.active_layer_id
        is_there = any(meta.id == active for meta in self.layers_meta)
        self.active_layer_id: str | None = active if is_there else None
        """The layer that was worked on; None where only the open transaction has it."""
        self.results: tuple[Result, ...] = tuple(
            _copied(result, is_starred) for result, is_starred in zip(state.results, state.stars, strict=True)
        )
        """Oldest first; not to be changed."""
        self.current_result_id = state.current_result_id
        self.learned = state.learned
        if transaction is not None:
            for (layer_id, plane, tile), kept in transaction.kept_tiles().items():
                self.keep(layer_id, plane, tile, kept.plane, kept.blob)
        document.inner.register(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def current_result(self) -> "Result | None":
        """The result that was shown."""
        return next((result for result in self.results if result.id == self.current_result_id), None)

    def layer_meta(self, layer_id: str) -> LayerMeta:
        """What is known of a layer.

        Raises:
            DocumentError: if there was none of that id.
        """
        for meta in self.layers_meta:
            if meta.id == layer_id:
                return meta
        raise DocumentError("layer", "one of the snapshot", repr(layer_id), "it came later, or never was")

    def plane(self, layer_id: str, plane: str) -> np.ndarray:
        """A plane as it was, as an array of one's own; what was never written costs no memory."""
        values = self._values(layer_id, plane)
        size_hw = (values.shape[0], values.shape[1])
        result = np.zeros(values.shape, values.dtype)  # zeros_like would write to every page
        for tile in self._tiles_to_read(layer_id, plane, all_tiles(size_hw)):
            box = tile_box(*tile, size_hw)
            self._read_tile(layer_id, plane, tile, box, result[slices_of(box)])
        return result

    def read(self, layer_id: str, plane: str, box: Box) -> np.ndarray:
        """A box of a plane as it was, cut to what lies inside, as an array of one's own."""
        values = self._values(layer_id, plane)
        size_hw = (values.shape[0], values.shape[1])
        box = clip_box(box, size_hw)
        result = np.zeros((box[3] - box[1], box[2] - box[0], *values.shape[2:]), values.dtype)
        for tile in self._tiles_to_read(layer_id, plane, tiles_of(box, size_hw)):
            shared = overlap(tile_box(*tile, size_hw), box)
            part = result[slices_of(shift(shared, (-box[0], -box[1])))]
            self._read_tile(layer_id, plane, tile, shared, part)
        return result

    def written_box(self, layer_id: str, plane: str) -> Box:
        """A box around all that can be other than zero; the whole plane where that is not known."""
        values = self._values(layer_id, plane)
        written, size_hw = self._written[layer_id, plane], (values.shape[0], values.shape[1])
        if written is None:
            return (0, 0, size_hw[1], size_hw[0])
        return functools.reduce(join, (tile_box(*tile, size_hw) for tile in written), (0, 0, 0, 0))

    def flatten(self, box: Box | None = None, *, with_result: bool) -> np.ndarray:
        """The picture as it was; as `app.document.flatten.flatten`."""
        h, w = self.size_hw
        box = clip_box((0, 0, w, h) if box is None else box, self.size_hw)
        sheets = [
            self._sheet(meta) for meta in self.layers_meta if meta.kind == "picture" and meta.is_visible
        ]
        dtype = np.dtype(np.uint16 if self.is_deep else np.uint8)
        picture = flatten_sheets(sheets, box, self.mode, dtype)
        result = self.current_result
        if with_result and result is not None:
            lay_result(picture, box, result, self.mode)
        return picture

    def close(self) -> None:
        """Let go; the document hands nothing more over. May be called twice, and on any thread."""
        self._document.inner.unregister(self)
        with self._lock:
            self._kept.clear()
            self._planes.clear()

    def keep(self, layer_id: str, plane: str, tile: Tile, values: np.ndarray, old: Blob) -> None:
        """Take the values of a tile that is about to be written to. For the document alone."""
        with self._lock:
            # A layer that was taken out and put back has planes of its own: those of the snapshot stay as they were.
            if self._planes.get((layer_id, plane)) is values:
                self._kept.setdefault((layer_id, plane, tile), old)

    def _values(self, layer_id: str, plane: str) -> np.ndarray:
        values = self._planes.get((layer_id, plane))
        if values is None:
            meta = self.layer_meta(layer_id)
            known = ", ".join(meta.planes)
            raise DocumentError(meta.name, f"one of {known}, of an open snapshot", repr(plane), "none here")
        return values

    def _tiles_to_read(self, layer_id: str, plane: str, tiles: list[Tile]) -> list[Tile]:
        written = self._written[layer_id, plane]
        return tiles if written is None else [tile for tile in tiles if tile in written]

    def _read_tile(self, layer_id: str, plane: str, tile: Tile, box: Box, into: np.ndarray) -> None:
        """Read a box inside one tile; the lock keeps writers off the tile for that moment alone."""
        with self._lock:
            kept = self._kept.get((layer_id, plane, tile))
            if kept is None:
                into[...] = self._planes[layer_id, plane][slices_of(box)]
                return
        size_hw = self._planes[layer_id, plane].shape[:2]
        x, y, _, _ = tile_box(*tile, (size_hw[0], size_hw[1]))
        into[...] = kept.load()[slices_of(shift(box, (-x, -y)))]

    def _sheet(self, meta: LayerMeta) -> Sheet:
        shape = meta.planes["pixels"][0]
        channels = 1 if len(shape) == 2 else shape[2]
        return Sheet(lambda box: self.read(meta.id, "pixels", box), meta.box_xyxy, meta.opacity, channels)


def _copied(result: "Result", is_starred: bool) -> "Result":
    """The result with a star of its own; the arrays are shared."""
    own = copy.copy(result)
    own.is_starred = is_starred
    return own
