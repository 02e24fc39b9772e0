"""Read TIFF: every layout that tifffile knows, with ranges and channels as the file means them.

tifffile brings the numbers, by the codecs of imagecodecs; what they mean is said here. Fax and old
JPEG Pillow reads better, YCbCr without JPEG OpenCV. The rest is refused by its name.

A file is held against a limit before its pixels are unpacked: size, channels and tiles as its tags say them.

Source: TIFF 6.0; Adobe Photoshop TIFF Technical Notes (2002); TIFF Technical Note 4 (Lab).
Elsewhere: ranges in samples.py, colours in colours.py, what else a file says in metadata/.
"""

import contextlib
import math
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from engine.colours import LAB_NOTE, colours_of_palette, rgb_of_cmyk, rgb_of_lab
from engine.errors import PictureError
from engine.metadata.exif_tags import PROFILE
from engine.samples import ALPHA_DIVIDED, FIRST_OF_SEVERAL, Samples, divide_by_alpha, floats, whole_numbers
from engine.strips import strips_of
from engine.tiff_segments import READ_COMPRESSIONS, check_segments

CheckSize = Callable[[int, int, int], None]
"""Gets width, height and bytes a pixel before anything is unpacked; raises a ``PictureError`` where it is too much."""

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _MASK, _INKS, _YCBCR, _CIELAB, _ICCLAB = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    8,
    9,
)
_COLOURS = {
    _WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _MASK: 1, _INKS: 4, _YCBCR: 3, _CIELAB: 3, _ICCLAB: 3,
}  # fmt: skip
_RAW = (32803, 34892)  # what a sensor measured, not yet colours
_OLD_JPEG = 6
_FAX = (2, 3, 4)
_FOR_PILLOW = (
    *_FAX,
    _OLD_JPEG,
)  # imagecodecs 2026.3.6 loses its place in libtiff's testfax4.tiff, without a word
_TURNED_TO_RGB = (7, 33007, 34892, 50001, 50002)  # JPEG, WebP and JPEG XL give RGB by themselves
_ASSOCIATED, _UNASSOCIATED = 1, 2
_CHANNELS_LIMIT = 64
_PAGES_LOOKED_AT = 16
_INK_SET, _SMALLEST, _LARGEST, _SMALLER_COPIES = 332, 340, 341, 330


def read_tiff(file: BinaryIO, check_size: CheckSize, fallback: Callable[[], Samples]) -> Samples:
    """Read the first picture of a TIFF.

    Args:
        file: an open file that can be sought.
        check_size: asked before anything is unpacked.
        fallback: reads the same file another way, at 8 bits.

    Raises:
        PictureError: if the file holds something that nothing here reads, too much of it, or nothing.
        Exception: whatever the codecs raise, if it is damaged.
    """
    import tifffile

    file.seek(0)  # tifffile counts every place from here
    try:
        tiff = tifffile.TiffFile(file, is_lsm=False, is_ndpi=False, is_scanimage=False)
        page = _full_page(tiff)
    except PictureError:
        raise
    except Exception:  # noqa: BLE001 - on a damaged or hostile file it raises anything
        return fallback()
    reason = _left_out(page, tifffile.TIFF)
    if page.compression in _FOR_PILLOW:
        samples = fallback()
    elif _meaning(page) == _YCBCR and page.compression not in _TURNED_TO_RGB and page.bitspersample == 8:
        check_size(page.imagewidth, page.imagelength, 3)
        samples = _by_opencv(file, page)
    elif reason is None:
        try:
            _check(page, check_size)
            samples = _samples_of(page)
        except (PictureError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - on a damaged or hostile file a codec raises anything
            if page.bitspersample != 8 or page.sampleformat != 1:
                raise
            with contextlib.suppress(Exception):
                return fallback()
            raise error
    else:
        try:
            samples = fallback()
        except Exception as error:
            raise _unsupported(reason) from error
    if _has_more(tiff, after=page.index):
        samples.notes.append(FIRST_OF_SEVERAL)
    return samples


# What the file holds -------------------------------------------------------------------------------------------------


def _full_page(tiff: Any) -> Any:
    """The first picture that is no smaller copy of another."""
    first = tiff.pages.first
    if not first.subfiletype & 1:
        return first
    with contextlib.suppress(IndexError):
        for number in range(1, _PAGES_LOOKED_AT):
            if not tiff.pages[number].subfiletype & 5:
                return tiff.pages[number]
    if _SMALLER_COPIES in first.tags:
        hint = "develop it first, and export it as TIFF or JPEG"
        raise PictureError("tiff", "a picture", "a small preview alone, as in a camera's raw file", hint)
    return first


def _has_more(tiff: Any, *, after: int) -> bool:
    """Whether another picture follows that is no smaller copy or mask of this one."""
    try:
        return not tiff.pages[after + 1].subfiletype & 5
    except Exception:  # noqa: BLE001 - what follows is damaged, or leads back to where it came from
        return False


def _meaning(page: Any) -> int:
    """What the numbers of a pixel are; guessed as libtiff does where the file does not say."""
    if 262 in page.tags or page.compression == _OLD_JPEG:
        return int(page.photometric)
    if page.samplesperpixel >= 3:
        return _RGB
    return _WHITE_IS_ZERO if page.compression in _FAX else _BLACK_IS_ZERO


def _left_out(page: Any, known: Any) -> str | None:
    """What of the file tifffile does not read, in words; None where it reads all."""
    meaning = _meaning(page)
    if meaning in _RAW:
        hint = "develop it first, and export it as TIFF or JPEG"
        raise PictureError("tiff", "a picture", "a camera's raw file", hint)
    channels = page.samplesperpixel
    if channels > _CHANNELS_LIMIT:
        return f"{channels} channels"
    if page.dtype is None or page.dtype.kind not in "buif":
        return f"numbers of {page.bitspersample} bits and sample format {page.sampleformat}"
    if page.imagedepth != 1 or page.tiledepth > 1:
        raise _unsupported("a stack of slices")
    if page.compression not in READ_COMPRESSIONS or page.compression not in known.DECOMPRESSORS:
        return f"compression {_name(page.compression)}"
    if page.predictor not in known.UNPREDICTORS:
        return f"predictor {_name(page.predictor)}"
    if meaning not in _COLOURS:
        return f"colours of the kind {_name(page.photometric)}"
    if meaning == _YCBCR and page.compression not in _TURNED_TO_RGB:
        return f"YCbCr colours of {page.bitspersample} bits"
    if meaning in (_CIELAB, _ICCLAB) and page.bitspersample not in (8, 16):
        return f"Lab colours of {page.bitspersample} bits"
    if meaning == _INKS and page.tags.valueof(_INK_SET, 1) != 1:
        return "inks other than cyan, magenta, yellow and black"
    if channels < _COLOURS[meaning]:
        return f"{channels} channels of {_name(page.photometric)}"
    return None


def _name(value: Any) -> str:
    return str(getattr(value, "name", value))


def _unsupported(what: str) -> PictureError:
    hint = "export it again as 8 or 16 bit RGB"
    return PictureError("tiff", "a TIFF of grey, RGB, CMYK or Lab", f"{what}, which nothing here reads", hint)


def _check(page: Any, check_size: CheckSize) -> None:
    """Hold everything that sizes memory against the limit, and the places of the strips against the file."""
    pixel_bytes = page.samplesperpixel * page.dtype.itemsize
    check_size(page.imagewidth, page.imagelength, pixel_bytes)
    if page.is_tiled:
        check_size(page.tilewidth, page.tilelength, pixel_bytes)
    places, sizes = page.dataoffsets, page.databytecounts
    count = 1 if page.is_contiguous else math.prod(page.chunked)
    end = page.parent.filehandle.size
    is_whole = len(places) >= count and len(sizes) >= count
    if not is_whole or any(
        size == 0 or place + size > end for place, size in zip(places, sizes, strict=False)
    ):
        raise EOFError("a strip lies beyond the end of the file")
    check_segments(page)


def _by_opencv(file: BinaryIO, page: Any) -> Samples:
    """YCbCr without JPEG: tifffile leaves it out, and Pillow reads it wrongly where nothing is compressed."""
    import cv2

    file.seek(0)
    data = np.frombuffer(file.read(), np.uint8)
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if bgr is None:
        raise ValueError("nothing was read")
    profile = page.tags.valueof(PROFILE)
    return Samples(np.ascontiguousarray(bgr[..., ::-1]), profile if isinstance(profile, bytes) else None)


# From numbers to colours ---------------------------------------------------------------------------------------------


def _samples_of(page: Any) -> Samples:
    meaning = _meaning(page)
    notes: list[str] = []
    icc_profile = page.tags.valueof(PROFILE)
    if icc_profile is not None and not isinstance(icc_profile, bytes):
        notes.append("the colour profile is written in a way nobody reads and was left out")
        icc_profile = None
    planes = _in_own_order(page.asarray(squeeze=False), page)  # planes, slices, rows, columns, channels
    planes = planes[0, 0] if planes.shape[0] == 1 else np.moveaxis(planes[:, 0, :, :, 0], 0, -1)
    colours = _COLOURS[meaning]
    alpha = _alpha_channel(page, colours, notes)
    kept = [*range(colours), *([] if alpha is None else [alpha])]
    if len(kept) < planes.shape[2]:
        planes = planes[..., kept]
    samples = Samples(np.empty(0, np.uint8), icc_profile, notes)
    if meaning in (_CIELAB, _ICCLAB):
        samples.pixels = _from_lab(planes, is_signed=meaning == _CIELAB)
        notes.append(LAB_NOTE)
        samples.is_recoloured, samples.icc_profile = True, None
    elif meaning == _PALETTE:
        samples.pixels = _from_palette(planes, page, notes)
    else:
        samples.pixels = _in_range(planes, page, notes)
        if meaning == _INKS:
            rgb = rgb_of_cmyk(samples.pixels[..., :4], icc_profile, notes)
            samples.pixels = np.concatenate([rgb, samples.pixels[..., 4:]], axis=2)
            samples.is_recoloured, samples.icc_profile = True, None
        elif meaning == _WHITE_IS_ZERO:
            light = samples.pixels[..., :1]
            np.subtract(np.iinfo(light.dtype).max, light, out=light)
    if alpha is not None and page.extrasamples[alpha - colours :][:1] == (_ASSOCIATED,):
        divide_by_alpha(samples.pixels)
        notes.append(ALPHA_DIVIDED)
    is_grey = samples.pixels.shape[2] == 1
    samples.pixels = np.ascontiguousarray(samples.pixels[..., 0] if is_grey else samples.pixels)
    return samples


def _in_own_order(planes: np.ndarray, page: Any) -> np.ndarray:
    """Whole numbers of 24 bits lie in the file's byte order; tifffile 2026.3.3 takes them for packed bits."""
    if page.bitspersample != 24 or planes.dtype.kind not in "ui":
        return planes
    turned = planes.byteswap()
    return turned if page.parent.byteorder == ">" else turned >> 8


def _alpha_channel(page: Any, colours: int, notes: list[str]) -> int | None:
    """Number of the channel that is alpha; a single one without a meaning is taken for it, so that nothing is lost."""
    count = page.samplesperpixel - colours
    kinds = [int(kind) for kind in page.extrasamples[:count]]
    kinds += [0] * (count - len(kinds))
    place = next((place for place, kind in enumerate(kinds) if kind in (_ASSOCIATED, _UNASSOCIATED)), None)
    if place is None and count == 1:
        notes.append("a further channel without a meaning was taken as alpha")
        return colours
    left = count - (place is not None)
    if left:
        notes.append(
            f"{left} further channel{'s' if left > 1 else ''} without a meaning {'were' if left > 1 else 'was'} left out"
        )
    return None if place is None else colours + place


def _in_range(planes: np.ndarray, page: Any, notes: list[str]) -> np.ndarray:
    """8 or 16 bits, writable."""
    if planes.dtype.kind == "f":
        return floats(planes, notes=notes, span=_span(page))
    bits = page.bitspersample
    if not isinstance(bits, int):  # 5, 6 and 5 bits come as 8 each
        bits = 8 * planes.dtype.itemsize
    if bits == 1:
        notes.append("black and white became grey")
    pixels = whole_numbers(planes, bits=bits, notes=notes, span=_span(page))
    return pixels if pixels.flags.writeable else pixels.copy()


def _span(page: Any) -> tuple[float, float] | None:
    """Black and white of the samples as the file names them."""
    try:
        low = float(np.min(page.tags.valueof(_SMALLEST, 0.0)))
        high = float(np.max(page.tags.valueof(_LARGEST)))
    except (TypeError, ValueError):
        return None
    return (low, high) if math.isfinite(low) and math.isfinite(high) and high > low else None


def _from_palette(planes: np.ndarray, page: Any, notes: list[str]) -> np.ndarray:
    indices = planes[..., 0].astype(np.intp)
    table = np.asarray(page.colormap).T
    missing = 2**page.bitspersample - len(table)
    if missing > 0:
        table = np.concatenate([table, np.zeros((missing, 3), table.dtype)])
    rgb = colours_of_palette(indices, table)
    if planes.shape[2] == 1:
        notes.append("palette colours became RGB")
        return rgb
    notes.append("palette colours became RGBA")
    alpha = whole_numbers(planes[..., 1:], bits=page.bitspersample, notes=notes)
    return np.concatenate([rgb, alpha], axis=2)


def _from_lab(planes: np.ndarray, *, is_signed: bool) -> np.ndarray:
    """Lightness fills the type; the other two are signed, or lie around the middle (by ICC), a level for each of 256."""
    kind = planes.dtype.newbyteorder("=").str.replace("i", "u")
    pixels = np.empty((*planes.shape[:2], planes.shape[2]), kind)
    top, level = np.iinfo(kind).max, np.iinfo(kind).max // 255 if pixels.itemsize == 1 else 256
    for rows, into in zip(strips_of(planes), strips_of(pixels), strict=True):
        numbers = rows.astype(kind)
        lightness = numbers[..., 0].astype(np.float32) * np.float32(100 / top)
        if is_signed:
            ab = numbers[..., 1:3].view(np.dtype(kind.replace("u", "i"))).astype(np.float32) / np.float32(
                level
            )
        else:
            ab = numbers[..., 1:3].astype(np.float32) / np.float32(level) - 128
        rgb = np.empty((*rows.shape[:2], 3), kind)
        rgb_of_lab(lightness, ab, rgb)
        into[..., :3], into[..., 3:] = rgb, numbers[..., 3:]
    return pixels
