"""Spectral norm: torch's own rules, folding and going back."""

import copy

import pytest
import torch
from torch import nn

from models.inpaint import EdgeDiscriminator, EdgeGenerator, fold_spectral_norm
from models.inpaint.spectral import output_dim_of, restore_spectral_norm, spectral_norm

CONVS = [lambda: nn.Conv2d(3, 5, 3), lambda: nn.ConvTranspose2d(3, 5, 4), lambda: nn.ConvTranspose2d(6, 6, 3)]


def largest_singular_value(conv: nn.Module, weight: torch.Tensor) -> torch.Tensor:
    return torch.linalg.matrix_norm(weight.transpose(0, output_dim_of(conv)).flatten(1), ord=2)


@pytest.mark.parametrize("make", CONVS)
def test_fresh_vectors_are_aligned_with_the_weight(make):
    torch.manual_seed(0)
    conv = make()
    weight = conv.weight.detach().clone()
    spectral_norm(conv)
    sigma = largest_singular_value(conv, weight)
    torch.testing.assert_close(conv.weight.detach(), weight / sigma, rtol=5e-2, atol=0)


@pytest.mark.filterwarnings("ignore:.*spectral_norm.*:FutureWarning")
@pytest.mark.parametrize("make", CONVS)
def test_training_forwards_equal_those_of_torch(make):
    """One power iteration a forward, none in eval, gradient through sigma; the hook form is the published one."""
    torch.manual_seed(0)
    ours = spectral_norm(make())
    norm = ours.parametrizations.weight[0]
    theirs = nn.utils.spectral_norm(make(), dim=norm.output_dim)
    with torch.no_grad():
        theirs.weight_orig.copy_(ours.parametrizations.weight.original)
        theirs.bias.copy_(ours.bias)
        theirs.weight_u.copy_(norm.u)
        theirs.weight_v.copy_(norm.v)
    x = torch.randn(2, ours.in_channels, 6, 7)
    for is_training in (True, True, False, True):
        ours.train(is_training)
        theirs.train(is_training)
        torch.testing.assert_close(ours(x), theirs(x))
    ours(x).square().sum().backward()
    theirs(x).square().sum().backward()
    torch.testing.assert_close(ours.parametrizations.weight.original.grad, theirs.weight_orig.grad)
    torch.testing.assert_close(norm.u, theirs.weight_u)
    torch.testing.assert_close(norm.v, theirs.weight_v)


def test_eval_leaves_the_vectors_where_they_are():
    network = EdgeDiscriminator(width=2).eval()
    before = copy.deepcopy(network.state_dict())
    network(torch.rand(1, 1, 24, 24), torch.rand(1, 1, 24, 24))
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_two_forwards_before_one_backward():
    """The second forward moves the vectors; the first graph must keep its own."""
    network = EdgeDiscriminator(width=2).train()
    x = torch.rand(1, 1, 24, 24)
    first, _ = network(x, x)
    second, _ = network(x, 1 - x)
    (first.sum() - second.sum()).backward()
    assert network.layers.conv1.parametrizations.weight.original.grad.isfinite().all()


def test_sigma_is_float32_under_autocast():
    torch.manual_seed(1)
    conv = spectral_norm(nn.Conv2d(4, 8, 3)).eval()
    exact = conv.weight
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(conv.weight, exact)


@pytest.mark.parametrize("is_training", [False, True])
def test_folding_keeps_every_answer(is_training):
    torch.manual_seed(2)
    network = EdgeGenerator(width=4, depth=2, is_spectral=True).train(is_training)
    inputs = [torch.rand(1, 1, 16, 20) for _ in range(3)]
    with torch.no_grad():
        expected = copy.deepcopy(network).eval()(*inputs)
        folded = fold_spectral_norm(network)
        assert folded is network
        assert torch.equal(folded.eval()(*inputs), expected)
    assert set(folded.state_dict()) == set(EdgeGenerator(width=4, depth=2).state_dict())
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in folded.parameters())


def test_folded_weights_go_back_with_the_same_effect():
    """Folded with a rough estimate on purpose: the effective weight must not become a finer one."""
    torch.manual_seed(4)
    network = EdgeGenerator(width=4, depth=1, is_spectral=True).eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.utils.parametrize.ParametrizationList):
                rough = module[0].u + 0.1 * torch.randn_like(module[0].u)
                module[0].u.copy_(rough / rough.norm())
    inputs = [torch.rand(1, 1, 16, 20) for _ in range(3)]
    with torch.no_grad():
        expected = network(*inputs)
    folded = fold_spectral_norm(copy.deepcopy(network)).state_dict()

    fresh = EdgeGenerator(width=4, depth=1, is_spectral=True).eval()
    fresh.load_state_dict(restore_spectral_norm(folded, fresh))
    with torch.no_grad():
        torch.testing.assert_close(fresh(*inputs), expected, atol=1e-5, rtol=0)
        fresh.train()(*inputs)
    u = fresh.encoder.stem.parametrizations.weight[0].u
    torch.testing.assert_close(u.norm(), torch.tensor(1.0))


def test_spectral_state_passes_through_restoring_unchanged():
    network = EdgeGenerator(width=4, depth=1, is_spectral=True)
    state = network.state_dict()
    restored = restore_spectral_norm(state, network)
    assert all(torch.equal(restored[key], state[key]) for key in state)
    assert list(restored) == list(state)
