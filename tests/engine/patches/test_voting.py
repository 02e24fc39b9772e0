"""Patches laid over each other."""

import pytest
import torch

from engine.patches.voting import pixel_field, spot_weights, strangeness, vote


def test_patches_in_place_give_the_picture_back():
    picture = torch.rand(3, 9, 11, generator=torch.Generator().manual_seed(1))
    made = vote(picture, torch.arange(7 * 9), (7, 9), side=3, spread=1.0)
    torch.testing.assert_close(made, picture)


def test_two_patches_that_overlap_are_averaged_by_their_weights():
    values = torch.zeros(3, 3, 6)
    values[:, :, 3:] = 1.0  # patch 0 is black, patch 3 is white
    made = vote(values, torch.tensor([0, 3]), (1, 2), side=3, spread=1.0)
    assert made.shape == (3, 3, 4)
    weight = {(dy, dx): factor for dy, dx, factor in spot_weights(3, 1.0)}
    assert float(made[0, 0, 0]) == 0
    assert float(made[0, 0, 3]) == 1
    assert float(made[0, 1, 1]) == pytest.approx(weight[1, 0] / (weight[1, 0] + weight[1, 1]))
    assert float(made[0, 1, 2]) == pytest.approx(weight[1, 1] / (weight[1, 1] + weight[1, 2]))


def test_trust_decides_where_patches_disagree():
    values = torch.zeros(3, 3, 6)
    values[:, :, 3:] = 1.0
    made = vote(values, torch.tensor([0, 3]), (1, 2), side=3, spread=1.0, trust=torch.tensor([1.0, 0.0]))
    assert float(made[0, 1, 1]) == 0


def test_a_field_of_pixels_follows_the_patches_and_the_rim_its_neighbour():
    field = pixel_field(torch.tensor([5, 6]), (1, 2), (3, 4), 3)  # patches at row 1, columns 1 and 2
    assert field.shape == (3, 4, 2)
    assert field[1, 1].tolist() == [2, 2]
    assert field[1, 2].tolist() == [3, 2]
    assert field[0, 0].tolist() == [1, 1]
    assert field[2, 3].tolist() == [4, 3]


def test_a_copy_is_not_strange_and_a_foreign_piece_is():
    source = torch.rand(3, 16, 20, generator=torch.Generator().manual_seed(2))
    y, x = torch.meshgrid(torch.arange(12), torch.arange(12), indexing="ij")
    field = torch.stack([x + 4, y + 2], 2)
    assert float(strangeness(source[:, 2:14, 4:16], source, field).max()) == 0
    found = strangeness(1 - source[:, 2:14, 4:16], source, field)
    assert float(found.mean()) > 0.8
    assert float(found.max()) <= 1
