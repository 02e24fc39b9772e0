"""What all tools share, and what the tool bar and the tool options show: targets, brushes, modes, tolerance.

The state has no Qt and tells its observers by plain callbacks what changed. The mask and the edges each keep their own
brush, so that a fine pen for edges is not lost by painting a mask with a large brush.

Elsewhere: what a tool is in base.py; what brush settings are in app/document/strokes.py.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from app.document.strokes import BrushSettings

if TYPE_CHECKING:
    from app.document.document import Document

Target = Literal["mask", "edges"]
"""What brush and eraser paint on."""

CombineMode = Literal["replace", "add", "subtract", "intersect"]
"""How a new selection meets the mask that is there."""

Change = Literal["target", "brush", "mode", "wand", "stroke", "committed", "overlay"]
"""What an observer is told: a setting changed (the first four), a stroke grew, was committed, or an outline moved."""

LARGEST_PX = 2000.0
SMALLEST_PX = 1.0

DEFAULT_BRUSHES: dict[Target, dict[str, Any]] = {
    "mask": {"size_px": 64.0, "hardness": 0.9, "opacity": 1.0, "pressure_size": True},
    "edges": {"size_px": 3.0, "hardness": 1.0, "opacity": 1.0, "pressure_size": False},
}


class ViewActions(Protocol):
    """What a tool may ask of the view it draws in; the canvas view offers it."""

    def pan_by(self, dx: float, dy: float) -> None:
        """Move the picture by view pixels."""

    def zoom_by(self, factor: float, at_view_xy: tuple[float, float]) -> None:
        """Enlarge or shrink around a point of the view."""


class ToolContext:
    """Settings of the tools, and the way from a tool to the document and back to the window.

    Args:
        document: gives the open document, or None when there is none.
        warn: takes an exception that a person should read; the window shows it. Without it, it is raised.
    """

    def __init__(
        self,
        document: Callable[[], "Document | None"],
        *,
        warn: Callable[[Exception], None] | None = None,
    ) -> None:
        self._document = document
        self._warn = warn
        self._observers: list[Callable[[Change], None]] = []
        self._target: Target = "mask"
        self._brushes = {name: BrushSettings(**values) for name, values in DEFAULT_BRUSHES.items()}
        self._mode: CombineMode = "add"
        self._tolerance = 0.1
        self._is_contiguous = True
        self._feather_px = 0.0
        self.view: ViewActions | None = None
        """The view the tools draw in; set by the window."""

    @property
    def document(self) -> "Document | None":
        """The open document."""
        return self._document()

    # Settings --------------------------------------------------------------------------------------------------------

    @property
    def target(self) -> Target:
        """What brush and eraser paint on."""
        return self._target

    @target.setter
    def target(self, target: Target) -> None:
        if target not in get_args(Target):
            raise ValueError(f"target: expected one of {get_args(Target)}, got {target!r}; see Target")
        self._set("_target", target, "target")

    def switch_target(self) -> None:
        """Go from the mask to the edges or back (Q)."""
        self.target = "edges" if self._target == "mask" else "mask"

    def brush(self, target: Target | None = None) -> BrushSettings:
        """The brush of a target; of the current one when left out."""
        return self._brushes[target or self._target]

    def set_brush(self, target: Target | None = None, **changes: Any) -> None:
        """Change settings of a target's brush; sizes are kept within 1 to 2000 px."""
        name = target or self._target
        if "size_px" in changes:
            changes["size_px"] = min(max(float(changes["size_px"]), SMALLEST_PX), LARGEST_PX)
        settings = BrushSettings(**{**self._brushes[name].model_dump(), **changes})
        if settings != self._brushes[name]:
            self._brushes[name] = settings
            self._tell("brush")

    def resize_brush(self, factor: float, target: Target | None = None) -> None:
        """Multiply the brush size; by at least one pixel, so that small brushes change too."""
        size = self.brush(target).size_px
        new = size * factor
        if factor != 1 and abs(new - size) < 1:
            new = size + (1 if factor > 1 else -1)
        self.set_brush(target, size_px=round(new, 1) if new < 10 else round(new))

    @property
    def mode(self) -> CombineMode:
        """How a new selection meets the mask that is there; Alt and Ctrl overrule it for one gesture."""
        return self._mode

    @mode.setter
    def mode(self, mode: CombineMode) -> None:
        if mode not in get_args(CombineMode):
            raise ValueError(f"mode: expected one of {get_args(CombineMode)}, got {mode!r}; see CombineMode")
        self._set("_mode", mode, "mode")

    @property
    def tolerance(self) -> float:
        """How far a colour may be from the clicked one, 0 to 1 of the value range, for wand and bucket."""
        return self._tolerance

    @tolerance.setter
    def tolerance(self, tolerance: float) -> None:
        self._set("_tolerance", min(max(float(tolerance), 0.0), 1.0), "wand")

    @property
    def is_contiguous(self) -> bool:
        """Whether wand and bucket take only what hangs together with the clicked pixel."""
        return self._is_contiguous

    @is_contiguous.setter
    def is_contiguous(self, is_contiguous: bool) -> None:
        self._set("_is_contiguous", bool(is_contiguous), "wand")

    @property
    def feather_px(self) -> float:
        """How soft the edge of a new shape is, 0 to 250 px; 0 is antialiased and no softer."""
        return self._feather_px

    @feather_px.setter
    def feather_px(self, feather_px: float) -> None:
        self._set("_feather_px", min(max(float(feather_px), 0.0), 250.0), "mode")

    # Observers -------------------------------------------------------------------------------------------------------

    def observe(self, callback: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``callback`` with what changed, until the returned function is called."""
        self._observers.append(callback)

        def stop() -> None:
            if callback in self._observers:
                self._observers.remove(callback)

        return stop

    def stroke_changed(self) -> None:
        """Said by a tool: the running stroke touched more pixels."""
        self._tell("stroke")

    def committed(self) -> None:
        """Said by a tool: a stroke or a selection is finished and in the history; a live fill may start."""
        self._tell("committed")

    def overlay_changed(self) -> None:
        """Said by a tool: what it paints over the canvas moved; the view repaints."""
        self._tell("overlay")

    def warn(self, error: Exception) -> None:
        """Hand an exception to the window, which shows it; raise it where nobody listens."""
        if self._warn is None:
            raise error
        self._warn(error)

    def _set(self, attribute: str, value: object, change: Change) -> None:
        if getattr(self, attribute) != value:
            setattr(self, attribute, value)
            self._tell(change)

    def _tell(self, change: Change) -> None:
        for callback in tuple(self._observers):
            callback(change)
