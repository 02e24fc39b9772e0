"""A whole layer as history and journal keep it: while it is out of the document, or to bring it back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from app.document.blobs import Blob
from app.document.layers import PLANES, Layer, attributes_from_plain, plane_kind_from_plain
from app.document.op import SMALL_BYTES, Record
from app.document.strokes import Stroke, strokes_from_record, strokes_to_record
from app.document.tiles import Tile, all_tiles, tile_slices
from app.errors import DocumentError

if TYPE_CHECKING:
    from app.document.document import Document


@dataclass(frozen=True, eq=False)
class LayerContent:
    """A layer's plain data, strokes and packed tiles."""

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
            + SMALL_BYTES
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
        layer = Layer(kind=kind, planes=planes, id=self.meta["id"], strokes=list(self.strokes), **attributes)
        if kind != "picture":  # looking for it would go over every pixel of a large canvas
            layer._written = {plane: set(tiles) for plane, tiles in self.tiles.items()}
        return layer

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        strokes, packed = strokes_to_record(self.strokes)
        planes = {}
        for plane, (shape, dtype) in self.kinds.items():
            tiles = self.tiles[plane]
            planes[plane] = {"shape": list(shape), "dtype": dtype.name, "tiles": [list(t) for t in tiles]}
            packed.extend(blob.packed() for blob in tiles.values())
        return {"meta": self.meta, "strokes": strokes, "planes": planes}, packed

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "LayerContent":
        """Read it back."""
        strokes = strokes_from_record(record["strokes"], packed)
        rest = iter(packed[len(strokes) :])
        kinds: dict[str, tuple[tuple[int, ...], np.dtype]] = {}
        tiles: dict[str, dict[Tile, Blob]] = {}
        for plane, data in record["planes"].items():
            shape, dtype = plane_kind_from_plain(data)
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
