"""Find the lines in a map of guessed edges, the faint ones too.

A network that is not sure guesses broadly: a haze that is high nowhere and has no direction. Shown as it is, faint
lines drown in it; cut at a level, the haze turns into a patch. A line is told from haze by its shape: across it, the
map falls on both sides. So we keep the crests and leave slopes and plains out, whatever their height.

Letters: h, w rows and columns of a box; grain is canvas pixels to a pixel of the network, which blurs by that much.
Cost: about 50 ms for a million pixels; a map without anything above LEAST costs nothing.
"""

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Floats = NDArray[np.float32]
Marks = NDArray[np.bool_]

LEAST = 12
"""Of 255: fainter guesses change no fill."""
SHARE = 0.18
"""A crest falls by this share of its height on both sides, within the reach."""
REACH = 4
"""How far to the sides one looks, in grains."""
DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))


def crests(values: Plane, is_known: Marks, grain: float = 1.0) -> Plane:
    """The lines of a map, one pixel wide, as strong as the map is there; 0 elsewhere.

    Args:
        values: (h, w), 255 = an edge for sure.
        is_known: (h, w), where the map says anything; what lies beyond is no slope.
        grain: canvas pixels to a pixel of the network, 1 or more.
    """
    found = np.zeros_like(values)
    is_strong = (values >= LEAST) & is_known
    rows, columns = np.flatnonzero(is_strong.any(axis=1)), np.flatnonzero(is_strong.any(axis=0))
    if not rows.size:
        return found
    margin = margin_px(grain)
    cut = (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + 1 + margin),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + 1 + margin),
    )
    reach = round(REACH * grain)
    is_crest = _crests(_heights(values[cut], is_known[cut], grain), is_strong[cut], reach)
    # Crests of a few pixels are what noise has; a line goes on for longer than one looks to its sides.
    is_line = is_crest & (_count(is_crest, reach) > reach)
    found[cut][is_line] = values[cut][is_line]
    return found


def margin_px(grain: float) -> int:
    """How far around a pixel one looks to tell whether it belongs to a line."""
    return 2 * round(REACH * grain) + 2 * int(grain) + 2


def tone(values: Plane) -> Plane:
    """How strongly a line is shown: by the square root, so that a faint one is faint and yet seen."""
    return np.asarray(_TONES[values])


_TONES = np.round(np.sqrt(np.arange(256) * 255.0)).astype(np.uint8)


def _heights(values: Plane, is_known: Marks, grain: float) -> Floats:
    """The map without its noise; infinite where nothing is known."""
    heights = _blurred(values.astype(np.float32) * is_known, grain)
    if is_known.all():
        return heights
    weights = _blurred(is_known.astype(np.float32), grain)
    heights /= np.maximum(weights, 1e-6)
    heights[~is_known] = np.inf
    return heights


def _crests(heights: Floats, is_strong: Marks, reach: int) -> Marks:
    """Where the map is highest across the direction in which it falls most."""
    pad = np.pad(heights, reach, constant_values=np.inf)
    h, w = heights.shape
    is_top = np.zeros((len(DIRECTIONS), h, w), np.bool_)
    for tops, (dy, dx) in zip(is_top, DIRECTIONS, strict=True):
        before = pad[reach - dy : reach - dy + h, reach - dx : reach - dx + w]
        after = pad[reach + dy : reach + dy + h, reach + dx : reach + dx + w]
        np.greater_equal(heights, before, out=tops)  # of equal ones in a row, the last is the top
        tops &= heights > after
        tops &= is_strong
    places = np.flatnonzero(is_top.any(axis=0))
    rows, columns = np.divmod(places, w)
    at = (rows + reach) * pad.shape[1] + columns + reach
    flat = pad.ravel()
    falls = np.empty((len(DIRECTIONS), places.size), np.float32)
    for fall, (dy, dx) in zip(falls, DIRECTIONS, strict=True):
        step = dy * pad.shape[1] + dx
        close, distant = (reach + 1) // 2 * step, reach * step
        # Close to the border only one of the two is known, and beyond it none: then it does not fall there.
        before = np.minimum(flat[at - close], flat[at - distant])
        after = np.minimum(flat[at + close], flat[at + distant])
        np.subtract(flat[at], np.maximum(before, after), out=fall)
    steepest = falls.argmax(axis=0)
    index = np.arange(places.size)
    is_crest = np.zeros(h * w, np.bool_)
    is_crest[places] = is_top.reshape(len(DIRECTIONS), -1)[steepest, places] & (
        falls[steepest, index] >= SHARE * flat[at]
    )
    return is_crest.reshape(h, w)


def _count(marks: Marks, radius: int) -> NDArray[np.int32]:
    """How many there are within a square of 2 radius + 1."""
    size = 2 * radius + 1
    counts = np.pad(marks, ((radius + 1, radius), (radius + 1, radius))).cumsum(axis=0, dtype=np.int32)
    counts = (counts[size:] - counts[:-size]).cumsum(axis=1, dtype=np.int32)
    return np.asarray(counts[:, size:] - counts[:, :-size])


def _blurred(plane: Floats, grain: float) -> Floats:
    """Blurred by 1 2 1 along both axes, at a step of 1, 2, 4 ... as far as the grain goes; zero lies around."""
    step = 1
    while step <= grain:
        for axis in (0, 1):
            sums = plane * 2
            into, source = sums.swapaxes(0, axis), plane.swapaxes(0, axis)
            into[step:] += source[:-step]
            into[:-step] += source[step:]
            plane = sums * 0.25
        step *= 2
    return plane
