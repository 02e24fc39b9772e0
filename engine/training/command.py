"""The plain command line of training: arguments to `TrainOptions`, events to lines."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.training.events import (
    Estimated,
    Event,
    Measured,
    Notice,
    Skipped,
    StageStarted,
    Stepped,
    Written,
    duration,
)
from engine.training.options import GAN_KINDS, PRECISIONS, SCHEDULES, TIME_FORM, TrainOptions, minutes_of
from models.errors import ModelsError

_log = logging.getLogger("engine.training")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; None = those of the process.

    Returns:
        Exit code: 0 done or stopped with everything saved, 2 bad input, 130 interrupted before there was anything to
        save, or a second time. A defect of ours raises.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        options = options_from(arguments)
        from engine.training.loop import (
            train,
        )  # seconds of imports that --help and a misspelt flag need not wait for

        result = train(options, report=log_event)
    except (EngineError, ModelsError) as error:
        _log.error("error: %s", error)
        return 2
    except KeyboardInterrupt:
        _log.error("interrupted; what was saved before is in the last checkpoint")
        return 130
    if os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) != "0":
        return 0  # of several processes the first one speaks
    _log.info("%s after %d of %d steps: %s", result.reason, result.step, result.steps, result.weights)
    return 0


def options_from(arguments: Sequence[str] | None = None) -> TrainOptions:
    """Read arguments.

    Raises:
        TrainingError: if a value cannot be used.
        SystemExit: with code 2 for a misspelt argument, 0 after ``--help``.
    """
    given = vars(_parser().parse_args(arguments))
    given["data"] = tuple(path for group in given["data"] for path in group)
    for name in ("loss", "parts"):
        if name in given:
            given[name] = dict(given[name])
    return TrainOptions.of(given.pop("family"), **given)


def log_event(event: Event) -> None:
    """Put an event into one line of the log; single steps stay silent."""
    match event:
        case Stepped() | Written("snapshot"):
            return
        case Notice(text):
            _log.info("%s", text)
        case Skipped(name, reason):
            _log.warning("skipped %s: %s", name, reason)
        case Estimated():
            stages = ", ".join(f"{name} {seconds:.3g} s" for name, seconds in event.step_seconds.items())
            memory = event.peak_bytes / 2**30
            _log.info("estimate: %s for all steps, %.2f GiB a process", duration(event.seconds), memory)
            _log.info("estimate: a step takes %s; %.4g pictures/s", stages, event.pictures_per_second)
        case StageStarted(stage, summary, first, last):
            _log.info("stage %s: %s (steps %d to %d)", stage, summary, first, last)
        case Measured():
            numbers = {**event.terms, **event.metrics}
            text = "  ".join(
                f"{name.rsplit('/')[0][:1] + '/' + name.rsplit('/')[-1] if '/' in name else name} {value:.4g}"
                for name, value in numbers.items()
            )
            pace = f"{event.pictures_per_second:.4g} pictures/s, {duration(event.seconds_left)} left"
            _log.info("step %d/%d  %s  %s", event.step, event.steps, text, pace)
        case Written(kind, path):
            _log.info("%s: %s", kind, path)


def _parser() -> argparse.ArgumentParser:
    usual = {entry.name: entry.default for entry in fields(TrainOptions)}
    parser = argparse.ArgumentParser(
        prog="python -m engine.training",
        description="Train a family of networks on your own pictures. Usual values are those of inpaint; "
        "retarget has its own in each recipe.",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )

    def add(flag: str, text: str, **keywords: Any) -> None:
        name = keywords.pop("dest", flag.removeprefix("--").replace("-", "_"))
        parser.add_argument(flag, dest=name, help=f"{text} (default: {usual[name]})", **keywords)

    parser.add_argument("family", help="which family learns: inpaint, retarget")
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        action="append",
        required=True,
        metavar="DIR|TAR|PICTURE",
        help="what to learn from; folders are searched to the bottom",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where everything is written")
    add("--recipe", "of retarget: fast, fast-shapes or official; empty = fast", metavar="NAME")
    add("--steps", "steps over all stages", type=int)
    add("--stage", "train this stage alone", metavar="NAME")
    add("--from", "weights to start from", type=Path, metavar="WEIGHTS", dest="from_weights")
    parser.add_argument(
        "--part",
        dest="parts",
        type=_named_file,
        action="append",
        metavar="NETWORK=WEIGHTS",
        help="start this network from other weights than --from",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint in --out")
    add("--size", "side of a training picture, a multiple of 8", type=int)
    add("--batch", "pictures per process and micro-batch", type=int)
    add("--accumulate", "micro-batches per step", type=int)
    add("--device", "auto, cpu or cuda")
    add("--devices", "processes on this machine, one a device", type=int)
    add("--nodes", "machines (under torchrun)", type=int)
    add("--precision", "32, or bf16 under autocast", choices=PRECISIONS)
    add("--workers", "processes that make samples; -1 = half the cores", type=int)
    add("--memory-bytes", "room for decoded pictures; 0 = a quarter of the free memory", type=int)
    add("--seed", "decides first weights and samples", type=int)
    add("--learning-rate", "of the generators", type=float)
    add("--discriminator-rate", "learning rate of the discriminators, as a share", type=float)
    add("--momentum", "first beta of Adam; 0 as published", type=float)
    add("--warmup", "steps over which each stage's rate climbs", type=int)
    add("--schedule", "of the rate within a stage", choices=SCHEDULES)
    add("--ema", "decay of the averaged weights", type=float)
    add("--options", "row of network sizes: starter or official", metavar="ROW")
    add("--width", "channels at full resolution; 0 = as in the row", type=int)
    add("--depth", "residual blocks; 0 = as in the row", type=int)
    add("--gan", "adversarial term", choices=GAN_KINDS)
    parser.add_argument(
        "--loss",
        type=_named_number,
        action="append",
        metavar="NAME=VALUE",
        help="weight of a loss term",
    )
    parser.add_argument(
        "--keeps-edge-discriminator",
        action="store_true",
        help="in the joint stage, keep the edge discriminator",
    )
    add("--features", "feature network for the perceptual and style terms", type=Path, metavar="FILE")
    parser.add_argument(
        "--perceptual",
        dest="features",
        type=Path,
        metavar="FILE",
        help="the same as --features",
    )
    add("--masks", "folder or tar of masks to make holes from", type=Path, metavar="DIR|TAR")
    add("--mask-ratio", "lowest and highest share of a hole", type=_ratio, metavar="LOW,HIGH")
    add("--probe", "pictures for previews, never learned from", type=Path, metavar="DIR|TAR")
    parser.add_argument("--half", action="store_true", help="write the weights as float16")
    add(
        "--time-limit",
        "stop and save after so long: 90s, 20m, 2h, or a number of minutes; 0 = never",
        type=_minutes,
        metavar=TIME_FORM,
        dest="time_limit_minutes",
    )
    add("--checkpoint-every", "steps between checkpoints", type=int)
    add("--preview-every", "steps between preview grids", type=int)
    add("--log-every", "steps between lines of metrics", type=int)
    add(
        "--snapshot-every",
        "seconds between weights written on the way; 0 = none",
        type=float,
        metavar="SECONDS",
    )
    add("--target", "shape of retarget's previews", type=_size, metavar="WIDTHxHEIGHT", dest="target_hw")
    return parser


def _named_file(text: str) -> tuple[str, Path]:
    name, equals, value = text.partition("=")
    if not name or not equals or not value:
        raise argparse.ArgumentTypeError(f"expected NETWORK=WEIGHTS, got {text!r}")
    return name, Path(value)


def _named_number(text: str) -> tuple[str, float]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name.replace("-", "_"), float(value)


def _minutes(text: str) -> float:
    try:
        return minutes_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected {TIME_FORM}, got {text!r}") from error


def _ratio(text: str) -> tuple[float, float]:
    low, comma, high = text.partition(",")
    if not comma:
        raise argparse.ArgumentTypeError(f"expected LOW,HIGH, got {text!r}")
    return float(low), float(high)


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not cross:
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT, got {text!r}")
    return int(height), int(width)
