import math

import numpy as np
import pytest

from app.canvas.sampling import nearest, smooth
from app.canvas.viewport import Matrix


def matrices() -> dict[str, Matrix]:
    angle = math.radians(25)
    cos, sin = math.cos(angle) / 2.3, math.sin(angle) / 2.3
    return {
        "itself": Matrix(1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
        "moved": Matrix(1.0, 0.0, 0.0, 1.0, 3.0, 2.0),
        "larger": Matrix(1 / 3.3, 0.0, 0.0, 1 / 3.3, 0.21, 1.4),
        "smaller": Matrix(1.7, 0.0, 0.0, 1.7, -0.4, 0.3),
        "mirrored": Matrix(-0.5, 0.0, 0.0, 0.5, 12.0, 0.0),
        "quarter": Matrix(0.0, -0.5, 0.5, 0.0, 0.0, 10.0),
        "turned": Matrix(cos, -sin, sin, cos, 2.0, 4.0),
    }


def plain_nearest(source, matrix, box):
    """Pixel by pixel."""
    out = np.zeros((box[3] - box[1], box[2] - box[0], *source.shape[2:]), source.dtype)
    for row in range(box[1], box[3]):
        for column in range(box[0], box[2]):
            x, y = matrix.map(column + 0.5, row + 0.5)
            x, y = math.floor(x), math.floor(y)
            if 0 <= x < source.shape[1] and 0 <= y < source.shape[0]:
                out[row - box[1], column - box[0]] = source[y, x]
    return out


@pytest.mark.parametrize("name", list(matrices()))
@pytest.mark.parametrize("shape", [(11, 13), (11, 13, 3)])
def test_nearest_equals_the_plain_loop(name, shape):
    source = np.random.default_rng(1).integers(1, 255, shape, dtype=np.uint8)
    box = (-2, -3, 19, 15)
    assert np.array_equal(
        nearest(source, matrices()[name], box), plain_nearest(source, matrices()[name], box)
    )


@pytest.mark.parametrize("name", ["larger", "smaller", "turned", "mirrored"])
def test_a_part_equals_the_same_part_of_the_whole(name):
    source = np.random.default_rng(2).integers(1, 255, (40, 50), dtype=np.uint8)
    matrix = matrices()[name]
    for read in (nearest, smooth):
        whole = read(source, matrix, (0, 0, 30, 30))
        assert np.array_equal(read(source, matrix, (7, 5, 22, 29)), whole[5:29, 7:22])


def test_smooth_is_bilinear():
    source = np.random.default_rng(4).integers(0, 255, (9, 9)).astype(np.uint8)
    matrix = Matrix(0.6, 0.0, 0.0, 0.6, 1.0, 1.0)
    found = smooth(source, matrix, (0, 0, 8, 8))
    for row in range(8):
        for column in range(8):
            x, y = matrix.map(column + 0.5, row + 0.5)
            x, y = x - 0.5, y - 0.5
            x0, y0 = math.floor(x), math.floor(y)
            part = source[y0 : y0 + 2, x0 : x0 + 2].astype(float)
            wx, wy = x - x0, y - y0
            expected = np.array([1 - wy, wy]) @ part @ np.array([1 - wx, wx])
            assert found[row, column] == pytest.approx(expected, abs=2)


def test_smooth_fades_to_nothing_outside():
    source = np.full((4, 4), 200, np.uint8)
    found = smooth(source, Matrix(0.5, 0.0, 0.0, 0.5, 0.0, 0.0), (-4, 0, 8, 8))
    assert (found[:, :3] == 0).all()
    assert found[4, 7] == 200


def test_the_same_size_is_the_same_bytes():
    source = np.random.default_rng(5).integers(0, 255, (6, 7)).astype(np.uint8)
    assert np.array_equal(smooth(source, matrices()["itself"], (0, 0, 7, 6)), source)
