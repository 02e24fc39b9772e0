"""Find the pictures to train on: folders, tar files, single files, mixed.

Nothing is decoded here and nothing is ever unpacked to disk: a tar member is a stretch of bytes, its name is a label
for people and never a path. What cannot be listed is told once and skipped; the run goes on with the rest.

Limits: a file or member above 256 MiB is skipped; only regular files count, so links, devices and sparse members of a
tar are counted and skipped; the pictures of all packed tars together may take a quarter of the machine's memory, 1 GiB
at least. Folders are not followed through links, so no folder is met twice; they may be as deep as the system opens
(paths of 4,096 bytes on Linux).

Elsewhere: limits of what a tar says in tars.py.
"""

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.bounds import Budget, memory_share
from engine.errors import TrainingError
from engine.training.tars import NAME_LIMIT, TAR_ERRORS, TarWalk

FILE_LIMIT_BYTES = 256 << 20
HELD_SHARE = 4  # of the machine's memory: pictures of packed tars have to be held there whole
_ENTRY_BYTES = 600  # what one of them takes beside its bytes and its name

PICTURE_SUFFIXES = frozenset(
    [
        ".avif",
        ".bmp",
        ".dds",
        ".dib",
        ".gif",
        ".heic",
        ".heif",
        ".ico",
        ".icns",
        ".jfif",
        ".jp2",
        ".j2k",
        ".jpe",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pcx",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".qoi",
        ".ras",
        ".sgi",
        ".tga",
        ".tif",
        ".tiff",
        ".webp",
        ".xbm",
        ".xpm",
    ]
)
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")

Skip = Callable[[str, str], None]
"""Told once about each thing that is left out: its name, and why."""


@dataclass(frozen=True)
class PictureFile:
    """One encoded picture: a file, or a stretch of a tar file."""

    name: str
    """For people and for the digest of the set: path below its source, or member name."""

    path: Path
    """The file, or the tar it lies in."""

    offset: int = 0
    """First byte inside ``path``."""

    size_bytes: int = -1
    """Length in bytes; -1 = the whole file."""

    held: bytes | None = None
    """The bytes themselves, for members of a compressed tar."""

    def read(self) -> bytes:
        """The encoded bytes.

        Raises:
            OSError: if the file cannot be read, has grown beyond the limit, or ends early.
        """
        if self.held is not None:
            return self.held
        with open(self.path, "rb") as file:
            if self.size_bytes < 0:
                content = file.read(FILE_LIMIT_BYTES + 1)
                if len(content) > FILE_LIMIT_BYTES:
                    raise OSError(f"larger than {FILE_LIMIT_BYTES >> 20} MiB")
                return content
            file.seek(self.offset)
            content = file.read(self.size_bytes)
        if len(content) != self.size_bytes:
            raise OSError("the tar file ends inside it")
        return content


def find_pictures(sources: Iterable[Path], skip: Skip) -> list[PictureFile]:
    """List every picture of every source, in a fixed order.

    Args:
        sources: folders (searched to the bottom), tar files, picture files.
        skip: told about each thing that looks like a picture and cannot be one.

    Returns:
        The files, sorted within each source, sources in the given order.

    Raises:
        TrainingError: if a source does not exist or no picture is left.
    """
    sources = list(sources)
    room = Budget(memory_share(HELD_SHARE), "bytes of pictures in packed tar files (unpack them first)")
    found: list[PictureFile] = []
    for source in sources:
        if os.path.isdir(source):
            found.extend(sorted(_in_folder(source, skip, room), key=lambda file: file.name))
        elif not os.path.exists(source):
            raise TrainingError(
                source, "a folder, a tar file or a picture", "nothing there", "correct the path"
            )
        elif os.path.isfile(source) and source.name.lower().endswith(TAR_SUFFIXES):
            found.extend(
                sorted(_in_tar(source, readable_name(source.name), skip, room), key=lambda file: file.name)
            )
        elif os.path.isfile(source):
            found.append(PictureFile(readable_name(source.name), source))
        else:
            hint = "pipes and devices cannot be trained on"
            raise TrainingError(source, "a folder, a tar file or a picture", "something else", hint)
    if not found:
        names = ", ".join(str(source) for source in sources) or "nothing"
        hint = "name a folder or tar that holds files like .jpg, .png or .webp"
        raise TrainingError("data", "at least one picture", f"none in {names}", hint)
    return found


def _in_folder(folder: Path, skip: Skip, room: Budget) -> Iterator[PictureFile]:
    """Search a folder to the bottom, with a stack of our own: Python's ends at about 1000 folders."""
    stack = [""]
    while stack:
        below = stack.pop()
        label = readable_name(below or folder.name)
        try:
            with os.scandir(folder / below) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            skip(label, f"folder that cannot be read ({_words(error)})")
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            inside = f"{below}/{entry.name}" if below else entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    stack.append(inside)
                else:
                    yield from _of_file(Path(entry.path), readable_name(inside), skip, room)
            except OSError as error:
                skip(readable_name(inside), f"cannot be read ({_words(error)})")


def _of_file(path: Path, label: str, skip: Skip, room: Budget) -> Iterator[PictureFile]:
    is_tar = path.name.lower().endswith(TAR_SUFFIXES)
    if not is_tar and path.suffix.lower() not in PICTURE_SUFFIXES:
        if path.is_symlink() and path.is_dir():
            skip(label, "link to a folder; name the folder itself if it is wanted")
        return
    state = path.stat()
    if not stat.S_ISREG(state.st_mode):
        skip(label, "not a file")
    elif is_tar:
        yield from _in_tar(path, label, skip, room)
    elif state.st_size > FILE_LIMIT_BYTES:
        skip(label, f"larger than {FILE_LIMIT_BYTES >> 20} MiB")
    else:
        yield PictureFile(label, path)


def _in_tar(path: Path, label: str, skip: Skip, room: Budget) -> Iterator[PictureFile]:
    def is_wanted(name: str, size_bytes: int) -> bool:
        if not _is_picture(name) or len(name) > NAME_LIMIT or not 0 < size_bytes <= FILE_LIMIT_BYTES:
            return False
        room.take(size_bytes + len(name) + _ENTRY_BYTES)
        return True

    left_out: Counter[str] = Counter()
    count = 0
    walk = TarWalk(path, is_wanted)
    try:
        for member in walk:
            count += 1
            if not _is_picture(member.name) or member.kind == "folder":
                continue
            if member.kind != "file":
                left_out[member.kind] += 1
            elif len(member.name) > NAME_LIMIT:
                left_out[f"name of more than {NAME_LIMIT} signs"] += 1
            elif member.size_bytes == 0:
                left_out["empty file"] += 1
            elif member.size_bytes > FILE_LIMIT_BYTES:
                skip(f"{label}/{readable_name(member.name)}", f"larger than {FILE_LIMIT_BYTES >> 20} MiB")
            else:
                name = f"{label}/{readable_name(member.name)}"
                yield PictureFile(name, path, member.offset, member.size_bytes, member.content)
    except TAR_ERRORS as error:
        after = f" after {count} members, the last {readable_name(walk.last_name)[:200]!r}" if count else ""
        skip(label, f"not a whole tar file{after} ({_words(error)})")
    if left_out:
        kinds = ", ".join(f"{number} x {kind}" for kind, number in sorted(left_out.items()))
        skip(f"{left_out.total()} of {count} members of {label}", kinds)


def _is_picture(name: str) -> bool:
    base = name[-256:].rsplit("/", 1)[-1]
    return not base.startswith(".") and os.path.splitext(base)[1].lower() in PICTURE_SUFFIXES


def _words(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


def readable_name(name: str) -> str:
    """A name as it can be printed and written anywhere: signs that have no picture are written out."""
    if name.isprintable():
        return name
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in name)
