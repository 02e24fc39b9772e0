import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.document.tiles import (
    TILE_PX,
    all_tiles,
    boxes_around,
    clip_box,
    covered_box,
    join,
    overlap,
    pack,
    slices_of,
    tile_box,
    tile_slices,
    tiles_of,
    unpack,
)

SIZE_HW = (600, 700)


def test_a_box_inside_one_tile_touches_that_tile_alone():
    assert tiles_of((10, 20, 30, 40), SIZE_HW) == [(0, 0)]


def test_a_half_open_box_does_not_reach_the_next_tile():
    assert tiles_of((0, 0, TILE_PX, TILE_PX), SIZE_HW) == [(0, 0)]
    assert tiles_of((0, 0, TILE_PX + 1, TILE_PX), SIZE_HW) == [(0, 0), (0, 1)]


def test_what_lies_outside_the_plane_has_no_tiles():
    assert tiles_of((-50, -50, 0, 10), SIZE_HW) == []
    assert tiles_of((-5, -5, 1, 1), SIZE_HW) == [(0, 0)]
    assert tiles_of((700, 0, 800, 10), SIZE_HW) == []


def test_border_tiles_are_as_small_as_the_plane_leaves_them():
    assert tile_slices(2, 2, SIZE_HW) == (slice(512, 600), slice(512, 700))
    assert tile_box(2, 2, SIZE_HW) == (512, 512, 700, 600)


def test_all_tiles_cover_every_pixel_once():
    count = np.zeros(SIZE_HW, int)
    for tile in all_tiles(SIZE_HW):
        count[tile_slices(*tile, SIZE_HW)] += 1
    assert (count == 1).all()


def test_boxes_clip_join_and_overlap():
    assert clip_box((-5, -5, 10, 10), SIZE_HW) == (0, 0, 10, 10)
    assert clip_box((800, 0, 900, 10), SIZE_HW) == (0, 0, 0, 0)
    assert join((0, 0, 0, 0), (5, 5, 6, 6)) == (5, 5, 6, 6)
    assert join((1, 2, 3, 4), (0, 5, 2, 9)) == (0, 2, 3, 9)
    assert overlap((0, 0, 5, 5), (3, 4, 9, 9)) == (3, 4, 5, 5)
    assert overlap((0, 0, 5, 5), (5, 0, 9, 9)) == (0, 0, 0, 0)


@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 6)), max_size=30))
def test_boxes_around_tiles_cover_them_and_nothing_else(tiles):
    size_hw = (6 * TILE_PX - 11, 7 * TILE_PX - 5)
    count = np.zeros((6, 7), int)
    for box in boxes_around(tiles, size_hw):
        for ty, tx in tiles_of(box, size_hw):
            count[ty, tx] += 1
    assert {(int(ty), int(tx)) for ty, tx in np.argwhere(count)} == tiles
    assert count.max(initial=0) <= 1


def test_a_square_of_tiles_is_one_box():
    tiles = [(ty, tx) for ty in (1, 2, 3) for tx in (0, 1)]
    assert boxes_around(tiles, (2000, 2000)) == [(0, 256, 512, 1024)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_packing_gives_every_bit_back(dtype):
    rng = np.random.default_rng(3)
    array = rng.integers(0, 255, (37, 53, 3)).astype(dtype)
    assert np.array_equal(unpack(pack(array), array.shape, dtype), array)


def test_a_part_of_an_array_packs_like_a_copy_of_it():
    array = np.arange(40 * 50, dtype=np.uint16).reshape(40, 50)
    part = array[slices_of((3, 4, 20, 30))]
    assert pack(part) == pack(part.copy())


def test_a_flat_tile_packs_to_next_to_nothing():
    assert len(pack(np.zeros((TILE_PX, TILE_PX), np.uint8))) < 400


@pytest.mark.parametrize("damage", [b"", b"\xff" * 50, None])
def test_damaged_bytes_are_refused(damage):
    data = pack(np.zeros((9, 9), np.uint8)) if damage is None else damage
    with pytest.raises(ValueError, match="tile: expected 100 bytes"):
        unpack(data, (10, 10), np.uint8)


def test_bytes_that_cannot_hold_what_they_say_are_refused_before_it_is_asked_for():
    with pytest.raises(ValueError, match=r"tile: expected \d+ bytes in LZ4, got 12, too few to hold them"):
        unpack(b"twelve bytes", (1 << 20, 1 << 20, 4), np.uint16)
    blank = np.zeros((4000, 1000), np.uint8)  # packs as far as anything can
    assert np.array_equal(unpack(pack(blank), blank.shape, np.uint8), blank)
    one = np.zeros((1, 1), np.uint8)
    assert np.array_equal(unpack(pack(one), one.shape, np.uint8), one)


def test_the_covered_box_holds_all_that_is_not_zero_and_no_more():
    plane = np.zeros((9, 12), np.uint8)
    assert covered_box(plane) is None
    assert covered_box(plane[:0]) is None
    plane[3, 4], plane[7, 1] = 1, 255
    assert covered_box(plane) == (1, 3, 5, 8)
