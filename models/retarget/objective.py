"""How one picture is learned: remake its crops at random sizes, and bring them back.

A batch, as the loader makes it: ``image`` uint8 (B, 3, H, W) RGB, crops of the picture,
H and W multiples of 2**downscales (`recipe.crop_hw`). What a step draws is added by
`prepare`, from a stream that is a function of (seed, step) alone, so that a resumed run
draws what it would have drawn. Entries that a batch brings along are kept:

    target_size_hw: int64 (2,) on CPU, the size the crops are remade at;
    shifts: float64 (2,) on CPU, the published warp;
    noise, noise_real, noise_fake: float32, what is added to the crop the generator sees,
        and to the two pictures the judges see while they learn; in [0, 1] units;
    directions, phase: float32 and int64 (2,) on CPU, along which and from where patches are
        compared as populations, where that term counts; see `losses.patch_distance`.

Step: the generator remakes the crop, the judges look or patches are compared, the generator
brings its own answer back. Later in training it takes a second step on bringing back an answer that it may not
change any more (`further_losses`).

Source: Shocher et al. 2019, arXiv:1812.00231, section 3; terms, weights and order as in
    the published code.
Deviations from the published loop:
    - both sides' losses come before any step; the judges' terms are the same either way,
      since the fake they see was made before the step there too;
    - the inverse of a warp is the warp with opposite shifts, as published: exact for
      shears, approximate for tapers;
    - targets are at least two multiples long, which the published ranges always are.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import UnknownNameError
from models.objective import Batch, Group, Losses, Objective, Stage
from models.retarget import recipe as recipes
from models.retarget.discriminator import MIN_SIDE_PX, MultiScaleDiscriminator, scale_weights
from models.retarget.losses import draw_directions, patch_distance, reconstruction_loss, verdict_loss
from models.retarget.network import RetargetGenerator
from models.retarget.options import RetargetOptions
from models.retarget.recipe import RECIPES, LossWeights, Recipe
from models.retarget.spectral import restore_spectral_norm
from models.retarget.warp import Shifts
from models.state import load_strictly, part_of, with_prefix

_DIRECTIONS = 32  # a scale and step; the next step looks along others
_PATCH_SCALES = 3  # patches of 7 px at three sizes see things of up to 28 px
_SEED_STRIDE = 1_000_003  # prime; more than the steps of any run, so that two seeds share no stream


class RetargetObjective(Objective):
    """One generator, its judges, one stage.

    Args:
        options: size of the networks.
        recipe: a name in `RECIPES` or a recipe of one's own.
        weights: of the loss terms; the recipe's if None.
        seed: of everything that is drawn.

    Raises:
        UnknownNameError: for another name of a recipe.
    """

    stages = (Stage("retarget", "crops remade at random sizes out of the picture's own patches", share=1.0),)
    has_steady_sizes = False

    def __init__(
        self,
        *,
        options: RetargetOptions,
        recipe: str | Recipe = "official",
        weights: LossWeights | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if isinstance(recipe, str):
            if recipe not in RECIPES:
                raise UnknownNameError("recipe", recipe, RECIPES)
            recipe = RECIPES[recipe]
        self.options, self.recipe, self.seed = options, recipe, seed
        self.weights = recipe.weights if weights is None else weights
        self.generator = RetargetGenerator(
            width=options.width, depth=options.depth, downscales=options.downscales, is_spectral=True
        )
        self.discriminator = MultiScaleDiscriminator(width=options.width, scales=options.scales)
        self.at_step(0, recipe.steps)

    def at_step(self, step: int, steps: int) -> None:
        """Set the published clock, and start the stream of that step."""
        self.clock = recipes.clock_of(step, steps)
        self._draws = torch.Generator().manual_seed((self.seed * _SEED_STRIDE + step) % 2**31)

    def learning_rate_factor(self, step: int, steps: int) -> float:
        """Whole until 20,000 of the published clock, then down to 0 in a straight line."""
        return recipes.learning_rate_factor(recipes.clock_of(step, steps))

    def ema_networks(self) -> dict[str, nn.Module]:
        """The generator."""
        return {"generator": self.generator}

    def trained_parameters(self, group: Group, stage: str) -> list[nn.Parameter]:
        """All of a side's parameters, in the only stage; none of judges that are not asked."""
        self.stage(stage)
        if group == "generator":
            return list(self.generator.parameters())
        return list(self.discriminator.parameters()) if self.weights.adversarial else []

    def prepare(self, batch: Mapping[str, Tensor]) -> Batch:
        """Bytes to float32 in [0, 1], and the draws of this step; see the module's words on batches."""
        image = batch["image"]
        image = image.float() / 255 if image.dtype == torch.uint8 else image.float()
        crop_hw = (image.shape[2], image.shape[3])
        multiple = self.generator.size_multiple
        size_hw = recipes.draw_size_hw(self.recipe, self.clock, crop_hw, multiple, self._draws)
        shifts = recipes.draw_shifts(self.recipe, self.clock, self._draws)
        drawn = {"target_size_hw": torch.tensor(size_hw), "shifts": torch.tensor(shifts, dtype=torch.float64)}
        ready = {"image": image} | {key: batch.get(key, value).cpu() for key, value in drawn.items()}
        fake_shape = (*image.shape[:2], *_size_of(ready))
        for name, shape in (("noise", image.shape), ("noise_real", image.shape), ("noise_fake", fake_shape)):
            noise = batch[name] if name in batch else self._noise(shape)
            ready[name] = noise.to(image.device)
        if self.weights.patches:
            directions = draw_directions(_DIRECTIONS, _PATCH_SCALES, self._draws)
            ready["directions"] = batch.get("directions", directions).to(image.device)
            ready["phase"] = batch.get("phase", torch.randint(0, 64, (2,), generator=self._draws)).cpu()
        return ready

    def denominators(self, batch: Batch) -> dict[str, Tensor]:
        """None: every term is a plain mean."""
        del batch
        return {}

    def losses(self, batch: Batch, stage: str, denominators: Mapping[str, Tensor]) -> Losses:
        """Weighted terms of one step; see `Objective.losses`.

        Leaves the answer in the batch, as ``fake``, where a second step is going to need it.
        """
        del denominators
        self.stage(stage)
        image, weights = batch["image"], self.weights
        discriminator, generator = {}, {}
        fake = self._remade(image + batch["noise"], batch)
        if weights.adversarial:
            counts = scale_weights(self.clock, fake.shape[-2:])
            with _frozen(self.discriminator):
                verdict = self.discriminator(fake, counts)
            generator["adversarial"] = weights.adversarial * verdict_loss(verdict, is_real=True)
            verdict = self.discriminator(image + batch["noise_real"], counts)
            discriminator["real"] = verdict_loss(verdict, is_real=True) / 2
            verdict = self.discriminator(fake.detach() + batch["noise_fake"], counts)
            discriminator["fake"] = verdict_loss(verdict, is_real=False) / 2
        if weights.patches:
            generator["patches"] = weights.patches * self._patch_distance(fake, batch)
        if weights.reconstruction or not generator:
            back = self._brought_back(fake, batch)
            generator["reconstruction"] = weights.reconstruction * reconstruction_loss(back, image)
        if self._has_inverse_step():
            batch["fake"] = fake.detach()
        return {"discriminator": discriminator, "generator": generator}

    def further_losses(
        self, batch: Batch, stage: str, denominators: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """``inverse``: bring back the answer that `losses` gave, which stays as it is."""
        del denominators
        self.stage(stage)
        if not self._has_inverse_step():
            return {}
        assert "fake" in batch, "losses comes before further_losses"
        loss = reconstruction_loss(self._brought_back(batch["fake"], batch), batch["image"])
        return {"inverse": self.weights.inverse * loss}

    @torch.no_grad()
    def metrics(self, batch: Batch, stage: str) -> dict[str, float]:
        """Of crops remade half as wide: PSNR in dB of what comes back, and what the terms in use say of both."""
        self.stage(stage)
        image = batch["image"]
        with _resting(self):
            fake = self._halved(image, 3)
            back = self.generator(fake, _hw(image))
            error = (back - image).square().mean(dim=(1, 2, 3)).clamp_min(1e-10)  # at most 100 dB
            found = {"psnr": float(-10 * error.log10().mean())}
            if self.weights.adversarial:
                counts = scale_weights(self.clock, fake.shape[-2:])[: self.options.scales]
                for name, picture in (("verdict_real", image), ("verdict_fake", fake)):
                    found[name] = float(self.discriminator(picture, counts).mean()) / sum(counts)
            if self.weights.patches:
                found["patch_distance"] = float(self._patch_distance(fake, batch))
        return found

    @torch.no_grad()
    def preview(self, batch: Batch, stage: str) -> Tensor:
        """Crop, remade half as wide, remade half as high, and brought back from the first; on white."""
        self.stage(stage)
        image = batch["image"]
        with _resting(self):
            narrow, low = self._halved(image, 3), self._halved(image, 2)
            back = self.generator(narrow, _hw(image))
        return torch.cat([image, _on_white(narrow, image), _on_white(low, image), back], dim=3)

    def house_state(self) -> dict[str, Tensor]:
        """Both networks, with their spectral vectors."""
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
        return {"generator": self.generator, "discriminator": self.discriminator}

    def _noise(self, shape: tuple[int, ...]) -> Tensor:
        return (2 * torch.rand(tuple(shape), generator=self._draws) - 1) * recipes.LARGEST_NOISE

    def _patch_distance(self, fake: Tensor, batch: Batch) -> Tensor:
        row, column = batch["phase"].tolist()
        return patch_distance(fake, batch["image"], batch["directions"], (row, column))

    def _has_inverse_step(self) -> bool:
        return bool(self.weights.inverse) and recipes.has_inverse_step(self.clock)

    def _remade(self, image: Tensor, batch: Batch) -> Tensor:
        answer: Tensor = self.generator(image, _size_of(batch), shifts=_shifts_of(batch))
        return answer

    def _brought_back(self, fake: Tensor, batch: Batch) -> Tensor:
        one, other = _shifts_of(batch)
        answer: Tensor = self.generator(fake, _hw(batch["image"]), shifts=(-one, -other))
        return answer

    def _halved(self, image: Tensor, dim: int) -> Tensor:
        """Remade at about half of one side, but not shorter than the judges can see."""
        size_hw, multiple = list(_hw(image)), self.generator.size_multiple
        half = max(size_hw[dim - 2] // 2, 2 * multiple, MIN_SIDE_PX)
        size_hw[dim - 2] = min(size_hw[dim - 2], -(-half // multiple) * multiple)
        answer: Tensor = self.generator(image, (size_hw[0], size_hw[1]))
        return answer


def _hw(image: Tensor) -> tuple[int, int]:
    return image.shape[2], image.shape[3]


def _size_of(batch: Batch) -> tuple[int, int]:
    h, w = batch["target_size_hw"].tolist()
    return int(h), int(w)


def _shifts_of(batch: Batch) -> Shifts:
    one, other = batch["shifts"].tolist()
    return float(one), float(other)


def _on_white(picture: Tensor, like: Tensor) -> Tensor:
    """``picture`` at the top left of a white frame as large as ``like``."""
    down, right = (a - b for a, b in zip(like.shape[-2:], picture.shape[-2:], strict=True))
    return F.pad(picture, (0, right, 0, down), value=1.0)


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
    """Put ``network`` in eval mode for a while: vectors and running statistics stay where they are."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, is_training in modes:
            module.training = is_training
