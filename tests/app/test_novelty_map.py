from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.novelty_map import DARK, LIGHT, map_image, swatch_image
from app.theme import contrast

SAMPLES = Path(__file__).parents[2] / "resources" / "samples"


def hex_of(rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*(int(part) for part in rgb))


def over(picture, image) -> np.ndarray:
    """(h, w, 3) in [0, 255]: a picture below the map."""
    bits = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    colours, alpha = bits[..., 2::-1].astype(float), bits[..., 3:] / 255
    return colours + picture * (1 - alpha)


def test_the_map_is_clear_where_pixels_were_copied_or_are_none():
    novelty = np.zeros((40, 60), np.uint8)
    novelty[:, :20], novelty[:, 20:40], novelty[:, 40:] = 9, 40, 255
    counted = np.ones((40, 60), bool)
    counted[:, 50:] = False
    image = map_image(novelty, counted)
    times = image.width() // 60
    alphas = [image.pixelColor(column * times, 20 * times).alpha() for column in (10, 30, 45, 55)]
    assert alphas[0] == alphas[3] == 0
    assert alphas[2] > alphas[1] > 0


def test_the_map_of_a_large_picture_is_small_and_that_of_a_tiny_one_large_enough_for_stripes():
    image = map_image(np.full((100, 4096), 255, np.uint8), np.ones((100, 4096), bool))
    assert (image.width(), image.height()) == (1024, 25)
    image = map_image(np.full((20, 40), 255, np.uint8), np.ones((20, 40), bool))
    assert (image.width(), image.height()) == (760, 380)


@pytest.mark.parametrize("size_hw", [(33, 47), (1, 5000), (5000, 1), (767, 1025)])
def test_maps_of_any_size_have_their_shape(size_hw):
    image = map_image(np.full(size_hw, 255, np.uint8), np.ones(size_hw, bool))
    assert max(image.width(), image.height()) <= 1024
    assert image.pixelColor(image.width() // 2, image.height() // 2).alpha() > 200


@pytest.mark.parametrize(
    "name", ["coffee.png", "rocket.jpg", "astronaut.png", "chelsea.png", "brick.png", "gravel.png"]
)
def test_one_of_both_stripes_stands_out_from_every_sample(name):
    """On a warm photo, a night sky and grey stone: each place has a stripe of other brightness, and of another hue or none."""
    picture = np.asarray(Image.open(SAMPLES / name).convert("RGB").resize((96, 96))).astype(float)
    whole = np.full((96, 96), 255, np.uint8)
    seen = {ink: picture * (1 - 225 / 255) + np.array(ink) * 225 / 255 for ink in (LIGHT, DARK)}
    assert contrast(hex_of(LIGHT), hex_of(DARK)) > 7
    worst = min(
        max(contrast(hex_of(seen[ink][y, x]), hex_of(picture[y, x])) for ink in seen)
        for y in range(0, 96, 6)
        for x in range(0, 96, 6)
    )
    assert worst > 2.5, "the brightness of one stripe differs from what is below, whatever that is"
    image = map_image(whole, whole > 0)
    assert over(np.zeros((image.height(), image.width(), 3)), image).std() > 30, (
        "stripes, seen without colour"
    )


def test_the_legend_shows_what_the_map_shows():
    image = swatch_image((22, 14))
    assert (image.width(), image.height()) == (22, 14)
    shades = {image.pixelColor(x, 7).lightness() > 100 for x in range(22)}
    assert shades == {True, False}
