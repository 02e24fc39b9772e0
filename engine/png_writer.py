"""Write PNG of 16 bits a channel, strip by strip, so that a large picture is never held twice.

Source: PNG specification (ISO/IEC 15948:2004), sections 9 and 11.
Elsewhere: reading in sixteen_bit.py; 8-bit pictures, and the choice between the two, in pictures.py.
"""

import struct
import zlib
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from engine.exif import PREFIX
from engine.strips import strips_of


def write_png(
    file: BinaryIO,
    pixels: np.ndarray,
    *,
    icc_profile: bytes | None = None,
    exif: bytes | None = None,
    text: Mapping[str, str] | None = None,
) -> None:
    """Write a PNG of 16 bits a channel.

    Args:
        file: where the bytes go, in order.
        pixels: (H, W) or (H, W, 2 to 4) uint16.
        icc_profile: kept as it is.
        exif: camera data, with or without its JPEG prefix.
        text: entries to store; names of 1 to 79 Latin letters, any words.
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    file.write(b"\x89PNG\r\n\x1a\n")
    _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))
    if icc_profile is not None:
        _write_chunk(file, b"iCCP", b"ICC Profile\x00\x00" + zlib.compress(icc_profile))
    if exif is not None:
        _write_chunk(file, b"eXIf", exif.removeprefix(PREFIX))
    for name, words in (text or {}).items():
        _write_chunk(file, b"iTXt", name.encode("latin-1") + b"\x00\x00\x00\x00\x00" + words.encode())
    packer = zlib.compressobj(6)
    above = np.zeros(width * channels * 2, np.uint8)
    for rows in strips_of(pixels):
        values = rows.astype(">u2", order="C").reshape(len(rows), -1).view(np.uint8)
        _write_chunk(file, b"IDAT", packer.compress(_filtered(values, above, channels * 2).data))
        above = values[-1]
    _write_chunk(file, b"IDAT", packer.flush())
    _write_chunk(file, b"IEND", b"")


def _write_chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
    if data or name == b"IEND":
        file.write(struct.pack(">I", len(data)) + name)
        file.write(data)
        file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(name))))


def _filtered(values: np.ndarray, above: np.ndarray, pixel_bytes: int) -> np.ndarray:
    """Rows of bytes as differences to the left (filter 1) or upper (filter 2) pixel, whichever is smaller.

    Args:
        values: (R, N) uint8.
        above: (N,) uint8, the row before the first.
        pixel_bytes: bytes a pixel.

    Returns:
        (R, 1 + N) uint8, each row behind the number of its filter.
    """
    to_above = values - np.concatenate([above[None], values[:-1]])
    to_left = values.copy()
    to_left[:, pixel_bytes:] -= values[:, :-pixel_bytes]
    cost_above, cost_left = (
        np.abs(rows.view(np.int8)).sum(axis=1, dtype=np.int64) for rows in (to_above, to_left)
    )
    is_above = (cost_above < cost_left)[:, None]
    rows = np.where(is_above, to_above, to_left)
    return np.concatenate([np.where(is_above, np.uint8(2), np.uint8(1)), rows], axis=1)
