import numpy as np
import pytest

from engine.errors import PictureError
from engine.format_fit import as_eight_bits, as_rgb8, is_opaque, laid_on, parse_colour, without_alpha


@pytest.mark.parametrize(
    ("words", "colour"),
    [("white", (255, 255, 255)), ("Black", (0, 0, 0)), ("#10a0FF", (16, 160, 255)), (" #000000 ", (0, 0, 0))],
)
def test_colours_are_read(words, colour):
    assert parse_colour(words, "--flatten") == colour


@pytest.mark.parametrize("words", ["", "grey", "#fff", "808080", "#12345g", "#1234567", "white,black"])
def test_anything_else_is_refused_by_name(words):
    with pytest.raises(
        PictureError, match="--flatten: expected white, black or #rrggbb, got '.*'; for example #808080"
    ):
        parse_colour(words, "--flatten")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [2, 4])
def test_clear_pixels_take_the_colour_and_whole_ones_their_own(channels, dtype):
    top = np.iinfo(dtype).max
    pixels = np.random.default_rng(0).integers(0, top, (3, 2, channels), dtype)
    pixels[..., -1] = [[0, top]] * 3
    before = pixels.copy()
    laid = laid_on(pixels, (16, 160, 255))
    assert laid.shape == (3, 2, 3)
    assert laid.dtype == dtype
    assert (laid[:, 0] == np.array([16, 160, 255]) * (top // 255)).all()
    assert (laid[:, 1] == pixels[:, 1, :-1]).all()
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_half_clear_pixels_are_mixed_as_the_plain_formula_says(dtype):
    top = int(np.iinfo(dtype).max)
    pixels = np.random.default_rng(1).integers(0, top, (40, 30, 4), dtype, endpoint=True)
    share = pixels[..., 3:].astype(float) / top
    plain = pixels[..., :3] * share + np.array([200, 10, 99]) * (top / 255) * (1 - share)
    assert np.abs(laid_on(pixels, (200, 10, 99)) - plain).max() <= 0.5 + 1e-6


def test_grey_on_grey_stays_grey():
    assert laid_on(np.zeros((2, 3, 2), np.uint8), (9, 9, 9)).tolist() == [[9, 9, 9]] * 2


def test_sixteen_bits_become_the_nearest_eight():
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(as_eight_bits(values), np.rint(values / 257).astype(np.uint8))


def test_opaque_is_told_from_nearly_opaque():
    pixels = np.full((4, 4, 2), 65535, np.uint16)
    assert is_opaque(pixels)
    assert without_alpha(pixels).shape == (4, 4)
    pixels[3, 3, 1] = 65534
    assert not is_opaque(pixels)


def test_of_any_picture_the_colours_alone_are_taken_at_8_bits():
    deep = np.random.default_rng(0).integers(0, 65536, (2, 3, 4), np.uint16)
    assert np.array_equal(as_rgb8(deep), (deep[..., :3] >> 8).astype(np.uint8))
    for grey in (deep[..., 0], deep[..., :2]):
        expected = (deep[..., :1] >> 8).astype(np.uint8).repeat(3, axis=2)
        assert np.array_equal(as_rgb8(grey), expected)
    rgb = np.zeros((2, 3, 3), np.uint8)
    assert np.shares_memory(as_rgb8(rgb), rgb)
    assert as_rgb8(rgb).flags.writeable
