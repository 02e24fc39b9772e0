"""Bring the picture layers together into one picture, in the document's mode and depth.

Values are copied, bit for bit, wherever nothing has to be mixed: under one opaque layer, on top of a stack at full
opacity, where a single layer lies alone with its alpha. Mixing is in float32, in bands of rows, so that a canvas of
16384 px a side needs no more memory than its result. What no layer covers is clear, or black where the mode has no
alpha.

A result was blended by the engine already: where it counts its pixels are copied. One that stands in the place of the
picture hides all layers.

Elsewhere: what a person sees, at its own size, in seen.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app.document.layers import Layer, covers
from app.document.tiles import Box, clip_box, is_empty, overlap, shift, slices_of

if TYPE_CHECKING:
    from app.document.document import Document
    from app.document.results import Result

CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
"""Modes of a document, and their channels."""
BAND_BYTES = 16 << 20
"""Float values of one band and layer; a few bands are alive at a time."""
_LUMA = np.array((0.299, 0.587, 0.114), np.float32)


@dataclass(frozen=True)
class Sheet:
    """One layer as flattening sees it."""

    read: Callable[[Box], np.ndarray]
    """Pixels of a box of its own; not written to."""
    box_xyxy: Box
    """Where it lies on the canvas."""
    opacity: float
    channels: int


def flatten(document: "Document", box: Box | None = None, *, with_result: bool) -> np.ndarray:
    """The picture of a document, or a box of it, as an array of one's own.

    Args:
        document: not modified.
        box: on the canvas; what lies outside does not count. The whole canvas where None.
        with_result: whether the current result is laid over it.

    Returns:
        (h, w) for the mode ``L``, else (h, w, C); uint8 or uint16.
    """
    box = clip_box((0, 0, document.size_hw[1], document.size_hw[0]) if box is None else box, document.size_hw)
    sheets = [sheet_of(layer) for layer in document.layers if layer.kind == "picture" and layer.is_visible]
    dtype = np.dtype(np.uint16 if document.is_deep else np.uint8)
    picture = flatten_sheets(sheets, box, document.mode, dtype)
    result = document.current_result
    if with_result and result is not None:
        lay_result(picture, box, result, document.mode)
    return picture


def flattened_view(document: "Document") -> np.ndarray:
    """The whole picture without the current result, not to be written to.

    Where a single opaque layer is the picture, these are its own pixels; else a copy, made once for each
    ``picture_revision`` of the document.
    """
    own = _own_pixels(document)
    if own is not None:
        return own
    revision, cached = document.flat_cache
    if cached is None or revision != document.picture_revision:
        cached = flatten(document, with_result=False)
        cached.setflags(write=False)
        document.flat_cache = (document.picture_revision, cached)
    return cached


def sheet_of(layer: Layer) -> Sheet:
    """A layer of the document itself."""
    pixels = layer.planes["pixels"]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    return Sheet(lambda box: pixels[slices_of(box)], layer.box_xyxy, layer.opacity, channels)


def flatten_sheets(sheets: Sequence[Sheet], box: Box, mode: str, dtype: np.dtype) -> np.ndarray:
    """Lay sheets over each other, the first lowest.

    Args:
        sheets: visible ones.
        box: what is wanted of the canvas.
        mode: ``L``, ``LA``, ``RGB`` or ``RGBA``.
        dtype: uint8 or uint16.

    Returns:
        (h, w) for the mode ``L``, else (h, w, C).
    """
    channels = CHANNELS[mode]
    h, w = box[3] - box[1], box[2] - box[0]
    result = np.zeros((h, w, channels), dtype)
    sheets = [sheet for sheet in sheets if sheet.opacity > 0 and not is_empty(overlap(sheet.box_xyxy, box))]
    rows = max(BAND_BYTES // max(w * channels * 4, 1), 1)
    for first in range(0, h, rows):
        band = (box[0], box[1] + first, box[2], min(box[1] + first + rows, box[3]))
        _flatten_band(sheets, band, result[first : first + rows], mode)
    return result[..., 0] if channels == 1 else result


def lay_result(picture: np.ndarray, box: Box, result: "Result", mode: str) -> None:
    """Copy a result's pixels over a flattened picture, where they count.

    Args:
        picture: changed in place.
        box: where it lies on the canvas.
        result: lies where its own box says.
        mode: of the picture.
    """
    if result.is_whole:
        picture[...] = 0
    shared = overlap(box, result.box_xyxy)
    if is_empty(shared):
        return
    own = slices_of(shift(shared, (-result.box_xyxy[0], -result.box_xyxy[1])))
    chosen = result.coverage[own] > 0
    part = picture[slices_of(shift(shared, (-box[0], -box[1])))]
    part[chosen] = as_in(part, result.pixels[own], mode)[chosen]


def as_in(picture: np.ndarray, pixels: np.ndarray, mode: str) -> np.ndarray:
    """A result's pixels in the mode and depth of a flattened picture of their size: the canvas may have another since."""
    if pixels.shape == picture.shape and pixels.dtype == picture.dtype:
        return pixels
    colours, alpha = converted(pixels, mode, picture.dtype)
    joined = colours if alpha is None or not mode.endswith("A") else np.concatenate([colours, alpha], 2)
    is_whole = joined.size == picture.size
    return joined.reshape(picture.shape) if is_whole else _with_opaque(joined, picture.shape)


def converted(pixels: np.ndarray, mode: str, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray | None]:
    """Colours and alpha of a layer in the mode and depth of a document; as they are where they fit.

    Returns:
        (h, w, 1 or 3) and (h, w, 1) or None.
    """
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.dtype != dtype:
        if dtype == np.uint16:
            pixels = pixels.astype(np.uint16) * np.uint16(257)
        else:
            pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    has_alpha = pixels.shape[2] in (2, 4)
    colours, alpha = (pixels[..., :-1], pixels[..., -1:]) if has_alpha else (pixels, None)
    wanted = 1 if mode.startswith("L") else 3
    if colours.shape[2] == 1 and wanted == 3:
        colours = np.broadcast_to(colours, (*colours.shape[:2], 3))
    elif colours.shape[2] == 3 and wanted == 1:
        colours = np.rint(colours.astype(np.float32) @ _LUMA).astype(dtype)[..., None]
    return colours, alpha


def _with_opaque(colours: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Colours with an alpha that says all of it counts."""
    joined = np.full(shape, np.iinfo(colours.dtype).max, colours.dtype)
    joined[..., :-1] = colours
    return joined


def _own_pixels(document: "Document") -> np.ndarray | None:
    """The pixels of the one layer that is the whole picture as it stands."""
    visible = [layer for layer in document.layers if layer.kind == "picture" and layer.is_visible]
    if len(visible) != 1:
        return None
    layer, pixels = visible[0], visible[0].planes["pixels"]
    channels = CHANNELS[document.mode]
    dtype = np.uint16 if document.is_deep else np.uint8
    shape = document.size_hw if channels == 1 else (*document.size_hw, channels)
    is_whole = layer.opacity == 1 and layer.origin_xy == (0, 0)
    if not is_whole or pixels.shape != shape or pixels.dtype != dtype:
        return None
    view = pixels.view()
    view.setflags(write=False)
    return view


def _flatten_band(sheets: Sequence[Sheet], band: Box, result: np.ndarray, mode: str) -> None:
    """Flatten a band into ``result`` (h, w, C), which is zero."""
    has_alpha = mode.endswith("A")
    colours = result[..., :-1] if has_alpha else result
    top = np.float32(np.iinfo(result.dtype).max)
    opaque_from = max((at for at, sheet in enumerate(sheets) if _hides_all(sheet, band)), default=0)
    if opaque_from == len(sheets) - 1 and _hides_all(sheets[-1], band):
        x, y, _, _ = sheets[-1].box_xyxy
        colours[...], _ = converted(sheets[-1].read(shift(band, (-x, -y))), mode, result.dtype)
        if has_alpha:
            result[..., -1] = np.iinfo(result.dtype).max
        return
    coverage = np.zeros(result.shape[:2], np.float32)
    for sheet in sheets[opaque_from:]:
        shared = overlap(sheet.box_xyxy, band)
        if is_empty(shared):
            continue
        place = slices_of(shift(shared, (-band[0], -band[1])))
        own = sheet.read(shift(shared, (-sheet.box_xyxy[0], -sheet.box_xyxy[1])))
        above, alpha = converted(own, mode, result.dtype)
        if alpha is None and sheet.opacity == 1:
            colours[place] = above
            coverage[place] = 1
            continue
        share = np.full(above.shape[:2], np.float32(sheet.opacity), np.float32)
        if alpha is not None:
            share *= alpha[..., 0].astype(np.float32) / top
        _lay_over(colours[place], coverage[place], above, share)
    if has_alpha:
        result[..., -1] = np.rint(coverage * top)
    elif (coverage < 1).any():
        partly = (coverage > 0) & (coverage < 1)
        colours[partly] = np.rint(colours[partly] * coverage[partly][:, None])
        colours[coverage == 0] = 0


def _lay_over(below: np.ndarray, coverage: np.ndarray, above: np.ndarray, share: np.ndarray) -> None:
    """Lay ``above`` (h, w, C) over ``below`` with its share (h, w); both are changed in place.

    Copied where the upper one is opaque or nothing lies below, else mixed by Porter and Duff's "over".
    """
    is_copied = (share >= 1) | (coverage <= 0)
    is_mixed = ~is_copied & (share > 0)
    below[is_copied] = above[is_copied]
    upper, lower = share[is_mixed][:, None], coverage[is_mixed][:, None]
    lower_share = lower * (1 - upper)
    total = upper + lower_share
    mixed = (above[is_mixed] * upper + below[is_mixed] * lower_share) / total
    below[is_mixed] = np.rint(mixed)
    coverage[is_copied] = share[is_copied]
    coverage[is_mixed] = total[:, 0]


def _hides_all(sheet: Sheet, band: Box) -> bool:
    """Whether nothing below shows through anywhere."""
    x0, y0, x1, y1 = sheet.box_xyxy
    is_around = x0 <= band[0] and y0 <= band[1] and x1 >= band[2] and y1 >= band[3]
    return is_around and sheet.opacity == 1 and sheet.channels in (1, 3)


def is_covered(document: "Document", box: Box) -> bool:
    """Whether an opaque layer lies under every pixel of a box, so that no checkerboard shows."""
    return any(
        layer.kind == "picture"
        and layer.is_visible
        and layer.opacity == 1
        and (layer.planes["pixels"].ndim == 2 or layer.planes["pixels"].shape[2] in (1, 3))
        and covers(layer, box)
        for layer in document.layers
    )
