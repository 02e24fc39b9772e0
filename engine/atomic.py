"""Write a file whole or not at all.

The bytes go to a temporary file in the same folder, reach the disk, and only then take the name that was asked for.
A reader never meets half a file, and a full disk leaves the old file as it was. What the system refuses is told in
words: which file, what is wrong with the place, what to do.

The temporary file has the rights of the one it replaces before it has its first byte: a photo that only its owner may
read is never open to others, not for a moment.

Elsewhere: pictures in pictures.py, weights in weightfile.py, the program's own files in private.py.
"""

import contextlib
import errno
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from engine.errors import EngineError

AnyPath = str | os.PathLike[str]

PART_NAME = re.compile(r"\.pentimento-[0-9a-f]{12}\.part")
"""Names that `part_in` gives; a program that was killed may leave such a file behind."""

_ACCESS_LIST = "system.posix_acl_access"
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
    errno.ELOOP: ("a file", "a link that leads back to itself", "remove the link or name another file"),
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
    if isinstance(error, EngineError):  # in words already
        return error_type(error.name, error.expected, error.got, error.hint)
    words = _WORDS.get(error.errno or 0)
    if words is None:
        detail = error.strerror or str(error) or type(error).__name__
        return error_type(path, expected, detail.lower(), "check the path and the disk")
    return error_type(path, *words)


def part_in(folder: Path) -> Path:
    """A name for a temporary file, which nothing in the folder has; it is not made."""
    return folder / f".pentimento-{os.urandom(6).hex()}.part"


def write_atomically(
    path: AnyPath,
    write: Callable[[BinaryIO], object],
    *,
    error_type: type[EngineError] = EngineError,
    is_private: bool = False,
) -> None:
    """Let ``write`` fill a file, and give it its name only when every byte is on the disk.

    A link is followed: the file it points to is replaced, the link stays. Rights, owner, access list and attributes of
    a replaced file are kept as far as the system allows; where the group cannot be, it gets the rights of others.
    Whatever ends ``write`` early, an error or Ctrl-C, the temporary file is removed and the old file is untouched.

    Args:
        path: the file to write; its folder must exist.
        write: gets the open binary file, which can be sought and read back.
        error_type: class of the error raised for a refusal of the system.
        is_private: a file of the program's own: for its owner alone, and a link in its place is replaced itself.

    Raises:
        EngineError: of ``error_type``, if the place cannot be written or the disk is full.
    """
    target = Path(path) if is_private else Path(os.path.realpath(path))
    old = _status_of(path, target, error_type, is_private=is_private)
    if old is not None and stat.S_ISDIR(old.st_mode):
        raise error_type(path, "a file name", "a folder", "add a file name to the path")
    if old is not None and not (stat.S_ISREG(old.st_mode) or is_private):
        raise error_type(path, "a file name", "a device or pipe", "write to a file")
    part = part_in(target.parent)
    is_new = old is None and not is_private
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(part, flags, 0o666 if is_new else 0o600)
    except OSError as error:
        raise path_error(path, error, error_type) from error
    is_done = False
    try:
        with os.fdopen(descriptor, "w+b") as file:
            if is_private:
                _set_rights(descriptor, part, 0o600)
            elif old is not None:
                _take_rights(descriptor, part, target, old)
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
        is_done = True
    except OSError as error:
        raise path_error(path, error, error_type) from error
    finally:
        if not is_done:
            with contextlib.suppress(OSError):
                part.unlink()


def _status_of(
    path: AnyPath, target: Path, error_type: type[EngineError], *, is_private: bool
) -> os.stat_result | None:
    """What is there already; None where nothing is."""
    try:
        return os.stat(target, follow_symlinks=not is_private)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise path_error(path, error, error_type) from error


def _take_rights(descriptor: int, part: Path, target: Path, old: os.stat_result) -> None:
    """Give an empty file the owner, the rights and the attributes of the one it will replace.

    Each step is left out where the system, the disk or the user's own rights do not allow it. Between them the file is
    open to nobody but its owner.
    """
    mode = stat.S_IMODE(old.st_mode) & 0o777
    if hasattr(os, "fchown"):
        for uid in (old.st_uid, -1):
            with contextlib.suppress(OSError):
                os.fchown(descriptor, uid, old.st_gid)
                break
        if os.fstat(descriptor).st_gid != old.st_gid:  # its rights were another group's
            mode &= 0o707 | (mode & 0o007) << 3
    if hasattr(os, "listxattr") and not _take_attributes(descriptor, target):
        mode &= 0o707  # with a list, these bits are the most that anybody on it may do
    _set_rights(descriptor, part, mode)


def _set_rights(descriptor: int, part: Path, mode: int) -> None:
    with contextlib.suppress(OSError):  # some disks know no rights
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, mode)
        else:
            os.chmod(part, mode)


def _take_attributes(descriptor: int, target: Path) -> bool:
    """Carry the user's own attributes over, and the list of who else may do what; whether that list is as it was."""
    with contextlib.suppress(OSError):
        os.removexattr(descriptor, _ACCESS_LIST)  # the folder may have given one
    try:
        names = os.listxattr(target)
    except OSError:
        return True
    for name in names:
        if name == _ACCESS_LIST or name.startswith("user."):
            try:
                os.setxattr(descriptor, name, os.getxattr(target, name))
            except OSError:
                if name == _ACCESS_LIST:
                    return False
    return True
