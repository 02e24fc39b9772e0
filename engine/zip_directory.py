"""Open a zip by its directory, and hold what that says against limits before a single entry is unpacked.

Documents and today's checkpoints of torch are zips. A directory of a hundred megabytes is refused by its size alone, as
Python reads all of it at once; entries that share bytes of the file are refused, as they make a small file endless.

Elsewhere: what entries become, in the budget of whoever unpacks them, bounds.py.
"""

import itertools
import os
import struct
import zipfile
from typing import BinaryIO

from engine.bounds import BoundsError

_ROW_BYTES = 46  # of an entry in the directory, with no name
_MEAN_NAME_BYTES = 154
_LOCAL_BYTES = 30
_TAIL_BYTES = 65557  # the end record and its longest comment


def open_zip(file: BinaryIO, *, limit_entries: int) -> zipfile.ZipFile:
    """Read the directory of an open file.

    Args:
        file: can be sought; stays open as long as the archive is used, and is not closed with it.
        limit_entries: most entries.

    Returns:
        The archive, with every entry in its place; sizes are as promised, not as true.

    Raises:
        BoundsError: if there are more entries, or two of them share bytes.
        zipfile.BadZipFile: if it is no zip, or a damaged one.
        OSError: if it cannot be read.
    """
    size = _directory_bytes(file)
    if size > limit_entries * (_ROW_BYTES + _MEAN_NAME_BYTES):
        raise BoundsError(f"at most {limit_entries} entries", f"a directory of {size} bytes")
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, MemoryError):
        raise
    except Exception as error:  # on hostile bytes the zip library raises anything
        raise zipfile.BadZipFile(type(error).__name__) from error
    entries = archive.infolist()
    if len(entries) > limit_entries:
        raise BoundsError(f"at most {limit_entries} entries", f"{len(entries)}")
    by_place = sorted(entries, key=lambda entry: entry.header_offset)
    for entry, after in itertools.pairwise(by_place):
        if entry.header_offset + _LOCAL_BYTES + entry.compress_size > after.header_offset:
            raise BoundsError("entries of bytes of their own", "entries that share bytes")
    return archive


def _directory_bytes(file: BinaryIO) -> int:
    """Size of the directory as the end of the file says it."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < 22:
        raise zipfile.BadZipFile("no end record")
    size = int(struct.unpack_from("<I", tail, place + 12)[0])
    locator = place - 20
    if size == 0xFFFFFFFF and locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        offset = int(struct.unpack_from("<Q", tail, locator + 8)[0])
        if offset > end - 56:
            raise zipfile.BadZipFile("an end record outside the file")
        file.seek(offset)
        size = int(struct.unpack_from("<Q", file.read(56), 40)[0])
    return size
