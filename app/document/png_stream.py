"""PNG as our files hold it: written strip by strip on several threads, checked before it is decoded.

Saving runs while somebody draws, so the writer never holds the interpreter for long: every strip is filtered and
packed by itself, in code that lets other threads run. Each strip takes the filter that suits it better and is packed
by runs only, which for filtered photographs gives the size of zlib's default at ten times its speed.

Source: PNG specification (ISO/IEC 15948:2004), sections 9 to 11; RFC 1950 and 1951 for strips packed apart and joined.
Elsewhere: the archive around it in ora_writer.py and ora_reader.py; pictures of users in engine.pictures.
"""

import contextlib
import io
import os
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, Protocol

import numpy as np

from app.document.tiles import MAX_SIDE_PX
from app.errors import DocumentError
from engine.decoding import Decoded, decode
from engine.errors import EngineError

HEADER_BYTES = 33
"""Of a PNG: its signature and its first chunk."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_STRIP_BYTES = 1 << 20  # some ms of packing: enough to be worth a thread, little enough to hold in memory
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_SAMPLED_ROWS = 8  # rows of a strip that are looked at to choose its filter
_THREAD_LIMIT = 4


class Rows(Protocol):
    """A picture that gives out its rows: an array, or something that makes them when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W) or (H, W, C)."""

    @property
    def dtype(self) -> np.dtype:
        """uint8 or uint16."""

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        """Some rows, from a start to a stop; on any thread."""


def write_png(file: BinaryIO, pixels: Rows, *, chunks: bytes = b"", is_packed: bool = True) -> None:
    """Write a PNG that gives back exactly these values.

    Args:
        file: where the bytes go, in order.
        pixels: (H, W) or (H, W, 1 to 4), uint8 or uint16; not changed.
        chunks: what goes between header and pixels, whole.
        is_packed: False writes the values as they are: large and quick, for copies that nobody sends around.
    """
    assert pixels.dtype in (np.uint8, np.uint16), "write_png: a picture has 8 or 16 bits a channel"
    height, width = pixels.shape[:2]
    channels = 1 if len(pixels.shape) == 2 else pixels.shape[2]
    depth = pixels.dtype.itemsize * 8
    file.write(_SIGNATURE)
    _write_chunk(
        file, b"IHDR", struct.pack(">IIBBBBB", width, height, depth, _COLOUR_TYPES[channels], 0, 0, 0)
    )
    file.write(chunks)
    _write_chunk(file, b"IDAT", b"\x78\x01")  # a zlib stream of strips that were packed apart
    checksum = 1
    for packed, rows_checksum, rows_bytes in _packed_strips(pixels, is_packed=is_packed):
        checksum = _joined_checksum(checksum, rows_checksum, rows_bytes)
        _write_chunk(file, b"IDAT", packed)
    _write_chunk(file, b"IDAT", b"\x03\x00" + struct.pack(">I", checksum))  # an empty last block
    _write_chunk(file, b"IEND", b"")


def read_png(data: bytes, *, name: str, limit_bytes: int) -> Decoded:
    """Decode a PNG after looking at what its header promises.

    Args:
        data: the whole file.
        name: what to call it in an error.
        limit_bytes: most that the decoded pixels may take.

    Raises:
        DocumentError: if it is no PNG, damaged, or larger than allowed.
    """
    _checked(data, name, limit_bytes)
    try:
        # A layer lies as its pixels lie, whatever camera data another program left in its PNG.
        return decode(io.BytesIO(data), limit_megapixels=MAX_SIDE_PX**2 / 1e6, obeys_orientation=False)
    except EngineError as error:
        raise DocumentError(name, error.expected, error.got, error.hint) from error


def salvage_png(data: bytes, *, name: str, limit_bytes: int) -> np.ndarray:
    """What can still be read of a damaged PNG that `write_png` did not pack; zeros where nothing can.

    Strips stand alone there, and their values as they are: a changed bit costs a value, seldom a strip.

    Args:
        data: the whole file, or what is left of it.
        name: what to call it in an error.
        limit_bytes: most that the pixels may take.

    Raises:
        DocumentError: if its header is damaged.
    """
    height, width, pixel_bytes = _checked(data, name, limit_bytes)
    values = np.zeros((height, 1 + width * pixel_bytes), np.uint8)
    flat, strip_bytes = values.reshape(-1), values.shape[1] * _strip_rows(width * pixel_bytes)
    place = 0
    for packed in _image_chunks(data):
        strip = flat[place : place + strip_bytes]
        with contextlib.suppress(zlib.error):
            read = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, len(strip)) if len(strip) else b""
            strip[: len(read)] = np.frombuffer(read, np.uint8)
        place += strip_bytes
    depth, colour_type = data[24], data[25]
    channels = _CHANNELS.get(colour_type, 4)
    dtype = np.dtype(">u2" if depth == 16 else np.uint8)
    pixels = np.ascontiguousarray(values[:, 1:]).view(dtype).astype(dtype.newbyteorder("="))
    return pixels.reshape((height, width) if channels == 1 else (height, width, channels))


def _image_chunks(data: bytes) -> Iterator[bytes]:
    """What the image chunks of our own PNG hold, but for those that begin and end the stream."""
    at, is_first = len(_SIGNATURE), True
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            if not is_first:
                yield data[at + 8 : at + 8 + length]
            is_first = False
        at += 12 + length


def _checked(data: bytes, name: str, limit_bytes: int) -> tuple[int, int, int]:
    """Height, width and bytes a pixel, which are no more than allowed."""
    height, width, pixel_bytes = _promised(data, name)
    if not (1 <= width <= MAX_SIDE_PX and 1 <= height <= MAX_SIDE_PX):
        expected = f"sides of 1 to {MAX_SIDE_PX} px"
        raise DocumentError(name, expected, f"{width}x{height} px", "the file is damaged or hostile")
    if height * width * pixel_bytes > limit_bytes:
        got = f"{height * width * pixel_bytes} bytes of {width}x{height} px"
        raise DocumentError(name, f"at most {limit_bytes} bytes of pixels", got, "open it where more fits")
    return height, width, pixel_bytes


def promised_bytes(start: bytes) -> int:
    """Bytes that the pixels of a PNG will take, by its header; 0 where it is none.

    Args:
        start: of the file, `HEADER_BYTES`.
    """
    try:
        height, width, pixel_bytes = _promised(start, "")
    except DocumentError:
        return 0
    return height * width * pixel_bytes


def _promised(data: bytes, name: str) -> tuple[int, int, int]:
    """Height, width and bytes a pixel as the header says."""
    if not data.startswith(_SIGNATURE):
        raise DocumentError(name, "a PNG", "a file of another kind", "save the document again as OpenRaster")
    if len(data) < HEADER_BYTES or data[12:16] != b"IHDR":
        raise DocumentError(name, "a whole PNG", "a damaged or cut-off one", "fetch or save it again")
    width, height, depth, colour_type = struct.unpack(">IIBB", data[16:26])
    return height, width, _CHANNELS.get(colour_type, 4) * (2 if depth == 16 else 1)


# Packing -------------------------------------------------------------------------------------------------------------


def _packed_strips(pixels: Rows, *, is_packed: bool) -> Iterator[tuple[bytes, int, int]]:
    """Each strip as deflate blocks that end on a byte, the checksum of what they hold, and its length."""
    step = _strip_rows(pixels.shape[1] * _pixel_bytes(pixels))
    tops = range(0, pixels.shape[0], step)
    # One processor is left to whoever draws meanwhile; values that are not packed are only as quick as the disk.
    threads = min(_THREAD_LIMIT, (os.cpu_count() or 1) - 1, len(tops)) if is_packed else 1
    if threads <= 1:
        for top in tops:
            yield _packed_strip(pixels, top, step, is_packed=is_packed)
        return
    waiting: deque[Future[tuple[bytes, int, int]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="png") as pool:
        for top in tops:
            waiting.append(pool.submit(_packed_strip, pixels, top, step, is_packed=is_packed))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _strip_rows(row_bytes: int) -> int:
    return max(1, _STRIP_BYTES // row_bytes)


def _packed_strip(pixels: Rows, top: int, step: int, *, is_packed: bool) -> tuple[bytes, int, int]:
    rows = _filtered(pixels, top, step) if is_packed else _unfiltered(pixels, top, step)
    packer = zlib.compressobj(1 if is_packed else 0, zlib.DEFLATED, -zlib.MAX_WBITS, 8, zlib.Z_RLE)
    packed = packer.compress(rows.data) + packer.flush(zlib.Z_SYNC_FLUSH)
    return packed, zlib.adler32(rows.data), rows.size


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


def _write_chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + name)
    file.write(data)
    file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(name))))
