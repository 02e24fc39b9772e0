"""Operations on the stack of layers: they come, go, move, and change their attributes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from app.document.blobs import Blob
from app.document.layer_content import LayerContent
from app.document.layers import ATTRIBUTES, attribute_from_plain
from app.document.op import Record, SmallOp

if TYPE_CHECKING:
    from app.document.document import Document


@dataclass(frozen=True, eq=False)
class _WholeLayer:
    """A layer that is put in or taken out, and its place in the stack."""

    kind: ClassVar[str]

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

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        record, packed = self.content.to_record()
        return {"kind": self.kind, "index": self.index, **record}, packed

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> Self:
        """Read it back."""
        return cls(int(record["index"]), LayerContent.from_record(record, packed))

    def _put_in(self, document: "Document") -> None:
        document.inner.insert_layer(self.index, self.content.layer())

    def _take_out(self, document: "Document") -> None:
        document.inner.take_layer(self.layer_id)


class LayerAdded(_WholeLayer):
    """A layer came."""

    kind: ClassVar[str] = "layer_added"

    def apply(self, document: "Document") -> None:
        """Put the layer in."""
        self._put_in(document)

    def revert(self, document: "Document") -> None:
        """Take the layer out."""
        self._take_out(document)


class LayerRemoved(_WholeLayer):
    """A layer went."""

    kind: ClassVar[str] = "layer_removed"

    def apply(self, document: "Document") -> None:
        """Take the layer out."""
        self._take_out(document)

    def revert(self, document: "Document") -> None:
        """Put the layer back."""
        self._put_in(document)


@dataclass(frozen=True)
class LayerMoved(SmallOp):
    """A layer changed its place in the stack."""

    kind: ClassVar[str] = "layer_moved"

    layer_id: str
    before: int
    after: int

    def apply(self, document: "Document") -> None:
        """Move it there."""
        document.inner.move_layer(self.layer_id, self.after)

    def revert(self, document: "Document") -> None:
        """Move it back."""
        document.inner.move_layer(self.layer_id, self.before)

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "LayerMoved":
        """Read it back."""
        return cls(record["layer_id"], int(record["before"]), int(record["after"]))


@dataclass(frozen=True)
class LayerChanged(SmallOp):
    """One attribute of a layer changed: name, place, visibility, opacity or recipe step."""

    kind: ClassVar[str] = "layer_changed"

    layer_id: str
    attribute: str
    before: Any
    after: Any

    def apply(self, document: "Document") -> None:
        """Set the new value."""
        document.inner.set_attribute(self.layer_id, self.attribute, self.after)

    def revert(self, document: "Document") -> None:
        """Set the old value."""
        document.inner.set_attribute(self.layer_id, self.attribute, self.before)

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "LayerChanged":
        """Read it back."""
        name = record["attribute"]
        if name not in ATTRIBUTES:
            raise ValueError(f"no attribute {name!r}")
        before, after = (attribute_from_plain(name, record[key]) for key in ("before", "after"))
        return cls(record["layer_id"], name, before, after)
