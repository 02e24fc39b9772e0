"""Write TIFF of 8 or 16 bits a channel, strip by strip, so that a large picture is never held twice.

Camera data is itself laid out as a TIFF, so a file begins with it: every place in it then holds, those inside a maker
note too. The strips follow, and at the end the one directory that knows both. (tifffile makes no directories below the
picture's own, where exposure and place lie.)

Source: TIFF 6.0, sections 8, 14 and 18.
Elsewhere: what else a file says in metadata/writing.py; which pictures come here in encoding.py.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from engine.errors import PictureError
from engine.metadata.exif import Exif
from engine.metadata.exif_layout import laid_out
from engine.strips import rows_per_strip, strips_of

_LEVEL = 6  # of libdeflate: smaller than zlib's own 6, at half its time
_LIMIT_BYTES = 4_000_000_000  # offsets in a TIFF have 32 bits


def write_tiff(file: BinaryIO, pixels: np.ndarray, exif: Exif) -> None:
    """Write a TIFF: one page, interleaved, deflate over horizontal differences.

    Args:
        file: an empty file that can be sought.
        pixels: (H, W) or (H, W, 2 to 4), uint8 or uint16.
        exif: the tags of the picture beside its storage; its byte order becomes the file's.

    Raises:
        PictureError: if the picture is larger than a TIFF can be.
    """
    if pixels.nbytes > _LIMIT_BYTES:
        got = f"{pixels.nbytes} bytes"
        raise PictureError("tiff", f"at most {_LIMIT_BYTES} bytes", got, "write a PNG instead")
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    laid = laid_out(exif)
    file.write(laid.data)
    places = list(_write_strips(file, pixels.reshape(height, width, channels), exif.order))
    storage = {
        256: exif.longs(width),
        257: exif.longs(height),
        258: exif.shorts(*(8 * pixels.itemsize,) * channels),
        259: exif.shorts(8),  # deflate
        262: exif.shorts(2 if channels >= 3 else 1),  # RGB or black is zero
        273: exif.longs(*(offset for offset, _ in places)),
        277: exif.shorts(channels),
        278: exif.longs(rows_per_strip(pixels[0].nbytes)),
        279: exif.longs(*(size for _, size in places)),
        284: exif.shorts(1),  # channels side by side
        317: exif.shorts(2),  # horizontal differences
    }
    if channels in (2, 4):
        storage[338] = exif.shorts(2)  # alpha, colours not multiplied by it
    rows = dict(laid.rows)
    for tag, value in storage.items():
        place = value.data.ljust(4, b"\x00")
        if len(value.data) > 4:
            place = struct.pack(f"{exif.order}I", _evenly(file))
            file.write(value.data)
        rows[tag] = struct.pack(f"{exif.order}HHI", tag, value.kind, value.count) + place
    start = _evenly(file)
    table = b"".join(rows[tag] for tag in sorted(rows))
    file.write(struct.pack(f"{exif.order}H", len(rows)) + table + bytes(4))
    file.seek(4)
    file.write(struct.pack(f"{exif.order}I", start))


def _evenly(file: BinaryIO) -> int:
    """The file's end, made even: where a value may begin."""
    file.write(bytes(file.tell() % 2))
    return file.tell()


def _write_strips(file: BinaryIO, pixels: np.ndarray, order: str) -> Iterator[tuple[int, int]]:
    """Write the strips one after the other; gives place and size of each in bytes."""
    from imagecodecs import deflate_encode

    for rows in strips_of(pixels):
        differences = rows.astype(f"{order}u{pixels.itemsize}", order="C")
        differences[:, 1:] -= rows[:, :-1]
        offset = file.tell()
        yield offset, file.write(deflate_encode(differences.tobytes(), _LEVEL))
