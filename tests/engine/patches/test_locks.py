"""Where locked pieces go."""

import numpy as np

from engine.patches import quad
from engine.patches.locks import pieces, shift_px


def mask(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    made = np.zeros((20, 30), dtype=np.float32)
    for x0, y0, x1, y1 in boxes:
        made[y0:y1, x0:x1] = 0.2
    return made


def to(width: int, height: int) -> np.ndarray:
    return quad.homography(quad.rectangle((20, 30)), quad.rectangle((height, width)))


def test_regions_are_taken_apart_largest_first_and_corners_connect():
    found = pieces(mask((0, 0, 3, 3), (10, 10, 20, 18), (20, 18, 22, 19)))
    assert [piece.box_xyxy for piece in found] == [(10, 10, 22, 19), (0, 0, 3, 3)]
    assert pieces(mask()) == []


def test_the_middle_goes_where_a_stretch_takes_it():
    (piece,) = pieces(mask((10, 8, 14, 12)))
    assert shift_px(piece, to(60, 20), (20, 60)) == (12, 0)


def test_what_would_stick_out_is_pushed_inside():
    (piece,) = pieces(mask((0, 2, 12, 18)))
    assert shift_px(piece, to(15, 20), (20, 15)) == (0, 0)
    (piece,) = pieces(mask((18, 2, 30, 18)))
    assert shift_px(piece, to(15, 20), (20, 15)) == (-15, 0)


def test_what_is_larger_than_the_target_stays_on_its_middle():
    (piece,) = pieces(mask((5, 2, 25, 18)))
    assert shift_px(piece, to(15, 20), (20, 15)) == (-8, 0)


def test_many_locked_pieces_share_their_memory():
    lock = np.zeros((64, 64), np.float32)
    lock[::4, ::4] = 1
    found = pieces(lock)
    assert len(found) == 256
    assert len({id(piece.labels) for piece in found}) == 1
    assert sum(int(piece.mask.sum()) for piece in found) == 256
