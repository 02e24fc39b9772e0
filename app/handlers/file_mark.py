"""Whether a file is still what this program last read or wrote, before it is written over.

Size and time say so at once where they are the same; where they are not, the content decides: a file that was only
touched, or copied back, is the same.
"""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class FileMark:
    """A file as it was at one moment."""

    path: Path
    size_bytes: int
    time_ns: int
    """When it was last written, as the file system says."""
    digest: str
    """SHA-256 of its content."""

    def looks_same(self) -> bool:
        """Whether size and time are as they were; reads nothing. A file that is gone is none to lose."""
        try:
            stat = self.path.stat()
        except OSError:
            return True
        return (stat.st_size, stat.st_mtime_ns) == (self.size_bytes, self.time_ns)

    def is_same(self) -> bool:
        """Whether the content is as it was; reads the whole file where size and time do not tell."""
        if self.looks_same():
            return True
        now = mark_of(self.path)
        return now is None or now.digest == self.digest

    @property
    def is_doubted(self) -> bool:
        """Whether no file is like it."""
        return self.size_bytes < 0

    def doubted(self) -> "FileMark":
        """A mark that no file is like: another program wrote to this one, though nobody knows what it was before."""
        return replace(self, size_bytes=-1, digest="")


def mark_of(path: Path) -> FileMark | None:
    """A file as it is now; None where it cannot be read. Takes a while for a large one: not for the window's thread."""
    try:
        with path.open("rb") as file:
            stat = os.fstat(file.fileno())  # first: what is written meanwhile changes it
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
    return FileMark(path, stat.st_size, stat.st_mtime_ns, digest)
