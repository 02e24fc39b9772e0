"""Read PPM and PGM of more than 8 bits, whatever their largest value; Pillow cuts colours to 8.

Source: the pages pgm(5) and ppm(5) of Netpbm.
Elsewhere: the ranges in samples.py.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from engine.samples import Samples

_HEAD_BYTES = 4096
_WORD = re.compile(rb"(?:\s|#[^\n\r]*[\n\r])*([0-9]{1,9})")


@dataclass(frozen=True)
class PnmHeader:
    """What stands before the numbers."""

    width: int
    height: int
    top: int
    """The value that is white, 256 to 65535."""
    channels: int
    is_text: bool
    start: int
    """Where the numbers begin, in bytes."""


def deep_pnm_header(file: BinaryIO) -> PnmHeader | None:
    """Header of a grey or colour picture whose white is above 255; None for anything else."""
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if head[:2] not in (b"P2", b"P3", b"P5", b"P6"):
        return None
    place, numbers = 2, []
    for _ in range(3):
        word = _WORD.match(head, place)
        if word is None:
            return None
        place = word.end()
        numbers.append(int(word[1]))
    width, height, top = numbers
    if not 255 < top < 65536:
        return None
    return PnmHeader(width, height, top, 3 if head[1:2] in b"36" else 1, head[1:2] in b"23", place + 1)


def read_deep_pnm(file: BinaryIO, header: PnmHeader) -> Samples:
    """Read the numbers as 16 bits.

    Raises:
        EOFError: if there are fewer than the header says.
        ValueError: if a word of a text is no number of the range.
    """
    count = header.width * header.height * header.channels
    file.seek(header.start)
    if header.is_text:
        lines = (line.partition(b"#")[0] for line in file.read(6 * count + _HEAD_BYTES).split(b"\n"))
        values = np.fromstring(b" ".join(lines), np.int64, sep=" ")[:count]
        if values.size and (values.min() < 0 or values.max() > header.top):
            raise ValueError("a number above the largest")
    else:
        values = np.frombuffer(file.read(2 * count), ">u2")
    if values.size < count:
        raise EOFError("numbers are missing")
    shape = (header.height, header.width, header.channels)
    pixels = np.minimum(values, header.top).astype(np.uint16)
    if header.top < 65535:
        scaled = (pixels.astype(np.uint32) * 65535 + header.top // 2) // header.top
        pixels = scaled.astype(np.uint16)
    return Samples(pixels.reshape(shape[:2] if header.channels == 1 else shape))
