"""Warps: published numbers, the general homography by hand and both ways, masks, messages."""

import math

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.errors import ModelsError, OptionError, ShapeError
from models.retarget.warp import (
    check_corners,
    corner_grid,
    corner_homography,
    corner_mask,
    inverse_corners,
    resize,
    shift_homography,
    transform_points,
    warp_by_shifts,
    warp_to_corners,
)

SHIFT_CASES = [
    ((12, 20), (0.0, 0.0)),
    ((16, 30), (0.3, -0.3)),
    ((9, 25), (0.35, -0.1)),
    ((12, 20), (0.4, 0.4)),
    ((20, 12), (-0.45, 0.2)),
]
UNIT = torch.tensor([[0.0, 0], [1, 0], [1, 1], [0, 1]], dtype=torch.float64)


@pytest.mark.parametrize(("number", "size_hw", "shifts"), [(i, *case) for i, case in enumerate(SHIFT_CASES)])
def test_shifts_warp_as_published(parity, number, size_hw, shifts):
    features = parity.array("ingan/warp/features", (1, 5, 12, 20))
    warped = warp_by_shifts(features, size_hw, shifts)
    torch.testing.assert_close(warped, parity.case("ingan", f"warp/{number}"), atol=5e-5, rtol=0)


@pytest.mark.parametrize(
    ("number", "shifts"), [(0, (0.3, -0.1)), (1, (0.25, 0.25)), (2, (-0.3, 0.15)), (3, (0.6, 0.2))]
)
def test_shifts_make_the_published_matrix(parity, number, shifts):
    expected = parity.case("ingan", f"homography/{number}")
    torch.testing.assert_close(shift_homography(shifts).float(), expected, atol=1e-6, rtol=0)


def test_opposite_shifts_undo_a_shear_and_only_nearly_a_taper():
    shear = shift_homography((0.3, -0.3)) @ shift_homography((-0.3, 0.3))
    torch.testing.assert_close(shear, torch.eye(3, dtype=torch.float64))
    taper = shift_homography((0.3, 0.3)) @ shift_homography((-0.3, -0.3))
    error = (taper / taper[2, 2] - torch.eye(3, dtype=torch.float64)).abs().max()
    assert 0.05 < error < 0.15


@pytest.mark.parametrize("shifts", [(1.0, 0.0), (0.2, -1.5), (0.5, 0.5), (-0.6, -0.6), (math.nan, 0.0)])
def test_shifts_that_turn_the_map_over_are_refused(shifts):
    words = r"^shifts: expected two numbers in \(-1, 1\) whose sum is too, got \(.*\); 0 leaves a side"
    with pytest.raises(OptionError, match=words):
        warp_by_shifts(torch.zeros(1, 1, 8, 8), (8, 8), shifts)


def points_of(flat: list[float]) -> torch.Tensor:
    return torch.tensor(flat, dtype=torch.float64).reshape(4, 2)


@st.composite
def quadrilaterals(draw) -> torch.Tensor:
    """A rectangle with every corner moved by less than a quarter: always convex."""
    w, h = draw(st.floats(8, 300)), draw(st.floats(8, 300))
    left, top = draw(st.floats(-100, 100)), draw(st.floats(-100, 100))
    moves = points_of([draw(st.floats(-0.24, 0.24)) for _ in range(8)])
    size = torch.tensor([w, h], dtype=torch.float64)
    return (UNIT + moves) * size + torch.tensor([left, top], dtype=torch.float64)


@settings(max_examples=60, deadline=None)
@given(quadrilaterals())
def test_homography_meets_the_corners_and_its_inverse_leads_back(corners):
    matrix = corner_homography(corners)
    torch.testing.assert_close(transform_points(matrix, UNIT), corners[None], atol=1e-7, rtol=1e-9)
    inside = torch.rand((1, 20, 2), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    back = transform_points(torch.linalg.inv(matrix), transform_points(matrix, inside))
    torch.testing.assert_close(back, inside, atol=1e-9, rtol=0)


@settings(max_examples=60, deadline=None)
@given(quadrilaterals())
def test_inverse_corners_undo_the_warp_of_every_point(corners):
    """A point of the picture goes into the frame, and from the frame back to where it was."""
    size_hw, back_hw = (40, 56), (30, 20)
    try:
        inverse = inverse_corners(corners, size_hw, back_hw)
    except OptionError:  # the frame reaches behind the horizon
        assume(False)
    inside = torch.rand((1, 20, 2), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    in_frame = transform_points(corner_homography(corners), inside)
    back = transform_points(corner_homography(inverse), in_frame / torch.tensor([56.0, 40.0]))
    expected = inside * torch.tensor([20.0, 30.0])
    torch.testing.assert_close(back, expected, atol=1e-5, rtol=1e-5)


def test_homography_agrees_with_solving_eight_equations():
    corners = points_of([3, 5, 60, -4, 70, 40, -6, 33])
    rows, right = [], []
    for (u, v), (x, y) in zip(UNIT.tolist(), corners.tolist(), strict=True):
        rows += [[u, v, 1, 0, 0, 0, -u * x, -v * x], [0, 0, 0, u, v, 1, -u * y, -v * y]]
        right += [x, y]
    system, wanted = (torch.tensor(part, dtype=torch.float64) for part in (rows, right))
    solved = torch.cat((torch.linalg.solve(system, wanted), torch.ones(1, dtype=torch.float64)))
    torch.testing.assert_close(corner_homography(corners)[0], solved.reshape(3, 3))


@pytest.mark.parametrize("size_hw", [(12, 20), (30, 17), (5, 33)])
def test_corners_of_the_frame_are_a_resize(size_hw):
    h, w = size_hw
    features = torch.rand((2, 3, 12, 20), generator=torch.Generator().manual_seed(1))
    warped = warp_to_corners(features, size_hw, [[0, 0], [w, 0], [w, h], [0, h]])
    torch.testing.assert_close(warped, resize(features, size_hw), atol=1e-5, rtol=0)


def test_a_picture_put_into_a_window_is_that_picture_there():
    features = torch.rand((1, 2, 6, 8), generator=torch.Generator().manual_seed(1))
    corners = [[5, 3], [13, 3], [13, 9], [5, 9]]
    warped = warp_to_corners(features, (16, 20), corners)
    torch.testing.assert_close(warped[..., 3:9, 5:13], features, atol=1e-5, rtol=0)
    # and around it the same picture mirrored
    torch.testing.assert_close(warped[..., 3:9, 13:20], features.flip(3)[..., :7], atol=1e-5, rtol=0)
    mask = corner_mask(corners, (16, 20))
    expected = torch.zeros(1, 1, 16, 20)
    expected[..., 3:9, 5:13] = 1
    torch.testing.assert_close(mask, expected)


def test_a_mirrored_warp_agrees_with_a_plain_loop():
    """Every pixel on its own: solve for its place in the picture, and mix four neighbours by hand."""
    features = torch.rand((1, 1, 5, 7), generator=torch.Generator().manual_seed(2))
    corners = points_of([2, 1, 15, 2, 13, 11, 1, 9])
    warped = warp_to_corners(features, (12, 16), corners)
    mask = corner_mask(corners, (12, 16))
    back = torch.linalg.inv(corner_homography(corners))[0]
    checked = 0
    for row in range(12):
        for column in range(16):
            x, y, z = (back @ torch.tensor([column + 0.5, row + 0.5, 1.0], dtype=torch.float64)).tolist()
            u, v = 7 * x / z - 0.5, 5 * y / z - 0.5
            if mask[0, 0, row, column] < 1 or not (0 <= u <= 6 and 0 <= v <= 4):
                continue
            left, top = min(int(u), 5), min(int(v), 3)
            a, b = u - left, v - top
            square = features[0, 0, top : top + 2, left : left + 2].tolist()
            mixed = [one * (1 - a) + other * a for one, other in square]
            assert float(warped[0, 0, row, column]) == pytest.approx(
                mixed[0] * (1 - b) + mixed[1] * b, abs=1e-4
            )
            checked += 1
    assert checked > 60


def test_a_shape_is_brought_back():
    """Inside the frame nothing is lost but sharpness."""
    rows = torch.linspace(0, 1, 64)
    features = torch.stack((rows[:, None].expand(64, 64), rows[None].expand(64, 64)))[None]
    corners = points_of([4, 2, 90, 6, 80, 94, 10, 88])
    there = warp_to_corners(features, (96, 96), corners)
    back = warp_to_corners(there, (64, 64), inverse_corners(corners, (96, 96), (64, 64)))
    torch.testing.assert_close(back[..., 2:-2, 2:-2], features[..., 2:-2, 2:-2], atol=2e-3, rtol=0)


def test_mask_measures_the_area():
    corners = points_of([10.3, 7.1, 50.8, 12.6, 44.2, 40.9, 6.7, 33.3])
    x, y = corners.T
    area = 0.5 * float((x * y.roll(-1) - y * x.roll(-1)).sum())
    mask = corner_mask(corners, (48, 56))
    assert float(mask.sum()) == pytest.approx(area, rel=2e-3)
    assert mask.min() == 0
    assert mask.max() == 1


def test_a_horizon_in_the_frame_leaves_finite_numbers():
    corners = points_of([40, 30, 60, 30, 99, 60, 1, 60])
    warped = warp_to_corners(torch.rand(1, 2, 16, 16), (64, 100), corners)
    assert warped.isfinite().all()
    assert corner_grid(corners, (64, 100)).abs().max() <= 3
    with pytest.raises(
        OptionError, match=r"^corners: expected a horizon outside the frame, got \(40, 30\), "
    ):
        inverse_corners(corners, (64, 100), (16, 16))


def test_dtype_stays_and_sampling_is_exact_in_bf16():
    features = torch.rand(1, 2, 64, 64).bfloat16()
    warped = warp_by_shifts(features, (64, 64), (0.0, 0.0))
    assert warped.dtype == torch.bfloat16
    torch.testing.assert_close(warped, features, atol=1e-2, rtol=0)


BAD = {
    "crossed": [0, 0, 10, 10, 10, 0, 0, 10],
    "mirrored": [10, 0, 0, 0, 0, 10, 10, 10],
    "turned inwards": [0, 0, 10, 0, 3, 3, 0, 10],
    "flat corner": [0, 0, 5, 0, 10, 0, 0, 10],
    "no area": [0, 0, 10, 0, 10, 0, 0, 0],
    "one point twice": [0, 0, 0, 0, 10, 10, 0, 10],
    "not a number": [0, 0, math.nan, 0, 10, 10, 0, 10],
    "endless": [0, 0, math.inf, 0, 10, 10, 0, 10],
}


@pytest.mark.parametrize("flat", BAD.values(), ids=BAD.keys())
def test_shapes_that_are_none_are_refused(flat):
    words = (
        r"^corners: expected a convex shape: top left, top right, bottom right, bottom left, "
        r"got \(.*\), \(.*\), \(.*\), \(.*\); move a corner so that no edges cross"
    )
    for function in (check_corners, corner_homography):
        with pytest.raises(OptionError, match=words) as caught:
            function(points_of(flat))
        assert isinstance(caught.value, ModelsError)
        assert isinstance(caught.value, ValueError)


def test_a_wrong_number_of_points_is_refused():
    with pytest.raises(
        ShapeError, match=r"^corners: expected \(4, 2\) or \(B, 4, 2\), got \(3, 2\); x, y of"
    ):
        check_corners(torch.zeros(3, 2))
    corners = points_of([0, 0, 9, 0, 9, 9, 0, 9]).expand(3, 4, 2)
    with pytest.raises(ShapeError, match=r"^corners: expected \(2, 4, 2\), got \(3, 4, 2\); four points for"):
        warp_to_corners(torch.zeros(2, 1, 8, 8), (9, 9), corners)


def test_resize_has_half_pixel_centres():
    row = torch.tensor([[[[0.0, 1.0]]]])
    assert resize(row, (1, 4)).flatten().tolist() == [0, 0.25, 0.75, 1]
    assert torch.equal(resize(row, (1, 2)), row)


def test_any_size_is_the_corner_of_a_larger_frame():
    """How a frame of no whole multiple is made: corners at its own size in the next frame, and a crop."""
    features = torch.rand((1, 2, 12, 20), generator=torch.Generator().manual_seed(1))
    warped = warp_to_corners(features, (24, 32), [[0, 0], [27, 0], [27, 19], [0, 19]])
    torch.testing.assert_close(warped[..., :19, :27], resize(features, (19, 27)), atol=1e-5, rtol=0)
