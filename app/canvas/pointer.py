"""One event for pen, mouse and finger: what a tool gets to know about the pointer.

Qt says the same thing in three ways, and says it twice while a pen draws (the pen's
own event and a mouse event made from it). The view sorts that out and hands each tool
``PointerEvent`` alone, so a tool can be tested without a window.

Coordinates: canvas pixels, (0, 0) is the top left corner of the top left pixel, so the
    middle of that pixel is (0.5, 0.5). View pixels are Qt's logical pixels.
"""

from dataclasses import dataclass, replace
from typing import Literal

PointerKind = Literal["press", "move", "release", "hover"]
PointerDevice = Literal["pen", "mouse", "touch"]
Button = Literal["left", "right", "middle", "none"]
Modifier = Literal["shift", "ctrl", "alt"]

NO_MODIFIERS: frozenset[Modifier] = frozenset()


@dataclass(frozen=True)
class PointerEvent:
    """Where the pointer is and what it does.

    Args:
        kind: "press", "move" (a button is down), "release" or "hover" (none is down).
        canvas_xy: on the canvas, in canvas pixels; may lie outside it.
        view_xy: on the widget, in logical pixels.
        pressure: 0..1; a mouse has 1.0.
        tilt_xy: degrees away from upright, -60..60 each; a mouse has (0, 0).
        modifiers: of "shift", "ctrl", "alt".
        button: the button that was pressed or is held; "none" for a hover.
        device: what sent it.
        time_ms: on the clock of the device, growing.
        is_eraser_end: the pen is turned round.
        clicks: 2 for the second press of a double click, otherwise 1.
    """

    kind: PointerKind
    canvas_xy: tuple[float, float]
    view_xy: tuple[float, float] = (0.0, 0.0)
    pressure: float = 1.0
    tilt_xy: tuple[float, float] = (0.0, 0.0)
    modifiers: frozenset[Modifier] = NO_MODIFIERS
    button: Button = "left"
    device: PointerDevice = "mouse"
    time_ms: float = 0.0
    is_eraser_end: bool = False
    clicks: int = 1

    @property
    def shift(self) -> bool:
        """Is Shift held?"""
        return "shift" in self.modifiers

    @property
    def ctrl(self) -> bool:
        """Is Ctrl (Command on a Mac) held?"""
        return "ctrl" in self.modifiers

    @property
    def alt(self) -> bool:
        """Is Alt (Option on a Mac) held?"""
        return "alt" in self.modifiers

    def moved_to(self, canvas_xy: tuple[float, float]) -> "PointerEvent":
        """The same event at another place of the canvas, e.g. snapped to a line."""
        return replace(self, canvas_xy=canvas_xy)
