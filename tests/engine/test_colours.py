import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage.color import rgb2lab

from engine.colours import colours_of_palette, rgb_of_cmyk, rgb_of_lab


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_inks_without_a_profile_follow_the_plain_formula(dtype):
    top = np.iinfo(dtype).max
    cmyk = np.random.default_rng(0).integers(0, top, (9, 7, 4), dtype=dtype, endpoint=True)
    before, notes = cmyk.copy(), []
    rgb = rgb_of_cmyk(cmyk, None, notes)
    light = 1 - cmyk / top
    assert np.abs(rgb / top - light[..., :3] * light[..., 3:]).max() <= 1 / top
    assert notes == ["CMYK became RGB without a profile, colours are approximate"]
    assert np.array_equal(cmyk, before)


@pytest.mark.parametrize(
    "profile", [b"", b"no profile", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()]
)
def test_a_profile_of_other_colours_is_not_used(profile):
    notes = []
    assert rgb_of_cmyk(np.zeros((2, 2, 4), np.uint8), profile, notes).min() == 255
    assert notes == ["CMYK became RGB without a profile, colours are approximate"]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_greys_of_lab_agree_with_scikit_image(dtype):
    grey = np.repeat(np.linspace(0, 1, 30)[None, :, None], 3, axis=2)
    lab = rgb2lab(grey).astype(np.float32)
    pixels = np.empty((1, 30, 3), dtype)
    rgb_of_lab(lab[..., 0], np.zeros((1, 30, 2), np.float32), pixels)
    assert np.abs(pixels / np.iinfo(dtype).max - grey).max() < 0.002


def test_lab_agrees_with_littlecms_inside_the_colours_of_a_screen():
    rgb = np.random.default_rng(1).integers(20, 236, (20, 30, 3), dtype=np.uint8)
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.applyTransform(Image.fromarray(rgb), ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
    stored = np.asarray(image)
    pixels = np.empty_like(rgb)
    rgb_of_lab(
        stored[..., 0] * np.float32(100 / 255), stored[..., 1:].view(np.int8).astype(np.float32), pixels
    )
    back = np.asarray(ImageCms.applyTransform(image, ImageCms.buildTransform(lab, srgb, "LAB", "RGB")))
    difference = np.abs(
        pixels.astype(int) - back
    )  # littlecms goes by tables, and is coarse beside strong colours
    assert difference.mean() < 0.6
    assert np.abs(pixels.astype(int) - rgb).mean() <= np.abs(back.astype(int) - rgb).mean() + 0.05


def test_a_table_of_either_range():
    table = np.array([[0, 65535, 256], [65535, 0, 0]], np.uint16)
    indices = np.array([[0, 1]])
    assert colours_of_palette(indices, table).tolist() == [[[0, 255, 1], [255, 0, 0]]]
    assert colours_of_palette(indices, table >> 8).tolist() == [[[0, 255, 1], [255, 0, 0]]]
