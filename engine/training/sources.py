"""Find the pictures to train on: folders, tar files, single files, mixed.

Nothing is decoded here and nothing is ever unpacked to disk: a tar member is a stretch of bytes, its name is a label
for people and never a path. What cannot be listed is told once and skipped; the run goes on with the rest.

Limits: a file or member above 256 MiB is skipped; only regular files count; links inside a tar are skipped; folders
are not followed through links, so no folder is met twice.
"""

import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import TrainingError

FILE_LIMIT_BYTES = 256 << 20
PACKED_LIMIT_BYTES = 4 << 30  # a compressed tar has to be held in memory whole

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
    found: list[PictureFile] = []
    for source in sources:
        if source.is_dir():
            found.extend(sorted(_in_folder(source, skip), key=lambda file: file.name))
        elif not source.exists():
            raise TrainingError(
                source, "a folder, a tar file or a picture", "nothing there", "correct the path"
            )
        elif source.name.lower().endswith(TAR_SUFFIXES):
            found.extend(sorted(_in_tar(source, source.name, skip), key=lambda file: file.name))
        elif source.is_file():
            found.append(PictureFile(source.name, source))
        else:
            hint = "pipes and devices cannot be trained on"
            raise TrainingError(source, "a folder, a tar file or a picture", "something else", hint)
    if not found:
        names = ", ".join(str(source) for source in sources) or "nothing"
        hint = "name a folder or tar that holds files like .jpg, .png or .webp"
        raise TrainingError("data", "at least one picture", f"none in {names}", hint)
    return found


def _in_folder(folder: Path, skip: Skip) -> Iterator[PictureFile]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(root, name)
            label = path.relative_to(folder).as_posix()
            suffix = path.suffix.lower()
            if name.startswith(".") or not path.is_file():
                continue
            if name.lower().endswith(TAR_SUFFIXES):
                yield from _in_tar(path, label, skip)
            elif suffix not in PICTURE_SUFFIXES:
                continue
            elif path.stat().st_size > FILE_LIMIT_BYTES:
                skip(label, f"larger than {FILE_LIMIT_BYTES >> 20} MiB")
            else:
                yield PictureFile(label, path)


def _in_tar(path: Path, label: str, skip: Skip) -> Iterator[PictureFile]:
    is_plain = path.name.lower().endswith(".tar")
    held_bytes = 0
    try:
        with tarfile.open(path, "r:" if is_plain else "r:*") as tar:
            for member in tar:
                name = f"{label}/{member.name}"
                base = member.name.rsplit("/", 1)[-1]
                if Path(base).suffix.lower() not in PICTURE_SUFFIXES or base.startswith("."):
                    continue
                if not member.isreg() or member.issparse():
                    continue
                if member.size > FILE_LIMIT_BYTES:
                    skip(name, f"larger than {FILE_LIMIT_BYTES >> 20} MiB")
                    continue
                if is_plain:
                    yield PictureFile(name, path, member.offset_data, member.size)
                    continue
                held_bytes += member.size
                if held_bytes > PACKED_LIMIT_BYTES:
                    skip(
                        label,
                        f"pictures above {PACKED_LIMIT_BYTES >> 30} GiB in a compressed tar; unpack it first",
                    )
                    return
                content = tar.extractfile(member)
                assert content is not None, "a regular member has content"
                yield PictureFile(name, path, held=content.read())
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        skip(label, f"not a whole tar file ({str(error) or type(error).__name__})")
