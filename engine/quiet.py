"""Keep what C libraries print off the user's screen, while pictures are decoded.

libtiff, libpng and others write to file descriptor 2 by themselves, past ``sys.stderr`` and past everything Python can
filter. Meanwhile the descriptor leads nowhere. Our own lines take another way out: a program of ours calls
``keep_own_lines`` when it starts, and ``sys.stderr`` then writes to a descriptor of its own.

Elsewhere: who is silenced, in decoding.py.
"""

import contextlib
import io
import os
import sys
import threading
from collections.abc import Iterator

_STDERR = 2
_lock = threading.Lock()
_silenced = 0
_kept = -1


def keep_own_lines() -> None:
    """Let ``sys.stderr`` write past descriptor 2, so that silencing that one swallows no line of ours.

    Called once, at the start of a process of ours, before anything keeps a reference to ``sys.stderr``. Without an open
    descriptor 2, or where ``sys.stderr`` is something else already, nothing is done.
    """
    stream = sys.stderr
    if not isinstance(stream, io.TextIOWrapper) or not _leads_to_stderr(stream):
        return
    try:
        own = os.dup(_STDERR)
    except OSError:
        return
    stream.flush()
    sys.stderr = open(own, "w", buffering=1, encoding=stream.encoding, errors=stream.errors)  # noqa: SIM115 - for life


@contextlib.contextmanager
def libraries_silenced() -> Iterator[None]:
    """Let descriptor 2 lead nowhere inside the block; blocks of many threads may overlap.

    A process started without a descriptor 2 is left alone: the number may since belong to a file of ours.
    """
    if sys.__stderr__ is None or not _enter():
        yield
        return
    try:
        yield
    finally:
        _leave()


def _leads_to_stderr(stream: io.TextIOWrapper) -> bool:
    try:
        return stream.fileno() == _STDERR
    except (OSError, ValueError):
        return False


def _enter() -> bool:
    global _silenced, _kept
    with _lock:
        if _silenced == 0:
            try:
                _kept = os.dup(_STDERR)
            except OSError:  # none, or no number is free
                return False
            try:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, _STDERR)
                os.close(nowhere)
            except OSError:
                os.close(_kept)
                return False
        _silenced += 1
        return True


def _leave() -> None:
    global _silenced
    with _lock:
        _silenced -= 1
        if _silenced == 0:
            os.dup2(_kept, _STDERR)
            os.close(_kept)
