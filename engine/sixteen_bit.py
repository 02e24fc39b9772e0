"""Read and write pictures of 16 bits a channel, which Pillow alone would cut to 8.

Reading: Pillow's decoders take the high byte of every value. Told that the bytes lie the other way round, they take
the low byte; two passes give all 16 bits, with Pillow's own checks of the file. Grey needs one pass.

Writing: PNG and TIFF are written here, strip by strip, so that a large picture is never held twice.

Source: PNG specification (ISO/IEC 15948:2004), sections 9 and 11; TIFF 6.0, sections 8, 14 and 18.
Elsewhere: 8-bit pictures, and the choice between the two, in decoding.py and pictures.py.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
from PIL.ImageFile import ImageFile

from engine.errors import PictureError
from engine.exif import PREFIX
from engine.strips import pixels_of, release, rows_per_strip, strips_of

_TIFF_LIMIT_BYTES = 4_000_000_000  # offsets in a TIFF have 32 bits
_OTHER_ORDER = {
    "B": "L",
    "L": "B",
    "N": "B",
}  # N: this machine's own order, little-endian wherever torch runs
_MODES = {"LA": "LA", "RGB": "RGB", "RGBX": "RGB", "RGBA": "RGBA", "RGBa": "RGBA"}
_BITS_TAG = 258


def deep_mode(image: ImageFile) -> str | None:
    """Mode of a colour picture whose file has 16 bits a channel; None for any other.

    Args:
        image: an opened picture whose pixels were not loaded yet.

    Raises:
        PictureError: if the file keeps its 16-bit channels apart, which Pillow reads wrongly.
    """
    layouts = {_layout(tile) for tile in image.tile}
    channels, _, depth = next(iter(layouts), "").partition(";")
    is_deep = len(layouts) == 1 and depth in ("16B", "16L", "16N")
    tags = getattr(image, "tag_v2", None)
    if tags is not None and not is_deep and image.mode in ("RGB", "RGBA") and 16 in tags.get(_BITS_TAG, ()):
        hint = "export it again with its channels interleaved"
        raise PictureError("tiff", "16-bit channels side by side", "one plane after the other", hint)
    return _MODES.get(channels) if is_deep else None


def read_deep(image: ImageFile, reopen: Callable[[], ImageFile]) -> np.ndarray:
    """Read a colour picture of 16 bits a channel.

    Args:
        image: what ``deep_mode`` has a mode for, not loaded yet.
        reopen: opens the same picture anew, for the second pass.

    Returns:
        (H, W, C) uint16, C as the mode says. Colours multiplied by their alpha are divided by it.
    """
    mode = deep_mode(image)
    assert mode is not None, "read_deep: only for what deep_mode has a mode for"
    if mode == "LA":  # four bytes a pixel come through as if they were four channels
        image.tile = [_retold(tile, "RGBA") for tile in image.tile]
        return pixels_of(image).view(">u2").astype(np.uint16)
    is_premultiplied = any(_layout(tile).startswith("RGBa") for tile in image.tile)
    image.tile = [_retold(tile, _plain_layout(tile)) for tile in image.tile]
    pixels = pixels_of(image).astype(np.uint16)
    release(image)
    pixels <<= 8
    second = reopen()
    second.tile = [_retold(tile, _swapped(_plain_layout(tile))) for tile in second.tile]
    pixels_of(second, into=pixels)
    release(second)
    return _without_premultiplication(pixels) if is_premultiplied else pixels


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


def write_tiff(file: BinaryIO, pixels: np.ndarray, *, icc_profile: bytes | None = None) -> None:
    """Write a TIFF of 16 bits a channel: one page, interleaved, deflate over horizontal differences.

    Args:
        file: an empty file that can be sought.
        pixels: (H, W) or (H, W, 2 to 4) uint16.
        icc_profile: kept as it is.

    Raises:
        PictureError: if the picture is larger than a TIFF can be.
    """
    if pixels.nbytes > _TIFF_LIMIT_BYTES:
        got = f"{pixels.nbytes} bytes"
        raise PictureError("tiff", f"at most {_TIFF_LIMIT_BYTES} bytes", got, "write a PNG instead")
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


def _layout(tile: Any) -> str:
    """The file's layout of a pixel in Pillow's words, such as ``RGB;16B``."""
    first = tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args
    return first if isinstance(first, str) else ""


def _plain_layout(tile: Any) -> str:
    """The layout with premultiplied alpha taken as plain: dividing by it needs all 16 bits."""
    return _layout(tile).replace("RGBa;", "RGBA;")


def _swapped(layout: str) -> str:
    return layout[:-1] + _OTHER_ORDER[layout[-1]]


def _retold(tile: Any, layout: str) -> Any:
    return tile._replace(args=(layout, *tile.args[1:]) if isinstance(tile.args, tuple) else layout)


def _without_premultiplication(pixels: np.ndarray) -> np.ndarray:
    """Divide colours by their alpha, in place; clear pixels become black."""
    for rows in strips_of(pixels):
        alpha = rows[..., 3:].astype(np.uint32)
        colours = (rows[..., :3] * np.uint32(65535) + alpha // 2) // np.maximum(alpha, 1)
        rows[..., :3] = np.where(alpha == 0, 0, np.minimum(colours, 65535))
    return pixels


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
