"""Bring a picture to what a format holds: whole pixels where it has no alpha, 8 bits where it has no 16.

What is clear needs a colour to lie on, and that is the user's to choose. Depth has one way to go, which every program
takes: a JPEG has 8 bits, and who asks for one is told. Networks and digests take the colours alone.

Elsewhere: which format holds what in encoding.py.
"""

import numpy as np

from engine.errors import PictureError
from engine.strips import strips_of

Rgb = tuple[int, int, int]
_NAMED = {"white": (255, 255, 255), "black": (0, 0, 0)}


def parse_colour(words: str, name: str) -> Rgb:
    """Read a colour to lay a picture on.

    Args:
        words: ``white``, ``black`` or ``#rrggbb``.
        name: what to call it in an error.

    Raises:
        PictureError: for anything else.
    """
    lower = words.strip().lower()
    if lower in _NAMED:
        return _NAMED[lower]
    digits = lower.removeprefix("#")
    if lower.startswith("#") and len(digits) == 6 and all(digit in "0123456789abcdef" for digit in digits):
        red, green, blue = bytes.fromhex(digits)
        return red, green, blue
    hint = "for example #808080 for a middle grey"
    raise PictureError(name, "white, black or #rrggbb", f"'{words}'", hint)


def is_opaque(pixels: np.ndarray) -> bool:
    """Whether a picture whose last channel is alpha hides all that is below it."""
    return all(bool((rows[..., -1] == np.iinfo(rows.dtype).max).all()) for rows in strips_of(pixels))


def laid_on(pixels: np.ndarray, colour: Rgb) -> np.ndarray:
    """Lay a picture on a colour, mixed in the values as they are stored, as other programs do.

    Args:
        pixels: (H, W, 2) grey with alpha or (H, W, 4), uint8 or uint16; not changed.
        colour: 8 bits a channel.

    Returns:
        (H, W) where grey lies on grey, else (H, W, 3), in the same type.
    """
    scale = np.iinfo(pixels.dtype).max // 255
    is_grey = pixels.shape[2] == 2 and len(set(colour)) == 1
    channels = 1 if is_grey else 3
    below = np.array(colour[:channels], np.uint64) * scale
    laid = np.empty((*pixels.shape[:2], channels), pixels.dtype)
    top = np.uint64(np.iinfo(pixels.dtype).max)
    for rows, into in zip(strips_of(pixels), strips_of(laid), strict=True):
        alpha = rows[..., -1:].astype(np.uint64)
        into[:] = (rows[..., :-1] * alpha + below * (top - alpha) + top // np.uint64(2)) // top
    return laid[..., 0] if is_grey else laid


def without_alpha(pixels: np.ndarray) -> np.ndarray:
    """The colours of a picture whose alpha says nothing: (H, W) or (H, W, 3)."""
    return np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3])


def as_rgb8(pixels: np.ndarray) -> np.ndarray:
    """The colours alone, as networks and digests take them: grey is repeated, alpha left out, 16 bits are cut to 8.

    Args:
        pixels: (H, W), or (H, W, C) with 1 to 4 channels; uint8 or uint16. Not modified.

    Returns:
        (H, W, 3) uint8, solid; the picture's own memory where it is that already.
    """
    planes = pixels[..., None] if pixels.ndim == 2 else pixels
    colours = planes[..., :1] if planes.shape[2] < 3 else planes[..., :3]
    if colours.dtype == np.uint16:
        colours = (colours >> 8).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(colours, 3, axis=2) if colours.shape[2] == 1 else colours)


def as_eight_bits(pixels: np.ndarray) -> np.ndarray:
    """Values of 16 bits as the nearest of 8 bits, for a file; `as_rgb8` cuts instead."""
    shallow = np.empty(pixels.shape, np.uint8)
    for rows, into in zip(strips_of(pixels), strips_of(shallow), strict=True):
        into[:] = (rows.astype(np.uint32) + 128) // 257
    return shallow
