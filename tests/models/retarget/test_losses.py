"""Loss terms: published numbers, values by hand, messages."""

import pytest
import torch

from models.errors import ShapeError
from models.retarget.losses import masked_reconstruction_loss, reconstruction_loss, verdict_loss


@pytest.fixture
def pair(parity) -> list[torch.Tensor]:
    return [(parity.array(f"ingan/loss/{name}", (1, 3, 12, 10)) + 1) / 2 for name in "ab"]


def test_reconstruction_counts_as_published(parity, pair):
    expected = parity.case("ingan", "loss/reconstruct_l1")
    torch.testing.assert_close(reconstruction_loss(*pair), expected, atol=1e-6, rtol=0)


def test_masked_reconstruction_counts_as_published(parity, pair):
    mask = parity.array("ingan/loss/mask", (1, 3, 12, 10)) > 0
    expected = parity.case("ingan", "loss/reconstruct_masked_squared")
    torch.testing.assert_close(masked_reconstruction_loss(*pair, mask), expected, atol=1e-6, rtol=0)


def test_terms_by_hand():
    verdict = torch.tensor([[[[0.25, 0.75]]]])
    assert float(verdict_loss(verdict, is_real=True)) == pytest.approx((0.5625 + 0.0625) / 2)
    assert float(verdict_loss(verdict, is_real=False)) == pytest.approx((0.0625 + 0.5625) / 2)
    back, image = torch.full((1, 3, 2, 2), 0.5), torch.full((1, 3, 2, 2), 0.25)
    assert float(reconstruction_loss(back, image)) == pytest.approx(0.5)
    one_pixel = torch.zeros(1, 1, 2, 2)
    one_pixel[..., 0, 0] = 1
    assert float(masked_reconstruction_loss(back, image, one_pixel)) == pytest.approx(0.25)
    assert float(masked_reconstruction_loss(back, image, 0 * one_pixel)) == 0


def test_pictures_of_two_sizes_are_refused():
    words = r"^back: expected \(1, 3, 4, 4\), got \(1, 3, 4, 6\); bring it back to the picture's own size$"
    for function, rest in (
        (reconstruction_loss, ()),
        (masked_reconstruction_loss, (torch.ones(1, 1, 4, 4),)),
    ):
        with pytest.raises(ShapeError, match=words):
            function(torch.zeros(1, 3, 4, 6), torch.zeros(1, 3, 4, 4), *rest)
