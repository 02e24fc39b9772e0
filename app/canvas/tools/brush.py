"""The brush: paints the mask, or draws edges."""

from typing import TYPE_CHECKING, ClassVar

from app.canvas.tools.context import Hand
from app.canvas.tools.strokes import StrokeTool

if TYPE_CHECKING:
    from app.document.document import Document
    from app.document.layers import Layer


class BrushTool(StrokeTool):
    """Adds to the mask or to the drawn edges; Alt, Ctrl, or the other end of the pen takes away."""

    id: ClassVar[str] = "brush"
    name: ClassVar[str] = "Brush"
    icon: ClassVar[str] = "brush"
    shortcut: ClassVar[str] = "B"
    tip: ClassVar[str] = "Alt takes away, Shift draws straight, Shift+click joins on"
    hand: ClassVar[Hand] = "brush"

    def planes(
        self, document: "Document", *, is_inverse: bool
    ) -> tuple[str, list[tuple["Layer", str, bool]]]:
        """Coverage of the mask, or drawn edges."""
        if self.target == "mask":
            label = "Erase mask" if is_inverse else "Brush mask"
            return label, [(document.mask_layer, "coverage", is_inverse)]
        label = "Rub out drawn edges" if is_inverse else "Draw edges"
        return label, [(document.edges_layer, "drawn", is_inverse)]
