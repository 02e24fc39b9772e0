"""The whole edit, from a decoded picture to a composited one: does a hole cost what it costs, whatever the picture?

Also beside the two plain forwards alone, on the crop that the pipeline cut: what everything around the networks takes.
"""

import importlib.util
import itertools
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from engine.edits import EditInputs, InpaintEdit
from engine.engine import Engine
from engine.weightfile import WeightFile, write_weights
from models.registry import family_spec

pytestmark = pytest.mark.timeout(900)

HERE = Path(__file__).parent
SIZES = {"1 MP": (1024, 1024), "24 MP": (6000, 4000)}
MEMORY_TARGET_BYTES = 1.5e9


def _one_run():
    spec = importlib.util.spec_from_file_location("benchmarks_one_run", HERE / "one_run.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


one_run = _one_run()


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """Starter size, fresh networks: times do not depend on the numbers."""
    spec = family_spec("inpaint")
    options = spec.options["starter"]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = spec.build(options).state_dict()
    path = tmp_path_factory.mktemp("weights") / "starter.safetensors"
    write_weights(path, WeightFile("inpaint", asdict(options), state))
    return path


def _job(weights: Path, name: str, quality: str):
    """A call that runs the edit; the hole moves a little each time, so that no answer is remembered."""
    width, height = SIZES[name]
    engine = Engine(device="auto", weights=one_run.OneFile(weights))
    image, edit, turns = one_run.photo(width, height), InpaintEdit(quality=quality), itertools.count()

    def run():
        mask = one_run.hole_at(width, height, 4 * next(turns))
        return engine.run(edit, EditInputs(image, mask))

    return run


@pytest.mark.parametrize("quality", ["exact", "fast"])
def test_hole_in_24_megapixels_beside_the_same_in_one(beside, weights, quality):
    beside(
        f"256-px hole in 24 MP, {quality}",
        _job(weights, "24 MP", quality),
        _job(weights, "1 MP", quality),
        what="the same hole in 1 MP (target: at least 0.77)",
        rounds=7,
    )


@pytest.mark.parametrize("quality", ["exact", "fast"])
def test_pipeline_beside_the_plain_forwards(beside, plain, weights, quality):
    run = _job(weights, "1 MP", quality)
    crop = run().report["crops"][0]
    x0, y0, x1, y1 = crop["frame"]
    side = [-(-length // 4) * 4 for length in (y1 - y0, x1 - x0)]
    options = family_spec("inpaint").options["starter"]
    edges = plain.plain_edge_generator(width=options.width, depth=options.depth).eval()
    fill = plain.plain_fill_generator(width=options.width, depth=options.depth).eval()
    planes = [torch.rand(1, channels, *side) for channels in (3, 4)]

    @torch.inference_mode()
    def forwards() -> None:
        edges(planes[0]), fill(planes[1])

    name = f"pipeline, 256-px hole in 1 MP, {quality}"
    beside(name, run, forwards, what=f"the two plain forwards on {side[1]}x{side[0]} px", rounds=5)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("size", SIZES)
def test_peak_memory_over_idle(benchmark, fact, weights, size):
    width, height = SIZES[size]
    command = [sys.executable, str(HERE / "one_run.py"), str(weights), str(width), str(height), "exact"]
    root = str(HERE.parents[1])
    environment = {**os.environ, "PYTHONPATH": root}

    def run() -> dict:
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=root)
        return json.loads(done.stdout)

    answer = benchmark.pedantic(run, rounds=1)
    peak = answer["peak_over_idle"]
    benchmark.extra_info.update(answer)
    target = f"target: at most {MEMORY_TARGET_BYTES / 1e6:.0f}"
    fact(
        f"peak memory over idle, 256-px hole in {size}",
        f"{peak / 1e6:.0f} MB ({target}), {answer['seconds']:.2f} s",
    )
