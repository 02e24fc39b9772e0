"""Turn the bytes of a picture file into pixels, and anything else into one clear error.

A file is looked at before it is trusted: the size its header gives is held against a limit before a pixel is
allocated, and whatever the decoders raise on a damaged or hostile file comes out as a ``PictureError``. What cannot be
kept as it is (palettes, CMYK, floats) is converted, and a note says so.

Elsewhere: what callers use in pictures.py, 16 bits a channel in sixteen_bit.py, what a file says beside its
pixels in metadata/, orientation in orientation.py.
"""

import contextlib
import functools
import io
import math
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from engine.atomic import AnyPath, path_error
from engine.errors import PictureError
from engine.metadata.kept import Metadata
from engine.metadata.reading import Found, read_metadata
from engine.orientation import turned
from engine.sixteen_bit import deep_mode, read_deep
from engine.strips import pixels_of, release, strips_of

LIMIT_MEGAPIXELS = 300.0
"""Largest picture that is decoded unless the environment or the caller says otherwise."""
LIMIT_VARIABLE = "PENTIMENTO_MAX_MEGAPIXELS"

_NAMES = {
    "PNG": "PNG",
    "JPEG": "JPEG",
    "MPO": "JPEG",
    "WEBP": "WebP",
    "TIFF": "TIFF",
    "BMP": "BMP",
    "GIF": "GIF",
    "PPM": "PPM",
    "AVIF": "AVIF",
    "HEIF": "HEIF",
}
_STARTS = {
    b"\x89PNG": "PNG",
    b"\xff\xd8": "JPEG",
    b"RIFF": "WebP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"BM": "BMP",
    b"GIF8": "GIF",
}
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_DIRECT = ("L", "LA", "RGB", "RGBA")
_OPEN_LOCK = threading.Lock()


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


def decode(source: AnyPath | BinaryIO, *, limit_megapixels: float | None = None) -> Decoded:
    """Decode the first picture in a file.

    Args:
        source: a path, or an open binary file that can be sought.
        limit_megapixels: largest picture; the environment's ``PENTIMENTO_MAX_MEGAPIXELS`` or 300 when left out.

    Raises:
        PictureError: if there is no file, no picture in it, a damaged or a too large one.
    """
    limit = _limit(limit_megapixels)
    with _opened_file(source) as (name, file), _opened(name, file, limit) as image, _told(name, image):
        return _decoded(image, file)


def decode_rgb(source: AnyPath | BinaryIO, *, limit_megapixels: float | None = None) -> np.ndarray:
    """Decode a picture to (H, W, 3) uint8 and nothing else: no alpha, no profile, 16 bits cut to 8.

    Raises:
        PictureError: as ``decode``.
    """
    limit = _limit(limit_megapixels)
    with _opened_file(source) as (name, file), _opened(name, file, limit) as image, _told(name, image):
        orientation = _left_to_turn(image, read_metadata(file, image.info))
        if image.mode in ("F", "I") or image.mode.startswith("I;16"):
            pixels = (_deep_grey(image, []) >> 8).astype(np.uint8)
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        else:
            is_clear = (
                "transparency" in image.info
            )  # Pillow warns when bytes of it are dropped on the way to RGB
            whole = image.convert("RGBA") if is_clear and image.mode != "RGB" else image
            pixels = pixels_of(_from_lab(whole) if whole.mode == "LAB" else whole.convert("RGB"))
        return turned(pixels, orientation)


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
    with file:
        yield name, file


@functools.cache
def _formats() -> tuple[str, ...]:
    """What is read, of what this machine can read: pictures, never page descriptions that run programs."""
    Image.init()
    with contextlib.suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()
    return tuple(name for name in _NAMES if name in Image.OPEN)


def _open(file: BinaryIO) -> ImageFile:
    """Read the header. Pillow's own size limit is process-wide and lower than ours, so it is lifted meanwhile."""
    formats = _formats()
    file.seek(0)
    with _OPEN_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd but readable headers; damage that matters comes as an error
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file, formats=formats)
        finally:
            Image.MAX_IMAGE_PIXELS = before


@contextlib.contextmanager
def _opened(name: str, file: BinaryIO, limit_megapixels: float) -> Iterator[ImageFile]:
    """A picture whose header was read and whose size is within the limit."""
    file.seek(0)
    start = file.read(32)
    if not start:
        raise PictureError(name, "a picture", "an empty file", "fetch or export it again")
    try:
        image = _open(file)
    except UnidentifiedImageError as error:
        raise _unknown(name, start) from error
    except Exception as error:  # noqa: BLE001 - on a damaged or hostile file a decoder raises anything
        raise _damaged(name, _kind(start)) from error
    with image:
        width, height = image.size
        if width < 1 or height < 1:
            raise _damaged(name, _NAMES.get(image.format or "", "picture"))
        megapixels = width * height / 1e6
        if megapixels > limit_megapixels:
            got = f"{width}x{height} px ({megapixels:.0f} megapixels)"
            hint = f"set {LIMIT_VARIABLE} higher if you trust the file"
            raise PictureError(name, f"at most {limit_megapixels:g} megapixels", got, hint)
        yield image


@contextlib.contextmanager
def _told(name: str, image: Image.Image) -> Iterator[None]:
    """Put whatever the decoders raise into words."""
    width, height = image.size
    kind = _NAMES.get(image.format or "", "picture")
    try:
        yield
    except PictureError as error:
        raise PictureError(name, error.expected, error.got, error.hint) from error
    except MemoryError as error:
        got = f"{width}x{height} px"
        raise PictureError(
            name, "a picture that fits into memory", got, "close other programs or cut it"
        ) from error
    except Exception as error:  # noqa: BLE001 - on a damaged or hostile file a decoder raises anything
        if isinstance(error, OSError) and error.errno:
            raise path_error(name, error, PictureError, expected="a picture that can be read") from error
        raise _damaged(name, kind) from error


def _kind(start: bytes) -> str:
    return next((kind for magic, kind in _STARTS.items() if start.startswith(magic)), "picture")


def _damaged(name: str, kind: str) -> PictureError:
    return PictureError(name, f"a whole {kind} file", "a damaged or cut-off one", "fetch or export it again")


def _unknown(name: str, start: bytes) -> PictureError:
    if start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS and "HEIF" not in _formats():
        hint = "install the extra 'heif' (pip install 'pentimento[heif]') or export it as JPEG"
        return PictureError(name, "a picture", "a HEIF file, which needs a further package", hint)
    kind = _kind(start)
    if kind != "picture":
        got = f"a damaged {kind} file or one of an unusual layout"
        return PictureError(name, "a picture", got, "export it again, as 8 or 16 bit RGB")
    known = ", ".join(dict.fromkeys(_NAMES[name] for name in _formats()))
    return PictureError(name, f"a picture ({known})", "a file of another kind", "convert it to PNG first")


# Pixels --------------------------------------------------------------------------------------------------------------


def _decoded(image: ImageFile, file: BinaryIO) -> Decoded:
    notes: list[str] = []
    if getattr(image, "is_animated", False) and image.format != "MPO":
        image.seek(0)
        notes.append("only the first of several pictures in the file was read")
    if _bits_of_heif(image, file) > 8:
        notes.append("10 or 12 bits a channel were cut to 8")
    found = read_metadata(file, image.info, is_recoloured=image.mode in ("CMYK", "LAB"))
    notes.extend(found.notes)
    icc_profile = image.info.get("icc_profile") or None
    mode = deep_mode(image)
    key = image.info.get("transparency")
    if mode is not None:
        pixels = read_deep(image, lambda: _open(file))
    elif image.mode in ("F", "I") or image.mode.startswith("I;16"):
        mode, pixels = "L", _deep_grey(image, notes)
    else:
        direct, icc_profile = _in_direct_mode(image, icc_profile, notes)
        mode, pixels, key = direct.mode, pixels_of(direct), None
        release(direct)
    release(image)
    if key is not None and pixels.dtype == np.uint16 and mode in ("L", "RGB"):
        mode, pixels = f"{mode}A", _with_key_as_alpha(pixels, key)
        notes.append("a transparent colour became an alpha channel")
    pixels = turned(pixels, _left_to_turn(image, found))
    metadata = replace(found.metadata, size_hw=(pixels.shape[0], pixels.shape[1]))
    return Decoded(pixels, mode, icc_profile, metadata, tuple(notes))


def _left_to_turn(image: Image.Image, found: Found) -> int:
    """How the pixels are still to be turned: Pillow turns those of a TIFF by itself."""
    return 1 if image.format == "TIFF" else found.orientation


def _bits_of_heif(image: Image.Image, file: BinaryIO) -> int:
    """Bits a channel of AVIF and HEIF, which their decoders give as 8; 8 for anything else."""
    if image.format not in ("AVIF", "HEIF"):
        return 8
    file.seek(0)
    head = file.read(1 << 16)
    place = head.find(b"pixi")  # version and flags in 4 bytes, number of channels, bits of each
    return head[place + 9] if 0 <= place < len(head) - 9 else 8


def _in_direct_mode(
    image: ImageFile, icc_profile: bytes | None, notes: list[str]
) -> tuple[Image.Image, bytes | None]:
    """The picture in a mode that is kept as it is, and the profile that belongs to it."""
    if image.mode == "CMYK":
        return _from_cmyk(image, icc_profile, notes), None
    if image.mode == "LAB":
        notes.append("Lab colours became sRGB")
        return _from_lab(image), None
    if _is_deep_ppm(image):
        notes.append("16 bits a channel were cut to 8")
    is_clear = "transparency" in image.info
    if image.mode in _DIRECT and not (is_clear and image.mode in ("L", "RGB")):
        return image, icc_profile
    if image.mode in ("L", "RGB"):
        notes.append("a transparent colour became an alpha channel")
        return image.convert(f"{image.mode}A"), icc_profile
    goal = {"1": "L", "P": "RGBA" if is_clear else "RGB", "PA": "RGBA", "RGBa": "RGBA", "La": "LA"}
    words = {"1": "black and white", "P": "palette colours", "PA": "palette colours", "RGBX": "four channels"}
    mode = goal.get(image.mode, "RGB")
    notes.append(f"{words.get(image.mode, f'{image.mode} colours')} became {'grey' if mode == 'L' else mode}")
    return image.convert(mode), icc_profile


def _is_deep_ppm(image: ImageFile) -> bool:
    """A colour PPM says its largest value beside its layout; Pillow scales it down to 255."""
    tiles = [tile.args for tile in image.tile if isinstance(tile.args, tuple)]
    return image.format == "PPM" and any(isinstance(args[-1], int) and args[-1] > 255 for args in tiles)


def _from_cmyk(image: ImageFile, icc_profile: bytes | None, notes: list[str]) -> Image.Image:
    """SRGB by the file's own profile; by the plain formula where there is none that can be used."""
    depth = ", 16 bits a channel were cut to 8" if any(";16" in str(tile.args) for tile in image.tile) else ""
    image.load()
    if icc_profile is not None:
        try:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
            converted = ImageCms.profileToProfile(
                image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            converted = None
        if converted is not None:
            notes.append(f"CMYK became sRGB by the file's own profile{depth}")
            return converted
    notes.append(f"CMYK became RGB without a profile, colours are approximate{depth}")
    return image.convert("RGB")


def _from_lab(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.applyTransform(image, ImageCms.buildTransform(lab, srgb, "LAB", "RGB")) or image


def _deep_grey(image: ImageFile, notes: list[str]) -> np.ndarray:
    """(H, W) uint16 of a grey picture with more than 8 bits, whole numbers or floats."""
    tags = getattr(image, "tag_v2", None)
    is_inverted = tags is not None and tags.get(262) == 0  # white is zero, which Pillow leaves so
    values = pixels_of(image)
    pixels: np.ndarray
    if image.mode.startswith("I;16"):
        pixels = values.astype(np.uint16, copy=False)
        if is_inverted:
            np.subtract(np.uint16(65535), pixels, out=pixels)
        return pixels
    if image.mode == "I":
        low, high = int(values.min()), int(values.max())
        if low < 0 or high > 65535:
            notes.append("32-bit grey was cut off below 0 and above 65535 and kept as 16 bits")
        pixels = np.clip(values, 0, 65535).astype(np.uint16)
        return pixels
    scale, words = (65535.0, "1") if float(np.nanmax(values, initial=0.0)) <= 1.0 else (257.0, "255")
    notes.append(f"floats from 0 to {words} became 16 bits, values outside were cut off")
    pixels = np.empty(values.shape, np.uint16)
    for rows, scaled in zip(strips_of(values), strips_of(pixels), strict=True):
        rows = np.nan_to_num(rows.astype(np.float64), nan=0.0, posinf=65535.0, neginf=0.0)
        scaled[:] = np.clip(np.rint(rows * scale), 0, 65535)
    return pixels


def _with_key_as_alpha(pixels: np.ndarray, key: object) -> np.ndarray:
    """Pixels with an alpha channel that is clear where a pixel has the file's transparent colour."""
    colours = pixels if pixels.ndim == 3 else pixels[..., None]
    is_clear = (colours == np.asarray(key, np.uint16)).all(axis=2)
    alpha = np.where(is_clear, np.uint16(0), np.uint16(65535))
    return np.concatenate([colours, alpha[..., None]], axis=2)
