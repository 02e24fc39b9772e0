"""Say in numbers how far a filled picture is from the true one.

House measures work on colour in [0, 1]; official ones on gray, as EdgeConnect's authors measured. Every function
takes stacks of pictures of one size and answers one value a picture, so that a method is measured in one pass.

Letters: K pictures, H, W sides in px, C channels, D features.
Cost: SSIM dominates, about 30 ms for 256x256x3 on one core.
Source: Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", IEEE TIP 2004; Heusel
    et al., "GANs Trained by a Two Time-Scale Update Rule", 2017, arXiv:1706.08500 (FID).
torchmetrics and scikit-image are imported where they are used: the evaluation's options and tables start without them.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Floats = NDArray[np.float64]

OFFICIAL_SSIM_WINDOW_PX = 51


def psnr(result: NDArray[Any], truth: NDArray[Any]) -> Floats:
    """Peak signal to noise over the whole frame, in dB; infinite where nothing differs.

    Args:
        result: (K, H, W) or (K, H, W, C) floats in [0, 1].
        truth: the same shape.

    Returns:
        (K,)
    """
    axes = tuple(range(1, result.ndim))
    error = np.square(np.asarray(result, np.float64) - truth).mean(axis=axes)
    with np.errstate(divide="ignore"):
        return np.asarray(-10.0 * np.log10(error))


def hole_l1(result: NDArray[Any], truth: NDArray[Any], hole: NDArray[Any]) -> Floats:
    """Mean absolute difference over the hole's pixels and channels, in [0, 1].

    Args:
        result: (K, H, W, C) floats in [0, 1].
        truth: the same shape.
        hole: (K, H, W), True = hole; every picture has at least one such pixel.

    Returns:
        (K,)
    """
    difference = np.abs(np.asarray(result, np.float64) - truth).mean(axis=-1)
    return np.asarray((difference * hole).sum(axis=(1, 2)) / hole.sum(axis=(1, 2)))


def ssim(result: NDArray[Any], truth: NDArray[Any], hole: NDArray[Any]) -> tuple[Floats, Floats]:
    """Structural similarity in colour: Gaussian window of 11 px, deviation 1.5, channels averaged.

    Args:
        result: (K, H, W, C) floats in [0, 1].
        truth: the same shape.
        hole: (K, H, W), True = hole.

    Returns:
        Two times (K,): the mean over the frame, and the mean over the hole's pixels. A pixel's value looks 5 px
        around, so that the hole's mean also sees how the fill meets its border.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    answer = structural_similarity_index_measure(
        _planes(result), _planes(truth), data_range=1.0, reduction="none", return_full_image=True
    )
    frame, values = (np.asarray(part, np.float64) for part in answer)
    by_pixel = values.mean(axis=1)
    return frame, np.asarray((by_pixel * hole).sum(axis=(1, 2)) / hole.sum(axis=(1, 2)))


def edge_counts(edges: NDArray[Any], truth: NDArray[Any], hole: NDArray[Any]) -> NDArray[np.int64]:
    """Count edge pixels in the hole: found and true, found, true.

    Args:
        edges: (K, H, W) in [0, 1]; from 0.5 on it is an edge.
        truth: (K, H, W) bool.
        hole: (K, H, W) bool.

    Returns:
        (K, 3). Precision is the first over the second, recall the first over the third, of sums over pictures.
    """
    found = (edges >= 0.5) & hole
    true = truth & hole
    parts = [(found & true), found, true]
    return np.stack([part.sum(axis=(1, 2)) for part in parts], axis=1).astype(np.int64)


def share(part: float, whole: float) -> float | None:
    """``part / whole``; None where there is nothing to divide by."""
    return part / whole if whole else None


def official_mae(result: NDArray[Any], truth: NDArray[Any]) -> Floats:
    """What EdgeConnect's metrics call MAE: sum of |a - b| over sum of (a + b).

    Args:
        result: (K, H, W) gray in [0, 1].
        truth: the same shape.

    Returns:
        (K,); 0 where both are black.
    """
    a, b = np.asarray(result, np.float64), np.asarray(truth, np.float64)
    total = (a + b).sum(axis=(1, 2))
    return np.asarray(np.abs(a - b).sum(axis=(1, 2)) / np.where(total == 0, 1.0, total))


def official_ssim(result: NDArray[Any], truth: NDArray[Any]) -> Floats:
    """SSIM as EdgeConnect's metrics have it: gray, uniform window of 51 px, scikit-image's defaults.

    Args:
        result: (K, H, W) gray in [0, 1], sides of at least 51 px.
        truth: the same shape.

    Returns:
        (K,)
    """
    from skimage import metrics

    similarity: Any = metrics.structural_similarity
    values = [
        similarity(a, b, data_range=1.0, win_size=OFFICIAL_SSIM_WINDOW_PX)
        for a, b in zip(np.asarray(result, np.float64), np.asarray(truth, np.float64), strict=True)
    ]
    return np.asarray(values, np.float64)


def fid(results: NDArray[Any], truths: NDArray[Any]) -> float | None:
    """Distance between the features of two sets of pictures, each seen as one Gaussian.

    Args:
        results: (N, D), one vector a picture.
        truths: (M, D).

    Returns:
        0 or more; depends on the feature network, and is too high by a share that falls with N and M, so it compares
        methods on one set and nothing else. None with fewer than two pictures on a side.
    """
    if min(len(results), len(truths)) < 2:
        return None
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric = FrechetInceptionDistance(feature=_Embedded(results.shape[1]))
    metric.set_dtype(torch.float64)
    metric.update(torch.from_numpy(np.asarray(truths, np.float64)), real=True)
    metric.update(torch.from_numpy(np.asarray(results, np.float64)), real=False)
    value = float(metric.compute())
    return max(value, 0.0) if math.isfinite(value) else None


class _Embedded(nn.Module):
    """Stands where torchmetrics wants a feature network; what comes in are features already."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.num_features = features

    def forward(self, embedded: Tensor) -> Tensor:
        return embedded


def _planes(pictures: NDArray[Any]) -> Tensor:
    """(K, H, W, C) to (K, C, H, W) float32."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pictures, -1, 1), np.float32))
