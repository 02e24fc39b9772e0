"""Loss terms: published numbers, values by hand, messages."""

import pytest
import torch
import torch.nn.functional as F

from models.errors import ShapeError
from models.retarget.losses import (
    PATCH_SIDE_PX,
    draw_directions,
    masked_reconstruction_loss,
    patch_distance,
    reconstruction_loss,
    verdict_loss,
)


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


def directions(count: int = 8, scales: int = 1, seed: int = 0) -> torch.Tensor:
    return draw_directions(count, scales, torch.Generator().manual_seed(seed))


def grain(h: int = 40, w: int = 60, seed: int = 3) -> torch.Tensor:
    noise = torch.rand(1, 3, h, w, generator=torch.Generator().manual_seed(seed))
    return (F.avg_pool2d(noise, 3, 1, 1) > 0.5).float()


def test_directions_have_unit_length_and_half_of_them_see_no_mean():
    drawn = directions(6, 2)
    assert drawn.shape == (2, 6, 3, PATCH_SIDE_PX, PATCH_SIDE_PX)
    torch.testing.assert_close(drawn.flatten(2).norm(dim=2), torch.ones(2, 6))
    means = drawn.mean(dim=(-3, -2, -1)).abs()
    assert float(means[:, :3].max()) < 1e-7
    assert float(means[:, 3:].min()) > 1e-5
    assert not torch.equal(drawn[0], drawn[1])


def test_patch_distance_of_plain_colours_by_hand():
    """Along the direction of the mean, patches of 147 numbers differ by the square root of 147 times their difference."""
    along_mean = torch.full((1, 1, 3, PATCH_SIDE_PX, PATCH_SIDE_PX), 147**-0.5)
    grey, light = torch.full((1, 3, 20, 20), 0.25), torch.full((1, 3, 12, 30), 0.75)
    distance = float(patch_distance(grey, light, along_mean))
    apart = 2 * 0.5 * 147**0.5  # 2: differences are taken on [-1, 1]
    assert distance == pytest.approx(apart + 4 * apart**2, rel=1e-5)


def test_patch_distance_is_that_of_the_plain_twin():
    """Every patch laid out, projected, sorted: two scales, two pictures in a batch, each beside its own."""
    generator = torch.Generator().manual_seed(1)
    made, image = (torch.rand(2, 3, 18, 22, generator=generator) for _ in range(2))
    drawn = directions(5, 2)
    expected = 0.0
    for scale, size_hw in enumerate([(18, 22), (9, 11)]):
        rows = []
        for picture in (made, image):
            small = F.interpolate(picture, size_hw, mode="bilinear", antialias=True)
            row = drawn[scale].flatten(1) @ F.unfold(2 * small, PATCH_SIDE_PX)
            rows.append(row.sort(dim=2).values)
        apart = (rows[0] - rows[1]).abs()
        expected = expected + (apart + 4 * apart**2).mean() / 2
    torch.testing.assert_close(patch_distance(made, image, drawn), expected, atol=1e-5, rtol=1e-5)


def test_a_few_spikes_cost_more_than_as_much_spread_over_all():
    image = grain(96, 96) / 2
    spread, spiked = image + 0.01, image.clone()
    spiked[..., 40:49, 40:49] += 0.01 * 96 * 96 / 81
    drawn = directions(32)
    assert float(patch_distance(spiked, image, drawn)) > 2 * float(patch_distance(spread, image, drawn))


def test_what_stands_where_does_not_count_but_stretching_does():
    drawn = directions(32, 2)
    image = grain(96, 96)
    stretched = float(patch_distance(F.interpolate(image, (96, 192)), image, drawn))
    twice, swapped = torch.cat([image, image], dim=3), image.roll(48, dims=3)
    assert float(patch_distance(twice, image, drawn)) < 0.75 * stretched
    assert float(patch_distance(swapped, image, drawn)) < 0.6 * stretched


def test_patch_distance_moves_every_pixel_and_leaves_its_inputs():
    made, image = grain().requires_grad_(), grain(seed=4)
    before = image.clone()
    patch_distance(made, image, directions(16, 3)).backward()
    assert (made.grad.abs().sum(dim=1) > 0).all()
    assert torch.equal(image, before)


def test_of_large_pictures_another_phase_compares_other_patches():
    generator = torch.Generator().manual_seed(2)
    made, image = (torch.rand(1, 3, 120, 120, generator=generator) for _ in range(2))
    drawn = directions(4)
    one, other = (patch_distance(made, image, drawn, phase) for phase in ((0, 0), (1, 2)))
    assert float(one) != float(other)
    torch.testing.assert_close(one, other, rtol=0.2, atol=0.01)


def test_scales_that_hold_no_patch_are_left_out():
    made, image = grain(16, 16), grain()
    many = directions(8, 5)
    assert torch.equal(patch_distance(made, image, many), patch_distance(made, image, many[:2]))
    assert not torch.equal(patch_distance(made, image, many), patch_distance(made, image, many[:1]))


def test_a_picture_without_a_whole_patch_is_refused():
    words = r"^made: expected sides of at least 7 px, got \(6, 20\); nothing smaller holds a patch$"
    with pytest.raises(ShapeError, match=words):
        patch_distance(torch.zeros(1, 3, 6, 20), torch.zeros(1, 3, 20, 20), directions())
