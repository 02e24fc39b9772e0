"""What tests of the engine share: small seeded networks as a weights file, and a store that knows such files."""

from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
import torch

from engine.engine import Engine
from engine.errors import WeightsError
from engine.weightfile import WeightFile, sha256_of, write_weights
from models.inpaint.options import InpaintOptions
from models.registry import family_spec


@dataclass(frozen=True)
class Resolved:
    path: Path
    name: str
    sha256: str
    licence: str = "Apache-2.0"


class Store:
    """Knows files by name; the first one is the default."""

    def __init__(self, *paths: Path) -> None:
        self.paths = {path.stem: path for path in paths}

    def resolve(self, name: str, family: str, *, picture: str = "") -> Resolved:
        assert family == "inpaint"
        name = name or next(iter(self.paths))
        if name not in self.paths:
            raise WeightsError(name, "a known name", "another", "look at the list")
        return Resolved(self.paths[name], name, sha256_of(self.paths[name]))


def write_small_weights(path: Path, *, seed: int = 0, width: int = 4, depth: int = 1) -> Path:
    """Networks with weights large enough to answer something else than grey."""
    options = InpaintOptions(width=width, depth=depth)
    networks = family_spec("inpaint").build(options)
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for key, value in networks.state_dict().items():
        scale = (2 / value[0].numel()) ** 0.5 if value.ndim == 4 else 0.1
        state[key] = torch.randn(value.shape, generator=generator) * scale
    write_weights(path, WeightFile("inpaint", asdict(options), state))
    return path


@pytest.fixture(scope="session")
def small_weights(tmp_path_factory) -> Path:
    return write_small_weights(tmp_path_factory.mktemp("weights") / "small.safetensors")


@pytest.fixture(scope="session")
def other_weights(tmp_path_factory) -> Path:
    return write_small_weights(tmp_path_factory.mktemp("weights") / "other.safetensors", seed=1)


@pytest.fixture
def engine(small_weights, other_weights) -> Engine:
    return Engine(device="cpu", weights=Store(small_weights, other_weights))
