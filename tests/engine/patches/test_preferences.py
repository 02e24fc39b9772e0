"""Completeness, prices and home, worked by hand."""

import numpy as np
import pytest
import torch

from engine.patches import quad
from engine.patches.preferences import DRAWN_HOME, HOME, PRICE_MAX, homes, raised, weights


def test_a_key_that_nothing_resembles_comes_nearer():
    found = weights(torch.tensor([0.0, 0.01, 0.03]), 0.01, torch.zeros(1, 3))
    torch.testing.assert_close(found, torch.tensor([1.0, 0.5, 0.25]))


def test_a_price_multiplies():
    found = weights(torch.zeros(2), 0.1, torch.tensor([[0.0, 1.0]]))
    torch.testing.assert_close(found, torch.tensor([1.0, float(np.e)]))


def test_what_everything_takes_becomes_dear_and_what_is_left_cheap_again():
    price = torch.zeros(8, 8)
    for _ in range(40):
        price = raised(price, torch.full((64,), 27), 3)
    assert float(price[3, 3]) == PRICE_MAX
    assert float(price[7, 7]) == 0
    for _ in range(40):
        price = raised(price, torch.arange(64), 3)
    assert float(price.max()) < 1e-3


def test_fair_shares_cost_nothing():
    assert raised(torch.zeros(5, 6), torch.arange(30), 3).abs().max() < 1e-6


def test_at_the_same_size_everything_is_at_home():
    ours, theirs = homes((20, 30), (20, 30), quad.rectangle((20, 30)), 5)
    torch.testing.assert_close(ours, theirs)


def test_being_away_by_the_shorter_side_costs_home_and_less_along_a_stretch():
    ours, _ = homes((20, 20), (20, 20), quad.rectangle((20, 20)), 5)
    down = ours.reshape(16, 16, 2)[10, 0] - ours.reshape(16, 16, 2)[0, 0]
    assert float(down.square().sum()) == pytest.approx(HOME * (10 / 20) ** 2, rel=1e-4)
    wide, _ = homes((20, 20), (20, 40), quad.rectangle((20, 40)), 5)
    grid = wide.reshape(16, 36, 2)
    across = (grid[0, 20] - grid[0, 0]).square().sum()  # ten px of the source
    assert float(across) == pytest.approx(HOME * (10 / 20) ** 2 * 2**-5, rel=1e-3)
    whole, _ = homes((20, 20), (20, 40), quad.rectangle((20, 40)), 5, is_drawn=True)
    grid = whole.reshape(16, 36, 2)
    expected = DRAWN_HOME * (10 / 20) ** 2
    assert float((grid[0, 20] - grid[0, 0]).square().sum()) == pytest.approx(expected, rel=1e-3)
