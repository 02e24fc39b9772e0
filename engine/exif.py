"""Read and reset the orientation in camera data, and turn pixels by it.

A camera writes the pixels as its sensor lay and a number from 1 to 8 that says how to hold the picture. Here pixels
are turned once, when they are read; the number in the kept camera data becomes 1, so that nobody turns them again.
Every other byte of the camera data stays: maker notes and thumbnails point at each other and survive no rewriting.

Source: CIPA DC-008 (Exif 2.32), section 4.6.4, tag 274; TIFF 6.0, section 2.
Elsewhere: reading pictures in pictures.py.
"""

import struct

import numpy as np

from engine.errors import PictureError

PREFIX = b"Exif\x00\x00"
"""What JPEG puts before the data and PNG leaves out."""

_ORIENTATION = 274
_SHORT = 3


def orientation_of(exif: bytes | None) -> int:
    """How to hold the picture: 1 (as it is) to 8; 1 where the data says nothing that can be read."""
    place = _orientation_place(exif) if exif else None
    if exif is None or place is None:
        return 1
    start, order = place
    value = int(struct.unpack_from(f"{order}H", exif, start)[0])
    return value if 1 <= value <= 8 else 1


def with_orientation_reset(exif: bytes) -> bytes:
    """The same camera data, byte for byte, with orientation 1 where one is given."""
    place = _orientation_place(exif)
    if place is None:
        return exif
    start, order = place
    return exif[:start] + struct.pack(f"{order}H", 1) + exif[start + 2 :]


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


def _orientation_place(exif: bytes) -> tuple[int, str] | None:
    """Where the number lies in the data, and its byte order; None where there is none or the data is damaged."""
    base = len(PREFIX) if exif.startswith(PREFIX) else 0
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(exif[base : base + 4])
    if order is None:
        return None
    try:
        directory = base + struct.unpack_from(f"{order}I", exif, base + 4)[0]
        for number in range(struct.unpack_from(f"{order}H", exif, directory)[0]):
            entry = directory + 2 + 12 * number
            tag, kind, count = struct.unpack_from(f"{order}HHI", exif, entry)
            if tag == _ORIENTATION:
                is_one = kind == _SHORT and count == 1 and entry + 12 <= len(exif)
                return (entry + 8, order) if is_one else None
    except struct.error:
        return None
    return None
