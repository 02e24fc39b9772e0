"""Read JSON that somebody else may have written: no NaN, no endless depth, one clear line where it is wrong."""

import json
import math
from typing import Any

from app.errors import DocumentError
from engine import bounds
from engine.bounds import BoundsError

_LIMIT_BYTES = 128 << 20
_LIMIT_ENTRIES = 4_000_000
"""Of a document of 200,000 strokes; they take 400 MB of memory while they are read."""
_HINT = "the file is damaged, fetch or save it again"


def read_json(data: bytes, *, name: str) -> Any:
    """Plain data from JSON text.

    Args:
        data: UTF-8.
        name: what to call it in an error.

    Raises:
        DocumentError: if it is no JSON, holds NaN or infinity, or is too deep.
    """
    try:
        return bounds.read_json(data, limit_bytes=_LIMIT_BYTES, limit_entries=_LIMIT_ENTRIES)
    except BoundsError as error:
        raise DocumentError(name, error.expected, error.got, _HINT) from error
    except ValueError as error:  # bad JSON, bad UTF-8
        raise DocumentError(name, "plain JSON", " ".join(str(error)[:80].split()), _HINT) from error


def write_json(data: Any) -> bytes:
    """JSON text of plain data; what is not plain is made so: NaN becomes null, arrays lists, odd things words."""
    try:
        return json.dumps(data, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError):  # ValueError: NaN, or a lone surrogate
        return json.dumps(_plain(data), separators=(",", ":"), allow_nan=False).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in value]
    if hasattr(value, "tolist"):  # numpy's scalars and arrays
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)
