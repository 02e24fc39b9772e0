"""Find the pieces of metadata in JPEG, PNG and WebP files, whatever else is damaged or hostile in them.

Sizes are looked at before bytes are read, unpacked text is bounded, and pixels are stepped over. What a picture decoder
would complain of is its business: here a damaged piece is one that is not there.

Source: CIPA DC-008, section 4.5; Adobe, "XMP Specification Part 3" (2020); PNG specification, third edition (W3C,
2025), section 11; Google, "WebP Container Specification". ImageMagick's "Raw profile" text is its own custom.
Elsewhere: what the pieces mean in reading.py.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from engine.metadata import photoshop
from engine.metadata.exif import PREFIX
from engine.metadata.kept import COLOUR_SIZES, Resolution
from engine.png_writer import SIGNATURE

_PIECE_LIMIT_BYTES = 4 << 20
_ALL_LIMIT_BYTES = 32 << 20
_XMP_START = b"http://ns.adobe.com/xap/1.0/\x00"
_XMP_MORE = b"http://ns.adobe.com/xmp/extension/\x00"
_RAW_PROFILE = re.compile(r"\s*(?:exif|app1|APP1|iptc|xmp|8bim)\s+(\d+)\s+([0-9a-fA-F\s]*)")
_WANTED = {name.encode() for name in (*COLOUR_SIZES, "eXIf", "pHYs", "tEXt", "zTXt", "iTXt", "caBX")}
_XMP_KEY = "XML:com.adobe.xmp"


@dataclass
class Pieces:
    """What lies beside the pixels, as the file has it."""

    exif: bytes | None = None
    is_exif_early: bool = True
    """Whether it came where a decoder of pixels knows of it; else nobody turns the picture by it."""
    xmp: bytes | None = None
    iptc: bytes | None = None
    text: list[tuple[str, str]] = field(default_factory=list)
    resolution: Resolution | None = None
    colour: list[tuple[str, bytes]] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    """Names of what could not be kept."""


def pieces_of(file: BinaryIO) -> Pieces | None:
    """Look through a file; None for a format that is not read here."""
    file.seek(0)
    start = file.read(12)
    if start.startswith(b"\xff\xd8"):
        return _of_jpeg(file)
    if start.startswith(SIGNATURE):
        return _of_png(file)
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return _of_webp(file)
    return None


# JPEG ----------------------------------------------------------------------------------------------------------------


def _of_jpeg(file: BinaryIO) -> Pieces:
    pieces = Pieces()
    blocks = b""
    for marker, data in _segments(file):
        if marker == 0xE0 and data.startswith(b"JFIF\x00") and len(data) >= 12:
            pieces.resolution = _of_jfif(data)
        elif marker == 0xE1 and data.startswith(PREFIX[:5]) and pieces.exif is None:
            pieces.exif = data[len(PREFIX) :]
        elif marker == 0xE1 and data.startswith(_XMP_START) and pieces.xmp is None:
            pieces.xmp = data[len(_XMP_START) :]
        elif marker == 0xE1 and data.startswith(_XMP_MORE):
            pieces.odd.append("the second part of the XMP")
        elif marker == 0xED and data.startswith(photoshop.PREFIX):
            blocks += data[len(photoshop.PREFIX) :]
        elif marker == 0xEB and data.startswith(b"JP"):
            pieces.odd.append("signed content credentials")
        elif marker == 0xFE and data.strip(b"\x00 ") and not data.startswith((b"CREATOR: gd-jpeg", b"Lavc")):
            pieces.text.append(("Comment", _words(data.rstrip(b"\x00"))))
    pieces.iptc = photoshop.iptc_of(blocks)
    return pieces


def _segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Marker and content of the segments before the pixels."""
    file.seek(2)
    left = _ALL_LIMIT_BYTES
    while left > 0:
        byte = file.read(1)
        if byte != b"\xff":
            return
        while byte == b"\xff":
            byte = file.read(1)
        size = file.read(2)
        if not byte or byte[0] in (0xD9, 0xDA) or len(size) < 2:
            return
        count = int.from_bytes(size, "big") - 2
        data = file.read(count) if count > 0 else b""
        if len(data) < count:
            return
        left -= count + 4
        yield byte[0], data


def _of_jfif(data: bytes) -> Resolution | None:
    unit, x, y = data[7], int.from_bytes(data[8:10], "big"), int.from_bytes(data[10:12], "big")
    if not x or not y or unit not in (0, 1, 2) or (unit == 0 and x == y):
        return None
    length = 2.54 if unit == 2 else 1.0
    return Resolution(x * length, y * length, is_per_inch=unit != 0)


# PNG -----------------------------------------------------------------------------------------------------------------


def _of_png(file: BinaryIO) -> Pieces:
    pieces = Pieces()
    is_early = True
    left = _ALL_LIMIT_BYTES
    for name, data in _chunks(file):
        if name == b"IDAT":
            is_early = False
        elif name == b"eXIf":
            pieces.exif, pieces.is_exif_early = data.removeprefix(PREFIX), is_early
        elif len(data) == COLOUR_SIZES.get(name.decode("latin-1")):
            pieces.colour.append((name.decode(), data))
        elif name == b"pHYs" and len(data) == 9:
            pieces.resolution = _of_phys(data)
        elif name == b"caBX":
            pieces.odd.append("signed content credentials")
        elif name in (b"tEXt", b"zTXt", b"iTXt"):
            entry = _text_of(name, data, min(left, _PIECE_LIMIT_BYTES))
            if entry is None:
                pieces.odd.append("a text that cannot be read")
                continue
            left -= len(entry[1])
            _take_text(pieces, *entry)
    return pieces


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of the chunks; that of pixels is stepped over, and left out where it is damaged."""
    file.seek(8)
    left = _ALL_LIMIT_BYTES
    while left > 0:
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        size, name = int.from_bytes(head[:4], "big"), head[4:]
        is_wanted = name in _WANTED
        if not is_wanted or size > _PIECE_LIMIT_BYTES:
            file.seek(size + 4, 1)
            if name == b"IDAT":
                yield name, b""
            continue
        data, checksum = file.read(size), file.read(4)
        left -= size + 12
        if len(data) == size and checksum == zlib.crc32(data, zlib.crc32(name)).to_bytes(4, "big"):
            yield name, data


def _of_phys(data: bytes) -> Resolution | None:
    x, y = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
    is_per_metre = data[8] == 1
    if not x or not y or (not is_per_metre and x == y):
        return None
    return Resolution(x * 0.0254, y * 0.0254) if is_per_metre else Resolution(x, y, is_per_inch=False)


def _text_of(name: bytes, data: bytes, limit_bytes: int) -> tuple[str, str] | None:
    """Key and words of a text chunk; None where it is damaged or too long."""
    key, found, rest = data.partition(b"\x00")
    if not found or not 1 <= len(key) <= 79:
        return None
    is_packed, is_latin = name == b"zTXt", name != b"iTXt"
    if name == b"zTXt":
        rest = rest[1:]
    elif name == b"iTXt":
        parts = rest[2:].split(b"\x00", 2)
        if len(rest) < 2 or len(parts) < 3:
            return None
        is_packed, rest = rest[0] == 1, parts[2]
    if is_packed:
        unpacker = zlib.decompressobj()
        try:
            rest = unpacker.decompress(rest, limit_bytes)
        except zlib.error:
            return None
        if not unpacker.eof:
            return None
    if len(rest) > limit_bytes:
        return None
    return key.decode("latin-1"), rest.decode("latin-1") if is_latin else rest.decode("utf-8", "replace")


def _take_text(pieces: Pieces, key: str, words: str) -> None:
    """Put a text where it belongs: some are XMP, or whole profiles in hexadecimal digits."""
    if key == _XMP_KEY:
        pieces.xmp = pieces.xmp or words.encode()
    elif key.lower().startswith("raw profile type "):
        _take_profile(pieces, key[17:].lower(), words)
    elif not key.startswith("Thumb::"):  # what a file browser noted of the old file
        pieces.text.append((key, words))


def _take_profile(pieces: Pieces, kind: str, words: str) -> None:
    match = _RAW_PROFILE.match(words)
    try:
        data = bytes.fromhex(match[2])[: int(match[1])] if match is not None else b""
    except ValueError:
        data = b""
    if data.startswith(_XMP_START) or kind == "xmp":
        pieces.xmp = pieces.xmp or data.removeprefix(_XMP_START)
    elif kind in ("exif", "app1") and pieces.exif is None and data:
        pieces.exif, pieces.is_exif_early = data.removeprefix(PREFIX), False
    elif kind in ("iptc", "8bim") and data:
        pieces.iptc = pieces.iptc or photoshop.iptc_of(data.removeprefix(photoshop.PREFIX))
    elif kind not in ("icc", "icm"):
        pieces.odd.append(f"a raw profile '{kind[:20]}'")


# WebP ----------------------------------------------------------------------------------------------------------------


def _of_webp(file: BinaryIO) -> Pieces:
    pieces = Pieces()
    file.seek(12)
    while len(head := file.read(8)) == 8:
        size = int.from_bytes(head[4:], "little")
        if head[:4] in (b"EXIF", b"XMP ") and size <= _PIECE_LIMIT_BYTES:
            data = file.read(size)
            if head[:4] == b"EXIF":
                pieces.exif = pieces.exif or data.removeprefix(PREFIX)
            else:
                pieces.xmp = pieces.xmp or data
            file.seek(size % 2, 1)
        else:
            file.seek(size + size % 2, 1)
    return pieces


def _words(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
