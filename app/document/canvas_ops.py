"""The operation on the canvas: it takes another size or mode.

Pictures lie where they lie; what reaches out is not seen, and not lost. Mask and edges have the canvas's size, so they
are cut or gain room at the right and the bottom; what was cut comes back with an undo.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from app.document.blobs import Blob
from app.document.flatten import CHANNELS
from app.document.layer_content import LayerContent
from app.document.layers import Layer
from app.document.op import SMALL_BYTES, Record

if TYPE_CHECKING:
    from app.document.document import Document

Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class CanvasResized:
    """The canvas has another size, and mask and edges with it, or another mode."""

    kind: ClassVar[str] = "canvas_resized"

    before_hw: Size
    after_hw: Size
    before_mode: str
    after_mode: str
    before: tuple[LayerContent, ...]
    """Mask and edges as they were."""
    after: tuple[LayerContent, ...]
    """Mask and edges in the new size."""

    @property
    def nbytes(self) -> int:
        """Bytes it keeps, in memory or on disk."""
        return SMALL_BYTES + sum(content.nbytes for content in (*self.before, *self.after))

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """What it keeps."""
        return tuple(blob for content in (*self.before, *self.after) for blob in content.blobs)

    def apply(self, document: "Document") -> None:
        """Take the new size."""
        document.inner.set_canvas(self.after_hw, self.after_mode, [content.layer() for content in self.after])

    def revert(self, document: "Document") -> None:
        """Take the old size."""
        document.inner.set_canvas(
            self.before_hw, self.before_mode, [content.layer() for content in self.before]
        )

    def to_record(self) -> Record:
        """Plain data for JSON, and packed bytes."""
        packed: list[bytes] = []
        record: dict[str, Any] = {
            "kind": self.kind,
            "before_mode": self.before_mode,
            "after_mode": self.after_mode,
        }
        for side, size_hw in (("before", self.before_hw), ("after", self.after_hw)):
            contents = []
            for content in getattr(self, side):
                plain, parts = content.to_record()
                contents.append({**plain, "parts": len(parts)})
                packed.extend(parts)
            record |= {f"{side}_hw": list(size_hw), side: contents}
        return record, packed

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "CanvasResized":
        """Read it back."""
        at = 0
        read: dict[str, Any] = {}
        for side in ("before", "after"):
            h, w = (int(length) for length in record[f"{side}_hw"])
            mode = record[f"{side}_mode"]
            if mode not in CHANNELS:
                raise ValueError(f"no mode {mode!r}")
            contents = []
            for plain in record[side]:
                count = int(plain["parts"])
                contents.append(LayerContent.from_record(plain, packed[at : at + count]))
                at += count
            for content in contents:
                if any(shape != (h, w) for shape, _ in content.kinds.values()):
                    raise ValueError(f"no mask of a canvas of {w}x{h} px")
            if sorted(str(content.meta.get("kind")) for content in contents) != ["edges", "mask"]:
                raise ValueError("no mask and edges")
            read |= {f"{side}_hw": (h, w), f"{side}_mode": mode, side: tuple(contents)}
        return cls(**read)


def contents_of(guides: Sequence[Layer], document: "Document") -> tuple[LayerContent, ...]:
    """What layers hold now, as the history keeps it."""
    return tuple(LayerContent.of(guide, document) for guide in guides)
