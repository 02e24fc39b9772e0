"""All against all, and the two numbers a row that make a distance a product."""

import numpy as np
import pytest
import torch

from engine.patches import search
from engine.patches.search import nearest
from engine.progress import Cancelled


def plain(queries: torch.Tensor, keys: torch.Tensor, weights: torch.Tensor, floor: float):
    """The same one by one, in doubles."""
    found, scores = [], []
    for query in queries.double():
        costs = [
            float((((query - key) ** 2).sum() + floor) * weight)
            for key, weight in zip(keys.double(), weights.double(), strict=True)
        ]
        found.append(int(np.argmin(costs)))
        scores.append(min(costs))
    return found, scores


def test_a_hand_worked_line():
    keys = torch.tensor([[0.0], [1.0], [4.0]])
    index, score = nearest(torch.tensor([[0.4], [0.6], [9.0]]), keys)
    assert index.tolist() == [0, 1, 2]
    torch.testing.assert_close(score, torch.tensor([0.16, 0.16, 25.0]))


def test_a_weight_moves_the_border_between_keys():
    keys = torch.tensor([[0.0], [1.0]])
    weights = torch.tensor([1.0, 0.25])
    assert nearest(torch.tensor([[0.4]]), keys, weights)[0].tolist() == [1]


def test_a_floor_lets_weights_decide_between_equals():
    keys = torch.zeros(2, 3)
    weights = torch.tensor([2.0, 1.0])
    assert nearest(torch.zeros(1, 3), keys, weights)[0].tolist() == [0]
    assert nearest(torch.zeros(1, 3), keys, weights, floor=0.1)[0].tolist() == [1]


@pytest.mark.parametrize("tile", [(7, 5), (512, 2048)])
def test_tiles_agree_with_the_plain_twin(tile: tuple[int, int], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "_TILE_CPU", tile)
    generator = torch.Generator().manual_seed(1)
    queries, keys = torch.rand(40, 9, generator=generator), torch.rand(33, 9, generator=generator)
    weights = torch.rand(33, generator=generator) + 0.5
    index, score = nearest(queries, keys, weights, floor=0.01)
    found, scores = plain(queries, keys, weights, 0.01)
    assert index.tolist() == found
    torch.testing.assert_close(score, torch.tensor(scores), atol=1e-5, rtol=1e-5)


def test_work_stops_between_tiles():
    def look() -> None:
        raise Cancelled("asked")

    with pytest.raises(Cancelled, match="asked"):
        nearest(torch.zeros(3, 2), torch.zeros(4, 2), look=look)
