"""Each measure against a value worked by hand, a plain twin, or a closed form."""

import math

import numpy as np
import pytest

from engine.evaluation import measures


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    truth = rng.random((2, 24, 20, 3))
    return np.clip(truth + rng.normal(0, 0.1, truth.shape), 0, 1), truth


def middle_hole(k=1, h=24, w=20):
    hole = np.zeros((k, h, w), bool)
    hole[:, 8:16, 6:14] = True
    return hole


def test_psnr_of_a_tenth_everywhere_is_20_db():
    assert measures.psnr(np.full((1, 4, 4, 3), 0.6), np.full((1, 4, 4, 3), 0.5)) == pytest.approx([20.0])


def test_psnr_of_one_wrong_pixel_in_four():
    truth, result = np.zeros((1, 2, 2)), np.zeros((1, 2, 2))
    result[0, 0, 0] = 1.0
    assert measures.psnr(result, truth) == pytest.approx([10 * math.log10(4)])


def test_equal_pictures_are_perfect(pair):
    _, truth = pair
    hole = middle_hole(2)
    assert np.isposinf(measures.psnr(truth, truth)).all()
    assert measures.hole_l1(truth, truth, hole) == pytest.approx([0, 0])
    for values in measures.ssim(truth, truth, hole):
        assert values == pytest.approx([1, 1], abs=1e-6)


def test_hole_l1_looks_at_the_hole_alone():
    truth, result = np.zeros((1, 2, 2, 3)), np.zeros((1, 2, 2, 3))
    hole = np.array([[[True, True], [False, False]]])
    result[0, 0, 0] = (0.3, 0.6, 0.0)  # mean 0.3 at one of two hole pixels
    result[0, 1, 1] = 1.0  # known: not looked at
    assert measures.hole_l1(result, truth, hole) == pytest.approx([0.15])


def plain_ssim_at(a, b, row, column):
    """One pixel of one channel by the formula of the paper, weights written out; away from the border."""
    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weights = np.outer(taps, taps) / np.outer(taps, taps).sum()
    a, b = (x[row - 5 : row + 6, column - 5 : column + 6] for x in (a, b))
    mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
    var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
    covariance = (weights * (a - mean_a) * (b - mean_b)).sum()
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return luminance * (2 * covariance + c2) / (var_a + var_b + c2)


def test_hole_ssim_equals_its_plain_twin(pair):
    result, truth = pair
    hole = middle_hole(2)
    _, in_hole = measures.ssim(result, truth, hole)
    for k in range(2):
        values = [
            plain_ssim_at(result[k, :, :, c], truth[k, :, :, c], row, column)
            for row, column in np.argwhere(hole[k])
            for c in range(3)
        ]
        assert in_hole[k] == pytest.approx(np.mean(values), abs=1e-4)


def test_frame_ssim_equals_scikit_image_away_from_the_border(pair):
    """The two reflect differently at the border, so only pixels that do not see it are compared."""
    from skimage.metrics import structural_similarity

    result, truth = pair
    inner = np.zeros((2, 24, 20), bool)
    inner[:, 5:-5, 5:-5] = True
    _, ours = measures.ssim(result, truth, inner)
    for k in range(2):
        theirs, full = structural_similarity(
            result[k], truth[k], data_range=1.0, gaussian_weights=True, use_sample_covariance=False,
            channel_axis=-1, full=True,
        )  # fmt: skip
        assert ours[k] == pytest.approx(full.mean(axis=-1)[inner[k]].mean(), abs=1e-4)


def test_damage_outside_the_hole_lowers_the_frame_alone(pair):
    _, truth = pair
    result = truth.copy()
    result[:, 0:2, 0:2] = 0
    frame, in_hole = measures.ssim(result, truth, middle_hole(2))
    assert (frame < 0.995).all()
    assert in_hole == pytest.approx([1, 1], abs=1e-6)


def test_edges_are_counted_from_one_half_on_and_inside_the_hole():
    hole = np.array([[[1, 1, 1, 1], [0, 0, 0, 0]]], bool)
    edges = np.array([[[0.5, 0.9, 0.49, 0.6], [1, 1, 1, 1]]])
    truth = np.array([[[1, 0, 1, 1], [1, 0, 0, 0]]], bool)
    both, found, true = measures.edge_counts(edges, truth, hole)[0]
    assert (both, found, true) == (2, 3, 3)
    assert measures.share(both, found) == pytest.approx(2 / 3)


def test_a_share_of_nothing_is_none():
    assert measures.share(0, 0) is None


def test_official_mae_is_the_formula():
    a, b = np.array([[[0.2, 0.8]]]), np.array([[[0.4, 0.6]]])
    assert measures.official_mae(a, b) == pytest.approx([0.4 / 2.0])
    assert measures.official_mae(np.zeros((1, 2, 2)), np.zeros((1, 2, 2))) == pytest.approx([0])


def test_official_ssim_is_the_uniform_window_of_51():
    """Sides of 51 leave one window, so the value can be written out: sample variances over all pixels."""
    rng = np.random.default_rng(1)
    a, b = rng.random((51, 51)), rng.random((51, 51))
    c1, c2 = 0.01**2, 0.03**2
    covariance = np.cov(a.ravel(), b.ravel())
    expected = (2 * a.mean() * b.mean() + c1) * (2 * covariance[0, 1] + c2)
    expected /= (a.mean() ** 2 + b.mean() ** 2 + c1) * (covariance[0, 0] + covariance[1, 1] + c2)
    assert measures.official_ssim(a[None], b[None]) == pytest.approx([expected], abs=1e-9)


def test_fid_of_one_dimension_is_the_closed_form():
    rng = np.random.default_rng(2)
    a, b = rng.normal(0, 1, (200, 1)), rng.normal(3, 2, (300, 1))
    expected = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert measures.fid(a, b) == pytest.approx(expected, rel=1e-6)


def test_fid_of_equal_sets_is_zero_even_with_fewer_pictures_than_features():
    vectors = np.random.default_rng(3).random((6, 32))
    assert measures.fid(vectors, vectors) == pytest.approx(0, abs=1e-5)


def test_fid_of_one_picture_is_not_there():
    assert measures.fid(np.ones((1, 4)), np.ones((5, 4))) is None
