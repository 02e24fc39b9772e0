"""Pixels of any layout and depth brought to eight bits, for looking at."""

import numpy as np


def as_rgb8(pixels: np.ndarray) -> np.ndarray:
    """Pixels of any layout as three channels of eight bits, for looking at.

    Args:
        pixels: (H, W) or (H, W, C) with 1 to 4 channels, uint8 or uint16; alpha is left out.

    Returns:
        (H, W, 3) uint8, an array of its own.
    """
    if pixels.dtype == np.uint16:
        pixels = (pixels // 257).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    colours = pixels[..., :3] if pixels.shape[2] >= 3 else np.repeat(pixels[..., :1], 3, axis=2)
    return np.ascontiguousarray(colours).copy()


def as_rgba8(pixels: np.ndarray) -> np.ndarray:
    """The same with transparency, whole where there is none.

    Args:
        pixels: as for `as_rgb8`.

    Returns:
        (H, W, 4) uint8, an array of its own.
    """
    has_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
    alpha = (
        pixels[..., -1] if has_alpha else np.full(pixels.shape[:2], np.iinfo(pixels.dtype).max, pixels.dtype)
    )
    return np.dstack([as_rgb8(pixels), as_rgb8(alpha)[..., 0]])
