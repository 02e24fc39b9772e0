"""Published checkpoints: three layouts, both ways, every key once, refusals by name."""

import pytest
import torch
from torch import nn

from models.errors import StateError, UnknownNameError
from models.inpaint import (
    EdgeDiscriminator,
    EdgeGenerator,
    FillGenerator,
    fold_spectral_norm,
    load_generators,
)
from models.inpaint.official import (
    OFFICIAL_FILES,
    OFFICIAL_PARTS,
    from_official_files,
    network_of,
    to_official,
    to_ours,
)
from models.state import part_of, with_prefix

FILES = list(OFFICIAL_FILES.items())


@pytest.fixture
def published(parity):
    def state_of(file: str) -> dict[str, torch.Tensor]:
        return dict(parity.official_state("edgeconnect", file, OFFICIAL_PARTS[OFFICIAL_FILES[file]]))

    return state_of


def small(network: str) -> dict[str, torch.Tensor]:
    """A small network in the published layout."""
    torch.manual_seed(0)
    kinds = {
        "edges": lambda: EdgeGenerator(width=4, depth=2, is_spectral=True),
        "fill": lambda: FillGenerator(width=4, depth=2),
        "edges_discriminator": lambda: EdgeDiscriminator(width=4),
    }
    return to_official(with_prefix(kinds[network]().state_dict(), network), network)


@pytest.mark.parametrize(("file", "network"), FILES)
def test_every_published_key_is_consumed_and_none_invented(parity, published, file, network):
    state = published(file)
    assert network_of(state) == network
    ours = to_ours(state)
    assert all(key.startswith(f"{network}.") for key in ours)
    copies = sum(key.startswith("features.") for key in state)
    assert len(ours) == len(state) - copies
    assert {value.data_ptr() for value in ours.values()} == {
        value.data_ptr() for key, value in state.items() if not key.startswith("features.")
    }


@pytest.mark.parametrize(("file", "network"), FILES)
def test_export_gives_the_published_state_back_bit_for_bit(published, file, network):
    state = published(file)
    again = to_official(to_ours(state), network)
    assert list(again) == list(state)
    assert all(torch.equal(again[key], state[key]) for key in state)


def test_data_parallel_prefix_is_taken_off():
    state = small("edges")
    ours = to_ours({f"module.{key}": value for key, value in state.items()})
    assert list(ours) == list(to_ours(state))


def test_parametrizations_layout_gives_the_same_weights():
    state = small("edges_discriminator")
    ends = {"weight_orig": "parametrizations.weight.original"}
    ends |= {f"weight_{x}": f"parametrizations.weight.0._{x}" for x in "uv"}
    renamed = {
        f"{key.rpartition('.')[0]}.{ends[key.rpartition('.')[2]]}": value for key, value in state.items()
    }
    ours = to_ours(renamed)
    reference = to_ours(state)
    assert set(ours) == set(reference)
    assert all(torch.equal(ours[key], reference[key]) for key in reference)


@pytest.mark.parametrize("network", ["edges", "edges_discriminator"])
def test_old_layout_keeps_the_stored_weight(network):
    """torch 0.4.1 stored the normalised weight and no v; the u on file is one iteration ahead of sigma."""
    state = small(network)
    expected, old = {}, {}
    for key, value in state.items():
        base = key.removesuffix("_orig")
        if key.endswith("_v"):
            continue
        old[key] = value
        if key.endswith("_orig"):
            expected[base] = old[base] = value / (0.5 + 0.1 * value.shape[1])
    ours = to_ours(old)
    kinds = {"edges": lambda: EdgeGenerator(width=4, depth=2, is_spectral=True), "edges_discriminator": None}
    judge = EdgeDiscriminator(width=4)
    loaded = judge if kinds[network] is None else kinds[network]()
    loaded.load_state_dict(part_of(ours, network))
    folded = to_official_names(fold_spectral_norm(loaded.eval()), network)
    for key, weight in folded.items():
        torch.testing.assert_close(weight, expected[key], rtol=1e-5, atol=1e-7)


def to_official_names(folded: nn.Module, network: str) -> dict[str, torch.Tensor]:
    """The folded weights of spectral layers under their published names."""
    pairs = {"encoder.stem": "encoder.1", "encoder.down1": "encoder.4", "encoder.down2": "encoder.7"}
    pairs |= {"decoder.up1": "decoder.0", "decoder.up2": "decoder.3"}
    pairs |= {
        f"blocks.{i}.{ours}": f"middle.{i}.conv_block.{n}"
        for i in (0, 1)
        for ours, n in (("wide", 1), ("near", 5))
    }
    if network.endswith("discriminator"):
        pairs = {f"layers.conv{i}": f"conv{i}.0" for i in range(1, 6)}
    weights = {
        f"{name}.weight": module.weight.detach() for name, module in folded.named_modules() if name in pairs
    }
    return {f"{pairs[key.removesuffix('.weight')]}.weight": value for key, value in weights.items()}


def test_folded_weights_are_exported_with_the_same_effect():
    torch.manual_seed(0)
    network = fold_spectral_norm(EdgeGenerator(width=4, depth=1, is_spectral=True).eval())
    official = to_official(with_prefix(network.state_dict(), "edges"), "edges")
    again = load_generators(to_ours(official) | to_ours(small_fill_of_depth_one()))["edges"]
    inputs = [torch.rand(1, 1, 16, 16) for _ in range(3)]
    with torch.no_grad():
        torch.testing.assert_close(again(*inputs), network(*inputs), atol=1e-6, rtol=0)


def small_fill_of_depth_one() -> dict[str, torch.Tensor]:
    return to_official(with_prefix(FillGenerator(width=4, depth=1).state_dict(), "fill"), "fill")


def test_whole_files_become_one_house_state(parity):
    files = {file: parity.official_file("edgeconnect", file) for file in OFFICIAL_FILES}
    files["EdgeModel_gen.pth"]["iteration"] = 2000000
    house = from_official_files(files)
    assert {key.split(".")[0] for key in house} == set(OFFICIAL_PARTS)
    assert len(house) == 70 + 44 + 15 + 15


def test_a_renamed_file_and_a_bare_state_are_recognised():
    house = from_official_files({"my edges.pth": {"generator": small("edges")}, "b.pth": small("fill")})
    assert {key.split(".")[0] for key in house} == {"edges", "fill"}


def test_the_same_network_twice_is_refused():
    files = {name: {"generator": small("fill")} for name in ("a.pth", "b.pth")}
    with pytest.raises(
        StateError, match=r"^b.pth: .* 1 unexpected \(fill\); a.pth holds it already; import one"
    ):
        from_official_files(files)


def test_a_file_without_a_network_is_refused():
    with pytest.raises(
        StateError, match=r"^x.pth: .* 2 missing \(discriminator, generator\); this is no file of"
    ):
        from_official_files({"x.pth": {"iteration": 3}})


def test_a_state_of_another_system_is_refused():
    expected = (
        r"^official weights: .* missing \(decoder.7.weight, conv1.0.weight_orig\); this is no network of the"
    )
    with pytest.raises(StateError, match=expected):
        to_ours({"layer.weight": torch.zeros(3)})


@pytest.mark.parametrize("network", ["edges", "fill", "edges_discriminator"])
def test_missing_extra_and_misshapen_tensors_are_refused_by_name(network):
    state = small(network)
    victim = {"edges": "middle.1.conv_block.5.weight_u", "fill": "encoder.4.bias"}.get(
        network, "conv3.0.weight_v"
    )
    ours = {"edges": "blocks.1.near.parametrizations.weight.0.u", "fill": "encoder.down1.bias"}
    name = ours.get(network, "layers.conv3.parametrizations.weight.0.v").replace(".", r"\.")

    with pytest.raises(StateError, match=rf"^official weights of {network}: .* 1 missing \({name}\)"):
        to_ours({key: value for key, value in state.items() if key != victim})
    with pytest.raises(StateError, match=r"1 unexpected \(decoder\.9\.weight\)"):
        to_ours(state | {"decoder.9.weight": torch.zeros(1)})
    with pytest.raises(StateError, match=rf"1 misshapen \({name} \(7,\) instead of"):
        to_ours(state | {victim: torch.zeros(7)})


def test_a_twin_that_differs_is_refused():
    state = small("edges_discriminator")
    state["features.0.weight_u"] = state["features.0.weight_u"] + 1
    with pytest.raises(
        StateError, match=r"1 unexpected \(features\.0\.weight_u\); it must repeat conv1\.0\.\*"
    ):
        to_ours(state)


def test_a_judge_without_its_twin_is_accepted():
    state = small("edges_discriminator")
    lean = {key: value for key, value in state.items() if not key.startswith("features.")}
    assert list(to_official(to_ours(lean), "edges_discriminator")) == list(state)


def test_an_old_weight_of_another_shape_is_refused():
    state = {key: value for key, value in small("edges").items() if key != "encoder.1.weight_v"}
    expected = r"1 misshapen \(encoder\.1\.weight \(2,\) instead of \(4, 3, 7, 7\)\)"
    with pytest.raises(StateError, match=expected):
        to_ours(state | {"encoder.1.weight": torch.zeros(2)})


def test_export_of_an_unknown_or_absent_network_is_refused():
    with pytest.raises(
        UnknownNameError, match=r"^unknown network 'edge'; known: edges, .* \(did you mean 'edges'"
    ):
        to_official({}, "edge")
    with pytest.raises(
        StateError, match=r"^weights of fill: .* 1 missing \(fill\.\*\); these weights lack this"
    ):
        to_official({}, "fill")
