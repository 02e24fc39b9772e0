"""Cut a picture down to its holes, so that an edit costs what its hole costs.

Networks with whole-frame statistics cannot be tiled, so a picture is not cut into tiles but into crops: one around each
separate hole, with the surroundings the network needs. How it goes:

1. The mask is read once, in bands of rows, into a grid of small cells: a cell counts if anything in it is selected.
   Connected cells are one hole. This stays cheap at 100 megapixels, and what lies closer than a cell is one hole.
2. Thousands of specks would make thousands of crops, so many small holes are first gathered by neighbourhood.
3. Each hole gets a frame: at least 64 px of context on every side, and more until the hole covers at most a third, which
   is what the networks were trained on. Sides are multiples of 8 where the picture allows, so nothing is padded.
   A frame that the user chose takes the place of this one.
4. Two holes whose boxes touch, or whose common frame is no more work than the two frames, become one. Far holes stay apart.
5. A frame with more pixels than the working size is filled coarse to fine: its levels start at the working size and
   double up to the picture's own. At each finer level windows cover the hole.

Boxes are x0, y0, x1, y1 in px, half open.
Elsewhere: what is done in a crop, in pipelines/inpaint.py.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.edits import InpaintEdit, plane_values

CELL_PX = 8
"""Side of a mask cell: holes closer than this are one."""
BAND_ROWS = 64
"""Rows of the mask read at a time; a multiple of the cell."""
CONTEXT_PX = 64
"""Least context on each side, where the picture has it."""
LEAST_CONTEXT_PX = 8
"""Around a hole in a frame that somebody chose: enough to join the fill to."""
HOLE_SHARE = 1 / 3
"""Most of a frame that the hole may cover; training went to a half."""
ALIGNED_PX = 8
"""Frames have sides of this multiple where the picture allows: one more halving than the networks need."""
SPECKS = 64
"""Above so many separate holes, small ones are gathered by neighbourhood before anything else."""
LEVEL_SKIP = 0.85
"""A level this close to the picture's own size is left out: it would repaint the same detail twice."""


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels, half open."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width."""
        return self.y1 - self.y0, self.x1 - self.x0

    @property
    def area_px(self) -> int:
        """Pixels inside."""
        return (self.y1 - self.y0) * (self.x1 - self.x0)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an array with."""
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    def inside(self, frame: "Box") -> "Box":
        """The same rectangle, counted from the top left of ``frame``."""
        return Box(self.x0 - frame.x0, self.y0 - frame.y0, self.x1 - frame.x0, self.y1 - frame.y0)

    def grown(self, by_px: int, size_hw: tuple[int, int]) -> "Box":
        """Larger by ``by_px`` on every side, cut off at the picture's border."""
        h, w = size_hw
        return Box(
            max(self.x0 - by_px, 0),
            max(self.y0 - by_px, 0),
            min(self.x1 + by_px, w),
            min(self.y1 + by_px, h),
        )

    def union(self, other: "Box") -> "Box":
        """The smallest rectangle around both."""
        return Box(
            min(self.x0, other.x0),
            min(self.y0, other.y0),
            max(self.x1, other.x1),
            max(self.y1, other.y1),
        )

    def meets(self, other: "Box") -> bool:
        """Whether they share a pixel."""
        return self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1


@dataclass(frozen=True)
class Crop:
    """One hole and what the networks see of its surroundings."""

    hole: Box
    """Tight around the hole; no two crops of a plan share a pixel here. All that is selected in it is filled."""
    frame: Box
    """What the networks see; frames of two crops may overlap."""
    hole_px: int
    """Selected pixels in ``hole``."""


@dataclass(frozen=True)
class Scan:
    """What one reading of a mask told."""

    cells: np.ndarray
    """(ceil(H / 8), ceil(W / 8)) bool: something is selected there."""
    hole_px: int
    """Selected pixels in all."""
    size_hw: tuple[int, int]
    """Of the mask."""

    @property
    def is_empty(self) -> bool:
        """Nothing is selected."""
        return self.hole_px == 0

    @property
    def is_full(self) -> bool:
        """Everything is selected."""
        return self.hole_px == self.size_hw[0] * self.size_hw[1]


def context_of(edit: InpaintEdit) -> Box | None:
    """The frame that an edit chose, on the canvas after its expansion; None where it chose none."""
    if edit.context_box is None:
        return None
    (x0, y0, x1, y1), (left, top, _, _) = edit.context_box, edit.expand_ltrb
    return Box(x0 + left, y0 + top, x1 + left, y1 + top)


def scan_mask(mask: np.ndarray) -> Scan:
    """Read a mask once, in bands, without a copy of the whole.

    Args:
        mask: (H, W) as in `engine.edits.EditInputs`; above 0 = selected.

    Raises:
        MaskError: if floats are not finite or leave [0, 1].
    """
    h, w = mask.shape
    cells = np.zeros((math.ceil(h / CELL_PX), math.ceil(w / CELL_PX)), dtype=np.bool_)
    columns = np.arange(0, w, CELL_PX)
    hole_px = 0
    for top in range(0, h, BAND_ROWS):
        band = mask[top : top + BAND_ROWS]
        if band.dtype == np.float32:
            plane_values("mask", band)
        if not band.max():
            continue
        selected = band != 0
        hole_px += int(np.count_nonzero(selected))
        rows = np.arange(0, selected.shape[0], CELL_PX)
        reduced = np.logical_or.reduceat(np.logical_or.reduceat(selected, rows, axis=0), columns, axis=1)
        cells[top // CELL_PX : top // CELL_PX + len(rows)] = reduced
    return Scan(cells, hole_px, (h, w))


def plan_crops(
    mask: np.ndarray,
    scan: Scan,
    *,
    working_px: int,
    is_whole_frame: bool = False,
    context_box: Box | None = None,
) -> tuple[Crop, ...]:
    """Decide what the networks see.

    Args:
        mask: (H, W), above 0 = selected.
        scan: what `scan_mask` told of it.
        working_px: side of the largest square the networks are given.
        is_whole_frame: show everything, as one crop.
        context_box: show this of the holes that reach into it, as one crop; it need not lie in the picture.

    Returns:
        One crop a hole, from the top down; none if nothing is selected. The same mask gives the same crops.
    """
    if scan.is_empty:
        return ()
    holes = _find_holes(mask, scan, working_px)
    if is_whole_frame:
        h, w = scan.size_hw
        hole = holes[0]
        for other in holes[1:]:
            hole = hole.union(other)
        return (Crop(hole, Box(0, 0, w, h), scan.hole_px),)
    shown = [hole for hole in holes if context_box is not None and hole.meets(context_box)]
    crops = [_crop_around(mask, hole) for hole in holes if hole not in shown]
    crops = _merge(crops, scan.size_hw)
    if context_box is not None and shown:
        crops = _with_one_seen_in(context_box, mask, shown, crops)
    return tuple(sorted(crops, key=lambda crop: (crop.hole.y0, crop.hole.x0)))


def _with_one_seen_in(box: Box, mask: np.ndarray, holes: list[Box], crops: list[Crop]) -> list[Crop]:
    """The crops, and one more for ``holes`` that sees ``box``; a crop that meets these holes becomes a part of it."""
    hole, size_hw = holes[0], (mask.shape[0], mask.shape[1])
    for other in holes[1:]:
        hole = hole.union(other)
    while meeting := [crop for crop in crops if crop.hole.meets(hole)]:
        crops = [crop for crop in crops if not crop.hole.meets(hole)]
        for crop in meeting:
            hole = hole.union(crop.hole)
    seen = box.union(hole.grown(LEAST_CONTEXT_PX, size_hw)).grown(0, size_hw)
    x0, x1 = fit_span(seen.x0, seen.x1, 0, size_hw[1])
    y0, y1 = fit_span(seen.y0, seen.y1, 0, size_hw[0])
    return [*crops, Crop(hole, Box(x0, y0, x1, y1), int(np.count_nonzero(mask[hole.slices])))]


def frame_around(hole: Box, hole_px: int, size_hw: tuple[int, int]) -> Box:
    """Give a hole its context.

    Args:
        hole: tight box of the hole.
        hole_px: selected pixels in it.
        size_hw: of the picture.

    Returns:
        Box that holds ``hole`` and lies in the picture; at the picture's border the context goes to the other side.
    """
    (h, w), (picture_h, picture_w) = hole.size_hw, size_hw
    wanted_px = hole_px / HOLE_SHARE
    # (h + 2m) (w + 2m) = wanted
    root = math.sqrt(max((h - w) ** 2 + 4 * wanted_px, 0))
    margin = max(CONTEXT_PX, math.ceil((root - (h + w)) / 4))
    high, wide = h + 2 * margin, w + 2 * margin
    if high > picture_h:
        wide = max(wide, math.ceil(wanted_px / picture_h))
    if wide > picture_w:
        high = max(high, math.ceil(wanted_px / picture_w))
    y0, y1 = fit_span(hole.y0, hole.y1, high, picture_h)
    x0, x1 = fit_span(hole.x0, hole.x1, wide, picture_w)
    return Box(x0, y0, x1, y1)


def fit_span(start: int, stop: int, wanted: int, limit: int) -> tuple[int, int]:
    """Grow a span to a wanted length around its middle, inside [0, limit).

    The length is a multiple of 8; where the picture is too short for that a multiple of 4, and only if even that would
    cut the span itself, the picture's own length (the network's input is padded then).
    """
    length = math.ceil(max(wanted, stop - start) / ALIGNED_PX) * ALIGNED_PX
    if length > limit:
        shortened = limit - limit % 4
        length = shortened if shortened >= max(stop - start, 12) else limit
    first = start - (length - (stop - start)) // 2
    first = min(max(first, 0), limit - length)
    return first, first + length


def level_sizes(size_hw: tuple[int, int], working_px: int) -> tuple[tuple[int, int], ...]:
    """Sizes from coarse to fine in which a frame is filled; the last is its own.

    The coarsest has about the pixels of a square of ``working_px``; each next doubles both sides. One size alone means
    that the frame fits as it is.
    """
    h, w = size_hw
    if h * w <= working_px**2:
        return (size_hw,)
    sizes = []
    scale = working_px / math.sqrt(h * w)
    while scale < LEVEL_SKIP:
        sizes.append((_level_side(h, scale), _level_side(w, scale)))
        scale *= 2
    if not sizes:
        sizes.append((_level_side(h, scale / 2), _level_side(w, scale / 2)))
    return (*sizes, size_hw)


def _level_side(side: int, scale: float) -> int:
    """Multiple of 4, so that coarse levels are never padded."""
    return min(max(int(side * scale) // 4 * 4, 12), side)


@dataclass(frozen=True)
class Window:
    """A part of a level that is repainted in one go."""

    core: Box
    """What this window is for; cores of one level lie side by side."""
    region: Box
    """The core and more on every side, where windows overlap: what is repainted."""
    frame: Box
    """What the network sees."""


def windows_over(hole: np.ndarray, working_px: int) -> Iterator[Window]:
    """Cover the hole of one level with windows, row by row.

    A core is half as wide as its window, and what is repainted three quarters, about half of what the network sees.

    Args:
        hole: (h, w) bool.
        working_px: side of a window.
    """
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    if not len(rows):
        return
    h, w = hole.shape
    side, overlap = max(working_px // 2, 8), max(working_px // 8, 2)
    for y in range(int(rows[0]), int(rows[-1]) + 1, side):
        for x in range(int(columns[0]), int(columns[-1]) + 1, side):
            core = Box(x, y, min(x + side, int(columns[-1]) + 1), min(y + side, int(rows[-1]) + 1))
            if not hole[core.slices].any():
                continue
            region = core.grown(overlap, (h, w))
            y0, y1 = fit_span(region.y0, region.y1, working_px, h)
            x0, x1 = fit_span(region.x0, region.x1, working_px, w)
            yield Window(core, region, Box(x0, y0, x1, y1))


def count_windows(size_hw: tuple[int, int], working_px: int) -> int:
    """About how many windows a hole box of this size takes; for telling progress, never for work."""
    side = max(working_px // 2, 8)
    return math.ceil(size_hw[0] / side) * math.ceil(size_hw[1] / side)


def _find_holes(mask: np.ndarray, scan: Scan, working_px: int) -> list[Box]:
    """Boxes of connected cells, gathered where there are very many, tightened to the pixel, none meeting another."""
    import cv2

    count, _, stats, _ = cv2.connectedComponentsWithStats(scan.cells.astype(np.uint8), connectivity=8)
    corners = np.stack(
        [
            stats[1:, cv2.CC_STAT_LEFT],
            stats[1:, cv2.CC_STAT_TOP],
            stats[1:, cv2.CC_STAT_LEFT] + stats[1:, cv2.CC_STAT_WIDTH],
            stats[1:, cv2.CC_STAT_TOP] + stats[1:, cv2.CC_STAT_HEIGHT],
        ],
        axis=1,
    ).astype(np.int64)
    if count - 1 > SPECKS:
        corners = _gather(corners, max(working_px // 2 // CELL_PX, 1))
    h, w = scan.size_hw
    boxes = [
        Box(int(x0) * CELL_PX, int(y0) * CELL_PX, min(int(x1) * CELL_PX, w), min(int(y1) * CELL_PX, h))
        for x0, y0, x1, y1 in corners
    ]
    return [_tightened(mask, box) for box in _join_meeting(boxes)]


def _gather(corners: np.ndarray, bin_cells: int) -> np.ndarray:
    """Unite small boxes whose middle lies in the same bin of a coarse grid; large ones stay as they are."""
    sides = corners[:, 2:] - corners[:, :2]
    is_small = sides.max(axis=1) <= bin_cells
    small = corners[is_small]
    if not len(small):
        return corners
    middles = (small[:, :2] + small[:, 2:]) // 2 // bin_cells
    _, place = np.unique(middles, axis=0, return_inverse=True)
    place = place.reshape(-1)
    count = int(place.max()) + 1
    united = np.empty((count, 4), dtype=np.int64)
    united[:, :2] = np.iinfo(np.int64).max
    united[:, 2:] = -1
    np.minimum.at(united[:, :2], place, small[:, :2])
    np.maximum.at(united[:, 2:], place, small[:, 2:])
    return np.concatenate([corners[~is_small], united])


def _join_meeting(boxes: list[Box]) -> list[Box]:
    """Unite boxes until none shares a pixel with another: each pixel belongs to one crop."""
    done: list[Box] = []
    for box in boxes:
        joined = box
        while True:
            meeting = [other for other in done if other.meets(joined)]
            if not meeting:
                break
            done = [other for other in done if not other.meets(joined)]
            for other in meeting:
                joined = joined.union(other)
        done.append(joined)
    return done


def _tightened(mask: np.ndarray, box: Box) -> Box:
    selected = mask[box.slices] != 0
    rows, columns = np.flatnonzero(selected.any(axis=1)), np.flatnonzero(selected.any(axis=0))
    return Box(
        box.x0 + int(columns[0]),
        box.y0 + int(rows[0]),
        box.x0 + int(columns[-1]) + 1,
        box.y0 + int(rows[-1]) + 1,
    )


def _crop_around(mask: np.ndarray, hole: Box) -> Crop:
    hole_px = int(np.count_nonzero(mask[hole.slices]))
    return Crop(hole, frame_around(hole, hole_px, mask.shape), hole_px)


def _merge(crops: list[Crop], size_hw: tuple[int, int]) -> list[Crop]:
    """Make one crop of two wherever that is no more work, until nothing changes."""
    done: list[Crop] = []
    waiting = list(reversed(crops))
    while waiting:
        crop = waiting.pop()
        partner = next((other for other in done if _is_better_as_one(crop, other, size_hw)), None)
        if partner is None:
            done.append(crop)
            continue
        done.remove(partner)
        waiting.append(_united(crop, partner, size_hw))
    return done


def _united(crop: Crop, other: Crop, size_hw: tuple[int, int]) -> Crop:
    hole, hole_px = crop.hole.union(other.hole), crop.hole_px + other.hole_px
    return Crop(hole, frame_around(hole, hole_px, size_hw), hole_px)


def _is_better_as_one(crop: Crop, other: Crop, size_hw: tuple[int, int]) -> bool:
    if crop.hole.meets(other.hole):
        return True
    if not crop.frame.meets(other.frame):
        return False
    common = _united(crop, other, size_hw).frame.area_px
    return common <= crop.frame.area_px + other.frame.area_px
