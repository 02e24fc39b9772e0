"""One step of tiny networks in each of two processes; started by test_step.py under torchrun.

Usage: torchrun --nproc-per-node 2 two_processes.py FOLDER STAGE...
"""

import sys
from pathlib import Path

import torch

from engine.training.gradients import Side
from engine.training.options import TrainOptions
from engine.training.processes import launch
from engine.training.step import take_step
from models.registry import family_spec


def tiny_objective():
    spec = family_spec("inpaint")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        objective = spec.make_objective(options=spec.options_type(width=4, depth=1)).train()
    with torch.no_grad():
        for module in objective.modules():  # vectors at rest: how often they were moved then plays no part
            for _ in range(100 if hasattr(module, "parametrizations") else 0):
                _ = module.weight
    return objective


def four_samples():
    generator = torch.Generator().manual_seed(1)
    image = torch.randint(0, 256, (4, 3, 32, 32), generator=generator, dtype=torch.uint8)
    edges = (torch.rand(4, 1, 32, 32, generator=generator) < 0.1).to(torch.uint8) * 255
    hole = torch.zeros(4, 1, 32, 32, dtype=torch.uint8)
    for number in range(4):  # shares that differ: the mean hole is a denominator of the whole step
        hole[number, :, 4 : 10 + 5 * number, 6:28] = 255
    return {"image": image, "edges": edges, "hole": hole}


def sides_of(objective, stage):
    groups = ("generator", "discriminator")
    return {group: Side(objective.trained_parameters(group, stage), 1e-3) for group in groups}


def main(out: Path, stages: list[str]) -> None:
    processes = launch(TrainOptions(data=(out,), out=out, device="cpu"))
    assert processes.count == 2
    half = slice(2 * processes.rank, 2 * processes.rank + 2)
    results = {}
    for stage in stages:
        objective = tiny_objective()
        batch = objective.prepare({name: tensor[half] for name, tensor in four_samples().items()})
        sides = sides_of(objective, stage)
        terms, _ = take_step(objective, stage, [batch], sides, 1.0, processes)
        results[stage] = {
            "gradients": {name: [g.clone() for g in side.gradients()] for name, side in sides.items()},
            "terms": processes.averaged(terms),
            "weights": {name: p.detach().clone() for name, p in objective.named_parameters()},
        }
    assert processes.any_wants(processes.rank == 1)
    assert not processes.any_wants(False)
    if processes.is_first:
        torch.save(results, out / "results.pt")
    processes.part()
    assert not torch.distributed.is_initialized()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
