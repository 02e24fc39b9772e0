"""Find what a file says of its picture, and keep what is true of the picture and not of the file.

Elsewhere: what is kept in kept.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image

from engine.exif import PREFIX, orientation_of, with_orientation_reset
from engine.metadata.kept import Metadata

_TIFF_KEPT_TAGS = (270, 271, 272, 305, 306, 315, 33432, 34665, 34853)
"""Words, maker, dates, rights, Exif, GPS."""


@dataclass(frozen=True)
class Found:
    """What a file says of its picture."""

    metadata: Metadata
    orientation: int
    """How to hold the pixels as they lie in the file, 1 to 8."""
    notes: tuple[str, ...]
    """What could not be kept, as sentences for the user."""


def read_metadata(
    file: BinaryIO, image: Image.Image, info: Mapping[Any, Any], *, is_recoloured: bool = False
) -> Found:
    """Read everything a file says of its picture but its pixels and its colour profile.

    Args:
        file: the whole file; it is left at another place.
        image: as Pillow opened it.
        info: what a decoder found beside the pixels, by Pillow's names; asked for formats that are not read here.
        is_recoloured: the decoder turns the colours into another space, so that what the file says of them is over.
    """
    exif = _exif_of(image)
    kept = with_orientation_reset(exif).removeprefix(PREFIX) if exif else None
    return Found(Metadata(exif=kept), orientation_of(exif), ())


def _exif_of(image: Image.Image) -> bytes | None:
    """Camera data as the file has it. TIFF keeps it among its own tags, and Pillow turns TIFF by itself."""
    exif = image.info.get("exif")
    tags = getattr(image, "tag_v2", None)
    if tags is None:
        return exif if isinstance(exif, bytes) and exif else None
    kept = Image.Exif()
    theirs = image.getexif()
    for tag in _TIFF_KEPT_TAGS:
        if tag in theirs:
            kept[tag] = theirs.get_ifd(tag) if tag in (34665, 34853) else theirs[tag]
    return kept.tobytes() if len(kept) else None
