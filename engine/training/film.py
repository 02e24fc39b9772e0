"""Show how a picture was learned: the picture, then what was painted on the way, below each other."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from engine.atomic import write_atomically
from engine.errors import TrainingError

FRAMES = 6
"""Most frames of a strip; more are thinned out, the first and the last stay."""
_GAP_PX = 4


def write_film(path: Path, picture: np.ndarray, frames: Sequence[Path]) -> None:
    """Write a strip as PNG, whole or not at all.

    Args:
        path: the file.
        picture: (H, W, 3) uint8, shown first.
        frames: previews in their order; those that are gone are passed over.

    Raises:
        TrainingError: if the place cannot be written.
    """
    found = [frame for frame in frames if frame.is_file()]
    picked = sorted({round(place) for place in np.linspace(0, len(found) - 1, FRAMES)}) if found else []
    rows = [picture, *(_read(found[number]) for number in picked)]
    _write(path, rows, is_wide=max(row.shape[1] for row in rows) < max(row.shape[0] for row in rows))


def write_pair(path: Path, before: np.ndarray, after: Path) -> None:
    """Write a picture and what it was remade as, side by side; nothing if there is no such preview."""
    if after.is_file():
        _write(path, [before, _read(after)], is_wide=True)


def _write(path: Path, cells: Sequence[np.ndarray], *, is_wide: bool) -> None:
    """Cells beside each other or below each other, on white."""
    along, across = (1, 0) if is_wide else (0, 1)
    size = [0, 0]
    size[along] = sum(cell.shape[along] + _GAP_PX for cell in cells) - _GAP_PX
    size[across] = max(cell.shape[across] for cell in cells)
    sheet = np.full((*size, 3), 255, np.uint8)
    first = 0
    for cell in cells:
        place = [slice(0, cell.shape[0]), slice(0, cell.shape[1])]
        place[along] = slice(first, first + cell.shape[along])
        sheet[tuple(place)] = cell
        first += cell.shape[along] + _GAP_PX
    content = io.BytesIO()
    Image.fromarray(sheet).save(content, "PNG")
    write_atomically(path, lambda file: file.write(content.getvalue()), error_type=TrainingError)


def _read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
