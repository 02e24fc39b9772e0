"""Ask the pieces of a TIFF how large they become, before they are unpacked.

A strip or tile may be a picture of its own (JPEG, WebP, PNG, JPEG 2000, JPEG XL), whose header names its own size; the
codecs believe that one. It is held here against the size that the TIFF gives the piece.

Source: ITU-T T.81 (JPEG), T.800 annex A (JPEG 2000); RFC 9649 (WebP); ISO/IEC 18181-1, section 9.2 (JPEG XL).
Elsewhere: pages and tags in tiff_reader.py.
"""

import math
import struct
from collections.abc import Callable
from typing import Any

from engine.deep_reader import jpeg_frame

_HEAD_BYTES = 4096
_SLACK = 2  # some writers pad a piece to whole blocks
_SLACK_PX = 1 << 16
_JXL_RATIOS = (None, (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))

Size = tuple[int, int]


def check_segments(page: Any) -> None:
    """Look into every piece of a page that is a picture of its own.

    Args:
        page: tifffile's, whose places lie inside the file.

    Raises:
        ValueError: if a piece names no size, or a larger one than the page has for it.
    """
    size_of = _SIZES.get(int(page.compression))
    if size_of is None:
        return
    limit = _SLACK * math.prod(page.chunks[:2]) + _SLACK_PX
    file = page.parent.filehandle
    for place, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        file.seek(place)
        size = size_of(file.read(min(count, _HEAD_BYTES)))
        if size is None and count > _HEAD_BYTES:
            file.seek(place)
            size = size_of(file.read(count))
        if size is None or size[0] * size[1] > limit:
            raise ValueError(f"a piece of {size}")


def _of_jpeg(data: bytes) -> Size | None:
    frame = jpeg_frame(data)
    return (frame.width, frame.height) if frame is not None else None


def _of_png(data: bytes) -> Size | None:
    return struct.unpack_from(">II", data, 16) if len(data) >= 24 else None


def _of_webp(data: bytes) -> Size | None:
    """Whichever of the three kinds of chunk comes first."""
    if len(data) < 30:
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _of_jpeg_2000(data: bytes) -> Size | None:
    """Of a bare stream, or of the first one in boxes."""
    place = data.find(b"\xff\x4f\xff\x51")
    if not 0 <= place <= len(data) - 24:
        return None
    right, bottom, left, top = struct.unpack_from(">4I", data, place + 8)
    return right - left, bottom - top


def _of_jpeg_xl(data: bytes) -> Size | None:
    """Bits come from the low end; a height, then a ratio or a width in the same way."""
    place = data.find(b"\xff\x0a") if data[:2] != b"\xff\x0a" else 0
    if not 0 <= place <= len(data) - 14:
        return None
    bits = int.from_bytes(data[place + 2 : place + 14], "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & (1 << count) - 1
        bits >>= count
        return value

    is_small = take(1)

    def side() -> int:
        return 8 * (take(5) + 1) if is_small else take((9, 13, 18, 30)[take(2)]) + 1

    height = side()
    ratio = _JXL_RATIOS[take(3)]
    return (side() if ratio is None else height * ratio[0] // ratio[1], height)


_SIZES: dict[int, Callable[[bytes], Size | None]] = {
    7: _of_jpeg, 34892: _of_jpeg, 33007: _of_jpeg, 34933: _of_png, 50001: _of_webp, 34712: _of_jpeg_2000,
    33003: _of_jpeg_2000, 33005: _of_jpeg_2000, 50002: _of_jpeg_xl, 52546: _of_jpeg_xl,
}  # fmt: skip
READ_COMPRESSIONS = frozenset({1, 5, 8, 32773, 32946, 34925, 34926, 50000, *_SIZES})
"""What is read: whole streams, which end where a piece is full, and pictures of their own, which are asked first."""
