"""The judges: published verdicts and weights, sizes, how many scales are asked, messages."""

import pytest
import torch

from models.errors import OptionError, ShapeError
from models.retarget.discriminator import MultiScaleDiscriminator, scale_count, scale_weights

SIZES = [(96, 96), (64, 72), (40, 56)]


def picture(parity, h: int, w: int) -> torch.Tensor:
    return (parity.array(f"ingan/discriminator/{h}x{w}", (1, 3, h, w)) + 1) / 2


@pytest.mark.parametrize(("h", "w"), SIZES)
@pytest.mark.parametrize("iteration", [0, 25000])
def test_judges_answer_as_published(parity, fresh_judges, h, w, iteration):
    judges = fresh_judges()
    with torch.no_grad():
        verdict = judges(picture(parity, h, w), scale_weights(iteration, (h, w)))
    expected = parity.case("ingan", f"discriminator/{h}x{w}/iteration{iteration}")
    torch.testing.assert_close(verdict, expected, atol=5e-5, rtol=0)
    if (h, w) == (40, 56):
        u = judges.judges[2].layers[1].conv.parametrizations.weight[0].u
        expected = parity.case("ingan", "discriminator/after/nets.2.3.weight_u")
        torch.testing.assert_close(u, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("scale", [0, 3])
def test_one_judge_alone_answers_as_published(parity, fresh_judges, scale):
    x = parity.array("ingan/discriminator/single", (2, 3, 24, 30))
    with torch.no_grad():
        verdict = fresh_judges().judges[scale](x)
    expected = parity.case("ingan", f"discriminator/single{scale}")
    torch.testing.assert_close(verdict, expected, atol=5e-5, rtol=0)


def test_running_statistics_are_carried_as_published(parity, fresh_judges, use_running_statistics):
    with torch.no_grad():
        verdict = fresh_judges().eval()(picture(parity, 64, 72), scale_weights(10000, (64, 72)))
    torch.testing.assert_close(verdict, parity.case("ingan", "discriminator/eval"), atol=1e-6, rtol=0)


@pytest.mark.parametrize("iteration", [0, 5000, 10000, 25000, 50000, 75000])
@pytest.mark.parametrize(("h", "w"), [(40, 256), (64, 72), (256, 256), (576, 400)])
def test_scales_are_weighed_as_published(parity, iteration, h, w):
    expected = parity.case("ingan", f"scale_weights/{iteration}/{h}x{w}")
    weights = torch.tensor(scale_weights(iteration, (h, w)))
    torch.testing.assert_close(weights, expected, atol=1e-6, rtol=0)
    assert sum(scale_weights(iteration, (h, w))) == pytest.approx(1)


@pytest.mark.parametrize(("crop_px", "count"), [(16, 1), (64, 5), (128, 7), (192, 8), (256, 9), (512, 11)])
def test_crops_have_the_published_number_of_judges(crop_px, count):
    assert scale_count(crop_px) == count


def test_larger_fakes_ask_for_more_judges_than_there_are():
    """Then the verdict cannot reach 1: published, and kept."""
    weights = scale_weights(0, (576, 576))
    assert len(weights) == 12
    assert sum(weights[:9]) == pytest.approx(0.353, abs=1e-3)
    judges = MultiScaleDiscriminator(width=2, scales=2).eval()
    with torch.no_grad():
        x = torch.rand(1, 3, 40, 48)
        assert torch.equal(judges(x, [0.2, 0.3, 0.5]), judges(x, [0.2, 0.3]))


def test_verdict_is_the_weighted_sum_of_resized_verdicts():
    judges = MultiScaleDiscriminator(width=2, scales=2).eval()
    x = torch.rand(1, 3, 40, 57)
    with torch.no_grad():
        small = torch.nn.functional.interpolate(2 * x - 1, size=(28, 40), mode="bilinear")
        parts = judges.judges[0](2 * x - 1), judges.judges[1](small)
        second = torch.nn.functional.interpolate(parts[1], size=parts[0].shape[-2:], mode="bilinear")
        torch.testing.assert_close(judges(x, [0.25, 0.75]), 0.25 * parts[0] + 0.75 * second)


@pytest.mark.parametrize(("b", "h", "w"), [(1, 14, 14), (2, 33, 46)])
def test_any_size_from_14_pixels_on_and_gradient_everywhere(b, h, w):
    torch.manual_seed(0)
    weights = scale_weights(100, (h, w))
    judges = MultiScaleDiscriminator(width=2, scales=len(weights)).train()
    x = torch.rand(b, 3, h, w)
    before = x.clone()
    verdict = judges(x, weights)
    rows, columns = ((side - 2 - 1) // 2 - 2 for side in (h, w))
    assert verdict.shape == (b, 1, rows, columns)
    assert verdict.min() > 0
    assert verdict.max() < 1
    assert torch.equal(x, before)
    verdict.square().mean().backward()
    for name, parameter in judges.named_parameters():
        assert parameter.grad is not None
        # A bias before a norm is taken out again by it.
        assert parameter.grad.any() or name.endswith("conv.bias"), name


def test_verdicts_leave_in_float32_under_autocast():
    judges = MultiScaleDiscriminator(width=2, scales=2).eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert judges(torch.rand(1, 3, 24, 24), [0.5, 0.5]).dtype == torch.float32


def test_saved_judges_give_the_same_verdict():
    one, other = (MultiScaleDiscriminator(width=2, scales=2).eval() for _ in range(2))
    other.load_state_dict(one.state_dict())
    x = torch.rand(1, 3, 24, 30)
    with torch.no_grad():
        assert torch.equal(one(x, [0.5, 0.5]), other(x, [0.5, 0.5]))


def test_pictures_that_do_not_fit_are_refused():
    judges = MultiScaleDiscriminator(width=2, scales=3)
    words = r"^picture to judge: expected \(B, 3, H, W\) with sides of at least 10 px, got \(1, 3, 9, 24\); judges"
    with pytest.raises(ShapeError, match=words):
        judges(torch.rand(1, 3, 9, 24), [1.0])
    words = (
        r"^picture to judge: expected sides of at least 10 px at every scale, got \(8, 8\); scale 2 is 2.0"
    )
    with pytest.raises(ShapeError, match=words):
        judges(torch.rand(1, 3, 16, 16), [0.3, 0.3, 0.4])
    with pytest.raises(
        OptionError, match=r"^weights: expected one for each scale, got none; pictures below 14"
    ):
        judges(torch.rand(1, 3, 16, 16), [])
    with pytest.raises(
        ShapeError, match=r"^picture to judge: expected sides of at least 14 px, got \(13, 40\); no"
    ):
        scale_weights(0, (13, 40))


@pytest.mark.parametrize(("name", "published"), [("width", 64), ("scales", 9)])
def test_sizes_below_one_are_refused(name, published):
    words = rf"^{name}: expected 1 or more, got 0; the published size is {published}$"
    with pytest.raises(OptionError, match=words):
        MultiScaleDiscriminator(**{name: 0})
