"""Standard streams that never get in the way: closed, full, or with a reader that has gone.

* A stream that was closed (``2>&-``) is opened to nowhere. Else the next file that is opened, perhaps the result, gets
  its number, and libraries write their complaints into it.
* A reader that went away (``| head``) costs the lines it would have read, not the work.
* A place that takes no more (``> /dev/full``) is an `OutputError` on standard output; on standard error there is nobody
  left to tell.
* What a library writes to number 2 by itself can be silenced (engine/quiet.py) without silencing us: our own lines go to
  a copy of that descriptor.
* What an encoding has no sign for is written by its number: a name in a foreign alphabet ends no command.

For a process as a whole, once, at its start.
"""

import io
import os
import sys
from typing import TextIO

from app.errors import OutputError


def prepare() -> None:
    """Give this process three such streams."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed; the lowest number that is free is this one
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  (for the life of the process)
    sys.stdout = _text(_Outlet(1, "standard output"), sys.stdout)
    sys.stderr = _text(_Outlet(os.dup(2), ""), sys.stderr, is_by_line=True)


class _Outlet(io.RawIOBase):
    """Bytes to a descriptor, until it takes no more; from then on to nowhere.

    Args:
        number: of the descriptor.
        name: what to call it when it takes no more; empty = nobody is told.
    """

    def __init__(self, number: int, name: str) -> None:
        self._number, self._name = number, name
        self._is_gone = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        if self._is_gone:
            return len(data)
        try:
            return os.write(self._number, data)
        except OSError as error:
            self._is_gone = True
            if not self._name or isinstance(error, BrokenPipeError):
                return len(data)
            got = f"'{error.strerror}'"
            raise OutputError(
                self._name, "a place that takes the answer", got, "send it elsewhere"
            ) from error


def _text(outlet: _Outlet, before: TextIO | None, *, is_by_line: bool = False) -> TextIO:
    encoding = before.encoding if before is not None else "utf-8"
    return io.TextIOWrapper(
        io.BufferedWriter(outlet),
        encoding,
        "backslashreplace",
        line_buffering=is_by_line or outlet.isatty(),
    )
