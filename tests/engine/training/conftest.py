"""Small pictures, small runs."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.training.options import TrainOptions


def make_picture(number: int, size_hw: tuple[int, int] = (40, 48)) -> Image.Image:
    """A picture with edges and colours of its own."""
    rng = np.random.default_rng(number)
    h, w = size_hw
    pixels = np.empty((h, w, 3), np.uint8)
    pixels[:] = rng.integers(0, 256, 3)
    for _ in range(4):
        top, left = rng.integers(0, h - 8), rng.integers(0, w - 8)
        pixels[top : top + rng.integers(8, 24), left : left + rng.integers(8, 24)] = rng.integers(0, 256, 3)
    return Image.fromarray(pixels)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 small pictures; not to be changed."""
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(24):
        make_picture(number).save(folder / f"{number:02d}.png")
    return folder


@pytest.fixture
def small(pictures: Path, tmp_path: Path):
    """Builds options of a run that takes a second or two."""

    def build(**changes: object) -> TrainOptions:
        usual: dict[str, object] = {
            "data": (pictures,),
            "out": tmp_path / "out",
            "device": "cpu",
            "workers": 0,
            "size": 32,
            "batch": 2,
            "width": 4,
            "depth": 1,
            "steps": 6,
            "memory_bytes": 1 << 22,
            "log_every": 1,
            "preview_every": 1000,
            "checkpoint_every": 1000,
        }
        return TrainOptions(**{**usual, **changes})

    return build
