import numpy as np
import pytest

from engine.samples import Samples, divide_by_alpha, floats, whole_numbers


@pytest.mark.parametrize(
    ("pixels", "mode"), [((2, 3), "L"), ((2, 3, 2), "LA"), ((2, 3, 3), "RGB"), ((2, 3, 4), "RGBA")]
)
def test_the_shape_says_the_mode(pixels, mode):
    assert Samples(np.zeros(pixels, np.uint8)).mode == mode


@pytest.mark.parametrize("bits", range(1, 17))
def test_black_stays_black_and_white_becomes_white(bits):
    top = 2**bits - 1
    values = np.array([[0, top, top // 2]], np.uint8 if bits <= 8 else np.uint16)
    notes = []
    pixels = whole_numbers(values, bits=bits, notes=notes)
    goal = 255 if bits <= 8 else 65535
    assert pixels[0, :2].tolist() == [0, goal]
    assert pixels[0, 2] == np.rint(top // 2 * goal / top)
    assert notes == []


def test_nothing_is_copied_where_nothing_is_to_be_done():
    values = np.zeros((2, 3), np.uint16)
    assert whole_numbers(values, bits=16, notes=[]) is values


@pytest.mark.parametrize(
    ("values", "pixels", "note"),
    [
        ([[0, 300, 65535]], [[0, 300, 65535]], "32-bit values from 0 to 65535 were kept as 16 bits"),
        ([[0, 2**31, 2**32 - 1]], [[0, 32768, 65535]], "32-bit values from 0 to 4294967295 became 16 bits"),
        ([[0, 50000, 100000]], [[0, 32768, 65535]], "32-bit values from 0 to 100000 became 16 bits"),
    ],
)
def test_32_bits_count_by_what_they_use(values, pixels, note):
    notes = []
    assert whole_numbers(np.array(values, np.uint32), bits=32, notes=notes).tolist() == pixels
    assert notes == [note]


def test_32_bits_obey_the_range_that_the_file_names():
    notes = []
    values = np.array([[0, 100, 150, 300]], np.uint32)
    assert whole_numbers(values, bits=32, notes=notes, span=(100, 200)).tolist() == [[0, 0, 32768, 65535]]
    assert notes == ["32-bit values from 100 to 200 became 16 bits"]


@pytest.mark.parametrize("bits", [16, 32])
def test_signed_values_are_cut_off_at_zero_and_named_by_their_bits(bits):
    notes = []
    pixels = whole_numbers(np.array([[-5, 0, 100]], f"i{bits // 8}"), bits=bits, notes=notes)
    assert pixels.tolist() == [[0, 0, 100]]
    assert pixels.dtype == np.uint16
    assert notes[0] == f"signed {bits}-bit values were kept from 0 on, those below were cut off"


def test_bytes_that_are_called_signed_are_bytes():
    notes = []
    assert whole_numbers(np.array([[-5, 0, 100]], np.int8), bits=8, notes=notes).tolist() == [[251, 0, 100]]
    assert notes == ["signed 8-bit values were taken as unsigned"]


def test_all_signed_32_bits_reach_white():
    pixels = whole_numbers(np.array([[-(2**31), 0, 2**31 - 1]], np.int32), bits=32, notes=[])
    assert pixels.tolist() == [[0, 0, 65535]]


@pytest.mark.parametrize(
    ("values", "top"),
    [
        ([0.0, 0.5, 1.0], 1),
        ([0.0, 0.2, 0.3], 1),
        ([0.1, 0.5, 1.02], 1.02),
        ([0.0, 0.5, 8.0], 8),
        ([0.2, 0.5, 0.9, 400.0], 1),
        ([0.0, 100.0, 200.0], 255),
        ([0.0, 20000.0, 40000.0], 65535),
        ([np.nan, np.inf, 0.5], 1),
    ],
)
def test_floats_that_say_nothing_of_their_range(values, top):
    notes = []
    pixels = floats(np.array([values], np.float32), notes=notes)
    expected = np.rint(np.clip(np.nan_to_num(np.array(values) / top, posinf=1.0), 0, 1) * 65535)
    assert np.abs(pixels[0].astype(int) - expected).max() <= 1
    assert notes == [f"floats from 0 to {top:g} became 16 bits, values outside were cut off"]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_of_any_width_and_order_are_not_modified(dtype):
    values = np.array([[0.25, -1.0, np.inf, -np.inf, np.nan, 1.0]], np.dtype(dtype).newbyteorder(">"))
    before = values.copy()
    assert floats(values, notes=[]).tolist() == [[16384, 0, 65535, 0, 0, 65535]]
    assert np.array_equal(values, before, equal_nan=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_dividing_by_alpha_gives_the_colour_back(dtype):
    top = np.iinfo(dtype).max
    pixels = np.array([[[top // 2, top // 4, 0, top // 2], [9, 9, 9, 0], [top, 1, 2, top]]], dtype)
    divide_by_alpha(pixels)
    assert np.abs(pixels[0, 0].astype(int) - [top, top // 2, 0, top // 2]).max() <= 1
    assert pixels[0, 1].tolist() == [0, 0, 0, 0]
    assert pixels[0, 2].tolist() == [top, 1, 2, top]
