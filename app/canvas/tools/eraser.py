"""The eraser: takes from the mask, or rubs out edges, guessed ones too."""

from typing import TYPE_CHECKING, ClassVar

from app.canvas.tools.context import Hand
from app.canvas.tools.strokes import StrokeTool

if TYPE_CHECKING:
    from app.document.document import Document
    from app.document.layers import Layer


class EraserTool(StrokeTool):
    """Takes from the mask. On edges: rubs out drawn edges and bars guessed ones; Alt lets guessed ones come back."""

    id: ClassVar[str] = "eraser"
    name: ClassVar[str] = "Eraser"
    icon: ClassVar[str] = "eraser"
    shortcut: ClassVar[str] = "E"
    tip: ClassVar[str] = "On edges, Alt lets guessed edges come back; Shift rubs out straight"
    hand: ClassVar[Hand] = "eraser"

    def planes(
        self, document: "Document", *, is_inverse: bool
    ) -> tuple[str, list[tuple["Layer", str, bool]]]:
        """Coverage of the mask; or drawn edges less, erased ones more."""
        if self.target == "mask":
            return "Erase mask", [(document.mask_layer, "coverage", True)]
        edges = document.edges_layer
        if is_inverse:
            return "Let edges come back", [(edges, "erased", True)]
        return "Erase edges", [(edges, "drawn", True), (edges, "erased", False)]
