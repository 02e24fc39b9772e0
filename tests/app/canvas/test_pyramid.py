import numpy as np
import pytest

from app.canvas.pyramid import TILE_SPAN_PX, Pyramid, level_for

FAR = 1e12  # a deadline that never comes


@pytest.mark.parametrize(
    ("scale", "level"), [(4.0, 0), (1.0, 0), (0.99, 0), (0.51, 0), (0.5, 1), (0.3, 1), (0.25, 2), (0.01, 6)]
)
def test_what_is_left_to_scale_is_between_a_half_and_one(scale, level):
    assert level_for(scale) == level
    assert scale >= 1 or 0.5 < scale * 2**level <= 1


def test_refining_stops_when_the_time_is_up_but_never_stands_still():
    pyramid = Pyramid(
        (4096, 4096),
        np.uint8,
        lambda box, level: np.ones(((box[3] - box[1]) >> level, (box[2] - box[0]) >> level), np.uint8),
        lambda box, level: np.zeros(((box[3] - box[1]) >> level, (box[2] - box[0]) >> level), np.uint8),
    )
    whole = (0, 0, 4096, 4096)
    assert pyramid.read(2, whole, 0.0).max() == 0
    for expected in range(1, 17):
        assert len(pyramid.refine(2, whole, 0.0)) == 1
        assert pyramid.read(2, whole, 0.0).sum() == expected * (TILE_SPAN_PX >> 2) ** 2
    assert pyramid.refine(2, whole, 0.0) == []


def counting(values: np.ndarray) -> tuple[Pyramid, list]:
    """A pyramid of every n-th value, and the boxes it asked for."""
    asked: list = []

    def make(box, level):
        asked.append(box)
        return values[box[1] : box[3] : 1 << level, box[0] : box[2] : 1 << level]

    return Pyramid(values.shape, values.dtype, make, make), asked


def test_only_what_is_looked_at_is_made():
    pyramid, asked = counting(np.ones((4096, 4096), np.uint8))
    copy = pyramid.read(2, (1100, 0, 1200, 100), FAR)
    assert asked == [(1024, 0, 2048, 1024)]
    assert copy.shape == (1024, 1024)
    pyramid.read(2, (1500, 50, 1600, 900), FAR)
    assert len(asked) == 1


def test_only_what_changed_is_made_again_in_whole_reduced_pixels():
    values = np.ones((2048, 2048), np.uint8)
    pyramid, asked = counting(values)
    pyramid.read(3, (0, 0, 2048, 2048), FAR)
    asked.clear()
    values[:] = 9
    pyramid.invalidate((1021, 5, 1030, 9))
    copy = pyramid.read(3, (0, 0, 10, 10), FAR)
    assert asked == [(1016, 0, 1024, 16), (1024, 0, 1032, 16)]
    assert (copy[:2, 127:129] == 9).all()
    assert copy.sum() == 256 * 256 + 8 * 4


def test_changes_where_nobody_looked_are_not_made():
    pyramid, asked = counting(np.ones((4096, 4096), np.uint8))
    pyramid.read(1, (0, 0, 100, 100), FAR)
    asked.clear()
    pyramid.invalidate((3000, 3000, 3100, 3100))
    pyramid.read(1, (0, 0, 100, 100), FAR)
    assert asked == []


def test_hundreds_of_changes_are_joined():
    pyramid, asked = counting(np.ones((2048, 2048), np.uint8))
    pyramid.read(1, (0, 0, 2048, 2048), FAR)
    asked.clear()
    for number in range(300):
        pyramid.invalidate((number, number, number + 4, number + 4))
    pyramid.read(1, (0, 0, 2048, 2048), FAR)
    assert len(asked) < 70


def test_a_large_copy_makes_room_for_another():
    pyramid, asked = counting(np.broadcast_to(np.uint8(1), (16384, 16384)))
    pyramid.read(0, (0, 0, 1024, 1024), FAR)
    pyramid.read(1, (0, 0, 1024, 1024), FAR)
    pyramid.read(0, (0, 0, 1024, 1024), FAR)
    assert len(asked) == 3, "256 MiB are not kept beside what is looked at"
