"""What a tool of the canvas is: it takes pointer events in canvas pixels and changes the document.

A gesture goes press, any number of moves, release; `cancel` takes back a gesture that is under way. Between gestures
there is only `hover`. Tools that need several clicks (the polygon) stay busy between them. The view hands over the
events, the keys it does not use itself, and a painter for what the tool draws over the canvas.

Elsewhere: settings shared by all tools in context.py; the list of tools in registry.py.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from PySide6.QtCore import Qt

from app.canvas.tools.context import ToolContext
from app.document.selection import CombineMode

if TYPE_CHECKING:
    from PySide6.QtGui import QCursor, QPainter

    from app.canvas.pointer import PointerEvent
    from app.canvas.viewport import Viewport

__all__ = ["BrushOutline", "Option", "Tool", "ToolContext", "mode_of"]

Option = Literal[
    "target",
    "size",
    "hardness",
    "opacity",
    "pressure_size",
    "pressure_opacity",
    "tilt",
    "smoothing",
    "mode",
    "feather",
    "tolerance",
    "contiguous",
]
"""Settings the tool options bar can show; all of them are properties of the context or of its brush."""


@dataclass(frozen=True)
class BrushOutline:
    """The ring that the view shows at the pointer instead of a cursor."""

    diameter_px: float
    """Of the brush at full pressure, in canvas pixels."""
    hardness: float
    """0 to 1; a second ring may show where the soft border starts."""


class Tool:
    """One tool; `Tool` itself does nothing and is the base of the rest."""

    id: ClassVar[str] = "none"
    """Name in settings and tests, snake_case."""
    name: ClassVar[str] = "None"
    """Name a person reads."""
    icon: ClassVar[str] = ""
    """File name in resources/icons without its ending."""
    shortcut: ClassVar[str] = ""
    """Default key, as QKeySequence reads it; empty for none."""
    tip: ClassVar[str] = ""
    """One sentence for the tooltip: what it does and which modifiers it knows."""
    options: ClassVar[tuple[Option, ...]] = ()
    """What the tool options bar shows, in this order."""

    def __init__(self, context: ToolContext) -> None:
        self.context = context

    @property
    def is_busy(self) -> bool:
        """Whether a gesture is under way; the window then waits with undo, and Esc cancels it."""
        return False

    def activate(self) -> None:
        """The tool was chosen; called when the view gets it, and harmless to call again."""

    def press(self, event: "PointerEvent") -> None:
        """Start a gesture."""

    def move(self, event: "PointerEvent") -> None:
        """Go on with a gesture; called between press and release."""

    def release(self, event: "PointerEvent") -> None:
        """End a gesture."""

    def hover(self, event: "PointerEvent") -> None:
        """The pointer moves with nothing pressed."""

    def double_press(self, event: "PointerEvent") -> None:
        """The second press of a double click, which comes instead of a press."""
        self.press(event)

    def key(self, key: Qt.Key) -> bool:
        """A key that the view has no use for (Enter, Backspace); True when the tool used it."""
        return False

    def finish(self) -> None:
        """End what is under way in the best way, because another tool is chosen; cancel where there is none."""
        self.cancel()

    def cancel(self) -> None:
        """Take back the gesture that is under way; the document is as it was before it."""

    def resize_brush(self, factor: float) -> None:
        """Alt+wheel, Alt+right-drag, and the keys for it; tools without a brush ignore it."""

    def outline(self) -> BrushOutline | None:
        """The ring to show at the pointer, or None for `cursor`."""
        return None

    def cursor(self) -> "QCursor | Qt.CursorShape":
        """What to show at the pointer where there is no ring."""
        return Qt.CursorShape.CrossCursor

    def paint_overlay(self, painter: "QPainter", viewport: "Viewport") -> None:
        """Draw over the canvas, in view coordinates."""


def takes_away(event: "PointerEvent") -> bool:
    """Whether what always adds does the opposite: with Alt, with Ctrl where a desktop keeps Alt, with the pen turned."""
    return event.alt or event.ctrl or event.is_eraser_end


def mode_of(event: "PointerEvent", chosen: CombineMode) -> CombineMode:
    """The mode of one gesture: Alt subtracts, Ctrl intersects, else the chosen one."""
    if event.alt:
        return "subtract"
    if event.ctrl:
        return "intersect"
    return chosen
