"""Magic wand and bucket: one click selects an area.

The wand takes what has the colour of the clicked pixel, in the chosen mode. The bucket always adds, up to the next
colour border (Alt or Ctrl takes away); with Shift it fills an outline that was drawn on the mask, whatever the picture
shows there.
"""

from typing import TYPE_CHECKING, ClassVar

from app.canvas.tools.base import Option, takes_away
from app.canvas.tools.select import SelectTool
from app.document import selection

if TYPE_CHECKING:
    from app.canvas.pointer import PointerEvent


class WandTool(SelectTool):
    """Selects pixels of like colour."""

    id: ClassVar[str] = "wand"
    name: ClassVar[str] = "Magic wand"
    icon: ClassVar[str] = "wand"
    shortcut: ClassVar[str] = "W"
    tip: ClassVar[str] = "Click a colour; Alt subtracts, Ctrl intersects"
    options: ClassVar[tuple[Option, ...]] = ("mode", "tolerance", "contiguous", "feather")

    def press(self, event: "PointerEvent") -> None:
        """Select by the colour at the pointer."""
        document, context = self.context.document, self.context
        if document is None or event.button not in ("left", "none"):
            return
        self.take_mode(event)
        self.commit(
            lambda: selection.select_similar(
                document,
                event.canvas_xy,
                self._mode,
                tolerance=context.tolerance,
                is_contiguous=context.is_contiguous,
                feather_px=context.feather_px,
                label=self.name,
            )
        )


class BucketTool(SelectTool):
    """Fills an area of the mask."""

    id: ClassVar[str] = "bucket"
    name: ClassVar[str] = "Bucket"
    icon: ClassVar[str] = "bucket"
    shortcut: ClassVar[str] = "G"
    tip: ClassVar[str] = (
        "Click to mask up to the next colour border; Shift fills a drawn outline, Alt takes away"
    )
    options: ClassVar[tuple[Option, ...]] = ("tolerance", "contiguous")

    def press(self, event: "PointerEvent") -> None:
        """Fill at the pointer."""
        document, context = self.context.document, self.context
        if document is None or event.button not in ("left", "none"):
            return
        mode: selection.CombineMode = "subtract" if takes_away(event) else "add"
        at_xy, tolerance = event.canvas_xy, context.tolerance
        if event.shift:
            self.commit(
                lambda: selection.fill_outline(document, at_xy, mode, tolerance=tolerance, label=self.name)
            )
            return
        self.commit(
            lambda: selection.select_similar(
                document,
                at_xy,
                mode,
                tolerance=tolerance,
                is_contiguous=context.is_contiguous,
                label=self.name,
            )
        )
