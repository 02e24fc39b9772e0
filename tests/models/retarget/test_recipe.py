"""Recipes: the published course, what is drawn, sizes of crops, messages."""

import pytest
import torch

from models.errors import OptionError
from models.retarget.recipe import (
    RECIPES,
    Recipe,
    clock_of,
    crop_hw,
    draw_shifts,
    draw_size_hw,
    has_inverse_step,
    learning_rate_factor,
    scaled_hw,
)

OFFICIAL = RECIPES["official"]


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sizes_at(clock: float, recipe: Recipe = OFFICIAL, count: int = 300) -> torch.Tensor:
    generator = stream()
    drawn = [draw_size_hw(recipe, clock, (256, 216), 8, generator) for _ in range(count)]
    return torch.tensor(drawn)


def test_learning_rate_takes_the_published_course(parity):
    clocks = [0, 20000, 20001, 47500, 74999, 75000]
    got = torch.tensor([learning_rate_factor(clock) for clock in clocks])
    torch.testing.assert_close(got, parity.case("ingan", "lr_factor"), atol=1e-6, rtol=0)


def test_a_shorter_run_sees_the_same_course_faster():
    assert clock_of(0, 3000) == 0
    assert clock_of(12_345, 75_000) == 12_345
    assert clock_of(1500, 3000) == 37_500
    assert not has_inverse_step(clock_of(400, 3000))
    assert has_inverse_step(clock_of(401, 3000))


def test_sizes_open_from_the_crop_to_the_published_range():
    assert sizes_at(0).unique(dim=0).tolist() == [[256, 216]]
    half, full, late = sizes_at(5000), sizes_at(10_000), sizes_at(70_000)
    assert torch.equal(full, late)
    for drawn, low, high in ((half, 0.575, 1.625), (full, 0.15, 2.25)):
        assert not (drawn % 8).any()
        for axis, side in enumerate((256, 216)):
            assert low * side <= drawn[:, axis].min() < (low + 0.1) * side + 8
            assert (high - 0.1) * side < drawn[:, axis].max() <= high * side + 8
    assert abs(float(torch.corrcoef(full.T.double())[0, 1])) < 0.2  # each side on its own


def test_no_size_is_too_small_for_the_judges():
    generator = stream()
    for multiple in (2, 8, 16):
        drawn = [draw_size_hw(OFFICIAL, 75_000, (32, 32), multiple, generator) for _ in range(200)]
        assert min(min(size) for size in drawn) >= max(14, 2 * multiple)
        assert all(side % multiple == 0 for size in drawn for side in size)


def test_shifts_open_with_time_and_are_off_as_published():
    assert draw_shifts(OFFICIAL, 75_000, stream()) == (0, 0)
    recipe = Recipe(steps=10, crop_px=64, learning_rate=1e-4, largest_shift=0.4)
    assert draw_shifts(recipe, 0, stream()) == (0, 0)
    generator = stream()
    for clock, reach in ((5000, 0.2), (75_000, 0.4)):
        drawn = torch.tensor([draw_shifts(recipe, clock, generator) for _ in range(200)])
        assert 0.9 * reach < drawn.abs().max() <= reach
        assert abs(float(drawn.mean())) < 0.1 * reach


def test_test_sizes_round_down_and_training_sizes_up():
    """Of the published picture, 272 x 224: its collage."""
    sizes = {2.2: (488, 592), 0.33: (72, 88), 0.1: (16, 24)}
    for scale, expected in sizes.items():
        assert scaled_hw((224, 272), (scale, scale), 8) == expected
    assert scaled_hw((224, 272), (0.33, 0.33), 8, rounds_up=True) == (80, 96)
    assert scaled_hw((224, 272), (0.01, 0.01), 8) == (16, 16)


def test_crops_leave_room_to_differ():
    assert crop_hw(OFFICIAL, (224, 274), 8) == (216, 256)
    assert crop_hw(OFFICIAL, (256, 1000), 8) == (248, 256)
    assert crop_hw(RECIPES["fast"], (600, 400), 8) == (96, 96)
    with pytest.raises(
        OptionError, match=r"^picture: expected sides above 16 px, got \(16, 40\); the picture is"
    ):
        crop_hw(OFFICIAL, (16, 40), 8)


def test_recipes_are_the_published_one_and_two_of_ours():
    assert set(RECIPES) == {"official", "fast", "fast-shapes"}
    assert Recipe(
        steps=75_000,
        crop_px=256,
        learning_rate=5e-5,
        largest_scale=2.25,
        smallest_scale=0.15,
        largest_shift=0.0,
        momentum=0.5,
        second_beta=0.999,
    ) == (OFFICIAL)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("steps", 0, "1 or more"),
        ("crop_px", 60, "a multiple of 8, 32 or more"),
        ("learning_rate", -0.1, r"a number in \[0, 1\]"),
        ("largest_scale", 0.9, "1 or more"),
        ("smallest_scale", 1.1, r"a number in \(0, 1\]"),
        ("largest_shift", 0.5, r"a number in \[0, 0.5\)"),
        ("momentum", 1.0, r"a number in \[0, 1\)"),
        ("second_beta", -0.1, r"a number in \[0, 1\)"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(name, value, expected):
    numbers = {"steps": 10, "crop_px": 64, "learning_rate": 1e-4} | {name: value}
    with pytest.raises(OptionError, match=rf"^{name}: expected {expected}, got {value}; see RECIPES for the"):
        Recipe(**numbers)
