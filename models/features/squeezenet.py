"""SqueezeNet 1.1: a feature network of 3 MB.

Source: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and
    <0.5MB model size", 2016, arXiv:1602.07360; version 1.1 is the authors' later release.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from models.features.embedding import FeatureNetwork, as_imagenet, pooled

_FIRES = 8
_POOLED_AFTER = (2, 4)  # fires; the stem's answer is pooled as well
# Of the published network: channels of the squeeze, and of each of the two expansions.
_SQUEEZE = (16, 16, 32, 32, 48, 48, 64, 64)
_EXPAND = (64, 64, 128, 128, 192, 192, 256, 256)
# Mean answer of each layer of the published weights over four photographs of scikit-image.
_TYPICAL = (0.39, 0.92, 1.9, 4.2, 6.6, 10.4, 12.9, 7.7, 1.8)


class SqueezeNetFeatures(FeatureNetwork):
    """A stem and eight fires; ``stem`` and ``fireN`` are their answers.

    A fire squeezes its channels, then expands them by 1x1 and by 3x3, side by side. The
    network itself brings RGB in [0, 1] to the mean and deviation it was trained behind.

    Answers are divided by their typical size, which grows thirtyfold on the way: so each tap
    counts alike, and the loss weights published for VGG-19 stay of use.

    Args:
        state: ``stem.weight``, ``stem.bias`` and for N = 1 to 8 ``fireN.squeeze.*``,
            ``fireN.expand1.*``, ``fireN.expand3.*``; see `layouts.features_from_state`.
    """

    title = "SqueezeNet 1.1"
    perceptual_taps: ClassVar[tuple[str, ...]] = ("stem", "fire2", "fire4", "fire6", "fire8")
    style_taps: ClassVar[tuple[str, ...]] = ("fire1", "fire3", "fire5", "fire7")
    min_side_px = 24

    @classmethod
    def shapes(cls, state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
        """As `FeatureNetwork.shapes`."""

        def channels(name: str, published: int) -> int:
            return state[f"{name}.weight"].shape[0] if f"{name}.weight" in state else published

        before = channels("stem", 64)
        shapes: dict[str, tuple[int, ...]] = {"stem.weight": (before, 3, 3, 3), "stem.bias": (before,)}
        for n in range(1, _FIRES + 1):
            squeeze = channels(f"fire{n}.squeeze", _SQUEEZE[n - 1])
            shapes |= {
                f"fire{n}.squeeze.weight": (squeeze, before, 1, 1),
                f"fire{n}.squeeze.bias": (squeeze,),
            }
            before = 0
            for side in (1, 3):
                expand = channels(f"fire{n}.expand{side}", _EXPAND[n - 1])
                shapes[f"fire{n}.expand{side}.weight"] = (expand, squeeze, side, side)
                shapes[f"fire{n}.expand{side}.bias"] = (expand,)
                before += expand
        return shapes

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Answers ``stem`` and ``fire1`` to ``fire8``; see `FeatureNetwork.forward`."""
        answers = self._answers(image)
        return {name: answer / size for (name, answer), size in zip(answers.items(), _TYPICAL, strict=True)}

    def embed(self, image: Tensor) -> Tensor:
        """Mean over positions of the last fire, as it is: D = 512."""
        return pooled(self._answers(image)["fire8"])

    def _answers(self, image: Tensor) -> dict[str, Tensor]:
        self.check(image)
        x = self.conv(as_imagenet(image), "stem", stride=2)
        answers = {"stem": x}
        x = _pool(x)
        for n in range(1, _FIRES + 1):
            squeezed = self.conv(x, f"fire{n}.squeeze")
            near = self.conv(squeezed, f"fire{n}.expand1")
            wide = self.conv(squeezed, f"fire{n}.expand3", padding=1)
            x = answers[f"fire{n}"] = torch.cat((near, wide), dim=1)
            if n in _POOLED_AFTER:
                x = _pool(x)
        return answers


def _pool(x: Tensor) -> Tensor:
    """3x3, stride 2; a last column or row that does not fill the window counts too, as published."""
    return F.max_pool2d(x, 3, stride=2, ceil_mode=True)
