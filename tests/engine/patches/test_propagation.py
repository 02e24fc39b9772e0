"""A field that is improved, against all with all."""

import torch

from engine.patches.descriptors import Directions, patch_grid, whole_patches
from engine.patches.propagation import Grids, Sides, carry, improve, scores
from engine.patches.search import nearest


def nothing() -> None:
    """Never stops."""


def picture(height: int, width: int, seed: int) -> torch.Tensor:
    rough = torch.rand(1, 3, height // 4, width // 4, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(rough, (height, width), mode="bicubic")[0].clamp(0, 1)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def test_a_shifted_picture_is_found_again_from_chance():
    wide = picture(40, 52, 2)
    queries, keys = whole_patches(wide[:, :, 6:46], 5), whole_patches(wide, 5)
    grids = Grids(patch_grid((40, 40), 5), patch_grid((40, 52), 5))
    start = torch.randint(0, keys.shape[0], (queries.shape[0],), generator=seeded())
    index, score = improve(
        Sides(queries, keys), grids, start, rounds=8, radius=40, generator=seeded(), look=nothing
    )
    row, column = torch.arange(queries.shape[0]) // 36, torch.arange(queries.shape[0]) % 36
    right = index == row * 48 + column + 6
    assert right.float().mean() > 0.97
    assert float(score[right].max()) < 1e-10


def test_from_the_coarser_field_it_comes_close_to_all_with_all_and_never_gets_worse():
    other = picture(60, 56, 4)
    one = torch.roll(torch.cat([other, picture(4, 56, 3)], 1), (13, 17), (1, 2))
    one = torch.cat([one, one[:, :, 20:28]], 2) + 0.03 * picture(64, 64, 9)
    small = [torch.nn.functional.avg_pool2d(whole[None], 2)[0] for whole in (one, other)]
    coarse = nearest(whole_patches(small[0], 5), whole_patches(small[1], 5))[0]
    start = carry(coarse, ((32, 32), (30, 28)), ((64, 64), (60, 56)), 5)
    directions = Directions([other], 5, 24)
    queries, keys = directions.describe(one), directions.describe(other)
    grids = Grids(patch_grid((64, 64), 5), patch_grid((60, 56), 5))
    at = torch.arange(queries.shape[0])
    before = scores(Sides(queries, keys), at, start)
    index, score = improve(
        Sides(queries, keys), grids, start, rounds=4, radius=15, generator=seeded(), look=nothing
    )
    assert (score <= before).all()
    whole = Sides(whole_patches(one, 5), whole_patches(other, 5))
    exact = nearest(whole.queries, whole.keys)[1]
    assert float(scores(whole, at, index).mean()) < 1.25 * float(exact.mean())


def test_keys_that_may_not_be_taken_are_left_and_idle_queries_stay():
    one = picture(24, 24, 6)
    rows = whole_patches(one, 5)
    allowed = torch.arange(rows.shape[0]) % 2 == 0
    active = torch.arange(rows.shape[0]) < 200
    start = torch.zeros(rows.shape[0], dtype=torch.int64)
    index, score = improve(
        Sides(rows, rows, active=active, allowed=allowed),
        Grids((20, 20), (20, 20)),
        start,
        rounds=3,
        radius=10,
        generator=seeded(),
        look=nothing,
    )
    assert allowed[index[active]].all()
    assert (index[~active] == 0).all()
    assert torch.isinf(score[~active]).all()
    assert start.eq(0).all()


def test_a_weighted_score_worked_by_hand():
    sides = Sides(
        torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 0.0]]), weights=torch.tensor([3.0]), floor=0.5
    )
    torch.testing.assert_close(scores(sides, torch.tensor([0]), torch.tensor([0])), torch.tensor([4.5]))
