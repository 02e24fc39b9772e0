import cv2
import numpy as np
import pytest
from skimage.measure import label
from skimage.morphology import thin

from engine.edges import canny, centre_lines, luma
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


# Drawn lines ----------------------------------------------------------------------------------------------------------


def drawn(*lines, size_hw=(90, 120), width=3, kind=cv2.LINE_AA):
    plane = np.zeros(size_hw, np.uint8)
    for start, end in lines:
        cv2.line(plane, start, end, 255, width, kind)
    return plane.astype(np.float32) / 255


@pytest.mark.parametrize("width", [3, 4, 9, 24])
@pytest.mark.parametrize("end", [(100, 45), (100, 80), (60, 80), (20, 70)])
def test_a_broad_line_becomes_its_middle(width, end):
    line = drawn(((20, 20), end), width=width)
    thin = centre_lines(line)
    marked = thin > 0
    assert thin[marked].min() >= 0.5
    blocks = np.lib.stride_tricks.sliding_window_view(marked, (2, 2)).all(axis=(2, 3))
    assert blocks.sum() <= 2, "one pixel broad"
    assert label(marked, connectivity=2).max() == 1, "in one piece"
    length = np.hypot(end[0] - 20, end[1] - 20)
    assert marked.sum() >= 0.6 * max(abs(end[0] - 20), abs(end[1] - 20))
    y, x = np.nonzero(marked)
    away = np.abs((end[0] - 20) * (20 - y) - (20 - x) * (end[1] - 20)) / length
    inner = np.hypot(x - 20, y - 20) < length - width
    inner &= np.hypot(x - 20, y - 20) > width
    assert away[inner].max() <= 1.5


@pytest.mark.parametrize("seed", range(4))
def test_lines_are_thinned_as_the_usual_library_does(seed):
    rng = np.random.default_rng(seed)
    ends = [tuple(map(tuple, rng.integers(2, 88, (2, 2)).tolist())) for _ in range(5)]
    lines = drawn(*ends, width=int(rng.integers(4, 12)), kind=cv2.LINE_8)
    assert np.array_equal(centre_lines(lines) > 0, thin(lines > 0))


def test_lines_of_an_edge_map_are_left_as_they_are():
    found = canny(np.random.default_rng(3).random((80, 90)), sigma=2.0).astype(np.float32)
    assert found.any()
    assert centre_lines(found) is found
    soft = cv2.GaussianBlur(found, (3, 3), 0.8)
    assert centre_lines(soft) is soft
    nothing = np.zeros((20, 30), np.float32)
    assert centre_lines(nothing) is nothing


def test_a_broad_line_leaves_a_soft_one_beside_it_alone():
    lines = drawn(((10, 10), (100, 10)), width=5)
    lines[60, 10:100] = 0.3
    lines[61, 10:100] = 0.6
    before = lines.copy()
    thinned = centre_lines(lines)
    assert np.array_equal(thinned[40:], before[40:])
    assert np.array_equal(lines, before), "the input is not modified"
    assert (thinned[:30] > 0).sum() < 100


def test_a_line_that_leaves_the_frame_reaches_its_border():
    lines = np.zeros((40, 60), np.float32)
    lines[:, 28:33] = 1
    thinned = centre_lines(lines)
    assert thinned[5:35].any(axis=1).all()
    assert (thinned[5:35] > 0).sum() == 30
