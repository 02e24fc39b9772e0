"""Read every format but TIFF: Pillow opens the header and decodes 8 bits, deep_reader.py the rest.

What cannot be kept as it is (palettes, CMYK, animations) is converted, and a note says so.

Elsewhere: files and errors in decoding.py, TIFF in tiff_reader.py.
"""

import contextlib
import functools
import threading
import warnings
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile

from engine.colours import LAB_NOTE, rgb_of_cmyk, rgb_of_lab
from engine.deep_reader import is_for_deep_png, read_deep_avif, read_deep_png
from engine.samples import FIRST_OF_SEVERAL, KEY_IS_ALPHA, Samples, floats, whole_numbers
from engine.strips import pixels_of, release

NAMES = {
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
"""Formats that are read, by Pillow's name and by ours."""

_DIRECT = ("L", "LA", "RGB", "RGBA")
_OPEN_LOCK = threading.Lock()


@functools.cache
def formats() -> tuple[str, ...]:
    """What is read, of what this machine can read: pictures, never page descriptions that run programs."""
    Image.init()
    with contextlib.suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()
    return tuple(name for name in NAMES if name in Image.OPEN)


def open_header(file: BinaryIO, kinds: tuple[str, ...] | None = None) -> ImageFile:
    """Read the header. Pillow's own size limit is process-wide and lower than ours, so it is lifted meanwhile.

    Args:
        file: an open file that can be sought.
        kinds: Pillow's names of formats; all that are read when left out.

    Raises:
        Exception: whatever Pillow raises on a file that is none of them, or damaged.
    """
    kinds = formats() if kinds is None else kinds
    file.seek(0)
    with _OPEN_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd but readable headers; damage that matters comes as an error
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(file, formats=kinds)
        finally:
            Image.MAX_IMAGE_PIXELS = before


def read_by_pillow(image: ImageFile, file: BinaryIO) -> Samples:
    """Decode the first picture of an opened file.

    Args:
        image: opened by ``open_header`` and not loaded yet.
        file: the same file.

    Raises:
        Exception: whatever the decoders raise on a damaged file.
    """
    notes: list[str] = []
    if getattr(image, "is_animated", False) and image.format != "MPO":
        image.seek(0)
        notes.append(FIRST_OF_SEVERAL)
    profile = image.info.get("icc_profile") or None
    bits = _bits_of_heif(image, file)
    if is_for_deep_png(image):
        samples = read_deep_png(file, image)
    elif image.format == "AVIF" and bits > 8:
        samples = Samples(read_deep_avif(file, bits))
    elif image.mode in ("F", "I") or image.mode.startswith("I;16"):
        samples = _deep_grey(image)
    else:
        if bits > 8:
            notes.append("10 or 12 bits a channel were cut to 8")
        samples = _in_direct_mode(image, profile)
    release(image)
    samples.notes[:0] = notes
    samples.icc_profile = None if samples.is_recoloured else profile
    return samples


def _bits_of_heif(image: Image.Image, file: BinaryIO) -> int:
    """Bits a channel of AVIF and HEIF, which Pillow's decoders give as 8; 8 for anything else."""
    if image.format not in ("AVIF", "HEIF"):
        return 8
    file.seek(0)
    head = file.read(1 << 16)
    place = head.find(b"pixi")  # version and flags in 4 bytes, number of channels, bits of each
    return head[place + 9] if 0 <= place < len(head) - 9 else 8


def _deep_grey(image: ImageFile) -> Samples:
    notes: list[str] = []
    values = pixels_of(image)
    if values.dtype.kind == "f":
        return Samples(floats(values, notes=notes), notes=notes)
    bits = 8 * values.dtype.itemsize
    return Samples(whole_numbers(values, bits=bits, notes=notes), notes=notes)


def _in_direct_mode(image: ImageFile, icc_profile: bytes | None) -> Samples:
    """The picture at 8 bits, in one of our modes."""
    if image.mode == "CMYK":
        notes: list[str] = []
        return Samples(rgb_of_cmyk(pixels_of(image), icc_profile, notes), notes=notes, is_recoloured=True)
    if image.mode == "LAB":
        return _from_lab(image)
    is_clear = "transparency" in image.info
    if image.mode in _DIRECT and not (is_clear and image.mode in ("L", "RGB")):
        return Samples(pixels_of(image))
    if image.mode in ("L", "RGB"):
        return _released(image.convert(f"{image.mode}A"), KEY_IS_ALPHA)
    goal = {"1": "L", "P": "RGBA" if is_clear else "RGB", "PA": "RGBA", "RGBa": "RGBA", "La": "LA"}
    words = {"1": "black and white", "P": "palette colours", "PA": "palette colours", "RGBX": "four channels"}
    mode = goal.get(image.mode, "RGB")
    what = words.get(image.mode, f"{image.mode} colours")
    return _released(image.convert(mode), f"{what} became {'grey' if mode == 'L' else mode}")


def _released(image: Image.Image, note: str) -> Samples:
    samples = Samples(pixels_of(image), notes=[note])
    release(image)
    return samples


def _from_lab(image: ImageFile) -> Samples:
    lab = pixels_of(image)
    rgb = np.empty_like(lab)
    rgb_of_lab(lab[..., 0] * np.float32(100 / 255), lab[..., 1:].view(np.int8).astype(np.float32), rgb)
    return Samples(rgb, notes=[LAB_NOTE], is_recoloured=True)
