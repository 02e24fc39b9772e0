"""Moving the view by hand: pan, zoom and turn by dragging, by wheel and by two fingers.

Pure state on a viewport; the view feeds it positions and repaints.
"""

import math
from dataclasses import dataclass
from typing import Literal

from app.canvas.viewport import Viewport

DragKind = Literal["pan", "zoom", "rotate", "resize"]

ZOOM_PER_PX = 0.008  # of the natural logarithm of the scale: 87 px double it
WHEEL_NOTCH = 120.0
ZOOM_PER_NOTCH = 2.0**0.25
RESIZE_STEP_PX = 4.0
TURN_FROM_DEG = 12.0  # two fingers always wobble; only a real turn turns the view

ViewXY = tuple[float, float]


@dataclass
class Drag:
    """A drag that moves the view (or, for "resize", the brush size)."""

    kind: DragKind
    start: ViewXY
    last: ViewXY

    def to(self, at: ViewXY, viewport: Viewport) -> float:
        """Follow the pointer.

        Returns:
            For "resize", the factor for the brush size; otherwise 1.
        """
        dx, dy = at[0] - self.last[0], at[1] - self.last[1]
        if self.kind == "resize":
            if abs(dx) < RESIZE_STEP_PX:
                return 1.0
            self.last = at
            return math.exp(dx * ZOOM_PER_PX)
        if self.kind == "pan":
            viewport.pan_by(dx, dy)
        elif self.kind == "zoom":
            viewport.zoom_to(viewport.scale * math.exp((dx - dy) * ZOOM_PER_PX), self.start)
        else:
            middle = (viewport.view_size_wh[0] / 2, viewport.view_size_wh[1] / 2)
            viewport.rotate_by(_angle(middle, at) - _angle(middle, self.last))
        self.last = at
        return 1.0


class Pinch:
    """Two fingers: the view follows what lies under them."""

    def __init__(self, one: ViewXY, other: ViewXY) -> None:
        self._one, self._other = one, other
        self._turned = 0.0
        self._is_turning = False

    def to(self, one: ViewXY, other: ViewXY, viewport: Viewport) -> None:
        """Follow the fingers."""
        before, now = _middle(self._one, self._other), _middle(one, other)
        viewport.pan_by(now[0] - before[0], now[1] - before[1])
        apart = max(math.dist(self._one, self._other), 1.0)
        viewport.zoom_to(viewport.scale * max(math.dist(one, other), 1.0) / apart, now)
        turn = (_angle(one, other) - _angle(self._one, self._other) + 180.0) % 360.0 - 180.0
        self._turned += turn
        if not self._is_turning and abs(self._turned) > TURN_FROM_DEG:
            self._is_turning, turn = True, self._turned
        if self._is_turning:
            viewport.rotate_by(turn, now)
        self._one, self._other = one, other


def wheel_scale(scale: float, delta: float) -> float:
    """The scale after a wheel turn; it stops at 100 % when it would pass over it.

    Args:
        scale: now.
        delta: Qt's angle delta, 120 a notch.
    """
    wanted = scale * ZOOM_PER_NOTCH ** (delta / WHEEL_NOTCH)
    return 1.0 if (scale < 0.999 and wanted > 1.001) or (scale > 1.001 and wanted < 0.999) else wanted


def _angle(one: ViewXY, other: ViewXY) -> float:
    return math.degrees(math.atan2(other[1] - one[1], other[0] - one[0]))


def _middle(one: ViewXY, other: ViewXY) -> ViewXY:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2
