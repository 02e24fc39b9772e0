import numpy as np
import pytest
from PIL import Image

from engine.errors import MaskError
from engine.mask_values import selection_of
from engine.pictures import Picture, read_mask, read_official_mask, write_picture

SQUARE = np.zeros((6, 8), np.uint8)
SQUARE[2:4, 3:6] = 1
HINT = "make the pixels of one class white and all others black"


def of(pixels, has_alpha=False):
    return selection_of(pixels, has_alpha=has_alpha, name="m.png")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("white", [1, 255])
def test_the_largest_value_of_a_habit_is_white(dtype, white):
    mask = of((SQUARE * np.uint8(white)).astype(dtype))
    assert mask.dtype == np.float32
    assert np.array_equal(mask, SQUARE)


def test_an_8_bit_mask_in_16_bits_keeps_its_steps():
    assert np.allclose(of(np.array([[0, 128, 255]], np.uint16)), [[0, 128 / 255, 1]])


def test_grey_is_partly_selected():
    assert np.allclose(of(np.array([[0, 100, 128]], np.uint8)), [[0, 100 / 255, 128 / 255]])


def test_an_empty_mask_is_empty():
    assert of(np.zeros((3, 4), np.uint16)).max() == 0
    assert of(np.zeros((3, 4, 3), np.uint8)).max() == 0


@pytest.mark.parametrize("values", [[0, 2], [0, 1, 2, 20], [0, 15], [7, 33]])
def test_numbers_of_classes_are_refused(values):
    words = rf"m.png: expected a mask with white where it selects, got nothing brighter than {values[-1]} of 255; {HINT}"
    with pytest.raises(MaskError, match=words):
        of(np.array([values], np.uint8))
    with pytest.raises(MaskError, match=HINT):
        of(np.array([values], np.uint16))


@pytest.mark.parametrize("colour", [(128, 0, 0), (255, 0, 0), (0, 64, 192), (1, 30, 60)])
@pytest.mark.parametrize("scale", [1, 257])
def test_one_colour_on_black_is_selected(colour, scale):
    dtype = np.uint8 if scale == 1 else np.uint16
    pixels = (SQUARE[..., None] * np.array(colour) * scale).astype(dtype)
    assert np.array_equal(of(pixels), SQUARE)
    opaque = np.full((6, 8, 1), np.iinfo(dtype).max, dtype)
    assert np.array_equal(of(np.concatenate([pixels, opaque], axis=2), has_alpha=True), SQUARE)


def test_soft_edges_of_one_colour_are_partly_selected():
    shades = np.array([[0, 50, 100, 200]])
    pixels = (shades[..., None] * np.array([1.0, 0.5, 0.0])).astype(np.uint8)
    assert np.allclose(of(pixels), shades / 200)


def test_several_pure_colours_are_selected():
    pixels = np.array([[[255, 0, 0], [0, 0, 255], [255, 255, 255], [0, 0, 0]]], np.uint8)
    assert of(pixels).tolist() == [[1, 1, 1, 0]]


@pytest.mark.parametrize("second", [(0, 128, 0), (224, 224, 192), (255, 0, 0)])
def test_colours_of_several_classes_are_refused(second):
    pixels = np.array([[[0, 0, 0], [128, 0, 0], [0, 0, 64], second]], np.uint8)
    words = (
        f"m.png: expected a mask of white or one colour on black, got 3 colours of several strengths; {HINT}"
    )
    with pytest.raises(MaskError, match=words):
        of(pixels)


def test_grey_with_a_tint_of_a_lossy_format_is_grey():
    pixels = np.array([[[0, 0, 2], [120, 128, 125], [250, 255, 252]]], np.uint8)
    assert np.allclose(of(pixels), [[2 / 255, 128 / 255, 1]])


def test_a_photograph_counts_by_its_brightest_channel():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert np.allclose(of(pixels), pixels.max(axis=2) / 255)


def test_alpha_of_0_and_1_is_a_mask():
    pixels = np.dstack([np.full((6, 8), 90, np.uint8), SQUARE])
    assert np.array_equal(of(pixels, has_alpha=True), SQUARE)


def test_files_of_labels_select_what_they_label(tmp_path):
    Image.fromarray(SQUARE.astype(np.int32)).save(tmp_path / "a.tif")
    Image.fromarray(SQUARE.astype(np.float32)).save(tmp_path / "b.tif")
    palette = Image.fromarray(SQUARE)
    palette.putpalette([0, 0, 0, 128, 0, 0])
    palette.save(tmp_path / "c.png")
    for name in ("a.tif", "b.tif", "c.png"):
        assert np.array_equal(read_mask(tmp_path / name, size_hw=(6, 8)), SQUARE)
        inverted = read_mask(tmp_path / name, size_hw=(6, 8), invert=True)
        assert np.array_equal(inverted, 1 - SQUARE.astype(np.float32))


def test_the_published_routine_counts_the_lowest_bit_of_16(tmp_path):
    write_picture(Picture(SQUARE.astype(np.uint16), "L"), tmp_path / "a.png")
    assert np.array_equal(read_official_mask(tmp_path / "a.png", size_hw=(6, 8)), SQUARE)
