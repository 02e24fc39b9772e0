"""Going from a coarse fill to a finer one: shrink what is known, enlarge what was filled, join windows.

All by plain numbers; which network paints what is told in inpaint.py. Levels are uint16, [0, 65535].
"""

import math
from dataclasses import dataclass

import numpy as np

from engine.crops import Box, Window
from engine.pipelines.pixels import floats_of, sixteen_of

DETAIL_PX = 2.0
"""Deviation of the blur that parts low frequencies (from the coarser fill) from detail (from the finer one), in px. The
coarser level has half the size, so waves shorter than about 8 px are all that it lacks."""

RIM_PX = 24.0
"""How far from the border of the hole a network's detail counts less: it tends to draw the border itself."""

FULL_WEIGHT = 4096
"""The weight of a window in the middle of what it repaints; four of these fit into 16 bits."""


@dataclass(frozen=True, eq=False)
class Level:
    """One size of a crop while windows give its hole detail."""

    pixels: np.ndarray
    """(h, w, 3) uint16: the weighted mean of all windows so far; the guess where none was yet."""
    own: np.ndarray
    """(h, w) bool: what is repainted."""
    guess: np.ndarray
    """(h, w, 3) uint16: before any window. Tone comes from here: what one window got wrong, the next does not build on."""
    weights: np.ndarray
    """(h, w) uint16: of the windows so far."""

    @classmethod
    def of(cls, pixels: np.ndarray, own: np.ndarray) -> "Level":
        """A level that no window has seen; ``pixels`` will change."""
        return cls(pixels, own, pixels.copy(), np.zeros(own.shape, dtype=np.uint16))

    def target(self, window: Window) -> np.ndarray:
        """(h, w) bool of the window's frame: what it repaints."""
        target = np.zeros(window.frame.size_hw, dtype=np.bool_)
        target[window.region.inside(window.frame).slices] = self.own[window.region.slices]
        return target

    def take(self, window: Window, fill: np.ndarray) -> None:
        """Give a window's part the detail of ``fill``, (h, w, 3) float32 of the window's frame in [0, 1]."""
        place = window.frame.slices
        target, weight = self.target(window), fade(window)
        guess = floats_of(self.guess[place])
        share = trust(self.own[place])[..., None]
        fill = guess * (1 - share) + with_low_frequencies_of(guess, fill, target) * share
        pixels, weights = self.pixels[place], self.weights[place]
        before, added = weights[target], weight[target]
        # Where no window was before, nothing of the guess is mixed in.
        share = (added / (before.astype(np.float32) + added))[:, None]
        pixels[target] = sixteen_of(floats_of(pixels[target]) * (1 - share) + fill[target] * share)
        weights[target] = before + added


def with_low_frequencies_of(coarse: np.ndarray, fill: np.ndarray, target: np.ndarray) -> np.ndarray:
    """``fill`` with its low frequencies replaced by those of ``coarse``, both looked at inside ``target`` alone."""
    import cv2

    weight = target.astype(np.float32)
    difference = (coarse - fill) * weight[..., None]
    low = cv2.GaussianBlur(difference, (0, 0), DETAIL_PX)
    share = np.maximum(cv2.GaussianBlur(weight, (0, 0), DETAIL_PX), 1e-6)
    return np.asarray(np.clip(fill + low / share[..., None], 0, 1))


def fade(window: Window) -> np.ndarray:
    """(h, w) uint16 of a window's frame, its weight: full in the middle, 1 at the border of its region, 0 beyond.

    A network draws the border of what it repaints, as waves that run along it. Two windows that overlap therefore
    change places slowly, each counting least where it is next to its own border.
    """

    def ramp(length: int, core: tuple[int, int], region: tuple[int, int]) -> np.ndarray:
        places = np.arange(length) + 0.5
        share = np.ones(length)
        # A side without an overlap lies at the picture's border, where no other window takes over.
        if core[0] > region[0]:
            share = np.minimum(share, (places - region[0]) / (2 * (core[0] - region[0])))
        if region[1] > core[1]:
            share = np.minimum(share, (region[1] - places) / (2 * (region[1] - core[1])))
        share = share.clip(0, 1)
        return np.asarray(share * share * (3 - 2 * share))

    h, w = window.frame.size_hw
    core, region = window.core.inside(window.frame), window.region.inside(window.frame)
    down = ramp(h, (core.y0, core.y1), (region.y0, region.y1))
    across = ramp(w, (core.x0, core.x1), (region.x0, region.x1))
    weight = np.zeros((h, w), dtype=np.uint16)
    share = down[:, None] * across[None]
    weight[region.slices] = np.maximum(np.rint(share[region.slices] * FULL_WEIGHT), 1)
    return weight


def trust(target: np.ndarray) -> np.ndarray:
    """(h, w) float32: how much of a network's detail is taken, 0 at the border of ``target``, 1 well inside.

    Args:
        target: (h, w) bool, what may be repainted; the sides of the frame are no border.
    """
    import cv2

    distance_px = cv2.distanceTransform(target.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.minimum(distance_px / np.float32(RIM_PX), 1) ** 2, dtype=np.float32)


def shrink_known(
    image: np.ndarray, hole: np.ndarray, size_hw: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Shrink a picture so that no colour of its hole leaks out.

    A pixel of the result is the mean of the known pixels it stands for, and is hole itself where less than half of
    them are known. Thin holes therefore close on coarse levels, and are filled on the fine ones alone.

    Args:
        image: (h, w, 3) uint16.
        hole: (h, w) bool.
        size_hw: smaller, or the same.

    Returns:
        (H, W, 3) uint16 and (H, W) bool, fresh arrays.
    """
    import cv2

    if size_hw == hole.shape:
        return image.copy(), hole.copy()
    known = np.where(hole, 0, 65535).astype(np.uint16)
    share = cv2.resize(known, size_hw[::-1], interpolation=cv2.INTER_AREA)
    is_known = share >= 32768
    if not is_known.any():
        is_known = share > 0
    blanked = image.copy()
    blanked[hole] = 0
    mean = cv2.resize(blanked, size_hw[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    mean *= 65535 / np.maximum(share, 1).astype(np.float32)[..., None]
    return np.clip(np.rint(mean), 0, 65535).astype(np.uint16), ~is_known


def enlarge_into(level: np.ndarray, hole: np.ndarray, coarse: np.ndarray) -> None:
    """Put the enlarged coarse fill into the hole of the next level; changes ``level``."""
    import cv2

    larger = cv2.resize(coarse, hole.shape[::-1], interpolation=cv2.INTER_CUBIC)
    level[hole] = larger[hole]


def scaled(box: Box, size_hw: tuple[int, int], to_hw: tuple[int, int]) -> Box:
    """The box at another size of its frame, rounded outwards."""
    down, across = to_hw[0] / size_hw[0], to_hw[1] / size_hw[1]
    return Box(
        int(box.x0 * across),
        int(box.y0 * down),
        min(math.ceil(box.x1 * across), to_hw[1]),
        min(math.ceil(box.y1 * down), to_hw[0]),
    )
