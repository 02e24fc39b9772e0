"""The header of a safetensors file of anyone, of which nothing is trusted. No torch: the window reads them too.

It is checked against the size of the file before anything is allocated: every tensor lies inside the file, fits its
shape, and none overlap.

Elsewhere: the tensors in tensorfile.py, files with our own header entries in weightfile.py.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, NoReturn, TypeGuard

from engine.atomic import AnyPath
from engine.bounds import BoundsError, read_json
from engine.errors import WeightsError
from engine.weight_checks import check_size, first_bytes, read_error

TENSORS_LIMIT = 20_000
"""Most tensors of a file: the largest networks of the field have some thousands, and each takes its time."""
_HEADER_LIMIT_BYTES = 16 << 20
_VALUES_OF_A_TENSOR = 10  # of its JSON: a table of two lists
_SIDES_LIMIT = 32  # torch ends at 64, and at a product of 2 ** 63
_NAME_LIMIT = 1024
_VALUES_LIMIT = 2**62
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


@dataclass(frozen=True)
class Header:
    """What a safetensors file says of itself."""

    names: tuple[str, ...]
    """Of its tensors."""
    metadata: Mapping[str, str]
    """Further entries."""


def is_safetensors(path: AnyPath) -> bool:
    """Tell by content: the ninth byte opens a JSON object, and no checkpoint of torch has that there."""
    return first_bytes(path, 9)[8:] == b"{"


def read_header(path: AnyPath, limit_bytes: int) -> Header:
    """Read and check the header: every extent lies inside the file, fits its shape, and none overlap.

    Raises:
        WeightsError: if the file is missing, damaged or too large.
    """
    size = check_size(path, limit_bytes)
    try:
        with open(path, "rb") as file:
            return header_of(path, file, size)
    except OSError as error:
        raise read_error(path, error) from error


def header_of(path: AnyPath, file: BinaryIO, size: int, *, limit_bytes: int = _HEADER_LIMIT_BYTES) -> Header:
    """Read and check the header of an open file, or of bytes.

    Args:
        path: what to call it in errors.
        file: at its start.
        size: of all of it, in bytes.
        limit_bytes: largest header that is read.

    Raises:
        WeightsError: if the header is damaged, too large, or says what does not fit the file.
        OSError: if it cannot be read.
    """
    length = int.from_bytes(file.read(8), "little")
    if size < 10 or length > min(size - 8, limit_bytes):
        _damaged(path, f"{size} bytes that do not hold the header they announce")
    text = file.read(length)
    try:
        entries = read_json(
            text, limit_bytes=limit_bytes, limit_entries=_VALUES_OF_A_TENSOR * TENSORS_LIMIT, is_unique=True
        )
    except BoundsError as error:
        hint = "the file is packed to harm or damaged, fetch or write it again"
        raise WeightsError(path, f"a header of {error.expected}", error.got, hint) from error
    except ValueError:
        _damaged(path, "a header that cannot be read")
    if not isinstance(entries, dict):
        _damaged(path, "a header that is not a table")
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        _damaged(path, "header metadata that is not text")
    if len(entries) > TENSORS_LIMIT:
        _damaged(path, f"{len(entries)} tensors, where at most {TENSORS_LIMIT} are read")
    extents = sorted(_extent(path, name, entry) for name, entry in entries.items())
    end = 0
    for start, stop, name in extents:
        if start != end:
            _damaged(path, f"a gap or an overlap before the tensor '{name}'")
        end = stop
    if end != size - 8 - length:
        _damaged(path, f"{size} bytes where the header announces {end + 8 + length}")
    return Header(tuple(entries), metadata)


def _damaged(path: AnyPath, got: str) -> NoReturn:
    raise WeightsError(path, "a whole safetensors file", got, "the file is damaged, fetch or write it again")


def _is_counts(row: object) -> TypeGuard[list[int]]:
    """True for a list of whole numbers from zero; JSON's true is none of them."""
    return isinstance(row, list) and all(type(number) is int and number >= 0 for number in row)


def _extent(path: AnyPath, name: str, entry: object) -> tuple[int, int, str]:
    """First byte, end and name of one tensor, checked against its shape."""
    if not name.isprintable() or len(name) > _NAME_LIMIT:
        _damaged(path, "a tensor name that cannot be printed")
    if not isinstance(entry, dict):
        _damaged(path, f"no description of the tensor '{name}'")
    code, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not isinstance(code, str) or code not in _ITEM_BYTES:
        hint = f"save it with one of {', '.join(_ITEM_BYTES)}"
        raise WeightsError(path, "numbers of a known type", f"{repr(code)[:40]} in the tensor '{name}'", hint)
    if not _is_counts(shape) or not _is_counts(offsets):
        _damaged(path, f"no size or place for the tensor '{name}'")
    if len(shape) > _SIDES_LIMIT:
        _damaged(path, f"{len(shape)} sides of the tensor '{name}', where at most {_SIDES_LIMIT} are read")
    if math.prod(side or 1 for side in shape) > _VALUES_LIMIT:
        _damaged(path, f"a size without end of the tensor '{name}'")
    if len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * _ITEM_BYTES[code]:
        _damaged(path, f"a place that does not fit the size of the tensor '{name}'")
    return offsets[0], offsets[1], name
