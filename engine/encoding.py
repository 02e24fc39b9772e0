"""Put a picture into the bytes of a file: which format holds what, and who writes it.

Pillow writes JPEG, WebP and BMP. PNG and TIFF, of 8 and 16 bits, are written here strip by strip: quicker than Pillow and
OpenCV do, and with room for everything that a file says.

Elsewhere: pictures brought to what a format holds in format_fit.py, what else a file says in metadata/writing.py.
"""

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image

from engine.atomic import AnyPath
from engine.errors import PictureError
from engine.metadata import writing
from engine.metadata.writing import Carrier, pillow_ways, png_chunks, prepared, tiff_exif
from engine.png_writer import write_png
from engine.tiff_writer import write_tiff

if TYPE_CHECKING:
    from engine.pictures import Picture

JPEG_QUALITY = 95
"""Where nothing else is asked for: losses are hard to see, and twice the size brings little more."""


@dataclass(frozen=True)
class Format:
    """What a format holds."""

    carrier: Carrier
    has_alpha: bool = False
    has_depth: bool = False
    """Whether a channel may have 16 bits."""
    has_grey: bool = False
    has_quality: bool = False
    """Whether a smaller file may be had for less of the picture."""
    limit_px: int = 2**31 - 1
    """Longest side."""

    @property
    def name(self) -> str:
        """As users know it."""
        return self.carrier.name


PNG = Format(writing.PNG, has_alpha=True, has_depth=True, has_grey=True)
TIFF = Format(writing.TIFF, has_alpha=True, has_depth=True, has_grey=True)
JPEG = Format(writing.JPEG, has_grey=True, has_quality=True, limit_px=65500)
WEBP = Format(writing.WEBP, has_alpha=True, has_quality=True, limit_px=16383)
BMP = Format(writing.BMP, has_grey=True)
FORMATS = {
    ".bmp": BMP,
    ".jpeg": JPEG,
    ".jpg": JPEG,
    ".png": PNG,
    ".tif": TIFF,
    ".tiff": TIFF,
    ".webp": WEBP,
}
"""Formats that can be written, by the ending of a file's name, lower case with the dot."""


def format_of(path: AnyPath) -> Format | None:
    """The format that the ending of a file's name says; None where it says none that can be written."""
    return FORMATS.get(Path(path).suffix.lower())


def encode(
    file: BinaryIO,
    picture: "Picture",
    chosen: Format,
    *,
    text: Mapping[str, str] | None = None,
    quality: int | None = None,
) -> tuple[str, ...]:
    """Write a picture that the format holds.

    Args:
        file: an empty one that can be sought.
        picture: within the format's depth, size and channels.
        chosen: the format.
        text: entries for a PNG, by names of 1 to 79 Latin letters; other formats leave them out.
        quality: of JPEG and WebP, 1 to 100. None: a JPEG of 95, and a WebP that keeps every value. Colours of a JPEG
            keep their resolution.

    Returns:
        What the format could not keep, as sentences for the user.

    Raises:
        PictureError: if the quality is no number from 1 to 100, or the picture larger than a TIFF can be.
    """
    if quality is not None and not 1 <= quality <= 100:
        raise PictureError("quality", "1 to 100", quality, "95 keeps nearly everything")
    notes: list[str] = []
    pixels = picture.pixels
    is_grey = picture.mode in ("L", "LA")
    if is_grey and not chosen.has_grey:
        is_grey = False
        notes.append(f"{chosen.name} keeps grey as RGB")
    if picture.is_deep and picture.mode == "LA" and chosen is TIFF:
        is_grey = False
        notes.append("TIFF of 16 bits keeps grey with alpha as RGBA")  # Pillow and OpenCV read no other
        pixels = pixels[..., [0, 0, 0, 1]]
    size_hw = (pixels.shape[0], pixels.shape[1])
    made = prepared(
        picture.metadata, picture.icc_profile, chosen.carrier, size_hw=size_hw, has_colours=not is_grey
    )
    if chosen is TIFF:
        write_tiff(file, pixels, tiff_exif(made))
    elif chosen is PNG:
        write_png(file, pixels, chunks=png_chunks(made, text or {}))
    else:
        _save(_Sink(file), pixels, chosen, {**pillow_ways(made, chosen.carrier), **_ways(chosen, quality)})
    return (*notes, *made.notes)


class ByteCounter(io.BytesIO):
    """A file that counts what would be written and keeps none of it."""

    def __init__(self) -> None:
        super().__init__()
        self.nbytes = 0
        """The end of the file."""
        self._place = 0

    def write(self, data: Any) -> int:
        """Count the bytes."""
        count = memoryview(data).nbytes
        self._place += count
        self.nbytes = max(self.nbytes, self._place)
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        self._place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self.nbytes}[whence]
        return self._place

    def tell(self) -> int:
        """The place."""
        return self._place


class _Sink(io.RawIOBase):
    """A file without a number of its own: Pillow then writes through Python, which keeps why the system refused.

    Args:
        file: where everything goes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: Any) -> int:
        return self._file.write(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _save(sink: Any, pixels: np.ndarray, chosen: Format, ways: dict[str, Any]) -> None:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.save(sink, format=chosen.name.upper(), **ways)


def _ways(chosen: Format, quality: int | None) -> dict[str, Any]:
    """How pixels are written, in Pillow's words."""
    if chosen is JPEG:
        return {"quality": quality or JPEG_QUALITY, "subsampling": 0}
    if chosen is WEBP:  # exact: colours under clear pixels stay
        is_lossless = quality is None
        return {"lossless": is_lossless, "quality": quality or 80, "exact": True, "method": 4}
    return {}
