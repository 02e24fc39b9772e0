"""The generator: published numbers in the published mode, the product's mode, sizes, warps, messages."""

import copy

import pytest
import torch

from models.errors import OptionError, ShapeError
from models.retarget.network import RetargetGenerator
from models.retarget.spectral import fold_spectral_norm
from models.retarget.warp import corner_mask

PICTURE = ("ingan/generator/picture", (1, 3, 64, 72))
CASES = {
    "larger": ((88, 112), None),
    "smaller": ((40, 24), None),
    "grid_same": ((64, 72), (0.0, 0.0)),
    "grid_resized": ((48, 96), (0.0, 0.0)),
    "shear": ((64, 88), (0.3, -0.3)),
    "general": ((56, 104), (0.35, -0.1)),
    "keystone": ((64, 72), (0.25, 0.25)),
    "mixed": ((64, 64), (-0.3, 0.15)),
}


def ours(x: torch.Tensor) -> torch.Tensor:
    """Published pictures lie in [-1, 1]."""
    return (x + 1) / 2


def assert_as_published(parity, answer: torch.Tensor, name: str, tolerance: float = 5e-4) -> None:
    torch.testing.assert_close(2 * answer - 1, parity.case("ingan", name), atol=tolerance, rtol=0)


@pytest.mark.parametrize(("name", "size_hw", "shifts"), [(name, *rest) for name, rest in CASES.items()])
def test_generator_answers_as_published(parity, fresh_generator, name, size_hw, shifts):
    with torch.no_grad():
        answer = fresh_generator()(ours(parity.array(*PICTURE)), size_hw, shifts=shifts)
    assert_as_published(parity, answer, f"generator/{name}")


def test_calls_move_vectors_and_statistics_as_published(parity, fresh_generator):
    network = fresh_generator()
    image = ours(parity.array(*PICTURE))
    with torch.no_grad():
        assert_as_published(parity, network(image), "generator/same")
        state = network.state_dict()
        for house, official in (
            ("entry.conv.parametrizations.weight.0.u", "entry_block.1.weight_u"),
            ("blocks.2.look.conv.parametrizations.weight.0.v", "bottleneck_block.2.conv_block.4.weight_v"),
            ("ups.1.norm.running_mean", "upscale_block.conv_1.2.running_mean"),
            ("ups.1.norm.running_var", "upscale_block.conv_1.2.running_var"),
        ):
            expected = parity.case("ingan", f"generator/same/after/{official}")
            torch.testing.assert_close(state[house], expected, atol=1e-5, rtol=0)
        assert_as_published(parity, network(image), "generator/same/second_call")


def test_odd_pictures_and_two_at_once_answer_as_published(parity, fresh_generator):
    odd = ours(parity.array("ingan/generator/odd_picture", (1, 3, 45, 61)))
    two = ours(parity.array("ingan/generator/pictures", (2, 3, 40, 48)))
    with torch.no_grad():
        assert_as_published(parity, fresh_generator()(odd, (48, 64)), "generator/odd_input")
        answer = fresh_generator()(two, (48, 40), shifts=(0.2, -0.1))
        assert_as_published(parity, answer, "generator/batch2")


def test_running_statistics_are_carried_as_published(parity, fresh_generator, use_running_statistics):
    """Nothing of ours uses them; a file that goes back must hold the right ones."""
    with torch.no_grad():
        answer = fresh_generator().eval()(ours(parity.array(*PICTURE)))
    assert_as_published(parity, answer, "generator/eval", 5e-5)


def test_channels_last_answers_as_published(parity, fresh_generator):
    network = fresh_generator().to(memory_format=torch.channels_last)
    image = ours(parity.array(*PICTURE)).to(memory_format=torch.channels_last)
    with torch.no_grad():
        assert_as_published(parity, network(image, (64, 88), shifts=(0.3, -0.3)), "generator/shear")


def test_folded_in_eval_is_the_published_answer_once_vectors_rest(parity, fresh_generator):
    """After many power iterations one more changes nothing: then both modes are one network."""
    network = fresh_generator()
    image = ours(parity.array(*PICTURE))
    for module in network.modules():
        if isinstance(module, torch.nn.utils.parametrize.ParametrizationList):
            matrix = module.original.detach().flatten(1)
            left, _, right = torch.linalg.svd(matrix.double(), full_matrices=False)
            module[0].u.copy_(left[:, 0])
            module[0].v.copy_(right[0])
    with torch.no_grad():
        expected = network(image, (48, 80))
        folded = fold_spectral_norm(network).eval()
        torch.testing.assert_close(folded(image, (48, 80)), expected, atol=1e-4, rtol=0)


def small(**options) -> RetargetGenerator:
    torch.manual_seed(3)
    network = RetargetGenerator(**({"width": 4, "depth": 1} | options))
    with torch.no_grad():
        for parameter in network.parameters():  # fresh weights are nearly 0; make every channel matter
            if parameter.ndim == 4:
                parameter.mul_(100)
    return network


def picture(b: int = 1, h: int = 24, w: int = 32, seed: int = 5) -> torch.Tensor:
    return torch.rand((b, 3, h, w), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("is_spectral", [True, False])
@pytest.mark.parametrize(("b", "h", "w"), [(1, 4, 4), (2, 21, 34), (1, 7, 40)])
@pytest.mark.parametrize("size_hw", [(16, 16), (16, 72), (48, 24)])
def test_any_picture_goes_into_any_frame_of_whole_multiples(is_spectral, b, h, w, size_hw):
    network = small(is_spectral=is_spectral).eval()
    image = picture(b, h, w)
    before = image.clone()
    corners = [[1, 2], [size_hw[1], 0], [size_hw[1] - 3, size_hw[0]], [0, size_hw[0] - 1]]
    for warp in ({}, {"shifts": (0.2, -0.3)}, {"corners": corners}):
        with torch.no_grad():
            answer = network(image, size_hw, **warp)
        assert answer.shape == (b, 3, *size_hw)
        assert answer.isfinite().all()
        assert answer.min() >= 0
        assert answer.max() <= 1
    assert torch.equal(image, before)


@pytest.mark.parametrize("downscales", [1, 2, 4])
def test_multiples_follow_from_the_halvings(downscales):
    network = small(downscales=downscales, width=2).eval()
    assert network.size_multiple == 2**downscales
    side = 2 * 2**downscales
    with torch.no_grad():
        assert network(picture(), (side, side + 2**downscales)).shape == (1, 3, side, side + 2**downscales)


@pytest.mark.parametrize("is_spectral", [True, False])
@pytest.mark.parametrize("is_training", [True, False])
def test_gradient_reaches_every_parameter(is_spectral, is_training):
    network = small(depth=2, is_spectral=is_spectral).train(is_training)
    network(picture(2), (32, 40), shifts=(0.1, 0.2)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        # A bias before a norm is taken out again by it: its gradient is rounding alone.
        assert parameter.grad.any() or name.endswith("conv.bias"), name


@pytest.mark.parametrize("is_spectral", [True, False])
def test_saved_weights_give_the_same_answer(is_spectral, tmp_path):
    network = small(is_spectral=is_spectral).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    again = RetargetGenerator(width=4, depth=1, is_spectral=is_spectral).eval()
    again.load_state_dict(torch.load(tmp_path / "weights.pth", weights_only=True))
    with torch.no_grad():
        assert torch.equal(network(picture(), (32, 16)), again(picture(), (32, 16)))


def test_in_eval_pictures_of_a_batch_do_not_see_each_other_and_nothing_moves():
    network = small(is_spectral=True).eval()
    before = copy.deepcopy(network.state_dict())
    images = picture(2)
    with torch.no_grad():
        together = network(images, (32, 40))
        alone = torch.cat([network(images[i : i + 1], (32, 40)) for i in range(2)])
        again = network(images, (32, 40))
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    assert torch.equal(together, again)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_running_statistics_have_no_say_in_the_answer():
    network = small().eval()
    with torch.no_grad():
        expected = network(picture())
        for name, buffer in network.named_buffers():
            if "running" in name:
                buffer.fill_(7)
        assert torch.equal(network(picture()), expected)


def test_corners_of_the_frame_are_a_plain_retarget():
    network = small().eval()
    with torch.no_grad():
        plain = network(picture(), (32, 48))
        cornered = network(picture(), (32, 48), corners=[[0, 0], [48, 0], [48, 32], [0, 32]])
    torch.testing.assert_close(cornered, plain, atol=1e-5, rtol=0)


def test_each_picture_may_have_corners_of_its_own():
    network = small().eval()
    image = picture().expand(2, -1, -1, -1)
    corners = torch.tensor([[[2.0, 3], [40, 0], [37, 32], [0, 28]], [[0, 0], [40, 0], [40, 32], [0, 32]]])
    with torch.no_grad():
        both = network(image, (32, 40), corners=corners)
        alone = torch.cat([network(image[:1], (32, 40), corners=corners[i]) for i in range(2)])
    torch.testing.assert_close(both, alone, atol=1e-5, rtol=0)
    assert corner_mask(corners, (32, 40)).shape == (2, 1, 32, 40)


def test_published_warp_with_no_shift_is_not_the_plain_resize():
    network = small().eval()
    with torch.no_grad():
        same = network(picture(), (24, 32), shifts=(0.0, 0.0))
        torch.testing.assert_close(same, network(picture()), atol=1e-4, rtol=0)
        other = network(picture(), (48, 64), shifts=(0.0, 0.0))
        assert (other - network(picture(), (48, 64))).abs().max() > 1e-2


def test_same_seed_same_fresh_weights_and_biases_zero():
    one, other = (small(is_spectral=True) for _ in range(2))
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    fresh = RetargetGenerator(width=16, depth=1)
    deviation = 0.01 * (2 / ((16 + 32) * 9)) ** 0.5
    assert float(fresh.downs[0].conv.weight.detach().std()) == pytest.approx(deviation, rel=0.05)
    assert all(not p.detach().any() for name, p in fresh.named_parameters() if name.endswith("bias"))


def test_autocast_changes_little_and_answers_in_float32():
    network = small().eval()
    with torch.no_grad():
        for warp in ({}, {"shifts": (0.2, 0.1)}):
            exact = network(picture(), (24, 40), **warp)
            with torch.autocast("cpu", torch.bfloat16):
                fast = network(picture(), (24, 40), **warp)
            assert fast.dtype == torch.float32
            assert (fast - exact).abs().mean() < 2e-2


def test_pictures_and_frames_that_do_not_fit_are_refused_by_name():
    network = small()
    cases = {
        r"^image: expected \(B, 3, H, W\), got \(1, 4, 24, 32\); RGB comes": (
            torch.zeros(1, 4, 24, 32),
            None,
        ),
        r"^image: expected sides of at least 4 px, got \(3, 32\); the first": (picture(1, 3), (16, 16)),
        r"^size_hw: expected multiples of 8 px, 16 or more, got \(24, 30\); ask": (picture(), (24, 30)),
        r"^size_hw: expected multiples of 8 px, 16 or more, got \(8, 32\); ask for": (picture(), (8, 32)),
        r"^size_hw: expected multiples of 8 px, 16 or more, got \(20, 32\)": (picture(1, 20), None),
    }
    for words, (image, size_hw) in cases.items():
        with pytest.raises(ShapeError, match=words):
            network(image, size_hw)


def test_two_warps_at_once_are_refused():
    with pytest.raises(OptionError, match=r"^warp: expected shifts or corners, got both; give one of them$"):
        small()(picture(), shifts=(0, 0), corners=[[0, 0], [32, 0], [32, 24], [0, 24]])


@pytest.mark.parametrize(("name", "published"), [("width", 64), ("depth", 6), ("downscales", 3)])
def test_sizes_below_one_are_refused(name, published):
    words = rf"^{name}: expected 1 or more, got 0; the published size is {published}$"
    with pytest.raises(OptionError, match=words):
        RetargetGenerator(**{name: 0})
