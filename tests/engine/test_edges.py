import numpy as np
import pytest

from engine.edges import canny, luma
from engine.errors import PictureError


def test_luma_weighs_the_channels_and_scales_to_one():
    image = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    assert np.allclose(luma(image), [[0.2125, 0.7154, 0.0721, 1.0]], atol=1e-12)
    assert np.allclose(luma(image.astype(np.uint16) * 257), luma(image), atol=1e-12)
    assert np.allclose(luma(image / 255.0), luma(image), atol=1e-12)
    assert luma(image).dtype == np.float64


def test_gray_and_alpha_pictures_keep_their_gray():
    gray = np.arange(12, dtype=np.uint8).reshape(3, 4)
    alpha = np.full_like(gray, 7)
    assert np.array_equal(luma(gray), gray / 255.0)
    assert np.array_equal(luma(np.dstack((gray, alpha))), gray / 255.0)
    rgb = np.random.default_rng(0).integers(0, 256, (5, 6, 3), np.uint8)
    assert np.array_equal(luma(np.dstack((rgb, rgb[..., 0]))), luma(rgb))


def test_a_step_is_one_thin_line_and_its_mask_removes_it():
    gray = np.zeros((40, 40))
    gray[:, 20:] = 1.0
    edges = canny(gray)
    assert edges.dtype == np.bool_
    assert edges[10:30, 18:22].any(axis=1).all()
    assert not edges[:, :18].any()
    assert not edges[:, 22:].any()
    known = np.ones((40, 40), np.uint8)
    known[:, 15:25] = 0
    assert not canny(gray, known=known).any()


def test_what_is_not_a_picture_is_refused_by_name():
    with pytest.raises(
        PictureError, match=r"image: expected a picture, got shape \(2, 3, 5\); give \(H, W\) or"
    ):
        luma(np.zeros((2, 3, 5), np.uint8))
    with pytest.raises(
        PictureError, match=r"image: expected a picture, got values of type int64; give \(H, W\)"
    ):
        luma(np.zeros((2, 3), np.int64))
    with pytest.raises(
        PictureError, match=r"gray: expected shape \(H, W\), got shape \(2, 2, 3\); turn it into gray"
    ):
        canny(np.zeros((2, 2, 3)))
    with pytest.raises(
        PictureError, match=r"known: expected shape \(4, 4\), got shape \(4, 5\); one value a pixel"
    ):
        canny(np.zeros((4, 4)), known=np.ones((4, 5)))


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(
    ("name", "sigma", "is_masked"),
    [
        ("plain", 2.0, False),
        ("masked", 2.0, True),
        ("plain_sigma1", 1.0, False),
        ("plain_sigma3", 3.0, False),
        ("masked_sigma1", 1.0, True),
    ],
)
def test_edges_are_those_of_the_published_loader(parity, number, name, sigma, is_masked):
    cases = parity.cases("edgeconnect")
    gray = cases[f"canny/{number}/gray"].astype(np.float64)
    known = cases[f"canny/{number}/hole"] == 0 if is_masked else None
    edges = canny(gray, sigma=sigma, known=known)
    assert np.array_equal(edges, cases[f"canny/{number}/{name}"] > 0)


@pytest.mark.parametrize("number", [0, 1])
def test_gray_is_that_of_the_published_loader(parity, number):
    cases = parity.cases("edgeconnect")
    gray = luma(cases[f"pipeline/{number}/picture"])
    assert np.abs(gray - cases[f"pipeline/{number}/gray"][0, 0]).max() < 1e-6
