"""What the mask can be made of: shapes, areas of like colour, files, and the mask itself grown, shrunk or softened.

Every function here is one entry of the history, changes only boxes it has to, and says whether anything changed. A
patch meets the mask by a mode: it replaces it, is added (the larger of the two), subtracted (what the patch leaves
over) or intersected (the smaller of the two).

Elsewhere: the shapes themselves in shapes.py; brush strokes in painting.py.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np

from app.document.painting import union
from app.document.shapes import Patch, feathered, similar, softened
from app.document.tiles import Box, clip_box, covered_box, is_empty, overlap, shift

if TYPE_CHECKING:
    from app.document.document import Document
    from app.document.layers import Layer

CombineMode = Literal["replace", "add", "subtract", "intersect"]
"""How a patch meets the mask that is there."""

PLANE = "coverage"
MOST_PX = 250
"""Furthest that a mask is grown, shrunk or feathered at once."""

DISC_PX = 8  # a large disc is walked in steps of this one: as round to the eye, and far less work


def combine(before: np.ndarray, coverage: np.ndarray, mode: CombineMode) -> np.ndarray:
    """Two coverages of one box as one; uint8."""
    combined = coverage
    if mode == "add":
        combined = np.maximum(before, coverage)
    elif mode == "subtract":
        combined = np.minimum(before, np.invert(coverage))
    elif mode == "intersect":
        combined = np.minimum(before, coverage)
    return combined


def mask_box(document: "Document") -> Box | None:
    """The smallest box with all that is selected; None where nothing is."""
    layer = document.mask_layer
    x0, y0, x1, y1 = layer.written_box(PLANE)
    box = covered_box(layer.planes[PLANE][y0:y1, x0:x1])
    return None if box is None else shift(box, (x0, y0))


# Shapes and colours --------------------------------------------------------------------------------------------------


def select(
    document: "Document",
    patch: Patch | None,
    mode: CombineMode,
    *,
    feather_px: float = 0.0,
    label: str = "Select",
) -> bool:
    """Bring a patch into the mask.

    Args:
        document: its mask layer changes.
        patch: what a shape gave; None is an empty shape, which replaces or intersects all away.
        mode: how they meet.
        feather_px: how soft to make the patch first.
        label: name of the entry in the history.

    Returns:
        Whether the mask changed.
    """
    size_hw = _size(document)
    if patch is not None and feather_px > 0:
        patch = feathered(patch, feather_px, size_hw)
    box = None if patch is None else patch.box_xyxy
    if mode in ("replace", "intersect"):
        box = union(box, mask_box(document))
    elif mode == "subtract":
        box = _common(box, mask_box(document))
    if box is None:
        return False
    coverage = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
    if patch is not None:
        _copy_common(patch.coverage, patch.box_xyxy, coverage, box)
    return _change(document, label, box, lambda before: combine(before, coverage, mode))


def select_similar(
    document: "Document",
    at_xy: tuple[float, float],
    mode: CombineMode,
    *,
    tolerance: float,
    is_contiguous: bool,
    feather_px: float = 0.0,
    label: str = "Magic wand",
) -> bool:
    """Select pixels of the picture whose colour is near the one at a place; the current result counts as the picture.

    Args:
        document: its mask layer changes.
        at_xy: in canvas pixels; outside the canvas nothing is selected.
        mode: how the area meets the mask.
        tolerance: largest difference in any channel, 0 to 1.
        is_contiguous: only what hangs together with that pixel.
        feather_px: softness of the area's border.
        label: name of the entry in the history.

    Returns:
        Whether the mask changed.
    """
    from app.document.flatten import flatten

    x, y = int(np.floor(at_xy[0])), int(np.floor(at_xy[1]))
    height, width = _size(document)
    if not (0 <= x < width and 0 <= y < height):
        return False
    pixels = flatten(document, with_result=True)
    patch = similar(pixels, (x, y), tolerance=tolerance, is_contiguous=is_contiguous)
    return select(document, patch, mode, feather_px=feather_px, label=label)


def fill_outline(
    document: "Document",
    at_xy: tuple[float, float],
    mode: CombineMode,
    *,
    tolerance: float,
    label: str = "Bucket",
) -> bool:
    """Select the area around a place that the mask itself bounds: what a drawn outline holds.

    Args:
        document: its mask layer changes.
        at_xy: in canvas pixels.
        mode: how the area meets the mask; "add" fills the outline.
        tolerance: largest difference of coverage within the area, 0 to 1; the border of a soft outline is met at half.
        label: name of the entry in the history.

    Returns:
        Whether the mask changed.
    """
    x, y = int(np.floor(at_xy[0])), int(np.floor(at_xy[1]))
    plane = document.mask_layer.planes[PLANE]
    patch = similar(plane, (x, y), tolerance=max(tolerance, 0.5), is_contiguous=True)
    if patch is None:
        return False
    # One pixel further, so that no seam is left to an antialiased outline.
    grown = _moved(_padded(patch, 1, _size(document)), 1, is_growing=True)
    return select(document, grown, mode, label=label)


# The mask as a whole -------------------------------------------------------------------------------------------------


def grow(document: "Document", by_px: float, *, label: str = "Grow mask") -> bool:
    """Move the mask's border outwards by up to 250 px, round at corners; soft borders stay as soft."""
    return _grow(document, round(min(max(by_px, 0), MOST_PX)), is_growing=True, label=label)


def shrink(document: "Document", by_px: float, *, label: str = "Shrink mask") -> bool:
    """Move the mask's border inwards by up to 250 px; where it meets the canvas border it stays there."""
    return _grow(document, round(min(max(by_px, 0), MOST_PX)), is_growing=False, label=label)


def feather(document: "Document", by_px: float, *, label: str = "Feather mask") -> bool:
    """Soften the mask's border, about ``by_px`` (up to 250) to either side."""
    by_px = min(max(by_px, 0), MOST_PX)
    patch = _mask_patch(document, int(np.ceil(by_px * 1.5)) + 1)
    if patch is None or by_px <= 0:
        return False
    values = softened(patch.coverage, by_px)
    return _change(document, label, patch.box_xyxy, lambda before: values)


def invert(document: "Document", *, label: str = "Invert mask") -> bool:
    """Select what is not selected."""
    return _change(document, label, _whole(document), np.invert)


def select_all(document: "Document", *, label: str = "Select all") -> bool:
    """Select the whole canvas."""
    return _change(document, label, _whole(document), lambda before: np.full_like(before, 255))


def clear(document: "Document", *, label: str = "Clear mask") -> bool:
    """Select nothing; the strokes kept with the mask go too."""
    return _clear_layer(document, document.mask_layer, label)


def clear_edges(document: "Document", *, label: str = "Clear edges") -> bool:
    """Forget all that was drawn, erased and locked on the edges layer, and its strokes."""
    return _clear_layer(document, document.edges_layer, label)


def load_mask(
    document: "Document",
    path: str | os.PathLike[str],
    mode: CombineMode = "replace",
    *,
    should_invert: bool = False,
    fit: bool = False,
    label: str = "Load mask",
) -> bool:
    """Bring a mask file in: white or opaque = selected.

    Args:
        document: its mask layer changes.
        path: any picture the engine reads.
        mode: how it meets the mask.
        should_invert: black = selected instead.
        fit: bring a file of another size to the canvas's size.
        label: name of the entry in the history.

    Returns:
        Whether the mask changed.

    Raises:
        PictureError: if the file cannot be read.
        MaskError: if its size is another and ``fit`` is not set.
    """
    return select(document, read_patch(path, _size(document), should_invert, fit), mode, label=label)


def read_patch(
    path: str | os.PathLike[str], size_hw: tuple[int, int], should_invert: bool = False, fit: bool = False
) -> Patch:
    """Read a mask file as what `select` takes; on any thread.

    Args:
        path: any picture the engine reads.
        size_hw: of the canvas.
        should_invert: black = selected instead of white.
        fit: bring a file of another size to the canvas's size.

    Raises:
        PictureError: if the file cannot be read.
        MaskError: if its size is another and ``fit`` is not set.
    """
    from engine.pictures import read_mask

    shares = read_mask(path, size_hw=size_hw, invert=should_invert, fit=fit)
    coverage = (shares * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    return Patch((0, 0, size_hw[1], size_hw[0]), coverage)


def save_mask(coverage: np.ndarray, path: str | os.PathLike[str]) -> None:
    """Write a mask as a grey picture, white = selected, in the format of the file's ending.

    Args:
        coverage: (H, W) uint8, the mask layer's plane.
        path: its ending says the format.

    Raises:
        PictureError: if the place cannot be written or the ending is unknown.
    """
    from engine.pictures import Picture, write_picture

    write_picture(Picture(coverage, "L"), path)


# How it is done ------------------------------------------------------------------------------------------------------


def _grow(document: "Document", by_px: int, *, is_growing: bool, label: str) -> bool:
    patch = _mask_patch(document, by_px if is_growing else 2)
    if patch is None or by_px == 0:
        return False
    moved = _moved(patch, by_px, is_growing=is_growing)
    return _change(document, label, patch.box_xyxy, lambda before: moved.coverage)


def _moved(patch: Patch, by_px: int, *, is_growing: bool) -> Patch:
    """The largest (or smallest) value within a disc; discs of a few px one after another make a large one."""
    import cv2

    values = patch.coverage
    work: Callable[..., np.ndarray] = cv2.dilate if is_growing else cv2.erode
    left = by_px
    while left > 0:
        step = min(left, DISC_PX)
        span = np.arange(-step, step + 1)
        disc = (span[:, None] ** 2 + span[None, :] ** 2 <= (step + 0.3) ** 2).astype(np.uint8)
        values = work(values, disc)
        left -= step
    return Patch(patch.box_xyxy, values)


def _mask_patch(document: "Document", margin_px: int) -> Patch | None:
    """What is covered, with a margin around it as far as the canvas goes."""
    values = document.mask_layer.planes[PLANE]
    box = mask_box(document)
    if box is None:
        return None
    size_hw = _size(document)
    box = clip_box((box[0] - margin_px, box[1] - margin_px, box[2] + margin_px, box[3] + margin_px), size_hw)
    return Patch(box, values[box[1] : box[3], box[0] : box[2]].copy())


def _padded(patch: Patch, margin_px: int, size_hw: tuple[int, int]) -> Patch:
    x0, y0, x1, y1 = patch.box_xyxy
    box = clip_box((x0 - margin_px, y0 - margin_px, x1 + margin_px, y1 + margin_px), size_hw)
    values = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
    _copy_common(patch.coverage, patch.box_xyxy, values, box)
    return Patch(box, values)


def _copy_common(source: np.ndarray, source_box: Box, target: np.ndarray, target_box: Box) -> None:
    """Copy what two boxes share from one array to the other."""
    common = _common(source_box, target_box)
    if common is None:
        return
    x0, y0, x1, y1 = common
    sx, sy, tx, ty = *source_box[:2], *target_box[:2]
    target[y0 - ty : y1 - ty, x0 - tx : x1 - tx] = source[y0 - sy : y1 - sy, x0 - sx : x1 - sx]


def _common(box: Box | None, other: Box | None) -> Box | None:
    if box is None or other is None:
        return None
    common = overlap(box, other)
    return None if is_empty(common) else common


def _change(
    document: "Document",
    label: str,
    box: Box,
    change: Callable[[np.ndarray], np.ndarray],
) -> bool:
    """Make one entry that gives a box of the mask other values; none where they are the same."""
    layer = document.mask_layer
    x0, y0, x1, y1 = box
    part = layer.planes[PLANE][y0:y1, x0:x1]
    values = change(part)
    differs = covered_box(part != values)
    if differs is None:
        return False
    left, top, right, bottom = differs
    smaller = (x0 + left, y0 + top, x0 + right, y0 + bottom)
    with document.begin(label) as transaction, transaction.writing(layer.id, PLANE, smaller) as lent:
        lent[...] = values[top:bottom, left:right]
    return True


def _clear_layer(document: "Document", layer: "Layer", label: str) -> bool:
    if not layer.strokes and not any(layer.has_any(plane) for plane in layer.planes):
        return False
    with document.begin(label) as transaction:
        for plane in layer.planes:
            transaction.clear_plane(layer.id, plane)
        transaction.clear_strokes(layer.id)
    return True


def _whole(document: "Document") -> Box:
    height, width = _size(document)
    return 0, 0, width, height


def _size(document: "Document") -> tuple[int, int]:
    height, width = document.size_hw
    return height, width
