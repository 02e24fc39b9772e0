"""Judge edge maps and fills patch by patch.

Every position of the answer judges the 70 x 70 px around it. The edge judge sees the
whole grey picture beside the edges and so knows whether they belong to it; the fill
judge sees the fill alone.

Source: Nazeri et al. 2019, arXiv:1901.00212, appendix A; the patch form is Isola et al.,
    "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
    arXiv:1611.07004, section 3.2.2.
Elsewhere: generators in network.py; what the answers mean in losses.py.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import OptionError, ShapeError
from models.inpaint.network import initialise_weights
from models.inpaint.spectral import spectral_norm

MIN_SIDE_PX = 24
"""Below, the last of the five layers has nothing left to look at."""
_SLOPE = 0.2  # of the leaky ReLU

Features = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


class EdgeDiscriminator(nn.Module):
    """Judge an edge map beside its grey picture.

    Args:
        width: channels of the first layer; 64 in the paper.
    """

    def __init__(self, *, width: int = 64) -> None:
        super().__init__()
        self.layers = _Layers(in_channels=2, width=width)

    def forward(self, gray: Tensor, edges: Tensor) -> tuple[Tensor, Features]:
        """Judge ``edges`` as edges of ``gray``.

        Args:
            gray: (B, 1, H, W), the whole picture's luma in [0, 1], nothing blanked.
            edges: (B, 1, H, W), [0, 1].

        Returns:
            Logits (B, 1, about H/8, about W/8), float32, above 0 = real; and the answers of the
            five layers, the last one being the logits.

        Raises:
            ShapeError: if the two differ in size or a side is below 24 px.
        """
        if gray.shape != edges.shape:
            raise ShapeError("edges", tuple(gray.shape), tuple(edges.shape), "as large as the grey picture")
        return self.layers.judge(torch.cat((gray, edges), dim=1))


class FillDiscriminator(nn.Module):
    """Judge a picture.

    Args:
        width: channels of the first layer; 64 in the paper.
    """

    def __init__(self, *, width: int = 64) -> None:
        super().__init__()
        self.layers = _Layers(in_channels=3, width=width)

    def forward(self, image: Tensor) -> tuple[Tensor, Features]:
        """Judge ``image``, (B, 3, H, W), RGB in [0, 1]; answers as `EdgeDiscriminator.forward`."""
        return self.layers.judge(image)


class _Layers(nn.Module):
    """Five spectral 4x4 convolutions without bias: three halvings, then two at that size."""

    def __init__(self, *, in_channels: int, width: int) -> None:
        super().__init__()
        if width < 1:
            raise OptionError("width", "at least 1 channel", width, "the published size is 64")
        self.conv1 = nn.Conv2d(in_channels, width, 4, stride=2, padding=1, bias=False)
        self.conv2 = nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False)
        self.conv3 = nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1, bias=False)
        self.conv4 = nn.Conv2d(4 * width, 8 * width, 4, stride=1, padding=1, bias=False)
        self.conv5 = nn.Conv2d(8 * width, 1, 4, stride=1, padding=1, bias=False)
        initialise_weights(self)
        for conv in self.children():
            spectral_norm(conv)

    def judge(self, x: Tensor) -> tuple[Tensor, Features]:
        in_channels = self.conv1.in_channels
        if x.ndim != 4 or x.shape[1] != in_channels or min(x.shape[-2:]) < MIN_SIDE_PX:
            expected = f"(B, {in_channels}, H, W) with sides of at least {MIN_SIDE_PX} px"
            raise ShapeError("picture to judge", expected, tuple(x.shape), "five layers shrink it eightfold")
        x1 = F.leaky_relu(self.conv1(x), _SLOPE)
        x2 = F.leaky_relu(self.conv2(x1), _SLOPE)
        x3 = F.leaky_relu(self.conv3(x2), _SLOPE)
        x4 = F.leaky_relu(self.conv4(x3), _SLOPE)
        logits = self.conv5(x4).float()
        return logits, (x1, x2, x3, x4, logits)
