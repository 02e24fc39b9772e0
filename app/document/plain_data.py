"""Read JSON that somebody else may have written: no NaN, no endless depth, one clear line where it is wrong."""

import json
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
