import numpy as np
import pytest

from app.eight_bits import as_rgb8, as_rgba8


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_any_layout_can_be_looked_at(channels: int | None, dtype: type) -> None:
    shape = (4, 5) if channels is None else (4, 5, channels)
    shown = as_rgb8(np.full(shape, np.iinfo(dtype).max, dtype=dtype))
    assert shown.shape == (4, 5, 3)
    assert shown.dtype == np.uint8
    assert (shown == 255).all()


def test_transparency_is_kept_where_there_is_some_and_whole_elsewhere() -> None:
    grey = np.array([[[65535, 0], [0, 65535]]], np.uint16)
    assert as_rgba8(grey).tolist() == [[[255, 255, 255, 0], [0, 0, 0, 255]]]
    assert as_rgba8(grey[..., 0]).tolist() == [[[255, 255, 255, 255], [0, 0, 0, 255]]]
