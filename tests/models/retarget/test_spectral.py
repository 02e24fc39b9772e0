"""Spectral norm: torch's own rules, folding and going back."""

import copy

import pytest
import torch
from torch import nn

from models.retarget.discriminator import MultiScaleDiscriminator
from models.retarget.network import RetargetGenerator
from models.retarget.spectral import fold_spectral_norm, restore_spectral_norm, spectral_norm


def small() -> RetargetGenerator:
    torch.manual_seed(2)
    return RetargetGenerator(width=4, depth=1, is_spectral=True)


def picture() -> torch.Tensor:
    return torch.rand((1, 3, 24, 32), generator=torch.Generator().manual_seed(5))


def test_fresh_vectors_are_aligned_with_the_weight():
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 5, 3)
    weight = conv.weight.detach().clone()
    sigma = torch.linalg.matrix_norm(weight.flatten(1), ord=2)
    torch.testing.assert_close(spectral_norm(conv).weight.detach(), weight / sigma, rtol=5e-2, atol=0)


@pytest.mark.filterwarnings("ignore:.*spectral_norm.*:FutureWarning")
def test_training_forwards_equal_those_of_torch():
    """One power iteration a forward, none in eval, gradient through sigma; the hook form is the published one."""
    torch.manual_seed(0)
    ours, theirs = spectral_norm(nn.Conv2d(3, 5, 3)), nn.utils.spectral_norm(nn.Conv2d(3, 5, 3))
    norm = ours.parametrizations.weight[0]
    with torch.no_grad():
        theirs.weight_orig.copy_(ours.parametrizations.weight.original)
        theirs.bias.copy_(ours.bias)
        theirs.weight_u.copy_(norm.u)
        theirs.weight_v.copy_(norm.v)
    x = torch.randn(2, 3, 6, 7)
    for is_training in (True, True, False, True):
        ours.train(is_training)
        theirs.train(is_training)
        torch.testing.assert_close(ours(x), theirs(x))
    ours(x).square().sum().backward()
    theirs(x).square().sum().backward()
    torch.testing.assert_close(ours.parametrizations.weight.original.grad, theirs.weight_orig.grad)
    torch.testing.assert_close(norm.u, theirs.weight_u)
    torch.testing.assert_close(norm.v, theirs.weight_v)


def test_two_forwards_before_one_backward():
    """The second forward moves the vectors; the first graph must keep its own."""
    judges = MultiScaleDiscriminator(width=2, scales=1).train()
    first, second = judges(picture(), [1.0]), judges(1 - picture(), [1.0])
    (first.sum() - second.sum()).backward()
    assert all(p.grad.isfinite().all() for p in judges.parameters())


def test_sigma_is_float32_under_autocast():
    torch.manual_seed(1)
    conv = spectral_norm(nn.Conv2d(4, 8, 3)).eval()
    exact = conv.weight
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(conv.weight, exact)


@pytest.mark.parametrize("is_training", [False, True])
def test_folding_keeps_every_answer(is_training):
    network = small().train(is_training)
    with torch.no_grad():
        expected = copy.deepcopy(network).eval()(picture(), (32, 24))
        folded = fold_spectral_norm(network)
        assert folded is network
        assert torch.equal(folded.eval()(picture(), (32, 24)), expected)
    assert set(folded.state_dict()) == set(RetargetGenerator(width=4, depth=1).state_dict())
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in folded.parameters())


def test_folded_weights_go_back_with_the_same_effect():
    """Folded with a rough estimate on purpose: the effective weight must not become a finer one."""
    network = small().eval()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.utils.parametrize.ParametrizationList):
                rough = module[0].u + 0.1 * torch.randn_like(module[0].u)
                module[0].u.copy_(rough / rough.norm())
        expected = network(picture())
    folded = fold_spectral_norm(copy.deepcopy(network)).state_dict()

    fresh = small().eval()
    fresh.load_state_dict(restore_spectral_norm(folded, fresh))
    with torch.no_grad():
        torch.testing.assert_close(fresh(picture()), expected, atol=1e-5, rtol=0)
        fresh.train()(picture())
    u = fresh.entry.conv.parametrizations.weight[0].u
    torch.testing.assert_close(u.norm(), torch.tensor(1.0))


def test_spectral_state_passes_through_restoring_unchanged():
    network = small()
    state = network.state_dict()
    restored = restore_spectral_norm(state, network)
    assert all(torch.equal(restored[key], state[key]) for key in state)
    assert list(restored) == list(state)
