"""What every feature network answers to, and what they share."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ShapeError
from models.state import check_shapes

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
"""Of R, G and B in [0, 1]: what both networks were trained behind."""


class FeatureNetwork(nn.Module, ABC):
    """A fixed network: its numbers are buffers that no optimiser sees and no state dict carries.

    Args:
        state: layer name -> tensor, exactly those that `shapes` names. Kept, not copied.

    Raises:
        StateError: if a layer is missing, unexpected or misshapen.
    """

    title: ClassVar[str]
    """For people and reports."""
    perceptual_taps: ClassVar[tuple[str, ...]]
    """Features that the perceptual loss compares."""
    style_taps: ClassVar[tuple[str, ...]]
    """Features whose Gram matrices the style loss compares."""
    min_side_px: ClassVar[int]
    """The shortest side it accepts."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        check_shapes(f"{self.title} features", state, self.shapes(state))
        for name, value in state.items():
            self.register_buffer(_buffer(name), value.float(), persistent=False)

    @classmethod
    @abstractmethod
    def shapes(cls, state: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
        """Layer name -> shape of a complete network with as many channels as ``state`` has."""

    @abstractmethod
    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Every tap of a picture: (B, 3, H, W), RGB in [0, 1] -> name -> (B, C, h, w), after the ReLU.

        Raises:
            ShapeError: for another shape, or a side below ``min_side_px``.
        """

    @abstractmethod
    def embed(self, image: Tensor) -> Tensor:
        """One vector a picture, for distances between sets of pictures: (B, D), float32."""

    def number(self, name: str) -> Tensor:
        """The tensor of a layer, by its name in the state."""
        return self.get_buffer(_buffer(name))

    def conv(self, x: Tensor, name: str, *, stride: int = 1, padding: int = 0) -> Tensor:
        """Convolution with the layer's weight and bias, then ReLU."""
        weight, bias = self.number(f"{name}.weight"), self.number(f"{name}.bias")
        return F.relu(F.conv2d(x, weight, bias, stride=stride, padding=padding))

    def check(self, image: Tensor) -> None:
        """Refuse what is no RGB picture of enough size."""
        if image.ndim != 4 or image.shape[1] != 3 or min(image.shape[-2:]) < self.min_side_px:
            expected = f"(B, 3, H, W) with sides of at least {self.min_side_px} px"
            raise ShapeError(
                "image", expected, tuple(image.shape), f"{self.title} shrinks pictures step by step"
            )


def as_imagenet(image: Tensor) -> Tensor:
    """RGB in [0, 1] to the mean 0 and deviation 1 of ImageNet."""
    mean = image.new_tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
    deviation = image.new_tensor(IMAGENET_DEVIATION).view(1, 3, 1, 1)
    return (image - mean) / deviation


def pooled(features: Tensor) -> Tensor:
    """Mean over positions: (B, C, h, w) -> (B, C), float32."""
    return torch.mean(features.float(), dim=(2, 3))


def _buffer(name: str) -> str:
    return name.replace(".", "_")  # torch allows no dots in the name of a buffer
