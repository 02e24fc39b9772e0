"""Options of the sub-commands, as dataclasses the parser lays flat: those that several share, and the many of `train`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from cyclopts import Parameter, Token

from app.console import Console
from app.errors import UsageError

if TYPE_CHECKING:
    from engine.format_fit import Rgb


def whole_number(_kind: object, tokens: Sequence[Token]) -> int:
    """Read a whole number; the parser's own reading rounds ``1.5`` without a word."""
    return int(tokens[0].value)


def named_numbers(_kind: object, tokens: Sequence[Token]) -> tuple[tuple[str, float], ...]:
    """Read ``NAME=NUMBER``, once a token."""
    pairs = [token.value.partition("=") for token in tokens]
    if any(not name or not number for name, _, number in pairs):
        raise ValueError("NAME=NUMBER")
    return tuple((name.replace("-", "_"), float(number)) for name, _, number in pairs)


def named_files(_kind: object, tokens: Sequence[Token]) -> tuple[tuple[str, Path], ...]:
    """Read ``NAME=FILE``, once a token."""
    pairs = [token.value.partition("=") for token in tokens]
    if any(not name or not file for name, _, file in pairs):
        raise ValueError("NAME=FILE")
    return tuple((name, Path(file)) for name, _, file in pairs)


def two_shares(_kind: object, tokens: Sequence[Token]) -> tuple[float, float]:
    """Read ``LOW,HIGH``."""
    low, high = tokens[0].value.split(",")
    return float(low), float(high)


def minutes(_kind: object, tokens: Sequence[Token]) -> float:
    """Read a time as minutes."""
    from engine.training.options import minutes_of

    return minutes_of(tokens[0].value)


def width_by_height(_kind: object, tokens: Sequence[Token]) -> tuple[int, int]:
    """Read ``WIDTHxHEIGHT`` as (height, width)."""
    width, height = tokens[0].value.lower().split("x")
    return int(height), int(width)


T = TypeVar("T")

Several = Annotated[tuple[T, ...], Parameter(consume_multiple=True)]
"""An option that takes one value or more, and may be repeated."""

Whole = Annotated[int, Parameter(converter=whole_number)]


@Parameter(name="*")
@dataclass(frozen=True)
class Output:
    """How a command answers."""

    is_json: Annotated[bool, Parameter(name="--json", help="One JSON object on stdout instead of lines.")] = (
        False
    )
    is_quiet: Annotated[bool, Parameter(name="--quiet", help="No lines and no progress; errors remain.")] = (
        False
    )

    def console(self) -> Console:
        """The voice these options ask for."""
        return Console(is_json=self.is_json, is_quiet=self.is_quiet)


@Parameter(name="*")
@dataclass(frozen=True)
class Work(Output):
    """What every command that runs a network takes."""

    weights: Annotated[str, Parameter(help="Weights by name or file; the family's own if empty.")] = ""
    quality: Annotated[
        Literal["exact", "fast"],
        Parameter(help="exact: 32-bit floats; fast: what this machine does fastest."),
    ] = "exact"
    device: Annotated[str, Parameter(help="auto, cpu, cuda or cuda:N.")] = "auto"
    seed: Annotated[Whole, Parameter(help="0: the plain answer; any other number: another one.")] = 0


@Parameter(name="*")
@dataclass(frozen=True)
class Saving:
    """How a result is written."""

    flatten: Annotated[
        str,
        Parameter(
            metavar="COLOUR",
            help="Lay what is clear on white, black or #rrggbb; JPEG and BMP hold no transparency.",
        ),
    ] = ""
    jpeg_quality: Annotated[
        Whole | None,
        Parameter(
            help="1 to 100, of a JPEG (95 if left out) and of a WebP, which keeps every value if left out."
        ),
    ] = None

    @property
    def flatten_rgb(self) -> "Rgb | None":
        """The colour; None where nothing is flattened.

        Raises:
            PictureError: if it is no colour.
        """
        from engine.format_fit import parse_colour

        return parse_colour(self.flatten, "--flatten") if self.flatten else None

    def check(self, out: Path) -> None:
        """Refuse what cannot be.

        Raises:
            PictureError: if the colour is none.
            UsageError: if the quality is out of range, or the file has none.
        """
        _ = self.flatten_rgb
        if self.jpeg_quality is None:
            return
        if not 1 <= self.jpeg_quality <= 100:
            hint = "95 keeps nearly everything, 80 halves the file"
            raise UsageError("--jpeg-quality", "1 to 100", str(self.jpeg_quality), hint)
        from engine.encoding import FORMATS, format_of

        chosen = format_of(out)
        if chosen is None or not chosen.has_quality:
            known = ", ".join(ending for ending, one in FORMATS.items() if one.has_quality)
            hint = "other formats keep every value, leave it out"
            raise UsageError("--jpeg-quality", f"a result ending in {known}", f"'{out.name}'", hint)


def _help(text: str, name: str | tuple[str, ...] | None = None) -> Parameter:
    return Parameter(name=name, help=text)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class TrainFlags:
    """What `train` can be asked for; what is left out keeps the default of `engine.training.TrainOptions`.

    Field names are those of `TrainOptions`.
    """

    data: Annotated[Several[Path], _help("Folders, tar files or single pictures.")]
    out: Annotated[Path, _help("Folder of weights, checkpoints, previews and metrics.")]
    from_weights: Annotated[str | None, _help("Weights to start from, by name or file.", "--from")] = None
    parts: Annotated[
        tuple[tuple[str, Path], ...] | None,
        Parameter(
            name="--part",
            converter=named_files,
            n_tokens=1,
            metavar="NETWORK=WEIGHTS",
            help="Start this network from another file than --from.",
        ),
    ] = None
    steps: Annotated[Whole | None, _help("Steps in all.")] = None
    stage: Annotated[str | None, _help("Only this stage of the family.")] = None
    resume: Annotated[bool, _help("Go on from the newest checkpoint in the folder.")] = False
    devices: Annotated[Whole | None, _help("Processes, one a device; under torchrun its number holds.")] = (
        None
    )
    nodes: Annotated[Whole | None, _help("Machines, under torchrun.")] = None
    precision: Annotated[Literal["32", "bf16"] | None, _help("32 or bf16.")] = None
    batch: Annotated[Whole | None, _help("Pictures a process and micro-batch.")] = None
    accumulate: Annotated[Whole | None, _help("Micro-batches a step.")] = None
    masks: Annotated[Path | None, _help("Folder or tar of masks, white = hole; drawn ones without it.")] = (
        None
    )
    mask_ratio: Annotated[
        tuple[float, float] | None,
        Parameter(
            converter=two_shares, n_tokens=1, metavar="LOW,HIGH", help="Lowest and highest share of a hole."
        ),
    ] = None
    features: Annotated[
        Path | None,
        _help("Network of the perceptual and style terms; off without it.", ("--perceptual", "--features")),
    ] = None
    size: Annotated[Whole | None, _help("Side of a training picture in pixels.")] = None
    options: Annotated[Literal["starter", "official"] | None, _help("Size of the networks.")] = None
    width: Annotated[Whole | None, _help("Channels instead of the named size's.")] = None
    depth: Annotated[Whole | None, _help("Residual blocks instead of the named size's.")] = None
    probe: Annotated[Path | None, _help("Pictures for previews and metrics, never trained on.")] = None
    half: Annotated[bool, _help("Write the weights with 16-bit floats.")] = False
    time_limit_minutes: Annotated[
        float | None,
        Parameter(
            name="--time-limit",
            converter=minutes,
            n_tokens=1,
            metavar="MINUTES|90s|20m|2h",
            help="Stop and save after so long: 90s, 20m, 2h, or a number of minutes.",
        ),
    ] = None
    learning_rate: Annotated[float | None, _help("Of the generators.")] = None
    discriminator_rate: Annotated[float | None, _help("Rate of the discriminators, as a share.")] = None
    momentum: Annotated[float | None, _help("First beta of Adam; 0 as published.")] = None
    warmup: Annotated[Whole | None, _help("Steps over which the rate of a stage climbs.")] = None
    schedule: Annotated[Literal["cosine", "constant"] | None, _help("Of the rate within a stage.")] = None
    ema: Annotated[float | None, _help("Decay of the averaged weights.")] = None
    gan: Annotated[Literal["nsgan", "lsgan", "hinge"] | None, _help("Adversarial term.")] = None
    loss: Annotated[
        tuple[tuple[str, float], ...] | None,
        Parameter(converter=named_numbers, n_tokens=1, metavar="NAME=NUMBER", help="Weight of a loss term."),
    ] = None
    keeps_edge_discriminator: Annotated[bool, _help("Keep the edge discriminator in the joint stage.")] = (
        False
    )
    device: Annotated[str | None, _help("auto, cpu or cuda.")] = None
    workers: Annotated[Whole | None, _help("Processes that make samples.")] = None
    memory_bytes: Annotated[Whole | None, _help("Room for decoded pictures.")] = None
    seed: Annotated[Whole | None, _help("Decides first weights and every sample.")] = None
    checkpoint_every: Annotated[Whole | None, _help("Steps between checkpoints.")] = None
    preview_every: Annotated[Whole | None, _help("Steps between previews.")] = None
    log_every: Annotated[Whole | None, _help("Steps between lines of metrics.")] = None
    recipe: Annotated[
        Literal["fast", "fast-shapes", "official"] | None,
        _help("Of retarget: fast for minutes on a GPU, with other shapes than rectangles, or as published."),
    ] = None
    snapshot_every: Annotated[
        float | None, _help("Seconds after which the weights are written again, while they learn.")
    ] = None
    target_hw: Annotated[
        tuple[int, int] | None,
        Parameter(
            name="--target",
            converter=width_by_height,
            n_tokens=1,
            metavar="WIDTHxHEIGHT",
            help="Shape of retarget's previews; twice as wide if left out.",
        ),
    ] = None
