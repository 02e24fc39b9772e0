"""Read a published checkpoint (``.pth``): tensors and plain containers come through, code does not.

Elsewhere: who asks for one in importing.py and weightfile.py, official key names in models.<family>.official.
"""

import os
import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from engine.atomic import AnyPath
from engine.errors import WeightsError
from engine.tensorfile import check_finite
from engine.weight_checks import LIMIT_BYTES, check_size, first_bytes, read_error

_ENTRIES_LIMIT = 100_000  # shared lists inside lists grow without bound when they are unrolled
_DEPTH_LIMIT = 16

Plain = Tensor | dict[str, "Plain"] | list["Plain"] | str | int | float | bool | None
"""What an official checkpoint may hold."""


def read_official(path: AnyPath, *, limit_bytes: int = LIMIT_BYTES) -> dict[str, Plain]:
    """Read a published ``.pth`` checkpoint: tensors and plain containers, never code.

    Args:
        path: a file written by ``torch.save``, of today's or of the older form.
        limit_bytes: largest file, and largest sum of its tensors, that is read.

    Returns:
        Nested dict as saved; keys are strings, tuples are lists, tensors lie on the CPU without gradient, floats
        are float32.

    Raises:
        WeightsError: if the file is missing, damaged, too large, holds code, or holds NaN.
    """
    check_size(path, limit_bytes)
    _check_zip(path, limit_bytes)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of its own older formats; nobody here can act on it
            content = torch.load(os.fspath(path), map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - a damaged or hostile file can raise anything in the unpickler
        raise _unpickling_error(path, error) from error
    if not isinstance(content, Mapping):
        raise WeightsError(
            path, "a dictionary of tensors", f"a {type(content).__name__}", "name a checkpoint's state file"
        )
    return _Unroller(path, limit_bytes).mapping(content, "", 0)


def _check_zip(path: AnyPath, limit_bytes: int) -> None:
    """Refuse an archive whose entries would unpack to more than the limit, before anything is unpacked."""
    if not first_bytes(path, 4).startswith(b"PK\x03\x04"):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        hint = "the file is damaged, fetch it again"
        raise WeightsError(path, "a checkpoint of tensors", "a broken archive", hint) from error
    if total > limit_bytes:
        hint = "the archive is packed to harm, or the limit must be raised"
        raise WeightsError(path, f"at most {limit_bytes} bytes when unpacked", f"{total} bytes", hint)


def _unpickling_error(path: AnyPath, error: Exception) -> WeightsError:
    """Tell code from damage: torch has one error for both and three pages of advice, some of it dangerous."""
    code = re.search(r"GLOBAL ([\w.]+)|but got <class '([\w.]+)'>", str(error))
    if isinstance(error, pickle.UnpicklingError) and code:
        hint = "do not open this file elsewhere either unless you trust who made it"
        return WeightsError(path, "tensors only", f"pickled code '{code[1] or code[2]}'", hint)
    if isinstance(error, OSError):
        return read_error(path, error)
    hint = "the file is damaged or no checkpoint, fetch it again"
    return WeightsError(path, "a checkpoint of tensors", "a file that cannot be read", hint)


class _Unroller:
    """Turn what the unpickler gave into plain containers, and stop at anything else or at too much of it."""

    def __init__(self, path: AnyPath, limit_bytes: int) -> None:
        self._path = path
        self._limit_bytes = limit_bytes
        self._left_bytes = limit_bytes
        self._left_entries = _ENTRIES_LIMIT

    def mapping(self, content: Mapping[Any, Any], name: str, depth: int) -> dict[str, Plain]:
        """A dict with string keys; an integer key, as optimisers have them, becomes its digits."""
        return {
            str(key): self._value(value, f"{name}.{key}".lstrip("."), depth) for key, value in content.items()
        }

    def _value(self, value: object, name: str, depth: int) -> Plain:
        self._left_entries -= 1
        if not name.isprintable():
            hint = "the file is damaged or no checkpoint"
            raise WeightsError(self._path, "a checkpoint of tensors", "a name that cannot be printed", hint)
        if self._left_entries < 0 or depth > _DEPTH_LIMIT:
            hint = "the file is packed to harm or no checkpoint"
            raise WeightsError(self._path, "a checkpoint of tensors", "endless entries inside entries", hint)
        if isinstance(value, Tensor):
            return self._tensor(value, name)
        if isinstance(value, Mapping):
            return self.mapping(value, name, depth + 1)
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value(item, f"{name}.{number}", depth + 1) for number, item in enumerate(value)]
        if value is None or isinstance(value, str | int | float | bool):
            return value
        hint = "save the state dict alone"
        raise WeightsError(
            self._path, "tensors and plain values", f"a {type(value).__name__} in '{name}'", hint
        )

    def _tensor(self, value: Tensor, name: str) -> Tensor:
        if value.layout != torch.strided or value.is_quantized or value.device.type != "cpu":
            hint = "save the state dict with plain tensors"
            raise WeightsError(self._path, "plain tensors", f"another kind in '{name}'", hint)
        self._left_bytes -= value.numel() * value.element_size()
        if self._left_bytes < 0:
            hint = "the file is packed to harm, or the limit must be raised"
            raise WeightsError(self._path, f"at most {self._limit_bytes} bytes of tensors", "more", hint)
        plain = value.detach().as_subclass(Tensor)
        if plain.is_complex():
            raise WeightsError(
                self._path, "real numbers", f"complex ones in '{name}'", "save the state dict alone"
            )
        plain = plain.to(torch.float32) if plain.is_floating_point() else plain
        check_finite(self._path, name, plain)
        return plain
