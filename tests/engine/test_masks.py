import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import MaskError
from engine.masks import half_mask, irregular_mask, random_mask, rectangle_mask

sizes = st.tuples(st.integers(12, 150), st.integers(12, 150))
ratios = st.tuples(st.floats(0.0, 0.9), st.floats(0.02, 0.3)).map(lambda pair: (pair[0], min(1.0, sum(pair))))


@pytest.mark.parametrize("draw", [irregular_mask, rectangle_mask])
@settings(max_examples=60, deadline=None)
@given(size_hw=sizes, ratio=ratios, seed=st.integers(0, 2**32))
def test_the_share_lies_inside_the_asked_range(draw, size_hw, ratio, seed):
    mask = draw(np.random.default_rng(seed), size_hw, ratio)
    assert mask.shape == size_hw
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) <= {0, 255}
    pixels = size_hw[0] * size_hw[1]
    assert ratio[0] * pixels <= np.count_nonzero(mask) <= ratio[1] * pixels


@pytest.mark.parametrize("draw", [irregular_mask, rectangle_mask, half_mask, random_mask])
def test_the_same_seed_gives_the_same_mask_and_another_seed_another(draw):
    masks = [draw(np.random.default_rng((seed, 7)), (61, 90)) for seed in (0, 0, 1, 2, 3)]
    assert np.array_equal(masks[0], masks[1])
    assert any(not np.array_equal(masks[0], other) for other in masks[2:])


@pytest.mark.parametrize("ratio", [(0.0, 0.0), (1.0, 1.0), (0.25, 0.25)])
@pytest.mark.parametrize("draw", [irregular_mask, rectangle_mask])
def test_a_range_of_one_value_is_met(draw, ratio):
    mask = draw(np.random.default_rng(3), (40, 20), ratio)
    assert np.count_nonzero(mask) == ratio[0] * 800


def test_shares_spread_over_the_range():
    rng = np.random.default_rng(0)
    shares = [np.count_nonzero(irregular_mask(rng, (64, 64), (0.1, 0.4))) / 4096 for _ in range(60)]
    assert min(shares) < 0.16
    assert max(shares) > 0.34


def test_a_half_is_the_smaller_half_and_every_side_is_drawn():
    masks = [half_mask(np.random.default_rng(seed), (21, 31)) for seed in range(40)]
    assert {np.count_nonzero(mask) for mask in masks} == {10 * 31, 21 * 15}
    assert len({mask.tobytes() for mask in masks}) == 4


def test_only_the_named_kinds_are_drawn():
    for seed in range(20):
        mask = random_mask(np.random.default_rng(seed), (32, 32), ("rectangle",), (0.25, 0.25))
        rows, columns = np.nonzero(mask)
        box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        assert 256 <= box < 256 + 32


def test_a_mask_that_cannot_be_drawn_is_refused_by_name():
    rng = np.random.default_rng(0)
    with pytest.raises(
        MaskError, match=r"ratio: expected 0 <= low <= high <= 1, got \(10, 20\); shares of the pict"
    ):
        irregular_mask(rng, (32, 32), (10, 20))
    with pytest.raises(
        MaskError, match=r"ratio: expected a range that holds a whole number of pixels, got 0\.1 to"
    ):
        rectangle_mask(rng, (2, 2), (0.1, 0.2))
    with pytest.raises(
        MaskError, match=r"size_hw: expected sides of at least 1 px, got 0x5; give height and width"
    ):
        irregular_mask(rng, (0, 5))
    with pytest.raises(
        MaskError, match=r"size_hw: expected sides of at least 2 px, got 1x5; a half needs two"
    ):
        half_mask(rng, (1, 5))
    with pytest.raises(
        MaskError, match=r"kinds: expected words of irregular, rectangle, half, got \['star'\]; name"
    ):
        random_mask(rng, (32, 32), ("star",))
