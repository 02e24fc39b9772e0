import io

import numpy as np
import pytest
from PIL import Image

from engine.edges import canny, luma
from engine.errors import PictureError
from engine.training.samples.inpaint import InpaintSamples, fit_shorter_side
from engine.training.sources import PictureFile
from engine.training.store import PictureStore


def png(pixels: np.ndarray) -> io.BytesIO:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    content.seek(0)
    return content


@pytest.fixture
def pixels():
    rng = np.random.default_rng(0)
    return np.kron(rng.integers(0, 256, (6, 8, 3), np.uint8), np.ones((8, 8, 1), np.uint8))


def test_image_and_edges_are_cut_and_mirrored_together(pixels):
    maker = InpaintSamples(size=32)
    picture = maker.decode(png(pixels))
    work = fit_shorter_side(pixels, 32, 40)
    edges = canny(luma(work))
    mirrored = 0
    for position in range(12):
        sample = maker.make(np.random.default_rng(position), picture)
        found = [
            (top, left, turn)
            for top in range(work.shape[0] - 31)
            for left in range(work.shape[1] - 31)
            for turn in (1, -1)
            if np.array_equal(work[top : top + 32, left : left + 32][:, ::turn], sample["image"])
        ]
        assert len(found) == 1
        top, left, turn = found[0]
        mirrored += turn == -1
        cut = edges[top : top + 32, left : left + 32][:, ::turn]
        assert np.array_equal(sample["edges"][..., 0], cut * 255)
    assert 0 < mirrored < 12


def test_the_hole_keeps_the_asked_share(pixels):
    maker = InpaintSamples(size=32, mask_ratio=(0.2, 0.3))
    picture = maker.decode(png(pixels))
    shares = []
    for position in range(40):
        hole = maker.make(np.random.default_rng(position), picture)["hole"]
        assert hole.shape == (32, 32, 1)
        assert set(np.unique(hole)) <= {0, 255}
        shares.append(float((hole > 0).mean()))
    halves = [share for share in shares if share == 0.5]
    assert all(0.2 <= share <= 0.3 for share in shares if share != 0.5)
    assert len(halves) < 20


@pytest.mark.parametrize(
    ("size_hw", "expected"),
    [
        ((48, 64), (40, 53)),
        ((40, 40), (40, 40)),
        ((20, 10), (64, 32)),
        ((33, 100), (33, 100)),
        ((200, 41), (195, 40)),
    ],
)
def test_the_shorter_side_comes_into_range(size_hw, expected):
    pixels = np.zeros((*size_hw, 3), np.uint8)
    assert fit_shorter_side(pixels, 32, 40).shape[:2] == expected


def test_a_picture_smaller_than_the_cut_is_enlarged(pixels):
    maker = InpaintSamples(size=96)
    sample = maker.make(np.random.default_rng(0), maker.decode(png(pixels)))
    assert sample["image"].shape == (96, 96, 3)


def test_masks_of_a_folder_become_holes(pixels):
    mask = np.zeros((64, 64), np.uint8)
    mask[8:40, 8:40] = 3  # anything above black counts
    files = [PictureFile("m.png", None, held=png(mask).read())]
    store = PictureStore(files, InpaintSamples(size=32).decode_mask, 1 << 14)
    maker = InpaintSamples(size=32, mask_ratio=(0.0, 0.9), masks=store)
    picture = maker.decode(png(pixels))
    holes = [maker.make(np.random.default_rng(n), picture)["hole"][..., 0] for n in range(12)]
    for hole in holes:
        rows, columns = np.nonzero(hole)
        assert hole[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].all()
    assert len({hole.tobytes() for hole in holes}) > 4


def test_masks_that_never_fit_the_ratio_give_way_to_drawn_ones(pixels):
    mask = np.zeros((64, 64), np.uint8)
    mask[:4] = 255
    files = [PictureFile("m.png", None, held=png(mask).read())]
    store = PictureStore(files, InpaintSamples(size=32).decode_mask, 1 << 14)
    maker = InpaintSamples(size=32, mask_ratio=(0.4, 0.5), masks=store)
    hole = maker.make(np.random.default_rng(0), maker.decode(png(pixels)))["hole"]
    assert 0.4 <= (hole > 0).mean() <= 0.5


@pytest.mark.parametrize("value", [0, 255])
def test_a_mask_of_one_value_is_no_mask(value):
    mask = np.full((40, 40), value, np.uint8)
    with pytest.raises(
        PictureError, match=r"mask: expected black where known, white where not, got one value all ov"
    ):
        InpaintSamples(size=32).decode_mask(png(mask))
