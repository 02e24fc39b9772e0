"""The plain networks are a fair opponent only if they are the same networks."""

import pytest
import torch

from models.inpaint import EdgeDiscriminator, EdgeGenerator, FillDiscriminator, FillGenerator


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@torch.no_grad()
def test_plain_fill_is_our_fill(plain):
    theirs = plain.plain_fill_generator(width=4, depth=2).eval()
    ours = FillGenerator(width=4, depth=2).eval()
    plain.copy_weights(theirs, ours)
    image, edges = torch.rand(2, 3, 36, 28), torch.rand(2, 1, 36, 28)
    torch.testing.assert_close(ours(image, edges), theirs(torch.cat([image, edges], 1)), atol=1e-4, rtol=0)


@torch.no_grad()
def test_plain_edges_are_our_edges(plain):
    theirs = plain.plain_edge_generator(width=4, depth=2)
    planes = torch.rand(2, 3, 36, 28)
    theirs.train()(planes)  # moves the spectral vectors, as training does
    theirs.eval()
    ours = EdgeGenerator(width=4, depth=2).eval()
    plain.copy_weights(theirs, ours)
    torch.testing.assert_close(ours(*planes.split(1, dim=1)), theirs(planes), atol=1e-4, rtol=0)


@pytest.mark.parametrize(("channels", "network"), [(2, EdgeDiscriminator), (3, FillDiscriminator)])
def test_plain_discriminator_has_the_size_of_ours(plain, channels, network):
    def count(module):
        return sum(p.numel() for p in module.parameters())

    assert count(plain.PlainDiscriminator(channels, width=8)) == count(network(width=8))


@pytest.mark.parametrize("kind", ["edges", "fill"])
def test_plain_training_moves_both_networks(plain, kind):
    training = plain.PlainTraining(kind=kind, width=4, depth=1, discriminator_width=4)
    before = [[p.clone() for p in n.parameters()] for n in (training.generator, training.discriminator)]
    hole = torch.zeros(1, 1, 32, 32)
    hole[..., 8:20, 8:20] = 1
    gray = torch.rand(1, 1, 32, 32)
    losses = training.step(gray.expand(-1, 3, -1, -1), gray, (gray > 0.9).float(), hole)
    assert all(value > 0 for value in losses.values())
    after = [training.generator.parameters(), training.discriminator.parameters()]
    assert all(
        any((a != b).any() for a, b in zip(*pair, strict=True)) for pair in zip(before, after, strict=True)
    )
