"""SqueezeNet: against a plain module of the published layout, taps, sizes."""

from collections import OrderedDict

import pytest
import torch
from torch import nn

from models.errors import ShapeError, StateError
from models.features import features_from_state

SQUEEZE, EXPAND = (2, 2, 3, 3, 4, 4, 5, 5), (3, 3, 4, 4, 5, 5, 6, 6)
TYPICAL = (0.39, 0.92, 1.9, 4.2, 6.6, 10.4, 12.9, 7.7, 1.8)
INDEX = (3, 4, 6, 7, 9, 10, 11, 12)


class PlainFire(nn.Module):
    def __init__(self, before: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(before, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.squeeze(x).relu()
        return torch.cat([self.expand1x1(x).relu(), self.expand3x3(x).relu()], 1)


def plain_network() -> nn.Sequential:
    """The published order of layers, numbered as there, with few channels."""
    torch.manual_seed(0)
    layers = OrderedDict({"0": nn.Conv2d(3, 4, 3, stride=2), "1": nn.ReLU()})
    before = 4
    for index, squeeze, expand in zip(INDEX, SQUEEZE, EXPAND, strict=True):
        if index in (3, 6, 9):
            layers[str(index - 1)] = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        layers[str(index)] = PlainFire(before, squeeze, expand)
        before = 2 * expand
    return nn.Sequential(layers)


def torchvision_state() -> dict[str, torch.Tensor]:
    return {f"features.{key}": value for key, value in plain_network().state_dict().items()}


@pytest.mark.parametrize(("h", "w"), [(24, 24), (47, 66), (64, 41)])
def test_answers_equal_the_plain_network(h, w):
    network, plain = features_from_state(torchvision_state()), plain_network()
    image = torch.rand(2, 3, h, w)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    with torch.no_grad():
        answers = network(image)
        x = (image - mean) / deviation
        for index, layer in plain.named_children():
            x = layer(x)
            if int(index) in INDEX:
                n = INDEX.index(int(index)) + 1
                torch.testing.assert_close(answers[f"fire{n}"] * TYPICAL[n], x)
            if index == "1":
                torch.testing.assert_close(answers["stem"] * TYPICAL[0], x)
        torch.testing.assert_close(network.embed(image), x.mean((2, 3)))


def test_every_tap_is_answered_once():
    network = features_from_state(torchvision_state())
    answers = network(torch.rand(1, 3, 32, 32))
    assert set(network.perceptual_taps) | set(network.style_taps) == set(answers)


def test_numbers_are_neither_trained_nor_saved():
    network = features_from_state(torchvision_state())
    assert not list(network.parameters())
    assert not network.state_dict()


def test_gradient_reaches_the_picture_and_not_the_input_itself():
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    before = image.detach().clone()
    sum(answer.sum() for answer in features_from_state(torchvision_state())(image).values()).backward()
    assert image.grad.any()
    assert torch.equal(image.detach(), before)


def test_what_is_no_picture_is_refused():
    expected = (
        r"^image: expected \(B, 3, H, W\) with sides of at least 24 px, got \(1, 1, 32, 32\); SqueezeNet"
    )
    with pytest.raises(ShapeError, match=expected):
        features_from_state(torchvision_state())(torch.rand(1, 1, 32, 32))


def test_a_misshapen_layer_is_refused_by_name():
    state = torchvision_state() | {"features.6.squeeze.weight": torch.zeros(3, 7, 1, 1)}
    expected = r"1 misshapen \(fire3.squeeze.weight \(3, 7, 1, 1\) instead of \(3, 6, 1, 1\)\)"
    with pytest.raises(StateError, match=expected):
        features_from_state(state)
