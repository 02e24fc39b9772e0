"""The norm: torch's own in training, each picture's own statistics in eval."""

import pytest
import torch

from models.retarget.norm import PictureNorm


def features(b: int = 2) -> torch.Tensor:
    """Channels far from 0 as well: a variance from squares alone would lose its digits."""
    x = torch.randn((b, 4, 9, 14), generator=torch.Generator().manual_seed(1))
    return 0.5 * x + torch.arange(4.0).view(1, 4, 1, 1)


def norms() -> tuple[PictureNorm, torch.nn.BatchNorm2d]:
    one, other = PictureNorm(4), torch.nn.BatchNorm2d(4)
    with torch.no_grad():
        for norm in (one, other):
            norm.weight.copy_(torch.tensor([1, 2, 0.5, -1]))
            norm.bias.copy_(torch.tensor([0, 1, -1, 0.5]))
    return one, other


def test_training_equals_torch_and_moves_the_same_statistics():
    one, other = norms()
    for _ in range(3):
        torch.testing.assert_close(one(features()), other(features()))
    torch.testing.assert_close(one.running_mean, other.running_mean)
    torch.testing.assert_close(one.running_var, other.running_var)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("b", [1, 2])
def test_eval_normalises_each_picture_and_moves_nothing(layout, b):
    norm = norms()[0].eval()
    x = features(b).to(memory_format=layout)
    answer = norm(x)
    exact = x.double()
    mean, variance = exact.mean((2, 3), keepdim=True), exact.var((2, 3), keepdim=True, correction=0)
    shape = (1, 4, 1, 1)
    plain = (exact - mean) / (variance + 1e-5).sqrt() * norm.weight.view(shape) + norm.bias.view(shape)
    torch.testing.assert_close(answer.double(), plain.detach().double(), atol=1e-5, rtol=0, check_dtype=False)
    assert answer.is_contiguous(memory_format=layout)
    assert not norm.running_mean.any()


def test_one_picture_gets_the_same_answer_in_both_modes():
    norm = norms()[0]
    assert torch.equal(norm.train()(features(1)), norm.eval()(features(1)))
