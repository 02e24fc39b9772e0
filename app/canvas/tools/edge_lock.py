"""The edge lock: keeps the edges of an area as they are when the fill is made again."""

from typing import TYPE_CHECKING, ClassVar

from app.canvas.tools.base import Option
from app.canvas.tools.context import Hand, Target
from app.canvas.tools.strokes import StrokeTool

if TYPE_CHECKING:
    from app.document.document import Document
    from app.document.layers import Layer


class EdgeLockTool(StrokeTool):
    """Marks where edges are kept; Alt, Ctrl, or the other end of the pen unlocks."""

    id: ClassVar[str] = "edge_lock"
    name: ClassVar[str] = "Lock edges"
    icon: ClassVar[str] = "edge-lock"
    shortcut: ClassVar[str] = "K"
    tip: ClassVar[str] = "Paint where edges shall stay as they are; Alt unlocks"
    hand: ClassVar[Hand] = "lock"
    options: ClassVar[tuple[Option, ...]] = StrokeTool.options[1:]

    @property
    def target(self) -> Target:
        """Always the edges."""
        return "edges"

    def planes(
        self, document: "Document", *, is_inverse: bool
    ) -> tuple[str, list[tuple["Layer", str, bool]]]:
        """The locked plane."""
        label = "Unlock edges" if is_inverse else "Lock edges"
        return label, [(document.edges_layer, "locked", is_inverse)]
