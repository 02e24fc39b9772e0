"""A temporary file that packed values are moved to when memory is short; freed places are used again.

It has no name where the system allows that, so it is gone with the program, however that ends.

Elsewhere: what is moved, and when, in blobs.py.
"""

import bisect
import contextlib
import logging
import tempfile
import threading
import weakref
from pathlib import Path
from typing import IO, NamedTuple

from app.folders import state_folder
from engine.private import private_folder

_log = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where packed bytes lie in the file."""

    offset: int
    nbytes: int


class SpillFile:
    """A temporary file of packed bytes. May be used on any thread.

    Args:
        limit_bytes: most that it may take of the disk.
        folder: where it lies; among the program's own where None.
    """

    def __init__(self, limit_bytes: int, folder: Path | None) -> None:
        self._limit_bytes = limit_bytes
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._end = 0
        self._holes: list[Place] = []
        self.used_bytes = 0
        """In places that were not freed."""
        self.is_refusing = False
        """Whether the last write did not fit; a freed place makes it try again."""

    def write(self, data: bytes) -> Place | None:
        """Write bytes; None if the disk, or what we may take of it, is full."""
        with self._lock:
            place = self._room_for(len(data))
            if place.offset + place.nbytes > self._limit_bytes:
                self._return(place)
                self.is_refusing = True
                return None
            try:
                if self._file is None:
                    self._file = _open_temporary(self._folder)
                    weakref.finalize(self, _close_quietly, self._file)
                self._file.seek(place.offset)
                left = memoryview(data)
                while left:
                    left = left[self._file.write(left) :]
            except OSError as error:
                _log.warning("the undo history cannot be moved to disk: %s", error)
                self._return(place)
                self.is_refusing = True
                return None
            self.used_bytes += place.nbytes
            return place

    def read(self, place: Place) -> bytes:
        """The bytes that were written to a place.

        Raises:
            OSError: if the file cannot be read.
        """
        with self._lock:
            assert self._file is not None, "a place exists only once something was written"
            self._file.seek(place.offset)
            parts = []
            left = place.nbytes
            while left and (part := self._file.read(left)):
                parts.append(part)
                left -= len(part)
            return b"".join(parts)

    def free(self, place: Place) -> None:
        """Let a place be used again."""
        with self._lock:
            self.used_bytes -= place.nbytes
            self.is_refusing = False
            self._return(place)

    def _room_for(self, nbytes: int) -> Place:
        """The first hole that is large enough, else the end of the file."""
        for at, hole in enumerate(self._holes):
            if hole.nbytes >= nbytes:
                if hole.nbytes == nbytes:
                    del self._holes[at]
                else:
                    self._holes[at] = Place(hole.offset + nbytes, hole.nbytes - nbytes)
                return Place(hole.offset, nbytes)
        place = Place(self._end, nbytes)
        self._end += nbytes
        return place

    def _return(self, place: Place) -> None:
        """Give a place back; neighbouring holes become one, and a hole at the end goes."""
        at = bisect.bisect(self._holes, place)
        first, last = place.offset, place.offset + place.nbytes
        if at < len(self._holes) and self._holes[at].offset == last:
            last += self._holes.pop(at).nbytes
        if at > 0 and self._holes[at - 1].offset + self._holes[at - 1].nbytes == first:
            at -= 1
            first = self._holes.pop(at).offset
        if last < self._end:
            self._holes.insert(at, Place(first, last - first))
            return
        self._end = first
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.truncate(first)


def _open_temporary(folder: Path | None) -> IO[bytes]:
    """A file that is gone when it is closed or the program ends."""
    if folder is None:
        folder = private_folder(state_folder(), "undo")
    # Unbuffered: what a full disk refused would stay in the buffer and fail every later read.
    return tempfile.TemporaryFile(prefix="pentimento-undo-", dir=folder, buffering=0)


def _close_quietly(file: IO[bytes]) -> None:
    with contextlib.suppress(OSError):
        file.close()
