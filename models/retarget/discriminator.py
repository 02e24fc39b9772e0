"""Judge the patches of a picture at several sizes of it.

One small judge a scale, each with weights of its own: the first sees the picture as it is,
each further one 1.4 times smaller than the one before. No judge pads, so none sees a
border. The verdicts are brought to the size of the first one and summed with weights that
move from coarse to fine while training goes on.

Source: Shocher et al. 2019, arXiv:1812.00231, section 4; layers, weights and their course
    as in the published code.
Elsewhere: generator in network.py; what the verdicts mean in losses.py.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import OptionError, ShapeError
from models.retarget.network import ConvNorm, initialise_weights
from models.retarget.spectral import spectral_norm

SCALE_FACTOR = 1.4
"""Each judge sees the picture this much smaller than the one before."""
MIN_SIDE_PX = 14
"""Below, no scale is weighed: `scale_weights` would be empty."""
_COARSEST_CROP_PX = 16  # side of a training crop in the last judge's eyes
_COARSEST_FAKE_PX = 13  # side of a fake below which no further scale is asked
_MIN_JUDGED_PX = 10  # a judge's layers leave 2 x 2 of it, and a norm needs more than one value
_EVEN_ITERATION = 25_000  # when all scales count alike; before, coarse ones count more


class MultiScaleDiscriminator(nn.Module):
    """Judges of one picture at several sizes.

    Args:
        width: channels of each judge's first layer; 64 in the published code.
        scales: judges; 9 there, see `scale_count`.
    """

    def __init__(self, *, width: int = 64, scales: int = 9) -> None:
        super().__init__()
        for name, value, published in (("width", width, 64), ("scales", scales, 9)):
            if value < 1:
                raise OptionError(name, "1 or more", value, f"the published size is {published}")
        self.judges = nn.ModuleList(_Judge(width) for _ in range(scales))

    def forward(self, image: Tensor, weights: Sequence[float]) -> Tensor:
        """Weighted verdicts on ``image``.

        Only as many scales are asked as there are judges and weights. A frame larger than
        the training crop has more weights than judges; the verdict's largest value is then
        the sum of those used, as published.

        Args:
            image: (B, 3, H, W), RGB in [0, 1]; a little noise beyond is fine.
            weights: of each scale, finest first, see `scale_weights`.

        Returns:
            (B, 1, h, w), float32, 0 = fake, their weighted sum = real; about half as high
            and wide as the picture.

        Raises:
            ShapeError: if the picture is not RGB, or too small for its smallest scale.
            OptionError: if there is no weight.
        """
        _check_image(image)
        if len(weights) == 0:
            hint = f"pictures below {MIN_SIDE_PX} px have none"
            raise OptionError("weights", "one for each scale", "none", hint)
        pictures = 2 * image - 1
        first = self.judges[0](pictures)
        total: Tensor = weights[0] * first
        for scale, (judge, weight) in enumerate(zip(self.judges, weights, strict=False)):
            if scale > 0:
                verdict = judge(_smaller(pictures, scale))
                total = total + weight * _resized(verdict, tuple(first.shape[-2:]))
        return total


class _Judge(nn.Module):
    """Four spectral convolutions without padding, one halving; every position judges 11 px around it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            (
                ConvNorm(3, width, 3),
                ConvNorm(width, 2 * width, 3, stride=2),
                ConvNorm(2 * width, 2 * width, 3),
            )
        )
        self.head = nn.Conv2d(2 * width, 1, 1)
        initialise_weights(self)
        for module in list(self.modules()):
            if isinstance(module, nn.Conv2d):
                spectral_norm(module)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return torch.sigmoid(self.head(x).float())


def scale_count(crop_px: int) -> int:
    """How many judges a training crop of that side is given: the last sees about 16 px."""
    return max(1, math.ceil(math.log(crop_px / _COARSEST_CROP_PX) / math.log(SCALE_FACTOR)))


def scale_weights(iteration: float, size_hw: Sequence[int]) -> list[float]:
    """How much each scale counts, finest first; they sum to 1.

    Coarse scales lead at the start, all are alike at iteration 25,000, fine ones lead after
    it; the course goes on to the end.

    Args:
        iteration: on the published clock of 75,000.
        size_hw: of the fake; the real picture is judged with the same weights.

    Returns:
        One weight for each scale at which the shorter side is above 13 px; it may be more
        scales than there are judges.

    Raises:
        ShapeError: if a side is below 14 px.
    """
    side = min(size_hw)
    if side < MIN_SIDE_PX:
        hint = "no scale is left to judge"
        raise ShapeError("picture to judge", f"sides of at least {MIN_SIDE_PX} px", tuple(size_hw), hint)
    count = math.ceil(math.log(side / _COARSEST_FAKE_PX) / math.log(SCALE_FACTOR))
    factor = SCALE_FACTOR ** ((_EVEN_ITERATION - iteration) / _EVEN_ITERATION)
    powers = [factor**scale for scale in range(count)]
    return [power / sum(powers) for power in powers]


def _smaller(pictures: Tensor, scale: int) -> Tensor:
    h, w = (math.floor(side * SCALE_FACTOR**-scale) for side in pictures.shape[-2:])
    if min(h, w) < _MIN_JUDGED_PX:
        expected = f"sides of at least {_MIN_JUDGED_PX} px at every scale"
        hint = f"scale {scale} is {SCALE_FACTOR**scale:.1f} times smaller; give fewer weights"
        raise ShapeError("picture to judge", expected, (h, w), hint)
    return _resized(pictures, (h, w))


def _resized(x: Tensor, size_hw: tuple[int, ...]) -> Tensor:
    """Bilinear to an explicit size: ratios follow from the sizes, not from a rounded factor."""
    return F.interpolate(x, size=size_hw, mode="bilinear", align_corners=False)


def _check_image(image: Tensor) -> None:
    if image.ndim != 4 or image.shape[1] != 3 or min(image.shape[-2:]) < _MIN_JUDGED_PX:
        expected = f"(B, 3, H, W) with sides of at least {_MIN_JUDGED_PX} px"
        raise ShapeError("picture to judge", expected, tuple(image.shape), "judges do not pad")
