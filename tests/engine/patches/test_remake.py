"""The door of the instant mode: small pictures, all shapes."""

import numpy as np
import pytest
import torch

from engine.patches.remake import Remade, remake
from engine.progress import Cancelled, Progress, Steps

CPU = torch.device("cpu")


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Coloured blobs on a slope: no two patches alike."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    made = np.stack([y / height, x / width, (x + y) / (height + width)], 2).astype(np.float32) * 0.4
    for _ in range(12):
        cy, cx, size = random.uniform(0, height), random.uniform(0, width), random.uniform(2, 6)
        blob = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * size**2))[..., None]
        made += (blob * random.uniform(-0.3, 0.6, 3)).astype(np.float32)
    return np.clip(made, 0, 1).astype(np.float32)


def make(image: np.ndarray, size_hw: tuple[int, int], **options) -> Remade:
    return remake(image, size_hw, device=CPU, steps=Steps(1, None, None), **options)


def check(made: Remade, image: np.ndarray, size_hw: tuple[int, int]) -> None:
    height, width = image.shape[:2]
    assert made.image.shape == (*size_hw, 3)
    assert made.image.dtype == np.float32
    assert np.isfinite(made.image).all()
    assert made.image.min() >= 0
    assert made.image.max() <= 1
    assert made.field_xy.shape == (*size_hw, 2)
    assert made.field_xy.dtype == np.int32
    assert made.field_xy.min() >= 0
    assert made.field_xy[..., 0].max() < width
    assert made.field_xy[..., 1].max() < height
    assert made.novelty.shape == size_hw
    assert made.novelty.dtype == np.float32
    assert made.novelty.min() >= 0
    assert made.novelty.max() <= 1


def test_the_source_at_its_own_size_comes_back():
    image = picture(48, 56)
    made = make(image, (48, 56))
    check(made, image, (48, 56))
    assert np.abs(made.image - image).max() < 0.02
    y, x = np.mgrid[:48, :56]
    assert (made.field_xy == np.stack([x, y], 2)).mean() > 0.98
    assert made.novelty.mean() < 0.02


@pytest.mark.parametrize("size_hw", [(48, 112), (32, 48), (33, 71), (96, 32)])
def test_other_sizes_are_made_from_colours_of_the_source(size_hw: tuple[int, int]):
    image = picture(48, 56)
    made = make(image, size_hw)
    check(made, image, size_hw)
    copied = image[made.field_xy[..., 1], made.field_xy[..., 0]]
    assert np.abs(copied - made.image).mean() < 0.03


def test_the_same_seed_gives_the_same_picture_and_the_input_stays():
    image = picture(64, 60)
    before = image.copy()
    first, second = make(image, (60, 100), seed=3), make(image, (60, 100), seed=3)
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.field_xy, second.field_xy)
    np.testing.assert_array_equal(image, before)


def test_progress_rises_to_the_end():
    said: list[Progress] = []
    remake(picture(40, 40), (40, 64), device=CPU, steps=Steps(1, said.append, None))
    shares = [one.share for one in said]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert any(one.preview is not None for one in said)


def test_a_request_to_stop_is_met():
    calls = 0

    def is_cancelled() -> bool:
        nonlocal calls
        calls += 1
        return calls > 20

    with pytest.raises(Cancelled):
        remake(picture(40, 40), (40, 64), device=CPU, steps=Steps(1, None, is_cancelled))
    assert calls == 21
