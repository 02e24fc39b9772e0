"""The published networks with seeded weights, made once."""

import copy
from collections.abc import Callable

import pytest
import torch

from models.retarget.discriminator import MultiScaleDiscriminator
from models.retarget.network import RetargetGenerator
from models.retarget.official import to_ours
from models.state import part_of

FILE = "checkpoint_0075000.pth.tar"


@pytest.fixture(scope="session")
def published_state(parity) -> dict[str, torch.Tensor]:
    """Both networks as one house state."""
    return to_ours(parity.official_state("ingan", FILE, "G")) | to_ours(
        parity.official_state("ingan", FILE, "D")
    )


@pytest.fixture(scope="session")
def fresh_generator(published_state) -> Callable[[], RetargetGenerator]:
    """Makes the published generator in training mode, as no forward has touched it."""
    generator = RetargetGenerator(is_spectral=True)
    generator.load_state_dict(part_of(published_state, "generator"))
    return lambda: copy.deepcopy(generator).train()


@pytest.fixture(scope="session")
def fresh_judges(published_state) -> Callable[[], MultiScaleDiscriminator]:
    """The same for the judges."""
    judges = MultiScaleDiscriminator()
    judges.load_state_dict(part_of(published_state, "discriminator"))
    return lambda: copy.deepcopy(judges).train()


@pytest.fixture
def use_running_statistics(monkeypatch) -> None:
    """Let norms answer in eval with running statistics: what the published networks would do there."""

    def forward(norm: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.batch_norm(
            x, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.EPS
        )

    monkeypatch.setattr("models.retarget.norm.PictureNorm.forward", forward)
