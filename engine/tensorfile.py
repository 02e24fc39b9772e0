"""Read the tensors of a safetensors file of anyone: every value must be finite, and 16-bit floats become float32.

Elsewhere: the header, and whether it is one at all, in tensor_header.py; pickled checkpoints in checkpoints.py.
"""

import hashlib
import io

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from engine.atomic import AnyPath
from engine.errors import WeightsError
from engine.tensor_header import Header, header_of
from engine.weight_checks import check_size, read_error


class OpenTensors:
    """A safetensors file, read once into memory: header, digest and tensors are of the same bytes.

    Whoever checks a digest and opens the file again reads what somebody put there meanwhile.

    Args:
        path: the file.
        limit_bytes: largest file that is read.

    Raises:
        WeightsError: if the file is missing, damaged or too large.
    """

    def __init__(self, path: AnyPath, limit_bytes: int) -> None:
        size = check_size(path, limit_bytes)
        self._path = path
        try:
            with open(path, "rb") as file:
                header_of(path, file, size)  # before anything large is read
                file.seek(0)
                self._content = file.read(size)
        except OSError as error:
            raise read_error(path, error) from error
        self.header: Header = header_of(path, io.BytesIO(self._content), len(self._content))
        self.sha256: str = hashlib.sha256(self._content).hexdigest()
        """64 lower-case hexadecimal digits."""

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor, in memory of its own.

        Raises:
            WeightsError: if the file is damaged, or a value is not finite.
        """
        try:
            state = load(self._content)
        except SafetensorError as error:
            hint = "the file is damaged, fetch or write it again"
            raise WeightsError(self._path, "a whole safetensors file", f"'{error}'", hint) from error
        for name, tensor in state.items():
            state[name] = tensor.float() if tensor.is_floating_point() else tensor
            check_finite(self._path, name, state[name])
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
