"""Measure how well a result is made of its source's patches.

Coherence: how far the patches of the result are from anything in the source; artefacts, blur and stretching raise it.
Completeness: how far the patches of the source are from anything in the result; whatever was lost raises it. Both are
means of differences of colour in [0, 1], so 0.02 is a difference of five levels of 255. Sliced Wasserstein: how far the
two populations of patches differ as a whole, so that a texture that covers half of the source should cover half of the
result. All are means over three scales, and 0 is best.

Patches are sampled evenly above a few thousand, so that pictures of any size take seconds.

Sources: Simakov et al., "Summarizing Visual Data Using Bidirectional Similarity", CVPR 2008; Rabin et al.,
    "Wasserstein Barycenter and Its Application to Texture Mixing", SSVM 2011; Elnekave and Weiss, "Generating Natural
    Images with Direct Patch Distributions Matching", ECCV 2022.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.patches.descriptors import patch_grid, whole_patches
from engine.patches.pyramid import resize
from engine.patches.search import Look, nearest

SIDE = 7
"""Side of the patches compared, in px."""

SCALES = (1.0, 0.5, 0.25)
"""Sizes at which they are compared: fine detail, things, arrangement."""

ASKED = 2500
"""Patches at most that ask for their nearest, on each scale."""

SLICES = 128
"""Directions along which populations are compared."""

_QUANTILES = 1024


@dataclass(frozen=True)
class Scores:
    """Three distances between a source and a result; 0 is best."""

    coherence: float
    """From patches of the result to the source."""

    completeness: float
    """From patches of the source to the result."""

    sliced_wasserstein: float
    """Between all patches of both."""


def measure(
    source: np.ndarray, result: np.ndarray, inside: np.ndarray | None = None, look: Look | None = None
) -> Scores:
    """Compare a result with its source.

    Args:
        source: (H, W, 3) float32 RGB in [0, 1].
        result: (h, w, 3) float32.
        inside: (h, w) bool, the part of ``result`` that counts; None for all.
        look: asked between parts of the work whether to go on.

    Returns:
        The three distances, averaged over the scales at which both pictures hold a patch.
    """
    found = []
    for scale in SCALES:
        ours, theirs = _at(source, scale), _at(result, scale)
        side = min(SIDE, *ours.shape[:2], *theirs.shape[:2])
        if scale < 1 and side < SIDE:
            continue
        kept = None if inside is None else _whole_inside(inside, theirs.shape[:2], side)
        if kept is not None and not bool(kept.any()):
            continue
        found.append(_one_scale(_tensor(ours), _tensor(theirs), kept, side, look))
    if not found:
        return Scores(0.0, 0.0, 0.0)
    means = np.mean(found, axis=0)
    return Scores(float(means[0]), float(means[1]), float(means[2]))


def sliced_wasserstein(ours: Tensor, theirs: Tensor, slices: int = SLICES) -> float:
    """Compare two populations of rows along random directions of unit length.

    Args:
        ours: (N, D).
        theirs: (M, D).
        slices: how many directions; always the same ones for the same D.

    Returns:
        Mean over directions of the mean distance between equal ranks.
    """
    generator = torch.Generator().manual_seed(0)
    directions = F.normalize(torch.randn(ours.shape[1], slices, generator=generator), dim=0)
    one, other = _ranks(ours @ directions), _ranks(theirs @ directions)
    return float((one - other).abs().mean())


def _one_scale(
    source: Tensor, result: Tensor, kept: Tensor | None, side: int, look: Look | None
) -> tuple[float, float, float]:
    ours, theirs = whole_patches(source, side), whole_patches(result, side)
    if kept is not None:
        theirs = theirs[kept]
    coherence = nearest(_some(theirs), ours, look=look)[1].sqrt().mean()
    completeness = nearest(_some(ours), theirs, look=look)[1].sqrt().mean()
    # Rows are scaled for mean differences; a direction of unit length sees a D-th of their square.
    scale = ours.shape[1] ** 0.5
    return float(coherence), float(completeness), sliced_wasserstein(ours * scale, theirs * scale)


def _some(rows: Tensor) -> Tensor:
    if rows.shape[0] <= ASKED:
        return rows
    return rows[torch.linspace(0, rows.shape[0] - 1, ASKED).round().long()]


def _ranks(table: Tensor) -> Tensor:
    """Bring each column, sorted, to a fixed number of ranks: (N, S) to (_QUANTILES, S)."""
    ordered = table.sort(0).values
    place = (torch.arange(_QUANTILES) + 0.5) / _QUANTILES * ordered.shape[0] - 0.5
    low = place.floor().long().clamp(0, ordered.shape[0] - 1)
    high = (low + 1).clamp(max=ordered.shape[0] - 1)
    part = (place - low).clamp(0, 1)[:, None]
    return ordered[low] * (1 - part) + ordered[high] * part


def _whole_inside(inside: np.ndarray, size_hw: tuple[int, int], side: int) -> Tensor:
    soft = resize(inside.astype(np.float32), size_hw)
    whole = -F.max_pool2d(-torch.from_numpy(soft)[None, None], side, stride=1)[0, 0]
    rows, columns = patch_grid(size_hw, side)
    return (whole > 0.99).reshape(rows * columns)


def _at(picture: np.ndarray, scale: float) -> np.ndarray:
    height, width = picture.shape[:2]
    return resize(picture, (max(1, round(height * scale)), max(1, round(width * scale))))


def _tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1), dtype=np.float32))
