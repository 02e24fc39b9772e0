import copy

import pytest
import torch
from torch import nn

from engine.training.gradients import SECOND_BETA, Side
from engine.training.options import TrainOptions
from engine.training.processes import launch


@pytest.fixture
def processes(tmp_path):
    return launch(TrainOptions(data=(tmp_path,), out=tmp_path, device="cpu"))


def make_network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.ConvTranspose2d(5, 2, 4))
    return network.to(memory_format=torch.channels_last)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_steps_are_those_of_plain_adam(processes, momentum):
    """The one block of gradients is a matter of layout alone."""
    ours, plain = make_network(), make_network()
    side = Side(list(ours.parameters()), 1e-2, momentum)
    optimiser = torch.optim.Adam(plain.parameters(), 1e-2, (momentum, SECOND_BETA))
    generator = torch.Generator().manual_seed(0)
    for factor in (1.0, 0.5, 0.25):
        image = torch.rand(2, 3, 8, 8, generator=generator)
        side.clear()
        ours(image).square().mean().backward()
        assert side.reduce(processes) == 1.0
        side.step(factor)
        optimiser.zero_grad()
        plain(image).square().mean().backward()
        optimiser.param_groups[0]["lr"] = 1e-2 * factor
        optimiser.step()
        for one, other in zip(ours.parameters(), plain.parameters(), strict=True):
            assert torch.allclose(one.grad, other.grad, atol=1e-6)
            assert torch.allclose(one, other, atol=1e-5)


def test_a_side_without_parameters_rests(processes):
    side = Side([], 1.0)
    side.clear()
    assert side.reduce(processes) == 1.0
    side.step(1.0)
    side.load(side.state())
    assert side.gradients() == []


def test_gradients_that_are_not_finite_become_zero(processes):
    network = make_network()
    side = Side(list(network.parameters()), 1.0)
    network[0].weight.grad[0, 0, 0, 0] = float("inf")
    network[0].bias.grad.fill_(1.0)
    assert side.reduce(processes) == 0.0
    assert all(not gradient.any() for gradient in side.gradients())


def test_a_state_goes_on_where_it_was(processes):
    ours, other = make_network(), make_network()
    sides = [Side(list(network.parameters()), 1e-2) for network in (ours, other)]
    image = torch.ones(1, 3, 8, 8)
    ours(image).mean().backward()
    sides[0].step(1.0)
    other.load_state_dict(ours.state_dict())
    sides[1].load(copy.deepcopy(sides[0].state()))
    for network, side in zip((ours, other), sides, strict=True):
        side.clear()
        network(image).square().mean().backward()
        side.step(1.0)
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), other.parameters(), strict=True))


def test_the_second_beta_is_adams_own():
    network = make_network()
    side = Side(list(network.parameters()), 1e-2, 0.5, 0.999)
    assert side.state()["param_groups"][0]["betas"] == (0.5, 0.999)
