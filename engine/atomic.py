"""Write a file whole or not at all.

The bytes go to a temporary file in the same folder, reach the disk, and only then take the name that was asked for.
A reader never meets half a file, and a full disk leaves the old file as it was. What the system refuses is told in
words: which file, what is wrong with the place, what to do.

Elsewhere: pictures in pictures.py, weights in weightfile.py, the manifest of the user in weights.py.
"""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from engine.errors import EngineError

AnyPath = str | os.PathLike[str]

_PLACE = "a place that can be written"
_WORDS: dict[int, tuple[str, str, str]] = {
    errno.ENOSPC: ("free space on the disk", "no space left", "free some space or write to another disk"),
    errno.EDQUOT: ("free space on the disk", "a used-up quota", "free some space or write to another disk"),
    errno.EFBIG: ("a file size the disk allows", "a larger file", "write to another disk or raise the limit"),
    errno.EACCES: (_PLACE, "no permission", "choose another folder or change its permissions"),
    errno.EPERM: (_PLACE, "no permission", "choose another folder or change its permissions"),
    errno.EROFS: (_PLACE, "a read-only disk", "choose another folder"),
    errno.ENOENT: ("a folder that exists", "no such folder", "create the folder first or correct the path"),
    errno.ENOTDIR: ("a folder", "a file in the middle of the path", "correct the path"),
    errno.EISDIR: ("a file name", "a folder", "add a file name to the path"),
    errno.ENAMETOOLONG: ("a shorter file name", "a name longer than the disk allows", "shorten the name"),
}


def path_error(
    path: AnyPath, error: OSError, error_type: type[EngineError] = EngineError, *, expected: str = _PLACE
) -> EngineError:
    """Put a refusal of the system into the words of the house.

    Args:
        path: the file that was asked for.
        error: what the system raised.
        error_type: the class to build.
        expected: what to name as expected where the refusal has no words of its own.

    Returns:
        The error to raise ``from`` the one given.
    """
    words = _WORDS.get(error.errno or 0)
    if words is None:
        detail = error.strerror or str(error) or type(error).__name__
        return error_type(path, expected, detail.lower(), "check the path and the disk")
    return error_type(path, *words)


def write_atomically(
    path: AnyPath, write: Callable[[BinaryIO], object], *, error_type: type[EngineError] = EngineError
) -> None:
    """Let ``write`` fill a file, and give it its name only when every byte is on the disk.

    A link is followed: the file it points to is replaced, the link stays. Permissions of a replaced file are kept.
    Whatever ends ``write`` early, an error or Ctrl-C, the temporary file is removed and the old file is untouched.

    Args:
        path: the file to write; its folder must exist.
        write: gets the open binary file, which can be sought and read back.
        error_type: class of the error raised for a refusal of the system.

    Raises:
        EngineError: of ``error_type``, if the place cannot be written or the disk is full.
    """
    target = Path(os.path.realpath(path))
    old_mode = _mode_of(path, target, error_type)
    if old_mode is not None and stat.S_ISDIR(old_mode):
        raise error_type(path, "a file name", "a folder", "add a file name to the path")
    if old_mode is not None and not stat.S_ISREG(old_mode):
        raise error_type(path, "a file name", "a device or pipe", "write to a file")
    part = target.with_name(f".pentimento-{secrets.token_hex(6)}.part")
    try:
        file = open(part, "x+b")  # noqa: SIM115 - closed below, before the rename and before the removal
    except OSError as error:
        raise path_error(path, error, error_type) from error
    is_done = False
    try:
        with file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if old_mode is not None:
            with contextlib.suppress(OSError):  # some disks know no permissions
                os.chmod(part, stat.S_IMODE(old_mode))
        os.replace(part, target)
        is_done = True
    except OSError as error:
        raise path_error(path, error, error_type) from error
    finally:
        if not is_done:
            with contextlib.suppress(OSError):
                part.unlink()


def _mode_of(path: AnyPath, target: Path, error_type: type[EngineError]) -> int | None:
    """Kind and permissions of what is there already; None where nothing is."""
    try:
        return os.stat(target).st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise path_error(path, error, error_type) from error
