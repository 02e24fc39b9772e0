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

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.patches.descriptors import patch_grid
from engine.patches.search import Look

_SLICES = 48
"""Directions in a round."""

_AT_ONCE = 2**21
"""Numbers held for some directions at a time: bounds memory, and how long a request to stop waits."""


def balanced(
    picture: Tensor, source: Tensor, side: int, *, rounds: int, generator: torch.Generator, look: Look
) -> Tensor:
    """Move the patches of a picture towards the population of its source.

    Args:
        picture: (3, h, w) in [0, 1]; not modified.
        source: (3, H, W).
        side: side of a patch in px.
        rounds: how often patches move, each time along other directions. The first three do most of it.
        generator: where directions come from, on the CPU: another seed gives another picture.
        look: asked between directions whether to go on.

    Returns:
        (3, h, w) in [0, 1].
    """
    grid_hw = patch_grid((picture.shape[1], picture.shape[2]), side)
    given = math.prod(patch_grid((source.shape[1], source.shape[2]), side))
    numbers = 3 * side * side
    overlap = F.conv_transpose2d(picture.new_ones(1, 1, *grid_hw), picture.new_ones(1, 1, side, side))[0]
    ranks = _ranks(math.prod(grid_hw), given, picture.device)
    at_once = max(1, _AT_ONCE // max(math.prod(grid_hw), given))
    for _ in range(rounds):
        slices = F.normalize(torch.randn(_SLICES, numbers, generator=generator), dim=1)
        step = torch.zeros_like(picture)
        for some in torch.split(slices, at_once):
            filters = some.reshape(-1, 3, side, side).to(picture.device)
            step += F.conv_transpose2d(_moves(picture, source, filters, ranks, look)[None], filters)[0]
        # A move is seen along few of the directions that patches have: the mean over all is so many times as large.
        picture = (picture + step * (numbers / _SLICES) / overlap).clamp(0, 1)
    return picture


def _moves(
    picture: Tensor, source: Tensor, filters: Tensor, ranks: tuple[Tensor, Tensor, Tensor], look: Look
) -> Tensor:
    """Say how far each patch has to move along some directions: (directions, rows, columns)."""
    low, high, part = ranks
    look()
    there, _ = _sorted(F.conv2d(source[None], filters)[0].flatten(1))
    look()
    seen = F.conv2d(picture[None], filters)[0]
    here, order = _sorted(seen.flatten(1))
    goal = there[:, low] * (1 - part) + there[:, high] * part
    return torch.zeros_like(here).scatter_(1, order, goal - here).reshape(seen.shape)


def _sorted(table: Tensor) -> tuple[Tensor, Tensor]:
    """Sort each row: values, and from where they came. On a CPU numpy takes a sixth of the time torch takes."""
    if table.device.type != "cpu":
        found = table.sort(1)
        return found.values, found.indices
    order = torch.from_numpy(np.argsort(table.numpy(), axis=1))
    return table.gather(1, order), order


def _ranks(count: int, others: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Say between which of the others, in order, each rank lies, and how far from the lower one."""
    place = ((torch.arange(count, dtype=torch.float64) + 0.5) / count * others - 0.5).clamp(0, others - 1)
    low = place.floor().long()
    return low.to(device), (low + 1).clamp(max=others - 1).to(device), (place - low).float().to(device)
