"""How inpainting is learned: edges first, then the fill, then both.

Four stages. `edges` trains the edge generator against its judge. `fill-true-edges`
trains the fill on the picture's own edges, `fill-predicted-edges` on completed ones, with
the edge generator frozen. `joint` trains both generators through the fill, under the fill
judge alone.

A batch, as the loader makes it: ``image`` uint8 (B, 3, H, W) RGB; ``edges`` uint8 or bool
(B, 1, H, W), Canny of the whole clean picture, anything above 0 = edge; ``hole`` likewise,
anything above 0 = to be invented.

Source: Nazeri et al. 2019, arXiv:1901.00212, sections 3 and 4; weights of the loss terms
    as in the configuration published beside the code (its built-in defaults differ).
Deviations from the published loop:
    - both losses come before any step, so the generator's graph meets the weights it was
      built with (the published order fails on torch >= 1.5);
    - networks that rest in a stage stay untouched; there, the frozen edge generator's
      spectral vectors go on moving;
    - the mean hole that L1 is divided by is one of the whole step, however it is split;
    - edges may also be held against the true ones directly (off unless asked for): the judge
      alone needs more pictures than a processor sees in an hour.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Protocol

import torch
from torch import Tensor, nn

from models.errors import OptionError, UnknownNameError
from models.inpaint.discriminator import EdgeDiscriminator, FillDiscriminator
from models.inpaint.losses import (
    ADVERSARIAL_KINDS,
    discriminator_loss,
    edge_cross_entropy,
    feature_matching_loss,
    generator_loss,
    l1_over_hole,
    perceptual_loss,
    style_loss,
)
from models.inpaint.network import EdgeGenerator, FillGenerator
from models.inpaint.options import InpaintOptions
from models.inpaint.spectral import restore_spectral_norm
from models.objective import Batch, Group, Losses, Objective, Stage
from models.state import load_strictly, part_of, with_prefix

LUMA = (0.2125, 0.7154, 0.0721)
"""Weights of R, G and B in the grey picture: those of the published loader, not Rec. 601."""
EDGE_THRESHOLD = 0.5
"""Where a soft edge counts as one, in the metrics; never in training or inference."""


class FeatureNetwork(Protocol):
    """What the perceptual and style terms need; `models.features` has such networks."""

    perceptual_taps: Sequence[str]
    style_taps: Sequence[str]

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        """(B, 3, H, W), RGB in [0, 1] -> tap name -> features."""


@dataclass(frozen=True)
class LossWeights:
    """How much each term of the generators' losses counts; 0 switches a term off.

    A judge whose verdict counts nothing is not asked, and does not learn.
    """

    l1: float = 1.0
    """Absolute difference of fill and picture, over the share of the hole."""
    adversarial: float = 0.1
    """The fill judge's verdict."""
    perceptual: float = 0.1
    """Difference of features of fill and picture; needs a feature network."""
    style: float = 250.0
    """Difference of Gram matrices inside the hole; needs a feature network."""
    edges_adversarial: float = 1.0
    """The edge judge's verdict."""
    feature_matching: float = 10.0
    """Difference of the edge judge's own features of predicted and true edges."""
    edges_cross_entropy: float = 0.0
    """Cross entropy of predicted and true edges inside the hole. Not in the paper: a start for little compute."""

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not 0 <= value < float("inf"):
                raise OptionError(f"weight {one.name}", "0 or more", value, "0 switches the term off")


class InpaintObjective(Objective):
    """Both generators, both judges, four stages.

    Args:
        options: size of the generators. The judges are as wide as the generators.
        features: network for the perceptual and style terms; None switches both off.
        gan: kind of adversarial term: ``nsgan``, ``lsgan`` or ``hinge``.
        weights: of the loss terms.
        keeps_edge_discriminator: in `joint`, also hold predicted edges against the edge
            judge, with all terms of stage `edges`. The paper drops it there.

    Raises:
        UnknownNameError: for another kind of ``gan``.
    """

    stages = (
        Stage("edges", "edge generator against its judge", share=0.35),
        Stage("fill-true-edges", "fill generator, guided by the picture's own edges", share=0.35),
        Stage("fill-predicted-edges", "fill generator, guided by completed edges", share=0.2),
        Stage("joint", "both generators, through the fill", share=0.1, learning_rate_scale=0.1),
    )

    def __init__(
        self,
        *,
        options: InpaintOptions,
        features: FeatureNetwork | None = None,
        gan: str = "nsgan",
        weights: LossWeights = LossWeights(),  # noqa: B008 (frozen)
        keeps_edge_discriminator: bool = False,
    ) -> None:
        super().__init__()
        if gan not in ADVERSARIAL_KINDS:
            raise UnknownNameError("adversarial loss", gan, ADVERSARIAL_KINDS)
        self.options, self.gan, self.weights = options, gan, weights
        self.keeps_edge_discriminator = keeps_edge_discriminator
        self.edges = EdgeGenerator(width=options.width, depth=options.depth, is_spectral=True)
        self.fill = FillGenerator(width=options.width, depth=options.depth)
        self.edges_discriminator = EdgeDiscriminator(width=options.width)
        self.fill_discriminator = FillDiscriminator(width=options.width)
        self.features = features

    def ema_networks(self) -> dict[str, nn.Module]:
        """The two generators."""
        return {"edges": self.edges, "fill": self.fill}

    def trained_parameters(self, group: Group, stage: str) -> list[nn.Parameter]:
        """Parameters of the networks that learn in ``stage``, on one side."""
        return [p for network in self._trained_networks(stage)[group] for p in network.parameters()]

    def prepare(self, batch: Mapping[str, Tensor]) -> Batch:
        """Bytes to float32 in [0, 1]; ``gray`` is made from the picture unless the batch brings it."""
        image = batch["image"]
        image = image.float() / 255 if image.dtype == torch.uint8 else image.float()
        ready = {
            "image": image,
            "edges": (batch["edges"] > 0).float(),
            "hole": (batch["hole"] > 0).float(),
        }
        ready["gray"] = batch["gray"].float() if "gray" in batch else luma(image)
        return ready

    def denominators(self, batch: Batch) -> dict[str, Tensor]:
        """``hole_share``: mean of the hole, at least one pixel's worth."""
        hole = batch["hole"]
        return {"hole_share": hole.mean().clamp_min(1 / hole[0].numel())}

    def losses(self, batch: Batch, stage: str, denominators: Mapping[str, Tensor]) -> Losses:
        """Weighted terms of one step; see `Objective.losses`.

        In training every judge moves its spectral vectors once for each of its three
        answers: truth, detached fake, fake.
        """
        name = self.stage(stage).name
        if name == "edges":
            return self._edge_losses(batch, self._predicted_edges(batch), denominators)
        if name == "fill-true-edges":
            return self._fill_losses(batch, batch["edges"], denominators)
        if name == "fill-predicted-edges":
            with torch.no_grad(), _resting(self.edges):
                predicted = self._predicted_edges(batch)
            return self._fill_losses(batch, completed(predicted, batch), denominators)
        predicted = self._predicted_edges(batch)
        losses = self._fill_losses(batch, completed(predicted, batch), denominators)
        if self.keeps_edge_discriminator:
            edge_losses = self._edge_losses(batch, predicted, denominators)
            losses = {side: {**edge_losses[side], **losses[side]} for side in losses}
        return losses

    @torch.no_grad()
    def metrics(self, batch: Batch, stage: str) -> dict[str, float]:
        """Edges in the hole: precision and recall at 0.5; fill: L1 in the hole, PSNR in dB of the composite."""
        with _resting(self):
            edges, composite = self._answers(batch, stage)
        hole, image = batch["hole"], batch["image"]
        numbers: dict[str, float] = {}
        if edges is not None:
            inside = hole > 0
            found, true = (edges > EDGE_THRESHOLD)[inside], (batch["edges"] > EDGE_THRESHOLD)[inside]
            hits = (found & true).sum()
            numbers["edge_precision"] = float(hits / found.sum().clamp_min(1))
            numbers["edge_recall"] = float(hits / true.sum().clamp_min(1))
        if composite is not None:
            difference = composite - image
            numbers["hole_l1"] = float(difference.abs().sum() / (3 * hole.sum()).clamp_min(1))
            error = difference.square().mean(dim=(1, 2, 3)).clamp_min(1e-10)  # at most 100 dB
            numbers["psnr"] = float(-10 * error.log10().mean())
        return numbers

    @torch.no_grad()
    def preview(self, batch: Batch, stage: str) -> Tensor:
        """Picture with hole, edges in use, composite, truth; in stage `edges` the two edge maps instead."""
        with _resting(self):
            edges, composite = self._answers(batch, stage)
        image, hole = batch["image"], batch["hole"]
        used = batch["edges"] if edges is None else edges
        cells = [image * (1 - hole) + hole, _as_rgb(used)]
        cells += [_as_rgb(batch["edges"]) if composite is None else composite, image]
        return torch.cat(cells, dim=3)

    def house_state(self) -> dict[str, Tensor]:
        """All four networks, with their spectral vectors."""
        networks = self._networks()
        return {
            k: v for name, one in networks.items() for k, v in with_prefix(one.state_dict(), name).items()
        }

    def load_house_state(self, state: Mapping[str, Tensor]) -> tuple[str, ...]:
        """Start from weights: folded or spectral, with or without judges.

        Folded weights keep their effective values: their spectral vectors are made so that
        the estimate is 1 until training moves them.
        """
        absent = []
        for name, network in self._networks().items():
            part = part_of(state, name)
            if not part:
                absent.append(name)
                continue
            load_strictly(f"weights of {name}", network, restore_spectral_norm(part, network))
        return tuple(absent)

    def _networks(self) -> dict[str, nn.Module]:
        return {
            "edges": self.edges,
            "fill": self.fill,
            "edges_discriminator": self.edges_discriminator,
            "fill_discriminator": self.fill_discriminator,
        }

    def _trained_networks(self, stage: str) -> dict[Group, list[nn.Module]]:
        name = self.stage(stage).name
        if name == "edges":
            return {"generator": [self.edges], "discriminator": [self.edges_discriminator]}
        if name != "joint":
            return {"generator": [self.fill], "discriminator": [self.fill_discriminator]}
        kept: list[nn.Module] = [self.edges_discriminator] if self.keeps_edge_discriminator else []
        return {
            "generator": [self.edges, self.fill],
            "discriminator": [self.fill_discriminator, *kept],
        }

    def _predicted_edges(self, batch: Batch) -> Tensor:
        return self.edges.predict(batch["gray"], batch["edges"], batch["hole"])

    def _answers(self, batch: Batch, stage: str) -> tuple[Tensor | None, Tensor | None]:
        """Completed edges, where the stage predicts any, and the composite, where it paints one."""
        name = self.stage(stage).name
        edges = None if name == "fill-true-edges" else completed(self._predicted_edges(batch), batch)
        if name == "edges":
            return edges, None
        image, hole = batch["image"], batch["hole"]
        fill = self.fill.paint(image, batch["edges"] if edges is None else edges, hole)
        return edges, fill * hole + image * (1 - hole)

    def _edge_losses(self, batch: Batch, predicted: Tensor, denominators: Mapping[str, Tensor]) -> Losses:
        weights, judge = self.weights, self.edges_discriminator
        discriminator, generator = {}, {}
        if weights.edges_adversarial or weights.feature_matching:
            gray = batch["gray"]
            real_logits, real_features = judge(gray, batch["edges"])
            fake_logits, _ = judge(gray, predicted.detach())
            discriminator["edges_adversarial"] = discriminator_loss(real_logits, fake_logits, kind=self.gan)
            with _frozen(judge):
                logits, features = judge(gray, predicted)
            generator["edges_adversarial"] = weights.edges_adversarial * generator_loss(logits, kind=self.gan)
            if weights.feature_matching:
                matching = feature_matching_loss(features, real_features)
                generator["edges_matching"] = weights.feature_matching * matching
        if weights.edges_cross_entropy or not generator:
            entropy = edge_cross_entropy(predicted, batch["edges"], batch["hole"], denominators["hole_share"])
            generator["edges_cross_entropy"] = weights.edges_cross_entropy * entropy
        return {"discriminator": discriminator, "generator": generator}

    def _fill_losses(self, batch: Batch, edges: Tensor, denominators: Mapping[str, Tensor]) -> Losses:
        image, hole, judge = batch["image"], batch["hole"], self.fill_discriminator
        weights, discriminator = self.weights, {}
        fill = self.fill.paint(image, edges, hole)
        generator = {"fill_l1": weights.l1 * l1_over_hole(fill, image, denominators["hole_share"])}
        if weights.adversarial:
            real_logits, _ = judge(image)
            fake_logits, _ = judge(fill.detach())
            discriminator["fill_adversarial"] = discriminator_loss(real_logits, fake_logits, kind=self.gan)
            with _frozen(judge):
                logits, _ = judge(fill)
            generator["fill_adversarial"] = weights.adversarial * generator_loss(logits, kind=self.gan)
        generator |= self._feature_losses(fill, image, hole)
        return {"discriminator": discriminator, "generator": generator}

    def _feature_losses(self, fill: Tensor, image: Tensor, hole: Tensor) -> dict[str, Tensor]:
        """Terms that compare through the feature network; nothing where there is none."""
        network, terms = self.features, {}
        if network is not None and self.weights.perceptual:
            loss = perceptual_loss(network(fill), _without_gradient(network, image), network.perceptual_taps)
            terms["fill_perceptual"] = self.weights.perceptual * loss
        if network is not None and self.weights.style:
            inside = _without_gradient(network, image * hole)
            loss = style_loss(network(fill * hole), inside, network.style_taps)
            terms["fill_style"] = self.weights.style * loss
        return terms


def luma(image: Tensor) -> Tensor:
    """Grey picture of RGB: (B, 3, H, W) in [0, 1] -> (B, 1, H, W) in [0, 1]."""
    weights = torch.tensor(LUMA, dtype=image.dtype, device=image.device)
    return (image * weights.view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def completed(predicted: Tensor, batch: Batch) -> Tensor:
    """Predicted edges inside the hole, true ones around it."""
    hole = batch["hole"]
    return predicted * hole + batch["edges"] * (1 - hole)


def _without_gradient(network: FeatureNetwork, image: Tensor) -> dict[str, Tensor]:
    with torch.no_grad():
        return network(image)


def _as_rgb(plane: Tensor) -> Tensor:
    return plane.expand(-1, 3, -1, -1)


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Let gradients pass through ``network`` without leaving any in its parameters."""
    trained = [p for p in network.parameters() if p.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


@contextmanager
def _resting(network: nn.Module) -> Iterator[None]:
    """Put ``network`` in eval mode for a while: its spectral vectors stay where they are."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, is_training in modes:
            module.training = is_training
