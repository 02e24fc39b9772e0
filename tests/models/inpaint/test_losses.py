"""Every loss term: published numbers, and values worked out by hand."""

import math

import pytest
import torch

from models.errors import UnknownNameError
from models.features import features_from_state
from models.inpaint.losses import (
    adversarial_loss,
    discriminator_loss,
    edge_cross_entropy,
    feature_matching_loss,
    generator_loss,
    gram,
    l1_over_hole,
    perceptual_loss,
    style_loss,
)

SHAPES = {
    "relu1_1": (2, 8, 12, 10),
    "relu2_1": (2, 12, 6, 5),
    "relu2_2": (2, 12, 6, 5),
    "relu3_1": (2, 16, 4, 4),
    "relu3_4": (2, 16, 4, 4),
    "relu4_1": (2, 20, 3, 2),
    "relu4_4": (2, 20, 3, 2),
    "relu5_1": (2, 20, 2, 2),
    "relu5_2": (2, 20, 2, 2),
}
PERCEPTUAL = [f"relu{i}_1" for i in range(1, 6)]
STYLE = ["relu2_2", "relu3_4", "relu4_4", "relu5_2"]


@pytest.fixture
def features(parity):
    return [
        {
            name: parity.array(f"edgeconnect/loss/features_{side}/{name}", shape, 0, 2)
            for name, shape in SHAPES.items()
        }
        for side in "xy"
    ]


@pytest.fixture(scope="module")
def vgg(parity):
    return features_from_state(parity.official_state("edgeconnect", "vgg19.pth"))


@pytest.fixture
def pictures(parity):
    a, b = (parity.array(f"edgeconnect/loss/picture_{side}", (2, 3, 48, 40), 0, 1) for side in "ab")
    hole = torch.zeros(2, 1, 48, 40)
    hole[0, :, 8:30, 5:25] = 1
    hole[1, :, 20:40, 10:38] = 1
    return a, b, hole


@pytest.mark.parametrize("kind", ["nsgan", "lsgan", "hinge"])
@pytest.mark.parametrize("is_real", [True, False])
@pytest.mark.parametrize("is_discriminator", [True, False])
def test_adversarial_terms_are_the_published_ones(parity, kind, is_real, is_discriminator):
    """Theirs take the sigmoid's answer, except hinge; ours always take logits."""
    scores = parity.array("edgeconnect/loss/scores", (2, 1, 6, 7), 0.02, 0.98)
    logits = 4 * scores - 2 if kind == "hinge" else torch.logit(scores)
    loss = adversarial_loss(logits, is_real=is_real, is_discriminator=is_discriminator, kind=kind)
    expected = parity.case("edgeconnect", f"loss/{kind}/real{int(is_real)}_disc{int(is_discriminator)}")
    torch.testing.assert_close(loss, expected, atol=1e-6, rtol=0)


def test_terms_on_given_features_are_the_published_ones(parity, features):
    x, y = features
    for name, loss in {
        "perceptual": perceptual_loss(x, y, PERCEPTUAL),
        "style": style_loss(x, y, STYLE),
        "gram_relu2_2": gram(x["relu2_2"]),
        "feature_matching": 10
        * feature_matching_loss([x[n] for n in PERCEPTUAL], [y[n] for n in PERCEPTUAL]),
    }.items():
        torch.testing.assert_close(loss, parity.case("edgeconnect", f"loss/{name}"), rtol=1e-5, atol=1e-8)


def test_terms_through_vgg19_are_the_published_ones(parity, vgg, pictures):
    a, b, hole = pictures
    perceptual = perceptual_loss(vgg(a), vgg(b), vgg.perceptual_taps)
    style = style_loss(vgg(a * hole), vgg(b * hole), vgg.style_taps)
    torch.testing.assert_close(
        perceptual, parity.case("edgeconnect", "loss/perceptual_vgg"), rtol=1e-4, atol=0
    )
    torch.testing.assert_close(style, parity.case("edgeconnect", "loss/style_vgg"), rtol=1e-4, atol=0)


def test_l1_is_divided_by_the_share_of_the_hole(parity, pictures):
    a, b, hole = pictures
    loss = l1_over_hole(a, b, hole.mean())
    torch.testing.assert_close(loss, parity.case("edgeconnect", "loss/l1_over_mask"), atol=1e-6, rtol=0)


def test_edge_cross_entropy_looks_into_the_hole_alone():
    """Half-sure inside the hole costs log 2; what stands around it costs nothing."""
    edges, hole = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    edges[..., 1, 1], hole[..., 1:3, 1:3] = 1, 1
    predicted = torch.where(hole > 0, 0.5, 1.0)
    loss = edge_cross_entropy(predicted, edges, hole, hole.mean())
    assert loss.item() == pytest.approx(math.log(2))
    assert edge_cross_entropy(edges, edges, hole, hole.mean()).item() == 0


def test_a_judge_without_opinion_costs_log_two():
    zeros = torch.zeros(3, 1, 2, 2)
    log_two = torch.tensor(2.0).log()
    torch.testing.assert_close(discriminator_loss(zeros, zeros), log_two)
    torch.testing.assert_close(generator_loss(zeros), log_two)


def test_adversarial_terms_survive_sure_judges():
    """A sigmoid would round to 0 and 1 here, and its logarithm to infinity."""
    sure = torch.tensor([200.0, -200.0], requires_grad=True)
    loss = adversarial_loss(sure, is_real=True, is_discriminator=False)
    torch.testing.assert_close(loss, torch.tensor(100.0))
    loss.backward()
    assert sure.grad.isfinite().all()


@pytest.mark.parametrize("kind", ["nsgan", "lsgan", "hinge"])
def test_terms_in_bf16_are_computed_in_float32(kind):
    logits = torch.linspace(-2, 2, 9).bfloat16()
    loss = adversarial_loss(logits, is_real=True, is_discriminator=True, kind=kind)
    assert loss.dtype == torch.float32
    exact = adversarial_loss(logits.float(), is_real=True, is_discriminator=True, kind=kind)
    assert torch.equal(loss, exact)


def test_gram_stays_float32_under_autocast():
    x = torch.rand(1, 3, 4, 5)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(
            gram(x), torch.einsum("bchw,bdhw->bcd", x, x).float() / 60, atol=3e-3, rtol=0
        )
        assert torch.equal(gram(x), gram(x.clone()))
    rows = x.flatten(2)
    with torch.autocast("cpu", torch.bfloat16):
        fast = gram(x)
    torch.testing.assert_close(fast, rows @ rows.transpose(1, 2) / 60)


def test_matching_gives_no_gradient_to_the_real_side():
    fake, real = torch.rand(2, 3, requires_grad=True), torch.rand(2, 3, requires_grad=True)
    feature_matching_loss([fake], [real]).backward()
    assert fake.grad is not None
    assert real.grad is None


def test_an_unknown_kind_is_refused_with_a_guess():
    expected = r"^unknown adversarial loss 'nsgna'; known: hinge, lsgan, nsgan \(did you mean 'nsgan'\?\)$"
    with pytest.raises(UnknownNameError, match=expected):
        adversarial_loss(torch.zeros(1), is_real=True, is_discriminator=True, kind="nsgna")
