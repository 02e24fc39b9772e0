"""Every format into every format in every mode: pixels are the same wherever the format holds them."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.format_fit import as_eight_bits, laid_on
from engine.pictures import CHANNELS, read_picture, write_picture

FORMATS = ("JPEG", "PNG8", "PNG16", "WebP", "TIFF8", "TIFF16", "BMP")
ENDINGS = {
    "JPEG": ".jpg",
    "WebP": ".webp",
    "BMP": ".bmp",
    "PNG8": ".png",
    "PNG16": ".png",
    "TIFF8": ".tif",
    "TIFF16": ".tif",
}
WHITE = (255, 255, 255)


def source(path, kind, mode):
    """A file of a smooth picture, written by others than us; None where the format has no such mode."""
    is_deep = kind.endswith("16")
    ramp = np.add.outer(np.arange(20) * 5, np.arange(16) * 9)[..., None] + np.arange(CHANNELS[mode]) * 7
    pixels = (ramp * 257 if is_deep else ramp).astype(np.uint16 if is_deep else np.uint8)
    if mode.endswith("A") and kind in ("JPEG", "BMP"):
        return None
    if kind.startswith("TIFF"):
        extra = ["unassalpha"] if mode.endswith("A") else None
        photometric = "rgb" if mode.startswith("RGB") else "minisblack"
        tifffile.imwrite(
            path, pixels if mode != "L" else pixels[..., 0], photometric=photometric, extrasamples=extra
        )
    elif kind == "PNG16" and mode != "LA":
        order = {"L": [0], "RGB": [2, 1, 0], "RGBA": [2, 1, 0, 3]}[mode]
        assert cv2.imwrite(str(path), pixels[..., order])
    elif kind == "PNG16":
        return None  # nobody here writes it but us
    else:
        way = {"lossless": True, "exact": True} if kind == "WebP" else {}
        Image.fromarray(pixels[..., 0] if mode == "L" else pixels, mode=None).save(path, **way)
    return path


def expected(pixels, kind):
    """What a format makes of pixels, by plain steps."""
    is_clear = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
    if is_clear and kind in ("JPEG", "BMP"):
        pixels = laid_on(pixels, WHITE)
    if pixels.dtype == np.uint16 and kind in ("JPEG", "BMP", "WebP"):
        pixels = as_eight_bits(pixels)
    if kind == "WebP" and pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    if (kind == "WebP" or (kind.startswith("TIFF") and pixels.dtype == np.uint16)) and pixels.shape[2:] == (
        2,
    ):
        pixels = pixels[..., [0, 0, 0, 1]]
    return pixels


@pytest.mark.parametrize("goal", FORMATS)
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("mode", CHANNELS)
def test_pixels_are_the_same_wherever_the_format_holds_them(tmp_path, mode, kind, goal):
    made = source(tmp_path / f"a{ENDINGS[kind]}", kind, mode)
    if made is None:
        return
    picture = read_picture(made)
    out = tmp_path / f"b{ENDINGS[goal]}"
    needs_colour = picture.has_alpha and goal in ("JPEG", "BMP")
    write_picture(picture, out, flatten_rgb=WHITE if needs_colour else None)
    read, wanted = read_picture(out), expected(picture.pixels, goal)
    assert read.pixels.shape == wanted.shape
    if goal == "JPEG":
        assert np.abs(read.pixels.astype(int) - wanted.astype(int)).max() <= 12
    else:
        assert read.pixels.dtype == wanted.dtype
        assert np.array_equal(read.pixels, wanted)
    if goal.startswith("TIFF"):
        assert np.array_equal(tifffile.imread(out), wanted)
