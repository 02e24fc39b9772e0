"""At which size a large picture is searched."""

import pytest

from engine.patches.reduction import LIMIT_PX, reduction


def test_a_small_picture_is_searched_at_its_own_size():
    assert reduction((1024, 1024), (600, 1024), LIMIT_PX["exact"]) is None
    assert reduction((640, 641), (32, 32), LIMIT_PX["fast"]) is not None


@pytest.mark.parametrize(
    ("source_hw", "target_hw"),
    [
        ((4000, 6000), (4000, 9000)),
        ((8192, 12000), (600, 800)),
        ((300, 400), (12000, 9000)),
        ((330, 12000), (40, 12000)),
    ],
)
def test_neither_source_nor_result_is_searched_above_the_limit(source_hw, target_hw):
    found = reduction(source_hw, target_hw, 1 << 20)
    assert found is not None
    for small_hw in (found.source_hw, found.target_hw):
        assert small_hw[0] * small_hw[1] <= 1.02 * (1 << 20)
    for large, small, scale in zip(source_hw, found.source_hw, found.scale_yx, strict=True):
        assert large == pytest.approx(small * scale)
    for large, small, scale in zip(target_hw, found.target_hw, found.scale_yx, strict=True):
        assert small == 4 or abs(large - small * scale) <= scale / 2
