"""How much a file may become: asked before anything is unpacked, by every reader of files that somebody else may have written.

A small file can say large numbers: a tensor of stride 0, a zip packed 1000:1, JSON that is nothing but brackets. So
whoever unpacks takes what it is about to become from a `Budget` first, reads plain data through `read_json` and
`read_toml`, and streams through `LimitedReader`. Each raises `BoundsError`, which a reader turns into its own error with
the file's name and what to do: its two parts are the middle of a message in the form of the house.

No torch, no Qt, nothing opened or probed at import.

Elsewhere: directories of zips in zip_directory.py.
"""

import io
import json
import os
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

DEPTH_LIMIT = 64
"""Deepest nesting of plain data; ours is 8. Python's own stack ends near 1000."""
JSON_LIMIT_BYTES = 16 << 20
JSON_LIMIT_ENTRIES = 200_000
"""Most values of a JSON text unless its reader says otherwise; each may take 100 bytes of memory."""
TOML_LIMIT_BYTES = 256 << 10
"""Largest TOML text: the parser is written in Python, and a hostile megabyte keeps it busy for a minute."""
_TOML_LIMIT_LINES = 8_000
_WORD_LIMIT = 256  # signs of a number or a bare key; Python refuses to print a number of 4300 digits

# A string is matched even where its end is missing: a search that begins anew at every quote would be quadratic.
_JSON_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_TOML_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\\?\Z)'
    r"|'''(?:[^']|'(?!''))*+(?:'''|\Z)"
    r'|"(?:[^"\\\n]|\\.)*+(?:"|\\?$)'
    r"|'[^'\n]*+(?:'|$)"
    r"|\#[^\n]*+",
    re.DOTALL | re.MULTILINE,
)
_LONG_WORD = re.compile(rf"[\w.+-]{{{_WORD_LIMIT}}}")
_LONG_PATH = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{DEPTH_LIMIT}}}")  # a.b.c.d...
_NOT_NESTING = bytes(set(range(256)) - set(b"[]{}"))


class BoundsError(ValueError):
    """Something would become more than it may.

    Args:
        expected: what is allowed, with its number and unit.
        got: what the file says, or ``more``.
    """

    def __init__(self, expected: str, got: str) -> None:
        self.expected = expected
        self.got = got
        super().__init__(f"expected {expected}, got {got}")


class Budget:
    """What one file may become in memory, all its parts together.

    Args:
        limit_bytes: the most.
        what: of what, after the number: ``bytes of tensors``, ``bytes unpacked``.
    """

    def __init__(self, limit_bytes: int, what: str = "bytes unpacked") -> None:
        self.limit_bytes = limit_bytes
        self.left_bytes = limit_bytes
        self._what = what

    def check(self, amount_bytes: int) -> None:
        """Ask whether so much would still fit, without taking it.

        Raises:
            BoundsError: if it would not.
        """
        if amount_bytes > self.left_bytes:
            used = self.limit_bytes - self.left_bytes
            got = f"{used + amount_bytes} bytes" if used == 0 else f"{used + amount_bytes} bytes or more"
            raise BoundsError(f"at most {self.limit_bytes} {self._what}", got)

    def take(self, amount_bytes: int) -> None:
        """Count what something is about to become; before it does.

        Raises:
            BoundsError: if it is more than is left; nothing is taken then.
        """
        self.check(amount_bytes)
        self.left_bytes -= amount_bytes

    def give_back(self, amount_bytes: int) -> None:
        """Count what was taken as free: it is let go of."""
        self.left_bytes += amount_bytes


def memory_share(parts: int, *, least_bytes: int = 1 << 30) -> int:
    """The machine's memory divided by ``parts``, in bytes; never below ``least_bytes``."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        memory = 8 << 30  # a system that does not say
    return max(least_bytes, memory // parts)


class LimitedReader(io.RawIOBase):
    """A stream that ends in an error where it gives more than it may: around a decompressor, or a pipe.

    Args:
        file: what is read; not closed here.
        limit_bytes: most that it may give in all.
        what: of what, after the number.
    """

    def __init__(self, file: BinaryIO, limit_bytes: int, what: str = "bytes unpacked") -> None:
        self._file = file
        self._budget = Budget(limit_bytes, what)

    def readable(self) -> bool:
        """It can be read."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """At most ``size`` bytes; without one, all there are, if they are within the limit.

        Raises:
            BoundsError: if there are more.
        """
        left = self._budget.left_bytes
        data = self._file.read(left + 1 if size is None or size < 0 else min(size, left + 1))
        self._budget.take(len(data))
        return data

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer as far as one read does, as buffered readers ask."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def read_limited(path: str | os.PathLike[str], limit_bytes: int) -> bytes:
    """All of a small file, whatever its directory entry says of its size.

    Raises:
        BoundsError: if it is larger.
        OSError: if it cannot be read.
    """
    with open(path, "rb") as file:
        return LimitedReader(file, limit_bytes, "bytes").read()


# Plain data ----------------------------------------------------------------------------------------------------------


def read_json(
    text: bytes | str,
    *,
    limit_bytes: int = JSON_LIMIT_BYTES,
    limit_entries: int = JSON_LIMIT_ENTRIES,
    is_unique: bool = False,
) -> Any:
    """Plain data from JSON that anyone may have written.

    Args:
        text: UTF-8, or words.
        limit_bytes: longest text.
        limit_entries: most values, all levels together.
        is_unique: refuse a name that is given twice in one object; else the last one counts.

    Returns:
        Dicts, lists, words, finite floats, whole numbers of 64 bits, True, False and None, at most `DEPTH_LIMIT` deep.

    Raises:
        BoundsError: if it is longer, deeper or more than allowed, or a number is not finite or has too many digits.
        ValueError: if it is no JSON, no UTF-8, or gives a name twice where that is not allowed.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > limit_bytes:
        raise BoundsError(f"at most {limit_bytes} bytes of JSON", f"{len(data)} bytes")
    frame = _JSON_STRING.sub(b"", data)
    entries = frame.count(b",") + frame.count(b"[") + frame.count(b"{")
    if entries > limit_entries:
        raise BoundsError(f"at most {limit_entries} values in JSON", f"about {entries}")
    _check_depth(frame, "JSON")
    return json.loads(
        text.decode() if isinstance(text, bytes) else text,  # of bytes it would take UTF-16 and 32 as well
        parse_int=_whole,
        parse_float=_finite,
        parse_constant=_refuse,
        object_pairs_hook=_unique if is_unique else None,
    )


def read_toml(text: bytes | str, *, limit_bytes: int = TOML_LIMIT_BYTES) -> dict[str, Any]:
    """Plain data from TOML that anyone may have written.

    Args:
        text: UTF-8, or words.
        limit_bytes: longest text.

    Raises:
        BoundsError: if it is longer or deeper than allowed, or a number or a key has too many signs.
        ValueError: if it is no TOML or no UTF-8.
    """
    import tomllib  # here: settings, which are JSON, are read before the window is seen

    words = text.decode() if isinstance(text, bytes) else text
    size = len(words.encode("utf-8", "surrogatepass"))
    if size > limit_bytes:
        raise BoundsError(f"at most {limit_bytes} bytes of TOML", f"{size} bytes")
    lines = words.count("\n") + 1
    if lines > _TOML_LIMIT_LINES:
        raise BoundsError(f"at most {_TOML_LIMIT_LINES} lines of TOML", f"{lines}")
    frame = _TOML_STRING.sub("_", words)
    if _LONG_PATH.search(frame):
        raise BoundsError(f"keys of at most {DEPTH_LIMIT} parts", "a longer one")
    if _LONG_WORD.search(frame):
        raise BoundsError(f"numbers and bare keys of at most {_WORD_LIMIT} signs", "a longer one")
    _check_depth(frame.encode("utf-8", "surrogatepass"), "TOML")
    return tomllib.loads(words)


def _check_depth(frame: bytes, kind: str) -> None:
    """Hold the nesting of a text without its strings against the limit."""
    for depth in _depths(frame.translate(None, _NOT_NESTING)):
        if depth > DEPTH_LIMIT:
            raise BoundsError(f"{kind} at most {DEPTH_LIMIT} deep", "a deeper one")


def _depths(brackets: bytes) -> Iterator[int]:
    depth = 0
    for sign in brackets:
        depth += 1 if sign in b"[{" else -1
        yield depth


def _whole(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= (value := int(digits)) < 2**63:
        raise BoundsError("whole numbers of 64 bits", f"one of {len(digits)} digits")
    return value


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise BoundsError("finite numbers", digits[:20])
    return value


def _refuse(word: str) -> None:
    raise BoundsError("finite numbers", word)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("a name is given twice")
    return entries
