"""The gradients of a step do not depend on how its batch is split, into micro-batches or processes."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.training.options import TrainOptions
from engine.training.processes import launch
from engine.training.step import gather_gradients, take_step

ROOT = Path(__file__).parents[3]
SCRIPT = Path(__file__).with_name("two_processes.py")

spec = importlib.util.spec_from_file_location("two_processes", SCRIPT)
tiny = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny)

STAGES = ("edges", "fill-true-edges", "joint")


@pytest.fixture
def processes(tmp_path):
    return launch(TrainOptions(data=(tmp_path,), out=tmp_path, device="cpu"))


def whole_step(stage, processes):
    objective = tiny.tiny_objective()
    sides = tiny.sides_of(objective, stage)
    batch = objective.prepare(tiny.four_samples())
    terms, is_good = take_step(objective, stage, [batch], sides, 1.0, processes)
    assert is_good == 1.0
    return objective, sides, terms


def check_equal(found, expected):
    assert len(found) == len(expected) > 0
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-5)
        assert other.abs().max() > 0


@pytest.mark.timeout(600)
def test_two_processes_take_the_step_of_one_with_the_doubled_batch(processes, tmp_path):
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        str(SCRIPT),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, str(tmp_path), *STAGES], env=environment, capture_output=True, text=True, timeout=540
    )
    assert done.returncode == 0, done.stderr[-3000:]
    results = torch.load(tmp_path / "results.pt", weights_only=True)
    for stage in STAGES:
        objective, sides, terms = whole_step(stage, processes)
        found = results[stage]
        for name, side in sides.items():
            check_equal(found["gradients"][name], side.gradients())
        assert found["terms"].keys() == terms.keys()
        for name, value in terms.items():
            assert torch.allclose(found["terms"][name], value, rtol=1e-4)
        for name, parameter in objective.named_parameters():
            # Adam's first step is the sign of the gradient times the rate: only near-zero gradients may differ.
            assert (found["weights"][name] - parameter).abs().max() <= 2.1e-3


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("parts", [(2, 2), (1, 1, 1, 1)])
def test_accumulation_gives_the_gradients_of_the_bigger_batch(stage, parts, processes):
    objective = tiny.tiny_objective()
    sides = tiny.sides_of(objective, stage)
    batch = objective.prepare(tiny.four_samples())
    pieces = [
        dict(zip(batch, part, strict=True))
        for part in zip(*(t.split(parts) for t in batch.values()), strict=True)
    ]
    gather_gradients(objective, stage, pieces, sides, processes)
    _, expected, _ = whole_step(stage, processes)
    for name, side in sides.items():
        check_equal(side.gradients(), expected[name].gradients())


def test_a_step_moves_its_own_networks_and_no_other(processes):
    before = {name: p.detach().clone() for name, p in tiny.tiny_objective().named_parameters()}
    objective, _, terms = whole_step("fill-true-edges", processes)
    moved = {
        name.split(".")[0] for name, p in objective.named_parameters() if not torch.equal(p, before[name])
    }
    assert moved == {"fill", "fill_discriminator"}
    assert set(terms) == {"discriminator/fill_adversarial", "generator/fill_l1", "generator/fill_adversarial"}


def test_a_step_with_a_nan_moves_nothing(processes):
    objective = tiny.tiny_objective()
    before = {name: p.detach().clone() for name, p in objective.named_parameters()}
    batch = objective.prepare(tiny.four_samples())
    batch["image"][0, 0, 0, 0] = float("nan")
    sides = tiny.sides_of(objective, "fill-true-edges")
    _, is_good = take_step(objective, "fill-true-edges", [batch], sides, 1.0, processes)
    assert is_good == 0.0
    assert all(torch.equal(p, before[name]) for name, p in objective.named_parameters())
