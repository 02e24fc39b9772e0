"""Layers: pictures, the mask, and the edges a person draws.

A layer is read freely and changed only through a transaction of its document, so that every change can be undone, saved
and seen. Mask and edge planes have the canvas's size and are made of pages the system hands out only when written
to: an untouched plane of 16384 px a side costs nothing. So that it also costs nothing to copy or search, a layer knows
which of its tiles were ever written.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from app.document.strokes import Stroke, new_id
from app.document.tiles import MAX_SIDE_PX, Box, Tile, all_tiles, is_empty, join, tile_box, tile_slices
from app.errors import DocumentError

if TYPE_CHECKING:
    from app.document.recipe import Step

LayerKind = Literal["picture", "mask", "edges"]
OPACITY_SLACK = 1e-4
"""How far beside 0 and 1 an opacity is taken as a rounding error, in files of anyone."""
PLANES: dict[str, tuple[str, ...]] = {
    "picture": ("pixels",),
    "mask": ("coverage",),
    "edges": ("drawn", "erased", "locked"),
}
"""Names of the planes each kind of layer has."""
ATTRIBUTES = ("name", "origin_xy", "is_visible", "opacity", "step")
"""What `Transaction.set_layer` takes."""


@dataclass(eq=False)
class Layer:
    """One layer. Read freely; change only through a transaction."""

    kind: LayerKind
    name: str
    planes: dict[str, np.ndarray]
    """By name. ``pixels``: (H, W) or (H, W, C) uint8 or uint16, as in the file; all others (H, W) uint8."""
    origin_xy: tuple[int, int] = (0, 0)
    """Where its top left pixel lies on the canvas."""
    id: str = field(default_factory=new_id)
    is_visible: bool = True
    opacity: float = 1.0
    """In [0, 1]."""
    strokes: list[Stroke] = field(default_factory=list)
    """What was drawn on it, oldest first."""
    step: "Step | None" = None
    """The recipe step of an applied result."""

    def __post_init__(self) -> None:
        expected = PLANES.get(self.kind)
        if expected is None:
            raise DocumentError("layer", f"one of {', '.join(PLANES)}", repr(self.kind), "it is unknown here")
        if tuple(self.planes) != expected and set(self.planes) != set(expected):
            raise DocumentError(
                "planes", ", ".join(expected), ", ".join(map(str, self.planes)), f"a layer of {self.kind}"
            )
        for name, plane in self.planes.items():
            _check_plane(self.kind, name, plane)
        shapes = {plane.shape[:2] for plane in self.planes.values()}
        if len(shapes) > 1:
            raise DocumentError(
                "planes", "one size", f"{len(shapes)} sizes", "planes of a layer lie together"
            )
        self._written: dict[str, set[Tile] | None] = dict.fromkeys(self.planes)

    @classmethod
    def empty_mask(cls, size_hw: tuple[int, int], name: str = "Mask") -> "Layer":
        """A mask in which nothing is selected."""
        return cls._untouched("mask", name, size_hw)

    @classmethod
    def empty_edges(cls, size_hw: tuple[int, int], name: str = "Edges") -> "Layer":
        """An edges layer on which nothing is drawn."""
        return cls._untouched("edges", name, size_hw)

    @classmethod
    def _untouched(cls, kind: LayerKind, name: str, size_hw: tuple[int, int]) -> "Layer":
        layer = cls(kind, name, {plane: np.zeros(size_hw, np.uint8) for plane in PLANES[kind]})
        layer._written = {plane: set() for plane in PLANES[kind]}
        return layer

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width of its planes in px."""
        shape = next(iter(self.planes.values())).shape
        return int(shape[0]), int(shape[1])

    @property
    def box_xyxy(self) -> Box:
        """Where it lies on the canvas."""
        (x, y), (h, w) = self.origin_xy, self.size_hw
        return (x, y, x + w, y + h)

    # Which tiles can hold anything -----------------------------------------------------------------------------------

    def written_tiles(self, plane: str) -> set[Tile]:
        """Tiles of a plane that can hold anything but zeros. Pictures count as written everywhere."""
        known = self._written[plane]
        if known is None:
            values, size_hw = self.planes[plane], self.size_hw
            known = set(all_tiles(size_hw))
            if self.kind != "picture":
                known = {tile for tile in known if values[tile_slices(*tile, size_hw)].any()}
            self._written[plane] = known
        return known

    def written_box(self, plane: str) -> Box:
        """A box around all that can be other than zero; (0, 0, 0, 0) for an untouched plane."""
        box: Box = (0, 0, 0, 0)
        for tile in list(self.written_tiles(plane)):
            box = join(box, tile_box(*tile, self.size_hw))
        return box

    def copy_plane(self, plane: str) -> np.ndarray:
        """The plane as an array of one's own; what was never written costs no memory."""
        values, size_hw = self.planes[plane], self.size_hw
        tiles = list(self.written_tiles(plane))
        if len(tiles) == len(all_tiles(size_hw)):
            return values.copy()
        copied = np.zeros(values.shape, values.dtype)  # zeros_like would write to every page
        for tile in tiles:
            copied[tile_slices(*tile, size_hw)] = values[tile_slices(*tile, size_hw)]
        return copied

    def has_any(self, plane: str) -> bool:
        """Whether any value of a plane is above zero."""
        size_hw = self.size_hw
        return any(
            bool(self.planes[plane][tile_slices(*tile, size_hw)].any())
            for tile in list(self.written_tiles(plane))
        )

    def note_written(self, plane: str, tile: Tile) -> None:
        """A tile is about to be written. For transactions and operations alone."""
        known = self._written[plane]
        if known is not None:
            known.add(tile)

    # Plain data ------------------------------------------------------------------------------------------------------

    @property
    def attributes(self) -> dict[str, Any]:
        """Name, place, visibility, opacity and step."""
        return {name: getattr(self, name) for name in ATTRIBUTES}

    def meta(self) -> dict[str, Any]:
        """All but planes and strokes, as plain data."""
        return meta_to_plain(self.id, self.kind, self.attributes)


def meta_to_plain(layer_id: str, kind: LayerKind, attributes: dict[str, Any]) -> dict[str, Any]:
    """All of a layer but planes and strokes, as plain data."""
    plain = {name: attribute_to_plain(attributes[name]) for name in ATTRIBUTES}
    return {"id": layer_id, "kind": kind, **plain}


def attribute_to_plain(value: Any) -> Any:
    """The value of an attribute as plain data; `attribute_from_plain` is the way back."""
    if isinstance(value, tuple):
        return list(value)
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def attributes_from_plain(data: dict[str, Any]) -> dict[str, Any]:
    """Read name, place, visibility, opacity and step from what `Layer.meta` gave.

    Raises:
        DocumentError: if one is missing, of another kind or out of range.
    """
    return {name: attribute_from_plain(name, data.get(name)) for name in ATTRIBUTES}


def attribute_from_plain(name: str, value: Any) -> Any:
    """Read one attribute of a layer from plain data.

    Raises:
        DocumentError: if it is of another kind or out of range.
    """
    if name == "name" and isinstance(value, str) and len(value) <= 1000:
        return value
    if name == "is_visible" and isinstance(value, bool):
        return value
    if (
        name == "opacity"
        and isinstance(value, (int, float))
        and not isinstance(value, bool)
        and -OPACITY_SLACK <= value <= 1 + OPACITY_SLACK
    ):
        return min(max(float(value), 0.0), 1.0)
    if name == "origin_xy" and isinstance(value, (list, tuple)) and len(value) == 2:
        x, y = value
        if all(type(part) is int and abs(part) <= 4 * MAX_SIDE_PX for part in (x, y)):
            return (x, y)
    if name == "step":
        return _step_from_plain(value)
    ranges = {
        "name": "words of at most 1000 letters",
        "is_visible": "true or false",
        "opacity": "a number from 0 to 1",
        "origin_xy": f"two whole numbers of at most {4 * MAX_SIDE_PX} px",
    }
    expected = ranges.get(name, f"one of {', '.join(ATTRIBUTES)}")
    raise DocumentError(f"layer {name}", expected, repr(value)[:60], "the value does not fit")


def plane_kind_from_plain(data: dict[str, Any]) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of a plane, or of a tile of one, from plain data.

    Raises:
        KeyError: if one of them is missing; TypeError or ValueError if it is of another kind or out of range.
    """
    shape = tuple(int(side) for side in data["shape"])
    has_layout = 2 <= len(shape) <= 3 and min(shape) >= 1
    if not has_layout or max(shape[:2]) > MAX_SIDE_PX or max(shape[2:], default=1) > 4:
        raise ValueError(f"no plane of shape {shape}")
    if data["dtype"] not in ("uint8", "uint16"):
        raise ValueError(f"no plane of type {data['dtype']!r}")
    return shape, np.dtype(data["dtype"])


def _step_from_plain(value: Any) -> "Step | None":
    from pydantic import ValidationError

    from app.document.recipe import Step

    if value is None or isinstance(value, Step):
        return value
    try:
        return Step.model_validate(value)
    except ValidationError as error:
        said = error.errors()[0]
        name = ".".join(("step", *(str(part) for part in said["loc"])))
        raise DocumentError(name, said["msg"], repr(said["input"])[:60], "the recipe is damaged") from error


def _check_plane(kind: str, name: str, plane: np.ndarray) -> None:
    is_picture = kind == "picture"
    kinds = (np.uint8, np.uint16) if is_picture else (np.uint8,)
    if plane.dtype not in kinds:
        expected = " or ".join(np.dtype(one).name for one in kinds)
        raise DocumentError(name, expected, plane.dtype, "convert the values")
    has_layout = plane.ndim == 2 or (is_picture and plane.ndim == 3 and 1 <= plane.shape[2] <= 4)
    if not has_layout or 0 in plane.shape:
        layout = "(H, W) or (H, W, C) with 1 to 4 channels" if is_picture else "(H, W)"
        raise DocumentError(name, layout, tuple(plane.shape), "give at least one pixel")
    if max(plane.shape[:2]) > MAX_SIDE_PX:
        got = f"{plane.shape[1]}x{plane.shape[0]} px"
        raise DocumentError(name, f"at most {MAX_SIDE_PX} px a side", got, "make the picture smaller")


def covers(layer: Layer, box: Box) -> bool:
    """Whether a layer lies under every pixel of a canvas box."""
    x0, y0, x1, y1 = layer.box_xyxy
    return is_empty(box) or (x0 <= box[0] and y0 <= box[1] and x1 >= box[2] and y1 >= box[3])
