"""Write PNG of 8 or 16 bits a channel strip by strip, on several threads, so that a large picture is never held twice.

Somebody may draw meanwhile, so the writer never holds the interpreter for long: every strip is filtered and packed by
itself, in code that lets other threads run. Each strip takes the filter that suits it better.

Source: PNG specification (ISO/IEC 15948:2004), sections 9 to 11; RFC 1950 and 1951 for strips packed apart and joined.
Elsewhere: what else a file says in metadata/writing.py; which pictures come here in encoding.py.
"""

import os
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO, Literal, Protocol

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
"""What every PNG begins with."""

_STRIP_BYTES = 1 << 20  # some ms of packing: enough to be worth a thread, little enough to hold in memory
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_SAMPLED_ROWS = 8  # rows of a strip that are looked at to choose its filter
_TRIED_BYTES = 1 << 16
_THREAD_LIMIT = 4

Packing = Literal["small", "quick", "none"]
_PACKERS = {
    "repeats": (6, zlib.Z_DEFAULT_STRATEGY),
    "quick": (1, zlib.Z_RLE),
    "none": (0, zlib.Z_DEFAULT_STRATEGY),
}


class Rows(Protocol):
    """A picture that gives out its rows: an array, or something that makes them when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W) or (H, W, C)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8 or uint16."""

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        """Some rows, from a start to a stop; on any thread."""


def write_png(file: BinaryIO, pixels: Rows, *, chunks: bytes = b"", packing: Packing = "small") -> None:
    """Write a PNG that gives back exactly these values.

    Args:
        file: where the bytes go, in order.
        pixels: (H, W) or (H, W, 1 to 4), uint8 or uint16; not changed.
        chunks: what goes between header and pixels, whole.
        packing: small for files that are sent around; quick for what is written while somebody draws: by runs only,
            at several times the speed; none for copies that nobody sends around.
    """
    assert pixels.dtype in (np.uint8, np.uint16), "write_png: a picture has 8 or 16 bits a channel"
    height, width = pixels.shape[:2]
    channels = 1 if len(pixels.shape) == 2 else pixels.shape[2]
    depth = pixels.dtype.itemsize * 8
    header = struct.pack(">IIBBBBB", width, height, depth, _COLOUR_TYPES[channels], 0, 0, 0)
    file.write(SIGNATURE + chunk(b"IHDR", header) + chunks)
    file.write(chunk(b"IDAT", b"\x78\x01"))  # a zlib stream of strips that were packed apart
    checksum = 1
    for packed, rows_checksum, rows_bytes in _packed_strips(pixels, packing=packing):
        checksum = _joined_checksum(checksum, rows_checksum, rows_bytes)
        file.write(chunk(b"IDAT", packed))
    end = b"\x03\x00" + struct.pack(">I", checksum)  # an empty last block
    file.write(chunk(b"IDAT", end) + chunk(b"IEND", b""))


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG: its length, its name of four letters, its content and their checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))


def _packed_strips(pixels: Rows, *, packing: Packing) -> Iterator[tuple[bytes, int, int]]:
    """Each strip as deflate blocks that end on a byte, the checksum of what they hold, and its length."""
    step = strip_rows(pixels.shape[1] * _pixel_bytes(pixels))
    tops = range(0, pixels.shape[0], step)
    # One processor is left to whoever draws meanwhile; values that are not packed are only as quick as the disk.
    threads = min(_THREAD_LIMIT, (os.cpu_count() or 1) - 1, len(tops)) if packing != "none" else 1
    if threads <= 1:
        for top in tops:
            yield _packed_strip(pixels, top, step, packing=packing)
        return
    waiting: deque[Future[tuple[bytes, int, int]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="png") as pool:
        for top in tops:
            waiting.append(pool.submit(_packed_strip, pixels, top, step, packing=packing))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def strip_rows(row_bytes: int) -> int:
    """How many rows of this many bytes are packed as one."""
    return max(1, _STRIP_BYTES // row_bytes)


def _packed_strip(pixels: Rows, top: int, step: int, *, packing: Packing) -> tuple[bytes, int, int]:
    rows = _unfiltered(pixels, top, step) if packing == "none" else _filtered(pixels, top, step)
    packer = _better_packer(rows) if packing == "small" else packing
    return _packed(rows, packer), zlib.adler32(rows.data), rows.size


def _packed(rows: np.ndarray, packer: str) -> bytes:
    level, strategy = _PACKERS[packer]
    made = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 8, strategy)
    return made.compress(rows.data) + made.flush(zlib.Z_SYNC_FLUSH)


def _better_packer(rows: np.ndarray) -> str:
    """What packs a strip smaller, tried on its middle: runs for photographs, repeats for drawings and letters."""
    count = max(1, _TRIED_BYTES // rows.shape[1])
    middle = np.ascontiguousarray(rows[max(0, (len(rows) - count) // 2) :][:count])
    return min(("quick", "repeats"), key=lambda packer: len(_packed(middle, packer)))


def _unfiltered(pixels: Rows, top: int, step: int) -> np.ndarray:
    values = _row_bytes(pixels[top : min(top + step, pixels.shape[0])])
    rows = np.zeros((values.shape[0], values.shape[1] + 1), np.uint8)
    rows[:, 1:] = values
    return rows


def _filtered(pixels: Rows, top: int, step: int) -> np.ndarray:
    """Rows as differences to the pixel above or at the left, whichever promises the smaller file."""
    start = max(0, top - 1)
    values = _row_bytes(pixels[start : min(top + step, pixels.shape[0])])
    above = values[:-1] if start < top else np.concatenate([np.zeros_like(values[:1]), values[:-1]])
    values = values[1:] if start < top else values
    pixel_bytes = _pixel_bytes(pixels)
    rows = np.empty((values.shape[0], values.shape[1] + 1), np.uint8)
    if _is_up_better(values, above, pixel_bytes):
        rows[:, 0] = 2
        np.subtract(values, above, out=rows[:, 1:])
    else:
        rows[:, 0] = 1
        rows[:, 1 : 1 + pixel_bytes] = values[:, :pixel_bytes]
        np.subtract(values[:, pixel_bytes:], values[:, :-pixel_bytes], out=rows[:, 1 + pixel_bytes :])
    return rows


def _is_up_better(values: np.ndarray, above: np.ndarray, pixel_bytes: int) -> bool:
    picked = slice(0, None, max(1, values.shape[0] // _SAMPLED_ROWS))
    some = values[picked]
    up = (some - above[picked]).view(np.int8)
    left = (some[:, pixel_bytes:] - some[:, :-pixel_bytes]).view(np.int8)
    return bool(np.abs(up).sum(dtype=np.int64) <= np.abs(left).sum(dtype=np.int64))


def _pixel_bytes(pixels: Rows) -> int:
    return int(np.prod(pixels.shape[2:], dtype=int)) * pixels.dtype.itemsize


def _row_bytes(rows: np.ndarray) -> np.ndarray:
    """(R, N) uint8 of rows as the file holds them: the high byte first."""
    ordered = rows.astype(">u2", order="C") if rows.dtype == np.uint16 else np.ascontiguousarray(rows)
    return ordered.reshape(rows.shape[0], -1).view(np.uint8)


def _joined_checksum(first: int, second: int, second_bytes: int) -> int:
    """Adler-32 of two pieces behind each other, from the checksum of each (zlib's adler32_combine)."""
    base = 65521
    low, high = first & 0xFFFF, first >> 16
    other_low, other_high = second & 0xFFFF, second >> 16
    joined_low = (low + other_low - 1) % base
    joined_high = (high + other_high + (low - 1) * second_bytes) % base
    return joined_high << 16 | joined_low
