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

LEARNED_NAME = "lock"
"""Locked by the one process that learns."""
SHOWN_NAME = "shown"
"""Locked by every window that shows the folder."""


def hold(folder: Path) -> IO[bytes] | None:
    """Keep a folder from being cleared up until what is returned is closed; None where there is nothing to keep."""
    with suppress(OSError):
        if folder.is_dir():
            file = open(folder / SHOWN_NAME, "ab")  # noqa: SIM115  (closed by whoever holds it)
            with suppress(OSError):  # a file system without locks
                _share(file)
            return file
    return None


@contextmanager
def unused(folder: Path) -> Iterator[bool]:
    """Whether nobody uses a folder; nobody begins to while this lasts."""
    with ExitStack() as held:
        is_unused = True
        for name in (LEARNED_NAME, SHOWN_NAME):
            try:
                _claim(folder / name, held)
            except FileNotFoundError:
                continue
            except OSError:  # somebody has it; or a file system without locks, where nobody can tell
                is_unused = False
        yield is_unused


if sys.platform == "win32":  # an open file cannot be removed there, which is lock enough

    def _share(file: IO[bytes]) -> None:
        pass

    def _claim(path: Path, held: ExitStack) -> None:
        path.unlink()

else:
    import fcntl

    def _share(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def _claim(path: Path, held: ExitStack) -> None:
        file = held.enter_context(open(path, "r+b"))  # noqa: SIM115  (closed by the stack)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
