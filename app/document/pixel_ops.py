"""Operations on what is drawn: the values of tiles, and the strokes kept beside them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from app.document.blobs import Blob
from app.document.layers import plane_kind_from_plain
from app.document.op import SMALL_BYTES, Record
from app.document.strokes import Stroke, strokes_from_record, strokes_to_record

if TYPE_CHECKING:
    from app.document.document import Document


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
        before, after = (Blob.of_packed(data, *plane_kind_from_plain(record)) for data in packed)
        ty, tx = (int(part) for part in record["tile"])
        return cls(record["layer_id"], record["plane"], ty, tx, before, after)


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
        return SMALL_BYTES + sum(stroke.nbytes for stroke in (*self.removed, *self.added))

    def apply(self, document: "Document") -> None:
        """Put the added ones in the place of the removed."""
        document.inner.splice_strokes(self.layer_id, self.start, len(self.removed), self.added)

    def revert(self, document: "Document") -> None:
        """Put the removed ones in the place of the added."""
        document.inner.splice_strokes(self.layer_id, self.start, len(self.added), self.removed)

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        removed, packed = strokes_to_record(self.removed)
        added, more = strokes_to_record(self.added)
        record = {"layer_id": self.layer_id, "start": self.start, "removed": removed, "added": added}
        return {"kind": self.kind, **record}, packed + more

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "StrokesChanged":
        """Read it back."""
        removed = strokes_from_record(record["removed"], packed)
        added = strokes_from_record(record["added"], packed[len(removed) :])
        return cls(record["layer_id"], int(record["start"]), removed, added)
