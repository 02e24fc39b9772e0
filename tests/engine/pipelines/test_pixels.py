import numpy as np
import pytest

from engine.pipelines.pixels import bytes_of, colours_of, floats_of, rgb_of, sixteen_of


@pytest.mark.parametrize(
    ("shape", "channels"), [((4, 5), 1), ((4, 5, 1), 1), ((4, 5, 2), 1), ((4, 5, 3), 3), ((4, 5, 4), 3)]
)
def test_colours_are_a_view_without_transparency(shape, channels):
    image = np.zeros(shape, np.uint8)
    view = colours_of(image)
    assert view.shape == (4, 5, channels)
    view[:] = 9
    assert (image.reshape(4, 5, -1)[..., :channels] == 9).all()
    assert rgb_of(image).shape == (4, 5, 3)
    assert not image.reshape(4, 5, -1)[..., channels:].any()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_integers_come_back_from_floats_and_sixteen_bits(kind):
    top = np.iinfo(kind).max
    values = np.array([0, 1, top // 2, top], kind)
    assert np.array_equal(np.rint(floats_of(values) * top), values)
    assert np.array_equal(sixteen_of(values), values.astype(int) * (65535 // top))
    assert np.array_equal(sixteen_of(floats_of(values)), sixteen_of(values))


def test_floats_pass_and_bytes_are_rounded():
    values = np.array([0, 0.5, 1, 1.2], np.float32)
    assert floats_of(values) is values
    assert bytes_of(values).tolist() == [0, 128, 255, 255]
