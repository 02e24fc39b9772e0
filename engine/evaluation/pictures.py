"""Which pictures an evaluation measures, at what size, with which holes.

All of it follows from the options alone: the same pictures, cuts and holes for every method, and for every run of the
same options. A hole depends on the seed, the picture's name and the bin, so that one broken or added picture changes
no other.
"""

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import EvaluationError, PictureError
from engine.evaluation.options import MIN_SIZE_PX, OFFICIAL_MIN_SIZE_PX, EvaluateOptions
from engine.evaluation.table import Skipped
from engine.masks import irregular_mask
from engine.pictures import read_rgb
from engine.training.sources import PictureFile, find_pictures

Pixels = NDArray[np.uint8]

MASK_BINS: dict[str, tuple[float, float]] = {
    "10-20": (0.1, 0.2),
    "20-30": (0.2, 0.3),
    "30-40": (0.3, 0.4),
    "40-50": (0.4, 0.5),
}
"""Share of the frame that is hole, by the name of the bin (per cent)."""

MERGED_BINS: dict[str, tuple[str, ...]] = {
    "10-40": ("10-20", "20-30", "30-40"),
    "all": ("10-20", "20-30", "30-40", "40-50"),
}

SIZE_MULTIPLE = 4
"""Sides the bare networks take without padding."""


@dataclass(frozen=True)
class Case:
    """One picture and its holes."""

    name: str
    image: Pixels
    """(H, W, 3) uint8."""
    holes: NDArray[np.bool_]
    """(K, H, W), one for every bin of `MASK_BINS`, in that order."""


def pick_files(options: EvaluateOptions, skipped: list[Skipped]) -> list[PictureFile]:
    """List the pictures of the sources, of the subset, and under the limit those the seed picks.

    What looks like a picture and cannot be one is added to ``skipped``.

    Raises:
        EvaluationError: if the subset is empty.
        EngineError: if a source is missing or holds no picture.
    """
    sources = [Path(source) for source in options.data]
    files = find_pictures(sources, lambda name, why: skipped.append(Skipped(name, why)))
    if options.subset:
        wanted = f"/{options.subset.strip('/')}/"
        folders = sorted({_folder(file) for file in files})
        files = [file for file in files if wanted in f"{_folder(file)}/"]
        if not files:
            shown = ", ".join(folder.strip("/") or "." for folder in folders[:6])
            hint = f"the sources have the folders {shown}"
            raise EvaluationError("subset", "a folder inside the data", repr(options.subset), hint)
    if options.limit is not None and options.limit < len(files):
        order = np.random.default_rng([options.seed, len(files)]).permutation(len(files))
        files = [files[index] for index in sorted(order[: options.limit])]
    return files


def read_case(file: PictureFile, options: EvaluateOptions) -> Case:
    """Decode one picture, bring it to size and draw its holes.

    Raises:
        PictureError: if it cannot be decoded or is too small.
        OSError: if its bytes cannot be read.
    """
    image = read_fitted(file, options)
    holes = [hole_of(file.name, image.shape[:2], bin_name, options.seed) for bin_name in MASK_BINS]
    return Case(file.name, image, np.stack(holes))


def read_fitted(file: PictureFile, options: EvaluateOptions) -> Pixels:
    """Decode one picture and bring it to size.

    Raises:
        PictureError: if it cannot be decoded or is too small.
        OSError: if its bytes cannot be read.
    """
    return fitted(read_rgb(io.BytesIO(file.read())), options)


def fitted(image: Pixels, options: EvaluateOptions) -> Pixels:
    """The picture at the size that is measured: its middle square resized, or itself cut to multiples of 4.

    Raises:
        PictureError: if it keeps its own size and that is too small.
    """
    height, width = image.shape[:2]
    if options.size == 0:
        least = OFFICIAL_MIN_SIZE_PX if options.protocol == "official" else MIN_SIZE_PX
        if min(height, width) < least:
            raise PictureError(
                "picture", f"sides of at least {least} px", f"{width}x{height}", "it is left out"
            )
        return np.ascontiguousarray(
            _middle(image, height - height % SIZE_MULTIPLE, width - width % SIZE_MULTIPLE)
        )
    side = min(height, width)
    square = np.ascontiguousarray(_middle(image, side, side))
    if side == options.size:
        return square
    resized = Image.fromarray(square).resize((options.size, options.size), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def hole_of(name: str, size_hw: Sequence[int], bin_name: str, seed: int) -> NDArray[np.bool_]:
    """The hole of a picture in a bin, (H, W)."""
    bin_number = list(MASK_BINS).index(bin_name)
    rng = np.random.default_rng([seed, zlib.crc32(name.encode()), bin_number])
    mask: NDArray[Any] = irregular_mask(rng, (size_hw[0], size_hw[1]), MASK_BINS[bin_name])
    return mask > 0


def _folder(file: PictureFile) -> str:
    return "/" + file.name.rpartition("/")[0]


def _middle(image: Pixels, height: int, width: int) -> Pixels:
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]
