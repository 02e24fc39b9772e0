"""Every registered family: its generators run, load, and say their sizes truly."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from models.errors import UnknownFamilyError
from models.registry import FAMILIES, family_names, family_spec
from models.spec import FamilySpec, NetworkSpec

SMALL = {
    "inpaint": {"width": 4, "depth": 1},
    "retarget": {"width": 4, "depth": 1},
}
"""Options of a small row of every family; a new family adds its own line."""

ARGUMENTS = {
    "inpaint": {
        "edges": lambda planes: planes.split(1, dim=1),
        "fill": lambda planes: (planes[:, :3], planes[:, 3:]),
    },
    "retarget": {"generator": lambda planes: (planes,)},
}
"""What each generator is called with, out of everything it is given together; likewise."""


@pytest.fixture(params=family_names())
def spec(request) -> FamilySpec:
    return family_spec(request.param)


def small_options(spec: FamilySpec):
    return spec.options_type(**SMALL[spec.name])


def answer(
    spec: FamilySpec, network: nn.Module, facts: NetworkSpec, size_hw: tuple[int, int]
) -> torch.Tensor:
    """Run a generator on random planes."""
    planes = torch.rand(1, facts.in_channels, *size_hw)
    with torch.no_grad():
        return network(*ARGUMENTS[spec.name][facts.name](planes))


def test_every_network_runs_without_nan_at_its_smallest_size(spec):
    networks = spec.build(small_options(spec))
    assert set(networks) == set(spec.networks)
    for name, facts in spec.networks.items():
        side = facts.min_side_px
        assert facts.name == name
        assert side % facts.size_multiple == 0
        for size_hw in ((side, side), (side, side + 3 * facts.size_multiple)):
            out = answer(spec, networks[name], facts, size_hw)
            assert out.shape == (1, facts.out_channels, *size_hw)
            assert out.isfinite().all()


def test_every_network_loads_what_it_saved(spec):
    options = small_options(spec)
    networks = spec.build(options)
    again = spec.load(networks.state_dict())
    assert spec.options_from_state(networks.state_dict()) == options
    for name, facts in spec.networks.items():
        torch.manual_seed(0)
        one = answer(spec, networks[name], facts, (32, 24))
        torch.manual_seed(0)
        assert torch.equal(one, answer(spec, again[name], facts, (32, 24)))


def test_networks_with_frame_statistics_say_so(spec):
    """What happens in one corner must not be seen in the other, unless the spec warns of it."""
    networks = spec.build(small_options(spec))
    for name, facts in spec.networks.items():
        torch.manual_seed(1)
        one = answer(spec, networks[name], facts, (256, 256))
        x = torch.rand(1)  # keeps the stream apart from the first
        del x
        torch.manual_seed(1)
        planes = torch.rand(1, facts.in_channels, 256, 256)
        planes[..., :16, :16] = 0
        with torch.no_grad():
            other = networks[name](*ARGUMENTS[spec.name][name](planes))
        is_seen = not torch.equal(one[..., -8:, -8:], other[..., -8:, -8:])
        assert is_seen == facts.has_frame_statistics


def test_networks_come_in_eval_mode_and_float32(spec):
    for network in (spec.build(small_options(spec)), spec.load(spec.build(small_options(spec)).state_dict())):
        assert not any(module.training for module in network.modules())
        assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_options_hold_the_official_and_the_starter_row(spec):
    assert {"official", "starter"} <= set(spec.options)
    assert all(isinstance(row, spec.options_type) for row in spec.options.values())


def test_memory_estimate_grows_with_pixels_and_bytes(spec):
    options = small_options(spec)
    one = spec.activation_bytes(options, (64, 48), 2)
    assert one > 0
    assert spec.activation_bytes(options, (128, 96), 2) == pytest.approx(4 * one)
    assert spec.activation_bytes(options, (64, 48), 4) == pytest.approx(2 * one)


def test_objectives_start_from_the_generators_alone(spec):
    options = small_options(spec)
    objective = spec.make_objective(options=options)
    absent = objective.load_house_state(spec.build(options).state_dict())
    assert set(objective.ema_networks()) == set(spec.networks)
    assert not set(absent) & set(spec.networks)
    assert set(spec.load(objective.house_state())) == set(spec.networks)


def test_hyphens_and_underscores_name_the_same_family():
    for name in FAMILIES:
        assert family_spec(name.replace("_", "-")) is family_spec(name)


def test_an_unknown_family_is_refused_with_a_guess():
    with pytest.raises(
        UnknownFamilyError, match=r"^unknown family 'inpant'; known: .*\(did you mean 'inpaint'\?\)$"
    ):
        family_spec("inpant")


def test_families_are_imported_late():
    words = "import sys, models.registry; print([m for m in sys.modules if m.startswith('models.inpaint')])"
    out = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
