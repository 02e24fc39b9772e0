"""Bring the patches of a picture nearer to being those of its source, each as often as there.

Seen along one direction, a population of patches is a row of numbers, and what takes one population to another is known:
the lowest moves to where the lowest was, and so on in order. Every patch is moved so along some random directions at
once, neighbours that overlap agree by their mean, and with other directions it is done again. A picture drawn in keeps
its arrangement and gets back what drawing in took: edges as steep, and marks as large, as those of the source.

Sources: Rabin et al., "Wasserstein Barycenter and Its Application to Texture Mixing", SSVM 2011 (directions in turn);
    Elnekave and Weiss, "Generating Natural Images with Direct Patch Distributions Matching", ECCV 2022 (patches of a
    picture that overlap, from coarse to fine; there by descent with Adam, which came as near in as many rounds).
Cost: 10 rounds at 192 x 128 px take half a second of one core.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.patches.descriptors import patch_grid
from engine.patches.search import Look

LIMIT_PX = 2**16
"""Pixels of source or picture up to which a level is balanced: what is finer follows."""

ROUNDS = 10
"""How often patches move on a level. With 16, seven remakes came nearer to their sources by a fifteenth, and a thin rocket
was torn."""

_SLICES = 48
"""Directions at once."""


def balanced(picture: Tensor, source: Tensor, side: int, *, generator: torch.Generator, look: Look) -> Tensor:
    """Move the patches of a picture towards the population of its source.

    Args:
        picture: (3, h, w) in [0, 1]; not modified.
        source: (3, H, W).
        side: side of a patch in px.
        generator: where directions come from, on the CPU: another seed gives another picture.
        look: asked between rounds whether to go on.

    Returns:
        (3, h, w) in [0, 1].
    """
    rows, columns = patch_grid((picture.shape[1], picture.shape[2]), side)
    numbers = 3 * side * side
    overlap = F.conv_transpose2d(picture.new_ones(1, 1, rows, columns), picture.new_ones(1, 1, side, side))[0]
    low, high, part = _ranks(rows * columns, (source.shape[1] - side + 1) * (source.shape[2] - side + 1))
    low, high, part = (one.to(picture.device) for one in (low, high, part))
    for _ in range(ROUNDS):
        look()
        slices = F.normalize(torch.randn(_SLICES, numbers, generator=generator), dim=1)
        filters = slices.reshape(_SLICES, 3, side, side).to(picture.device)
        there, _ = _sorted(F.conv2d(source[None], filters)[0].flatten(1))
        here, order = _sorted(F.conv2d(picture[None], filters)[0].flatten(1))
        goal = there[:, low] * (1 - part) + there[:, high] * part
        moves = torch.zeros_like(here).scatter_(1, order, goal - here).reshape(1, _SLICES, rows, columns)
        # A move is seen along few of the directions that patches have: the mean over all is so many times as large.
        step = F.conv_transpose2d(moves, filters)[0] * (numbers / _SLICES) / overlap
        picture = (picture + step).clamp(0, 1)
    return picture


def _sorted(table: Tensor) -> tuple[Tensor, Tensor]:
    """Sort each row: values, and from where they came. On a CPU numpy takes a sixth of the time torch takes."""
    if table.device.type != "cpu":
        found = table.sort(1)
        return found.values, found.indices
    order = torch.from_numpy(np.argsort(table.numpy(), axis=1))
    return table.gather(1, order), order


def _ranks(count: int, others: int) -> tuple[Tensor, Tensor, Tensor]:
    """Say between which of the others, in order, each rank lies, and how far from the lower one."""
    place = ((torch.arange(count, dtype=torch.float64) + 0.5) / count * others - 0.5).clamp(0, others - 1)
    low = place.floor().long()
    return low, (low + 1).clamp(max=others - 1), (place - low).float()
