"""Locked regions: what must come back as it is, only elsewhere.

Every connected region of the lock is one rigid piece. It goes, by whole pixels and unscaled, to where its middle lands
when the picture is drawn out to the target's shape; if it would stick out there, it is pushed inside as far as it fits.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from engine.patches import quad
from engine.patches.propagation import Grids
from engine.patches.pyramid import resize


@dataclass(frozen=True)
class Piece:
    """One connected region."""

    labels: np.ndarray
    """(H, W) int32, in the source: all pieces share it, for a mask of each would fill the memory."""

    label: int

    middle_xy: tuple[float, float]
    """Middle of its bounding box, in px of the source."""

    box_xyxy: tuple[int, int, int, int]
    """Its bounding box, half open."""

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool, in the source."""
        return np.asarray(self.labels == self.label)


def pieces(lock: np.ndarray) -> list[Piece]:
    """Take a lock apart, (H, W) with anything above 0 locked, largest region first.

    Later pieces lie on top where two meet, so that a small one is not lost behind a large one.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((lock > 0).astype(np.uint8), connectivity=8)
    found = []
    for label in sorted(range(1, count), key=lambda label: -int(stats[label, cv2.CC_STAT_AREA])):
        x0, y0, width, height = (int(value) for value in stats[label, :4])
        box = (x0, y0, x0 + width, y0 + height)
        found.append(Piece(labels, label, (x0 + width / 2, y0 + height / 2), box))
    return found


def shift_px(piece: Piece, matrix: np.ndarray, target_hw: tuple[int, int]) -> tuple[int, int]:
    """Say how far a piece goes, (x, y) in whole px.

    Args:
        piece: the region.
        matrix: map from source to target, both in full size.
        target_hw: size of the target, in full size.
    """
    landed = quad.move_points(matrix, np.array([piece.middle_xy]))[0]
    shift = []
    for axis in (0, 1):
        low, high, limit = piece.box_xyxy[axis], piece.box_xyxy[axis + 2], target_hw[1 - axis]
        wanted = round(float(landed[axis]) - piece.middle_xy[axis])
        if high - low <= limit:
            wanted = min(max(wanted, -low), limit - high)
        shift.append(wanted)
    return shift[0], shift[1]


@dataclass(frozen=True)
class Placed:
    """Locked pieces as they lie on one level."""

    picture: np.ndarray
    """(h, w, 3) float32; meaningful where ``share`` is above 0."""

    share: np.ndarray
    """(h, w) float32 in [0, 1]: how far a pixel is locked."""

    field_xy: np.ndarray
    """(h, w, 2) int64: the pixel of the level's source that each locked pixel is; -1 elsewhere."""


def place(
    found: list[Piece],
    source: np.ndarray,
    scale: float,
    matrix: np.ndarray,
    full_hw: tuple[int, int],
    size_hw: tuple[int, int],
) -> Placed:
    """Lay locked pieces onto a level.

    Args:
        found: the pieces, in full size.
        source: (H, W, 3) float32, the source on this level.
        scale: of this level; 1 is full size, where copies are exact.
        matrix: map from source to target, both in full size.
        full_hw: size of the target in full size.
        size_hw: size of the target on this level.
    """
    height, width = size_hw
    picture = np.zeros((height, width, 3), dtype=np.float32)
    share = np.zeros((height, width), dtype=np.float32)
    field = np.full((height, width, 2), -1, dtype=np.int64)
    y, x = np.mgrid[:height, :width]
    for piece in found:
        shift = shift_px(piece, matrix, full_hw)
        dx, dy = shift[0] * scale, shift[1] * scale
        step = np.array([[1, 0, dx], [0, 1, dy]], dtype=np.float64)
        soft = np.clip(resize(piece.mask.astype(np.float32), source.shape[:2]), 0, 1)
        how = cv2.INTER_NEAREST if scale == 1 else cv2.INTER_LINEAR
        part = cv2.warpAffine(soft, step, (width, height), flags=how)
        moved = cv2.warpAffine(source, step, (width, height), flags=how, borderMode=cv2.BORDER_REPLICATE)
        picture = picture * (1 - part[..., None]) + moved * part[..., None]
        share = np.maximum(share, part)
        from_x, from_y = x - round(dx), y - round(dy)
        taken = (part > 0.5) & (from_x >= 0) & (from_y >= 0)
        taken &= (from_x < source.shape[1]) & (from_y < source.shape[0])
        field[taken] = np.stack([from_x[taken], from_y[taken]], 1)
    return Placed(picture, share, field)


def bind(
    placed: Placed, found: list[Piece], grids: Grids, source: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Say what locks mean for the search of a level.

    Args:
        placed: the pieces on this level.
        found: the pieces, in full size.
        grids: where patches lie on this level.
        source: (H, W, 3) on this level.
        side: side of a patch in px.

    Returns:
        For each patch of the result which source patch must lie there, (N,) int64, -1 where any may. And which source
        patches may be taken elsewhere, (M,) bool: those whose middle is locked may not, or a locked face would come
        twice; None if that would leave next to nothing.
    """
    half = side // 2
    rows, columns = grids.query_hw
    key_rows, key_columns = grids.key_hw
    pixel = placed.field_xy[half : half + rows, half : half + columns]
    corner = pixel - half
    fits = (pixel[..., 0] >= 0) & (corner >= 0).all(2)
    fits &= (corner[..., 0] < key_columns) & (corner[..., 1] < key_rows)
    forced = np.where(fits, corner[..., 1] * key_columns + corner[..., 0], -1)
    taken = np.zeros(source.shape[:2], dtype=np.float32)
    for piece in found:
        taken = np.maximum(taken, resize(piece.mask.astype(np.float32), source.shape[:2]))
    allowed = taken[half : half + key_rows, half : half + key_columns] < 0.5
    few = allowed.sum() < max(side * side, allowed.size // 50)
    return forced.ravel(), None if few else allowed.ravel()


def stamp(
    piece: Piece,
    shift: tuple[int, int],
    image: np.ndarray,
    picture: np.ndarray,
    field_xy: np.ndarray,
    novelty: np.ndarray,
) -> None:
    """Write a piece into the finished picture, its field and its novelty, bit for bit.

    Args:
        piece: the region.
        shift: how far it goes, (x, y) in px.
        image: (H, W, 3) the source.
        picture: (h, w, 3), changed in place.
        field_xy: (h, w, 2), changed in place.
        novelty: (h, w), changed in place.
    """
    rows, columns = np.nonzero(piece.mask)
    to_y, to_x = rows + shift[1], columns + shift[0]
    stays = (to_y >= 0) & (to_x >= 0) & (to_y < picture.shape[0]) & (to_x < picture.shape[1])
    rows, columns, to_y, to_x = rows[stays], columns[stays], to_y[stays], to_x[stays]
    picture[to_y, to_x] = image[rows, columns]
    field_xy[to_y, to_x] = np.stack([columns, rows], 1)
    novelty[to_y, to_x] = 0
