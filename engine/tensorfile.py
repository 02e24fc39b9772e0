"""Read the tensors of a safetensors file of anyone: every value must be finite, and 16-bit floats become float32.

Elsewhere: the header, and whether it is one at all, in tensor_header.py; pickled checkpoints in checkpoints.py.
"""

import os

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.atomic import AnyPath
from engine.errors import WeightsError
from engine.tensor_header import Header
from engine.weight_checks import read_error


def load_tensors(path: AnyPath, header: Header) -> dict[str, Tensor]:
    """Read every tensor into memory of its own, so that the file may be replaced while the state is in use.

    Raises:
        WeightsError: if the file is damaged, or a value is not finite.
    """
    state = {}
    try:
        with safe_open(os.fspath(path), framework="pt", device="cpu") as file:
            for name in header.names:
                tensor = file.get_tensor(name)
                dtype = torch.float32 if tensor.is_floating_point() else tensor.dtype
                state[name] = tensor.to(dtype, copy=True)
                check_finite(path, name, state[name])
    except SafetensorError as error:
        raise WeightsError(
            path, "a whole safetensors file", f"'{error}'", "the file is damaged, fetch or write it again"
        ) from error
    except OSError as error:
        raise read_error(path, error) from error
    return state


def check_finite(path: AnyPath, name: str, tensor: Tensor) -> None:
    """Refuse a tensor with NaN or infinite values.

    Raises:
        WeightsError: with the tensor's name.
    """
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        word = "NaN" if bool(torch.isnan(tensor).any()) else "infinite values"
        hint = "the training that made it diverged or the file is damaged; use an earlier checkpoint"
        raise WeightsError(path, "finite values", f"{word} in the tensor '{name}'", hint)
