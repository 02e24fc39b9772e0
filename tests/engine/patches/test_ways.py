"""Which way the frame is filled."""

import numpy as np
import pytest
import torch
from skimage import data

from engine.patches import balance, ways
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


def test_large_levels_are_not_balanced(taken, monkeypatch):
    sizes = []
    move = balance.balanced

    def watched(picture: torch.Tensor, *rest, **options) -> torch.Tensor:
        sizes.append(tuple(picture.shape[1:]))
        return move(picture, *rest, **options)

    monkeypatch.setattr(balance, "balanced", watched)
    image = one_thing(128, 192)
    make(image, (128, 96))
    assert taken == [Way.DRAWN]
    assert len(sizes) > 1
    balanced_px = max(height * width for height, width in sizes) * 2  # of the source, twice as wide
    sizes.clear()
    monkeypatch.setattr(balance, "LIMIT_PX", balanced_px - 1)
    make(image, (128, 96))
    assert sizes
    assert max(height * width for height, width in sizes) * 2 < balanced_px
