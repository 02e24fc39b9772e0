"""Who uses the folder of a picture that is learned, so that nobody clears it up under their hands.

The process that learns there locks one file alone; windows that show what was learned lock another one together. The
locks are the system's own and end with the process that holds them.

Elsewhere: the folders in learning_runs.py, waiting for the one that learns in learning_child.py.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from engine.locking import try_lock
from engine.private import is_folder, open_private

LEARNED_NAME = "lock"
"""Locked by the one process that learns."""
SHOWN_NAME = "shown"
"""Locked by every window that shows the folder."""


def hold(folder: Path) -> IO[bytes] | None:
    """Keep a folder from being cleared up until what is returned is closed; None where there is nothing to keep."""
    with suppress(OSError):
        if is_folder(folder):
            file = open_private(folder / SHOWN_NAME, "ab")  # closed by whoever holds it
            with suppress(OSError):  # a file system without locks
                try_lock(file, folder, is_shared=True)
            return file
    return None


@contextmanager
def unused(folder: Path) -> Iterator[bool]:
    """Whether nobody uses a folder; nobody begins to while this lasts."""
    with ExitStack() as held:
        is_unused = True
        for name in (LEARNED_NAME, SHOWN_NAME):
            try:
                is_unused &= _claim(folder / name, held)
            except FileNotFoundError:
                continue
            except OSError:  # a file system without locks, where nobody can tell; or a link
                is_unused = False
        yield is_unused


def _claim(path: Path, held: ExitStack) -> bool:
    if sys.platform == "win32":  # an open file cannot be removed there, which is lock enough
        path.unlink()
        return True
    return try_lock(held.enter_context(open_private(path, "r+b")), path)
