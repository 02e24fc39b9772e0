"""Read what a file says of its picture, and keep what is true of the picture and not of the file.

Elsewhere: what is kept in kept.py, the pieces of a file in containers.py, camera data tag by tag in exif.py.
"""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from engine.metadata import exif_tags as tags
from engine.metadata.containers import Pieces, pieces_of
from engine.metadata.exif import HEADERS, PREFIX, Exif, Read, read_exif, read_exif_bytes
from engine.metadata.exif_layout import exif_bytes
from engine.metadata.kept import Metadata, Resolution
from engine.metadata.photoshop import iptc_of, is_iptc
from engine.metadata.xmp import cleaned_xmp

_NAMED_LIMIT = 8


@dataclass(frozen=True)
class Found:
    """What a file says of its picture."""

    metadata: Metadata
    orientation: int
    """How to hold the pixels as they lie in the file, 1 to 8."""
    notes: tuple[str, ...]
    """What could not be kept, as sentences for the user."""


def read_metadata(file: BinaryIO, info: Mapping[Any, Any], *, is_recoloured: bool = False) -> Found:
    """Read everything a file says of its picture but its pixels and its colour profile.

    Args:
        file: the whole file; it is left at another place.
        info: what a decoder found beside the pixels, by Pillow's names; asked for formats that are not read here.
        is_recoloured: the decoder turns the colours into another space, so that what the file says of them is over.
    """
    file.seek(0)
    if file.read(4) in HEADERS:
        read = read_exif(lambda place, count: _read_at(file, place, count))
        return _found(_pieces_of_tiff(read), read, is_recoloured)
    pieces = pieces_of(file) or _pieces_of_decoder(info)
    read = read_exif_bytes(pieces.exif) if pieces.exif else None
    if pieces.exif and read is None:
        pieces.odd.append("camera data")
    return _found(pieces, read, is_recoloured)


def listed(names: Iterable[str]) -> str:
    """Names with commas, each once; the number of the rest where there are many."""
    known = list(dict.fromkeys(names))
    more = len(known) - _NAMED_LIMIT
    return ", ".join(known if more < 2 else [*known[:_NAMED_LIMIT], f"{more} more"])


def _read_at(file: BinaryIO, place: int, count: int) -> bytes:
    try:
        file.seek(place)
        return file.read(count)
    except (OSError, OverflowError, ValueError):  # a place that no file has
        return b""


def _pieces_of_tiff(read: Read | None) -> Pieces:
    """TIFF keeps everything among the tags of the picture."""
    values = {tag: value.data for tag, value in read.picture.items()} if read is not None else {}
    pieces = Pieces(xmp=values.get(tags.XMP), iptc=values.get(tags.IPTC))
    if pieces.iptc is None:
        pieces.iptc = iptc_of(values.get(tags.PHOTOSHOP, b""))
    elif not is_iptc(pieces.iptc):
        pieces.iptc = None
        pieces.odd.append("IPTC")
    return pieces


def _pieces_of_decoder(info: Mapping[Any, Any]) -> Pieces:
    """HEIF, AVIF, GIF and BMP are read by their decoders alone."""
    exif, xmp, comment, dpi = (info.get(name) for name in ("exif", "xmp", "comment", "dpi"))
    pieces = Pieces()
    if isinstance(exif, bytes):
        pieces.exif = exif.removeprefix(PREFIX) or None
    if isinstance(xmp, bytes):
        pieces.xmp = xmp
    if isinstance(comment, bytes) and comment.strip(b"\x00 "):
        pieces.text.append(("Comment", comment.decode("utf-8", "replace")))
    if isinstance(dpi, tuple):
        with contextlib.suppress(TypeError, ValueError, ZeroDivisionError):
            pieces.resolution = Resolution(float(dpi[0]), float(dpi[1]))
    return pieces


def _found(pieces: Pieces, read: Read | None, is_recoloured: bool) -> Found:
    orientation = _orientation(read) if pieces.is_exif_early else 1
    odd = list(pieces.odd)
    exif = Exif()
    resolution = pieces.resolution
    if resolution is not None and not resolution.is_sound:
        resolution = None
        odd.append("resolution")
    if read is not None:
        odd += read.odd
        exif = read.exif.without(tags.COLOURS) if is_recoloured else read.exif
        exif = exif.without(tags.PLACES | frozenset(tags.GROUND)) if orientation != 1 else exif
        resolution = resolution or _resolution(read, odd)
    xmp = pieces.xmp
    if xmp is not None:
        xmp = cleaned_xmp(xmp, has_places=orientation == 1, has_colours=not is_recoloured)
        odd += ["XMP"] if xmp is None else []
    if resolution is not None and orientation >= 5:
        resolution = replace(resolution, x=resolution.y, y=resolution.x)
    metadata = Metadata(
        exif=None if exif.is_empty else exif_bytes(exif),
        xmp=xmp,
        iptc=pieces.iptc,
        text=tuple(pieces.text),
        resolution=resolution,
        colour=() if is_recoloured else tuple(pieces.colour),
    )
    notes = (f"left out of the photo's metadata: {listed(odd)}",) if odd else ()
    return Found(metadata, orientation, notes)


def _orientation(read: Read | None) -> int:
    """A single number of 16 bits, as the standard wants it; other kinds are not obeyed by viewers either."""
    value = read.picture.get(tags.ORIENTATION) if read is not None else None
    if read is None or value is None or value.kind != 3:
        return 1
    number = read.number(tags.ORIENTATION) or 1
    return int(number) if 1 <= number <= 8 else 1


def _resolution(read: Read, odd: list[str]) -> Resolution | None:
    x, y = read.number(tags.X_RESOLUTION), read.number(tags.Y_RESOLUTION)
    for tag, name, number in ((tags.X_RESOLUTION, "XResolution", x), (tags.Y_RESOLUTION, "YResolution", y)):
        if tag in read.picture and number is None:
            odd.append(name)
    unit = read.number(tags.RESOLUTION_UNIT)
    if x is None or y is None or (unit == 1 and x == y):
        return None
    length = 2.54 if unit == 3 else 1.0
    resolution = Resolution(x * length, y * length, is_per_inch=unit != 1)
    return resolution if resolution.is_sound else None
