"""Tiny weights, a tiny photo and its mask: what a command needs to run in a moment."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.weightfile import WeightFile, write_weights
from models.inpaint.options import InpaintOptions
from models.registry import family_spec

SIZE_WH = (56, 44)


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        state = family_spec("inpaint").build(InpaintOptions(width=4, depth=1)).state_dict()
    write_weights(path, WeightFile("inpaint", {"width": 4, "depth": 1}, state, {"licence": "none, a test"}))
    return path


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory, monkeypatch) -> None:
    """No test reads or writes the user's own weights and log."""
    folder = tmp_path_factory.mktemp("user")
    monkeypatch.setenv("PENTIMENTO_WEIGHTS", str(folder / "weights"))
    monkeypatch.setenv("PENTIMENTO_LOG", str(folder / "pentimento.log"))


@pytest.fixture
def photo(tmp_path) -> Path:
    """A photo of SIZE_WH with a colour profile's worth of variety: noise on a ramp."""
    rng = np.random.default_rng(5)
    ramp = np.linspace(30, 220, SIZE_WH[0])[None, :, None] + rng.normal(0, 8, (SIZE_WH[1], SIZE_WH[0], 3))
    path = tmp_path / "photo.png"
    Image.fromarray(ramp.clip(0, 255).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def hole() -> np.ndarray:
    """(H, W) bool, what the mask selects."""
    hole = np.zeros((SIZE_WH[1], SIZE_WH[0]), dtype=bool)
    hole[14:26, 20:34] = True
    return hole


@pytest.fixture
def mask(tmp_path, hole) -> Path:
    path = tmp_path / "mask.png"
    Image.fromarray(hole.astype(np.uint8) * 255).save(path)
    return path
