"""What a remade picture should be, as numbers to make small.

Pictures come in [0, 1]; differences are taken on [-1, 1], where the published weights
belong. All terms are float32, and none is weighted here: weights are the objective's.

Source: Shocher et al. 2019, arXiv:1812.00231, section 3; where paper and published code
    differ, this is the code's (an absolute difference where its option says squared).
"""

import torch
from torch import Tensor

from models.errors import ShapeError

_RANGE = 2.0  # of the published pictures, over ours


def verdict_loss(verdict: Tensor, *, is_real: bool) -> Tensor:
    """Mean squared distance of a verdict, 0 to 1, from the one that is wanted."""
    return (verdict.float() - float(is_real)).square().mean()


def reconstruction_loss(back: Tensor, image: Tensor) -> Tensor:
    """Mean absolute difference of a picture and what came back of it.

    Args:
        back: (B, 3, H, W), RGB in [0, 1].
        image: the same shape, the truth.
    """
    _check_pair(back, image)
    return _RANGE * (back.float() - image.float()).abs().mean()


def masked_reconstruction_loss(back: Tensor, image: Tensor, mask: Tensor) -> Tensor:
    """Mean squared difference where ``mask`` is 1: for crops with a seam that is not to be learned.

    Args:
        back: (B, 3, H, W), RGB in [0, 1].
        image: the same shape, the truth.
        mask: (B, 1, H, W) or as the pictures, 1 = counts. The mean is over what counts; 0 if nothing does.
    """
    _check_pair(back, image)
    kept = torch.broadcast_to(mask.float(), image.shape)
    squares = (_RANGE * (back.float() - image.float()) * kept).square()
    return squares.sum() / kept.sum().clamp_min(1)


def _check_pair(back: Tensor, image: Tensor) -> None:
    if back.shape != image.shape:
        hint = "bring it back to the picture's own size"
        raise ShapeError("back", tuple(image.shape), tuple(back.shape), hint)
