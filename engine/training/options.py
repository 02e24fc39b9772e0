"""What a training run can be asked for, checked where it is made.

The same dataclass serves the command line, the window and a test. It is written beside the weights as
``options.json``; which of its fields a resumed run may change is kept in ``FREE_TO_CHANGE``.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from importlib import import_module
from pathlib import Path
from typing import Any

from engine.errors import TrainingError

PRECISIONS = ("32", "bf16")
SCHEDULES = ("cosine", "constant")
GAN_KINDS = ("nsgan", "lsgan", "hinge")

TIME_FORM = "MINUTES|90s|20m|2h"
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}

OWN: Mapping[str, frozenset[str]] = {
    "inpaint": frozenset(
        [
            "gan",
            "keeps_edge_discriminator",
            "features",
            "masks",
            "mask_ratio",
            "probe",
            "schedule",
            "warmup",
        ]
    ),
    "retarget": frozenset(["recipe", "target_hw"]),
}
"""Fields that mean something to one family alone; the others refuse them."""

WITH_RECIPES = frozenset(["retarget"])
"""Families whose usual values come from a named recipe, see `TrainOptions.of`."""

FREE_TO_CHANGE = frozenset(
    [
        "out",
        "resume",
        "devices",
        "nodes",
        "device",
        "workers",
        "batch",
        "accumulate",
        "time_limit_minutes",
        "checkpoint_every",
        "preview_every",
        "log_every",
        "memory_bytes",
        "half",
        "data",
        "probe",
        "masks",
        "features",
        "from_weights",
        "parts",
        "snapshot_every",
        "target_hw",
    ]
)
"""Fields that a resumed run may give differently: they say where things are and how fast, not what is learned.

Batch, accumulation and processes may change as long as their product stays; the set of pictures is compared by its
names, not by where it lies. Both are checked against the checkpoint."""


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """One run of training."""

    data: tuple[Path, ...]
    """Folders (searched to the bottom), tar files and single pictures to learn from."""

    out: Path
    """Folder for weights, checkpoints, previews, metrics and options; made if it is not there."""

    family: str = "inpaint"
    """Which family learns, with hyphen or underscore."""

    recipe: str = ""
    """Retarget: ``fast``, ``fast-shapes`` or ``official``; decides what `TrainOptions.of` is not told."""

    steps: int = 100_000
    """Steps of the whole run, over all its stages."""

    stage: str = ""
    """Train this stage alone; empty = every stage in order, each with its share of the steps."""

    from_weights: Path | None = None
    """Start from these weights (a house file) instead of from noise."""

    parts: Mapping[str, Path] = field(default_factory=dict)
    """Networks to start from other weights than ``from_weights``, by name: the edges of one run, the fill of another."""

    resume: bool = False
    """Go on from the newest checkpoint in ``out``."""

    size: int = 256
    """Side of a training picture in pixels, a multiple of 8, 32 or more."""

    batch: int = 8
    """Pictures per process and micro-batch."""

    accumulate: int = 1
    """Micro-batches per step."""

    device: str = "auto"
    """Where it runs: ``auto``, ``cpu``, ``cuda``."""

    devices: int = 1
    """Processes on this machine, one a device; under torchrun its own number holds."""

    nodes: int = 1
    """Machines; more than one only under torchrun."""

    precision: str = "32"
    """``32`` = float32 throughout; ``bf16`` = networks in bfloat16 under autocast, weights and losses in float32."""

    workers: int = -1
    """Processes that make samples; 0 = none, -1 = half the cores."""

    memory_bytes: int = 0
    """Room for decoded pictures on this machine; 0 = a quarter of the free memory, at least 1 GiB."""

    seed: int = 0
    """Decides the first weights and every sample."""

    learning_rate: float = 1e-4
    """Of the generators (Adam); a stage may scale it."""

    discriminator_rate: float = 0.1
    """Learning rate of the discriminators as a share of the generators'."""

    momentum: float = 0.0
    """First beta of Adam, in [0, 1); 0 as published, steadier against a discriminator; 0.9 learns a fill sooner."""

    warmup: int = 0
    """Steps at the start of each stage over which the rate climbs from 0."""

    schedule: str = "cosine"
    """``cosine`` falls to a twentieth within each stage; ``constant`` stays."""

    ema: float = 0.999
    """Decay of the averaged weights, in [0, 1); it starts small and climbs to this."""

    options: str = "starter"
    """Row of sizes in the family's spec: ``starter`` or ``official``."""

    width: int = 0
    """Channels at full resolution; 0 = as in the row."""

    depth: int = 0
    """Residual blocks; 0 = as in the row."""

    gan: str = "nsgan"
    """Adversarial term: ``nsgan``, ``lsgan`` or ``hinge``."""

    loss: Mapping[str, float] = field(default_factory=dict)
    """Weights of loss terms that differ from the family's own, by name."""

    keeps_edge_discriminator: bool = False
    """In the joint stage, hold predicted edges against the edge discriminator too."""

    features: Path | None = None
    """File of a feature network for the perceptual and style terms; without it they are off."""

    masks: Path | None = None
    """Folder or tar of masks to make holes from, white = hole; without it holes are drawn."""

    mask_ratio: tuple[float, float] = (0.05, 0.5)
    """Lowest and highest share of a picture that a hole covers."""

    probe: Path | None = None
    """Pictures for previews and metrics, never trained on; without it a few are kept back from ``data``."""

    half: bool = False
    """Write the final weights as float16: half the size."""

    time_limit_minutes: float = 0.0
    """Stop and save after so much wall time; 0 = no limit."""

    checkpoint_every: int = 1000
    """Steps between checkpoints."""

    preview_every: int = 1000
    """Steps between preview grids."""

    log_every: int = 50
    """Steps between lines of metrics."""

    snapshot_every: float = 0.0
    """Seconds after which the weights as they are, averaged and ready for use, are written again; 0 = at the end alone."""

    target_hw: tuple[int, int] | None = None
    """Retarget: the shape in which previews show the picture, in px; None = its middle, twice as wide."""

    def __post_init__(self) -> None:
        """Check every field on its own.

        Raises:
            TrainingError: naming the first field that cannot be used.
        """
        if not self.data:
            raise TrainingError(
                "data", "a folder, a tar file or a picture", "nothing", "name what to learn from"
            )
        self._at_least(
            1, "steps", "batch", "accumulate", "devices", "nodes", "checkpoint_every", "preview_every"
        )
        self._at_least(1, "log_every")
        self._at_least(0, "warmup", "width", "depth", "memory_bytes", "seed")
        self._at_least(0, "snapshot_every")
        self._at_least(-1, "workers")
        if not 0 <= self.time_limit_minutes < math.inf:
            hint = "write it like 90s, 20m or 2h, or as a number of minutes; 0 = no limit"
            raise TrainingError("time_limit_minutes", "0 minutes or more", self.time_limit_minutes, hint)
        if self.size < 32 or self.size % 8:
            hint = "networks halve the side several times; 256 is usual"
            raise TrainingError("size", "a multiple of 8, 32 or more", self.size, hint)
        self._one_of("precision", PRECISIONS)
        self._one_of("schedule", SCHEDULES)
        self._one_of("gan", GAN_KINDS)
        self._between("learning_rate", 0.0, 1.0)
        self._between("discriminator_rate", 0.0, 100.0)
        self._between("ema", 0.0, 1.0)
        if not 0.0 <= self.ema < 1.0:
            raise TrainingError(
                "ema", "a decay in [0, 1)", self.ema, "0.999 is usual, 0 switches averaging off"
            )
        if not 0.0 <= self.momentum < 1.0:
            raise TrainingError("momentum", "a number in [0, 1)", self.momentum, "0 is as published")
        low, high = self.mask_ratio
        if not 0.0 <= low <= high <= 0.95 or high <= 0.0:
            hint = "shares of the picture, not per cent; something must stay known"
            raise TrainingError("mask_ratio", "0 <= low <= high <= 0.95, high above 0", self.mask_ratio, hint)
        if self.target_hw is not None and not all(32 <= side <= 4096 for side in self.target_hw):
            got = f"{self.target_hw[1]} x {self.target_hw[0]}"
            raise TrainingError("target", "sides from 32 to 4096 px", got, "write --target WIDTHxHEIGHT")
        self._check_own()

    @classmethod
    def of(cls, family: str, **given: Any) -> "TrainOptions":
        """Options of a family: what is given, and for the rest what the family's recipe has.

        Args:
            family: with hyphen or underscore.
            given: fields by name.

        Raises:
            TrainingError: if a value cannot be used, or there is no such recipe.
        """
        key = family.replace("-", "_")
        usual: dict[str, Any] = {}
        if key in WITH_RECIPES:
            module = import_module(f"engine.training.families.{key}")
            usual = module.usual(given.get("recipe", ""), given)
        loss = {**usual.get("loss", {}), **given.get("loss", {})}
        return cls(family=family, **{**usual, **given, "loss": loss})

    def as_json(self) -> dict[str, Any]:
        """Plain values, as they are written to options.json and into checkpoints."""
        return dict(json.loads(json.dumps(asdict(self), default=str)))

    def changed(self, before: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
        """The first field that matters and differs from an earlier run: its name, the old and the new value."""
        now = self.as_json()
        for name in (entry.name for entry in fields(self)):
            if name not in FREE_TO_CHANGE and name in before and before[name] != now[name]:
                return name, before[name], now[name]
        return None

    def _check_own(self) -> None:
        """Refuse what belongs to another family: it would be overlooked without a word."""
        family = self.family.replace("-", "_")
        if family not in OWN:
            return
        usual = {entry.name: entry.default for entry in fields(self)}
        for other in OWN:
            for name in sorted(OWN[other] - OWN[family]):
                if getattr(self, name) != usual[name]:
                    expected = f"no such option for {family}"
                    raise TrainingError(name, expected, repr(getattr(self, name)), f"only {other} knows it")

    def _at_least(self, least: int, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if not value >= least:
                raise TrainingError(name, f"{least} or more", value, "give a larger number")

    def _between(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if not low <= value <= high:
            raise TrainingError(
                name, f"a number in [{low:g}, {high:g}]", value, "see --help for the usual value"
            )

    def _one_of(self, name: str, words: tuple[str, ...]) -> None:
        value = getattr(self, name)
        if value not in words:
            raise TrainingError(name, f"one of {', '.join(words)}", repr(value), "see --help")


def minutes_of(text: str) -> float:
    """Minutes from what a person writes: ``90s``, ``20m``, ``2h``, or a plain number of minutes.

    Raises:
        ValueError: if it is none of these.
    """
    unit = text[-1:].lower()
    number = text[:-1] if unit in _SECONDS else text
    return float(number) * _SECONDS.get(unit, 60.0) / 60.0
