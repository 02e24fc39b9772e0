"""Patches as rows."""

import torch

from engine.patches.descriptors import Directions, patch_grid, whole_patches


def test_rows_count_from_the_top_left_and_distances_are_means():
    picture = torch.arange(3 * 3 * 4, dtype=torch.float32).reshape(3, 3, 4)
    rows = whole_patches(picture, 2)
    assert patch_grid((3, 4), 2) == (2, 3)
    assert rows.shape == (6, 12)
    torch.testing.assert_close(rows[4] * 12**0.5, picture[:, 1:3, 1:3].flatten())
    other = whole_patches(picture + 0.5, 2)
    torch.testing.assert_close((rows - other).square().sum(1), torch.full((6,), 0.25))


def test_all_directions_keep_every_distance_and_few_keep_most():
    picture = torch.rand(3, 14, 15, generator=torch.Generator().manual_seed(0))
    smooth = torch.nn.functional.avg_pool2d(picture[None], 5, 1)[0]
    rows = whole_patches(smooth, 3)
    exact = torch.cdist(rows, rows)
    every = Directions([smooth], 3, 27).describe(smooth)
    torch.testing.assert_close(torch.cdist(every, every), exact, atol=1e-3, rtol=1e-3)
    few = Directions([smooth], 3, 10).describe(smooth)
    assert float((torch.cdist(few, few) - exact).abs().mean()) < 0.15 * float(exact.mean())


def test_bands_of_rows_join_without_a_seam_and_the_work_can_be_stopped():
    picture = torch.rand(3, 150, 9, generator=torch.Generator().manual_seed(3))
    directions = Directions([picture], 3, 27)
    looks: list[int] = []
    found = directions.describe(picture, lambda: looks.append(1))
    assert len(looks) == 3
    rows = whole_patches(picture, 3)
    at = torch.tensor([0, 7 * 63, 7 * 64, 7 * 127 + 3, 7 * 148 - 1])
    torch.testing.assert_close(
        torch.cdist(found[at], found[at]), torch.cdist(rows[at], rows[at]), atol=1e-3, rtol=1e-3
    )
