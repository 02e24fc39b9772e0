"""Sizes of the retargeting networks, and reading them off their weights."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from models.errors import OptionError, StateError


@dataclass(frozen=True)
class RetargetOptions:
    """Size of the generator and of its judges, which are as wide as it is."""

    width: int = 64
    """Channels at full resolution, at least 1; doubled by every halving."""
    depth: int = 6
    """Residual blocks at the lowest resolution, at least 1."""
    downscales: int = 3
    """Halvings, at least 1; both sides of a picture must be multiples of 2 to this power."""
    scales: int = 9
    """Judges, one for each size of the picture, at least 1; see `discriminator.scale_count`."""

    def __post_init__(self) -> None:
        names = {
            "width": "channels",
            "depth": "residual blocks",
            "downscales": "halvings",
            "scales": "judges",
        }
        for name, what in names.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                hint = "official: width 64, depth 6, downscales 3, scales 9"
                raise OptionError(name, f"a whole number of {what}, 1 or more", value, hint)
        if self.width * 2**self.downscales < 4:
            got = f"{self.width} and {self.downscales}"
            hint = "residual blocks work at a quarter of their channels"
            raise OptionError("width and downscales", "4 channels at the lowest resolution", got, hint)


OPTIONS: Mapping[str, RetargetOptions] = {
    "official": RetargetOptions(width=64, depth=6, downscales=3, scales=9),
    "starter": RetargetOptions(width=32, depth=4, downscales=3, scales=6),
}
"""Named sizes: the published one, for crops of 256 px, and a lighter one for crops of 96 px."""

HEAD = "generator.head.weight"
"""The key that tells the family, and the width."""


def options_from_state(state: Mapping[str, Tensor]) -> RetargetOptions:
    """Read the sizes off a house state, folded or spectral; without judges in it, ``scales`` is the published 9.

    Raises:
        StateError: if the state holds no generator.
    """
    if HEAD not in state or state[HEAD].ndim != 4:
        raise StateError("retarget weights", missing=[HEAD], hint="the file holds no retargeting generator")
    return RetargetOptions(
        width=state[HEAD].shape[1],
        depth=max(1, _count(state, "generator.blocks.")),
        downscales=max(1, _count(state, "generator.downs.")),
        scales=_count(state, "discriminator.judges.") or 9,
    )


def _count(state: Mapping[str, Tensor], start: str) -> int:
    return len({name[len(start) :].split(".")[0] for name in state if name.startswith(start)})
