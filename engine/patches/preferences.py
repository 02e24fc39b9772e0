"""What decides between source patches besides resemblance: completeness, a fair price, and home.

Completeness makes a source patch nearer that nothing in the guess resembles, so that it finds a place. A price makes
patches dearer that are taken much more often than their share: without it the search falls in love with one dull patch
and papers the picture with it. Home is where a patch would lie had the picture been stretched: a slight pull there
keeps the sky on top and keeps pieces of things from floating about. It is weak along a side that changes, for there
things must move.

Values were chosen by eye on textures, facades, people and things, at twice and half the width. Completeness alone left
a third of a lawn as one repeated patch; with prices nothing of that is left. The pull home lowered the distances of
populations of patches by a tenth to a half and took away the pieces of rockets in the sky.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.patches import quad
from engine.patches.descriptors import patch_grid

FLOOR = 0.0005
"""Added to every distance before it is weighted, so that prices decide between patches that fit equally well."""

HOME = 0.02
"""Squared difference of colour that counts as much as being away from home by the source's shorter side."""

HOME_FALL = 2.5
"""How fast the pull home falls along a side that changes: at twice the length it is a sixth, its square a thirtieth."""

DRAWN_HOME = 0.12
"""The same where all is to stay in its place, along every side alike: at a sixth of it a thin tower came out torn or bent."""

PRICE_KEEP, PRICE_STEP, PRICE_MAX = 0.8, 0.25, 2.0
"""What stays of a price from turn to turn, what is added, and its largest logarithm: seven times as dear."""


def weights(closest: Tensor, alpha: float, price: Tensor) -> Tensor:
    """Put completeness and prices into one factor of each key's distance.

    Args:
        closest: (M,) squared distance from each key to the query nearest to it.
        alpha: how much even a key that is present counts; the larger, the less completeness matters.
        price: (rows, columns) of keys, logarithms; M in all.

    Source: Granot et al. 2022, section 3.2: S_ij = D_ij / (alpha + min_l D_lj), here times alpha.
    """
    return alpha / (alpha + closest) * torch.exp(price.flatten())


def raised(price: Tensor, index: Tensor, side: int) -> Tensor:
    """Make dearer what is taken more often than its share, and cheaper again what no longer is.

    Args:
        price: (rows, columns) of keys, logarithms, 0 for the usual price.
        index: (N,) int64, the key taken at each place.
        side: side of a patch in px: the share is that of a neighbourhood of so many patches.
    """
    rows, columns = price.shape
    count = torch.bincount(index, minlength=rows * columns).reshape(1, 1, rows, columns).float()
    around = F.avg_pool2d(count, side, 1, side // 2, count_include_pad=False)[0, 0]
    share = max(1.0, index.shape[0] / (rows * columns))  # a picture that shrinks may still keep things whole
    excess = torch.log((around + 0.1 * share) / (1.1 * share))
    return (PRICE_KEEP * price + PRICE_STEP * excess).clamp(0, PRICE_MAX)


def homes(
    source_hw: tuple[int, int],
    size_hw: tuple[int, int],
    corners: quad.Corners,
    side: int,
    *,
    is_drawn: bool = False,
) -> tuple[Tensor, Tensor]:
    """Give each patch two numbers more, whose squared distance is that from home.

    Args:
        source_hw: size of the source.
        size_hw: size of the guess.
        corners: where the source's corners lie in the guess, in px.
        side: side of a patch in px.
        is_drawn: whether all is to stay in its place.

    Returns:
        For the patches of the guess, (N, 2), and for those of the source, (M, 2).
    """
    height, width = source_hw
    box = quad.rectangle(source_hw)
    change = np.log(np.ptp(corners, axis=0) / np.ptp(box, axis=0))
    home, fall = (DRAWN_HOME, 0.0) if is_drawn else (HOME, HOME_FALL)
    pull = math.sqrt(home) / min(source_hw) * np.exp(-fall * np.abs(change))
    found = []
    for size, matrix in ((size_hw, quad.homography(corners, box)), (source_hw, np.eye(3))):
        rows, columns = patch_grid(size, side)
        y, x = np.mgrid[:rows, :columns]
        middle = quad.move_points(matrix, np.column_stack([x.ravel(), y.ravel()]) + side / 2)
        home = np.clip(np.nan_to_num(middle), 0, (width, height)) * pull
        found.append(torch.from_numpy(home.astype(np.float32)))
    return found[0], found[1]
