"""Levels, and the way from one shape to another."""

import numpy as np
import pytest

from engine.patches import quad
from engine.patches.pyramid import STEP_RATIO, plan, resize, scaled, shapes
from engine.patches.reduction import LIMIT_PX, reduction


def test_levels_share_one_ratio_and_end_at_full_size():
    levels = plan((256, 256), (256, 512))
    assert levels.scales[-1] == 1
    np.testing.assert_allclose(np.diff(np.log(levels.scales)), np.log(4 / 3))
    assert 16 <= 256 * levels.scales[0] <= 28
    assert levels.side == 7


@pytest.mark.parametrize("target_hw", [(32, 32), (32, 12000), (12000, 32), (32, 33), (12000, 10000)])
@pytest.mark.parametrize("source_hw", [(32, 32), (37, 12000), (10000, 12000), (300, 200)])
def test_every_allowed_size_has_levels_with_room_for_patches(source_hw, target_hw):
    """Large ones as the small copies that are searched."""
    small = reduction(source_hw, target_hw, LIMIT_PX["exact"])
    if small is not None:
        source_hw, target_hw = small.source_hw, small.target_hw
    levels = plan(source_hw, target_hw)
    for scale in levels.scales:
        assert min(*scaled(source_hw, scale), *scaled(target_hw, scale)) > levels.side


def test_shapes_change_in_small_steps_and_end_where_they_should():
    way = shapes(quad.rectangle((100, 100)), quad.rectangle((100, 250)))
    widths = [100.0, *(corners[1, 0] for corners in way)]
    assert widths[-1] == 250
    ratios = np.divide(widths[1:], widths[:-1])
    assert (ratios > 1).all()
    assert ratios.max() < STEP_RATIO * 1.1
    assert len(shapes(quad.rectangle((50, 50)), quad.rectangle((50, 50)))) == 1


def test_resizing_keeps_a_flat_picture_flat_and_in_range():
    flat = np.full((10, 12, 3), 0.25, dtype=np.float32)
    for size in ((5, 6), (20, 30), (10, 30)):
        np.testing.assert_allclose(resize(flat, size), 0.25, atol=1e-6)
    edge = np.zeros((8, 8, 3), dtype=np.float32)
    edge[:, 4:] = 1
    assert resize(edge, (32, 32)).max() <= 1
