"""Remake one picture at another size or in another shape.

The generator was trained on this one picture and knows nothing else. It sees the picture,
moves its features to the new frame (`warp`), and then remakes, at that size, patches like
those it has learned: three halvings, residual blocks, three doublings with skips. There is
no noise input; the same picture and frame give the same answer.

Letters: B batch, C channels, H, W sides of the given picture, h, w of the new frame, in px.
Statistics: every norm averages over the whole new frame, see norm.py. Cutting it into
    tiles would change the answer everywhere.
Sizes: h and w must be multiples of 2**downscales and at least twice that; whoever wants
    another size asks for a larger one and crops. H and W are free.
Source: Shocher et al., "InGAN: Capturing and Retargeting the 'DNA' of a Natural Image",
    ICCV 2019, arXiv:1812.00231, section 4; channels and blocks as in the published code.
Elsewhere: judges in discriminator.py, warps in warp.py, sizes in options.py.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import OptionError, ShapeError
from models.retarget.norm import PictureNorm
from models.retarget.spectral import spectral_norm
from models.retarget.warp import Corners, Shifts, resize, warp_by_shifts, warp_to_corners

MIN_IMAGE_SIDE_PX = 4
"""Below, the given picture is too short for the reflection by 3 before the first convolution."""
_SLOPE = 0.2  # of the leaky ReLU
_INITIAL_GAIN = 0.01  # of Xavier's deviation; spectral norm takes it out of every layer but the last


class RetargetGenerator(nn.Module):
    """Remake a picture in a new frame.

    Learned from: crops of the one picture, each remade at random sizes and brought back.
    In eval mode every picture is normalised by its own statistics and nothing moves. In
    training mode the norms see the whole batch and spectral vectors take a power iteration
    a forward; the published test code runs in this mode.
    Leaves the paper: spectral vectors start aligned with the weights, see spectral.py.

    Args:
        width: channels at full resolution; 64 in the published code.
        depth: residual blocks; 6 there.
        downscales: halvings; 3 there.
        is_spectral: divide weights by their largest singular value while training. False
            builds the plain form that inference uses, same answers after folding.
    """

    def __init__(
        self, *, width: int = 64, depth: int = 6, downscales: int = 3, is_spectral: bool = False
    ) -> None:
        super().__init__()
        for name, value, published in (
            ("width", width, 64),
            ("depth", depth, 6),
            ("downscales", downscales, 3),
        ):
            if value < 1:
                raise OptionError(name, "1 or more", value, f"the published size is {published}")
        channels = [width * 2**level for level in range(downscales + 1)]
        self.entry = ConvNorm(3, width, 7)
        self.downs = nn.ModuleList(ConvNorm(a, b, 3) for a, b in zip(channels, channels[1:], strict=False))
        self.blocks = nn.Sequential(*(_ResidualBlock(channels[-1]) for _ in range(depth)))
        rising = channels[::-1]
        self.ups = nn.ModuleList(ConvNorm(a, b, 3) for a, b in zip(rising, rising[1:], strict=False))
        self.head = nn.Conv2d(width, 3, 7)
        initialise_weights(self)
        if is_spectral:
            for conv in _spectral_convs(self):
                spectral_norm(conv)

    @property
    def size_multiple(self) -> int:
        """Both sides of a new frame are multiples of this, in px."""
        return 1 << len(self.downs)

    def forward(
        self,
        image: Tensor,
        size_hw: tuple[int, int] | None = None,
        *,
        shifts: Shifts | None = None,
        corners: Corners | None = None,
    ) -> Tensor:
        """The picture remade in a new frame.

        Args:
            image: (B, 3, H, W), RGB in [0, 1]. Not modified.
            size_hw: the new frame, (h, w); as the picture if None.
            shifts: the published warp, see `warp.warp_by_shifts`; (0, 0) is not None.
            corners: where the picture's corners go in the new frame, (4, 2) or (B, 4, 2), in
                px; top left, top right, bottom right, bottom left. What lies outside them is
                there to be cut off with `warp.corner_mask`.

        Returns:
            (B, 3, h, w), float32, RGB in [0, 1].

        Raises:
            ShapeError: if the picture or the new frame does not fit the network.
            OptionError: if both warps are asked for, or one that cannot be.
        """
        size_hw = _checked_size(image, size_hw, self.size_multiple)
        features = _moved(self.entry(2 * image - 1, pad_px=3), size_hw, shifts, corners)
        skips = []
        for down in self.downs:
            skips.append(features)
            features = F.max_pool2d(down(features, pad_px=1), 2)
        features = self.blocks(features)
        for up in self.ups:
            features = up(_doubled(features), pad_px=1)
            features = features + skips.pop()
        answer: Tensor = self.head(reflected(features, 3))
        return (torch.tanh(answer.float()) + 1) / 2


class ConvNorm(nn.Module):
    """Convolution, norm, leaky ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride=stride)
        self.norm = PictureNorm(out_channels)

    def forward(self, x: Tensor, *, pad_px: int = 0, is_last: bool = False) -> Tensor:
        """(B, C, H, W), reflected by ``pad_px`` first; ``is_last`` leaves the leaky ReLU out."""
        x = self.norm(self.conv(reflected(x, pad_px)))
        return x if is_last else F.leaky_relu_(x, _SLOPE)


class _ResidualBlock(nn.Module):
    """A 3x3 convolution at a quarter of the channels, beside the identity; nothing follows the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.narrow = ConvNorm(channels, channels // 4, 1)
        self.look = ConvNorm(channels // 4, channels // 4, 3)
        self.widen = ConvNorm(channels // 4, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.widen(self.look(self.narrow(x), pad_px=1), is_last=True)
        return x + y


def reflected(x: Tensor, pad_px: int) -> Tensor:
    """``x`` continued by reflection on all four sides, in its own dtype."""
    if not pad_px:
        return x
    with torch.autocast(x.device.type, enabled=False):  # it would copy in float32: twice the memory
        return F.pad(x, (pad_px,) * 4, mode="reflect")


def _doubled(x: Tensor) -> Tensor:
    """``x`` with every pixel four times, in its own dtype."""
    with torch.autocast(x.device.type, enabled=False):  # as in `reflected`
        return F.interpolate(x, scale_factor=2.0)


def initialise_weights(network: nn.Module) -> None:
    """Start convolutions as published, in place, from torch's own random stream: Xavier, nearly 0; biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and not module.weight.is_meta:
            nn.init.xavier_normal_(module.weight, _INITIAL_GAIN)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _moved(
    features: Tensor, size_hw: tuple[int, int], shifts: Shifts | None, corners: Corners | None
) -> Tensor:
    if shifts is not None and corners is not None:
        raise OptionError("warp", "shifts or corners", "both", "give one of them")
    if shifts is not None:
        return warp_by_shifts(features, size_hw, shifts)
    if corners is not None:
        return warp_to_corners(features, size_hw, corners)
    return resize(features, size_hw)


def _spectral_convs(network: RetargetGenerator) -> Iterator[nn.Conv2d]:
    """Every convolution but the last one."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module is not network.head:
            yield module


def _checked_size(image: Tensor, size_hw: tuple[int, int] | None, multiple: int) -> tuple[int, int]:
    if image.ndim != 4 or image.shape[1] != 3:
        raise ShapeError("image", "(B, 3, H, W)", tuple(image.shape), "RGB comes as three planes in [0, 1]")
    h, w = image.shape[-2:]
    if min(h, w) < MIN_IMAGE_SIDE_PX:
        expected = f"sides of at least {MIN_IMAGE_SIDE_PX} px"
        raise ShapeError("image", expected, (h, w), "the first layer reflects 3 px at every edge")
    size_hw = (h, w) if size_hw is None else (int(size_hw[0]), int(size_hw[1]))
    if any(side % multiple or side < 2 * multiple for side in size_hw):
        expected = f"multiples of {multiple} px, {2 * multiple} or more"
        hint = "ask for the next larger size and crop the answer"
        raise ShapeError("size_hw", expected, size_hw, hint)
    return size_hw
