"""Turn the bytes of a picture file into pixels, and anything else into one clear error.

A file is looked at before it is trusted: the size its header gives is held against a limit before a pixel is
allocated, and whatever the decoders raise on a damaged or hostile file comes out as a ``PictureError``. What the
decoders print is kept off the screen.

Elsewhere: what callers use in pictures.py; readers in tiff_reader.py, pnm_reader.py, deep_reader.py and
pillow_reader.py; what a file says beside its pixels in metadata/, orientation in orientation.py.
"""

import contextlib
import math
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np

from engine import tiff_reader
from engine.atomic import AnyPath, path_error
from engine.deep_reader import jpeg_frame, read_deep_jpeg
from engine.errors import PictureError
from engine.metadata.exif import HEADERS
from engine.metadata.kept import Metadata
from engine.metadata.reading import read_metadata
from engine.orientation import turned
from engine.pillow_reader import NAMES, formats, open_header, read_by_pillow
from engine.pnm_reader import deep_pnm_header, read_deep_pnm
from engine.quiet import libraries_silenced
from engine.samples import Samples

LIMIT_MEGAPIXELS = 300.0
"""Largest picture that is decoded unless the environment or the caller says otherwise."""
LIMIT_VARIABLE = "PENTIMENTO_MAX_MEGAPIXELS"

_STARTS = {
    b"\x89PNG": "PNG",
    b"\xff\xd8": "JPEG",
    b"RIFF": "WebP",
    b"BM": "BMP",
    b"GIF8": "GIF",
    **dict.fromkeys(HEADERS, "TIFF"),
}
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_BITS_TAG = 258
_PIXEL_BYTES = 8  # of the widest pixel that is kept, RGBA at 16 bits; a file of wider ones has a lower limit


@dataclass(frozen=True)
class Decoded:
    """Pixels and what came with them."""

    pixels: np.ndarray
    """(H, W) or (H, W, C), uint8 or uint16, held as the camera data says."""
    mode: str
    """``L``, ``LA``, ``RGB`` or ``RGBA``."""
    icc_profile: bytes | None
    metadata: Metadata
    notes: tuple[str, ...]


def decode(
    source: AnyPath | BinaryIO, *, limit_megapixels: float | None = None, obeys_orientation: bool = True
) -> Decoded:
    """Decode the first picture in a file.

    Args:
        source: a path, or an open binary file that can be sought.
        limit_megapixels: largest picture; the environment's ``PENTIMENTO_MAX_MEGAPIXELS`` or 300 when left out.
        obeys_orientation: hold the pixels as the camera data says; False leaves them as they lie in the file.

    Raises:
        PictureError: if there is no file, no picture in it, a damaged or a too large one.
    """
    limit = _limit(limit_megapixels)
    with _opened_file(source) as (name, file), libraries_silenced():
        seen = _Seen(limit)
        with _told(name, seen):
            samples, info = _samples_of(file, seen)
            found = read_metadata(file, info, is_recoloured=samples.is_recoloured)
            is_right = samples.is_turned or not obeys_orientation
            pixels = turned(samples.pixels, 1 if is_right else found.orientation)
    metadata = replace(found.metadata, size_hw=(pixels.shape[0], pixels.shape[1]))
    return Decoded(pixels, samples.mode, samples.icc_profile, metadata, (*samples.notes, *found.notes))


def _limit(limit_megapixels: float | None) -> float:
    if limit_megapixels is not None:
        return limit_megapixels
    text = os.environ.get(LIMIT_VARIABLE, "")
    if not text:
        return LIMIT_MEGAPIXELS
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not limit > 0:
        raise PictureError(
            LIMIT_VARIABLE, "a number of megapixels above 0", f"'{text}'", "correct or unset it"
        )
    return limit


# Opening -------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _opened_file(source: AnyPath | BinaryIO) -> Iterator[tuple[str, BinaryIO]]:
    """Name and open file of a source that holds at least a byte."""
    if not isinstance(source, str | os.PathLike):
        yield str(getattr(source, "name", "picture")), source
        return
    name = os.fspath(source)
    try:
        status = os.stat(source)
        if stat.S_ISDIR(status.st_mode):
            raise PictureError(name, "a picture", "a folder", "name a file inside it")
        if not stat.S_ISREG(status.st_mode):
            raise PictureError(name, "a picture", "a device or pipe", "name a file")
        file = open(source, "rb")  # noqa: SIM115 - closed below; errors of the body must not be taken for this one's
    except FileNotFoundError as error:
        raise PictureError(name, "a picture", "no such file", "check the path") from error
    except PermissionError as error:
        raise PictureError(
            name, "a picture that can be read", "no permission", "change its permissions"
        ) from error
    except OSError as error:
        raise path_error(name, error, PictureError, expected="a picture that can be read") from error
    except ValueError as error:
        raise PictureError(repr(name), "a picture", "a name with a zero byte", "check the path") from error
    with file:
        yield name, file


@dataclass
class _Seen:
    """What is known of a file so far, for the words of an error."""

    limit_megapixels: float
    kind: str = "picture"
    size: str = "a picture of unknown size"

    def check(self, width: int, height: int, pixel_bytes: int = _PIXEL_BYTES) -> None:
        """Hold a size against the limit, before anything of it is allocated."""
        if width < 1 or height < 1:
            raise ValueError("no pixels")
        self.size = f"{width}x{height} px"
        share = max(1.0, pixel_bytes / _PIXEL_BYTES)
        megapixels = width * height / 1e6
        if megapixels * share > self.limit_megapixels:
            bytes_each = f" of {pixel_bytes} bytes each" if share > 1 else ""
            got = f"{self.size} ({megapixels:.0f} megapixels{bytes_each})"
            hint = f"set {LIMIT_VARIABLE} higher if you trust the file"
            raise PictureError("picture", f"at most {self.limit_megapixels:g} megapixels", got, hint)


@contextlib.contextmanager
def _told(name: str, seen: _Seen) -> Iterator[None]:
    """Put whatever the decoders raise into words."""
    try:
        yield
    except PictureError as error:
        raise PictureError(name, error.expected, error.got, error.hint) from error
    except MemoryError as error:
        hint = "close other programs or cut it"
        raise PictureError(name, "a picture that fits into memory", seen.size, hint) from error
    except Exception as error:  # noqa: BLE001 - on a damaged or hostile file a decoder raises anything
        if isinstance(error, OSError) and error.errno:
            raise path_error(name, error, PictureError, expected="a picture that can be read") from error
        hint = "fetch or export it again"
        raise PictureError(name, f"a whole {seen.kind} file", "a damaged or cut-off one", hint) from error


# Reading -------------------------------------------------------------------------------------------------------------


def _samples_of(file: BinaryIO, seen: _Seen) -> tuple[Samples, Mapping[Any, Any]]:
    """What the right reader finds in a file, and what it found beside the pixels, by Pillow's names."""
    file.seek(0)
    start = file.read(32)
    if not start:
        raise PictureError("picture", "a picture", "an empty file", "fetch or export it again")
    seen.kind = next((kind for magic, kind in _STARTS.items() if start.startswith(magic)), "picture")
    if seen.kind == "TIFF":
        return tiff_reader.read_tiff(file, seen.check, lambda: _old_tiff(file, seen)), {}
    pnm = deep_pnm_header(file)
    if pnm is not None:
        seen.kind = "PPM"
        seen.check(pnm.width, pnm.height)
        return read_deep_pnm(file, pnm), {}
    try:
        image = open_header(file)
    except Exception as error:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno):
            raise
        return _unidentified(file, start, seen, error), {}
    seen.kind = NAMES.get(image.format or "", "picture")
    with image:
        seen.check(*image.size)
        samples = read_by_pillow(image, file)
        return samples, image.info


def _old_tiff(file: BinaryIO, seen: _Seen) -> Samples:
    """A TIFF of 8 bits as Pillow reads it, which turns it by itself and cuts what is deeper."""
    with open_header(file, ("TIFF",)) as image:
        seen.check(*image.size)
        if max(getattr(image, "tag_v2", {}).get(_BITS_TAG, (1,))) > 8:
            raise ValueError("more than 8 bits")
        samples = read_by_pillow(image, file)
    samples.is_turned = True
    return samples


def _unidentified(file: BinaryIO, start: bytes, seen: _Seen, error: Exception) -> Samples:
    """A JPEG of more than 8 bits, which Pillow does not know; the right words for anything else.

    What Pillow's headers refuse may be whole: a layout of BMP that nobody writes any more, say.
    """
    if seen.kind == "JPEG":
        file.seek(0)
        data = file.read()
        frame = jpeg_frame(data)
        if frame is not None and frame.channels in (1, 3):
            seen.check(frame.width, frame.height)
            return read_deep_jpeg(data, frame)
    if start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS and "HEIF" not in formats():
        hint = "install the extra 'heif' (pip install 'pentimento[heif]') or export it as JPEG"
        raise PictureError(
            "picture", "a picture", "a HEIF file, which needs a further package", hint
        ) from error
    if seen.kind != "picture":
        got = f"a damaged {seen.kind} file or one of an unusual layout"
        raise PictureError("picture", "a picture", got, "export it again, as 8 or 16 bit RGB") from error
    known = ", ".join(dict.fromkeys(NAMES[name] for name in formats()))
    got = "a file of another kind"
    raise PictureError("picture", f"a picture ({known})", got, "convert it to PNG first") from error
