"""Bring a field of a small level to full size, and copy what it points at.

Searching all of a large picture would take minutes and change little: where things come from is decided by then. So the
field is drawn out, and the pixels are copied from the full picture. Where neighbours come from different places, the
copies of both overlap by as much as one pixel of the small level and are blended, so that no seam shows.
"""

from collections.abc import Callable

import cv2
import numpy as np

_ROWS = 16
"""Rows made at a time: bounds memory, and how long a request to stop waits."""


def enlarge(
    image: np.ndarray,
    target_hw: tuple[int, int],
    field_xy: np.ndarray,
    source_hw: tuple[int, int],
    novelty: np.ndarray,
    look: Callable[[], None],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Copy a full-size picture through a field of a smaller level.

    Args:
        image: (H, W, 3) float32, the source in full size.
        target_hw: size of the result in full size.
        field_xy: (h, w, 2), where each pixel of the small result comes from in the small source.
        source_hw: size of the small source.
        novelty: (h, w) float32.
        look: asked between rows whether to go on.

    Returns:
        Picture (H', W', 3) float32 in [0, 1], field (H', W', 2) int32 and novelty (H', W') float32 at ``target_hw``.
    """
    height, width = target_hw
    small_h, small_w = field_xy.shape[:2]
    scale_y, scale_x = image.shape[0] / source_hw[0], image.shape[1] / source_hw[1]
    picture = np.empty((height, width, 3), dtype=np.float32)
    field = np.empty((height, width, 2), dtype=np.int32)
    column = (np.arange(width) + 0.5) * (small_w / width) - 0.5
    for start in range(0, height, _ROWS):
        look()
        row = (np.arange(start, min(start + _ROWS, height)) + 0.5) * (small_h / height) - 0.5
        total = np.zeros((row.shape[0], width, 3), dtype=np.float32)
        for far_y in (0, 1):
            for far_x in (0, 1):
                near_y = np.clip(np.floor(row).astype(np.int64) + far_y, 0, small_h - 1)
                near_x = np.clip(np.floor(column).astype(np.int64) + far_x, 0, small_w - 1)
                weight = _ramp(row - np.floor(row), far_y)[:, None] * _ramp(column - np.floor(column), far_x)
                from_y, from_x = _sources(
                    field_xy[near_y[:, None], near_x[None]],
                    (row - near_y, column - near_x),
                    (scale_y, scale_x),
                    (image.shape[0], image.shape[1]),
                )
                total += image[from_y, from_x] * weight[..., None].astype(np.float32)
        picture[start : start + _ROWS] = total.clip(0, 1)
        near_y = np.clip(np.rint(row).astype(np.int64), 0, small_h - 1)
        near_x = np.clip(np.rint(column).astype(np.int64), 0, small_w - 1)
        from_y, from_x = _sources(
            field_xy[near_y[:, None], near_x[None]],
            (row - near_y, column - near_x),
            (scale_y, scale_x),
            (image.shape[0], image.shape[1]),
        )
        field[start : start + _ROWS, :, 0], field[start : start + _ROWS, :, 1] = from_x, from_y
    look()
    larger = cv2.resize(novelty, (width, height), interpolation=cv2.INTER_LINEAR)
    return picture, field, larger


def _ramp(past: np.ndarray, far: int) -> np.ndarray:
    return past if far else 1 - past


def _sources(
    pixel_xy: np.ndarray,
    rest: tuple[np.ndarray, np.ndarray],
    scale: tuple[float, float],
    limit_hw: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """Say which pixels of the full picture lie as far from a small pixel as asked."""
    y = (pixel_xy[..., 1] + rest[0][:, None] + 0.5) * scale[0] - 0.5
    x = (pixel_xy[..., 0] + rest[1][None, :] + 0.5) * scale[1] - 0.5
    return (
        np.clip(np.rint(y).astype(np.int64), 0, limit_hw[0] - 1),
        np.clip(np.rint(x).astype(np.int64), 0, limit_hw[1] - 1),
    )
