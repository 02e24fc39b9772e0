"""Seam carving, as small as it gets: what retargeting is compared with.

A seam is a path from top to bottom, one pixel a row, that crosses as little detail as possible. Making a picture
narrower removes seams one by one; making it wider doubles the seams that removal would take first, at most half of the
width at a time, for otherwise the same seam would be doubled again and again. Heights: the same on the turned picture.

Source: Avidan and Shamir, "Seam Carving for Content-Aware Image Resizing", SIGGRAPH 2007.
"""

import numpy as np


def carve(image: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Bring (H, W, 3) float32 to another size: first the width, then the height."""
    wide = to_width(image, size_hw[1])
    return np.ascontiguousarray(to_width(wide.transpose(1, 0, 2), size_hw[0]).transpose(1, 0, 2))


def to_width(image: np.ndarray, width: int) -> np.ndarray:
    while image.shape[1] < width:
        count = min(width - image.shape[1], max(1, image.shape[1] // 2))
        image = _insert(image, count)
    if image.shape[1] > width:
        image = _remove(image, image.shape[1] - width)[0]
    return image


def energy(image: np.ndarray) -> np.ndarray:
    """Sum over colours of the absolute differences across and down."""
    across = np.abs(np.diff(image, axis=1, append=image[:, -1:]))
    down = np.abs(np.diff(image, axis=0, append=image[-1:]))
    return (across + down).sum(2)


def cheapest_seam(cost: np.ndarray) -> np.ndarray:
    """Column of the cheapest path through (H, W) for each row; neighbours differ by one at most."""
    height, width = cost.shape
    total = cost.astype(np.float64).copy()
    step = np.zeros((height, width), dtype=np.int8)
    wide = np.full((3, width), np.inf)
    for y in range(1, height):
        wide[0, 1:], wide[1], wide[2, :-1] = total[y - 1, :-1], total[y - 1], total[y - 1, 1:]
        chosen = wide.argmin(0)
        step[y] = chosen - 1
        total[y] += wide[chosen, np.arange(width)]
    seam = np.empty(height, dtype=np.int64)
    seam[-1] = total[-1].argmin()
    for y in range(height - 1, 0, -1):
        seam[y - 1] = seam[y] + step[y, seam[y]]
    return seam


def _remove(image: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The narrower picture, and for each row the columns that went, (H, count)."""
    height = image.shape[0]
    columns = np.tile(np.arange(image.shape[1]), (height, 1))
    gone = np.empty((height, count), dtype=np.int64)
    rows = np.arange(height)
    for number in range(count):
        seam = cheapest_seam(energy(image))
        gone[:, number] = columns[rows, seam]
        kept = np.ones(columns.shape, dtype=bool)
        kept[rows, seam] = False
        image = image[kept].reshape(height, -1, 3)
        columns = columns[kept].reshape(height, -1)
    return image, gone


def _insert(image: np.ndarray, count: int) -> np.ndarray:
    height, width = image.shape[:2]
    _, gone = _remove(image, count)
    times = np.ones((height, width), dtype=np.int64)
    np.put_along_axis(times, gone, 2, axis=1)
    wider = [np.repeat(image[y], times[y], axis=0) for y in range(height)]
    made = np.stack(wider)
    # A doubled pixel is the mean of itself and its right neighbour, as in the paper.
    place = np.stack([np.repeat(np.arange(width), times[y]) for y in range(height)])
    second = np.zeros(place.shape, dtype=bool)
    second[:, 1:] = place[:, 1:] == place[:, :-1]
    ahead = np.concatenate([made[:, 1:], made[:, -1:]], 1)
    return np.where(second[..., None], (made + ahead) / 2, made).astype(np.float32)
