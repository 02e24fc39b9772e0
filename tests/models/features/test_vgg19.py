"""VGG-19: published numbers, taps, sizes."""

import pytest
import torch

from models.errors import ShapeError, StateError
from models.features import Vgg19Features, features_from_state


@pytest.fixture(scope="module")
def published(parity):
    return features_from_state(parity.official_state("edgeconnect", "vgg19.pth"))


def small_state() -> dict[str, torch.Tensor]:
    """The same network with 2 to 6 channels."""
    generator = torch.Generator().manual_seed(0)
    state, before = {}, 3
    for scale, (count, channels) in enumerate(zip((2, 2, 4, 4, 4), (2, 3, 4, 5, 6), strict=True), start=1):
        for n in range(1, count + 1):
            weight = torch.randn((channels, before, 3, 3), generator=generator)
            state[f"conv{scale}_{n}.weight"] = weight * (2 / (9 * before)) ** 0.5
            state[f"conv{scale}_{n}.bias"] = torch.zeros(channels)
            before = channels
    return state


def test_answers_are_the_published_ones(parity, published):
    picture = parity.array("edgeconnect/loss/picture_a", (2, 3, 48, 40), 0, 1)
    with torch.no_grad():
        answers = published(picture)
    for name in ("relu1_1", "relu3_4", "relu5_2"):
        for word, value in (("mean", answers[name].mean()), ("std", answers[name].std())):
            expected = parity.case("edgeconnect", f"loss/vgg/{name}_{word}")
            torch.testing.assert_close(value, expected, rtol=1e-4, atol=0)
    expected = parity.case("edgeconnect", "loss/vgg/relu5_1")
    torch.testing.assert_close(
        answers["relu5_1"], expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max())
    )


def test_every_tap_is_answered():
    network = Vgg19Features(small_state())
    answers = network(torch.rand(1, 3, 20, 33))
    assert set(network.perceptual_taps) | set(network.style_taps) <= set(answers)
    assert answers["relu1_1"].shape == (1, 2, 20, 33)
    assert answers["relu5_2"].shape == (1, 6, 1, 2)


def test_numbers_are_neither_trained_nor_saved():
    network = Vgg19Features(small_state())
    assert not list(network.parameters())
    assert not network.state_dict()


def test_gradient_reaches_the_picture():
    image = torch.rand(1, 3, 16, 16, requires_grad=True)
    sum(answer.sum() for answer in Vgg19Features(small_state())(image).values()).backward()
    assert image.grad.any()


def test_embedding_is_one_vector_a_picture():
    network = Vgg19Features(small_state())
    images = torch.rand(2, 3, 40, 24)
    vectors = network.embed(images)
    assert vectors.shape == (2, 6)
    torch.testing.assert_close(vectors[1:], network.embed(images[1:]))


def test_what_is_no_picture_is_refused():
    expected = r"^image: expected \(B, 3, H, W\) with sides of at least 16 px, got \(1, 3, 15, 20\); VGG-19"
    with pytest.raises(ShapeError, match=expected):
        Vgg19Features(small_state())(torch.rand(1, 3, 15, 20))


def test_a_missing_layer_is_refused_by_name():
    state = small_state()
    del state["conv3_2.bias"]
    with pytest.raises(
        StateError, match=r"^VGG-19 features: expected every tensor .* 1 missing \(conv3_2.bias\)"
    ):
        Vgg19Features(state)
