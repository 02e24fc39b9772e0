"""Folders and files that are their owner's alone: the one place where the program makes, opens and clears its own.

What the program keeps for a user (journals, settings, what is being learned) shows what that user works on. A folder of
its own has rights 0700 and a file 0600, whatever the umask is, and what lies there with wider rights is narrowed. No
link inside such a folder is followed: it may have been laid by somebody else. Clearing up removes only files whose name
and first bytes are the program's.

Source: XDG Base Directory Specification 0.8, "Referencing this specification": a folder that is made gets 0700.
Elsewhere: writing whole or not at all in atomic.py, one writer at a time in locking.py.
"""

import contextlib
import os
import re
import stat
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from engine.atomic import PART_NAME
from engine.errors import EngineError

FOLDER_MODE = 0o700
FILE_MODE = 0o600
STALE_S = 24 * 3600.0
"""A half-made file this old is of a program that was killed."""
_HINT = "move it away; the program makes its own"
Mode = Literal["rb", "r+b", "ab", "xb"]
_FLAGS: dict[str, int] = {
    "rb": os.O_RDONLY,
    "r+b": os.O_RDWR,
    "ab": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    "xb": os.O_WRONLY | os.O_CREAT | os.O_EXCL,
}
# Names that Windows has not. Opening a pipe must not wait for who writes to it.
_SAFELY = (
    getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class PlaceError(EngineError, OSError):
    """A folder or file of the program's own cannot be used as one. Also an `OSError`: a place like any that fails."""


@dataclass(frozen=True)
class Kind:
    """Files that the program writes."""

    name: re.Pattern[str]
    """Of the whole name."""
    starts: tuple[bytes, ...] = ()
    """What one of them begins with; a torn one holds less. Where there are none, a file of this kind is empty."""
    offset: int = 0
    """Where in the file that stands."""

    @classmethod
    def of(cls, name: str, *starts: bytes, offset: int = 0) -> "Kind":
        """A kind from its pattern."""
        return cls(re.compile(name), starts, offset)

    def fits(self, file: BinaryIO) -> bool:
        """Whether an open file, at its start, has the content."""
        head = file.read(self.offset + max(map(len, self.starts), default=1))
        if not self.starts:
            return not head
        return any(
            head[self.offset :].startswith(start[: max(len(head) - self.offset, 0)]) for start in self.starts
        )


def part_kind(*starts: bytes, offset: int = 0) -> Kind:
    """What `engine.atomic.write_atomically` leaves behind when its program is killed."""
    return Kind(PART_NAME, starts, offset)


def private_folder(root: Path, *names: str) -> Path:
    """Make a folder of the program's own, or narrow the rights of the one that is there.

    Args:
        root: the topmost of the program's own folders. It may be a link of the user's; folders above it are made for
            their owner alone where they are not there, and else left as they are.
        names: of the folders below it, one in the other.

    Returns:
        The innermost folder.

    Raises:
        PlaceError: if a link, a file or another user's folder has its place.
        OSError: if it cannot be made.
    """
    folder = root.joinpath(*names)
    if sys.platform == "win32":  # rights come from the folder above there, which is the user's own
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    place = root
    if _is_own_link(root):
        place = Path(os.path.realpath(root))
    for above in reversed(place.parents):
        if not os.path.lexists(above):
            _make(above, above, None)
    with contextlib.ExitStack() as opened:
        shown, outer = root, _enter(place, root, None)
        opened.callback(os.close, outer)
        for name in names:
            shown /= name
            outer = _enter(name, shown, outer)
            opened.callback(os.close, outer)
    return folder


def open_private(path: Path, mode: Mode, *, buffering: int = -1) -> BinaryIO:
    """Open a file of the program's own; one that is made is its owner's alone.

    Args:
        path: in a folder of `private_folder`.
        mode: as `open` has it; ``ab`` and ``xb`` make the file.
        buffering: as `open` has it.

    Raises:
        PlaceError: if a link, a folder, a device or a pipe has the name.
        OSError: if the file cannot be opened or made.
    """
    try:
        descriptor = os.open(path, _FLAGS[mode] | _SAFELY, FILE_MODE)
    except OSError as error:
        raise _refusal(path, error, "a file") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise PlaceError(path, "a file", _word_of(status.st_mode), _HINT)
        is_made = (
            mode in ("ab", "xb") and not status.st_size
        )  # a strict umask may have taken the owner's own rights
        _narrow(descriptor, status, FILE_MODE, is_made=is_made)
        return cast(BinaryIO, os.fdopen(descriptor, mode.replace("x", "w"), buffering))
    except BaseException:
        os.close(descriptor)
        raise


def read_private(path: Path, limit_bytes: int) -> bytes:
    """All bytes of a file of the program's own.

    Raises:
        PlaceError: if it is longer than ``limit_bytes``, or no file.
        OSError: if it cannot be read.
    """
    with open_private(path, "rb") as file:
        data = file.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise PlaceError(path, f"at most {limit_bytes} bytes", "more", _HINT)
    return data


def files_of(folder: Path, kinds: Iterable[Kind]) -> list[str]:
    """Names of the files in a folder that are the program's by name and content; empty where there is no folder.

    A link is none of them, neither to a file nor to the folder.
    """
    kinds = tuple(kinds)
    try:
        names = os.listdir(folder) if is_folder(folder) else []
    except OSError:
        return []
    return [name for name in names if _is_of(folder, name, kinds)]


def remove_files(folder: Path, kinds: Iterable[Kind]) -> None:
    """Remove `files_of` a folder; what cannot be removed stays."""
    for name in files_of(folder, kinds):
        with contextlib.suppress(OSError):
            (folder / name).unlink()


def remove_stale(folder: Path, kinds: Iterable[Kind]) -> None:
    """Remove those `files_of` a folder that nobody has written to for `STALE_S`; what cannot be removed stays."""
    for name in files_of(folder, kinds):
        with contextlib.suppress(OSError):
            if time.time() - (folder / name).lstat().st_mtime > STALE_S:
                (folder / name).unlink()


def remove_folder(folder: Path, kinds: Iterable[Kind]) -> bool:
    """Remove `files_of` a folder, and the folder if nothing else is in it; whether it is gone."""
    remove_files(folder, kinds)
    with contextlib.suppress(OSError):
        if not folder.is_symlink():
            folder.rmdir()
    return not os.path.lexists(folder)


def is_folder(path: Path) -> bool:
    """Whether a folder is there and not a link to one."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _is_of(folder: Path, name: str, kinds: tuple[Kind, ...]) -> bool:
    fitting = [kind for kind in kinds if kind.name.fullmatch(name)]
    path = folder / name
    try:
        if not fitting or not stat.S_ISREG(path.lstat().st_mode):
            return False
        with open_private(path, "rb") as file:
            return any(kind.fits(file) for kind in fitting if file.seek(0) == 0)
    except OSError:
        return False


def _is_own_link(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISLNK(status.st_mode) and status.st_uid == os.geteuid()


def _enter(name: str | Path, shown: Path, outer: int | None) -> int:
    """Open a folder, made and narrowed; ``shown`` is how it is called in an error."""
    _make(name, shown, outer)
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _SAFELY, dir_fd=outer)
    except OSError as error:
        raise _refusal(shown, error, "a folder") from error
    try:
        status = os.fstat(descriptor)
        if os.geteuid() not in (status.st_uid, 0):
            raise PlaceError(shown, "a folder of your own", "one of another user", _HINT)
        _narrow(descriptor, status, FOLDER_MODE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _make(name: str | Path, shown: Path, outer: int | None) -> None:
    try:
        os.mkdir(name, FOLDER_MODE, dir_fd=outer)
    except FileExistsError:
        return
    except OSError as error:
        error.filename = str(shown)
        raise
    with contextlib.suppress(
        OSError
    ):  # some disks know no rights; a strict umask may have taken the owner's own
        os.chmod(name, FOLDER_MODE, dir_fd=outer)


def _narrow(descriptor: int, status: os.stat_result, mode: int, *, is_made: bool = False) -> None:
    """Take rights from others. What another user owns, which only the superuser sees, is left as it is."""
    wanted = mode if is_made else stat.S_IMODE(status.st_mode) & mode
    if sys.platform != "win32" and status.st_uid == os.geteuid() and wanted != stat.S_IMODE(status.st_mode):
        with contextlib.suppress(OSError):  # some disks know no rights
            os.fchmod(descriptor, wanted)


def _refusal(path: Path, error: OSError, expected: str) -> OSError:
    """The error to raise where a folder or file could not be opened: what has its place, where that is the reason."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return error
    is_right = stat.S_ISDIR(mode) if expected == "a folder" else stat.S_ISREG(mode)
    return error if is_right else PlaceError(path, expected, _word_of(mode), _HINT)


def _word_of(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a link"
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a file" if stat.S_ISREG(mode) else "a device or pipe"
