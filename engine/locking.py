"""One writer at a time: locks that end with the process that holds them, however it ends.

Who reads a file, changes what it says and writes it back holds its folder meanwhile. The lock is the system's own, on the
open folder: nothing lies about that could grow stale, a folder that can only be read can be locked, and nobody waits
for ever. On a disk of another machine (NFS) it keeps apart the processes of one machine, not those of several.

Elsewhere: writing whole or not at all in atomic.py, folders that one program holds for long in app.document.folder_lock.
"""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from engine.private import PlaceError

PATIENCE_S = 10.0
_LOOK_S = 0.02
_LOCK_NAME = ".pentimento-lock"  # where folders cannot be locked themselves (Windows)


@contextlib.contextmanager
def locked(folder: Path, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Be the only one, among processes and threads, that is in here for this folder.

    Args:
        folder: must exist.
        patience_s: how long to wait for who is in; at least one try is made.

    Raises:
        PlaceError: if somebody stays in for longer, or the disk knows no locks.
        OSError: if the folder cannot be opened.
    """
    end = time.monotonic() + patience_s
    descriptor = _open(folder)
    try:
        while not try_lock(descriptor, folder):
            if time.monotonic() >= end:
                got = f"one that another program has kept for {patience_s:g} s"
                raise PlaceError(
                    folder, "a folder nobody is writing to", got, "end that program, or try again"
                )
            time.sleep(_LOOK_S)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def try_hold(folder: Path) -> Iterator[bool]:
    """Have a folder for long, alone among those that ask for it so; no for who comes second.

    Processes that are forked meanwhile do not hold it: it is free as soon as this one is gone.

    Raises:
        PlaceError: if the disk knows no locks.
        OSError: if the folder cannot be opened.
    """
    descriptor = _open(folder)
    _held.add(descriptor)
    try:
        yield try_lock(descriptor, folder)
    finally:
        _held.discard(descriptor)
        os.close(descriptor)


def _let_go() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


_held: set[int] = set()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


def try_lock(file: IO[bytes] | IO[str] | int, place: Path, *, is_shared: bool = False) -> bool:
    """Lock an open file, or folder by its descriptor, until it is closed; False where somebody else has it.

    Args:
        file: what is locked.
        place: its name, for an error.
        is_shared: others may have it so, too.

    Raises:
        PlaceError: if the disk knows no locks.
    """
    try:
        _lock(file if isinstance(file, int) else file.fileno(), is_shared=is_shared)
    except (BlockingIOError, PermissionError):  # the latter on Windows
        return False
    except OSError as error:
        got = (error.strerror or str(error)).lower()
        raise PlaceError(place, "a place that can be locked", got, "use a disk of this machine") from error
    return True


if sys.platform == "win32":
    import msvcrt

    def _open(folder: Path) -> int:
        return os.open(folder / _LOCK_NAME, os.O_RDWR | os.O_CREAT)

    def _lock(descriptor: int, *, is_shared: bool) -> None:
        if not is_shared:  # an open file cannot be removed there, which is lock enough
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _open(folder: Path) -> int:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def _lock(descriptor: int, *, is_shared: bool) -> None:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
