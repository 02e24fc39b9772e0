"""The journal's file: records one behind the other, each with its length and checksum.

A record is plain data (JSON) and the packed bytes that belong to it. The file only ever grows, so whatever moment the
program or the machine dies at, everything before the last, perhaps torn, record is whole. Reading stops at the first
record that is not.

Layout, little-endian: the magic, then records. A record: u32 length of its body, u32 CRC-32 of the body, the body. A
body: u32 length of the JSON, u32 number of blobs, the JSON, and for each blob its u64 length and its bytes.

Elsewhere: what the records mean in journal_records.py; reading a whole journal in journal_reader.py.
"""

import os
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from app.document.plain_data import read_json, write_json
from app.errors import DocumentError
from engine.private import open_private

MAGIC = b"pentimento journal 1\n"
"""Start of the file; its number is the version of the layout."""
_FRAME = struct.Struct("<II")
_BLOB = struct.Struct("<Q")
_BODY_LIMIT = 2**32 - 1


@dataclass(frozen=True)
class Record:
    """One record as it was written."""

    data: dict[str, Any]
    blobs: tuple[bytes, ...] = ()


class LogWriter:
    """Appends records to a new file. Not for several threads.

    Args:
        path: must not exist yet.

    Raises:
        OSError: if the place cannot be written; also from the methods.
    """

    def __init__(self, path: Path) -> None:
        self._file = open_private(path, "xb", buffering=0)
        self._is_synced = False
        self.nbytes = 0
        try:
            self._write([MAGIC])
        except OSError:
            self._file.close()
            raise

    def append(self, data: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
        """Hand one record to the system: from here on only the machine's own death can lose it.

        A record that could not be written whole is cut off again, so that later ones can still be found.
        """
        start = self.nbytes
        try:
            self._write(_encoded(data, blobs))
        except OSError:
            self._file.truncate(start)
            self._file.seek(start)
            self.nbytes = start
            raise

    def sync(self) -> None:
        """Let everything reach the disk."""
        if not self._is_synced:
            os.fsync(self._file.fileno())
            self._is_synced = True

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()

    def _write(self, pieces: Iterable[bytes]) -> None:
        self._is_synced = False
        for piece in pieces:
            view = memoryview(piece)
            while view:
                count = self._file.write(view) or 0
                self.nbytes += count
                view = view[count:]


class LaterLogError(DocumentError):
    """A log that a later version of the program wrote."""


class LogReader:
    """Every whole record from the start; a torn or damaged one and all behind it are left out. Read once.

    Args:
        path: the log.

    Raises:
        LaterLogError: while it is read, if a later version wrote it.
        DocumentError: while it is read, if it is no log, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_whole = False
        """Whether the file ends where its last record does; known once all records were read."""

    def __iter__(self) -> Iterator[Record]:
        try:
            with open_private(self._path, "rb") as file:
                self._check_magic(file.read(len(MAGIC)))
                left = os.fstat(file.fileno()).st_size - len(MAGIC)
                while (record := _next_record(file, left)) is not None:
                    yield record
                    left = os.fstat(file.fileno()).st_size - file.tell()
                self.is_whole = left == 0
        except OSError as error:
            got = (error.strerror or type(error).__name__).lower()
            raise DocumentError(self._path, "a journal that can be read", got, "check the disk") from error

    def _check_magic(self, magic: bytes) -> None:
        if magic == MAGIC:
            return
        if re.fullmatch(rb"pentimento journal [2-9]\n", magic):
            got = "one of a later version"
            raise LaterLogError(self._path, "a journal of this version", got, "open it with that version")
        raise DocumentError(self._path, "a journal of this version", "another file", "discard it")


def _next_record(file: BinaryIO, left: int) -> Record | None:
    """The record that begins here; None at the end, or where it is torn or damaged.

    Args:
        file: at the start of a record.
        left: bytes from here to the end.
    """
    frame = file.read(_FRAME.size)
    if len(frame) != _FRAME.size:
        return None
    length, checksum = _FRAME.unpack(frame)
    if length > left - _FRAME.size:  # torn, or a damaged length: never ask for more than there is
        return None
    body = file.read(length)
    if len(body) != length or zlib.crc32(body) != checksum:
        return None
    return _decoded(body)


def _encoded(data: dict[str, Any], blobs: Sequence[bytes]) -> list[bytes]:
    text = write_json(data)
    pieces = [_FRAME.pack(len(text), len(blobs)), text]
    for blob in blobs:
        pieces += [_BLOB.pack(len(blob)), bytes(blob)]
    length = sum(map(len, pieces))
    if length > _BODY_LIMIT:
        raise DocumentError("journal", f"records of at most {_BODY_LIMIT} bytes", length, "save the document")
    checksum = 0
    for piece in pieces:
        checksum = zlib.crc32(piece, checksum)
    head = _FRAME.pack(length, checksum)
    if length < 1 << 16:  # one write for a short record
        return [head + b"".join(pieces)]
    return [head, *pieces]


def _decoded(body: bytes) -> Record | None:
    """A record from its body; None where the lengths inside do not add up."""
    if len(body) < _FRAME.size:
        return None
    text_length, count = _FRAME.unpack_from(body)
    place = _FRAME.size + text_length
    if place + count * _BLOB.size > len(body):
        return None
    try:
        data = read_json(body[_FRAME.size : place], name="journal")
    except DocumentError:
        return None
    blobs = []
    for _ in range(count):
        if place + _BLOB.size > len(body):
            return None
        (length,) = _BLOB.unpack_from(body, place)
        place += _BLOB.size
        if length > len(body) - place:
            return None
        blobs.append(body[place : place + length])
        place += length
    return Record(data, tuple(blobs)) if isinstance(data, dict) and place == len(body) else None
