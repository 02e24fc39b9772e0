"""Write TIFF of 16 bits a channel, strip by strip, so that a large picture is never held twice.

Source: TIFF 6.0, sections 8, 14 and 18.
Elsewhere: reading in sixteen_bit.py; 8-bit pictures, and the choice between the two, in pictures.py.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from engine.errors import PictureError
from engine.strips import rows_per_strip, strips_of

_LIMIT_BYTES = 4_000_000_000  # offsets in a TIFF have 32 bits
_BITS_TAG = 258


def write_tiff(file: BinaryIO, pixels: np.ndarray, *, icc_profile: bytes | None = None) -> None:
    """Write a TIFF of 16 bits a channel: one page, interleaved, deflate over horizontal differences.

    Args:
        file: an empty file that can be sought.
        pixels: (H, W) or (H, W, 2 to 4) uint16.
        icc_profile: kept as it is.

    Raises:
        PictureError: if the picture is larger than a TIFF can be.
    """
    if pixels.nbytes > _LIMIT_BYTES:
        got = f"{pixels.nbytes} bytes"
        raise PictureError("tiff", f"at most {_LIMIT_BYTES} bytes", got, "write a PNG instead")
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    file.write(b"II*\x00" + bytes(4))
    places = list(_write_tiff_strips(file, pixels.reshape(height, width, channels)))
    entries: list[tuple[int, str, tuple[int, ...] | bytes]] = [
        (256, "I", (width,)),
        (257, "I", (height,)),
        (_BITS_TAG, "H", (16,) * channels),
        (259, "H", (8,)),  # deflate
        (262, "H", (2 if channels >= 3 else 1,)),  # RGB or black is zero
        (273, "I", tuple(offset for offset, _ in places)),
        (277, "H", (channels,)),
        (278, "I", (rows_per_strip(pixels[0].nbytes),)),
        (279, "I", tuple(size for _, size in places)),
        (284, "H", (1,)),  # channels side by side
        (317, "H", (2,)),  # horizontal differences
    ]
    if channels in (2, 4):
        entries.append((338, "H", (2,)))  # alpha, colours not multiplied by it
    if icc_profile is not None:
        entries.append((34675, "B", icc_profile))
    _write_directory(file, entries)


def _write_tiff_strips(file: BinaryIO, pixels: np.ndarray) -> Iterator[tuple[int, int]]:
    """Write the strips one after the other; gives place and size of each in bytes."""
    for rows in strips_of(pixels):
        differences = rows.astype("<u2", order="C")
        differences[:, 1:] -= rows[:, :-1]
        offset = file.tell()
        yield offset, file.write(zlib.compress(differences.data, 6))


def _write_directory(file: BinaryIO, entries: list[tuple[int, str, tuple[int, ...] | bytes]]) -> None:
    """Write the table of tags behind the strips, and its place into the header; long values lie before it."""
    kinds = {"H": 3, "I": 4, "B": 7}
    table = struct.pack("<H", len(entries))
    for tag, letter, values in entries:
        data = values if isinstance(values, bytes) else struct.pack(f"<{len(values)}{letter}", *values)
        if len(data) > 4:
            file.write(bytes(file.tell() % 2))
            place = struct.pack("<I", file.tell())
            file.write(data)
        else:
            place = data.ljust(4, b"\x00")
        table += struct.pack("<HHI", tag, kinds[letter], len(values)) + place
    file.write(bytes(file.tell() % 2))
    start = file.tell()
    file.write(table + bytes(4))
    file.seek(4)
    file.write(struct.pack("<I", start))
