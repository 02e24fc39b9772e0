"""Samples for inpainting: a cut of a picture, its true edges, and a hole.

The edges are found once on the whole decoded picture and cut with it, so that the border of a cut has no false
edges and Canny costs nothing after the first round.

A sample: ``image`` (S, S, 3), ``edges`` (S, S, 1), ``hole`` (S, S, 1), uint8; edges and hole are 0 or 255.
"""

import io

import numpy as np
from PIL import Image

from engine.edges import canny, luma
from engine.errors import PictureError
from engine.masks import Mask, random_mask
from engine.pictures import read_rgb
from engine.training.batches import Sample
from engine.training.store import PictureStore, StoredPicture

_WORKING_SHARE = 1.25
"""A decoded picture's shorter side over the cut's: the room in which the cut moves."""

_TRIES = 10


class InpaintSamples:
    """Cuts pictures for inpainting.

    Args:
        size: side of a sample in pixels.
        mask_ratio: share of the picture that a hole covers, lowest and highest.
        masks: masks to pick holes from; None draws them.
    """

    def __init__(
        self, *, size: int, mask_ratio: tuple[float, float] = (0.05, 0.5), masks: PictureStore | None = None
    ) -> None:
        self._size = size
        self._ratio = mask_ratio
        self._masks = masks

    def decode(self, file: io.BytesIO) -> StoredPicture:
        """Decode a picture to its working size, and find its edges.

        The shorter side is at most 1.25 times the cut's, and never less than the cut's: small pictures are enlarged.

        Raises:
            PictureError: if the bytes are no picture.
        """
        pixels = fit_shorter_side(read_rgb(file), self._size, round(self._size * _WORKING_SHARE))
        edges = canny(luma(pixels))
        return StoredPicture(pixels, np.packbits(edges, axis=1))

    def decode_mask(self, file: io.BytesIO) -> StoredPicture:
        """Decode a mask: bits alone, anything above 0 is hole; resized by majority.

        Raises:
            PictureError: if the bytes are no picture, or nothing in it is black or nothing is white.
        """
        selected = np.where(read_rgb(file).any(axis=2, keepdims=True), np.uint8(255), np.uint8(0))
        selected = np.repeat(selected, 3, axis=2)
        working_px = round(self._size * _WORKING_SHARE)
        hole = fit_shorter_side(selected, self._size, working_px, Image.Resampling.BILINEAR)[..., 0] > 127
        if not hole.any() or hole.all():
            raise PictureError(
                "mask", "black where known, white where not", "one value all over", "leave it out"
            )
        return StoredPicture(np.zeros((*hole.shape, 0), np.uint8), np.packbits(hole, axis=1))

    def make(self, rng: np.random.Generator, picture: StoredPicture) -> Sample:
        """Cut at random, mirror half of them, and make a hole."""
        size = self._size
        rows, columns = _random_cut(rng, picture.size_hw, size)
        image, edges = picture.pixels[rows, columns], picture.bits(rows, columns)
        if rng.random() < 0.5:
            image, edges = _mirrored(image), edges[:, ::-1]
        hole = self._hole(rng)
        return {"image": image, "edges": (edges * np.uint8(255))[..., None], "hole": hole[..., None]}

    def _hole(self, rng: np.random.Generator) -> Mask:
        size_hw = (self._size, self._size)
        if self._masks is None:
            return random_mask(rng, size_hw, ratio=self._ratio)
        for _ in range(_TRIES):
            mask = self._masks.usable_from(int(rng.integers(0, len(self._masks))))
            if mask is None:
                break
            bits = mask.bits(*_random_cut(rng, mask.size_hw, self._size))
            bits = bits[:, ::-1] if rng.random() < 0.5 else bits
            bits = bits[::-1] if rng.random() < 0.5 else bits
            if self._ratio[0] <= float(bits.mean()) <= self._ratio[1] and bits.any():
                return bits * np.uint8(255)
        return random_mask(rng, size_hw, ("irregular",), self._ratio)


def fit_shorter_side(
    pixels: np.ndarray,
    least_px: int,
    most_px: int,
    resampling: Image.Resampling = Image.Resampling.LANCZOS,
) -> np.ndarray:
    """Resize a picture, keeping its ratio, until its shorter side lies in [least_px, most_px].

    Args:
        pixels: (H, W, 3) uint8.
        least_px: shorter sides below this are enlarged to it.
        most_px: shorter sides above this are shrunk to it.
        resampling: Lanczos rings, which does pictures good and masks harm.

    Returns:
        (h, w, 3) uint8; the input itself where nothing had to change.
    """
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    target = min(max(shorter, least_px), most_px)
    if target == shorter:
        return pixels
    new_height = max(target, round(height * target / shorter))
    new_width = max(target, round(width * target / shorter))
    resized = Image.fromarray(pixels).resize((new_width, new_height), resampling)
    return np.asarray(resized)


def _random_cut(rng: np.random.Generator, size_hw: tuple[int, int], size: int) -> tuple[slice, slice]:
    top = int(rng.integers(0, size_hw[0] - size + 1))
    left = int(rng.integers(0, size_hw[1] - size + 1))
    return slice(top, top + size), slice(left, left + size)


def _mirrored(pixels: np.ndarray) -> np.ndarray:
    """Left to right; three bytes move as one, which is twice as fast as byte by byte."""
    return np.ascontiguousarray(pixels.view("V3")[:, ::-1]).view(np.uint8)
