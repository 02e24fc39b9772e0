"""Photoshop's blocks of resources, which is where JPEG keeps IPTC.

Of all that they may hold the IPTC records alone are kept. Two of the blocks are thumbnails of the picture as it was,
and most others tell of the old file: its layers, guides and print marks.

Source: Adobe, "Photoshop File Formats Specification" (2019), section "Image Resource Blocks"; IPTC IIM 4.2, chapter 1.
"""

import struct
from collections.abc import Iterator

PREFIX = b"Photoshop 3.0\x00"
"""What JPEG puts before the blocks."""

_START = b"8BIM"
_IPTC = 0x0404


def iptc_of(blocks: bytes) -> bytes | None:
    """The IPTC records among the blocks; None where there are none."""
    return next((data for number, data in _blocks(blocks) if number == _IPTC and is_iptc(data)), None)


def is_iptc(data: bytes) -> bool:
    """Whether data begins as a record of IPTC does."""
    return data.startswith(b"\x1c")


def with_iptc(iptc: bytes) -> bytes:
    """Blocks that hold nothing but these records."""
    return _START + struct.pack(">HHI", _IPTC, 0, len(iptc)) + iptc + bytes(len(iptc) % 2)


def _blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each block, up to the first that is damaged."""
    at = 0
    while data[at : at + 4] == _START and at + 12 <= len(data):
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        name_bytes = data[at + 6] + 1
        at += 6 + name_bytes + name_bytes % 2
        if at + 4 > len(data):
            return
        size = int.from_bytes(data[at : at + 4], "big")
        at += 4
        if at + size > len(data):
            return
        yield number, data[at : at + size]
        at += size + size % 2
