"""A result in its surroundings, small: what it looked like on the picture it was made on.

It is made with the result and kept with it, in files and journals too, for the picture below goes on changing. No Qt.

Elsewhere: who makes it in edit_builder.py; who shows it in app/panels/thumbnails.py.
"""

from typing import TYPE_CHECKING

import numpy as np

from app.document.flatten import as_in
from app.document.tiles import Box

if TYPE_CHECKING:
    from app.document.results import Result

MARGIN = 0.35
"""How much of the picture is shown around a result, as a share of the result's longer side."""
LEAST_PX = 64
"""A result smaller than this is shown with more around it, or nobody could tell where it lies."""
KEPT_PX = 176
"""Longest side of what is kept: a square of the strip on a screen of twice the density."""


def surroundings(box: Box, size_hw: tuple[int, int]) -> Box:
    """A square around a result, moved inside the picture; no larger than the picture's shorter side."""
    x0, y0, x1, y1 = box
    h, w = size_hw
    wanted = max(round(max(x1 - x0, y1 - y0) * (1 + 2 * MARGIN)), LEAST_PX)
    side = min(wanted, w, h)
    left = min(max((x0 + x1 - side) // 2, 0), w - side)
    top = min(max((y0 + y1 - side) // 2, 0), h - side)
    return left, top, left + side, top + side


def seen_on(picture: np.ndarray, result: "Result | None", box: Box, mode: str, *, most_px: int) -> np.ndarray:
    """A picture inside a box as it looks with a result or without one.

    Args:
        picture: (H, W) or (H, W, C), flattened and without any result; not modified.
        result: what to lay over it.
        box: on the canvas.
        mode: of the picture, such as RGB.
        most_px: pixels along the longer side; of more, only every n-th is looked at.

    Returns:
        (h, w) or (h, w, C) in the depth of the picture, a copy.
    """
    x0, y0, x1, y1 = box
    count = min(max(x1 - x0, y1 - y0), most_px)
    rows = y0 + np.arange(min(y1 - y0, count)) * (y1 - y0) // min(y1 - y0, count)
    columns = x0 + np.arange(min(x1 - x0, count)) * (x1 - x0) // min(x1 - x0, count)
    pixels = picture[np.ix_(rows, columns)]
    if result is None:
        return pixels
    left, top, right, bottom = result.box_xyxy
    is_row, is_column = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
    if not (is_row.any() and is_column.any()):
        return pixels
    place = np.ix_(rows[is_row] - top, columns[is_column] - left)
    part = pixels[np.ix_(is_row, is_column)]
    covered = result.coverage[place] > 0
    part[covered] = as_in(part, result.pixels[place], mode)[covered]
    pixels[np.ix_(is_row, is_column)] = part
    return pixels


def thumbnail_of(picture: np.ndarray, result: "Result", mode: str) -> np.ndarray:
    """What is kept of a fill: 8 bits a channel, at most KEPT_PX a side; arguments as in `seen_on`."""
    around = surroundings(result.box_xyxy, picture.shape[:2])
    pixels = seen_on(picture, result, around, mode, most_px=KEPT_PX)
    return (pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels
