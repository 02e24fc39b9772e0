"""A folder that belongs to one running program at a time.

The lock is the system's own: it ends with the process that holds it, however that ends, so a crash leaves nothing
locked and nobody has to guess whether a process number is still in use. It also keeps two windows of one process apart.
"""

import contextlib
import os
import sys
from pathlib import Path
from typing import BinaryIO

LOCK_NAME = "lock"


class FolderLock:
    """A held lock; `take` makes one.

    Args:
        folder: what is locked.
        file: the open lock file.
    """

    def __init__(self, folder: Path, file: BinaryIO) -> None:
        self.folder = folder
        self._file = file

    @classmethod
    def take(cls, folder: Path) -> "FolderLock | None":
        """Lock a folder, made if it is not there; None if somebody else holds it.

        Raises:
            OSError: if the folder cannot be made or written to.
        """
        while True:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                file = open(folder / LOCK_NAME, "a+b")  # noqa: SIM115 - closed by release
            except FileNotFoundError:  # its last holder removed the folder just now
                continue
            if not _lock(file):
                file.close()
                return None
            if _is_still_there(file, folder / LOCK_NAME):
                return cls(folder, file)
            file.close()

    def release(self) -> None:
        """Let others have the folder; what is in it stays."""
        self._file.close()

    def remove(self) -> None:
        """Delete the folder with all files in it, and let go."""
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                if path.name != LOCK_NAME:
                    path.unlink()
        if sys.platform == "win32":  # an open file cannot be removed there
            self._file.close()
        with contextlib.suppress(OSError):
            (self.folder / LOCK_NAME).unlink()
        self._file.close()
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def _is_still_there(file: BinaryIO, path: Path) -> bool:
    """Whether the file that was locked is the one others see: its last holder may have removed it meanwhile."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except OSError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(file: BinaryIO) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # held by another; or a file system without locks, where nothing is safe to share
            return False
        return True
