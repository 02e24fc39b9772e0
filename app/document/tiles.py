"""Squares of 256 px that planes are cut into, so that what changed can be kept, packed and put back piece by piece.

A box is ``(x0, y0, x1, y1)``, half open, in the pixels of one plane. A tile is ``(ty, tx)``, counted from the top left;
tiles at the right and lower border are as small as the plane leaves them.

Packing is LZ4 alone: the bytes of the tile, row by row, and nothing else. Shape and type are known from the plane.
"""

import math
from collections.abc import Iterable

import lz4.block
import numpy as np

TILE_PX = 256
MAX_SIDE_PX = 16384
"""Longest side of a canvas, a layer or a result."""
_UNPACKS_TO = 256  # LZ4 writes at least a byte for 255
PACK_EFFORT = 8  # LZ4's "acceleration": 9 times quicker than 1 on a soft brush, for half as many bytes again

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1, half open."""
Tile = tuple[int, int]
"""Row and column of a tile."""


def clip_box(box: Box, size_hw: tuple[int, int]) -> Box:
    """The part of a box inside a plane; an empty box comes back as (0, 0, 0, 0)."""
    x0, y0, x1, y1 = box
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, size_hw[1]), min(y1, size_hw[0])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else (0, 0, 0, 0)


def is_empty(box: Box) -> bool:
    """Whether a box holds no pixel."""
    return box[0] >= box[2] or box[1] >= box[3]


def join(first: Box, second: Box) -> Box:
    """The smallest box around two; an empty one does not count."""
    if is_empty(first):
        return second
    if is_empty(second):
        return first
    return (
        min(first[0], second[0]),
        min(first[1], second[1]),
        max(first[2], second[2]),
        max(first[3], second[3]),
    )


def overlap(first: Box, second: Box) -> Box:
    """What two boxes share; (0, 0, 0, 0) where that is nothing."""
    x0, y0 = max(first[0], second[0]), max(first[1], second[1])
    x1, y1 = min(first[2], second[2]), min(first[3], second[3])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else (0, 0, 0, 0)


def shift(box: Box, offset_xy: tuple[int, int]) -> Box:
    """A box moved by an offset."""
    dx, dy = offset_xy
    return (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)


def covered_box(values: np.ndarray) -> Box | None:
    """The smallest box with all of a plane that is not 0; None where everything is."""
    rows = np.flatnonzero(values.any(axis=1))
    if not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(values[top:bottom].any(axis=0))
    return int(columns[0]), top, int(columns[-1]) + 1, bottom


def slices_of(box: Box) -> tuple[slice, slice]:
    """Rows and columns of a box, to cut an array with."""
    return slice(box[1], box[3]), slice(box[0], box[2])


def tiles_of(box_xyxy: Box, size_hw: tuple[int, int]) -> list[Tile]:
    """The tiles a box touches, row by row; what lies outside the plane does not count."""
    x0, y0, x1, y1 = clip_box(box_xyxy, size_hw)
    if x0 >= x1:
        return []
    columns = range(x0 // TILE_PX, (x1 - 1) // TILE_PX + 1)
    return [(ty, tx) for ty in range(y0 // TILE_PX, (y1 - 1) // TILE_PX + 1) for tx in columns]


def all_tiles(size_hw: tuple[int, int]) -> list[Tile]:
    """Every tile of a plane, row by row."""
    return tiles_of((0, 0, size_hw[1], size_hw[0]), size_hw)


def tile_slices(ty: int, tx: int, size_hw: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of a tile."""
    y0, x0 = ty * TILE_PX, tx * TILE_PX
    return slice(y0, min(y0 + TILE_PX, size_hw[0])), slice(x0, min(x0 + TILE_PX, size_hw[1]))


def tile_box(ty: int, tx: int, size_hw: tuple[int, int]) -> Box:
    """A tile as a box."""
    rows, columns = tile_slices(ty, tx, size_hw)
    return (columns.start, rows.start, columns.stop, rows.stop)


def boxes_around(tiles: Iterable[Tile], size_hw: tuple[int, int]) -> list[Box]:
    """Few boxes that cover the given tiles and no other: runs along each row, joined where rows agree."""
    columns_of: dict[int, set[int]] = {}
    for ty, tx in tiles:
        columns_of.setdefault(ty, set()).add(tx)
    closed: list[Box] = []
    open_runs: dict[tuple[int, int], Box] = {}
    last_row = -2
    for ty in sorted(columns_of):
        if ty != last_row + 1:
            closed.extend(open_runs.values())
            open_runs = {}
        last_row = ty
        grown: dict[tuple[int, int], Box] = {}
        for first, last in _runs(sorted(columns_of[ty])):
            box = join(tile_box(ty, first, size_hw), tile_box(ty, last, size_hw))
            above = open_runs.pop((first, last), None)
            grown[first, last] = box if above is None else join(above, box)
        closed.extend(open_runs.values())
        open_runs = grown
    return [*closed, *open_runs.values()]


def pack(array: np.ndarray) -> bytes:
    """The bytes of an array, compressed."""
    packed: bytes = lz4.block.compress(
        np.ascontiguousarray(array).data, mode="fast", acceleration=PACK_EFFORT, store_size=False
    )
    return packed


def unpack(data: bytes, shape: tuple[int, ...], dtype: np.dtype | type) -> np.ndarray:
    """An array of known shape and type from its packed bytes; it cannot be written to.

    Raises:
        ValueError: if the bytes are damaged or belong to an array of another size.
    """
    kind = np.dtype(dtype)
    expected = math.prod(shape) * kind.itemsize
    if expected > _UNPACKS_TO * len(data):
        raise ValueError(f"tile: expected {expected} bytes in LZ4, got {len(data)}, too few to hold them")
    try:
        values = lz4.block.decompress(data, uncompressed_size=expected)
    except lz4.block.LZ4BlockError as error:
        raise ValueError(f"tile: expected {expected} bytes in LZ4, got damaged ones; {error}") from error
    if len(values) != expected:
        raise ValueError(f"tile: expected {expected} bytes, got {len(values)}; it is of another plane")
    return np.frombuffer(values, kind).reshape(shape)


def _runs(columns: list[int]) -> list[tuple[int, int]]:
    """First and last of each run of neighbours."""
    runs: list[tuple[int, int]] = []
    for column in columns:
        if runs and runs[-1][1] == column - 1:
            runs[-1] = (runs[-1][0], column)
        else:
            runs.append((column, column))
    return runs
