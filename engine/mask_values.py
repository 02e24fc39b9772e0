"""Say which pixels of a mask file are selected, whatever its writer took for white.

White is selected, grey partly, and alpha goes before colour where it varies. Writers of labels have other habits: 0 and
1 in the range of a byte, a byte's range in 16 bits, one class in a colour of its own. What can only mean one thing is
read so; numbers and colours of several classes are refused, because a hole of a hundredth of full strength is no hole.

Elsewhere: reading the file and fitting its size in pictures.py.
"""

import numpy as np

from engine.atomic import AnyPath
from engine.errors import MaskError
from engine.strips import strips_of

_DIM = 5  # nothing brighter than a fifth of white: no mask that somebody drew
_TINT = 24  # levels of 255 between channels that a lossy format leaves in grey
_FLAT_COLOURS = 256  # more are shades, and no classes
_ROUNDING = 3


def selection_of(pixels: np.ndarray, *, has_alpha: bool, name: AnyPath) -> np.ndarray:
    """How much each pixel of a mask is selected.

    Args:
        pixels: (H, W), or (H, W, C) with 2 to 4 channels; uint8 or uint16. Not modified.
        has_alpha: whether the last channel is alpha.
        name: the file, for the message.

    Returns:
        (H, W) float32 in [0, 1].

    Raises:
        MaskError: if the values are those of classes and not of a mask.
    """
    if pixels.ndim == 2:
        return _of_grey(pixels, name)
    colours, alpha = (pixels[..., :-1], pixels[..., -1]) if has_alpha else (pixels, None)
    if alpha is not None and alpha.min() != alpha.max():
        return _of_grey(alpha, name)
    brightest: np.ndarray = colours.max(axis=2)
    top = int(np.iinfo(pixels.dtype).max)
    tint = max((int((rows.max(axis=2) - rows.min(axis=2)).max()) for rows in strips_of(colours)), default=0)
    if tint > _TINT * top // 255:
        return _of_colours(colours, brightest, name)
    return _of_grey(brightest, name)


def _of_grey(plane: np.ndarray, name: AnyPath) -> np.ndarray:
    top, peak = int(np.iinfo(plane.dtype).max), int(plane.max())
    if peak == 1:
        return plane.astype(np.float32)
    if top > 255 and 0 < peak <= 255:
        return _of_grey(plane.astype(np.uint8), name)
    if 0 < peak <= top // _DIM:
        got = f"nothing brighter than {peak} of {top}"
        hint = "make the pixels of one class white and all others black"
        raise MaskError(name, "a mask with white where it selects", got, hint)
    return _shares(plane, top)


def _of_colours(colours: np.ndarray, brightest: np.ndarray, name: AnyPath) -> np.ndarray:
    """One colour on black, in whatever brightness, is as good as white; several of full brightness are, too."""
    top, peak = int(np.iinfo(colours.dtype).max), int(brightest.max())
    table = _distinct(colours)
    if len(table) > _FLAT_COLOURS or (table.max(axis=1) == table.max()).all() and peak == top:
        return _shares(brightest, top)
    strongest = table[table.sum(axis=1).argmax()]
    shades = np.rint(table.max(axis=1)[:, None] * (strongest / strongest.max()))
    if np.abs(shades - table).max() <= _ROUNDING:
        return _shares(brightest, peak)
    got = f"{len(table)} colours of several strengths"
    hint = "make the pixels of one class white and all others black"
    raise MaskError(name, "a mask of white or one colour on black", got, hint)


def _distinct(colours: np.ndarray) -> np.ndarray:
    """(N, 3) colours that occur, at 8 bits, without black."""
    seen = np.zeros(1 << 24, bool)
    for rows in strips_of(colours):
        eight = (rows >> 8 if rows.dtype == np.uint16 else rows).astype(np.uint32)
        seen[(eight[..., 0] << 16 | eight[..., 1] << 8 | eight[..., 2]).ravel()] = True
    seen[0] = False
    packed = np.flatnonzero(seen)
    return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1)


def _shares(plane: np.ndarray, white: int) -> np.ndarray:
    shares = plane.astype(np.float32)
    shares /= np.float32(white)
    return shares
