"""Bring the numbers of a file to what a document keeps: 8 or 16 bits, from black to white.

How wide a range is, the file says: a sample of 12 bits ends at 4095, whatever container it lies in. Where whole numbers
of 32 bits or floats say nothing, what they hold decides, and a note tells which range was taken.

Elsewhere: which samples mean what in tiff_reader.py and decoding.py, colours in colours.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from engine.strips import strips_of

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
"""Mode of so many channels."""

ALPHA_DIVIDED = "colours multiplied by their alpha were divided by it"
KEY_IS_ALPHA = "a transparent colour became an alpha channel"
_HEADROOM = 16.0  # four stops over white; what is left to the rest of the picture is still 12 bits

FIRST_OF_SEVERAL = "only the first of several pictures in the file was read"


@dataclass
class Samples:
    """What a reader found in a file: pixels as they lie there, and what came with them."""

    pixels: np.ndarray
    """(H, W), or (H, W, C) for 2 to 4 channels; uint8 or uint16."""
    icc_profile: bytes | None = None
    notes: list[str] = field(default_factory=list)
    is_recoloured: bool = False
    """The colours were turned into another space."""
    is_turned: bool = False
    """The pixels are already held as the camera data says."""

    @property
    def mode(self) -> str:
        """``L``, ``LA``, ``RGB`` or ``RGBA``."""
        return MODES[1 if self.pixels.ndim == 2 else self.pixels.shape[2]]


def whole_numbers(
    values: np.ndarray, *, bits: int, notes: list[str], span: tuple[float, float] | None = None
) -> np.ndarray:
    """Whole numbers as uint8 (up to 8 bits) or uint16.

    Args:
        values: unsigned, signed or bool, any shape. Not modified.
        bits: how many of a number's bits the file uses; the largest value of an unsigned one is 2**bits - 1.
        notes: gets what was lost or guessed.
        span: black and white as the file names them; obeyed beyond 16 bits, where a type's own range says little.

    Returns:
        The same shape; the same array where nothing is to be done.
    """
    if values.dtype == bool:
        black_and_white: np.ndarray = np.multiply(values, np.uint8(255), dtype=np.uint8)
        return black_and_white
    if values.dtype.kind == "i":
        return _signed(values, bits, notes, span)
    if bits in (8, 16) and values.dtype.itemsize * 8 == bits:
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    top = 2**bits - 1
    if bits < 16:
        goal = np.dtype(np.uint8 if bits < 8 else np.uint16)
        return _stretched(values, 0.0, float(top), goal)
    return _wide(values, bits, top, notes, span)


def floats(values: np.ndarray, *, notes: list[str], span: tuple[float, float] | None = None) -> np.ndarray:
    """Floats as uint16; what lies outside their range is cut off, and what is no number becomes black.

    Where the file names no range, 0 to 1 is one, as everywhere in the field; a picture that reaches a little beyond 1
    is taken whole, up to its largest value. One that reaches far beyond has lights that no file of whole numbers holds,
    which are cut off at 1, unless half of what is not black lies there too: then it counts to 255, or to 65535.

    Args:
        values: any shape and kind of float. Not modified.
        notes: gets the range that was taken.
        span: black and white as the file names them.

    Returns:
        The same shape, uint16.
    """
    low, high = span or (0.0, _usual_top(values))
    notes.append(f"floats from {low:g} to {high:g} became 16 bits, values outside were cut off")
    return _stretched(values, low, high, np.dtype(np.uint16))


def divide_by_alpha(pixels: np.ndarray) -> None:
    """Divide colours by their alpha, in place; clear pixels become black.

    Args:
        pixels: (H, W, 2) or (H, W, 4), uint8 or uint16.
    """
    top = np.uint32(np.iinfo(pixels.dtype).max)
    for rows in strips_of(pixels):
        alpha = rows[..., -1:].astype(np.uint32)
        colours = (rows[..., :-1] * top + alpha // 2) // np.maximum(alpha, 1)
        rows[..., :-1] = np.where(alpha == 0, 0, np.minimum(colours, top))


def _signed(values: np.ndarray, bits: int, notes: list[str], span: tuple[float, float] | None) -> np.ndarray:
    """Signed numbers from zero up, as they are; no format says what a value below zero looks like.

    Bytes are another matter: files that call them signed hold plain ones, and every reader takes them so.
    """
    if bits == 8:
        notes.append("signed 8-bit values were taken as unsigned")
        return values.view(np.uint8)
    notes.append(f"signed {bits}-bit values were kept from 0 on, those below were cut off")
    unsigned = values.dtype.newbyteorder("=").str.replace("i", "u")
    positive: np.ndarray = np.maximum(values, 0).astype(unsigned)
    return positive if bits <= 16 else _wide(positive, bits, 2 ** (bits - 1) - 1, notes, span)


def _wide(
    values: np.ndarray, bits: int, top: int, notes: list[str], span: tuple[float, float] | None
) -> np.ndarray:
    """More than 16 bits: kept as they are where all fit into 16, else by the range they use, at most their type's."""
    if span is not None:
        notes.append(f"{bits}-bit values from {span[0]:g} to {span[1]:g} became 16 bits")
        return _stretched(values, *span, np.dtype(np.uint16))
    peak = int(values.max(initial=0))
    if peak <= 65535:
        notes.append(f"{bits}-bit values from 0 to 65535 were kept as 16 bits")
        return values.astype(np.uint16)
    high = top if peak > top // 2 else peak
    notes.append(f"{bits}-bit values from 0 to {high} became 16 bits")
    return _stretched(values, 0.0, float(high), np.dtype(np.uint16))


def _usual_top(values: np.ndarray) -> float:
    """White, where the file does not say."""
    peak = 0.0
    seen = above = far = 0
    for rows in _rows(values):
        numbers = rows[np.isfinite(rows)]
        peak = max(peak, float(numbers.max(initial=0.0)))
        seen += int(np.count_nonzero(numbers > 0))
        above += int(np.count_nonzero(numbers > 1))
        far += int(np.count_nonzero(numbers > 255))
    if peak <= _HEADROOM:
        return max(1.0, peak)
    if 2 * above <= seen:
        return 1.0
    return 255.0 if 2 * far <= seen else 65535.0


def _stretched(values: np.ndarray, low: float, high: float, goal: np.dtype) -> np.ndarray:
    """``low`` becomes 0 and ``high`` the largest number of the goal, rounded, cut off outside."""
    pixels = np.empty(values.shape, goal)
    top = float(np.iinfo(goal).max)
    for rows, into in zip(_rows(values), _rows(pixels), strict=True):
        with np.errstate(all="ignore"):  # hostile floats overflow; they are cut off all the same
            share = (rows.astype(np.float64) - low) * (top / (high - low))
        into[:] = np.rint(np.clip(np.nan_to_num(share, nan=0.0, posinf=top, neginf=0.0), 0.0, top))
    return pixels


def _rows(values: np.ndarray) -> Iterator[np.ndarray]:
    return strips_of(values) if values.size else iter(())
