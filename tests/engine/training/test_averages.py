import pytest
import torch
from torch import nn

from engine.training.averages import AveragedWeights


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Linear(3, 2)


def test_the_mean_follows_the_plain_formula(network):
    averages = AveragedWeights({"a": network}, 0.5)
    expected = network.weight.detach().clone()
    for count in range(1, 20):
        with torch.no_grad():
            network.weight.mul_(1.1).add_(0.01)
        averages.update()
        keep = min(0.5, (1 + count) / (10 + count))
        expected = keep * expected + (1 - keep) * network.weight.detach()
    live = network.weight.detach().clone()
    with averages.in_place():
        assert torch.allclose(network.weight, expected, atol=1e-6)
    assert torch.equal(network.weight, live)


def test_live_weights_come_back_after_an_error(network):
    averages = AveragedWeights({"a": network}, 0.9)
    with torch.no_grad():
        network.weight.add_(1.0)
    live = network.weight.detach().clone()
    with pytest.raises(KeyError), averages.in_place():
        raise KeyError
    assert torch.equal(network.weight, live)


def test_a_stage_hands_its_means_over(network):
    averages = AveragedWeights({"a": network}, 0.9)
    start = network.weight.detach().clone()
    with torch.no_grad():
        network.weight.add_(1.0)
    averages.hand_over()
    assert torch.equal(network.weight, start)


def test_a_state_brings_means_and_count_back(network):
    averages = AveragedWeights({"a": network}, 0.9)
    with torch.no_grad():
        network.weight.add_(1.0)
    averages.update()
    other = AveragedWeights({"a": network}, 0.9)
    other.load(averages.state())
    averages.update()
    other.update()
    with averages.in_place():
        expected = network.weight.detach().clone()
    with other.in_place():
        assert torch.equal(network.weight, expected)
