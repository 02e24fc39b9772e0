"""Which way the frame is filled."""

import numpy as np
import pytest
import torch
from skimage import data

from engine.patches import balance, level, ways
from engine.patches.level import State, Way
from engine.patches.measures import measure
from engine.patches.pyramid import resize
from engine.patches.remake import remake
from engine.progress import Steps


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(2).random((height, width, 3)).astype(np.float32)


def one_thing(height: int, width: int) -> np.ndarray:
    """A dark soft disc on light ground, nearly as high as the picture: half the width can't keep both as they are."""
    y, x = np.mgrid[:height, :width]
    far = np.hypot(y - height / 2, x - width / 2)
    disc, ground = 1 / (1 + np.exp((far - 0.42 * height) / 6)), 0.6 + 0.2 * x / width
    return np.repeat((ground * (1 - disc) + 0.2 * disc)[..., None], 3, 2).astype(np.float32)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[Way]:
    """The way taken by each remake that had a choice."""
    found: list[Way] = []
    choose = ways.best_way

    def watched(*given: object) -> State:
        state = choose(*given)  # type: ignore[arg-type]
        found.append(state.way)
        return state

    monkeypatch.setattr("engine.patches.synthesis.best_way", watched)
    return found


def make(image: np.ndarray, size_hw: tuple[int, int], **options) -> np.ndarray:
    options = {"completeness": 0.7, **options}
    return remake(image, size_hw, device=torch.device("cpu"), steps=Steps(1, None, None), **options).image


def test_a_photograph_of_one_thing_is_drawn_in_where_steps_would_cut_off_what_is_around_it(
    taken, monkeypatch
):
    image = resize(data.coffee().astype(np.float32) / 255, (144, 216))
    made = make(image, (144, 108))
    monkeypatch.setattr(ways, "DRAWN_LEAST_PX", 1000)
    stepped = make(image, (144, 108))
    assert taken == [Way.DRAWN, Way.STEPS]
    drawn, plain = measure(image, made), measure(image, resize(image, (144, 108)))
    assert drawn.sliced_wasserstein < 0.5 * measure(image, stepped).sliced_wasserstein
    assert drawn.sliced_wasserstein < plain.sliced_wasserstein
    assert drawn.coherence < plain.coherence
    assert drawn.completeness < plain.completeness


def test_a_texture_shrinks_by_steps_and_two_things_are_laid_side_by_side(taken):
    make(noise(64, 72), (64, 36))
    make(one_thing(72, 80), (72, 160))
    assert taken == [Way.STEPS, Way.LAID]


@pytest.mark.parametrize(
    "options", [{"completeness": 0.0}, {"lock": True}, {"corners_xy": [(0, 0), (54, 0), (54, 60), (0, 72)]}]
)
def test_nothing_is_chosen_where_something_else_says_what_stands_where(taken, options: dict[str, object]):
    image = one_thing(72, 108)
    if "lock" in options:
        options = {"lock": (image.mean(2) < 0.3).astype(np.float32)}
    make(image, (72, 54), **options)
    assert not taken


def test_nothing_is_chosen_at_its_own_size_or_where_no_level_fits(taken):
    image = one_thing(72, 108)
    make(image, (72, 108))
    make(image[:20], (20, 60))
    assert not taken


def test_a_small_picture_is_not_drawn_out_for_its_finest_level_has_to_be_searched(taken):
    make(one_thing(50, 75), (50, 38))
    assert taken == [Way.STEPS]


def test_large_levels_are_not_balanced_but_for_the_finest(taken, monkeypatch):
    moved = []
    move = balance.balanced

    def watched(picture: torch.Tensor, *rest, **options) -> torch.Tensor:
        moved.append((picture.shape[1], options["rounds"]))
        return move(picture, *rest, **options)

    monkeypatch.setattr(balance, "balanced", watched)
    image = one_thing(128, 192)
    make(image, (128, 96))
    assert taken == [Way.DRAWN]
    heights = [height for height, _ in moved]
    assert heights == sorted(set(heights))
    assert len(heights) > 3
    assert moved[-1] == (128, level.LAST_ROUNDS)
    assert {rounds for _, rounds in moved[:-1]} == {level.ROUNDS}
    monkeypatch.setattr(
        level, "BALANCED_PX", heights[-2] * heights[-2] * 3 // 2 - 1
    )  # less than this level's source
    moved.clear()
    make(image, (128, 96))
    assert [height for height, _ in moved] == [*heights[:-2], 128]


def test_half_as_high_again_is_drawn_out_where_a_second_thing_would_be_cut_off(taken):
    image = resize(data.coffee().astype(np.float32) / 255, (144, 216))
    make(image, (216, 216))
    make(noise(64, 72), (96, 72))
    assert taken == [Way.DRAWN, Way.LAID]


def test_what_grows_by_a_little_keeps_its_things_at_their_size(taken):
    """There a stretched thing is no gain: what is around it makes room."""
    image = resize(data.coffee().astype(np.float32) / 255, (144, 216))
    make(image, (144, 280))
    assert taken == [Way.STEPS]
