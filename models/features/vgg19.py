"""VGG-19 as EdgeConnect looks through it.

Source: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition", ICLR 2015, arXiv:1409.1556, configuration E.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from models.features.embedding import FeatureNetwork, as_imagenet, pooled

_CONVS = (2, 2, 4, 4, 4)  # of each scale; between scales the sides halve
_LAST_TAP = (5, 2)  # nothing compares what comes after


class Vgg19Features(FeatureNetwork):
    """VGG-19 up to its last convolution; ``reluS_N`` is the N-th answer of scale S.

    As in the published code the losses see raw RGB in [0, 1], without the mean and
    deviation that the network was trained behind. `embed` applies both.

    Args:
        state: ``convS_N.weight`` and ``convS_N.bias``; see `layouts.features_from_state`.
    """

    title = "VGG-19"
    perceptual_taps: ClassVar[tuple[str, ...]] = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    style_taps: ClassVar[tuple[str, ...]] = ("relu2_2", "relu3_4", "relu4_4", "relu5_2")
    min_side_px = 16

    @classmethod
    def shapes(cls, state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
        """As `FeatureNetwork.shapes`; channels of a scale are those of its first convolution."""
        shapes: dict[str, tuple[int, ...]] = {}
        before = 3
        for scale, count in enumerate(_CONVS, start=1):
            first = state.get(f"conv{scale}_1.weight")
            channels = min(64 << (scale - 1), 512) if first is None else first.shape[0]
            for n in range(1, count + 1):
                shapes[f"conv{scale}_{n}.weight"] = (channels, before, 3, 3)
                shapes[f"conv{scale}_{n}.bias"] = (channels,)
                before = channels
        return shapes

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Answers ``relu1_1`` to ``relu5_2``; see `FeatureNetwork.forward`."""
        return self._answers(image, last=_LAST_TAP)

    def embed(self, image: Tensor) -> Tensor:
        """Mean over positions of the last answer, ``relu5_4``: D = 512."""
        return pooled(self._answers(as_imagenet(image), last=(5, 4))["relu5_4"])

    def _answers(self, x: Tensor, last: tuple[int, int]) -> dict[str, Tensor]:
        self.check(x)
        answers = {}
        for scale, count in enumerate(_CONVS, start=1):
            if scale > 1:
                x = F.max_pool2d(x, 2)
            for n in range(1, count + 1):
                x = self.conv(x, f"conv{scale}_{n}", padding=1)
                answers[f"relu{scale}_{n}"] = x
                if (scale, n) == last:
                    return answers
        return answers
