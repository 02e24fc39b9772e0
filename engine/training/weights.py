"""Where a run's networks come from, and what it leaves: weights ready for use, and the other side to go on from."""

import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from engine.errors import TrainingError
from engine.training.averages import AveragedWeights
from engine.training.data import RunData
from engine.training.events import Notice, Report, Written
from engine.training.families import training_of
from engine.training.options import TrainOptions
from engine.weightfile import WeightFile, read_weights, write_weights
from models.objective import Objective
from models.spec import FamilySpec

DISCRIMINATORS = "discriminators.safetensors"


def make_objective(
    options: TrainOptions, spec: FamilySpec, data: RunData, tell: Report
) -> tuple[Objective, Any]:
    """Build a family's objective with fresh weights from torch's global generator.

    Args:
        options: sizes, loss weights, features.
        spec: the family's.
        data: of the run; its size decides some of the sizes.
        tell: told which terms are off.

    Returns:
        The objective on the CPU, and the options of its networks.

    Raises:
        TrainingError: if sizes or loss weights are unknown or do not go together.
        WeightsError: if the feature network's file cannot be used.
    """
    family = training_of(spec.name)
    network_options = family.fitted(_network_options(options, spec), data)
    keywords = family.objective_keywords(options, tell)
    try:
        weights = spec.loss_weights_type(**dict(options.loss))
    except TypeError as error:
        known = asdict(spec.loss_weights_type())
        got = ", ".join(sorted(set(options.loss) - set(known)))
        raise TrainingError(
            "loss", f"terms out of {', '.join(known)}", got, "write --loss NAME=VALUE"
        ) from error
    objective = spec.make_objective(options=network_options, weights=weights, **keywords)
    return objective, network_options


def load_start(objective: Objective, options: TrainOptions, tell: Report) -> None:
    """Load the weights to start from, with the discriminators that lie beside them, if there are any.

    Raises:
        TrainingError: if a part is asked for that its file does not hold.
        WeightsError: if a file cannot be used.
        StateError: if it does not fit.
    """
    path = options.from_weights
    state: dict[str, torch.Tensor] = {}
    if path is not None:
        state |= read_weights(path, family=options.family).state
        tell(Notice(f"weights from {path}"))
        beside = path.parent / DISCRIMINATORS
        if beside.is_file():
            state |= read_weights(beside, family=options.family).state
            tell(Notice(f"discriminators from {beside}"))
    for name, file in options.parts.items():
        found = read_weights(file, family=options.family).state
        part = {key: value for key, value in found.items() if key.split(".")[0] == name}
        if not part:
            known = " or ".join(sorted({key.split(".")[0] for key in found}))
            raise TrainingError("part", f"{known} as in {file}", repr(name), "write --part NETWORK=WEIGHTS")
        state |= part
        tell(Notice(f"{name} from {file}"))
    if not state:
        return
    absent = objective.load_house_state(training_of(options.family.replace("-", "_")).start(state, objective))
    if absent:
        tell(Notice(f"starting anew: {', '.join(absent)}"))


def write_results(
    objective: Objective,
    averages: AveragedWeights,
    options: TrainOptions,
    spec: FamilySpec,
    network_options: Mapping[str, Any],
    step: int,
    tell: Report,
    *,
    metadata: Mapping[str, str],
    is_snapshot: bool = False,
) -> None:
    """Write the averaged generators, plain and ready for use, and the discriminators.

    Args:
        objective: as it is; its live weights come back unchanged.
        averages: of its generators.
        options: the run's.
        spec: the family's.
        network_options: plain values that build the networks.
        step: steps done.
        tell: told about every file.
        metadata: further lines of the header.
        is_snapshot: write the generators alone, while learning goes on.

    Raises:
        WeightsError: if a file cannot be written or a value is not finite.
    """
    lines = {
        **metadata,
        "pentimento.steps": str(step),
        # Names without their folders: a file of weights is given away, the owner's folders are not.
        "pentimento.command": " ".join(Path(word).name or word for word in sys.argv),
        "pentimento.seed": str(options.seed),
    }
    dtype = torch.float16 if options.half else torch.float32
    with averages.in_place():
        state = {name: tensor.detach().cpu().clone() for name, tensor in objective.house_state().items()}
    generators = spec.load(state).state_dict()
    others = {name: tensor for name, tensor in state.items() if name.split(".")[0] not in spec.networks}
    for kind, path, part in (
        ("weights", options.out / f"{spec.name}.safetensors", generators),
        ("discriminators", options.out / DISCRIMINATORS, others),
    ):
        if is_snapshot and kind != "weights":
            continue
        write_weights(path, WeightFile(spec.name, network_options, part, lines), dtype=dtype)
        tell(Written("snapshot" if is_snapshot else kind, path))


def _network_options(options: TrainOptions, spec: FamilySpec) -> Any:
    if options.from_weights is not None:
        found = spec.options_type(**read_weights(options.from_weights, family=options.family).options)
        asked = {name: value for name, value in (("width", options.width), ("depth", options.depth)) if value}
        for name, value in asked.items():
            if getattr(found, name) != value:
                hint = "leave it out: the sizes are those of the weights to start from"
                raise TrainingError(name, f"{getattr(found, name)} as in {options.from_weights}", value, hint)
        return found
    if options.options not in spec.options:
        names = " or ".join(spec.options)
        raise TrainingError("options", names, repr(options.options), "name a row of sizes")
    row = spec.options[options.options]
    changes = {name: value for name, value in (("width", options.width), ("depth", options.depth)) if value}
    return replace(row, **changes)
