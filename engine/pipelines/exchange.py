"""What the engine and a family's pipeline hand each other.

A pipeline is a module with three names: ``CALLS``, which function of which network it calls; ``demand``, what a job
will need before anything is loaded; ``run``, which does it. The engine finds weights, device and working size in
between.

Elsewhere: who calls them in engine.py; the pipelines beside this file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from engine.device import NetworkCall
from engine.memory import Codes
from engine.progress import Clock, Steps
from engine.seams import Seam


@dataclass(frozen=True)
class Demand:
    """What a job will need."""

    working_px: int
    """Side of the largest square it has use for."""
    has_networks: bool = True
    """Without, no weights are looked for and `Tools.calls` is empty."""
    is_fixed: bool = False
    """Whether it is done at that size or not at all, however little memory there is."""
    picture: str = ""
    """Without a name, weights that learned this picture are wanted (its `picture_sha256`); empty = the family's first."""
    is_published: bool = False
    """Networks as the published test code runs them, which a run may change: loaded for this job alone."""


@dataclass(frozen=True)
class Tools:
    """What the engine lends to a run."""

    device: torch.device
    """Where the work is done."""
    calls: Mapping[str, NetworkCall]
    """By the names of ``CALLS``."""
    tag: str
    """Tells apart answers of other weights, devices and precisions."""
    metadata: Mapping[str, str]
    """What the weights file says of itself."""
    size_multiple: int
    """Both sides of what a network gets are multiples of this."""
    min_side_px: int
    """Shortest side a network takes."""
    codes: Codes
    """Answers of networks from before."""
    working_px: int
    """Side of the largest square that is worked on at once."""
    clock: Clock
    """Seconds by phase."""
    steps: Steps
    """Progress and the request to stop."""
    copy_picture: Callable[[np.ndarray], np.ndarray]
    """Makes the array that a result is written into."""


@dataclass(frozen=True)
class Outcome:
    """What came out."""

    image: np.ndarray
    """In the depth of the input."""
    crops: tuple[dict[str, Any], ...]
    """For the report: what was worked on, and which boxes of the result changed (``hole``, ``frame``)."""
    notes: tuple[str, ...] = ()
    """What the user should know."""
    seam: Seam = field(default_factory=Seam)
    """Over all crops."""
    edges: np.ndarray | None = None
    """(H, W) uint8, the edge map that was used, 255 = edge; 0 where no network looked."""
    novelty: np.ndarray | None = None
    """(H, W) uint8, 0 = copied from the picture, 255 = invented."""
