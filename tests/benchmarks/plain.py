"""Plain networks and a plain training step, to hold beside ours.

Written layer by layer from the published description, with nothing done for speed:
torch's default layout, one module a layer, torch's own spectral-norm hook left in place.
A benchmark is a ratio between one of these and ours in the same run, because times on
their own say more about the machine than about the code.

Source: Nazeri et al., "EdgeConnect: Generative Image Inpainting with Adversarial Edge
    Learning", arXiv:1901.00212, appendix A (architecture) and section 3 (losses).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import spectral_norm

Wrap = Callable[[nn.Module], nn.Module]


def _unchanged(layer: nn.Module) -> nn.Module:
    return layer


class Residual(nn.Module):
    """Two 3x3 convolutions, the first dilated by 2, added to the input without a ReLU after."""

    def __init__(self, channels: int, wrap: Wrap) -> None:
        super().__init__()
        has_bias = wrap is _unchanged
        self.body = nn.Sequential(
            nn.ReflectionPad2d(2),
            wrap(nn.Conv2d(channels, channels, 3, dilation=2, bias=has_bias)),
            nn.InstanceNorm2d(channels),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            wrap(nn.Conv2d(channels, channels, 3, bias=has_bias)),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class HalfTanh(nn.Module):
    """(tanh + 1) / 2: the fill's way into [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return (torch.tanh(x) + 1) / 2


def plain_generator(
    in_channels: int, out_channels: int, *, width: int, depth: int, is_spectral: bool
) -> nn.Sequential:
    """One generator: (B, in_channels, H, W) -> (B, out_channels, H, W) in [0, 1]."""
    wrap = spectral_norm if is_spectral else _unchanged
    w1, w2, w4 = width, 2 * width, 4 * width
    return nn.Sequential(
        nn.ReflectionPad2d(3),
        wrap(nn.Conv2d(in_channels, w1, 7)),
        nn.InstanceNorm2d(w1),
        nn.ReLU(),
        wrap(nn.Conv2d(w1, w2, 4, stride=2, padding=1)),
        nn.InstanceNorm2d(w2),
        nn.ReLU(),
        wrap(nn.Conv2d(w2, w4, 4, stride=2, padding=1)),
        nn.InstanceNorm2d(w4),
        nn.ReLU(),
        *(Residual(w4, wrap) for _ in range(depth)),
        wrap(nn.ConvTranspose2d(w4, w2, 4, stride=2, padding=1)),
        nn.InstanceNorm2d(w2),
        nn.ReLU(),
        wrap(nn.ConvTranspose2d(w2, w1, 4, stride=2, padding=1)),
        nn.InstanceNorm2d(w1),
        nn.ReLU(),
        nn.ReflectionPad2d(3),
        nn.Conv2d(w1, out_channels, 7),
        nn.Sigmoid() if is_spectral else HalfTanh(),
    )


def plain_edge_generator(*, width: int, depth: int) -> nn.Sequential:
    """Gray, edges and hole in; edges out. Spectral norm on all convolutions but the last."""
    return plain_generator(3, 1, width=width, depth=depth, is_spectral=True)


def plain_fill_generator(*, width: int, depth: int) -> nn.Sequential:
    """RGB and edges in; RGB out. No spectral norm."""
    return plain_generator(4, 3, width=width, depth=depth, is_spectral=False)


class PlainDiscriminator(nn.Module):
    """Five 4x4 convolutions with spectral norm; returns the logits and the five maps."""

    def __init__(self, in_channels: int, *, width: int = 64) -> None:
        super().__init__()
        plan = [
            (in_channels, width, 2),
            (width, 2 * width, 2),
            (2 * width, 4 * width, 2),
            (4 * width, 8 * width, 1),
            (8 * width, 1, 1),
        ]
        self.convolutions = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, stride=stride, padding=1, bias=False)) for a, b, stride in plan
        )

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        maps = []
        for index, convolution in enumerate(self.convolutions):
            x = convolution(x)
            if index < len(self.convolutions) - 1:
                x = F.leaky_relu(x, 0.2)
            maps.append(x)
        return x, maps


def _bce(logits: Tensor, is_real: bool) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(is_real)))


class PlainTraining:
    """A plain fp32 loop body for one generator: the same losses, batch and order as ours.

    Edge stage: adversarial + 10 x feature matching. Fill stage: L1 / mean(hole) + 0.1 x adversarial
    (perceptual and style terms need a features file and are left out on both sides).
    """

    def __init__(self, *, kind: str, width: int, depth: int, discriminator_width: int = 64) -> None:
        self.kind = kind
        if kind == "edges":
            self.generator = plain_edge_generator(width=width, depth=depth)
            self.discriminator = PlainDiscriminator(2, width=discriminator_width)
        else:
            self.generator = plain_fill_generator(width=width, depth=depth)
            self.discriminator = PlainDiscriminator(3, width=discriminator_width)
        self.generator_steps = torch.optim.Adam(self.generator.parameters(), lr=1e-4, betas=(0.0, 0.9))
        self.discriminator_steps = torch.optim.Adam(
            self.discriminator.parameters(), lr=1e-5, betas=(0.0, 0.9)
        )

    def step(self, image: Tensor, gray: Tensor, edges: Tensor, hole: Tensor) -> dict[str, float]:
        """Take one discriminator and one generator step; inputs are float32 in [0, 1]."""
        known = 1 - hole
        if self.kind == "edges":
            fake = self.generator(torch.cat([gray * known + hole, edges * known, hole], dim=1))
            judged_fake, judged_real = torch.cat([gray, fake], 1), torch.cat([gray, edges], 1)
        else:
            fake = self.generator(torch.cat([image * known + hole, edges], dim=1))
            judged_fake, judged_real = fake, image

        real_logits, _ = self.discriminator(judged_real)
        fake_logits, _ = self.discriminator(judged_fake.detach())
        discriminator_loss = (_bce(real_logits, True) + _bce(fake_logits, False)) / 2
        self.discriminator_steps.zero_grad()
        discriminator_loss.backward()
        self.discriminator_steps.step()

        logits, fake_maps = self.discriminator(judged_fake)
        if self.kind == "edges":
            with torch.no_grad():
                _, real_maps = self.discriminator(judged_real)
            matching = sum(F.l1_loss(f, r) for f, r in zip(fake_maps, real_maps, strict=True))
            generator_loss = _bce(logits, True) + 10 * matching
        else:
            generator_loss = F.l1_loss(fake, image) / hole.mean() + 0.1 * _bce(logits, True)
        self.generator_steps.zero_grad()
        generator_loss.backward()
        self.generator_steps.step()
        return {"discriminator": discriminator_loss.item(), "generator": generator_loss.item()}


def convolutions(network: nn.Module) -> list[nn.Module]:
    """Every convolution, in the order of the layers."""
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]


@torch.no_grad()
def copy_weights(plain: nn.Module, ours: nn.Module) -> None:
    """Give ``ours`` the effective weights of ``plain``; both have the same layers in the same order.

    Spectral norm divides a weight by its estimated largest singular value; the estimate is taken as the hook takes
    it outside training: from the stored vectors.
    """
    for source, target in zip(convolutions(plain), convolutions(ours), strict=True):
        weight = source.weight
        if hasattr(source, "weight_orig"):
            first = 1 if isinstance(source, nn.ConvTranspose2d) else 0
            matrix = source.weight_orig.movedim(first, 0).flatten(1)
            sigma = torch.dot(source.weight_u, matrix @ source.weight_v)
            weight = source.weight_orig / sigma
        assert weight.shape == target.weight.shape, "the layers differ"
        target.weight.copy_(weight)
        if target.bias is not None:
            target.bias.copy_(source.bias)
        else:
            assert source.bias is None, "the layers differ"
