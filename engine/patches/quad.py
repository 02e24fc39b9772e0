"""Four corners: the map from a rectangle onto a quadrilateral, and which pixels lie inside.

Points are (x, y) in px; edges of pixels are whole numbers, so a picture of W x H is the rectangle from (0, 0) to
(W, H), and the middle of its first pixel is (0.5, 0.5). Corners: top left, top right, bottom right, bottom left.
"""

import cv2
import numpy as np

Corners = np.ndarray
"""(4, 2) float64, (x, y)."""


def rectangle(size_hw: tuple[int, int]) -> Corners:
    """Give the corners of a plain picture."""
    height, width = size_hw
    return np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float64)


def homography(start: Corners, end: Corners) -> np.ndarray:
    """Find the projective map that takes four points to four points.

    Args:
        start: (4, 2) points, no three on a line.
        end: (4, 2) where they go.

    Returns:
        (3, 3) float64 with a last entry of 1.
    """
    rows, right = [], []
    for (x, y), (u, v) in zip(start, end, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    solved = np.linalg.solve(np.array(rows, dtype=np.float64), np.array(right, dtype=np.float64))
    return np.append(solved, 1.0).reshape(3, 3)


def move_points(matrix: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
    """Send (N, 2) points through a projective map."""
    wide = np.column_stack([points_xy, np.ones(len(points_xy))]) @ matrix.T
    return np.asarray(wide[:, :2] / wide[:, 2:])


def warp(picture: np.ndarray, start: Corners, end: Corners, size_hw: tuple[int, int]) -> np.ndarray:
    """Draw a picture through the map of four corners; what the picture does not reach repeats its rim.

    Args:
        picture: (H, W, 3) float32.
        start: corners in ``picture``.
        end: where they go.
        size_hw: size of the result.
    """
    height, width = size_hw
    back = homography(end, start)
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    depth = back[2, 0] * x + back[2, 1] * y + back[2, 2]
    depth = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
    # Behind the vanishing line the map comes back from the other side; there the nearest rim is what is wanted.
    depth = np.maximum(depth, _least_depth(back, end) / 4)
    from_x = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / depth - 0.5
    from_y = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / depth - 0.5
    limit = float(max(picture.shape[:2]) + 2)
    from_x, from_y = np.clip(from_x, -2, limit), np.clip(from_y, -2, limit)
    return cv2.remap(
        picture,
        from_x.astype(np.float32),
        from_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def inside(corners: Corners, size_hw: tuple[int, int], margin_px: float = 0.0) -> np.ndarray:
    """Say which pixels have their middle inside a convex quadrilateral, grown by a margin.

    Returns:
        (H, W) bool.
    """
    height, width = size_hw
    x, y = np.arange(width) + 0.5, (np.arange(height) + 0.5)[:, None]
    found = np.ones((height, width), dtype=bool)
    ahead = np.roll(corners, -1, axis=0)
    turn = np.sign(np.sum(corners[:, 0] * ahead[:, 1] - ahead[:, 0] * corners[:, 1]))
    for (x0, y0), (x1, y1) in zip(corners, ahead, strict=True):
        length = float(np.hypot(x1 - x0, y1 - y0))
        distance = turn * ((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / length
        found &= distance >= -margin_px
    return found


def _least_depth(back: np.ndarray, corners: Corners) -> float:
    return float(min(back[2] @ (x, y, 1.0) for x, y in corners))
