"""Load state dicts strictly, and say by name what does not fit."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.errors import StateError

State = dict[str, Tensor]


def part_of(state: Mapping[str, Tensor], prefix: str) -> State:
    """The entries of ``state`` below ``prefix.``, with that prefix taken off."""
    start = f"{prefix}."
    return {key[len(start) :]: value for key, value in state.items() if key.startswith(start)}


def with_prefix(state: Mapping[str, Tensor], prefix: str) -> State:
    """The same tensors with every key below ``prefix.``."""
    return {f"{prefix}.{key}": value for key, value in state.items()}


def check_shapes(name: str, state: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Compare a state with the shapes a network wants.

    Args:
        name: what is being loaded; the first word of the message.
        state: key -> tensor, as found.
        shapes: key -> shape, as wanted.

    Raises:
        StateError: naming the missing, unexpected and misshapen tensors.
    """
    missing = [key for key in shapes if key not in state]
    unexpected = [key for key in state if key not in shapes]
    misshapen = {
        key: (tuple(shape), tuple(state[key].shape))
        for key, shape in shapes.items()
        if key in state and tuple(state[key].shape) != tuple(shape)
    }
    if missing or unexpected or misshapen:
        raise StateError(name, missing=missing, unexpected=unexpected, misshapen=misshapen)


def load_strictly(name: str, network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Copy ``state`` into ``network``; every tensor once, in shape; values are cast to the network's dtype.

    Raises:
        StateError: as `check_shapes`; the network is then unchanged.
    """
    check_shapes(name, state, {key: tuple(value.shape) for key, value in network.state_dict().items()})
    network.load_state_dict(dict(state))


def materialise(name: str, network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give a network that was made on the meta device its tensors: float32 copies of ``state``.

    Making it there costs no random numbers and no memory. `to_empty` is no way out of it:
    torch 2.13 imports its symbolic shapes for that, two seconds.

    Raises:
        StateError: as `check_shapes`.
    """
    check_shapes(name, state, {key: tuple(value.shape) for key, value in network.state_dict().items()})
    copies = {key: value.detach().to(torch.float32, copy=True) for key, value in state.items()}
    network.load_state_dict(copies, assign=True)
