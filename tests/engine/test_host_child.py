from types import SimpleNamespace

import numpy as np
import pytest

from engine import host_child
from engine.host_child import Setup, thinned


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
