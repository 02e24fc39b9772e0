"""What a good edge map and a good fill are, as numbers to make small.

Judges answer logits, and every adversarial term takes logits. All terms are computed in
float32, whatever the networks ran in, and none is weighted here: weights are the
objective's.

Letters: B batch, C channels, H, W sides in px.
Source: Nazeri et al. 2019, arXiv:1901.00212, section 3, equations 2 to 10; where formula
    and published code differ, this is the code's.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from models.errors import UnknownNameError

AdversarialKind = Literal["nsgan", "lsgan", "hinge"]
ADVERSARIAL_KINDS: tuple[str, ...] = get_args(AdversarialKind)


def adversarial_loss(logits: Tensor, *, is_real: bool, is_discriminator: bool, kind: str = "nsgan") -> Tensor:
    """How far a judge's answer is from what the side being trained wants it to be.

    Args:
        logits: any shape, above 0 = judged real.
        is_real: the answer wanted. The discriminator wants the truth; the generator wants
            True for its fakes.
        is_discriminator: which side is being trained; only ``hinge`` treats them apart.
        kind: ``nsgan`` (cross entropy), ``lsgan`` (squared error after the sigmoid, as the
            published code does) or ``hinge``.

    Returns:
        A scalar, mean over all positions.

    Raises:
        UnknownNameError: for another ``kind``.
    """
    logits = logits.float()
    if kind == "nsgan":
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(is_real)))
    if kind == "lsgan":
        return (torch.sigmoid(logits) - float(is_real)).square().mean()
    if kind == "hinge":
        if not is_discriminator:
            return -logits.mean()
        return F.relu(1 - logits if is_real else 1 + logits).mean()
    raise UnknownNameError("adversarial loss", kind, ADVERSARIAL_KINDS)


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor, *, kind: str = "nsgan") -> Tensor:
    """Half of both errors of a judge: real taken for fake, and fake taken for real."""
    real = adversarial_loss(real_logits, is_real=True, is_discriminator=True, kind=kind)
    fake = adversarial_loss(fake_logits, is_real=False, is_discriminator=True, kind=kind)
    return (real + fake) / 2


def generator_loss(fake_logits: Tensor, *, kind: str = "nsgan") -> Tensor:
    """How far a fake is from being judged real."""
    return adversarial_loss(fake_logits, is_real=True, is_discriminator=False, kind=kind)


def feature_matching_loss(fake_features: Iterable[Tensor], real_features: Iterable[Tensor]) -> Tensor:
    """Sum over a judge's layers of the mean absolute difference; ``real_features`` get no gradient."""
    pairs = zip(fake_features, real_features, strict=True)
    return _total(_mean_difference(fake, real.detach()) for fake, real in pairs)


def edge_cross_entropy(predicted: Tensor, edges: Tensor, hole: Tensor, hole_share: Tensor) -> Tensor:
    """Cross entropy of predicted and true edges, averaged over the hole. Not in the paper.

    Args:
        predicted: (B, 1, H, W), soft edges in [0, 1].
        edges: the same shape, 0 or 1.
        hole: the same shape, 1 = to be invented.
        hole_share: scalar, mean of the hole over everything that one step sees; above 0.
    """
    with torch.autocast(predicted.device.type, enabled=False):
        entropy = F.binary_cross_entropy(predicted.float(), edges.float(), weight=hole.float())
    return entropy / hole_share


def l1_over_hole(fill: Tensor, image: Tensor, hole_share: Tensor) -> Tensor:
    """Mean absolute difference over the whole frame, divided by the share of it that is hole.

    Args:
        fill: (B, 3, H, W), RGB in [0, 1].
        image: the same shape, the truth.
        hole_share: scalar, mean of the hole over everything that one step sees; above 0.
    """
    return _mean_difference(fill, image) / hole_share


def perceptual_loss(
    fill_features: Mapping[str, Tensor], image_features: Mapping[str, Tensor], taps: Iterable[str]
) -> Tensor:
    """Sum over ``taps`` of the mean absolute difference of two pictures' features."""
    return _total(_mean_difference(fill_features[tap], image_features[tap]) for tap in taps)


def style_loss(
    fill_features: Mapping[str, Tensor], image_features: Mapping[str, Tensor], taps: Iterable[str]
) -> Tensor:
    """Sum over ``taps`` of the mean absolute difference of two pictures' Gram matrices.

    The features are those of ``picture * hole``: outside the hole both pictures are black.
    """
    return _total(_mean_difference(gram(fill_features[tap]), gram(image_features[tap])) for tap in taps)


def gram(features: Tensor) -> Tensor:
    """Which channels speak together, wherever they do: (B, C, H, W) -> (B, C, C), divided by C*H*W."""
    b, c, h, w = features.shape
    with torch.autocast(features.device.type, enabled=False):
        rows = features.float().flatten(2)
        return rows @ rows.transpose(1, 2) / (c * h * w)


def _mean_difference(one: Tensor, other: Tensor) -> Tensor:
    return (one.float() - other.float()).abs().mean()


def _total(terms: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(terms)).sum()
