"""One step of both sides, and how its gradients come together.

A family may ask for a second step of its generators, on terms that are worked out after the first.

The gradients are those of one big batch, however it is split into micro-batches and processes: every loss term is a
mean over samples, and the denominators that are batch values themselves are averaged over the whole step first.

One thing depends on the split: spectral norm takes one power iteration a forward, so that its vectors get ahead where
a step makes more forwards. They soon point where they would have pointed anyway.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from engine.training.gradients import Side
from engine.training.processes import Processes
from models.objective import Batch, Objective


def take_step(
    objective: Objective,
    stage: str,
    micro_batches: Sequence[Batch],
    sides: Mapping[str, Side],
    factor: float,
    processes: Processes,
) -> tuple[dict[str, Tensor], Tensor]:
    """Take one step of both sides.

    Args:
        objective: in training mode.
        stage: its present stage.
        micro_batches: prepared; their gradients are averaged.
        sides: ``generator`` and ``discriminator``; their parameters move.
        factor: on both learning rates.
        processes: which average denominators and gradients.

    Returns:
        The mean of every loss term of this process, ``side/term``, and a scalar that is 1 where all gradients were
        finite; both still on the device.
    """
    terms = gather_gradients(objective, stage, micro_batches, sides, processes)
    is_good = torch.stack([side.reduce(processes) for side in sides.values()]).amin()
    for side in sides.values():
        side.step(factor)
    further = gather_further_gradients(objective, stage, micro_batches, sides, processes)
    if further:
        is_good = torch.minimum(is_good, sides["generator"].reduce(processes))
        sides["generator"].step(factor)
    return {**terms, **further}, is_good


def gather_gradients(
    objective: Objective,
    stage: str,
    micro_batches: Sequence[Batch],
    sides: Mapping[str, Side],
    processes: Processes,
) -> dict[str, Tensor]:
    """Both sides' gradients of this process, averaged over its micro-batches; nothing moves."""
    for side in sides.values():
        side.clear()
    denominators = _denominators(objective, micro_batches, processes)
    terms: dict[str, Tensor] = {}
    for batch in micro_batches:
        with processes.autocast():
            losses = objective.losses(batch, stage, denominators)
        by_name = {f"{side}/{name}": loss for side, group in losses.items() for name, loss in group.items()}
        _backward(by_name, terms, len(micro_batches))
    return terms


def gather_further_gradients(
    objective: Objective,
    stage: str,
    micro_batches: Sequence[Batch],
    sides: Mapping[str, Side],
    processes: Processes,
) -> dict[str, Tensor]:
    """The generators' gradients of a second step, from the batches that `gather_gradients` has just seen.

    Returns:
        Its terms; empty, and nothing changed, where the objective takes no second step now.
    """
    if type(objective).further_losses is Objective.further_losses:
        return {}  # most families: no denominators to average again
    denominators = _denominators(objective, micro_batches, processes)
    terms: dict[str, Tensor] = {}
    for batch in micro_batches:
        with processes.autocast():
            losses = objective.further_losses(batch, stage, denominators)
        if not losses:
            return {}  # the same for all: it depends on the step alone
        if not terms:
            sides["generator"].clear()
        _backward({f"generator/{name}": loss for name, loss in losses.items()}, terms, len(micro_batches))
    return terms


def _denominators(
    objective: Objective, micro_batches: Sequence[Batch], processes: Processes
) -> dict[str, Tensor]:
    parts = [objective.denominators(batch) for batch in micro_batches]
    count = len(micro_batches)
    return processes.averaged({name: _sum_of(part[name] for part in parts) / count for name in parts[0]})


def _backward(by_name: Mapping[str, Tensor], terms: dict[str, Tensor], count: int) -> None:
    """Add one micro-batch's share to the gradients, and its terms to ``terms``."""
    _sum_of(by_name.values()).div(count).backward()  # type: ignore[no-untyped-call]
    for name, loss in by_name.items():
        terms[name] = terms.get(name, torch.zeros_like(loss)) + loss.detach() / count


def _sum_of(scalars: Iterable[Tensor]) -> Tensor:
    """Sum of at least one scalar, in float32."""
    return torch.stack([scalar.float() for scalar in scalars]).sum()
