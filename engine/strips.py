"""Move the pixels of large pictures strip by strip, so that no second whole copy is made on the way.

Elsewhere: reading in decoding.py, writing in png_writer.py and tiff_writer.py.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image

_STRIP_BYTES = 4 << 20


def rows_per_strip(row_bytes: int) -> int:
    """How many rows of this many bytes make a strip; at least 1."""
    return max(1, _STRIP_BYTES // max(1, row_bytes))


def strips_of(pixels: np.ndarray) -> Iterator[np.ndarray]:
    """Views of (H, W, ...) from top to bottom."""
    step = rows_per_strip(pixels[0].nbytes)
    for top in range(0, pixels.shape[0], step):
        yield pixels[top : top + step]


def pixels_of(image: Image.Image) -> np.ndarray:
    """Decode a picture into an array.

    Args:
        image: any mode with one number type for all channels.

    Returns:
        (H, W) or (H, W, C) in the picture's own type, writable.
    """
    image.load()
    width, height = image.size
    sample = np.asarray(image.crop((0, 0, 1, 1)))
    pixels = np.empty((height, width, *sample.shape[2:]), sample.dtype.newbyteorder("="))
    step = rows_per_strip(width * 4)
    for top in range(0, height, step):
        bottom = min(height, top + step)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return pixels


def release(image: Image.Image) -> None:
    """Give back a picture's memory. Unlike the ``close`` of a picture from a file, this leaves the file open."""
    Image.Image.close(image)
