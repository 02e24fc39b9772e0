"""What the one training loop needs to know of a family.

An objective owns the networks of a family while they learn. Given a batch it answers
with the losses of one step; it never steps, saves, logs or moves anything, so one loop
serves every family, one process or many, one micro-batch or several.

Both sides' losses come from one call, before any step: the graph of the generator's loss
runs through the discriminator's weights, and stepping these first would change them
under the graph. The loop backpropagates both, reduces the gradients, then steps both.

Means over a batch whose denominator is itself a batch value (the share of hole pixels)
would differ between one big batch and several small ones. `denominators` hands such
values out and `losses` takes them back; the loop averages them in between.

What only some families need has a default that changes nothing: `at_step`
for training that changes from step to step, `further_losses` for a second step of the
generator, `learning_rate_factor` for a published course of the learning rate, and
`has_steady_sizes` where steps differ in size.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from models.errors import UnknownNameError

Batch = dict[str, Tensor]
Group = Literal["generator", "discriminator"]
Losses = dict[str, dict[str, Tensor]]


@dataclass(frozen=True)
class Stage:
    """One stretch of a family's training."""

    name: str
    """As on the command line, with hyphens."""
    summary: str
    """One line for people: what is trained, on what."""
    share: float
    """Share of all steps when every stage runs; the shares of a family sum to 1."""
    learning_rate_scale: float = 1.0
    """Factor on the learning rate of this stage."""


class Objective(nn.Module, ABC):
    """The networks of a family and the losses that train them; pure torch."""

    stages: tuple[Stage, ...]
    """In the order in which they run."""
    has_steady_sizes: bool = True
    """Whether every step meets each layer with the same sizes: only then is tuning kernels to them worth it."""

    def stage(self, name: str) -> Stage:
        """The stage of that name.

        Raises:
            UnknownNameError: if this objective has no such stage.
        """
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise UnknownNameError("stage", name, [stage.name for stage in self.stages])

    def at_step(self, step: int, steps: int) -> None:
        """Told before each step, ahead of `prepare`; whatever the step draws must follow from these two.

        Args:
            step: the one about to be taken, from 0, counted within the stage.
            steps: of the stage.
        """
        del step, steps

    def learning_rate_factor(self, step: int, steps: int) -> float | None:
        """Rate of a step as a share of the full rate; None leaves it to the run's own schedule."""
        del step, steps
        return None

    @abstractmethod
    def trained_parameters(self, group: Group, stage: str) -> list[nn.Parameter]:
        """What the optimiser of ``group`` holds in ``stage``; an empty list if that side rests."""

    @abstractmethod
    def prepare(self, batch: Mapping[str, Tensor]) -> Batch:
        """Turn the loader's bytes into float32 in [0, 1] and add derived entries; inputs stay as they are."""

    @abstractmethod
    def denominators(self, batch: Batch) -> dict[str, Tensor]:
        """Scalars over a prepared batch that `losses` divides by; to be averaged over the whole step."""

    @abstractmethod
    def losses(self, batch: Batch, stage: str, denominators: Mapping[str, Tensor]) -> Losses:
        """Weighted scalars of one step: ``{"discriminator": {term: loss}, "generator": {term: loss}}``.

        A side's loss is the sum of its terms. The discriminator's terms reach only its own
        parameters, the generator's terms only the generator's.
        """

    def further_losses(
        self, batch: Batch, stage: str, denominators: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Terms of one more step of the generator's side, taken after both sides have stepped.

        ``batch`` is the one that `losses` has just seen; that call may have left entries in it
        for this one. Empty where there is no such step, which is the rule.
        """
        del batch, stage, denominators
        return {}

    @abstractmethod
    def metrics(self, batch: Batch, stage: str) -> dict[str, float]:
        """Plain numbers for people, without gradients."""

    @abstractmethod
    def preview(self, batch: Batch, stage: str) -> Tensor:
        """One row of pictures a sample, side by side: (B, 3, H, W*k), float32, RGB in [0, 1]."""

    @abstractmethod
    def ema_networks(self) -> dict[str, nn.Module]:
        """The networks that are averaged over steps and written as weights, by their house name."""

    @abstractmethod
    def house_state(self) -> dict[str, Tensor]:
        """Every network of the family as one flat dict, each key below its network's name."""

    @abstractmethod
    def load_house_state(self, state: Mapping[str, Tensor]) -> tuple[str, ...]:
        """Start from weights, whether or not they hold everything that training needs.

        Returns:
            Names of the networks that the state did not hold; they keep their fresh start.

        Raises:
            StateError: if a network that the state does hold does not fit.
        """
