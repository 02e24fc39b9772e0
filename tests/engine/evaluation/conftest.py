"""Pictures to evaluate on: a folder with sub-folders, a broken file and a tar of the same."""

import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def scene(seed: int, h: int = 72, w: int = 80) -> np.ndarray:
    """A smooth picture with a few straight edges."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:h, 0:w]
    image = np.stack([x * 255 / w, y * 255 / h, (x + y) * 255 / (h + w)], axis=-1) * rng.uniform(0.4, 1, 3)
    for _ in range(3):
        top, left = rng.integers(0, h - 20), rng.integers(0, w - 20)
        image[top : top + 20, left : left + 20] = rng.integers(0, 256, 3)
    return image.astype(np.uint8)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    for name, seed in (("scenes/one.png", 1), ("scenes/two.png", 2), ("faces/three.png", 3)):
        path = root / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(scene(seed)).save(path)
    (root / "scenes" / "broken.png").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="session")
def packed(folder, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "heldout.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(folder, arcname=".")
    return path
