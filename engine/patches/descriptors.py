"""Every patch of a picture as one row of numbers, whole or shortened.

Patches are square windows that lie wholly inside, at every position, counted row by row from the top left; a picture
of H x W holds (H - side + 1) x (W - side + 1) of them. Rows are scaled so that the squared distance of two rows is the
mean squared difference of their pixels: a distance of 0.01 means colours that differ by a tenth, whatever the side.

A patch of 7 x 7 RGB is 147 numbers that say much the same thing. Turned onto the directions in which the patches of the
source vary most, 24 of them keep nearly all that tells two patches apart, and a comparison costs a sixth.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

_SAMPLE = 8192
"""Patches, about, that the directions are learned from: enough for a steady covariance of 147 numbers."""

_BAND = 64
"""Rows described at a time: bounds how long a request to stop waits."""


def patch_grid(size_hw: tuple[int, int], side: int) -> tuple[int, int]:
    """Count the patches down and across a picture."""
    return size_hw[0] - side + 1, size_hw[1] - side + 1


def whole_patches(picture: Tensor, side: int) -> Tensor:
    """List every patch with all its pixels.

    Args:
        picture: (3, H, W).
        side: side of a patch in px.

    Returns:
        (N, 3 * side * side).
    """
    rows: Tensor = F.unfold(picture[None], side)[0].T
    return (rows / math.sqrt(rows.shape[1])).contiguous()


class Directions:
    """The directions in which the patches of some pictures vary most.

    Args:
        pictures: (3, H, W) each; all count alike.
        side: side of a patch in px.
        count: directions kept at most.
    """

    def __init__(self, pictures: list[Tensor], side: int, count: int) -> None:
        rows = torch.cat([_some_patches(picture, side) for picture in pictures]).double()
        centred = rows - rows.mean(0)
        _, vectors = torch.linalg.eigh(centred.T @ centred)
        kept = vectors[:, -count:].T.to(torch.float32)
        self._filters = (kept / (kept.shape[1] ** 0.5)).reshape(-1, 3, side, side).contiguous()

    def describe(self, picture: Tensor, look: Callable[[], None] | None = None) -> Tensor:
        """Shorten every patch of a picture, (3, H, W), to (N, count); ``look`` is asked between bands of rows."""
        side = self._filters.shape[2]
        rows, columns = patch_grid((picture.shape[1], picture.shape[2]), side)
        found = torch.empty(rows * columns, self._filters.shape[0], device=picture.device)
        for start in range(0, rows, _BAND):
            if look is not None:
                look()
            end = min(start + _BAND, rows)
            band = F.conv2d(picture[None, :, start : end + side - 1], self._filters)[0]
            found[start * columns : end * columns] = band.flatten(1).T
        return found


def _some_patches(picture: Tensor, side: int) -> Tensor:
    rows, columns = patch_grid((picture.shape[1], picture.shape[2]), side)
    step = max(1, round(math.sqrt(rows * columns / _SAMPLE)))
    found: Tensor = F.unfold(picture[None], side, stride=step)[0].T
    return found
