"""The operation on what was learned of the picture: leaving it out of the document.

That it came is no operation: as with results, no undo takes it away.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from app.document.blobs import Blob
from app.document.learned import Learned
from app.document.op import SMALL_BYTES, Record

if TYPE_CHECKING:
    from app.document.document import Document


@dataclass(frozen=True, eq=False)
class LearnedRemoved:
    """A person left out what was learned. Something newer that came meanwhile stays, both ways."""

    kind: ClassVar[str] = "learned_removed"

    learned: Learned

    @property
    def nbytes(self) -> int:
        """Bytes it keeps, in memory or on disk."""
        return SMALL_BYTES + self.learned.blob.nbytes

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """Its bytes."""
        return (self.learned.blob,)

    def apply(self, document: "Document") -> None:
        """Leave it out."""
        if document.learned is not None and document.learned.sha256 == self.learned.sha256:
            document.inner.set_learned(None)

    def revert(self, document: "Document") -> None:
        """Take it in again."""
        if document.learned is None:
            document.inner.set_learned(self.learned)

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        record, packed = self.learned.to_record()
        return {"kind": self.kind, "learned": record}, packed

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "LearnedRemoved":
        """Read it back."""
        return cls(Learned.from_record(record["learned"], packed))
