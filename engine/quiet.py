"""Keep what C libraries print off the user's screen, while pictures are decoded.

libtiff, libpng and others write to file descriptor 2 by themselves, past ``sys.stderr`` and past everything Python can
filter. Meanwhile the descriptor leads nowhere. Our own lines take another way out: ``sys.stderr`` of a program of ours
writes to a descriptor of its own (app/streams.py).

Elsewhere: who is silenced, in decoding.py.
"""

import contextlib
import functools
import logging
import os
import sys
import threading
from collections.abc import Iterator

_STDERR = 2
_LOGGERS = ("PIL", "tifffile")  # without a handler anywhere, Python prints what they log of odd files
_lock = threading.Lock()
_silenced = 0
_kept = -1


@contextlib.contextmanager
def libraries_silenced() -> Iterator[None]:
    """Let descriptor 2 lead nowhere inside the block; blocks of many threads may overlap.

    A process started without a descriptor 2 is left alone: the number may since belong to a file of ours.
    """
    _take_their_logs()
    if sys.__stderr__ is None or not _enter():
        yield
        return
    try:
        yield
    finally:
        _leave()


@functools.cache
def _take_their_logs() -> None:
    """Let the loggers of libraries have a handler, which leaves what they say to those of ours."""
    for name in _LOGGERS:
        logging.getLogger(name).addHandler(logging.NullHandler())


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
