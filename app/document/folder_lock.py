"""A folder that belongs to one running program at a time.

The lock is the system's own: it ends with the process that holds it, however that ends, so a crash leaves nothing
locked and nobody has to guess whether a process number is still in use. It also keeps two windows of one process apart.
"""

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from engine.locking import try_lock
from engine.private import Kind, open_private, private_folder, remove_files

LOCK_NAME = "lock"
LOCK_KIND = Kind.of(LOCK_NAME)
_TRIES = 100


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
        """Lock a folder of the program's own, made if it is not there; None if somebody else holds it.

        Raises:
            PlaceError: if a link or something else has the place of the folder or its lock, or it cannot be locked.
            OSError: if the folder cannot be made or written to.
        """
        for is_last in (*[False] * _TRIES, True):
            try:
                private_folder(folder.parent, folder.name)
                file = open_private(folder / LOCK_NAME, "ab")
            except FileNotFoundError:  # its last holder removed the folder just now
                if is_last:
                    raise
                continue
            try:
                is_mine = try_lock(file, folder)
                if is_mine and _is_still_there(file, folder / LOCK_NAME):
                    return cls(folder, file)
            except BaseException:
                file.close()
                raise
            file.close()
            if not is_mine:
                break
        return None

    def release(self) -> None:
        """Let others have the folder; what is in it stays."""
        self._file.close()

    def remove(self, kinds: Iterable[Kind]) -> None:
        """Delete files of these kinds, and the folder if nothing foreign is in it, and let go."""
        remove_files(self.folder, kinds)
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
