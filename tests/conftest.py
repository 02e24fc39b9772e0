"""What tests of every folder share: the parity numbers, and the options of the desktop tests."""

import functools
import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch

PARITY = Path(__file__).parent / "parity"


def pytest_addoption(parser: pytest.Parser) -> None:
    fuzz = parser.getgroup("fuzz")
    fuzz.addoption(
        "--fuzz-inputs", type=int, default=200, help="changed files to read, all kinds together (200)"
    )
    fuzz.addoption("--fuzz-seed", type=int, default=1, help="another seed changes files in other ways (1)")
    group = parser.getgroup("desktop")
    group.addoption("--shots", default="", help="folder for the desktop tests' pictures (desktop_out)")
    group.addoption(
        "--soak-minutes", type=float, default=30, help="how long the soak lasts; 0 leaves it out (30)"
    )


class Parity:
    """Seeded weights, seeded inputs and the answers the published code gave; see tests/parity/README.md."""

    def __init__(self) -> None:
        spec = importlib.util.spec_from_file_location("parity_seeded", PARITY / "seeded.py")
        assert spec is not None
        assert spec.loader is not None
        self._seeded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._seeded)
        self.seeded_array = self._seeded.seeded_array

    @functools.cache  # noqa: B019 (one instance a session)
    def official_state(self, system: str, file: str, part: str = "") -> Mapping[str, torch.Tensor]:
        """State of one network in the published layout; shared, so never to be modified."""
        arrays = self._seeded.official_state(system, file, part)
        return MappingProxyType({key: torch.from_numpy(np.array(value)) for key, value in arrays.items()})

    def official_file(self, system: str, file: str) -> dict[str, dict[str, torch.Tensor]]:
        """What a published file holds once read: {top-level key: state}."""
        return {part: dict(self.official_state(system, file, part)) for part in self.keys(system)[file]}

    @functools.cache  # noqa: B019
    def keys(self, system: str) -> dict[str, dict[str, dict[str, list[int]]]]:
        """{file: {top-level key: {parameter: shape}}}."""
        return json.loads((PARITY / system / "keys.json").read_text())

    @functools.cache  # noqa: B019
    def cases(self, system: str) -> Mapping[str, np.ndarray]:
        """Stored inputs and expected answers by name."""
        with np.load(PARITY / system / "cases.npz") as stored:
            return MappingProxyType({name: stored[name] for name in stored.files})

    def case(self, system: str, name: str) -> torch.Tensor:
        """One stored array as a tensor of its own."""
        return torch.from_numpy(self.cases(system)[name].copy())

    def array(self, tag: str, shape: tuple[int, ...], low: float = -1.0, high: float = 1.0) -> torch.Tensor:
        """Seeded input: float32, uniform in [low, high)."""
        return torch.from_numpy(self.seeded_array(tag, shape, low, high))


@pytest.fixture(scope="session")
def parity() -> Parity:
    return Parity()
