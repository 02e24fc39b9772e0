import numpy as np
import pytest

from engine.host_child import thinned


def test_a_picture_that_fits_is_left_as_it_is():
    picture = np.zeros((10, 20, 3), np.uint8)
    assert thinned(picture, 600) is picture


@pytest.mark.parametrize("shape", [(10, 20, 3), (1, 5000, 3), (301, 7, 3), (64, 64, 3)])
@pytest.mark.parametrize("limit", [50, 599, 1000])
def test_a_larger_picture_keeps_every_nth_row_and_column(shape, limit):
    picture = np.arange(np.prod(shape), dtype=np.int64).astype(np.uint8).reshape(shape)
    small = thinned(picture, limit)
    assert 0 < small.nbytes <= max(limit, 3)
    step = next(n for n in range(1, 6000) if picture[::n, ::n].shape == small.shape)
    assert np.array_equal(small, picture[::step, ::step])
