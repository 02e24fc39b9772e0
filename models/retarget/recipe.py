"""How a run of training goes: its length, its crops, what counts, and what is drawn when.

Everything that changes on the way is told on the published clock, which runs from 0 to
75,000 whatever the number of steps: a run of 4,000 steps sees the same course, faster.

Two ways to be told what is wrong with an answer: judges that learn it, as published, and
the distance of the two populations of patches (`losses.patch_distance`). Judges see things
where the distance sees texture, but need tens of thousands of steps to know anything; the
distance is right from the first step on.

Source: the published code's defaults; Shocher et al. 2019, arXiv:1812.00231, section 5.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch

from models.errors import OptionError
from models.retarget.discriminator import MIN_SIDE_PX
from models.retarget.warp import Shifts

CLOCK_END = 75_000
"""Steps of the published run."""
LARGEST_NOISE = 0.5 / 255
"""Half a step of an 8-bit picture, in [0, 1]: how far noise moves a value."""
_RAMP_END = 10_000  # when the range of sizes and shifts is fully open
_INVERSE_START = 10_000  # after this, the generator takes a second step
_RATE_HOLD = 20_000  # until here the learning rate is whole; from here it falls in a straight line to 0


@dataclass(frozen=True)
class LossWeights:
    """How much each term of the generator counts; 0 switches a term off.

    Judges whose verdict counts nothing are not asked, and do not learn.
    """

    adversarial: float = 1.0
    """The judges' verdict."""
    reconstruction: float = 0.1
    """Difference of a crop and what comes back of it, on [-1, 1]."""
    inverse: float = 1.0
    """The same in the second step, for an answer that stays as it is."""
    patches: float = 0.0
    """Distance of an answer's patches from the crop's, as populations; not in the published code."""

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not 0 <= value < math.inf:
                raise OptionError(f"weight {one.name}", "0 or more", value, "0 switches the term off")


@dataclass(frozen=True)
class Recipe:
    """One way to train on a picture."""

    steps: int
    """Of the run, at least 1."""
    crop_px: int
    """Longest side of a training crop, in px; a multiple of 8, 32 or more."""
    learning_rate: float
    """Of both sides, before the course; in [0, 1], as of any run."""
    largest_scale: float = 2.25
    """Of a side of the remade crop, over the crop's; 1 or more."""
    smallest_scale: float = 0.15
    """The same, downwards; above 0, at most 1."""
    largest_shift: float = 0.0
    """How far shears and tapers go, in [0, 0.5); 0 trains sizes alone, as published."""
    momentum: float = 0.5
    """First beta of Adam."""
    second_beta: float = 0.999
    """Second beta of Adam."""
    weights: LossWeights = LossWeights()
    """Of the loss terms."""

    def __post_init__(self) -> None:
        ranges = {
            "steps": (self.steps >= 1, "1 or more"),
            "crop_px": (self.crop_px >= 32 and self.crop_px % 8 == 0, "a multiple of 8, 32 or more"),
            "learning_rate": (0 <= self.learning_rate <= 1, "a number in [0, 1]"),
            "largest_scale": (1 <= self.largest_scale < math.inf, "1 or more"),
            "smallest_scale": (0 < self.smallest_scale <= 1, "a number in (0, 1]"),
            "largest_shift": (0 <= self.largest_shift < 0.5, "a number in [0, 0.5)"),
            "momentum": (0 <= self.momentum < 1, "a number in [0, 1)"),
            "second_beta": (0 <= self.second_beta < 1, "a number in [0, 1)"),
        }
        for name, (is_good, expected) in ranges.items():
            if not is_good:
                hint = "see RECIPES for the usual value"
                raise OptionError(name, expected, getattr(self, name), hint)


_FAST = Recipe(
    steps=12_000,
    crop_px=96,
    learning_rate=5e-4,
    smallest_scale=0.4,
    largest_scale=2.25,
    weights=LossWeights(adversarial=0.0, reconstruction=0.1, inverse=0.0, patches=10.0),
)

RECIPES: Mapping[str, Recipe] = {
    "official": Recipe(steps=CLOCK_END, crop_px=256, learning_rate=5e-5),
    "fast": _FAST,
    "fast-shapes": replace(_FAST, largest_shift=0.3),
}
"""Named recipes: the published one, one for minutes instead of hours, and that one with shears and tapers."""


def clock_of(step: int, steps: int) -> float:
    """A step of a run on the published clock."""
    return step * CLOCK_END / steps


def learning_rate_factor(clock: float) -> float:
    """Share of the full rate, in [0, 1]."""
    return min(1.0, max(0.0, (CLOCK_END - clock) / (CLOCK_END - _RATE_HOLD)))


def has_inverse_step(clock: float) -> bool:
    """Whether the generator takes its second step at that time."""
    return clock > _INVERSE_START


def draw_size_hw(
    recipe: Recipe, clock: float, crop_hw: tuple[int, int], multiple: int, generator: torch.Generator
) -> tuple[int, int]:
    """A size for a crop to be remade at: each side on its own, the range opening with time.

    Never so small that the judges could not see it.
    """
    ramp = _ramp(clock)
    low = 1 - (1 - recipe.smallest_scale) * ramp
    high = 1 + (recipe.largest_scale - 1) * ramp
    shares = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
    scales = [low + (high - low) * share for share in shares]
    h, w = scaled_hw(crop_hw, (scales[0], scales[1]), multiple, rounds_up=True)
    least = math.ceil(MIN_SIDE_PX / multiple) * multiple
    return max(h, least), max(w, least)


def draw_shifts(recipe: Recipe, clock: float, generator: torch.Generator) -> Shifts:
    """Two shifts, each in plus or minus the recipe's largest one; the range opens with time."""
    reach = recipe.largest_shift * _ramp(clock)
    one, other = ((2 * torch.rand(2, generator=generator, dtype=torch.float64) - 1) * reach).tolist()
    return one, other


def scaled_hw(
    size_hw: tuple[int, int], scales: tuple[float, float], multiple: int, *, rounds_up: bool = False
) -> tuple[int, int]:
    """A scaled size in whole multiples, at least two: down as the published test, up as its training."""
    rounded = math.ceil if rounds_up else math.floor
    h, w = (
        max(2, rounded(scale * side / multiple)) * multiple
        for side, scale in zip(size_hw, scales, strict=True)
    )
    return h, w


def crop_hw(recipe: Recipe, picture_hw: tuple[int, int], multiple: int) -> tuple[int, int]:
    """The training crop of a picture: never the whole of a side, so that crops differ."""
    h, w = (min(recipe.crop_px, side - 1) // multiple * multiple for side in picture_hw)
    if min(h, w) < 2 * multiple:
        hint = "the picture is too small to learn from; enlarge it first"
        raise OptionError("picture", f"sides above {2 * multiple} px", picture_hw, hint)
    return h, w


def _ramp(clock: float) -> float:
    return min(1.0, max(0.0, clock / _RAMP_END))
