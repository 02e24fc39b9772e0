"""Measure the seam around a filled hole, and smooth it where it shows.

A seam is a step in colour, or a kink in its slope, that follows the border of the hole. Pictures have steps and kinks
of their own, so a number alone says nothing: both are also measured in a ring of known pixels just outside, and the
fill has a seam if it has more of it than the ring.

The cure is a membrane: the difference between the colours just outside and just inside the border is held fixed along
the border, spread into the hole as smoothly as a soap film would, and added to the fill. Its details stay; its tone
bends until it meets the picture. Known pixels are never touched.

Units: colours count from 0 to 1, whatever the bit depth.
Source: the membrane is Poisson cloning written as an interpolation: Pérez et al., "Poisson Image Editing", 2003, and
    Farbman et al., "Coordinates for Instant Image Cloning", 2009. Left out: the exact solver; a relaxed film on a grid
    of at most 256 cells a side differs by less than a grey level in the pictures tried.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

RING_PX = 6
"""How far outside the hole the picture's own steps are looked at."""
BAND_PX = 3
"""Depth on either side of the border over which colours are averaged before they are compared."""
TOLERATED = 1.1
"""A step this many times the picture's own is still taken for the picture's."""
VISIBLE = 0.5 / 255
"""Steps smaller than this much above the picture's own cannot be seen, nor kept in 8 bits."""
GRID_CELLS = 256
"""Longest side of the grid on which the membrane is relaxed."""
RELAXATIONS = 64
BAND_ROWS = 512
"""Rows looked at together; bounds the memory for a hole of any size."""


@dataclass(frozen=True)
class Seam:
    """Steps along the border of a hole beside the picture's own; colours from 0 to 1, means over all channels."""

    colour_step: float = 0.0
    """Mean difference of two neighbours, one inside and one outside."""
    picture_colour_step: float = 0.0
    """The same of two neighbours in the ring outside."""
    gradient_step: float = 0.0
    """Mean change of slope across the border: the pair inside against the pair outside."""
    picture_gradient_step: float = 0.0
    """The same within the ring outside."""
    border_px: int = 0
    """Pairs of neighbours along the border."""
    corrected: bool = False
    """Whether the fill was bent to meet the picture."""

    @property
    def is_visible(self) -> bool:
        """Whether the fill has more of a step than the picture around it."""
        return self.border_px > 0 and self.colour_step > TOLERATED * self.picture_colour_step + VISIBLE

    def as_dict(self) -> dict[str, Any]:
        """For reports."""
        return {
            name: round(value, 6) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def summarise(seams: list[Seam]) -> Seam:
    """One seam for several crops: means weighted by border length; corrected if any was."""
    total = sum(seam.border_px for seam in seams)
    if not total:
        return Seam()

    def mean(name: str) -> float:
        return float(sum(getattr(seam, name) * seam.border_px for seam in seams) / total)

    return Seam(
        mean("colour_step"),
        mean("picture_colour_step"),
        mean("gradient_step"),
        mean("picture_gradient_step"),
        total,
        any(seam.corrected for seam in seams),
    )


def measure_seam(colours: np.ndarray, hole: np.ndarray, known: np.ndarray) -> Seam:
    """Measure the steps along the border between a filled hole and what is known.

    Args:
        colours: (h, w, C) uint8 or uint16, the composite; hole and a few known pixels around it.
        hole: (h, w) bool, what was filled.
        known: (h, w) bool, pixels of the picture itself. What is neither (another hole) is not looked at.
    """
    sums = np.zeros(4)
    counts = np.zeros(4, dtype=np.int64)
    for rows, own in _bands(hole.shape[0]):
        part = colours[rows].astype(np.float32) / np.float32(np.iinfo(colours.dtype).max)
        ring = _ring(hole[rows], known[rows])
        for axis in (0, 1):
            for place, (values, chosen) in enumerate(_steps(part, hole[rows], known[rows], ring, axis)):
                # A step counts in the band that owns its first pixel; the rows around are only looked at.
                chosen = _owned(chosen, own)
                sums[place] += float(values[chosen].sum(dtype=np.float64)) / colours.shape[2]
                counts[place] += int(np.count_nonzero(chosen))
    means = sums / np.maximum(counts, 1)
    return Seam(float(means[0]), float(means[1]), float(means[2]), float(means[3]), int(counts[0]))


def smooth_seam(colours: np.ndarray, hole: np.ndarray, known: np.ndarray, strength: np.ndarray) -> Seam:
    """Measure the seam, and bend the fill towards the picture if it shows.

    Args:
        colours: (h, w, C) uint8 or uint16, the composite; its hole is changed in place, and only if that helps.
        hole: (h, w) bool, what was filled.
        known: (h, w) bool, pixels of the picture itself.
        strength: (h, w) float32, how much of the fill shows (the soft mask); a correction shows as much.

    Returns:
        The seam as it is now.
    """
    before = measure_seam(colours, hole, known)
    if not before.is_visible:
        return before
    field = _membrane(colours, hole, known)
    if field is None:
        return before
    kept = colours[hole]
    _add(colours, field, hole, strength)
    after = measure_seam(colours, hole, known)
    if after.colour_step >= before.colour_step:
        colours[hole] = kept
        return before
    return replace(after, corrected=True)


def _bands(height: int) -> Iterator[tuple[slice, slice]]:
    """Rows to look at with a halo, and which of these the band owns."""
    halo = RING_PX + 4
    for top in range(0, height, BAND_ROWS):
        first = max(top - halo, 0)
        last = min(top + BAND_ROWS, height)
        yield slice(first, min(last + halo, height)), slice(top - first, last - first)


def _owned(chosen: np.ndarray, rows: slice) -> np.ndarray:
    mine = np.zeros_like(chosen)
    mine[rows] = chosen[rows]
    return mine


def _ring(hole: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Known pixels near the hole."""
    import cv2

    size = 2 * RING_PX + 1
    near = cv2.dilate(hole.astype(np.uint8), np.ones((size, size), np.uint8))
    return np.asarray((near > 0) & known)


def _steps(
    colours: np.ndarray, hole: np.ndarray, known: np.ndarray, ring: np.ndarray, axis: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Values and choice of: colour step, the picture's, gradient step, the picture's; along one axis."""
    inside, outside, near = (np.moveaxis(plane, axis, 0) for plane in (hole, known, ring))
    values = np.moveaxis(colours, axis, 0)
    slope = np.diff(values, axis=0)
    steps = np.abs(slope).sum(axis=-1)
    crossing = (inside[:-1] & outside[1:]) | (outside[:-1] & inside[1:])
    yield np.moveaxis(steps, 0, axis), np.moveaxis(crossing, 0, axis)
    yield np.moveaxis(steps, 0, axis), np.moveaxis(near[:-1] & near[1:], 0, axis)
    # Four in a row: two on each side of the border, and its own step in the middle left out.
    kinks = np.abs(slope[2:] - slope[:-2]).sum(axis=-1)
    into = outside[:-3] & outside[1:-2] & inside[2:-1] & inside[3:]
    out_of = inside[:-3] & inside[1:-2] & outside[2:-1] & outside[3:]
    own = near[:-3] & near[1:-2] & near[2:-1] & near[3:]
    yield np.moveaxis(kinks, 0, axis), np.moveaxis(into | out_of, 0, axis)
    yield np.moveaxis(kinks, 0, axis), np.moveaxis(own, 0, axis)


def _membrane(colours: np.ndarray, hole: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """(gh, gw, C) float32: what is to be added to the fill, on a grid; None if the hole meets nothing known."""
    import cv2

    h, w = hole.shape
    cell = max(1, -(-max(h, w) // GRID_CELLS))
    grid_wh = (-(-w // cell), -(-h // cell))
    size = 2 * BAND_PX + 1
    brush = np.ones((size, size), np.uint8)
    outer = (cv2.dilate(hole.astype(np.uint8), brush) > 0) & known
    inner = (cv2.dilate(known.astype(np.uint8), brush) > 0) & hole
    reach = 2 * max(1, -(-BAND_PX // cell)) + 1
    outside, has_outside = _local_mean(colours, outer, grid_wh, reach)
    inside, has_inside = _local_mean(colours, inner, grid_wh, reach)
    fixed = _shrunk(inner, grid_wh) > 0
    fixed &= has_outside & has_inside
    if not fixed.any():
        return None
    field = np.where(fixed[..., None], outside - inside, 0).astype(np.float32)
    free = (_shrunk(hole, grid_wh) > 0) & ~fixed
    field = _spread(field, fixed.astype(np.float32))
    for _ in range(RELAXATIONS):
        padded = np.pad(field, ((1, 1), (1, 1), (0, 0)), mode="edge")
        mean = (padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]) / 4
        field = np.where(free[..., None], mean, field)
    return field


def _shrunk(plane: np.ndarray, grid_wh: tuple[int, int]) -> np.ndarray:
    """Share of each grid cell that is True."""
    import cv2

    if grid_wh == plane.shape[::-1]:
        return plane.astype(np.float32)
    return np.asarray(cv2.resize(plane.astype(np.float32), grid_wh, interpolation=cv2.INTER_AREA))


def _local_mean(
    colours: np.ndarray, chosen: np.ndarray, grid_wh: tuple[int, int], reach: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean colour of the chosen pixels around each grid cell, and where there are any."""
    import cv2

    top = np.float32(np.iinfo(colours.dtype).max)
    weight = cv2.blur(_shrunk(chosen, grid_wh), (reach, reach))
    planes = []
    for channel in range(colours.shape[2]):  # one at a time bounds the memory
        plane: np.ndarray = np.where(chosen, colours[..., channel], 0).astype(np.float32) / top
        if grid_wh != chosen.shape[::-1]:
            plane = cv2.resize(plane, grid_wh, interpolation=cv2.INTER_AREA)
        planes.append(cv2.blur(plane, (reach, reach)))
    has_any = weight > 1e-5
    return np.stack(planes, axis=-1) / np.where(has_any, weight, 1)[..., None], has_any


def _spread(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Fill cells without weight from ever coarser means of those with: a first guess for the relaxation."""
    import cv2

    h, w = weight.shape
    if weight.all() or max(h, w) == 1:
        return values
    half_wh = ((w + 1) // 2, (h + 1) // 2)
    coarse_weight = cv2.resize(weight, half_wh, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(values * weight[..., None], half_wh, interpolation=cv2.INTER_AREA)
    coarse = coarse.reshape(half_wh[1], half_wh[0], values.shape[2])
    coarse = coarse / np.where(coarse_weight > 0, coarse_weight, 1)[..., None]
    guess = _spread(coarse, (coarse_weight > 0).astype(np.float32))
    guess = cv2.resize(guess, (w, h), interpolation=cv2.INTER_LINEAR).reshape(values.shape)
    return np.where(weight[..., None] > 0, values, guess).astype(np.float32)


def _add(colours: np.ndarray, field: np.ndarray, hole: np.ndarray, strength: np.ndarray) -> None:
    """Add the membrane to the hole, in bands of rows and rounded once."""
    import cv2

    h, w = hole.shape
    grid_h, grid_w, channels = field.shape
    top = float(np.iinfo(colours.dtype).max)
    # Pixel middles in grid cells, as resizing with aligned corners of areas has it.
    xs = ((np.arange(w, dtype=np.float32) + 0.5) * (grid_w / w) - 0.5)[None]
    for first in range(0, h, BAND_ROWS):
        rows = slice(first, min(first + BAND_ROWS, h))
        ys = ((np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) * (grid_h / h) - 0.5)[:, None]
        shape = (rows.stop - rows.start, w)
        map_x, map_y = np.broadcast_to(xs, shape).copy(), np.broadcast_to(ys, shape).copy()
        part = cv2.remap(field, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        part = part.reshape(*shape, channels) * strength[rows][..., None]
        chosen = hole[rows]
        values = colours[rows][chosen] + part[chosen] * top
        colours[rows][chosen] = np.clip(np.rint(values), 0, top).astype(colours.dtype)
