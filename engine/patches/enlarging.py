"""Remake a large picture: decided on a small copy of it, made of its own pixels.

Searching all of a large picture would take minutes and change little: where things come from is decided on a copy of a
bounded size. Its field says how far every pixel moved; the pixels of the large picture are moved as far. Wherever
neighbours moved alike, that is a plain copy by whole pixels, bit for bit, whatever the factor between the sizes. Where
they did not, the copies of both overlap by one pixel of the small level and are blended, so that no seam shows.

Memory: the result in the picture's own type, one byte a pixel for the map, and one band of rows.

Letters: H, W sides of the large picture, h, w of the small one.
Elsewhere: the sizes of both in reduction.py.
"""

import math
from collections.abc import Callable

import cv2
import numpy as np

from engine.patches import quad
from engine.patches.locks import Piece, pieces, shift_px
from engine.patches.reduction import Reduction


def reduced(rgb: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Make the small copy of a picture: means of areas.

    Args:
        rgb: (H, W, 3) uint8 or uint16; grey as a view that repeats its one channel.
        size_hw: of the copy, no side larger than the picture's.

    Returns:
        (h, w, 3) float32 in [0, 1]. One channel at a time is held as floats.
    """
    count = 1 if rgb.strides[2] == 0 else 3
    top = np.float32(np.iinfo(rgb.dtype).max)
    small = [
        cv2.resize(rgb[..., channel].astype(np.float32), size_hw[::-1], interpolation=cv2.INTER_AREA) / top
        for channel in range(count)
    ]
    return np.stack(small * (3 // count), axis=2)


def reduced_lock(lock: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Bring a lock, (H, W) bool, to a small size: (h, w) bool, True where any of a pixel was locked."""
    return np.asarray(
        cv2.resize(lock.view(np.uint8) * np.uint8(255), size_hw[::-1], interpolation=cv2.INTER_AREA) > 0
    )


def moved_up(
    image: np.ndarray,
    target_hw: tuple[int, int],
    field_xy: np.ndarray,
    scale_yx: tuple[float, float],
    look: Callable[[], None],
    *,
    is_known: np.ndarray | None = None,
) -> np.ndarray:
    """Make the large result of the large picture's pixels.

    Args:
        image: (H, W) or (H, W, C), uint8 or uint16; not modified.
        target_hw: size of the result.
        field_xy: (h, w, 2) int, where each pixel of the small result comes from in the small picture.
        scale_yx: large pixels to a small one.
        look: asked between bands of rows whether to go on.
        is_known: (h, w) bool, where the field says something; elsewhere the nearest pixel speaks. None = everywhere.

    Returns:
        A picture of ``target_hw``, otherwise like ``image``. Past an edge of ``image`` it is mirrored: sizes in whole
        pixels leave less than a small pixel there.
    """
    height, width = target_hw
    small_h, small_w = field_xy.shape[:2]
    at_home = np.stack(np.meshgrid(np.arange(small_w), np.arange(small_h)), axis=2)
    shifts_xy = np.rint((field_xy - at_home) * scale_yx[::-1]).astype(np.int32)
    if is_known is not None:
        shifts_xy = _spread(shifts_xy, is_known)
    top = np.iinfo(image.dtype).max
    made = np.empty((height, width, *image.shape[2:]), image.dtype)
    columns = np.arange(width, dtype=np.int32)
    left, right, far_x = _neighbours(columns, scale_yx[1], small_w)
    rows = np.arange(height, dtype=np.int32)
    above, below, far_y = _neighbours(rows, scale_yx[0], small_h)
    starts = [0, *(np.flatnonzero((np.diff(above) != 0) | (np.diff(below) != 0)) + 1).tolist(), height]
    for start, end in zip(starts, starts[1:], strict=False):
        look()
        first, second = shifts_xy[above[start]], shifts_xy[below[start]]
        around = (first[left], first[right], second[left], second[right])  # (W, 2) each
        band = rows[start:end, None]
        made[start:end] = _taken(image, band, columns, around[0])
        differ = np.flatnonzero(np.any([(one != around[0]).any(axis=1) for one in around[1:]], axis=0))
        if not len(differ):
            continue
        down, across = far_y[start:end, None], far_x[differ][None]
        shares = ((1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across)
        total = np.zeros((end - start, len(differ), *image.shape[2:]), np.float32)
        for shift, share in zip(around, shares, strict=True):
            values = _taken(image, band, columns[differ], shift[differ])
            total += values * (share if image.ndim == 2 else share[..., None])
        made[start:end, differ] = np.rint(total).clip(0, top)
    return made


def map_up(novelty: np.ndarray, target_hw: tuple[int, int]) -> np.ndarray:
    """Bring the map of what is new to full size: (h, w) uint8 to ``target_hw``."""
    return np.asarray(cv2.resize(novelty, target_hw[::-1], interpolation=cv2.INTER_LINEAR))


def stamp_up(
    small_lock: np.ndarray,
    lock: np.ndarray,
    corners: quad.Corners,
    reduction: Reduction,
    image: np.ndarray,
    made: np.ndarray,
    novelty: np.ndarray,
) -> None:
    """Write every locked piece into the large result, bit for bit, as far away as it was moved on the small one.

    Args:
        small_lock: (h, w) bool.
        lock: (H, W) bool.
        corners: where the small picture's corners go in the small result.
        reduction: the sizes of both.
        image: the large picture.
        made: the large result, changed in place.
        novelty: its map, changed in place.
    """
    matrix = quad.homography(quad.rectangle(reduction.source_hw), corners)
    for piece in pieces(small_lock):
        dx, dy = shift_px(piece, matrix, reduction.target_hw)
        shift_y, shift_x = (round(by * scale) for by, scale in zip((dy, dx), reduction.scale_yx, strict=True))
        _stamp(piece, lock, (shift_y, shift_x), reduction.scale_yx, image, made, novelty)


def _stamp(
    piece: Piece,
    lock: np.ndarray,
    shift_yx: tuple[int, int],
    scale_yx: tuple[float, float],
    image: np.ndarray,
    made: np.ndarray,
    novelty: np.ndarray,
) -> None:
    x0, y0, x1, y1 = piece.box_xyxy
    spans = []
    for axis, (low, high) in enumerate(((y0, y1), (x0, x1))):
        shift, scale = shift_yx[axis], scale_yx[axis]
        first = max(math.floor(low * scale), -shift, 0)
        last = min(math.ceil(high * scale), made.shape[axis] - shift, lock.shape[axis])
        spans.append(np.arange(first, max(first, last)))
    if not all(len(span) for span in spans):
        return
    rows, columns = spans
    small = [
        np.minimum((span / scale).astype(np.int64), limit - 1)
        for span, scale, limit in zip(spans, scale_yx, piece.labels.shape, strict=True)
    ]
    here = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    there = tuple(
        slice(int(span[0]) + shift, int(span[-1]) + 1 + shift)
        for span, shift in zip(spans, shift_yx, strict=True)
    )
    is_piece = lock[here] & (piece.labels[small[0]][:, small[1]] == piece.label)
    made[there][is_piece] = image[here][is_piece]
    novelty[there][is_piece] = 0


def _spread(values: np.ndarray, is_known: np.ndarray) -> np.ndarray:
    """(h, w, C) values, those of the nearest known pixel where one is not known."""
    asked = (~is_known).astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(asked, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    table = np.zeros((int(nearest.max()) + 1, values.shape[2]), values.dtype)
    table[nearest[is_known]] = values[is_known]
    return np.asarray(table[nearest])


def _neighbours(places: np.ndarray, scale: float, limit: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The small pixels before and after each large one, and the share of the one after."""
    exact = (places + 0.5) / scale - 0.5
    before = np.floor(exact)
    share = (exact - before).astype(np.float32)
    first = np.clip(before, 0, limit - 1).astype(np.int64)
    return first, np.clip(before + 1, 0, limit - 1).astype(np.int64), share


def _taken(image: np.ndarray, rows: np.ndarray, columns: np.ndarray, shifts_xy: np.ndarray) -> np.ndarray:
    """The pixels that lie a shift away from (R, 1) rows and (N,) columns, one shift a column: (R, N, ...)."""
    y = _mirrored(rows + shifts_xy[:, 1], image.shape[0])
    x = _mirrored(columns + shifts_xy[:, 0], image.shape[1])
    return np.asarray(image[y, x[None]])


def _mirrored(places: np.ndarray, limit: int) -> np.ndarray:
    """Places past either end, mirrored at it."""
    inside = np.where(places < 0, -1 - places, np.where(places >= limit, 2 * limit - 1 - places, places))
    return inside.clip(0, limit - 1)
