"""What an operation is: a single reversible step that history, journal and undo are made of.

One frozen class each. ``apply`` does it, ``revert`` takes it back, bit for bit; both go through the document's inner
door (`app.document.inner.Inner`), which keeps snapshots and observers right. ``to_record`` gives plain data and packed
bytes; it may run on any thread, since nothing in an operation ever changes.

Elsewhere: the operations themselves in pixel_ops.py, layer_ops.py and the other _ops.py, reading them back in ops.py.
"""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from app.document.layers import attribute_to_plain

if TYPE_CHECKING:
    from app.document.document import Document

Record = tuple[dict[str, Any], list[bytes]]
"""Plain data for JSON, and packed bytes."""
SMALL_BYTES = 200
"""About what an operation without pixels takes."""


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


class SmallOp:
    """An operation, a dataclass, all of whose fields are words, numbers and attributes: no pixels, no strokes."""

    kind: ClassVar[str]
    nbytes: ClassVar[int] = SMALL_BYTES

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        values = {field.name: attribute_to_plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]
        return {"kind": self.kind, **values}, []
