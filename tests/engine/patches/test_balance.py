"""Patches moved towards the population of their source."""

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.patches import balance
from engine.patches.descriptors import whole_patches
from engine.patches.measures import sliced_wasserstein
from engine.patches.pyramid import resize
from engine.progress import Cancelled


def look() -> None:
    pass


def balanced(picture: Tensor, source: Tensor, side: int, *, seed: int = 0, look=look) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return balance.balanced(picture, source, side, rounds=10, generator=generator, look=look)


def tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))


def dots(height: int, width: int) -> np.ndarray:
    """Light dots of 3 px on dark noise: drawn out, they become bars of paler ink."""
    random = np.random.default_rng(1)
    made = 0.1 * random.random((height, width, 3)).astype(np.float32)
    for y, x in random.integers(1, (height - 2, width - 2), (height * width // 60, 2)):
        made[y - 1 : y + 2, x - 1 : x + 2] += (0.3, 0.6, 0.8)
    return np.clip(made, 0, 1)


def distance(picture: Tensor, source: Tensor) -> float:
    return sliced_wasserstein(whole_patches(picture, 7), whole_patches(source, 7))


@pytest.mark.parametrize("size_hw", [(32, 22), (32, 70), (20, 44), (50, 60)])
def test_what_was_drawn_out_comes_nearer_to_its_source(size_hw: tuple[int, int]):
    source = dots(32, 44)
    drawn, goal = tensor(resize(source, size_hw)), tensor(source)
    made = balanced(drawn, goal, 7)
    assert made.shape == drawn.shape
    assert made.min() >= 0
    assert made.max() <= 1
    assert distance(made, goal) < 0.8 * distance(drawn, goal)


def test_the_source_itself_stays_as_it_is_and_is_not_written_to():
    source = tensor(dots(24, 30))
    before = source.clone()
    torch.testing.assert_close(balanced(source, source, 7), source, atol=1e-5, rtol=0)
    assert torch.equal(source, before)


def test_the_same_seed_gives_the_same_picture_and_another_one_another():
    source = tensor(dots(24, 30))
    drawn = tensor(resize(dots(24, 30), (24, 16)))
    first = balanced(drawn, source, 7, seed=1)
    assert torch.equal(first, balanced(drawn, source, 7, seed=1))
    assert not torch.equal(first, balanced(drawn, source, 7, seed=2))


def test_one_colour_becomes_the_other():
    """All patches alike: the move along every direction is the whole way there."""
    grey, red = torch.full((3, 12, 12), 0.5), torch.full((3, 12, 20), 0.2)
    red[0] = 0.7
    made = balanced(grey, red, 5)
    torch.testing.assert_close(made.mean((1, 2)), torch.tensor([0.7, 0.2, 0.2]), atol=0.01, rtol=0)


def test_shares_follow_the_source():
    """A quarter is light where half should be."""
    picture, source = torch.full((3, 20, 40), 0.1), torch.full((3, 20, 40), 0.1)
    picture[:, :, 30:] = 0.9
    source[:, :, 20:] = 0.9
    made = balanced(picture, source, 5)
    assert float(picture.mean()) == pytest.approx(0.3, abs=1e-3)
    assert float(made.mean()) == pytest.approx(0.5, abs=0.04)


def test_a_request_to_stop_is_met_in_every_round():
    calls = 0

    def stop() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Cancelled

    source = tensor(dots(24, 30))
    with pytest.raises(Cancelled):
        balanced(source, source, 7, look=stop)
    assert calls == 3


def test_memory_is_bounded_by_taking_few_directions_at_once(monkeypatch):
    """Moves along directions add up: how many are held at a time changes nothing."""
    source = tensor(dots(24, 30))
    drawn = tensor(resize(dots(24, 30), (24, 16)))
    at_once = balanced(drawn, source, 7)
    monkeypatch.setattr(balance, "_AT_ONCE", 5 * 18 * 24)
    torch.testing.assert_close(balanced(drawn, source, 7), at_once, atol=1e-4, rtol=0)
