"""One training step of ours beside a plain fp32 one: same losses, batch and size."""

import numpy as np
import pytest
import torch

from engine.training.gradients import Side
from engine.training.options import TrainOptions
from engine.training.processes import launch
from engine.training.step import take_step
from models.registry import family_spec

pytestmark = pytest.mark.timeout(900)

STAGES = {"edges": "edges", "fill": "fill-true-edges"}
BATCH = 4


def _batch(side: int) -> dict[str, torch.Tensor]:
    """What a loader answers: bytes, channels last."""
    rng = np.random.default_rng(0)
    image = torch.from_numpy(rng.integers(0, 256, (BATCH, 3, side, side), np.uint8))
    edges = torch.from_numpy((rng.random((BATCH, 1, side, side)) < 0.05).astype(np.uint8) * 255)
    hole = torch.zeros(BATCH, 1, side, side, dtype=torch.uint8)
    hole[..., side // 4 : side // 2, side // 4 : side // 2] = 255
    planes = {"image": image, "edges": edges, "hole": hole}
    return {name: plane.contiguous(memory_format=torch.channels_last) for name, plane in planes.items()}


@pytest.mark.parametrize("precision", ["32", "bf16"])
@pytest.mark.parametrize("kind", ["edges", "fill"])
def test_training_step(beside, plain, tmp_path, kind, precision):
    spec, side = family_spec("inpaint"), 128
    options = spec.options["starter"]
    stage = STAGES[kind]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = plain.PlainTraining(
            kind=kind, width=options.width, depth=options.depth, discriminator_width=options.width
        )
        objective = spec.make_objective(options=options)
    processes = launch(TrainOptions(data=(tmp_path,), out=tmp_path, device="cpu", precision=precision))
    objective.to(memory_format=processes.memory_format).train()
    rates = {"generator": 1e-4, "discriminator": 1e-5}
    sides = {
        name: Side(objective.trained_parameters(name, stage), learning_rate=rate)
        for name, rate in rates.items()
    }
    raw = _batch(side)

    def step_ours() -> None:
        terms, _ = take_step(
            objective, stage, [objective.prepare(processes.taken(raw))], sides, 1.0, processes
        )
        next(iter(terms.values())).item()

    ready = {name: plane.contiguous() for name, plane in objective.prepare(raw).items()}

    def step_plain() -> None:
        theirs.step(ready["image"], ready["gray"], ready["edges"], ready["hole"])

    name = f"step {kind} starter, batch {BATCH} at {side} px, {precision}"
    beside(name, step_ours, step_plain, what="plain fp32 step", rounds=7)
