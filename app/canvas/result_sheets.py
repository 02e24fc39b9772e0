"""A result cut into the sheets that are drawn of it, and what of a plane is worth reading."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.canvas.display import PictureSheet, PlaneSheet
from app.canvas.ridges import Plane, crests, margin_px, tone
from app.canvas.viewport import Box
from app.document.tiles import TILE_PX

if TYPE_CHECKING:
    from app.document.layers import Layer
    from app.document.results import Result

GRAIN_LIMIT = 16.0
"""A line that is blurred more is no line."""


@dataclass
class ResultSheets:
    """A result, cut into what is drawn."""

    id: str
    picture: PictureSheet
    """Its pixels; transparent where the picture shows through."""
    hole: PictureSheet
    """Opaque where it replaces the picture."""
    covered: PlaneSheet
    """The same as a plane."""
    is_whole: bool
    """It stands in the place of the picture, at its own size."""
    predicted: PlaneSheet | None
    """The lines among the edges it was made from, inside it."""


def written_box(layer: "Layer", plane: str) -> Callable[[], Box]:
    """Where a plane can hold anything but zeros; joined again only when tiles were added."""
    known: tuple[int, Box] = (0, (0, 0, 0, 0))

    def written() -> Box:
        nonlocal known
        count = len(layer.written_tiles(plane))
        if count != known[0]:
            known = count, layer.written_box(plane)
        return known[1]

    return written


class GuessedLines:
    """The lines of a result's edge map inside its hole, as strong as they are shown; found when they are first seen.

    Args:
        edges: (h, w) uint8, the map.
        coverage: (h, w) uint8, above 0 inside the hole.
        grain: canvas pixels to a pixel of the network.
    """

    def __init__(self, edges: Plane, coverage: Plane, grain: float) -> None:
        self._edges, self._coverage, self._grain = edges, coverage, grain
        self._lines = np.zeros_like(edges)
        self._is_found = np.zeros([-(-side // TILE_PX) for side in edges.shape], np.bool_)

    def __call__(self, box: Box) -> NDArray[Any]:
        """The part in a box."""
        first, last = (box[1] // TILE_PX, box[0] // TILE_PX), (-(-box[3] // TILE_PX), -(-box[2] // TILE_PX))
        missing = np.argwhere(~self._is_found[first[0] : last[0], first[1] : last[1]])
        for row, column in missing + np.array(first):
            self._find(int(row), int(column))
        return self.found(box)

    def found(self, box: Box) -> NDArray[Any]:
        """The part in a box as far as it has been looked for."""
        return self._lines[box[1] : box[3], box[0] : box[2]]

    def _find(self, row: int, column: int) -> None:
        margin = margin_px(self._grain)
        y0, x0 = row * TILE_PX, column * TILE_PX
        top, left = min(y0, margin), min(x0, margin)
        wide = slice(y0 - top, y0 + TILE_PX + margin), slice(x0 - left, x0 + TILE_PX + margin)
        found = tone(crests(self._edges[wide], self._coverage[wide] > 0, self._grain))
        tile = self._lines[y0 : y0 + TILE_PX, x0 : x0 + TILE_PX]
        tile[...] = found[top : top + tile.shape[0], left : left + tile.shape[1]]
        self._is_found[row, column] = True


def grain_of(crops: list[dict[str, Any]]) -> float:
    """Canvas pixels to a pixel of the network's finest level, the largest of a result's crops; 1 where it is not told."""
    grains = [1.0]
    for crop in crops:
        try:
            (_, y0, _, y1), (height, _) = crop["frame"], crop["levels_hw"][-1]
            grains.append((y1 - y0) / height)
        except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError):
            continue  # a document from elsewhere may say anything
    return min(max(grains), GRAIN_LIMIT)


def result_sheets(result: "Result") -> ResultSheets:
    """The sheets of a result; they keep its arrays at hand."""
    x0, y0, x1, y1 = result.box_xyxy
    size_hw, origin_xy = (y1 - y0, x1 - x0), (x0, y0)
    pixels, coverage, edges = result.pixels, result.coverage, result.edges

    def picture(box: Box) -> NDArray[Any]:
        part = pixels[box[1] : box[3], box[0] : box[2]]
        part = part[..., None] if part.ndim == 2 else part
        full = np.iinfo(part.dtype).max
        covered = coverage[box[1] : box[3], box[0] : box[2]] > 0
        if part.shape[2] in (2, 4):
            return np.where(covered[..., None], part, 0).astype(part.dtype)
        alpha = np.where(covered, full, 0).astype(part.dtype)
        return np.concatenate([part, alpha[..., None]], axis=2)

    def hole(box: Box) -> NDArray[Any]:
        covered = (coverage[box[1] : box[3], box[0] : box[2]] > 0).astype(np.uint8) * 255
        return np.stack([np.zeros_like(covered), covered], axis=2)

    def covered(box: Box) -> NDArray[Any]:
        return (coverage[box[1] : box[3], box[0] : box[2]] > 0).astype(np.uint8) * 255

    lines = None if edges is None else GuessedLines(edges, coverage, grain_of(result.step.crops))
    return ResultSheets(
        result.id,
        PictureSheet(picture, size_hw, origin_xy, is_opaque=False),
        PictureSheet(hole, size_hw, origin_xy, is_opaque=False),
        PlaneSheet(covered, size_hw, origin_xy),
        result.is_whole,
        None
        if lines is None
        else PlaneSheet(lines, size_hw, origin_xy, keeps_lines=True, skimmed=lines.found),
    )
