"""Operations on results: which one is shown, which are starred, which were deleted."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from app.document.op import SMALL_BYTES, Record, SmallOp
from app.document.results import Result

if TYPE_CHECKING:
    from app.document.document import Document


@dataclass(frozen=True)
class ResultChanged(SmallOp):
    """Another result, or none, is shown."""

    kind: ClassVar[str] = "result_changed"

    before: str | None
    after: str | None

    def apply(self, document: "Document") -> None:
        """Show the new one."""
        document.inner.show_result(self.after)

    def revert(self, document: "Document") -> None:
        """Show the old one."""
        document.inner.show_result(self.before)

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
        return SMALL_BYTES + self.result.nbytes

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
class ResultStarred(SmallOp):
    """A result was starred, or its star taken."""

    kind: ClassVar[str] = "result_starred"

    result_id: str
    before: bool
    after: bool

    def apply(self, document: "Document") -> None:
        """Set the star as wanted."""
        document.inner.star_result(self.result_id, self.after)

    def revert(self, document: "Document") -> None:
        """Set the star as it was."""
        document.inner.star_result(self.result_id, self.before)

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "ResultStarred":
        """Read it back."""
        return cls(record["result_id"], bool(record["before"]), bool(record["after"]))
