"""The published checkpoint: three layouts, both ways, every key once, refusals by name."""

import pytest
import torch
from torch import nn

from models.errors import StateError, UnknownNameError
from models.retarget.discriminator import MultiScaleDiscriminator
from models.retarget.network import RetargetGenerator
from models.retarget.official import (
    OFFICIAL_FILES,
    OFFICIAL_PARTS,
    from_official_files,
    network_of,
    to_official,
    to_ours,
)
from models.retarget.spectral import fold_spectral_norm
from models.state import part_of, with_prefix

FILE = "checkpoint_0075000.pth.tar"
PARTS = list(OFFICIAL_PARTS.items())


def published(parity, part: str) -> dict[str, torch.Tensor]:
    return dict(parity.official_state("ingan", FILE, part))


def make(network: str) -> nn.Module:
    torch.manual_seed(0)
    if network == "discriminator":
        return MultiScaleDiscriminator(width=4, scales=2)
    return RetargetGenerator(width=4, depth=2, downscales=2, is_spectral=True)


def small(network: str) -> dict[str, torch.Tensor]:
    """A small network in the published layout."""
    return to_official(with_prefix(make(network).state_dict(), network), network)


@pytest.mark.parametrize(("network", "part"), PARTS)
def test_every_published_key_is_consumed_and_none_invented(parity, network, part):
    state = published(parity, part)
    assert network_of(state) == network
    ours = to_ours(state)
    assert all(key.startswith(f"{network}.") for key in ours)
    kept = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    assert len(ours) == len(kept)
    assert {v.data_ptr() for v in ours.values()} == {v.data_ptr() for v in kept.values()}


@pytest.mark.parametrize(("network", "part"), PARTS)
def test_export_gives_the_published_state_back_bit_for_bit(parity, network, part):
    state = published(parity, part)
    again = to_official(to_ours(state), network)
    assert list(again) == list(state)
    assert all(torch.equal(again[key], state[key]) for key in state)
    assert all(again[key].dtype == state[key].dtype for key in state)


@pytest.mark.parametrize("network", OFFICIAL_PARTS)
def test_data_parallel_prefix_is_taken_off(network):
    state = small(network)
    ours = to_ours({f"module.{key}": value for key, value in state.items()})
    assert list(ours) == list(to_ours(state))


@pytest.mark.parametrize("network", OFFICIAL_PARTS)
def test_parametrizations_layout_gives_the_same_weights(network):
    state = small(network)
    ends = {"weight_orig": "parametrizations.weight.original"}
    ends |= {f"weight_{x}": f"parametrizations.weight.0._{x}" for x in "uv"}
    renamed = {}
    for key, value in state.items():
        layer, _, leaf = key.rpartition(".")
        renamed[f"{layer}.{ends.get(leaf, leaf)}"] = value
    ours, reference = to_ours(renamed), to_ours(state)
    assert set(ours) == set(reference)
    assert all(torch.equal(ours[key], reference[key]) for key in reference)


@pytest.mark.parametrize("network", OFFICIAL_PARTS)
def test_old_layout_keeps_the_stored_weight(network):
    """torch 0.4.1 stored the normalised weight and no v; the u on file is one iteration ahead of sigma."""
    state, expected, old = small(network), {}, {}
    for key, value in state.items():
        base = key.removesuffix("_orig")
        if key.endswith("_v"):
            continue
        old[key] = value
        if key.endswith("_orig"):
            expected[base] = old[base] = value / (0.5 + 0.1 * value.shape[1])
    loaded = make(network)
    loaded.load_state_dict(part_of(to_ours(old), network))
    folded = to_official(with_prefix(fold_spectral_norm(loaded).state_dict(), network), network)
    for base, weight in expected.items():
        torch.testing.assert_close(folded[f"{base}_orig"], weight, rtol=1e-5, atol=1e-8)


def test_folded_weights_are_exported_with_the_same_effect():
    network = fold_spectral_norm(make("generator").eval())
    official = to_official(with_prefix(network.state_dict(), "generator"), "generator")
    again = make("generator").eval()
    again.load_state_dict(part_of(to_ours(official), "generator"))
    image = torch.rand(1, 3, 16, 24)
    with torch.no_grad():
        torch.testing.assert_close(again(image), network(image), atol=1e-6, rtol=0)


def test_a_whole_file_becomes_one_house_state(parity):
    """Optimisers, schedules and the path that stands for an iteration are left out."""
    content = {"G": published(parity, "G"), "D": published(parity, "D")}
    content |= {"optim_G": {"state": {}}, "sched_G": {"lr_lambdas": [{}]}, "loss": {}, "iter": "/a/path"}
    house = from_official_files({FILE: content})
    assert {key.split(".")[0] for key in house} == set(OFFICIAL_PARTS)
    assert len(house) == 202 + 252
    assert set(OFFICIAL_FILES) == {FILE}


def test_a_generator_alone_and_bare_states_are_recognised():
    assert set(from_official_files({"a.pth": {"G": small("generator")}})) == set(to_ours(small("generator")))
    house = from_official_files({"a.pth": small("generator"), "b.pth": small("discriminator")})
    assert {key.split(".")[0] for key in house} == {"generator", "discriminator"}


def test_the_same_network_twice_is_refused():
    files = {name: {"G": small("generator")} for name in ("a.pth", "b.pth")}
    words = r"^b.pth: .* 1 unexpected \(generator\); a.pth holds it already; import one"
    with pytest.raises(StateError, match=words):
        from_official_files(files)


def test_files_and_states_of_another_system_are_refused():
    with pytest.raises(
        StateError, match=r"^x.pth: .* 2 missing \(G, D\); this is no file of the InGAN release"
    ):
        from_official_files({"x.pth": {"iter": "/a/path"}})
    words = r"^official weights: .* 2 missing \(entry_block.1.weight_orig, nets.0.0.weight_orig\); this is no"
    with pytest.raises(StateError, match=words):
        to_ours({"layer.weight": torch.zeros(3)})


VICTIMS = {
    "generator": (
        "bottleneck_block.1.conv_block.4.weight_u",
        "blocks.1.look.conv.parametrizations.weight.0.u",
    ),
    "discriminator": ("nets.1.4.running_var", "judges.1.layers.1.norm.running_var"),
}


@pytest.mark.parametrize("network", OFFICIAL_PARTS)
def test_missing_extra_and_misshapen_tensors_are_refused_by_name(network):
    state = small(network)
    victim, name = VICTIMS[network]
    name = name.replace(".", r"\.")
    with pytest.raises(StateError, match=rf"^official weights of {network}: .* 1 missing \({name}\)"):
        to_ours({key: value for key, value in state.items() if key != victim})
    with pytest.raises(StateError, match=r"1 unexpected \(final_block\.9\.weight\)"):
        to_ours(state | {"final_block.9.weight": torch.zeros(1)})
    with pytest.raises(StateError, match=rf"1 misshapen \({name} \(7,\) instead of"):
        to_ours(state | {victim: torch.zeros(7)})


def test_an_old_weight_of_another_shape_is_refused():
    state = {key: value for key, value in small("generator").items() if key != "entry_block.1.weight_v"}
    words = r"1 misshapen \(entry_block\.1\.weight \(2,\) instead of \(4, 3, 7, 7\)\)"
    with pytest.raises(StateError, match=words):
        to_ours(state | {"entry_block.1.weight": torch.zeros(2)})


def test_export_of_an_unknown_absent_or_headless_network_is_refused():
    words = r"^unknown network 'generators'; known: discriminator, generator \(did you mean 'generator'"
    with pytest.raises(UnknownNameError, match=words):
        to_official({}, "generators")
    words = r"^weights of generator: .* 1 missing \(generator\.\*\); these weights lack this network"
    with pytest.raises(StateError, match=words):
        to_official({}, "generator")
    with pytest.raises(StateError, match=r"^weights of generator: .* 1 missing \(entry.conv.weight\)"):
        to_official({"generator.head.bias": torch.zeros(3)}, "generator")
