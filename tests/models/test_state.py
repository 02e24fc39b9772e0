"""Strict loading of state dicts."""

import pytest
import torch
from torch import nn

from models.errors import StateError
from models.state import load_strictly, materialise, part_of, with_prefix


def test_part_and_prefix_are_inverse():
    state = {"a.weight": torch.zeros(1), "a.b.bias": torch.ones(1)}
    assert part_of(with_prefix(state, "x"), "x") == state
    assert part_of(with_prefix(state, "x") | {"xa.weight": torch.zeros(1)}, "x") == state


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_half_precision_is_loaded_as_float32(device):
    state = {key: value.half() for key, value in nn.Linear(2, 3).state_dict().items()}
    network = nn.Linear(2, 3, device=device)
    (materialise if device == "meta" else load_strictly)("x", network, state)
    assert network.weight.dtype == torch.float32
    assert torch.equal(network.weight, state["weight"].float())
    assert isinstance(network.weight, nn.Parameter)


def test_materialised_networks_share_nothing_with_the_state():
    state = nn.Linear(2, 3).state_dict()
    network = nn.Linear(2, 3, device="meta")
    materialise("x", network, state)
    with torch.no_grad():
        network.weight.zero_()
    assert state["weight"].any()


@pytest.mark.parametrize("load", [load_strictly, materialise])
def test_a_state_that_does_not_fit_changes_nothing(load):
    network = nn.Linear(2, 3)
    before = network.weight.detach().clone()
    state = {"weight": torch.zeros(3, 2), "extra": torch.zeros(1)}
    expected = r"^weights of x: expected every .* got 1 missing \(bias\), 1 unexpected \(extra\); the file belongs to"
    with pytest.raises(StateError, match=expected):
        load("weights of x", network, state)
    assert torch.equal(network.weight, before)
