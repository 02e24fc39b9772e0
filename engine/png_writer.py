"""Write PNG of 16 bits a channel, strip by strip, so that a large picture is never held twice.

Source: PNG specification (ISO/IEC 15948:2004), sections 9 and 11.
Elsewhere: what else a file says in metadata/writing.py; which pictures come here in pictures.py.
"""

import struct
import zlib
from typing import BinaryIO

import numpy as np

from engine.metadata.writing import chunk
from engine.strips import strips_of


def write_png(file: BinaryIO, pixels: np.ndarray, chunks: bytes) -> None:
    """Write a PNG of 16 bits a channel.

    Args:
        file: where the bytes go, in order.
        pixels: (H, W) or (H, W, 2 to 4) uint16.
        chunks: what goes between header and pixels.
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks)
    packer = zlib.compressobj(6)
    above = np.zeros(width * channels * 2, np.uint8)
    for rows in strips_of(pixels):
        values = rows.astype(">u2", order="C").reshape(len(rows), -1).view(np.uint8)
        packed = packer.compress(_filtered(values, above, channels * 2).data)
        file.write(chunk(b"IDAT", packed) if packed else b"")
        above = values[-1]
    file.write(chunk(b"IDAT", packer.flush()) + chunk(b"IEND", b""))


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
