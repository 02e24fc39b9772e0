"""Where the canvas lies on the widget: scale, rotation, mirror and the point in the middle.

A canvas point goes to the view in this order: take the middle point away, mirror,
scale, turn, add half the widget. Keeping the middle point rather than an offset means
that a resized window keeps looking at the same place.

Scale counts device pixels: at 1.0 one canvas pixel covers one pixel of the screen,
    whatever the screen's scaling; view coordinates are Qt's logical pixels.
Grid: the canvas origin is laid on a whole device pixel, so that 100 % is sharp, blits
    are cheap, and a pan moves what is painted by whole pixels.
"""

import math
from typing import NamedTuple

from PySide6.QtGui import QTransform

MIN_SCALE = 0.01
MAX_SCALE = 64.0
ZOOM_STEPS = (
    *(0.01, 0.015, 0.02, 0.03, 0.04, 0.0625, 0.083, 0.125, 0.1667, 0.25, 0.3333, 0.5, 0.6667),
    *(1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0),
)
FIT_MARGIN_PX = 24  # logical; a fitted picture shows a little of the desk, so its border is seen
LARGEST_FIT = 4.0  # tiny pictures are enlarged, but not to blocks
KEEP_VISIBLE_PX = 48  # logical; panning never loses the canvas

Box = tuple[int, int, int, int]


class Matrix(NamedTuple):
    """x' = a x + c y + e; y' = b x + d y + f."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def map(self, x: float, y: float) -> tuple[float, float]:
        """Where a point goes."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def scaled_at(self, factor: float, origin_xy: tuple[float, float]) -> "Matrix":
        """For a raster whose pixels are ``factor`` times as large and that starts at a point of this space."""
        e, f = self.map(*origin_xy)
        return Matrix(self.a * factor, self.b * factor, self.c * factor, self.d * factor, e, f)

    def less(self, offset_xy: tuple[float, float]) -> "Matrix":
        """The same, counted from another origin of where it leads."""
        return self._replace(e=self.e - offset_xy[0], f=self.f - offset_xy[1])

    def inverted(self) -> "Matrix":
        """The way back."""
        det = self.a * self.d - self.b * self.c
        a, b, c, d = self.d / det, -self.b / det, -self.c / det, self.a / det
        return Matrix(a, b, c, d, -(a * self.e + c * self.f), -(b * self.e + d * self.f))


class Viewport:
    """The view's transform; plain state, no widget."""

    def __init__(
        self,
        canvas_size_hw: tuple[int, int] = (1, 1),
        view_size_wh: tuple[float, float] = (1.0, 1.0),
        device_ratio: float = 1.0,
    ) -> None:
        self.canvas_size_hw = canvas_size_hw
        self.view_size_wh = (float(view_size_wh[0]), float(view_size_wh[1]))
        self.device_ratio = device_ratio
        self.scale = 1.0
        self.rotation_deg = 0.0
        self.is_mirrored = False
        self.fit_box: Box | None = None
        """What `fit` shows, in canvas pixels; the canvas where None."""
        self.centre_xy = (canvas_size_hw[1] / 2, canvas_size_hw[0] / 2)
        self._matrix: Matrix | None = None
        self._inverse: Matrix | None = None

    # -- mapping

    @property
    def view_scale(self) -> float:
        """Logical view pixels to one canvas pixel."""
        return self.scale / self.device_ratio

    @property
    def is_upright(self) -> bool:
        """Are the canvas's sides parallel to the widget's?"""
        return self.rotation_deg % 90.0 == 0.0

    @property
    def matrix(self) -> Matrix:
        """Canvas to view, in logical pixels."""
        if self._matrix is None:
            angle = math.radians(self.rotation_deg)
            cos, sin = math.cos(angle), math.sin(angle)
            if self.is_upright:
                cos, sin = float(round(cos)), float(round(sin))
            s = self.view_scale
            m = -s if self.is_mirrored else s
            a, b, c, d = cos * m, sin * m, -sin * s, cos * s
            cx, cy = self.centre_xy
            e = self.view_size_wh[0] / 2 - (a * cx + c * cy)
            f = self.view_size_wh[1] / 2 - (b * cx + d * cy)
            e = round(e * self.device_ratio) / self.device_ratio
            f = round(f * self.device_ratio) / self.device_ratio
            self._matrix = Matrix(a, b, c, d, e, f)
        return self._matrix

    @property
    def inverse(self) -> Matrix:
        """View to canvas."""
        if self._inverse is None:
            self._inverse = self.matrix.inverted()
        return self._inverse

    @property
    def device_matrix(self) -> Matrix:
        """Canvas to device pixels of the widget."""
        return Matrix(*(value * self.device_ratio for value in self.matrix))

    def transform(self) -> QTransform:
        """Canvas to view, for a painter."""
        return QTransform(*self.matrix)

    def to_view(self, x: float, y: float) -> tuple[float, float]:
        """Where a canvas point lies on the widget."""
        return self.matrix.map(x, y)

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Which canvas point lies under a widget point."""
        return self.inverse.map(x, y)

    def to_view_box(self, box_xyxy: tuple[float, float, float, float]) -> Box:
        """The whole logical pixels that a canvas box touches."""
        return bounds_of(self.matrix, box_xyxy)

    def to_canvas_box(self, box_xyxy: tuple[float, float, float, float], margin_px: int = 0) -> Box:
        """The whole canvas pixels under a view box, cut to the canvas; may be empty (x1 <= x0)."""
        x0, y0, x1, y1 = bounds_of(self.inverse, box_xyxy)
        h, w = self.canvas_size_hw
        return (
            max(x0 - margin_px, 0),
            max(y0 - margin_px, 0),
            min(x1 + margin_px, w),
            min(y1 + margin_px, h),
        )

    # -- changing

    def set_canvas(self, size_hw: tuple[int, int]) -> None:
        """Look at a canvas of another size."""
        self.canvas_size_hw = size_hw
        self.fit_box = None
        self._changed()

    def resize(self, view_size_wh: tuple[float, float], device_ratio: float) -> None:
        """Follow the widget's size and the screen's scaling; the middle stays the middle."""
        self.view_size_wh = (float(view_size_wh[0]), float(view_size_wh[1]))
        self.device_ratio = device_ratio
        self._changed()

    def fit_scale(self, margin_px: float = FIT_MARGIN_PX) -> float:
        """The scale at which all of the canvas (or `fit_box`), as it is turned, fits; never above LARGEST_FIT."""
        x0, y0, x1, y1 = self._fitted_box
        h, w = y1 - y0, x1 - x0
        angle = math.radians(self.rotation_deg)
        cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
        wide, high = w * cos + h * sin, w * sin + h * cos
        room_w = max(self.view_size_wh[0] - 2 * margin_px, 1.0)
        room_h = max(self.view_size_wh[1] - 2 * margin_px, 1.0)
        scale = min(room_w / wide, room_h / high) * self.device_ratio
        return min(max(scale, MIN_SCALE), LARGEST_FIT)

    def fit(self, margin_px: float = FIT_MARGIN_PX) -> None:
        """Show all of the canvas, or of `fit_box`."""
        x0, y0, x1, y1 = self._fitted_box
        self.scale = self.fit_scale(margin_px)
        self.centre_xy = ((x0 + x1) / 2, (y0 + y1) / 2)
        self._changed()

    @property
    def _fitted_box(self) -> Box:
        h, w = self.canvas_size_hw
        return (0, 0, w, h) if self.fit_box is None else self.fit_box

    @property
    def is_fitted(self) -> bool:
        """Whether `fit` would change nothing."""
        x0, y0, x1, y1 = self._fitted_box
        is_centred = self.centre_xy == ((x0 + x1) / 2, (y0 + y1) / 2)
        return is_centred and self.scale == self.fit_scale()

    def zoom_to(self, scale: float, at_view_xy: tuple[float, float] | None = None) -> None:
        """Change the scale; the canvas point at ``at_view_xy`` (the middle if None) stays there."""
        at = at_view_xy or (self.view_size_wh[0] / 2, self.view_size_wh[1] / 2)
        held = self.to_canvas(*at)
        self.scale = min(max(scale, MIN_SCALE), MAX_SCALE)
        self._changed()
        self._hold(held, at)

    def zoom_step(self, steps: int, at_view_xy: tuple[float, float] | None = None) -> None:
        """Go to the next whole zoom, in (+1) or out (-1)."""
        scale = self.scale
        for _ in range(abs(steps)):
            if steps > 0:
                scale = next((s for s in ZOOM_STEPS if s > scale * 1.001), MAX_SCALE)
            else:
                scale = next((s for s in reversed(ZOOM_STEPS) if s < scale / 1.001), MIN_SCALE)
        self.zoom_to(scale, at_view_xy)

    def pan_by(self, dx: float, dy: float) -> None:
        """Push the canvas by logical pixels of the view."""
        inverse = self.inverse
        self.centre_xy = (
            self.centre_xy[0] - (inverse.a * dx + inverse.c * dy),
            self.centre_xy[1] - (inverse.b * dx + inverse.d * dy),
        )
        self._changed()

    def rotate_by(self, degrees: float, at_view_xy: tuple[float, float] | None = None) -> None:
        """Turn the view clockwise round a view point, the middle if None."""
        at = at_view_xy or (self.view_size_wh[0] / 2, self.view_size_wh[1] / 2)
        held = self.to_canvas(*at)
        self.rotation_deg = (self.rotation_deg + degrees) % 360.0
        self._changed()
        self._hold(held, at)

    def mirror(self, at_view_xy: tuple[float, float] | None = None) -> None:
        """Swap left and right of what is seen."""
        at = at_view_xy or (self.view_size_wh[0] / 2, self.view_size_wh[1] / 2)
        held = self.to_canvas(*at)
        self.is_mirrored = not self.is_mirrored
        self.rotation_deg = -self.rotation_deg % 360.0
        self._changed()
        self._hold(held, at)

    def reset_rotation(self) -> None:
        """Stand upright and unmirrored again; the middle stays."""
        self.rotation_deg = 0.0
        self.is_mirrored = False
        self._changed()

    def _hold(self, canvas_xy: tuple[float, float], view_xy: tuple[float, float]) -> None:
        now = self.to_view(*canvas_xy)
        self.pan_by(view_xy[0] - now[0], view_xy[1] - now[1])

    def _changed(self) -> None:
        self._matrix = self._inverse = None
        self._keep_visible()

    def _keep_visible(self) -> None:
        """Pull the middle back when a pan would leave less than KEEP_VISIBLE_PX of the canvas, or of `fit_box`."""
        x0, y0, x1, y1 = bounds_of(self.matrix, self._fitted_box)
        keep_x = min(KEEP_VISIBLE_PX, (x1 - x0) / 2)
        keep_y = min(KEEP_VISIBLE_PX, (y1 - y0) / 2)
        dx = max(keep_x - x1, 0.0) - max(x0 - (self.view_size_wh[0] - keep_x), 0.0)
        dy = max(keep_y - y1, 0.0) - max(y0 - (self.view_size_wh[1] - keep_y), 0.0)
        if dx or dy:
            inverse = self.inverse
            self.centre_xy = (
                self.centre_xy[0] - (inverse.a * dx + inverse.c * dy),
                self.centre_xy[1] - (inverse.b * dx + inverse.d * dy),
            )
            self._matrix = self._inverse = None


def bounds_of(matrix: Matrix, box: tuple[float, float, float, float]) -> Box:
    """Whole-number bounds of a mapped box; what floating point smears by 1e-6 is not counted."""
    corners = [matrix.map(x, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return (
        math.floor(min(xs) + 1e-6),
        math.floor(min(ys) + 1e-6),
        math.ceil(max(xs) - 1e-6),
        math.ceil(max(ys) - 1e-6),
    )
