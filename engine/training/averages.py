"""Average the weights over steps: what a run ships is the mean of where it has been lately.

The decay climbs from nearly 0 to its full value, ``min(decay, (1 + n) / (10 + n))`` after n steps, so that the noise
a run starts from is forgotten at once.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from engine.errors import TrainingError

_HINT = "take an earlier checkpoint"


class AveragedWeights:
    """Running means of the parameters of some networks; buffers are not averaged.

    Args:
        networks: by name; the means start at their present weights.
        decay: how much of the mean each step keeps, in [0, 1).
    """

    def __init__(self, networks: Mapping[str, nn.Module], decay: float) -> None:
        self._live = {
            f"{name}.{key}": parameter
            for name, network in networks.items()
            for key, parameter in network.named_parameters()
        }
        self._means = {key: parameter.detach().clone() for key, parameter in self._live.items()}
        self._decay = decay
        self._count = 0

    @torch.no_grad()
    def update(self) -> None:
        """Take one step's weights in."""
        self._count += 1
        keep = min(self._decay, (1 + self._count) / (10 + self._count))
        means = list(self._means.values())
        torch._foreach_lerp_(means, [parameter.detach() for parameter in self._live.values()], 1.0 - keep)

    @torch.no_grad()
    def hand_over(self) -> None:
        """Set the live weights to the means, and let the decay climb anew: a stage passes on what it ships."""
        for key, parameter in self._live.items():
            parameter.copy_(self._means[key])
        self._count = 0

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Have the networks answer with the means for a while; no step may be taken meanwhile."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def state(self) -> dict[str, object]:
        """Tensors and plain values that ``load`` takes back."""
        return {"count": self._count, "means": dict(self._means)}

    def load(self, state: Mapping[str, object]) -> None:
        """Go on from a state.

        Raises:
            TrainingError: if names or shapes are not those of the networks, or the count is none.
        """
        means, count = state.get("means"), state.get("count")
        shapes = {key: mean.shape for key, mean in self._means.items()}
        if not isinstance(means, dict) or shapes != {
            key: getattr(mean, "shape", None) for key, mean in means.items()
        }:
            raise TrainingError("averages", "the means of these networks", "others", _HINT)
        if type(count) is not int or count < 0:
            raise TrainingError("averages", "a number of steps", repr(count)[:40], _HINT)
        for key, mean in self._means.items():
            mean.copy_(means[key])
        self._count = count

    def _swap(self) -> None:
        for key, parameter in self._live.items():
            mean: Tensor = self._means[key]
            parameter.data, self._means[key] = mean, parameter.data
