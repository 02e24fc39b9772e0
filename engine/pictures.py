"""Read and write pictures and masks as users have them.

A picture keeps what its file had: bit depth, alpha, colour profile and camera data. Its pixels are turned the way the
camera held them. A file is written whole or not at all.

Elsewhere: decoding and what is refused in decoding.py, formats in encoding.py, what a file says beside its pixels in
metadata/.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from engine.atomic import AnyPath, write_atomically
from engine.decoding import decode
from engine.encoding import FORMATS, Format, encode, format_of
from engine.errors import MaskError, PictureError
from engine.format_fit import Rgb, as_eight_bits, as_rgb8, is_opaque, laid_on, without_alpha
from engine.mask_values import selection_of
from engine.metadata.kept import NOTHING, Metadata
from engine.samples import MODES

CHANNELS = {mode: channels for channels, mode in MODES.items()}
"""Modes a picture can have, and their channels."""

PICTURE_KEY = "picture_sha256"
"""Entry in the metadata of weights that were learned on one picture: its `picture_sha256`."""

ENDINGS = frozenset(FORMATS)
"""Endings of a file name that can be written, lower case with the dot."""


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels and what belongs to them."""

    pixels: np.ndarray
    """(H, W) for ``L``, else (H, W, C); uint8 or uint16."""
    mode: str
    """``L``, ``LA``, ``RGB`` or ``RGBA``, at either depth."""
    icc_profile: bytes | None = None
    """The file's colour profile, byte for byte."""
    metadata: Metadata = NOTHING
    """What else the file says: camera data, words, resolution."""
    notes: tuple[str, ...] = ()
    """What was converted on the way in, as sentences for the user."""

    def __post_init__(self) -> None:
        channels = CHANNELS.get(self.mode)
        if channels is None:
            raise PictureError(
                "mode", f"one of {', '.join(CHANNELS)}", f"'{self.mode}'", "convert the picture"
            )
        shape = tuple(self.pixels.shape)
        if len(shape) != (2 if channels == 1 else 3) or 0 in shape or (channels > 1 and shape[2] != channels):
            layout = "(H, W)" if channels == 1 else f"(H, W, {channels})"
            raise PictureError(
                "pixels", f"{layout} for the mode {self.mode}", shape, "give at least one pixel"
            )
        if self.pixels.dtype not in (np.uint8, np.uint16):
            raise PictureError("pixels", "uint8 or uint16", self.pixels.dtype, "convert the values")

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.mode.endswith("A")

    @property
    def is_opaque(self) -> bool:
        """Whether nothing is seen through it."""
        return not self.has_alpha or is_opaque(self.pixels)

    @property
    def is_deep(self) -> bool:
        """Whether a channel has 16 bits."""
        return bool(self.pixels.dtype == np.uint16)


def read_picture(path: AnyPath, *, limit_megapixels: float | None = None) -> Picture:
    """Read a picture with its own bit depth, alpha, profile and camera data.

    Other kinds are converted, and a note says so: palettes, black and white, CMYK, Lab, YCbCr, 32-bit integers and
    floats; of an animation the first picture is read.

    Args:
        path: PNG, JPEG, WebP, TIFF, BMP, GIF, PPM, AVIF or, where pillow-heif is installed, HEIF.
        limit_megapixels: largest picture that is decoded; when left out, the environment's
            ``PENTIMENTO_MAX_MEGAPIXELS``, else 300.

    Returns:
        The picture, turned as the camera held it.

    Raises:
        PictureError: if the file is missing, empty, damaged, too large or no picture.
    """
    decoded = decode(path, limit_megapixels=limit_megapixels)
    return Picture(decoded.pixels, decoded.mode, decoded.icc_profile, decoded.metadata, decoded.notes)


def read_rgb(source: AnyPath | BinaryIO, *, limit_megapixels: float | None = None) -> np.ndarray:
    """Read a picture for training: (H, W, 3) uint8, turned as the camera held it.

    Grey is repeated, alpha is left out, 16 bits are cut to 8.

    Args:
        source: a path, or an open binary file that can be sought.
        limit_megapixels: as for ``read_picture``.

    Raises:
        PictureError: as ``read_picture``.
    """
    return as_rgb8(decode(source, limit_megapixels=limit_megapixels).pixels)


def picture_sha256(pixels: np.ndarray) -> str:
    """Name a picture by its decoded pixels, whatever file or document they come from.

    Colours alone count, at 8 bits: grey is repeated, alpha left out, 16 bits are cut to 8, as `read_rgb` does. So
    `read_picture(path).pixels`, `read_rgb(path)` and a document that shows the picture unchanged have one name.

    Args:
        pixels: (H, W), or (H, W, C) with 1 to 4 channels; uint8 or uint16. Not modified.

    Returns:
        Sha256 of height, width and the RGB bytes row by row, 64 hexadecimal digits.
    """
    rgb = as_rgb8(pixels)
    digest = hashlib.sha256(f"{rgb.shape[0]}x{rgb.shape[1]}\n".encode())
    digest.update(rgb.data)
    return digest.hexdigest()


# Masks ---------------------------------------------------------------------------------------------------------------


def read_mask(
    path: AnyPath, *, size_hw: tuple[int, int], invert: bool = False, fit: bool = False
) -> np.ndarray:
    """Read a mask or an edge map: white = selected or edge, grey = partly.

    Alpha is the mask where it varies; else a pixel counts by its brightest channel, so that a red mask on black is as
    good as a white one. A mask of 0 and 1 is one, too; see mask_values.py.

    Args:
        path: any picture that ``read_picture`` reads.
        size_hw: size of the picture it belongs to, in px.
        invert: black = selected instead.
        fit: bring a mask of another size to ``size_hw``. A hard mask stays hard: enlarged by the nearest pixel,
            shrunk so that a pixel counts when any part of it did. A soft one is averaged.

    Returns:
        (H, W) float32 in [0, 1].

    Raises:
        PictureError: if the file cannot be read.
        MaskError: if its size is another and ``fit`` is not set, or its values are those of classes.
    """
    picture = read_picture(path)
    mask = selection_of(picture.pixels, has_alpha=picture.has_alpha, name=path)
    if invert:
        np.subtract(np.float32(1), mask, out=mask)
    if mask.shape == tuple(size_hw):
        return mask
    if not fit:
        got = f"{mask.shape[1]}x{mask.shape[0]} px"
        hint = "give a mask of the picture's size, or --fit-mask to resize it"
        raise MaskError(path, f"{size_hw[1]}x{size_hw[0]} px as the picture", got, hint)
    return _fitted(mask, size_hw)


def read_official_mask(path: AnyPath, *, size_hw: tuple[int, int]) -> np.ndarray:
    """Read a mask as the published test routine of EdgeConnect does: resized in 8 bit, then any value above 0 counts.

    Args:
        path: any picture that ``read_picture`` reads.
        size_hw: size of the picture it belongs to, in px.

    Returns:
        (H, W) float32, 0 or 1.

    Raises:
        PictureError: if the file cannot be read.
    """
    picture = read_picture(path)
    pixels = picture.pixels[..., None] if picture.mode == "L" else picture.pixels
    if picture.is_deep:
        pixels = np.maximum(pixels >> 8, pixels > 0).astype(np.uint8)
    colours = pixels[..., :-1] if picture.has_alpha else pixels
    hole = np.zeros(size_hw, bool)
    for channel in range(colours.shape[2]):
        image = Image.fromarray(np.ascontiguousarray(colours[..., channel]))
        hole |= np.asarray(image.resize((size_hw[1], size_hw[0]), Image.Resampling.BILINEAR)) > 0
    return hole.astype(np.float32)


def _fitted(mask: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    height, width = size_hw
    is_hard = bool(((mask == 0) | (mask == 1)).all())
    is_shrinking = height < mask.shape[0] or width < mask.shape[1]
    if is_shrinking:
        way = Image.Resampling.BOX
    else:
        way = Image.Resampling.NEAREST if is_hard else Image.Resampling.BILINEAR
    resized = np.array(Image.fromarray(mask).resize((width, height), way))
    return (resized > 0).astype(np.float32) if is_hard else np.clip(resized, 0, 1)


# Writing -------------------------------------------------------------------------------------------------------------


def check_can_write(
    path: AnyPath,
    *,
    mode: str,
    size_hw: tuple[int, int],
    is_opaque: bool = False,
    flatten_rgb: Rgb | None = None,
) -> None:
    """Say before the work whether a file of this name can hold the picture.

    Args:
        path: the file to write; its ending says the format.
        mode: the picture's mode.
        size_hw: the picture's size in px.
        is_opaque: its alpha hides all that is below, so that nothing is lost without it.
        flatten_rgb: the colour that clear pixels are laid on; None keeps them clear.

    Raises:
        PictureError: if the ending is unknown, or the format lacks alpha or room for the size.
    """
    chosen = _chosen(path)
    if mode.endswith("A") and not (chosen.has_alpha or is_opaque or flatten_rgb is not None):
        others = "--flatten white lays it on white; a name ending in .png, .tif or .webp keeps it"
        raise PictureError(path, "a format that holds transparency", f"{chosen.name}, which does not", others)
    if max(size_hw) > chosen.limit_px:
        got = f"{size_hw[1]}x{size_hw[0]} px"
        expected = f"sides of at most {chosen.limit_px} px in {chosen.name}"
        raise PictureError(path, expected, got, "a name ending in .png or .tif takes larger ones")


def write_picture(
    picture: Picture,
    path: AnyPath,
    *,
    text: Mapping[str, str] | None = None,
    quality: int | None = None,
    flatten_rgb: Rgb | None = None,
) -> tuple[str, ...]:
    """Write a picture in the format its file name ends in, whole or not at all.

    A format of 8 bits takes the nearest of them.

    Args:
        picture: what to write.
        path: ends in .png, .tif, .tiff, .jpg, .jpeg, .webp or .bmp; its folder exists.
        text: entries for a PNG, by names of 1 to 79 Latin letters; other formats leave them out.
        quality: as for `encode`.
        flatten_rgb: lay what is clear on this colour; None keeps it clear.

    Returns:
        What the format could not keep, as sentences for the user.

    Raises:
        PictureError: if the format cannot hold the picture, or the place cannot be written.
    """
    fitted, chosen, notes = fitted_to_format(picture, path, flatten_rgb)

    def write(file: BinaryIO) -> None:
        notes.extend(encode(file, fitted, chosen, text=text, quality=quality))

    write_atomically(path, write, error_type=PictureError)
    return tuple(notes)


def fitted_to_format(
    picture: Picture, path: AnyPath, flatten_rgb: Rgb | None
) -> tuple[Picture, Format, list[str]]:
    """Bring a picture to what the format of a file's name holds.

    Args:
        picture: what is to be written.
        path: says the format.
        flatten_rgb: as for `write_picture`.

    Returns:
        The picture, the format, and what was lost.

    Raises:
        PictureError: if the format cannot hold the picture.
    """
    size_hw = (picture.pixels.shape[0], picture.pixels.shape[1])
    can_lose_alpha = flatten_rgb is None and picture.is_opaque
    check_can_write(
        path, mode=picture.mode, size_hw=size_hw, is_opaque=can_lose_alpha, flatten_rgb=flatten_rgb
    )
    chosen = _chosen(path)
    notes: list[str] = []
    fitted = picture
    if picture.has_alpha and flatten_rgb is not None:
        fitted = _with_pixels(fitted, laid_on(picture.pixels, flatten_rgb))
    elif picture.has_alpha and not chosen.has_alpha:
        fitted = _with_pixels(fitted, without_alpha(picture.pixels))
    if picture.is_deep and not chosen.has_depth:
        fitted = _with_pixels(fitted, as_eight_bits(fitted.pixels))
        notes.append(f"16 bits a channel became 8, as {chosen.name} holds no more")
    return fitted, chosen, notes


def _chosen(path: AnyPath) -> Format:
    chosen = format_of(path)
    if chosen is None:
        known, ending = ", ".join(FORMATS), Path(path).suffix.lower()
        raise PictureError(path, f"a name ending in {known}", f"'{ending}'", "the ending says the format")
    return chosen


def _with_pixels(picture: Picture, pixels: np.ndarray) -> Picture:
    return replace(picture, pixels=pixels, mode=MODES[1 if pixels.ndim == 2 else pixels.shape[2]])
