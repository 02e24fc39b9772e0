import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine import host_child
from engine.host_child import Setup, thinned

ROOT = Path(__file__).resolve().parents[2]

# What a child starts with, then layers that meet 400 sizes after the first 100; prints by how many kB that made it grow.
MANY_SIZES = """
from pathlib import Path
from engine import host_child

class Child:
    def __init__(self, *_):
        pass

    def run(self):
        import torch
        last = torch.channels_last
        layers = [kind(16, 16, 4).to(memory_format=last) for kind in (torch.nn.Conv2d, torch.nn.ConvTranspose2d)]

        def meet(heights):
            with torch.inference_mode():
                for h in heights:
                    for w in range(20, 40):
                        for layer in layers:
                            layer(torch.zeros(1, 16, h, w).to(memory_format=last))

        def held_kb():
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

        meet(range(20, 25))
        warm = held_kb()
        meet(range(25, 45))
        print(held_kb() - warm)

host_child._Child = Child
host_child.serve(None, host_child.Setup("cpu", "none:none"))
"""


def test_a_picture_that_fits_is_left_as_it_is():
    picture = np.zeros((10, 20, 3), np.uint8)
    assert thinned(picture, 600) is picture


@pytest.mark.parametrize("shape", [(10, 20, 3), (1, 5000, 3), (301, 7, 3), (64, 64, 3)])
@pytest.mark.parametrize("limit", [50, 599, 1000])
def test_a_larger_picture_keeps_every_nth_row_and_column(shape, limit):
    picture = np.arange(np.prod(shape), dtype=np.int64).astype(np.uint8).reshape(shape)
    small = thinned(picture, limit)
    assert 0 < small.nbytes <= max(limit, 3)
    step = next(n for n in range(1, 6000) if picture[::n, ::n].shape == small.shape)
    assert np.array_equal(small, picture[::step, ::step])


@pytest.fixture
def child(monkeypatch):
    """A child with an engine that counts; nothing runs."""
    monkeypatch.setattr(host_child, "PAUSE_S", 0.01)
    child = host_child._Child(None, Setup("cpu", "none:none"), 0.0)
    child.tidied = []
    child._engine = SimpleNamespace(tidy=lambda: (child.tidied.append(1), child._jobs.put("after the pause")))
    return child


def test_jobs_that_wait_are_done_without_tidying_between_them(child):
    for name in "ab":
        child._jobs.put(name)
    assert (child._next_job(), child._next_job()) == ("a", "b")
    assert not child.tidied


def test_memory_is_tidied_in_the_first_pause(child):
    assert child._next_job() == "after the pause"
    assert len(child.tidied) == 1


def test_memory_is_tidied_after_many_jobs_without_a_pause(child, monkeypatch):
    monkeypatch.setattr(host_child, "JOBS_UNTIDIED", 3)
    for number in range(7):
        child._jobs.put(number)
    assert [child._next_job() for _ in range(7)] == list(range(7))
    assert len(child.tidied) == 2


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="needs a system that tells what a process holds"
)
def test_what_libraries_keep_for_each_size_levels_off():
    """Growth without a bound: 73 MB; with one on the kernels alone: 34 MB; with both: 5 MB."""
    done = subprocess.run(
        [sys.executable, "-c", MANY_SIZES], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert int(done.stdout) < 12_000
