"""Operations: the single reversible steps that history, journal and undo are made of.

One frozen class each. ``apply`` does it, ``revert`` takes it back, bit for bit; both go through the document's inner
door (`app.document.inner.Inner`), which keeps snapshots and observers right. ``to_record`` gives plain data and packed
bytes, `op_from_record` reads them back; both may run on any thread, since nothing in an operation ever changes.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from app.document.blobs import Blob
from app.document.layers import (
    ATTRIBUTES,
    MAX_SIDE_PX,
    PLANES,
    Layer,
    attribute_from_plain,
    attributes_from_plain,
)
from app.document.results import Result
from app.document.strokes import MAX_SAMPLES, SAMPLE_COLUMNS, Stroke
from app.document.tiles import Tile, all_tiles, pack, tile_slices, unpack
from app.errors import DocumentError

if TYPE_CHECKING:
    from app.document.document import Document

Record = tuple[dict[str, Any], list[bytes]]
_SMALL_BYTES = 200  # about what an operation without pixels takes


class Op(Protocol):
    """What every operation can do."""

    @property
    def nbytes(self) -> int:
        """Bytes it keeps, in memory or on disk."""

    def apply(self, document: "Document") -> None:
        """Do it."""

    def revert(self, document: "Document") -> None:
        """Take it back."""

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""


@dataclass(frozen=True, eq=False)
class TileChange:
    """Values of one tile of one plane."""

    kind: ClassVar[str] = "tile"

    layer_id: str
    plane: str
    ty: int
    tx: int
    before: Blob
    after: Blob

    @property
    def nbytes(self) -> int:
        """Bytes it keeps, in memory or on disk."""
        return self.before.nbytes + self.after.nbytes

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """What it keeps."""
        return (self.before, self.after)

    def apply(self, document: "Document") -> None:
        """Put the values after the change in place."""
        document.inner.write_tile(self.layer_id, self.plane, (self.ty, self.tx), self.before, self.after)

    def revert(self, document: "Document") -> None:
        """Put the values before the change in place."""
        document.inner.write_tile(self.layer_id, self.plane, (self.ty, self.tx), self.after, self.before)

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        record = {
            "kind": self.kind,
            "layer_id": self.layer_id,
            "plane": self.plane,
            "tile": [self.ty, self.tx],
            "shape": list(self.before.shape),
            "dtype": self.before.dtype.name,
        }
        return record, [self.before.packed(), self.after.packed()]

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "TileChange":
        """Read it back."""
        before, after = (Blob.of_packed(data, *_kind_of(record)) for data in packed)
        ty, tx = (int(part) for part in record["tile"])
        return cls(record["layer_id"], record["plane"], ty, tx, before, after)


@dataclass(frozen=True, eq=False)
class LayerContent:
    """A whole layer that is out of the document, or has to come back: its plain data, strokes and packed tiles."""

    meta: dict[str, Any]
    strokes: tuple[Stroke, ...]
    kinds: dict[str, tuple[tuple[int, ...], np.dtype]]
    """Shape and type of each plane."""
    tiles: dict[str, dict[Tile, Blob]]
    """Tiles of each plane that hold anything but zeros."""

    @classmethod
    def of(cls, layer: Layer, document: "Document") -> "LayerContent":
        """Keep what a layer holds now."""
        size_hw = layer.size_hw
        store = document.store
        tiles = {
            plane: {
                tile: store.hold(values[tile_slices(*tile, size_hw)])
                for tile in sorted(layer.written_tiles(plane))
            }
            for plane, values in layer.planes.items()
        }
        for blobs in tiles.values():
            store.pack_soon(blobs.values())
        kinds = {plane: (values.shape, values.dtype) for plane, values in layer.planes.items()}
        return cls(layer.meta(), tuple(layer.strokes), kinds, tiles)

    @property
    def nbytes(self) -> int:
        """Bytes it keeps, in memory or on disk."""
        return (
            sum(blob.nbytes for blob in self.blobs)
            + sum(stroke.nbytes for stroke in self.strokes)
            + _SMALL_BYTES
        )

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Its tiles."""
        return tuple(blob for tiles in self.tiles.values() for blob in tiles.values())

    def layer(self) -> Layer:
        """The layer once more, with planes of its own."""
        kind = self.meta.get("kind")
        if kind not in PLANES or not isinstance(self.meta.get("id"), str):
            raise DocumentError("layer", "its id and kind", repr(kind)[:40], "the record is damaged")
        planes = {}
        for plane, (shape, dtype) in self.kinds.items():
            values = np.zeros(shape, dtype)
            for tile, blob in self.tiles[plane].items():
                values[tile_slices(*tile, (shape[0], shape[1]))] = blob.load()
            planes[plane] = values
        attributes = attributes_from_plain(self.meta)
        return Layer(kind=kind, planes=planes, id=self.meta["id"], strokes=list(self.strokes), **attributes)

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        strokes, packed = _strokes_to_record(self.strokes)
        planes = {}
        for plane, (shape, dtype) in self.kinds.items():
            tiles = self.tiles[plane]
            planes[plane] = {"shape": list(shape), "dtype": dtype.name, "tiles": [list(t) for t in tiles]}
            packed.extend(blob.packed() for blob in tiles.values())
        return {"meta": self.meta, "strokes": strokes, "planes": planes}, packed

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "LayerContent":
        """Read it back."""
        strokes = _strokes_from_record(record["strokes"], packed)
        rest = iter(packed[len(strokes) :])
        kinds: dict[str, tuple[tuple[int, ...], np.dtype]] = {}
        tiles: dict[str, dict[Tile, Blob]] = {}
        for plane, data in record["planes"].items():
            shape, dtype = _kind_of(data)
            size_hw = (shape[0], shape[1])
            known = set(all_tiles(size_hw))
            tiles[plane] = {}
            for ty, tx in data["tiles"]:
                if (ty, tx) not in known:
                    raise ValueError(f"no tile {ty}, {tx} in {shape}")
                rows, columns = tile_slices(ty, tx, size_hw)
                part = (rows.stop - rows.start, columns.stop - columns.start, *shape[2:])
                tiles[plane][ty, tx] = Blob.of_packed(next(rest), part, dtype)
            kinds[plane] = (shape, dtype)
        return cls(record["meta"], strokes, kinds, tiles)


@dataclass(frozen=True, eq=False)
class LayerAdded:
    """A layer came."""

    kind: ClassVar[str] = "layer_added"

    index: int
    content: LayerContent

    @property
    def layer_id(self) -> str:
        """Id of the layer."""
        return str(self.content.meta["id"])

    @property
    def nbytes(self) -> int:
        """Bytes it keeps, in memory or on disk."""
        return self.content.nbytes

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """What it keeps."""
        return self.content.blobs

    def apply(self, document: "Document") -> None:
        """Put the layer in."""
        document.inner.insert_layer(self.index, self.content.layer())

    def revert(self, document: "Document") -> None:
        """Take the layer out."""
        document.inner.take_layer(self.layer_id)

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        record, packed = self.content.to_record()
        return {"kind": self.kind, "index": self.index, **record}, packed

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "LayerAdded":
        """Read it back."""
        return cls(int(record["index"]), LayerContent.from_record(record, packed))


@dataclass(frozen=True, eq=False)
class LayerRemoved:
    """A layer went."""

    kind: ClassVar[str] = "layer_removed"

    index: int
    content: LayerContent

    @property
    def layer_id(self) -> str:
        """Id of the layer."""
        return str(self.content.meta["id"])

    @property
    def nbytes(self) -> int:
        """Bytes it keeps, in memory or on disk."""
        return self.content.nbytes

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """What it keeps."""
        return self.content.blobs

    def apply(self, document: "Document") -> None:
        """Take the layer out."""
        document.inner.take_layer(self.layer_id)

    def revert(self, document: "Document") -> None:
        """Put the layer back."""
        document.inner.insert_layer(self.index, self.content.layer())

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        record, packed = self.content.to_record()
        return {"kind": self.kind, "index": self.index, **record}, packed

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "LayerRemoved":
        """Read it back."""
        return cls(int(record["index"]), LayerContent.from_record(record, packed))


@dataclass(frozen=True)
class LayerMoved:
    """A layer changed its place in the stack."""

    kind: ClassVar[str] = "layer_moved"

    layer_id: str
    before: int
    after: int
    nbytes: ClassVar[int] = _SMALL_BYTES

    def apply(self, document: "Document") -> None:
        """Move it there."""
        document.inner.move_layer(self.layer_id, self.after)

    def revert(self, document: "Document") -> None:
        """Move it back."""
        document.inner.move_layer(self.layer_id, self.before)

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        record = {"layer_id": self.layer_id, "before": self.before, "after": self.after}
        return {"kind": self.kind, **record}, []

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "LayerMoved":
        """Read it back."""
        return cls(record["layer_id"], int(record["before"]), int(record["after"]))


@dataclass(frozen=True)
class LayerChanged:
    """One attribute of a layer changed: name, place, visibility, opacity or recipe step."""

    kind: ClassVar[str] = "layer_changed"

    layer_id: str
    attribute: str
    before: Any
    after: Any
    nbytes: ClassVar[int] = _SMALL_BYTES

    def apply(self, document: "Document") -> None:
        """Set the new value."""
        document.inner.set_attribute(self.layer_id, self.attribute, self.after)

    def revert(self, document: "Document") -> None:
        """Set the old value."""
        document.inner.set_attribute(self.layer_id, self.attribute, self.before)

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        before, after = (_plain(value) for value in (self.before, self.after))
        record = {"layer_id": self.layer_id, "attribute": self.attribute, "before": before, "after": after}
        return {"kind": self.kind, **record}, []

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "LayerChanged":
        """Read it back."""
        name = record["attribute"]
        if name not in ATTRIBUTES:
            raise ValueError(f"no attribute {name!r}")
        before, after = (attribute_from_plain(name, record[key]) for key in ("before", "after"))
        return cls(record["layer_id"], name, before, after)


@dataclass(frozen=True, eq=False)
class StrokesChanged:
    """Strokes of a layer were appended or removed: at ``start``, ``removed`` gave way to ``added``."""

    kind: ClassVar[str] = "strokes"

    layer_id: str
    start: int
    removed: tuple[Stroke, ...]
    added: tuple[Stroke, ...]

    @property
    def nbytes(self) -> int:
        """Bytes it keeps, in memory or on disk."""
        return _SMALL_BYTES + sum(stroke.nbytes for stroke in (*self.removed, *self.added))

    def apply(self, document: "Document") -> None:
        """Put the added ones in the place of the removed."""
        document.inner.splice_strokes(self.layer_id, self.start, len(self.removed), self.added)

    def revert(self, document: "Document") -> None:
        """Put the removed ones in the place of the added."""
        document.inner.splice_strokes(self.layer_id, self.start, len(self.added), self.removed)

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        removed, packed = _strokes_to_record(self.removed)
        added, more = _strokes_to_record(self.added)
        record = {"layer_id": self.layer_id, "start": self.start, "removed": removed, "added": added}
        return {"kind": self.kind, **record}, packed + more

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "StrokesChanged":
        """Read it back."""
        removed = _strokes_from_record(record["removed"], packed)
        added = _strokes_from_record(record["added"], packed[len(removed) :])
        return cls(record["layer_id"], int(record["start"]), removed, added)


@dataclass(frozen=True)
class ResultChanged:
    """Another result, or none, is shown."""

    kind: ClassVar[str] = "result_changed"

    before: str | None
    after: str | None
    nbytes: ClassVar[int] = _SMALL_BYTES

    def apply(self, document: "Document") -> None:
        """Show the new one."""
        document.inner.show_result(self.after)

    def revert(self, document: "Document") -> None:
        """Show the old one."""
        document.inner.show_result(self.before)

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        return {"kind": self.kind, "before": self.before, "after": self.after}, []

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "ResultChanged":
        """Read it back."""
        return cls(record["before"], record["after"])


@dataclass(frozen=True, eq=False)
class ResultRemoved:
    """A person deleted a result."""

    kind: ClassVar[str] = "result_removed"

    index: int
    result: Result

    @property
    def nbytes(self) -> int:
        """Bytes it keeps, in memory or on disk."""
        return _SMALL_BYTES + self.result.nbytes

    def apply(self, document: "Document") -> None:
        """Take the result out."""
        document.inner.take_result(self.result.id)

    def revert(self, document: "Document") -> None:
        """Put the result back."""
        document.inner.insert_result(self.index, self.result)

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        record, packed = self.result.to_record()
        return {"kind": self.kind, "index": self.index, "result": record}, packed

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "ResultRemoved":
        """Read it back."""
        return cls(int(record["index"]), Result.from_record(record["result"], packed))


@dataclass(frozen=True)
class ResultStarred:
    """A result was starred, or its star taken."""

    kind: ClassVar[str] = "result_starred"

    result_id: str
    before: bool
    after: bool
    nbytes: ClassVar[int] = _SMALL_BYTES

    def apply(self, document: "Document") -> None:
        """Set the star as wanted."""
        document.inner.star_result(self.result_id, self.after)

    def revert(self, document: "Document") -> None:
        """Set the star as it was."""
        document.inner.star_result(self.result_id, self.before)

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        record = {"result_id": self.result_id, "before": self.before, "after": self.after}
        return {"kind": self.kind, **record}, []

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "ResultStarred":
        """Read it back."""
        return cls(record["result_id"], bool(record["before"]), bool(record["after"]))


OPS: dict[str, Any] = {
    op.kind: op
    for op in (
        TileChange,
        LayerAdded,
        LayerRemoved,
        LayerMoved,
        LayerChanged,
        StrokesChanged,
        ResultChanged,
        ResultRemoved,
        ResultStarred,
    )
}
"""Every operation by the word it has in a record."""


def op_from_record(record: dict[str, Any], packed: list[bytes]) -> Op:
    """Read an operation back from what its ``to_record`` gave.

    Raises:
        DocumentError: if it is unknown or damaged.
    """
    hint = "the record is damaged, or a later version wrote it"
    kind = record.get("kind") if isinstance(record, dict) else None
    found = OPS.get(kind) if isinstance(kind, str) else None
    if found is None:
        raise DocumentError("operation", f"one of {', '.join(OPS)}", repr(kind)[:60], hint)
    try:
        op: Op = found.from_record(record, packed)
    except (
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        StopIteration,
    ) as error:
        raise DocumentError("operation", f"a whole {kind}", repr(error)[:80], hint) from error
    return op


def _plain(value: Any) -> Any:
    """A value of an attribute as plain data."""
    if isinstance(value, tuple):
        return list(value)
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def _kind_of(record: dict[str, Any]) -> tuple[tuple[int, ...], np.dtype]:
    shape = tuple(int(side) for side in record["shape"])
    if (
        not 2 <= len(shape) <= 3
        or min(shape) < 1
        or max(shape[:2]) > MAX_SIDE_PX
        or max(shape[2:], default=1) > 4
    ):
        raise ValueError(f"no plane of shape {shape}")
    if record["dtype"] not in ("uint8", "uint16"):
        raise ValueError(f"no plane of type {record['dtype']!r}")
    return shape, np.dtype(record["dtype"])


def _strokes_to_record(strokes: tuple[Stroke, ...]) -> tuple[list[dict[str, Any]], list[bytes]]:
    records = [{**stroke.meta(), "count": len(stroke.samples)} for stroke in strokes]
    return records, [pack(stroke.samples) if len(stroke.samples) else b"" for stroke in strokes]


def _strokes_from_record(records: list[dict[str, Any]], packed: list[bytes]) -> tuple[Stroke, ...]:
    strokes = []
    for at, record in enumerate(records):
        shape = (int(record["count"]), len(SAMPLE_COLUMNS))
        if not 0 <= shape[0] <= MAX_SAMPLES:
            raise ValueError(f"no stroke of {shape[0]} samples")
        samples = unpack(packed[at], shape, np.float32) if shape[0] else np.zeros(shape, np.float32)
        strokes.append(Stroke.from_meta(record, samples))
    return tuple(strokes)
