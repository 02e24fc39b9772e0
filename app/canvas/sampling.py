"""Read a raster through the view's transform, the same value for the same screen pixel each time.

A painter that draws a part of a picture under a fractional scale starts its steps at
that part's corner, so a repainted rectangle may differ from its neighbourhood by one
picture pixel. Where pixels are seen one by one (200 % and more, masks, edges) we
therefore step ourselves, from the screen pixel's middle.

Letters: h, w rows and columns of the screen box; sources are (H, W) or (H, W, C).
Cost: upright views take rows and columns apart (1 ms for 1600 x 1000 RGB); turned
    views need an index for each pixel (about 20 ms).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.canvas.viewport import Box, Matrix

IntIndex = NDArray[np.intp]
Places = NDArray[np.floating[Any]]

TIE = 1e-6  # a screen pixel's middle may fall between two source pixels; rounding errors must not choose


def axes_of(to_source: Matrix, box: Box) -> tuple[Places, Places, bool] | None:
    """Source x of each column and source y of each row, and whether they are swapped; None in a turned view.

    Args:
        to_source: device pixels to source pixels.
        box: of device pixels.
    """
    xs = np.arange(box[0], box[2]) + 0.5
    ys = np.arange(box[1], box[3]) + 0.5
    if to_source.b == 0.0 and to_source.c == 0.0:
        return to_source.a * xs + to_source.e, to_source.d * ys + to_source.f, False
    if to_source.a == 0.0 and to_source.d == 0.0:
        return to_source.c * ys + to_source.e, to_source.b * xs + to_source.f, True
    return None


def nearest(source: NDArray[Any], to_source: Matrix, box: Box, outside: int = 0) -> NDArray[Any]:
    """The source value under the middle of each device pixel.

    Args:
        source: (H, W) or (H, W, C).
        to_source: device pixels to source pixels.
        box: of device pixels.
        outside: what lies around the source.

    Returns:
        (h, w) or (h, w, C).
    """
    height, width = source.shape[:2]
    axes = axes_of(to_source, box)
    if axes is None:
        xs = np.arange(box[0], box[2]) + 0.5
        ys = (np.arange(box[1], box[3]) + 0.5)[:, None]
        columns = np.floor(to_source.a * xs + to_source.c * ys + to_source.e + TIE).astype(np.intp)
        rows = np.floor(to_source.b * xs + to_source.d * ys + to_source.f + TIE).astype(np.intp)
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        flat = np.ascontiguousarray(source).reshape(height * width, *source.shape[2:])
        found: NDArray[Any] = flat.take(np.where(inside, rows * width + columns, 0), axis=0)
        found[~inside] = outside
        return found
    x, y, is_swapped = axes
    columns, rows = np.floor(x + TIE).astype(np.intp), np.floor(y + TIE).astype(np.intp)
    if _is_run(columns, width) and _is_run(rows, height):
        found = source[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return found.swapaxes(0, 1) if is_swapped else found
    found = source.take(rows.clip(0, height - 1), axis=0).take(columns.clip(0, width - 1), axis=1)
    found[(rows < 0) | (rows >= height)] = outside
    found[:, (columns < 0) | (columns >= width)] = outside
    return found.swapaxes(0, 1) if is_swapped else found


def smooth(source: NDArray[np.uint8], to_source: Matrix, box: Box) -> NDArray[np.uint8]:
    """Bilinear reading of a plane; zero around it. A turned view reads the nearest value.

    Args:
        source: (H, W).
        to_source: device pixels to source pixels.
        box: of device pixels.

    Returns:
        (h, w).
    """
    axes = axes_of(to_source, box)
    if axes is None:
        return nearest(source, to_source, box).astype(np.uint8, copy=False)
    x, y, is_swapped = axes
    found = _blend(_blend(source, y, 0), x, 1)
    return found.T if is_swapped else found


def _is_run(index: IntIndex, size: int) -> bool:
    """Does an index go up by ones, inside the source? Then a slice does."""
    first, last = int(index[0]), int(index[-1])
    return first >= 0 and last < size and last - first == len(index) - 1


def _blend(source: NDArray[np.uint8], at: Places, axis: int) -> NDArray[np.uint8]:
    """Linear reading along one axis, in 8-bit fixed point."""
    size = source.shape[axis]
    place = at - 0.5 + TIE
    low = np.floor(place).astype(np.intp)
    share = np.round((place - low) * 256).astype(np.uint32)
    is_low, is_high = (low >= 0) & (low < size), (low >= -1) & (low < size - 1)
    weights = np.stack([np.where(is_low, 256 - share, 0), np.where(is_high, share, 0)])
    if not weights[1].any() and is_low.all():
        same: NDArray[np.uint8] = source.take(low, axis=axis)
        return same
    shape = (-1, 1) if axis == 0 else (1, -1)
    first = source.take(low.clip(0, size - 1), axis=axis).astype(np.uint32)
    second = source.take((low + 1).clip(0, size - 1), axis=axis)
    first *= weights[0].astype(np.uint32).reshape(shape)
    first += second * weights[1].astype(np.uint32).reshape(shape)
    first += 128
    first >>= 8
    blended: NDArray[np.uint8] = first.astype(np.uint8)
    return blended
