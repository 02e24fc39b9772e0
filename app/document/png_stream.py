"""PNG as our files hold it: checked before it is decoded, and what is left of a damaged one.

Source: PNG specification (ISO/IEC 15948:2004), sections 10 and 11.
Elsewhere: writing in engine.png_writer; the archive around it in ora_writer.py and ora_reader.py.
"""

import contextlib
import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np

from app.document.tiles import MAX_SIDE_PX
from app.errors import DocumentError
from engine.decoding import Decoded, decode
from engine.errors import EngineError
from engine.png_writer import SIGNATURE, strip_rows

HEADER_BYTES = 33
"""Of a PNG: its signature and its first chunk."""
_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}


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
    flat, strip_bytes = values.reshape(-1), values.shape[1] * strip_rows(width * pixel_bytes)
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
    at, is_first = len(SIGNATURE), True
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
    if not data.startswith(SIGNATURE):
        raise DocumentError(name, "a PNG", "a file of another kind", "save the document again as OpenRaster")
    if len(data) < HEADER_BYTES or data[12:16] != b"IHDR":
        raise DocumentError(name, "a whole PNG", "a damaged or cut-off one", "fetch or save it again")
    width, height, depth, colour_type = struct.unpack(">IIBB", data[16:26])
    return height, width, _CHANNELS.get(colour_type, 4) * (2 if depth == 16 else 1)
