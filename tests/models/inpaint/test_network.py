"""Both generators: parity, sizes, options, modes and messages."""

import copy

import pytest
import torch
import torch.nn.functional as F

from models.errors import OptionError, ShapeError
from models.inpaint import EdgeGenerator, FillGenerator
from models.inpaint.network import InstanceNorm
from models.inpaint.official import to_ours
from models.state import part_of

EDGES = ("edgeconnect", "EdgeModel_gen.pth", "generator")
FILL = ("edgeconnect", "InpaintingModel_gen.pth", "generator")
SIZES = [(64, 64), (40, 72), (45, 67)]


@pytest.fixture(scope="module")
def published_edges(parity):
    network = EdgeGenerator(is_spectral=True)
    network.load_state_dict(part_of(to_ours(parity.official_state(*EDGES)), "edges"))
    return network.eval()


@pytest.fixture(scope="module")
def published_fill(parity):
    network = FillGenerator()
    network.load_state_dict(part_of(to_ours(parity.official_state(*FILL)), "fill"))
    return network.eval()


def planes(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return x.split(1, dim=1)


@pytest.mark.parametrize(("h", "w"), SIZES)
def test_edge_generator_answers_as_published(parity, published_edges, h, w):
    name = f"edge_generator/{h}x{w}"
    x = parity.array(f"edgeconnect/{name}", (1, 3, h, w), 0, 1)
    with torch.no_grad():
        answer = published_edges(*planes(x))
    torch.testing.assert_close(answer, parity.case("edgeconnect", name), atol=2e-5, rtol=0)


@pytest.mark.parametrize(("h", "w"), SIZES)
def test_fill_generator_answers_as_published(parity, published_fill, h, w):
    name = f"inpaint_generator/{h}x{w}"
    x = parity.array(f"edgeconnect/{name}", (1, 4, h, w), 0, 1)
    with torch.no_grad():
        answer = published_fill(x[:, :3], x[:, 3:])
    torch.testing.assert_close(answer, parity.case("edgeconnect", name), atol=5e-5, rtol=0)


def test_two_pictures_at_once_answer_as_published(parity, published_fill):
    name = "inpaint_generator/batch2"
    x = parity.array(f"edgeconnect/{name}", (2, 4, 32, 48), 0, 1)
    with torch.no_grad():
        answer = published_fill(x[:, :3], x[:, 3:])
    torch.testing.assert_close(answer, parity.case("edgeconnect", name), atol=5e-5, rtol=0)


def test_channels_last_answers_as_published(parity, published_edges, published_fill):
    """The other memory layout takes another way through the norms; the numbers must be the same."""
    for network, name, channels, tolerance in (
        (published_edges, "edge_generator/40x72", 3, 2e-5),
        (published_fill, "inpaint_generator/40x72", 4, 5e-5),
    ):
        network = copy.deepcopy(network).to(memory_format=torch.channels_last)
        x = parity.array(f"edgeconnect/{name}", (1, channels, 40, 72), 0, 1)
        inputs = planes(x) if channels == 3 else (x[:, :3], x[:, 3:])
        with torch.no_grad():
            answer = network(*inputs)
        torch.testing.assert_close(answer, parity.case("edgeconnect", name), atol=tolerance, rtol=0)


def test_training_forward_moves_the_spectral_vectors_as_published(parity, published_edges):
    network = copy.deepcopy(published_edges).train()
    x = parity.array("edgeconnect/edge_generator/train", (1, 3, 32, 48), 0, 1)
    with torch.no_grad():
        answer = network(*planes(x))
    torch.testing.assert_close(answer, parity.case("edgeconnect", "edge_generator/train"), atol=2e-5, rtol=0)
    u = network.decoder.up1.parametrizations.weight[0].u
    expected = parity.case("edgeconnect", "edge_generator/train/decoder.0.weight_u")
    torch.testing.assert_close(u, expected, atol=2e-5, rtol=0)


def small(kind: type, **options) -> torch.nn.Module:
    torch.manual_seed(3)
    return kind(width=4, depth=1, **options)


def inputs_of(network: torch.nn.Module, b: int, h: int, w: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(5)
    hole = (torch.rand((b, 1, h, w), generator=generator) > 0.7).float()
    edges = (torch.rand((b, 1, h, w), generator=generator) > 0.8).float()
    image = torch.rand((b, 3, h, w), generator=generator)
    return (image[:, :1], edges, hole) if isinstance(network, EdgeGenerator) else (image, edges)


NETWORKS = [(EdgeGenerator, {"is_spectral": True}), (EdgeGenerator, {}), (FillGenerator, {})]


@pytest.mark.parametrize(("kind", "options"), NETWORKS)
@pytest.mark.parametrize(("b", "h", "w"), [(1, 12, 12), (2, 21, 34), (1, 64, 12)])
def test_any_size_from_twelve_pixels_on(kind, options, b, h, w):
    network = small(kind, **options).eval()
    inputs = inputs_of(network, b, h, w)
    before = [x.clone() for x in inputs]
    with torch.no_grad():
        answer = network(*inputs)
    channels = 1 if kind is EdgeGenerator else 3
    assert answer.shape == (b, channels, h // 4 * 4, w // 4 * 4)
    assert answer.isfinite().all()
    assert answer.min() >= 0
    assert answer.max() <= 1
    for x, was in zip(inputs, before, strict=True):
        assert torch.equal(x, was)


@pytest.mark.parametrize(("kind", "options"), NETWORKS)
@pytest.mark.parametrize("depth", [1, 3])
def test_gradient_reaches_every_parameter(kind, options, depth):
    torch.manual_seed(0)
    network = kind(width=4, depth=depth, **options)
    network(*inputs_of(network, 2, 16, 20)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        # A bias before an instance norm is taken out again by it: its gradient is rounding alone.
        assert parameter.grad.any() or (name.endswith("bias") and "head" not in name), name


@pytest.mark.parametrize(("kind", "options"), NETWORKS)
def test_saved_weights_give_the_same_answer(kind, options, tmp_path):
    network = small(kind, **options).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    again = kind(width=4, depth=1, **options).eval()
    again.load_state_dict(torch.load(tmp_path / "weights.pth", weights_only=True))
    inputs = inputs_of(network, 1, 20, 24)
    with torch.no_grad():
        assert torch.equal(network(*inputs), again(*inputs))


def test_pictures_of_a_batch_do_not_see_each_other():
    network = small(FillGenerator).eval()
    image, edges = inputs_of(network, 2, 16, 24)
    with torch.no_grad():
        together = network(image, edges)
        alone = torch.cat([network(image[i : i + 1], edges[i : i + 1]) for i in range(2)])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)


def test_what_stands_in_the_hole_does_not_matter_to_predict_and_paint():
    edge_network, fill_network = small(EdgeGenerator).eval(), small(FillGenerator).eval()
    gray, edges, hole = inputs_of(edge_network, 1, 16, 16)
    image = gray.expand(-1, 3, -1, -1)
    scribble = torch.where(hole > 0, 0.3, gray)
    with torch.no_grad():
        predicted = edge_network.predict(gray, edges, hole)
        assert torch.equal(predicted, edge_network.predict(scribble, torch.where(hole > 0, 1.0, edges), hole))
        blank = (gray * (1 - hole) + hole, edges * (1 - hole), hole)
        assert torch.equal(predicted, edge_network(*blank))
        painted = fill_network.paint(image, edges, hole)
        assert torch.equal(painted, fill_network.paint(scribble.expand(-1, 3, -1, -1), edges, hole))
        assert torch.equal(painted, fill_network(image * (1 - hole) + hole, edges))


def test_edges_inside_the_hole_guide_the_fill():
    network = small(FillGenerator).eval()
    image, edges = inputs_of(network, 1, 16, 16)
    hole = torch.ones((1, 1, 16, 16))
    with torch.no_grad():
        assert not torch.equal(network.paint(image, edges, hole), network.paint(image, 1 - edges, hole))


def test_same_seed_same_fresh_weights():
    one, other = small(EdgeGenerator, is_spectral=True), small(EdgeGenerator, is_spectral=True)
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_fresh_weights_are_small_and_biases_zero():
    network = FillGenerator(width=16, depth=2)
    weight = network.blocks[0].wide.weight
    assert abs(float(weight.detach().std()) - 0.02) < 0.001
    assert all(not p.detach().any() for name, p in network.named_parameters() if name.endswith("bias"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize(("b", "h", "w"), [(1, 9, 14), (2, 33, 20)])
def test_norm_equals_instance_norm_and_keeps_layout(dtype, layout, requires_grad, b, h, w):
    """Channels far from zero as well: there a variance from squares alone loses its digits."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn((b, 6, h, w), generator=generator) * 0.5 + torch.arange(6.0).view(1, 6, 1, 1)
    x = x.to(dtype).to(memory_format=layout).requires_grad_(requires_grad)
    answer = InstanceNorm()(x)
    plain = F.instance_norm(x.detach().double(), eps=1e-5).requires_grad_(False)
    assert answer.dtype == dtype
    assert answer.is_contiguous(memory_format=layout)
    tolerance = 1e-5 if dtype == torch.float32 else 4e-2
    torch.testing.assert_close(answer.detach().double(), plain, atol=tolerance, rtol=0)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_norm_has_the_gradient_of_instance_norm(layout):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn((2, 3, 10, 7), generator=generator).to(memory_format=layout).requires_grad_()
    pull = torch.randn((2, 3, 10, 7), generator=generator)
    (ours,) = torch.autograd.grad((InstanceNorm()(x) * pull).sum(), x)
    (plain,) = torch.autograd.grad((F.instance_norm(x, eps=1e-5) * pull).sum(), x)
    torch.testing.assert_close(ours, plain, atol=1e-5, rtol=0)


def test_norm_statistics_stay_float32_under_autocast():
    x = torch.randn((1, 4, 16, 16), generator=torch.Generator().manual_seed(2)) + 3
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(InstanceNorm()(x), InstanceNorm()(x.clone()))
        assert InstanceNorm()(x).dtype == torch.float32


@pytest.mark.parametrize(("kind", "options"), NETWORKS)
def test_autocast_changes_little_and_answers_in_float32(kind, options):
    network = small(kind, **options).eval()
    inputs = inputs_of(network, 1, 24, 24)
    with torch.no_grad():
        exact = network(*inputs)
        with torch.autocast("cpu", torch.bfloat16):
            fast = network(*inputs)
    assert fast.dtype == torch.float32
    torch.testing.assert_close(fast, exact, atol=3e-2, rtol=0)


def test_planes_of_another_size_are_refused_by_name():
    network = small(EdgeGenerator)
    gray, edges, hole = inputs_of(network, 1, 16, 16)
    with pytest.raises(
        ShapeError, match=r"^edges: expected \(1, 1, 16, 16\), got \(1, 1, 16, 12\); one plane"
    ):
        network(gray, edges[..., :12], hole)
    with pytest.raises(ShapeError, match=r"^hole: expected \(1, 1, 16, 16\), got \(1, 2, 16, 16\)"):
        network(gray, edges, hole.expand(1, 2, 16, 16))


def test_sides_too_short_are_refused():
    network = small(FillGenerator)
    image, edges = torch.zeros(1, 3, 8, 16), torch.zeros(1, 1, 8, 16)
    with pytest.raises(ShapeError, match=r"^edges: expected sides of at least 12 px, got \(8, 16\); pad the"):
        network(image, edges)


def test_a_picture_that_is_not_rgb_is_refused():
    network = small(FillGenerator)
    expected = r"^image: expected \(B, 3, H, W\), got \(1, 4, 16, 16\); RGB comes"
    with pytest.raises(ShapeError, match=expected):
        network(torch.zeros(1, 4, 16, 16), torch.zeros(1, 1, 16, 16))


def test_sizes_below_one_are_refused():
    with pytest.raises(
        OptionError, match=r"^width: expected at least 1 channel, got 0; the published size is 64"
    ):
        EdgeGenerator(width=0)
    with pytest.raises(
        OptionError, match=r"^depth: expected at least 1 residual block, got 0; the published"
    ):
        FillGenerator(depth=0)
