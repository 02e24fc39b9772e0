import numpy as np
import pytest

from engine.errors import PictureError
from engine.orientation import turned


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_keeps_every_pixel(orientation):
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
    result = turned(pixels, orientation)
    assert result.shape == ((4, 2, 3) if orientation < 5 else (2, 4, 3))
    assert result.flags["C_CONTIGUOUS"]
    assert sorted(result.ravel()) == sorted(pixels.ravel())


def test_six_is_a_quarter_turn_to_the_right():
    assert turned(np.array([[1, 2], [3, 4]]), 6).tolist() == [[3, 1], [4, 2]]


def test_another_number_is_refused():
    with pytest.raises(PictureError, match=r"orientation: expected 1 to 8, got 9; 1 leaves"):
        turned(np.zeros((2, 2)), 9)
