"""What the tools that make selections share: mode by modifiers, and the way into the mask."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from app.canvas.tools.base import Option, Tool, mode_of
from app.canvas.tools.context import ToolContext
from app.document import selection
from app.document.selection import CombineMode
from app.errors import AppError

if TYPE_CHECKING:
    from app.canvas.pointer import PointerEvent
    from app.document.shapes import Patch


class SelectTool(Tool):
    """Base of the tools that give a patch."""

    options: ClassVar[tuple[Option, ...]] = ("mode", "feather")

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self._mode: CombineMode = "add"

    def take_mode(self, event: "PointerEvent") -> None:
        """Settle the mode of a gesture by what is held when it starts."""
        self._mode = mode_of(event, self.context.mode)

    def select(self, patch: "Patch | None") -> None:
        """Bring the patch into the mask; an empty one only where that clears the mask on purpose."""
        document = self.context.document
        if document is None or (patch is None and self._mode != "replace"):
            return
        label = {"replace": "Select", "add": "Add", "subtract": "Subtract", "intersect": "Intersect"}[
            self._mode
        ]
        name = f"{label} {self.name.lower()}" if patch is not None else "Deselect"
        feather_px = self.context.feather_px
        self.commit(lambda: selection.select(document, patch, self._mode, feather_px=feather_px, label=name))

    def commit(self, change: Callable[[], bool]) -> None:
        """Change the mask, and tell the window of it, or of why it could not be."""
        try:
            has_changed = change()
        except AppError as error:
            self.context.warn(error)
            return
        if has_changed:
            self.context.committed()
