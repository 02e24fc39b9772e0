"""Read JSON that somebody else may have written: no NaN, no endless depth, one clear line where it is wrong."""

import json
import math
from typing import Any

from app.errors import DocumentError


def read_json(data: bytes, *, name: str) -> Any:
    """Plain data from JSON text.

    Args:
        data: UTF-8.
        name: what to call it in an error.

    Raises:
        DocumentError: if it is no JSON, holds NaN or infinity, or is too deep.
    """
    try:
        return json.loads(data, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:  # ValueError: bad JSON, bad UTF-8, numbers of 4300 digits
        got = "endless depth" if isinstance(error, RecursionError) else str(error)[:80]
        raise DocumentError(name, "plain JSON", got, "the file is damaged, fetch or save it again") from error


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:20]} is too large")
    return value


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
