"""A result cut into the sheets that are drawn of it, and what of a plane is worth reading."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.canvas.display import PictureSheet, PlaneSheet
from app.canvas.viewport import Box

if TYPE_CHECKING:
    from app.document.layers import Layer
    from app.document.results import Result


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
    predicted: PlaneSheet | None
    """The edges it was made from, inside it."""


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

    def predicted(box: Box) -> NDArray[Any]:
        assert edges is not None, "the sheet is made with edges alone"
        inside = coverage[box[1] : box[3], box[0] : box[2]] > 0
        return np.where(inside, edges[box[1] : box[3], box[0] : box[2]], 0).astype(np.uint8)

    return ResultSheets(
        result.id,
        PictureSheet(picture, size_hw, origin_xy, is_opaque=False),
        PictureSheet(hole, size_hw, origin_xy, is_opaque=False),
        PlaneSheet(covered, size_hw, origin_xy),
        None if edges is None else PlaneSheet(predicted, size_hw, origin_xy, keeps_lines=True),
    )
