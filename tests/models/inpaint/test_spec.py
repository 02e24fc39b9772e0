"""The doors of the family: loading house states, spectral or folded, and its sizes."""

import subprocess
import sys

import pytest
import torch

from models.errors import OptionError, StateError
from models.inpaint import OPTIONS, SPEC, InpaintOptions, load_generators
from models.inpaint.spec import activation_bytes, build_generators
from models.inpaint.spectral import STORED

SMALL = InpaintOptions(width=4, depth=2)


def inputs() -> list[torch.Tensor]:
    return [torch.rand((1, 1, 16, 20), generator=torch.Generator().manual_seed(i)) for i in range(3)]


def test_spectral_and_folded_states_load_to_the_same_plain_networks():
    torch.manual_seed(0)
    objective = SPEC.make_objective(options=SMALL).eval()
    state = objective.house_state()
    before = {key: value.clone() for key, value in state.items()}
    loaded = load_generators(state)
    again = load_generators(loaded.state_dict(), SMALL)
    assert not [key for key in loaded.state_dict() if STORED in key]
    with torch.no_grad():
        expected = objective.edges(*inputs())
        assert torch.equal(loaded["edges"](*inputs()), expected)
        assert torch.equal(again["edges"](*inputs()), expected)
    assert all(torch.equal(value, before[key]) for key, value in state.items())


def test_spectral_generators_can_be_built_for_training():
    keys = build_generators(SMALL, is_folded=False)["edges"].state_dict()
    assert any(STORED in key for key in keys)


def test_a_state_without_one_generator_is_refused_by_name():
    state = build_generators(SMALL).state_dict()
    fill_only = {key: value for key, value in state.items() if key.startswith("fill.")}
    with pytest.raises(
        StateError, match=r"^weights of edges: expected every .* missing \(encoder.stem.weight"
    ):
        load_generators(fill_only)


def test_a_state_of_another_family_is_refused():
    expected = r"^inpaint weights: .* 2 missing \(fill.decoder.head.weight, edges.decoder.head.weight\); the file holds"
    with pytest.raises(StateError, match=expected):
        load_generators({"decoder.weight": torch.zeros(1)})


def test_a_state_of_another_size_than_its_options_is_refused():
    state = build_generators(SMALL).state_dict()
    with pytest.raises(
        StateError, match=r"^weights of edges: .* misshapen \(encoder.stem.weight \(4, 3, 7, 7\)"
    ):
        load_generators(state, InpaintOptions(width=8, depth=2))


def test_named_sizes_are_the_published_one_and_ours():
    assert {"official": InpaintOptions(64, 8), "starter": InpaintOptions(32, 8)} == OPTIONS
    counts = {
        name: sum(p.numel() for p in network.parameters())
        for name, network in build_generators(OPTIONS["official"]).items()
    }
    assert counts == {"edges": 10_761_089, "fill": 10_774_595}


@pytest.mark.parametrize(("name", "value"), [("width", 0), ("depth", -1), ("width", 2.5), ("depth", True)])
def test_options_out_of_range_are_refused_by_name(name, value):
    with pytest.raises(
        OptionError, match=rf"^{name}: expected a whole number of .*, 1 or more, got {value}; official"
    ):
        InpaintOptions(**{name: value})


def test_memory_estimate_covers_what_a_forward_allocates():
    """Counted from torch's own profiler: the peak of what is alive, weights apart."""
    options, size_hw = InpaintOptions(width=8, depth=1), (96, 128)
    networks = build_generators(options)
    image, edges = torch.rand(1, 3, *size_hw), torch.rand(1, 1, *size_hw)
    networks["fill"](image, edges)  # first calls keep caches of their own
    with torch.no_grad(), torch.profiler.profile(profile_memory=True) as profile:
        networks["fill"](image, edges)
    alive = peak = 0
    for event in sorted(profile.profiler.kineto_results.events(), key=lambda event: event.start_ns()):
        if event.name() == "[memory]":
            alive += event.nbytes()
            peak = max(peak, alive)
    estimate = activation_bytes(options, size_hw, 4)
    assert 0.6 * estimate <= peak <= estimate


def test_loading_needs_no_compiler_of_torch():
    """Making networks on the meta device must not import torch._dynamo or sympy: seconds of start-up."""
    words = (
        "import sys; from models.inpaint import *; from models.inpaint.spec import build_generators;"
        "o = InpaintOptions(4, 1); load_generators(build_generators(o, is_folded=False).state_dict());"
        "load_generators(build_generators(o).state_dict());"
        "print([m for m in sys.modules if m in ('torch._dynamo', 'sympy')])"
    )
    out = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
