"""Move feature maps to another size or into another shape.

Three ways. `resize` is plain interpolation. `warp_by_shifts` is the published warp: two
numbers shear or taper the map. `warp_to_corners` is the general case: four points in
the new frame say where the corners of the map go, and a homography fills the shape.

Convention: points are (x, y) in px of the frame they lie in, counted from the outer edge
    of its first pixel, so that (0, 0) and (W, H) are opposite corners and pixel i has its
    centre at i + 0.5. Grids are (B, H, W, 2), (x, y) in [-1, 1], align_corners=False.
    Corners come in the order top left, top right, bottom right, bottom left of the
    picture, wherever they lie in the frame; the turn must be clockwise on screen.
Outside the four corners the map goes on mirrored: networks after the warp see texture
    there instead of smear. `corner_mask` says which pixels to keep.
Source: Shocher et al., "InGAN: Capturing and Retargeting the 'DNA' of a Natural Image",
    ICCV 2019, arXiv:1812.00231, section 4; the shifts are the published code's. Square to
    quadrilateral: Heckbert, "Fundamentals of Texture Mapping and Image Warping", 1989,
    section 2.2.3.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from models.errors import OptionError, ShapeError

Corners = Tensor | Sequence[Sequence[float]]
"""(4, 2) or (B, 4, 2): x, y in px of the new frame."""
Shifts = tuple[float, float]
"""How far the top left and the bottom right sample beside the picture, in half-widths of the padded map."""

_FAR = 3.0  # one mirrored copy on each side; further out nothing is worth sampling
_HORIZON = 1e-3  # smallest perspective weight; at 0 a point lies infinitely far away
_MIN_SINE = 1e-3  # of the angle at a corner; below, the shape is a line for a float32 grid
_MIN_EDGE_PX = 1.0


def resize(features: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Bilinear, without smoothing when it shrinks: (B, C, H, W) -> (B, C, *size_hw)."""
    return F.interpolate(features, size=size_hw, mode="bilinear", align_corners=False)


# The published warp -----------------------------------------------------------------------------------------


def warp_by_shifts(features: Tensor, size_hw: tuple[int, int], shifts: Shifts) -> Tensor:
    """Shear or taper a map as the published generator does, also when both shifts are 0.

    The sides are first continued by reflection, as far as the shifts reach. The outermost
    samples fall on the centres of the outermost pixels, not on their edges: with shifts
    (0, 0) and another size this is not `resize`.

    Args:
        features: (B, C, H, W).
        size_hw: of the answer.
        shifts: (s0, s1). Opposite values shear, equal ones taper.

    Returns:
        (B, C, *size_hw), dtype as ``features``.

    Raises:
        OptionError: if the shifts lie outside (-1, 1), or their sum does: the far side
            would then be seen from behind.
    """
    _check_shifts(shifts)
    w = features.shape[-1]
    left, right = abs(math.ceil(w * shifts[0])), abs(math.ceil(-w * shifts[1]))
    padded = F.pad(features, (left, right, 0, 0), mode="reflect")
    return _sample(padded, shift_grid(shifts, size_hw, tuple(padded.shape[-2:])), "border")


def shift_homography(shifts: Shifts) -> Tensor:
    """(3, 3) float64: from a position in the new frame to one in the padded map, both in [-1, 1]."""
    a, b = (shifts[1] - shifts[0]) / 2, (shifts[0] + shifts[1]) / 2
    return torch.tensor([[1.0, a, b], [0.0, 1.0, 0.0], [b, -b, 1.0]], dtype=torch.float64)


def shift_grid(shifts: Shifts, size_hw: tuple[int, int], map_hw: tuple[int, ...]) -> Tensor:
    """The grid (1, *size_hw, 2) on CPU that samples a padded map of size ``map_hw``.

    -1 and 1 are outermost pixel centres for the published code and outermost edges for the
    house, hence the factor (n - 1) / n.
    """
    rows, columns = (torch.linspace(-1, 1, n, dtype=torch.float64) for n in size_hw)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    points = torch.stack((x, y, torch.ones_like(x)), dim=-1) @ shift_homography(shifts).T
    to_edges = torch.tensor([(n - 1) / n for n in reversed(map_hw)], dtype=torch.float64)
    return (points[..., :2] / points[..., 2:] * to_edges).float()[None]


# Four corners -----------------------------------------------------------------------------------------------


def warp_to_corners(features: Tensor, size_hw: tuple[int, int], corners: Corners) -> Tensor:
    """Put a map into a quadrilateral of a new frame.

    Corners at those of the frame give `resize`.

    Args:
        features: (B, C, H, W).
        size_hw: of the new frame.
        corners: where the four corners of the map go, in px of the new frame; they may lie
            outside of it.

    Returns:
        (B, C, *size_hw), dtype as ``features``; mirrored copies around the quadrilateral.

    Raises:
        ShapeError: if ``corners`` is not (4, 2), or (B, 4, 2) with the batch of ``features``.
        OptionError: as `corner_homography`.
    """
    grid = corner_grid(corners, size_hw)
    if grid.shape[0] not in (1, features.shape[0]):
        hint = "four points for all pictures, or four for each"
        raise ShapeError("corners", (features.shape[0], 4, 2), (grid.shape[0], 4, 2), hint)
    return _sample(features, grid, "reflection")


def corner_homography(corners: Corners) -> Tensor:
    """The map from the unit square to a quadrilateral: (B, 3, 3) float64 on CPU, last entry 1.

    Args:
        corners: images of (0, 0), (1, 0), (1, 1), (0, 1).

    Raises:
        ShapeError: if there are not four points.
        OptionError: if they do not make a convex shape of some area in clockwise order.
    """
    points = check_corners(corners)
    p0, p1, p2, p3 = points.unbind(dim=1)
    along, down, bend = p1 - p2, p3 - p2, p0 - p1 + p2 - p3
    area = _cross(along, down)
    g, h = _cross(bend, down) / area, _cross(along, bend) / area
    first = p1 - p0 + g[:, None] * p1
    second = p3 - p0 + h[:, None] * p3
    last = torch.stack((g, h, torch.ones_like(g)), dim=-1)
    return torch.cat((torch.stack((first, second, p0), dim=-1), last[:, None]), dim=1)


def transform_points(matrix: Tensor, points: Tensor) -> Tensor:
    """Apply (B, 3, 3) homographies to (..., N, 2) points; dtype of ``matrix``."""
    ones = torch.ones_like(points[..., :1])
    images = torch.cat((points, ones), dim=-1).to(matrix.dtype) @ matrix.transpose(-1, -2)
    return images[..., :2] / images[..., 2:]


def corner_grid(corners: Corners, size_hw: tuple[int, int]) -> Tensor:
    """Where each pixel of the new frame samples the map: (B, *size_hw, 2) float32 on CPU.

    The exact inverse of `corner_homography`. Pixels at or behind the horizon of a strong
    perspective, always outside the corners, get a far point instead.
    """
    h, w = size_hw
    back: Tensor = torch.linalg.inv(corner_homography(corners))
    centres = _pixel_centres(size_hw).reshape(1, h * w, 2)
    images = torch.cat((centres, torch.ones_like(centres[..., :1])), dim=-1) @ back.transpose(1, 2)
    unit: Tensor = images[..., :2] / images[..., 2:].clamp_min(_HORIZON)
    return (2 * unit - 1).clamp(-_FAR, _FAR).reshape(-1, h, w, 2).float()


def corner_mask(corners: Corners, size_hw: tuple[int, int]) -> Tensor:
    """How much of each pixel lies inside the four corners: (B, 1, *size_hw) float32 on CPU, in [0, 1].

    Exact along straight edges that run with the pixels, smooth over one pixel elsewhere.
    """
    points = check_corners(corners)
    h, w = size_hw
    centres = _pixel_centres(size_hw).reshape(1, 1, h * w, 2)
    edges = torch.roll(points, -1, dims=1) - points
    inward = _cross(edges[:, :, None], centres - points[:, :, None])
    distance_px: Tensor = inward / edges.norm(dim=-1)[..., None]  # above 0 inside
    inside = (distance_px + 0.5).clamp(0, 1).amin(dim=1)
    return inside.reshape(-1, 1, h, w).float()


def inverse_corners(corners: Corners, size_hw: tuple[int, int], back_hw: tuple[int, int]) -> Tensor:
    """The corners that undo a warp: (B, 4, 2) float64, in px of a frame of size ``back_hw``.

    `warp_to_corners` with these brings the new frame, ``size_hw``, back to where it was
    sampled from. Points of the picture that left the frame come back mirrored.

    Raises:
        OptionError: as `corner_homography`, and if the frame reaches behind the horizon.
    """
    h, w = size_hw
    back: Tensor = torch.linalg.inv(corner_homography(corners))
    frame = torch.tensor([[0.0, 0.0], [w, 0.0], [w, h], [0.0, h]], dtype=torch.float64)
    weights = torch.cat((frame, torch.ones(4, 1, dtype=torch.float64)), dim=1) @ back.transpose(1, 2)
    if not bool((weights[..., 2] > _HORIZON).all()):
        hint = "the perspective is too strong to be undone over the whole frame"
        raise OptionError("corners", "a horizon outside the frame", _listed(corners), hint)
    unit = transform_points(back, frame)
    return check_corners(unit * torch.tensor([back_hw[1], back_hw[0]], dtype=torch.float64))


def check_corners(corners: Corners) -> Tensor:
    """The corners as (B, 4, 2) float64 on CPU.

    Raises:
        ShapeError: if there are not four points.
        OptionError: if they do not make a convex shape of some area in clockwise order.
    """
    points = torch.as_tensor(corners).detach().cpu().double()  # in this order: not every device has float64
    if points.ndim not in (2, 3) or tuple(points.shape[-2:]) != (4, 2):
        raise ShapeError("corners", "(4, 2) or (B, 4, 2)", tuple(points.shape), "x, y of four points in px")
    points = points.reshape(-1, 4, 2)
    edges = torch.roll(points, -1, dims=1) - points
    lengths = edges.norm(dim=-1)
    sines = _cross(edges, torch.roll(edges, -1, dims=1)) / (lengths * torch.roll(lengths, -1, dims=1))
    is_good = points.isfinite().all() and bool(((lengths >= _MIN_EDGE_PX) & (sines > _MIN_SINE)).all())
    if not is_good:
        expected = "a convex shape: top left, top right, bottom right, bottom left"
        hint = "move a corner so that no edges cross, none is below 1 px and no corner is flat"
        raise OptionError("corners", expected, _listed(points), hint)
    return points


def _pixel_centres(size_hw: tuple[int, int]) -> Tensor:
    """(H, W, 2) float64, x and y in px."""
    rows, columns = (torch.arange(n, dtype=torch.float64) + 0.5 for n in size_hw)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack((x, y), dim=-1)


def _sample(features: Tensor, grid: Tensor, outside: Literal["border", "reflection"]) -> Tensor:
    """Bilinear samples, in float32: a grid in bf16 is off by whole pixels."""
    b = features.shape[0]
    grid = grid.to(features.device).expand(b, -1, -1, -1)
    with torch.autocast(features.device.type, enabled=False):
        sampled = F.grid_sample(features.float(), grid, "bilinear", outside, align_corners=False)
    return sampled.to(features.dtype)


def _cross(one: Tensor, other: Tensor) -> Tensor:
    """Signed area of two plane vectors; above 0 for a clockwise turn on screen."""
    return one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]


def _listed(corners: Corners) -> str:
    points = torch.as_tensor(corners).detach().reshape(-1, 2).tolist()
    return ", ".join(f"({x:g}, {y:g})" for x, y in points)


def _check_shifts(shifts: Shifts) -> None:
    if not (max(abs(s) for s in shifts) < 1 and abs(sum(shifts)) < 1):
        got = f"({shifts[0]:g}, {shifts[1]:g})"
        hint = "0 leaves a side where it is, opposite values shear"
        raise OptionError("shifts", "two numbers in (-1, 1) whose sum is too", got, hint)
