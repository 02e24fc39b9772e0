"""What the engine and the training loop must know of a family, as plain facts and functions.

A family fills in one `FamilySpec`. Nobody outside the family imports its networks by
name: weights are loaded, networks built and objectives made through the spec.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from models.objective import Objective


@dataclass(frozen=True)
class NetworkSpec:
    """Facts of one generator, as the engine meets it."""

    name: str
    """House name; also the prefix of its keys in the family's state."""
    in_channels: int
    """Channels of everything it is given, together."""
    out_channels: int
    """Channels of what it answers."""
    size_multiple: int
    """Both sides of its input must be multiples of this, in px."""
    min_side_px: int
    """The shortest side it accepts."""
    has_frame_statistics: bool
    """Whether any value depends on statistics of the whole frame: then it must never be tiled."""


@dataclass(frozen=True)
class FamilySpec:
    """One family: its networks, sizes, and the doors to build, load, train and import it."""

    name: str
    """Folder in `models`, with underscores."""
    title: str
    """For people."""
    source: str
    """The published system: authors, title, year, arXiv number."""
    networks: Mapping[str, NetworkSpec]
    """Generators by house name."""
    options: Mapping[str, Any]
    """Named rows of options; ``official`` is the published size, ``starter`` the one we train."""
    options_type: Callable[..., Any]
    """The frozen dataclass of those rows; takes the flat dict of a weights file as keyword arguments."""
    build: Callable[..., nn.ModuleDict]
    """``(options, *, is_folded=True)``: fresh generators by house name, in eval mode."""
    load: Callable[..., nn.ModuleDict]
    """``(state, options=None)``: generators with the weights of a house state, folded, in eval mode."""
    options_from_state: Callable[[Mapping[str, Tensor]], Any]
    """Options read from the shapes of a house state."""
    activation_bytes: Callable[[Any, tuple[int, int], int], int]
    """``(options, size_hw, bytes_per_value)``: peak of live activations of one forward of one sample."""
    make_objective: Callable[..., Objective]
    """``(*, options, features=None, ...)``: the family's training; see its own signature."""
    loss_weights_type: Callable[..., Any]
    """The frozen dataclass of the objective's weights."""
    official_files: Mapping[str, str] = field(default_factory=dict)
    """File name of the published checkpoint -> house name of the network in it."""
    import_official: Callable[[Mapping[str, Any]], dict[str, Tensor]] | None = None
    """``({file name: its content as loaded})``: the house state of published checkpoints."""
