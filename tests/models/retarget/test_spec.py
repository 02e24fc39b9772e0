"""The doors of the family: loading house states both ways, its sizes, its memory."""

import subprocess
import sys

import pytest
import torch

from models.errors import OptionError, StateError
from models.retarget import OPTIONS, RECIPES, SPEC, RetargetOptions, load_generators, scale_count
from models.retarget.options import options_from_state
from models.retarget.spec import activation_bytes, build_generators
from models.retarget.spectral import STORED

SMALL = RetargetOptions(width=4, depth=2, scales=2)


def picture(h: int = 24, w: int = 32) -> torch.Tensor:
    return torch.rand((1, 3, h, w), generator=torch.Generator().manual_seed(3))


def test_spectral_and_folded_states_load_to_the_same_plain_network():
    torch.manual_seed(0)
    objective = SPEC.make_objective(options=SMALL).eval()
    state = objective.house_state()
    before = {key: value.clone() for key, value in state.items()}
    loaded = load_generators(state)
    again = load_generators(loaded.state_dict(), SMALL)
    assert not [key for key in loaded.state_dict() if STORED in key]
    with torch.no_grad():
        expected = objective.generator(picture(), (32, 48))
        assert torch.equal(loaded["generator"](picture(), (32, 48)), expected)
        assert torch.equal(again["generator"](picture(), (32, 48)), expected)
        assert torch.equal(loaded["generator"](picture(), (32, 48)), expected)  # nothing has moved
    assert all(torch.equal(value, before[key]) for key, value in state.items())


def test_published_mode_answers_as_the_published_code_and_moves_on(parity, published_state):
    image = (parity.array("ingan/generator/picture", (1, 3, 64, 72)) + 1) / 2
    for _ in range(2):  # loaded anew: the first load's calls left no trace in the state
        generator = load_generators(published_state, as_published=True)["generator"]
        with torch.no_grad():
            answers = [2 * generator(image) - 1 for _ in range(2)]
        for answer, name in zip(answers, ("same", "same/second_call"), strict=True):
            expected = parity.case("ingan", f"generator/{name}")
            torch.testing.assert_close(answer, expected, atol=5e-4, rtol=0)


def test_published_mode_needs_the_vectors():
    words = r"^weights of generator: .* 1 missing \(generator.entry.conv.parametrizations.weight.0.u\); these weights"
    with pytest.raises(StateError, match=words):
        load_generators(build_generators(SMALL).state_dict(), as_published=True)


def test_half_precision_weights_load_as_float32():
    state = {key: value.half() for key, value in build_generators(SMALL).state_dict().items()}
    assert {p.dtype for p in load_generators(state)["generator"].state_dict().values()} == {torch.float32}


def test_states_of_other_families_and_sizes_are_refused():
    words = (
        r"^retarget weights: .* 1 missing \(generator.head.weight\); the file holds no retargeting generator"
    )
    with pytest.raises(StateError, match=words):
        load_generators({"decoder.weight": torch.zeros(1)})
    state = build_generators(SMALL).state_dict()
    with pytest.raises(
        StateError, match=r"^weights of generator: .* misshapen \(entry.conv.weight \(4, 3, 7, 7\)"
    ):
        load_generators(state, RetargetOptions(width=8, depth=2))
    with pytest.raises(StateError, match=r"^weights of generator: .* missing \(blocks.2.narrow.conv.weight"):
        load_generators(state, RetargetOptions(width=4, depth=3))


@pytest.mark.parametrize(
    "options", [SMALL, RetargetOptions(width=2, depth=1, downscales=1, scales=4), RetargetOptions(4, 3, 2, 9)]
)
def test_sizes_are_read_off_a_state(options):
    objective = SPEC.make_objective(options=options)
    assert options_from_state(objective.house_state()) == options
    folded = load_generators(objective.house_state()).state_dict()
    assert options_from_state(folded) == RetargetOptions(options.width, options.depth, options.downscales, 9)


def test_named_sizes_are_the_published_one_and_ours():
    assert {"official": RetargetOptions(64, 6, 3, 9), "starter": RetargetOptions(32, 4, 3, 6)} == OPTIONS
    counts = {
        name: sum(p.numel() for p in build_generators(row)["generator"].parameters())
        for name, row in OPTIONS.items()
    }
    assert counts == {"official": 4_804_611, "starter": 1_068_803}
    objective = SPEC.make_objective(options=OPTIONS["official"])
    assert sum(p.numel() for p in objective.discriminator.parameters()) == 2_016_009
    for row, recipe in (("official", "official"), ("starter", "fast"), ("starter", "fast-shapes")):
        assert OPTIONS[row].scales == scale_count(RECIPES[recipe].crop_px)


@pytest.mark.parametrize(
    ("name", "value"), [("width", 0), ("depth", -1), ("downscales", 2.5), ("scales", True)]
)
def test_options_out_of_range_are_refused_by_name(name, value):
    words = rf"^{name}: expected a whole number of .*, 1 or more, got {value}; official: width 64, depth 6"
    with pytest.raises(OptionError, match=words):
        RetargetOptions(**{name: value})


def test_too_few_channels_for_the_blocks_are_refused():
    words = r"^width and downscales: expected 4 channels at the lowest resolution, got 1 and 1; residual"
    with pytest.raises(OptionError, match=words):
        RetargetOptions(width=1, downscales=1)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_memory_estimate_covers_what_a_forward_allocates(layout):
    """Counted from torch's own profiler: the peak of what is alive, weights apart."""
    options, size_hw = RetargetOptions(width=8, depth=1), (96, 128)
    generator = build_generators(options)["generator"].to(memory_format=layout)
    image = picture(64, 64).to(memory_format=layout)
    with torch.no_grad():
        generator(image, size_hw)  # first calls keep caches of their own
        with torch.profiler.profile(profile_memory=True) as profile:
            generator(image, size_hw)
    alive = peak = 0
    for event in sorted(profile.profiler.kineto_results.events(), key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            alive += event.nbytes()
            peak = max(peak, alive)
    estimate = activation_bytes(options, size_hw, 4)
    assert 0.5 * estimate <= peak <= estimate


def test_loading_needs_no_compiler_of_torch():
    """Making networks on the meta device must not import torch._dynamo or sympy: seconds of start-up."""
    words = (
        "import sys; from models.retarget import *; from models.retarget.spec import build_generators;"
        "o = RetargetOptions(4, 1); load_generators(build_generators(o, is_folded=False).state_dict());"
        "load_generators(build_generators(o).state_dict());"
        "print([m for m in sys.modules if m in ('torch._dynamo', 'sympy')])"
    )
    out = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
