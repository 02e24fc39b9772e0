"""The published networks with seeded weights, made once."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from models.retarget.discriminator import MultiScaleDiscriminator
from models.retarget.network import RetargetGenerator
from models.retarget.official import to_ours
from models.state import materialise, part_of

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
    return lambda: fresh(RetargetGenerator, published_state, "generator", is_spectral=True)


@pytest.fixture(scope="session")
def fresh_judges(published_state) -> Callable[[], MultiScaleDiscriminator]:
    """The same for the judges."""
    return lambda: fresh(MultiScaleDiscriminator, published_state, "discriminator")


def fresh(kind: Callable[..., nn.Module], state: dict[str, torch.Tensor], name: str, **options) -> nn.Module:
    """A network of its own: a deep copy shares its class with the original, and folding one breaks the other."""
    with torch.device("meta"):
        network = kind(**options)
    materialise(name, network, part_of(state, name))
    return network.train()


@pytest.fixture
def use_running_statistics(monkeypatch) -> None:
    """Let norms answer in eval with running statistics: what the published networks would do there."""

    def forward(norm: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.batch_norm(
            x, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.EPS
        )

    monkeypatch.setattr("models.retarget.norm.PictureNorm.forward", forward)
