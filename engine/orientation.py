"""Turn pixels the way the camera held them.

A camera writes the pixels as its sensor lay and a number from 1 to 8 that says how to hold the picture. Here pixels
are turned once, when they are read; what is written says 1, so that nobody turns them again.

Source: CIPA DC-008 (Exif 2.32), section 4.6.4, tag 274; TIFF 6.0, section 2.
Elsewhere: the number itself in metadata/reading.py.
"""

import numpy as np

from engine.errors import PictureError


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels as the picture is to be held.

    Args:
        pixels: (H, W) or (H, W, C).
        orientation: 1 to 8 as in the camera data.

    Returns:
        The same array for 1; else a solid copy, (W, H, ...) from 5 on.

    Raises:
        PictureError: for another number.
    """
    if not 1 <= orientation <= 8:
        raise PictureError("orientation", "1 to 8", orientation, "1 leaves the picture as it is")
    if orientation == 1:
        return pixels
    if orientation >= 5:  # mirrored along the falling diagonal first
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
