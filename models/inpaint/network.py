"""Guess the edges inside a hole, then paint the hole along them.

Two generators of one shape. `EdgeGenerator` sees the grey picture and its edges around
the hole and completes the edge map; `FillGenerator` sees the picture and an edge map and
paints colours. Both shrink the picture twice, think in residual blocks at a quarter of
its size and grow it back, so both sides must be multiples of 4: each halving floors, and
a 45 x 67 picture comes back as 44 x 64.

Letters: B batch, H, W picture sides in px, C channels.
Statistics: every instance norm averages over the whole frame. Cutting a picture into
    tiles therefore changes the answer everywhere, not only at the cuts.
Source: Nazeri et al., "EdgeConnect: Generative Image Inpainting with Adversarial Edge
    Learning", 2019, arXiv:1901.00212, section 3 and appendix A.
Elsewhere: judges in discriminator.py, spectral norm in spectral.py, sizes in spec.py.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import OptionError, ShapeError
from models.inpaint.spectral import fold_spectral_norm, spectral_norm

__all__ = [
    "MIN_SIDE_PX",
    "SIZE_MULTIPLE",
    "EdgeGenerator",
    "FillGenerator",
    "InstanceNorm",
    "fold_spectral_norm",
    "initialise_weights",
]

SIZE_MULTIPLE = 4
"""Two halvings."""
MIN_SIDE_PX = 12
"""Below, a quarter of the side is too short for the reflection by 2 in the residual blocks."""
INITIAL_DEVIATION = 0.02
"""Standard deviation of fresh weights; section 4 of the official code's defaults."""


class EdgeGenerator(nn.Module):
    """Complete the edge map of a picture inside its hole.

    Learned from: edges of real pictures (Canny), with holes of every shape cut into them.
    Leaves the paper: spectral vectors start aligned with the weights, see spectral.py.

    Args:
        width: channels at full resolution; 64 in the paper.
        depth: residual blocks; 8 in the paper.
        is_spectral: divide weights by their largest singular value while training. False
            builds the plain form that inference uses, same answers after folding.
    """

    def __init__(self, *, width: int = 64, depth: int = 8, is_spectral: bool = False) -> None:
        super().__init__()
        _check_size(width, depth)
        self.encoder = _Encoder(in_channels=3, width=width)
        self.blocks = nn.Sequential(
            *(_ResidualBlock(channels=4 * width, has_bias=False) for _ in range(depth))
        )
        self.decoder = _Decoder(out_channels=1, width=width)
        initialise_weights(self)
        if is_spectral:
            for conv in _spectral_convs(self):
                spectral_norm(conv)

    def forward(self, gray: Tensor, edges: Tensor, hole: Tensor) -> Tensor:
        """Answer for inputs that are blanked already; nothing is padded, nothing composited.

        Args:
            gray: (B, 1, H, W), luma in [0, 1], white inside the hole.
            edges: (B, 1, H, W), 1 = edge, 0 inside the hole.
            hole: (B, 1, H, W), 1 = to be invented.

        Returns:
            (B, 1, 4*(H//4), 4*(W//4)), float32, soft edges in [0, 1], over the whole frame.

        Raises:
            ShapeError: if the three do not fit each other or a side is below 12 px.
        """
        _check_planes(gray=gray, edges=edges, hole=hole)
        x = torch.cat((gray, edges, hole), dim=1)
        logits: Tensor = self.decoder(self.blocks(self.encoder(x)))
        return torch.sigmoid(logits.float())

    def predict(self, gray: Tensor, edges: Tensor, hole: Tensor) -> Tensor:
        """`forward` after blanking the hole: white paper, no edges. Arguments as there, not blanked."""
        known = 1 - hole
        answer: Tensor = self(gray * known + hole, edges * known, hole)
        return answer


class FillGenerator(nn.Module):
    """Paint a picture along an edge map.

    Learned from: real pictures with holes, guided first by their own edges, then by
    predicted ones. The hole itself is no input: it is seen as white paper.

    Args:
        width: channels at full resolution; 64 in the paper.
        depth: residual blocks; 8 in the paper.
    """

    def __init__(self, *, width: int = 64, depth: int = 8) -> None:
        super().__init__()
        _check_size(width, depth)
        self.encoder = _Encoder(in_channels=4, width=width)
        self.blocks = nn.Sequential(
            *(_ResidualBlock(channels=4 * width, has_bias=True) for _ in range(depth))
        )
        self.decoder = _Decoder(out_channels=3, width=width)
        initialise_weights(self)

    def forward(self, image: Tensor, edges: Tensor) -> Tensor:
        """Answer for a picture that is blanked already; nothing is padded, nothing composited.

        Args:
            image: (B, 3, H, W), RGB in [0, 1], white inside the hole.
            edges: (B, 1, H, W), [0, 1], 1 = edge, over the whole frame; soft values are fine.

        Returns:
            (B, 3, 4*(H//4), 4*(W//4)), float32, RGB in [0, 1], over the whole frame.

        Raises:
            ShapeError: if the two do not fit each other or a side is below 12 px.
        """
        _check_image(image)
        _check_planes(edges=edges, like=image)
        x = torch.cat((image, edges), dim=1)
        logits: Tensor = self.decoder(self.blocks(self.encoder(x)))
        return (torch.tanh(logits.float()) + 1) / 2

    def paint(self, image: Tensor, edges: Tensor, hole: Tensor) -> Tensor:
        """`forward` after blanking the hole of ``image`` with white; ``edges`` stay as they are.

        ``hole`` is (B, 1, H, W), 1 = to be invented; the rest as in `forward`.
        """
        _check_planes(hole=hole, like=image)
        answer: Tensor = self(image * (1 - hole) + hole, edges)
        return answer


class InstanceNorm(nn.Module):
    """Bring every channel of every picture to mean 0 and deviation 1, over the whole frame.

    Equal to `torch.nn.functional.instance_norm` (biased variance, nothing learned). That one
    copies channels-last activations into the other layout and back, 3 to 10 times slower on
    a CPU; here each layout keeps its own way. Statistics are float32 in every dtype.
    """

    EPS = 1e-5

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape, dtype and memory layout."""
        with torch.autocast(x.device.type, enabled=False):
            if x.is_contiguous() or not x.is_contiguous(memory_format=torch.channels_last):
                return self._by_channel(x)
            if x.device.type != "cpu":
                return self._by_picture(x)
            if x.dtype == torch.float32:
                return self._by_row(x)
            return self._by_picture(x) if x.requires_grad else self._by_channel(x)

    def _by_channel(self, x: Tensor) -> Tensor:
        """Every channel a group of its own: exact and fastest, but for what the two others are for.

        For channels-last on a CPU torch takes the variance as E[x^2] - E[x]^2: fine for
        bf16, off by 1e-4 to 1e-2 in float32. Its bf16 backward takes 5 to 10 times as long.
        """
        return F.group_norm(x, x.shape[1], eps=self.EPS)

    def _by_row(self, x: Tensor) -> Tensor:
        """Means of row means, of centred values: exact in float32 and stays in channels-last."""
        rows = x.permute(0, 2, 3, 1)  # (B, H, W, C), contiguous
        average = rows.new_full((1, rows.shape[2]), 1 / rows.shape[2])
        centred = rows - (average @ rows).mean(dim=1, keepdim=True)
        variance = (average @ centred.square()).mean(dim=1, keepdim=True)
        return (centred * torch.rsqrt(variance + self.EPS)).permute(0, 3, 1, 2)

    def _by_picture(self, x: Tensor) -> Tensor:
        """A batch norm of each picture alone."""
        pictures = [F.batch_norm(one, None, None, training=True, eps=self.EPS) for one in torch.split(x, 1)]
        return pictures[0] if len(pictures) == 1 else torch.cat(pictures)


class _Encoder(nn.Module):
    """Full resolution to a quarter: 7x7, then two halvings that double the channels."""

    def __init__(self, *, in_channels: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(in_channels, width, 7)
        self.down1 = nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)
        self.down2 = nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1)
        self.norm = InstanceNorm()

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu_(self.norm(self.stem(_reflect(x, 3))))
        x = F.relu_(self.norm(self.down1(x)))
        return F.relu_(self.norm(self.down2(x)))


class _ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside the identity; the first looks wide, nothing follows the sum."""

    def __init__(self, *, channels: int, has_bias: bool) -> None:
        super().__init__()
        self.wide = nn.Conv2d(channels, channels, 3, dilation=2, bias=has_bias)
        self.near = nn.Conv2d(channels, channels, 3, bias=has_bias)
        self.norm = InstanceNorm()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = F.relu_(self.norm(self.wide(_reflect(x, 2))))
        y = self.norm(self.near(_reflect(y, 1)))
        return x + y


class _Decoder(nn.Module):
    """A quarter to full resolution: two doublings, then 7x7; answers logits."""

    def __init__(self, *, out_channels: int, width: int) -> None:
        super().__init__()
        self.up1 = nn.ConvTranspose2d(4 * width, 2 * width, 4, stride=2, padding=1)
        self.up2 = nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1)
        self.head = nn.Conv2d(width, out_channels, 7)
        self.norm = InstanceNorm()

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu_(self.norm(self.up1(x)))
        x = F.relu_(self.norm(self.up2(x)))
        logits: Tensor = self.head(_reflect(x, 3))
        return logits


def initialise_weights(network: nn.Module) -> None:
    """Start every convolution at N(0, 0.02) with zero bias, in place, from torch's own random stream."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            if module.weight.is_meta:  # nothing to draw; torch 2.13 would import its compiler for it, 7 s
                continue
            nn.init.normal_(module.weight, 0.0, INITIAL_DEVIATION)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _spectral_convs(network: EdgeGenerator) -> Iterator[nn.Module]:
    """Every convolution but the last one."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and module is not network.decoder.head:
            yield module


def _reflect(x: Tensor, pad_px: int) -> Tensor:
    return F.pad(x, (pad_px,) * 4, mode="reflect")


def _check_size(width: int, depth: int) -> None:
    if width < 1:
        raise OptionError("width", "at least 1 channel", width, "the published size is 64")
    if depth < 1:
        raise OptionError("depth", "at least 1 residual block", depth, "the published size is 8")


def _check_image(image: Tensor) -> None:
    if image.ndim != 4 or image.shape[1] != 3:
        raise ShapeError("image", "(B, 3, H, W)", tuple(image.shape), "RGB comes as three planes in [0, 1]")


def _check_planes(like: Tensor | None = None, **planes: Tensor) -> None:
    """Every plane is (B, 1, H, W), of one size, and long enough."""
    first = next(iter(planes.values())) if like is None else like
    b, h, w = first.shape[0], first.shape[-2], first.shape[-1]
    for name, plane in planes.items():
        if tuple(plane.shape) != (b, 1, h, w):
            hint = "one plane a picture, as high and wide as the others"
            raise ShapeError(name, (b, 1, h, w), tuple(plane.shape), hint)
        if min(h, w) < MIN_SIDE_PX:
            hint = "pad the picture, reflections inside the network need this much"
            raise ShapeError(name, f"sides of at least {MIN_SIDE_PX} px", (h, w), hint)
