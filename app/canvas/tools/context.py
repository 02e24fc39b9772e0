"""What all tools share, and what the tool bar and the tool options show: targets, brushes, modes, tolerance.

The state has no Qt and tells its observers by plain callbacks what changed. The mask and the edges each keep their own
brush, so that a fine pen for edges is not lost by painting a mask with a large brush.

Elsewhere: what a tool is in base.py; what brush settings are in app/document/strokes.py.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from app.document.selection import CombineMode
from app.document.strokes import BrushSettings

if TYPE_CHECKING:
    from app.document.document import Document
    from app.document.tiles import Box

Target = Literal["mask", "edges"]
"""What brush and eraser paint on."""

Hand = Literal["brush", "eraser", "lock"]
"""What the pen does at the target; each pair of hand and target keeps a brush of its own."""

Change = Literal["target", "brush", "mode", "wand", "frame", "frame_tool", "stroke", "committed", "overlay"]
"""What an observer is told: a setting changed (the first four), another frame was chosen, the tool for it is wanted, a
stroke grew, was committed, or an outline moved."""

LARGEST_PX = 2000.0
SMALLEST_PX = 1.0

BrushKey = tuple[Hand, Target]

_MASK: dict[str, Any] = {"size_px": 64.0, "hardness": 0.9, "pressure_size": True}
_WIDE: dict[str, Any] = {"size_px": 24.0, "hardness": 1.0, "pressure_size": True}
DEFAULT_BRUSHES: dict[BrushKey, dict[str, Any]] = {
    ("brush", "mask"): _MASK,
    ("eraser", "mask"): _MASK,
    ("brush", "edges"): {"size_px": 3.0, "hardness": 1.0, "pressure_size": False},
    ("eraser", "edges"): _WIDE,
    ("lock", "edges"): _WIDE,
}
"""A line of an edge map is thin; rubbing out and locking take an area. The sizes are for a picture of USUAL_SIDE_PX."""

USUAL_SIDE_PX = 2560
"""Longer side of the picture that the first brushes are meant for: the mask's is a fortieth of it."""
FINEST_PX = 3.0
"""A first brush is never finer, however small the picture; who wants a finer one chooses it."""


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
        self._hand: Hand = "brush"
        self._brushes = {name: BrushSettings(**values) for name, values in DEFAULT_BRUSHES.items()}
        self._sized: set[BrushKey] = set()
        """Brushes whose size the user chose; the others follow the picture's size."""
        self._mode: CombineMode = "add"
        self._tolerance = 0.1
        self._is_contiguous = True
        self._feather_px = 0.0
        self._frame: Box | None = None
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

    @property
    def hand(self) -> Hand:
        """What the chosen tool does with its brush; the tools say so themselves."""
        return self._hand

    @hand.setter
    def hand(self, hand: Hand) -> None:
        if hand not in get_args(Hand):
            raise ValueError(f"hand: expected one of {get_args(Hand)}, got {hand!r}; see Hand")
        self._set("_hand", hand, "brush")

    def brush(self, target: Target | None = None, hand: Hand | None = None) -> BrushSettings:
        """The brush of a target and a hand; of the current ones where left out."""
        return self._brushes[self._key(target, hand)]

    def set_brush(self, target: Target | None = None, hand: Hand | None = None, **changes: Any) -> None:
        """Change settings of a brush; sizes are kept within 1 to 2000 px, shares within 0 to 1."""
        key = self._key(target, hand)
        if "size_px" in changes:
            self._sized.add(key)
        for name, value in changes.items():
            if not isinstance(value, bool):
                low, high = (SMALLEST_PX, LARGEST_PX) if name == "size_px" else (0.0, 1.0)
                changes[name] = min(max(float(value), low), high)
        settings = BrushSettings(**{**self._brushes[key].model_dump(), **changes})
        if settings != self._brushes[key]:
            self._brushes[key] = settings
            self._tell("brush")

    def resize_brush(self, factor: float, target: Target | None = None, hand: Hand | None = None) -> None:
        """Multiply a brush's size; by at least one pixel where it stays small, so that every step shows."""
        size = self.brush(target, hand).size_px
        new = round(size * factor, 1)
        if factor != 1 and abs(new - size) < 1 and size < 100:
            new = size + (1 if factor > 1 else -1)
        self.set_brush(target, hand, size_px=new if new < 10 else round(new))

    def fit_brushes(self, size_hw: tuple[int, int]) -> None:
        """Give the brushes whose size nobody chose yet one that goes with a picture."""
        for key, brush in self._brushes.items():
            if key not in self._sized:
                size = DEFAULT_BRUSHES[key]["size_px"] * max(size_hw) / USUAL_SIDE_PX
                size = min(max(round(size), FINEST_PX), LARGEST_PX)
                self._brushes[key] = brush.model_copy(update={"size_px": float(size)})
        self._tell("brush")

    def brushes(self) -> dict[str, dict[str, Any]]:
        """All brushes as plain data, to be kept with the settings; without sizes that nobody chose."""
        return {
            f"{key[0]}-{key[1]}": brush.model_dump(exclude=set() if key in self._sized else {"size_px"})
            for key, brush in self._brushes.items()
        }

    def restore_brushes(self, kept: dict[str, dict[str, Any]]) -> None:
        """Take brushes that `brushes` gave; one that is damaged or unknown keeps its default."""
        for (hand, target), brush in self._brushes.items():
            try:
                own = kept.get(f"{hand}-{target}", {})
                self._brushes[hand, target] = BrushSettings(**{**brush.model_dump(), **own})
            except (TypeError, ValueError):  # pydantic's own error is a ValueError
                continue
            if "size_px" in own:
                self._sized.add((hand, target))
        self._tell("brush")

    def _key(self, target: Target | None, hand: Hand | None) -> BrushKey:
        key: BrushKey = (hand or self._hand, target or self._target)
        return key if key in self._brushes else ("lock", "edges")

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

    @property
    def frame(self) -> "Box | None":
        """What the network is to see around the hole, on the canvas; None leaves it to the program."""
        return self._frame

    def show_frame(self, frame: "Box | None") -> None:
        """Show another frame, as while it is dragged."""
        self._set("_frame", frame, "overlay")

    def frame_chosen(self) -> None:
        """Said by a tool: the frame that is shown is the one to take."""
        self._tell("frame")

    def want_frame_tool(self) -> None:
        """Said by a panel: the frame is to be dragged now."""
        self._tell("frame_tool")

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
