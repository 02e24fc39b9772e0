"""Read and write files of weights, and trust none of them.

A house file is a safetensors file with two entries in its header: ``pentimento.family`` names the family,
``pentimento.options`` holds the options that build its networks, as JSON. A header is checked against the size of
the file before anything is allocated, every value must be finite, and 16-bit floats become float32 on the way in.
The same state gives the same bytes.

Official checkpoints (``.pth``) are read by the importer and by ``read_features`` alone: tensors and plain containers
come through, code does not.

Elsewhere: which file a name means in weights.py; official key names in models.<family>.official.
"""

import hashlib
import json
import math
import os
import pickle
import re
import stat
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NoReturn, TypeGuard

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.atomic import AnyPath, path_error, write_atomically
from engine.errors import WeightsError

LIMIT_BYTES = 4 << 30
"""Largest file, and largest sum of its tensors, that is read unless the caller says otherwise."""

FAMILY_KEY = "pentimento.family"
OPTIONS_KEY = "pentimento.options"

_HEADER_LIMIT_BYTES = 100_000_000  # the limit of the format's own library
_ITEM_BYTES = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
}
_DTYPE_CODES = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_ENTRIES_LIMIT = 100_000  # shared lists inside lists grow without bound when they are unrolled
_DEPTH_LIMIT = 16

Plain = Tensor | dict[str, "Plain"] | list["Plain"] | str | int | float | bool | None
"""What an official checkpoint may hold."""


@dataclass(frozen=True)
class WeightFile:
    """What a house file holds."""

    family: str
    """Folder name of the family under ``models``, with underscores."""
    options: Mapping[str, Any]
    """What builds the networks: plain JSON values."""
    state: Mapping[str, Tensor]
    """One flat state of all networks, float32 on the CPU; integers keep their type."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Further lines of the header: licence, command, training data."""


def read_weights(path: AnyPath, *, family: str | None = None, limit_bytes: int = LIMIT_BYTES) -> WeightFile:
    """Read a house file.

    Args:
        path: a ``.safetensors`` file written by ``write_weights``.
        family: the family it must be for, with hyphen or underscore; any when left out.
        limit_bytes: largest file that is read.

    Returns:
        The file's family, options, state and further metadata.

    Raises:
        WeightsError: if the file is missing, damaged, too large, not ours, for another family, or holds NaN.
    """
    header = _read_header(path, limit_bytes)
    found, options = _house_metadata(path, header)
    wanted = family.replace("-", "_") if family is not None else found
    if found != wanted:
        hint = f"use these weights with the family '{found}', or name a file made for '{wanted}'"
        raise WeightsError(
            path, f"weights for the family '{wanted}'", f"weights for the family '{found}'", hint
        )
    rest = {key: text for key, text in header.metadata.items() if key not in (FAMILY_KEY, OPTIONS_KEY)}
    return WeightFile(found, options, _load_tensors(path, header), rest)


def read_metadata(path: AnyPath, *, limit_bytes: int = LIMIT_BYTES) -> dict[str, str]:
    """Header entries of a safetensors file, ours and others, without its tensors.

    Raises:
        WeightsError: if the file is missing, damaged or too large.
    """
    return dict(_read_header(path, limit_bytes).metadata)


def write_weights(path: AnyPath, weight_file: WeightFile, *, dtype: torch.dtype = torch.float32) -> None:
    """Write a house file, whole or not at all.

    Args:
        path: the file to write.
        weight_file: family, options, state and metadata; float tensors of any width.
        dtype: float32 or float16, the width in which float tensors are kept.

    Raises:
        WeightsError: if the place cannot be written, a value is not finite at ``dtype``, or a name is reserved.
    """
    if dtype not in (torch.float32, torch.float16):
        raise WeightsError("dtype", "float32 or float16", dtype, "weights are kept in one of the two")
    reserved = sorted({FAMILY_KEY, OPTIONS_KEY} & set(weight_file.metadata))
    if reserved:
        hint = "the family and the options have fields of their own"
        raise WeightsError("metadata", "further entries only", f"the reserved entry '{reserved[0]}'", hint)
    metadata = {
        **weight_file.metadata,
        FAMILY_KEY: weight_file.family.replace("-", "_"),
        OPTIONS_KEY: json.dumps(dict(weight_file.options), sort_keys=True),
    }
    arrays = {name: _to_array(path, name, tensor, dtype) for name, tensor in weight_file.state.items()}
    # Wide items first keeps every tensor aligned to its own item size, as the format's library expects.
    order = sorted(arrays, key=lambda name: (-arrays[name][1].itemsize, name))
    entries: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))}
    start = 0
    for name in order:
        code, array = arrays[name]
        entries[name] = {
            "dtype": code,
            "shape": list(array.shape),
            "data_offsets": [start, start + array.nbytes],
        }
        start += array.nbytes
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)

    def write(file: BinaryIO) -> None:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in order:
            file.write(arrays[name][1].reshape(-1).view(np.uint8).data)

    write_atomically(path, write, error_type=WeightsError)


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
    _check_size(path, limit_bytes)
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


def read_features(path: AnyPath, *, limit_bytes: int = LIMIT_BYTES) -> dict[str, Tensor]:
    """Read the weights of a feature network from the file a user names.

    Args:
        path: safetensors, with or without our header entries, or a ``.pth`` that holds a state dict; one state
            nested inside other entries (``state_dict``, ``model``) is found.
        limit_bytes: largest file that is read.

    Returns:
        Flat state, float32 on the CPU, under the file's own key names.

    Raises:
        WeightsError: if the file is missing, damaged, too large, holds code or NaN, or holds not one state.
    """
    _check_size(path, limit_bytes)
    if _is_safetensors(path):
        return _load_tensors(path, _read_header(path, limit_bytes))
    content = read_official(path, limit_bytes=limit_bytes)
    states = [content, *(value for value in content.values() if isinstance(value, dict))]
    flat = [state for state in states if any(isinstance(value, Tensor) for value in state.values())]
    if len(flat) != 1:
        names = ", ".join(list(content)[:5]) or "nothing"
        hint = "save the feature network's state dict alone, as safetensors or .pth"
        raise WeightsError(path, "one state dict of tensors", f"{len(flat)} in the entries {names}", hint)
    return {name: value for name, value in flat[0].items() if isinstance(value, Tensor)}


def sha256_of(path: AnyPath) -> str:
    """Digest of a file's bytes as 64 lower-case hexadecimal digits.

    Raises:
        WeightsError: if the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _read_error(path, error) from error


# Safetensors ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Header:
    names: tuple[str, ...]
    metadata: Mapping[str, str]


def _read_error(path: AnyPath, error: OSError) -> WeightsError:
    if isinstance(error, FileNotFoundError):
        return WeightsError(path, "a file of weights", "no such file", "check the path")
    if isinstance(error, IsADirectoryError):
        return WeightsError(path, "a file of weights", "a folder", "name the file inside it")
    if isinstance(error, PermissionError):
        return WeightsError(path, "a file that can be read", "no permission", "change its permissions")
    wrapped = path_error(path, error, WeightsError, expected="a file that can be read")
    assert isinstance(wrapped, WeightsError), "path_error builds the class it is given"
    return wrapped


def _check_size(path: AnyPath, limit_bytes: int) -> int:
    """Size of a regular file in bytes, refused above the limit and when there is nothing in it."""
    try:
        status = os.stat(path)
    except OSError as error:
        raise _read_error(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise WeightsError(path, "a file of weights", "a folder", "name the file inside it")
    if not stat.S_ISREG(status.st_mode):
        raise WeightsError(path, "a file of weights", "a device or pipe", "name a file")
    size = status.st_size
    if size == 0:
        raise WeightsError(path, "a file of weights", "an empty file", "fetch or write it again")
    if size > limit_bytes:
        hint = "this is no file of weights for any family here, or the limit must be raised"
        raise WeightsError(path, f"at most {limit_bytes} bytes", f"{size} bytes", hint)
    return size


def _first_bytes(path: AnyPath, count: int) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(count)
    except OSError as error:
        raise _read_error(path, error) from error


def _is_safetensors(path: AnyPath) -> bool:
    """Tell by content: the ninth byte opens a JSON object, and no checkpoint of torch has that there."""
    return _first_bytes(path, 9)[8:] == b"{"


def _damaged(path: AnyPath, got: str) -> NoReturn:
    raise WeightsError(path, "a whole safetensors file", got, "the file is damaged, fetch or write it again")


def _only_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("a name is given twice")
    return entries


def _read_header(path: AnyPath, limit_bytes: int) -> _Header:
    """Read and check the header: every extent lies inside the file, fits its shape, and none overlap."""
    size = _check_size(path, limit_bytes)
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 10 or length > min(size - 8, _HEADER_LIMIT_BYTES):
                _damaged(path, f"{size} bytes that do not hold the header they announce")
            text = file.read(length)
    except OSError as error:
        raise _read_error(path, error) from error
    try:
        entries = json.loads(text.decode("utf-8"), object_pairs_hook=_only_once)
    except (ValueError, RecursionError):
        _damaged(path, "a header that cannot be read")
    if not isinstance(entries, dict):
        _damaged(path, "a header that is not a table")
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        _damaged(path, "header metadata that is not text")
    extents = sorted(_extent(path, name, entry) for name, entry in entries.items())
    end = 0
    for start, stop, name in extents:
        if start != end:
            _damaged(path, f"a gap or an overlap before the tensor '{name}'")
        end = stop
    if end != size - 8 - length:
        _damaged(path, f"{size} bytes where the header announces {end + 8 + length}")
    return _Header(tuple(entries), metadata)


def _is_counts(row: object) -> TypeGuard[list[int]]:
    """True for a list of whole numbers from zero; JSON's true is none of them."""
    return isinstance(row, list) and all(type(number) is int and number >= 0 for number in row)


def _extent(path: AnyPath, name: str, entry: object) -> tuple[int, int, str]:
    """First byte, end and name of one tensor, checked against its shape."""
    if not name.isprintable():
        _damaged(path, "a tensor name that cannot be printed")
    if not isinstance(entry, dict):
        _damaged(path, f"no description of the tensor '{name}'")
    code, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not isinstance(code, str) or code not in _ITEM_BYTES:
        hint = f"save it with one of {', '.join(_ITEM_BYTES)}"
        raise WeightsError(path, "numbers of a known type", f"{code!r} in the tensor '{name}'", hint)
    if not _is_counts(shape) or not _is_counts(offsets):
        _damaged(path, f"no size or place for the tensor '{name}'")
    if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * _ITEM_BYTES[code]:
        _damaged(path, f"a place that does not fit the size of the tensor '{name}'")
    return offsets[0], offsets[1], name


def _house_metadata(path: AnyPath, header: _Header) -> tuple[str, dict[str, Any]]:
    family, text = header.metadata.get(FAMILY_KEY), header.metadata.get(OPTIONS_KEY)
    if not family or not family.isidentifier() or text is None:
        missing = OPTIONS_KEY if family and text is None else FAMILY_KEY
        hint = "import official checkpoints with 'pentimento weights import' first"
        raise WeightsError(path, "a weights file of Pentimento", f"no header entry '{missing}'", hint)
    try:
        options = json.loads(text)
    except (ValueError, RecursionError):
        options = None
    if not isinstance(options, dict):
        hint = "the file is damaged, fetch or write it again"
        raise WeightsError(path, f"a table of options in '{OPTIONS_KEY}'", f"{text[:40]!r}", hint)
    return family, options


def _load_tensors(path: AnyPath, header: _Header) -> dict[str, Tensor]:
    """Read every tensor into memory of its own, so that the file may be replaced while the state is in use."""
    state = {}
    try:
        with safe_open(os.fspath(path), framework="pt", device="cpu") as file:
            for name in header.names:
                tensor = file.get_tensor(name)
                dtype = torch.float32 if tensor.is_floating_point() else tensor.dtype
                state[name] = tensor.to(dtype, copy=True)
                _check_finite(path, name, state[name])
    except SafetensorError as error:
        raise WeightsError(
            path, "a whole safetensors file", f"'{error}'", "the file is damaged, fetch or write it again"
        ) from error
    except OSError as error:
        raise _read_error(path, error) from error
    return state


def _check_finite(path: AnyPath, name: str, tensor: Tensor) -> None:
    if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
        word = "NaN" if bool(torch.isnan(tensor).any()) else "infinite values"
        hint = "the training that made it diverged or the file is damaged; use an earlier checkpoint"
        raise WeightsError(path, "finite values", f"{word} in the tensor '{name}'", hint)


def _to_array(
    path: AnyPath, name: str, tensor: Tensor, dtype: torch.dtype
) -> tuple[str, np.ndarray[Any, Any]]:
    """The format's word for the type, and the values as one solid array."""
    _check_finite(path, name, tensor)
    kept = tensor.detach().to("cpu", dtype if tensor.is_floating_point() else tensor.dtype).contiguous()
    if kept.dtype not in _DTYPE_CODES:
        raise WeightsError(name, "floats or integers", kept.dtype, "convert the tensor before it is written")
    if kept.is_floating_point() and not bool(torch.isfinite(kept).all()):
        hint = "write the file as float32"
        raise WeightsError(
            path, "values a 16-bit float can hold", f"larger ones in the tensor '{name}'", hint
        )
    return _DTYPE_CODES[kept.dtype], kept.numpy()


# Official checkpoints ------------------------------------------------------------------------------------------------


def _check_zip(path: AnyPath, limit_bytes: int) -> None:
    """Refuse an archive whose entries would unpack to more than the limit, before anything is unpacked."""
    if not _first_bytes(path, 4).startswith(b"PK\x03\x04"):
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
        return _read_error(path, error)
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
        _check_finite(self._path, name, plain)
        return plain
