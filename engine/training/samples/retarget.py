"""Samples for retargeting: crops of the one picture, cut at random places.

How large a crop is remade, and the noise on it, are drawn by the objective, from the number of the step.

A sample: ``image`` (h, w, 3) uint8.
"""

import io

import numpy as np

from engine.pictures import read_rgb
from engine.training.batches import Sample
from engine.training.store import StoredPicture


class RetargetSamples:
    """Cuts one picture.

    Args:
        crop_hw: size of every crop, below the picture's on both sides.
    """

    def __init__(self, crop_hw: tuple[int, int]) -> None:
        self._crop_hw = crop_hw

    def decode(self, file: io.BytesIO) -> StoredPicture:
        """Decode a picture at its own size.

        Raises:
            PictureError: if the bytes are no picture.
        """
        return StoredPicture(read_rgb(file), None)

    def make(self, rng: np.random.Generator, picture: StoredPicture) -> Sample:
        """A crop; as published, the last row and the last column are never reached."""
        rows, columns = (
            slice(first, first + length)
            for first, length in (
                (int(rng.integers(0, side - length)), length)
                for side, length in zip(picture.size_hw, self._crop_hw, strict=True)
            )
        )
        return {"image": np.ascontiguousarray(picture.pixels[rows, columns])}
