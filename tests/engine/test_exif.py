import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import PictureError
from engine.exif import PREFIX, orientation_of, turned, with_orientation_reset


def exif_bytes(orientation, order="<", kind=3):
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    maker = struct.pack(f"{order}HHI4s", 271, 2, 4, b"ACM\0")
    entry = struct.pack(f"{order}HHIHH", 274, kind, 1, orientation, 0)
    return mark + struct.pack(f"{order}IH", 8, 2) + maker + entry + bytes(4) + b"maker notes"


@pytest.mark.parametrize("prefix", [b"", PREFIX])
@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_is_read_and_reset_and_nothing_else_changes(order, prefix):
    exif = prefix + exif_bytes(6, order)
    assert orientation_of(exif) == 6
    assert with_orientation_reset(exif) == prefix + exif_bytes(1, order)


@pytest.mark.parametrize("exif", [None, b"", b"Exif\0\0", b"II*\0", b"II*\0\xff\xff\xff\xff", b"nonsense"])
def test_data_that_says_nothing_means_as_it_is(exif):
    assert orientation_of(exif) == 1
    assert exif is None or with_orientation_reset(exif) == exif


@pytest.mark.parametrize("exif", [exif_bytes(0), exif_bytes(9), exif_bytes(6, kind=4)])
def test_a_number_nobody_knows_means_as_it_is(exif):
    assert orientation_of(exif) == 1


@given(st.binary(max_size=60), st.integers(0, 60))
def test_any_bytes_are_survived(data, cut):
    for exif in (data, b"II*\0" + data, exif_bytes(6)[:cut]):
        assert 1 <= orientation_of(exif) <= 8
        assert len(with_orientation_reset(exif)) == len(exif)


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
