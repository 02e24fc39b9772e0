"""One side of a step: its gradients in one flat block, averaged over processes, and the optimiser that uses them.

All gradients of a side are views into one block, so that averaging over processes, looking for NaN and setting to
zero are each one call, whatever the number of parameters. Networks are not wrapped: a step makes several forwards
through the same network and calls more than ``forward``, which wrappers that hook both do not allow.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from engine.errors import TrainingError
from engine.training.processes import Processes

SECOND_BETA = 0.9
"""Of Adam, as the published loop has it."""


class Side:
    """The parameters of one side of a step, generator or discriminator, and how they move.

    Args:
        parameters: what this side trains in the present stage; may be empty.
        learning_rate: of a step whose factor is 1.
        momentum: first beta of Adam; at 0 a step whose gradients are zero moves nothing.
        second_beta: of Adam.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        learning_rate: float,
        momentum: float = 0.0,
        second_beta: float = SECOND_BETA,
    ) -> None:
        self._parameters = list(parameters)
        self._learning_rate = learning_rate
        self._flat = _flat_gradients(self._parameters)
        self._optimiser: torch.optim.Adam | None = None
        if self._parameters:
            is_fused = self._parameters[0].device.type in ("cpu", "cuda")
            self._optimiser = torch.optim.Adam(
                self._parameters, learning_rate, (momentum, second_beta), fused=is_fused
            )

    def clear(self) -> None:
        """Set every gradient to zero."""
        self._flat.zero_()

    def reduce(self, processes: Processes) -> Tensor:
        """Average the gradients over the processes, and drop them if one is not finite.

        Returns:
            A scalar on the device, 1 where the gradients were finite and 0 where they were dropped; not read here,
            since reading would make the processor wait for the GPU.
        """
        processes.average_(self._flat)
        is_finite = torch.isfinite(self._flat.sum())
        torch.where(is_finite, self._flat, torch.zeros((), device=self._flat.device), out=self._flat)
        return is_finite.float()

    def step(self, factor: float) -> None:
        """Move the parameters, at ``factor`` times the learning rate."""
        if self._optimiser is None:
            return
        for group in self._optimiser.param_groups:
            group["lr"] = self._learning_rate * factor
        self._optimiser.step()

    def gradients(self) -> list[Tensor]:
        """The gradients as the parameters hold them; for tests and for looking."""
        return [parameter.grad for parameter in self._parameters if parameter.grad is not None]

    def state(self) -> dict[str, Any]:
        """The optimiser's state, tensors and plain values."""
        return {} if self._optimiser is None else dict(self._optimiser.state_dict())

    def load(self, state: dict[str, Any]) -> None:
        """Take the moments of a state back; how they are used is said by who made this side.

        Raises:
            TrainingError: if they are not those of these parameters.
        """
        if self._optimiser is None:
            return
        moments = state.get("state") if isinstance(state, dict) else None
        shapes = {
            number: {"step": (), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}
            for number, parameter in enumerate(self._parameters)
        }
        if moments != {} and _shapes_of(moments) != shapes:
            hint = "take an earlier checkpoint"
            raise TrainingError("optimiser", "the moments of these parameters", "others", hint)
        fresh = self._optimiser.state_dict()
        self._optimiser.load_state_dict({**fresh, "state": moments})

    @property
    def moment_bytes(self) -> int:
        """Memory that the optimiser takes at its first step: two floats a parameter."""
        return 2 * self._flat.numel() * self._flat.element_size()


def _shapes_of(tree: Any) -> Any:
    """The shapes of tensors in nested dicts; None for what is neither."""
    if isinstance(tree, dict):
        return {key: _shapes_of(value) for key, value in tree.items()}
    return getattr(tree, "shape", None)


def _flat_gradients(parameters: Sequence[nn.Parameter]) -> Tensor:
    """Lay the gradients of all parameters into one block of zeros, each with the strides of its parameter."""
    device = parameters[0].device if parameters else torch.device("cpu")
    flat = torch.zeros(sum(parameter.numel() for parameter in parameters), device=device)
    offset = 0
    for parameter in parameters:
        parameter.grad = flat.as_strided(parameter.size(), parameter.stride(), offset)
        offset += parameter.numel()
    return flat
