"""Names under which feature networks are found in files."""

import pytest
import torch

from models.errors import StateError
from models.features import SqueezeNetFeatures, Vgg19Features, features_from_state

VGG_INDEX = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)
VGG_OURS = [f"conv{s}_{n}" for s, count in enumerate((2, 2, 4, 4, 4), start=1) for n in range(1, count + 1)]
FIRES = (3, 4, 6, 7, 9, 10, 11, 12)


def vgg_state(names: list[str]) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    state = {}
    for i, name in enumerate(names):
        state[f"{name}.weight"] = torch.randn((2, 2 if i else 3, 3, 3), generator=generator)
        state[f"{name}.bias"] = torch.zeros(2)
    return state


def squeezenet_state(stem: str, fire: str, parts: tuple[str, str, str]) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    state = {f"{stem}.weight": torch.randn((4, 3, 3, 3), generator=generator), f"{stem}.bias": torch.zeros(4)}
    for n, index in enumerate(FIRES, start=1):
        for part, before, side in zip(parts, (4, 2, 2), (1, 1, 3), strict=True):
            name = f"{fire.format(n=n, index=index)}.{part}"
            state[f"{name}.weight"] = torch.randn((2, before, side, side), generator=generator)
            state[f"{name}.bias"] = torch.zeros(2)
    return state


VGG_LAYOUTS = {
    "torchvision": [f"features.{i}" for i in VGG_INDEX],
    "bare": [f"{i}" for i in VGG_INDEX],
    "data_parallel": [f"module.features.{i}" for i in VGG_INDEX],
    "ours": VGG_OURS,
}
SQUEEZENET_LAYOUTS = {
    "torchvision": ("features.0", "features.{index}", ("squeeze", "expand1x1", "expand3x3")),
    "compact": ("f.0", "f.{index}", ("sq", "e1", "e3")),
    "ours": ("stem", "fire{n}", ("squeeze", "expand1", "expand3")),
}


@pytest.mark.parametrize("layout", VGG_LAYOUTS)
def test_vgg19_is_known_under_every_name(layout):
    network = features_from_state(vgg_state(VGG_LAYOUTS[layout]))
    assert isinstance(network, Vgg19Features)
    reference = Vgg19Features(vgg_state(VGG_OURS))
    image = torch.rand(1, 3, 32, 32)
    assert torch.equal(network.embed(image), reference.embed(image))


@pytest.mark.parametrize("layout", SQUEEZENET_LAYOUTS)
def test_squeezenet_is_known_under_every_name(layout):
    network = features_from_state(squeezenet_state(*SQUEEZENET_LAYOUTS[layout]))
    reference = SqueezeNetFeatures(squeezenet_state(*SQUEEZENET_LAYOUTS["ours"]))
    image = torch.rand(1, 3, 32, 32)
    assert torch.equal(network.embed(image), reference.embed(image))


def test_classifiers_are_left_out():
    state = vgg_state(VGG_LAYOUTS["torchvision"]) | {"classifier.0.weight": torch.zeros(3, 3)}
    assert isinstance(features_from_state(state), Vgg19Features)


def test_half_precision_files_become_float32():
    state = {key: value.half() for key, value in vgg_state(VGG_OURS).items()}
    assert features_from_state(state)(torch.rand(1, 3, 16, 16))["relu5_2"].dtype == torch.float32


def test_an_extra_tensor_is_refused_by_name():
    state = vgg_state(VGG_LAYOUTS["torchvision"]) | {"features.1.weight": torch.zeros(2)}
    with pytest.raises(StateError, match=r"1 unexpected \(features.1.weight\)"):
        features_from_state(state)
    state = squeezenet_state(*SQUEEZENET_LAYOUTS["compact"]) | {"f.5.sq.weight": torch.zeros(2)}
    with pytest.raises(StateError, match=r"1 unexpected \(f.5.sq.weight\)"):
        features_from_state(state)


def test_another_network_is_refused():
    expected = (
        r"^features: expected every tensor .* 1 unexpected \(layer1.weight\); known are VGG-19 and SqueezeNet"
    )
    with pytest.raises(StateError, match=expected):
        features_from_state({"layer1.weight": torch.zeros(1)})
