"""Read a published checkpoint (``.pth``): tensors and plain containers come through, code does not.

What it becomes is held against what it is: a tensor may say that one number of its storage is a thousand million, and
thousands of tensors that they share a storage. All of them together may become a small multiple of the file.

Elsewhere: who asks for one in importing.py and weightfile.py, official key names in models.<family>.official.
"""

import contextlib
import io
import os
import pickle
import pickletools
import re
import warnings
import zipfile
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from engine.atomic import AnyPath
from engine.bounds import BoundsError, Budget
from engine.errors import WeightsError
from engine.tensorfile import check_finite
from engine.weight_checks import LIMIT_BYTES, check_size, read_error
from engine.zip_directory import open_zip

_ENTRIES_LIMIT = 100_000  # shared lists inside lists grow without bound when they are unrolled
_DEPTH_LIMIT = 16
_NAME_LIMIT = 1024
_STORAGES_LIMIT = 20_000
_PICKLE_LIMIT_BYTES = 4 << 20  # names and shapes of all tensors; each byte may become an object of 60
_OF_PICKLES = "bytes of names and shapes"
_OLD_PICKLES = 5  # a magic number, the protocol, the system, the content, the keys of the storages
_FLOAT_BYTES = 4  # every float becomes float32, the half ones too
_GROWTH_LIMIT = 8
"""A file's tensors may become so many times its size: float16 is widened, networks share storages twice or thrice."""
_GROWTH_FREE_BYTES = 1 << 20

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
    size = check_size(path, limit_bytes)
    _check_parts(path, limit_bytes)
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
    return _Unroller(path, min(limit_bytes, _GROWTH_LIMIT * size + _GROWTH_FREE_BYTES)).mapping(
        content, "", 0
    )


def _check_parts(path: AnyPath, limit_bytes: int) -> None:
    """Hold what the file says of its parts against limits, before anything is unpacked.

    Today's form is a zip of one pickle and of storages; the older one is pickles behind each other, then the storages.
    """
    try:
        with open(path, "rb") as file:
            if file.read(4) == b"PK\x03\x04":
                entries = open_zip(file, limit_entries=_STORAGES_LIMIT).infolist()
                Budget(limit_bytes, "bytes when unpacked").take(sum(entry.file_size for entry in entries))
                pickles = [entry.file_size for entry in entries if entry.filename.endswith(".pkl")]
                Budget(_PICKLE_LIMIT_BYTES, _OF_PICKLES).take(sum(pickles))
            else:
                file.seek(0)
                _check_pickles(file.read(_PICKLE_LIMIT_BYTES + 1))
    except BoundsError as error:
        hint = "the file is packed to harm, or the limit must be raised"
        raise WeightsError(path, error.expected, error.got, hint) from error
    except OSError as error:
        raise read_error(path, error) from error
    except zipfile.BadZipFile as error:
        hint = "the file is damaged, fetch it again"
        raise WeightsError(path, "a checkpoint of tensors", "a broken archive", hint) from error


def _check_pickles(start: bytes) -> None:
    """Walk through the pickles of the older form, which says nowhere how long they are, without running them.

    Args:
        start: of the file, one byte more than they may have.

    Raises:
        BoundsError: if they are longer.
    """
    stream = io.BytesIO(start)
    with contextlib.suppress(Exception):  # of a file that is no pickle; torch tells that
        for _ in range(_OLD_PICKLES):
            for _ in pickletools.genops(stream):
                pass
    Budget(_PICKLE_LIMIT_BYTES, _OF_PICKLES).check(stream.tell())


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
        self._budget = Budget(limit_bytes, "bytes of tensors")
        self._left_entries = _ENTRIES_LIMIT

    def mapping(self, content: Mapping[Any, Any], name: str, depth: int) -> dict[str, Plain]:
        """A dict with string keys; an integer key, as optimisers have them, becomes its digits."""
        return {
            (word := self._key(key)): self._value(value, f"{name}.{word}".lstrip("."), depth)
            for key, value in content.items()
        }

    def _key(self, key: object) -> str:
        if isinstance(key, int) and abs(key) < 2**63:
            return str(key)
        if not isinstance(key, str) or len(key) > _NAME_LIMIT or not key.isprintable():
            hint = "the file is damaged or no checkpoint"
            raise WeightsError(self._path, "a checkpoint of tensors", "a name that cannot be printed", hint)
        return key

    def _value(self, value: object, name: str, depth: int) -> Plain:
        self._left_entries -= 1
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
        try:
            self._budget.take(value.numel() * max(value.element_size(), _FLOAT_BYTES))
        except BoundsError as error:
            hint = "the file is packed to harm, or the limit must be raised"
            raise WeightsError(self._path, error.expected, error.got, hint) from error
        plain = value.detach().as_subclass(Tensor)
        if plain.is_complex():
            raise WeightsError(
                self._path, "real numbers", f"complex ones in '{name}'", "save the state dict alone"
            )
        plain = plain.to(torch.float32) if plain.is_floating_point() else plain
        check_finite(self._path, name, plain)
        return plain
