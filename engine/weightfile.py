"""Read and write files of weights, and trust none of them.

A house file is a safetensors file with two entries in its header: ``pentimento.family`` names the family,
``pentimento.options`` holds the options that build its networks, as JSON. The same state gives the same bytes.

Elsewhere: the format itself in tensor_header.py and tensorfile.py, published checkpoints in checkpoints.py; which file a name means in
weights.py.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from engine.atomic import AnyPath, write_atomically
from engine.bounds import read_json
from engine.checkpoints import read_official
from engine.errors import WeightsError
from engine.tensor_header import Header, is_safetensors, read_header
from engine.tensorfile import OpenTensors, check_finite
from engine.weight_checks import LIMIT_BYTES, check_size, read_error

FAMILY_KEY = "pentimento.family"
OPTIONS_KEY = "pentimento.options"

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


def read_weights(
    path: AnyPath, *, family: str | None = None, sha256: str = "", limit_bytes: int = LIMIT_BYTES
) -> WeightFile:
    """Read a house file.

    Args:
        path: a ``.safetensors`` file written by ``write_weights``.
        family: the family it must be for, with hyphen or underscore; any when left out.
        sha256: the digest that its bytes must have; any when left out.
        limit_bytes: largest file that is read.

    Returns:
        The file's family, options, state and further metadata.

    Raises:
        WeightsError: if the file is missing, damaged, too large, not ours, for another family, or holds NaN.
    """
    file = OpenTensors(path, limit_bytes)
    if sha256 and file.sha256 != sha256:
        hint = "the file was changed since it was checked; run the same again"
        raise WeightsError(path, f"sha256 {sha256[:8]}", file.sha256[:8], hint)
    header = file.header
    found, options = _house_metadata(path, header)
    wanted = family.replace("-", "_") if family is not None else found
    if found != wanted:
        hint = f"use these weights with the family '{found}', or name a file made for '{wanted}'"
        raise WeightsError(
            path, f"weights for the family '{wanted}'", f"weights for the family '{found}'", hint
        )
    rest = {key: text for key, text in header.metadata.items() if key not in (FAMILY_KEY, OPTIONS_KEY)}
    return WeightFile(found, options, file.tensors(), rest)


def read_metadata(path: AnyPath, *, limit_bytes: int = LIMIT_BYTES) -> dict[str, str]:
    """Header entries of a safetensors file, ours and others, without its tensors.

    Raises:
        WeightsError: if the file is missing, damaged or too large.
    """
    return dict(read_header(path, limit_bytes).metadata)


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
    check_size(path, limit_bytes)
    if is_safetensors(path):
        return OpenTensors(path, limit_bytes).tensors()
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
        raise read_error(path, error) from error


def _house_metadata(path: AnyPath, header: Header) -> tuple[str, dict[str, Any]]:
    family, text = header.metadata.get(FAMILY_KEY), header.metadata.get(OPTIONS_KEY)
    if not family or not family.isidentifier() or text is None:
        missing = OPTIONS_KEY if family and text is None else FAMILY_KEY
        hint = "import official checkpoints with 'pentimento weights import' first"
        raise WeightsError(path, "a weights file of Pentimento", f"no header entry '{missing}'", hint)
    try:
        options = read_json(text)
    except ValueError:
        options = None
    if not isinstance(options, dict):
        hint = "the file is damaged, fetch or write it again"
        raise WeightsError(path, f"a table of options in '{OPTIONS_KEY}'", f"{text[:40]!r}", hint)
    return family, options


def _to_array(
    path: AnyPath, name: str, tensor: Tensor, dtype: torch.dtype
) -> tuple[str, np.ndarray[Any, Any]]:
    """The format's word for the type, and the values as one solid array."""
    check_finite(path, name, tensor)
    kept = tensor.detach().to("cpu", dtype if tensor.is_floating_point() else tensor.dtype).contiguous()
    if kept.dtype not in _DTYPE_CODES:
        raise WeightsError(name, "floats or integers", kept.dtype, "convert the tensor before it is written")
    if kept.is_floating_point() and not bool(torch.isfinite(kept).all()):
        hint = "write the file as float32"
        raise WeightsError(
            path, "values a 16-bit float can hold", f"larger ones in the tensor '{name}'", hint
        )
    return _DTYPE_CODES[kept.dtype], kept.numpy()
