"""Both judges: parity in eval and over training forwards, sizes, messages."""

import copy

import pytest
import torch

from models.errors import OptionError, ShapeError
from models.inpaint import EdgeDiscriminator, FillDiscriminator
from models.inpaint.official import to_ours
from models.state import part_of


@pytest.fixture(scope="module")
def judges(parity):
    networks = {}
    for name, kind, file in (
        ("edge", EdgeDiscriminator, "EdgeModel_dis.pth"),
        ("inpaint", FillDiscriminator, "InpaintingModel_dis.pth"),
    ):
        state = to_ours(parity.official_state("edgeconnect", file, "discriminator"))
        networks[name] = kind()
        networks[name].load_state_dict(part_of(state, next(iter(state)).split(".")[0]))
        networks[name].eval()
    return networks


def judged(network, x):
    return network(*x.split(1, dim=1)) if isinstance(network, EdgeDiscriminator) else network(x)


@pytest.mark.parametrize("name", ["edge", "inpaint"])
@pytest.mark.parametrize(("h", "w"), [(48, 40), (66, 94)])
def test_judges_answer_as_published(parity, judges, name, h, w):
    case = f"{name}_discriminator/{h}x{w}"
    x = parity.array(f"edgeconnect/{case}", (1, 2 if name == "edge" else 3, h, w), 0, 1)
    with torch.no_grad():
        logits, features = judged(judges[name], x)
    torch.testing.assert_close(torch.sigmoid(logits), parity.case("edgeconnect", case), atol=5e-6, rtol=0)
    assert len(features) == 5
    assert torch.equal(features[4], logits)
    if (h, w) == (48, 40):
        for i, feature in enumerate(features, start=1):
            expected = parity.case("edgeconnect", f"{case}/feature{i}")
            torch.testing.assert_close(feature, expected, atol=5e-6, rtol=0)


def test_three_training_forwards_answer_as_published(parity, judges):
    judge = copy.deepcopy(judges["edge"]).train()
    x = parity.array("edgeconnect/edge_discriminator/train", (2, 2, 48, 40), 0, 1)
    start = "edge_discriminator/train"
    with torch.no_grad():
        for call in (1, 2, 3):
            logits, _ = judged(judge, x)
            expected = parity.case("edgeconnect", f"{start}/call{call}")
            torch.testing.assert_close(torch.sigmoid(logits), expected, atol=5e-6, rtol=0)
    u = judge.layers.conv1.parametrizations.weight[0].u
    v = judge.layers.conv3.parametrizations.weight[0].v
    torch.testing.assert_close(u, parity.case("edgeconnect", f"{start}/conv1.0.weight_u"), atol=5e-6, rtol=0)
    torch.testing.assert_close(v, parity.case("edgeconnect", f"{start}/conv3.0.weight_v"), atol=5e-6, rtol=0)


@pytest.mark.parametrize("kind", [EdgeDiscriminator, FillDiscriminator])
@pytest.mark.parametrize(("b", "h", "w"), [(1, 24, 24), (2, 33, 46)])
def test_any_size_from_24_pixels_on(kind, b, h, w):
    torch.manual_seed(0)
    judge = kind(width=2)
    x = torch.rand(b, 2 if kind is EdgeDiscriminator else 3, h, w)
    before = x.clone()
    logits, _ = judged(judge, x)
    assert logits.shape == (b, 1, h // 8 - 2, w // 8 - 2)
    assert logits.isfinite().all()
    assert torch.equal(x, before)
    logits.square().mean().backward()
    assert all(parameter.grad.any() for parameter in judge.parameters())


def test_no_judge_has_a_bias():
    names = list(FillDiscriminator(width=2).state_dict())
    assert len(names) == 15
    assert not [name for name in names if name.endswith("bias")]


def test_verdicts_leave_in_float32_under_autocast():
    judge = FillDiscriminator(width=2).eval()
    x = torch.rand(1, 3, 24, 24)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert judge(x)[0].dtype == torch.float32


def test_pictures_that_do_not_fit_are_refused():
    with pytest.raises(
        ShapeError, match=r"^edges: expected \(1, 1, 24, 24\), got \(1, 1, 24, 28\); as large as"
    ):
        EdgeDiscriminator(width=2)(torch.rand(1, 1, 24, 24), torch.rand(1, 1, 24, 28))
    expected = (
        r"^picture to judge: expected \(B, 3, H, W\) with sides of at least 24 px, got \(1, 3, 24, 20\); five"
    )
    with pytest.raises(ShapeError, match=expected):
        FillDiscriminator(width=2)(torch.rand(1, 3, 24, 20))


def test_a_width_below_one_is_refused():
    with pytest.raises(
        OptionError, match=r"^width: expected at least 1 channel, got 0; the published size is 64"
    ):
        EdgeDiscriminator(width=0)
