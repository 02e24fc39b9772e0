"""Sizes of the inpainting networks, and reading them off their weights."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from models.errors import OptionError, StateError


@dataclass(frozen=True)
class InpaintOptions:
    """Size of both generators; the judges are as wide as they are."""

    width: int = 64
    """Channels at full resolution, at least 1; twice and four times as many further in."""
    depth: int = 8
    """Residual blocks at a quarter of the resolution, at least 1."""

    def __post_init__(self) -> None:
        for name, what in (("width", "channels"), ("depth", "residual blocks")):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise OptionError(name, f"a whole number of {what}, 1 or more", value, "official: 64 and 8")


OPTIONS: Mapping[str, InpaintOptions] = {
    "official": InpaintOptions(width=64, depth=8),
    "starter": InpaintOptions(width=32, depth=8),
}
"""Named sizes: the published one, and the one we train and ship."""


def options_from_state(state: Mapping[str, Tensor]) -> InpaintOptions:
    """Read width and depth off a house state, folded or spectral.

    Raises:
        StateError: if the state holds neither generator.
    """
    for network in ("fill", "edges"):
        key = f"{network}.decoder.head.weight"
        if key in state and state[key].ndim == 4:
            start = f"{network}.blocks."
            blocks = {name[len(start) :].split(".")[0] for name in state if name.startswith(start)}
            return InpaintOptions(width=state[key].shape[1], depth=max(len(blocks), 1))
    missing = ("fill.decoder.head.weight", "edges.decoder.head.weight")
    raise StateError("inpaint weights", missing=missing, hint="the file holds no inpainting generator")
