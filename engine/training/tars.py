"""Walk through a tar file that anyone may have written, header by header, each number held against a limit first.

Python's ``tarfile`` is not asked to: it reads a name of three gigabytes because a header says so, and takes a damaged
header after the first for the end of the file. Here every header is read in turn by a plain loop. What a header says
is measured before it is read, and whatever is not a tar up to its end mark is an error that comes after all that was
whole.

Limits: 4,000,000 members and 16,000,000 PAX records a tar, 1 MiB for one PAX header or long name, 4,096 signs for a
name, 4 GiB for what a packed tar becomes, 256 MiB for the memory of an xz packer.

Source: POSIX.1-2017, ``pax``, section "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
"""

import bz2
import gzip
import lzma
import os
import tarfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from engine.bounds import Budget, LimitedReader

MEMBER_LIMIT = 4_000_000
RECORD_LIMIT = 16_000_000
EXTRA_LIMIT_BYTES = 1 << 20
NAME_LIMIT = 4096
PACKED_LIMIT_BYTES = 4 << 30
_XZ_MEMORY_BYTES = 256 << 20

TAR_ERRORS = (
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
    ArithmeticError,
    MemoryError,
)
"""What a damaged or hostile tar raises while it is walked through."""

MemberKind = Literal["file", "folder", "link", "device", "sparse file", "entry of another kind"]

_BLOCK = 512
_CHUNK_BYTES = 1 << 16
_TAIL_BYTES = 1 << 20  # zeros that may follow the end mark: records of this size are rare already
_KINDS: dict[bytes, MemberKind] = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.DIRTYPE: "folder",
    tarfile.LNKTYPE: "link",
    tarfile.SYMTYPE: "link",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
    tarfile.FIFOTYPE: "device",
    tarfile.GNUTYPE_SPARSE: "sparse file",
}
_WITHOUT_CONTENT = frozenset(["folder", "link", "device"])


@dataclass(frozen=True)
class Member:
    """One entry of a tar."""

    name: str
    """As it stands there, what is not UTF-8 written out; never a path."""

    kind: MemberKind

    offset: int
    """First byte of its content, in the tar as unpacked."""

    size_bytes: int
    """What its header says; in a plain tar all of it is there."""

    content: bytes | None
    """The bytes themselves, where the tar is packed and they are wanted."""


class TarWalk:
    """The members of a tar file, in their order.

    Args:
        path: the file; packed or not is seen from its first bytes, not from its name.
        is_wanted: asked for each plain file of a packed tar, by name and size: whether its content is.
    """

    def __init__(self, path: Path, is_wanted: Callable[[str, int], bool]) -> None:
        self._path = path
        self._is_wanted = is_wanted
        self.is_packed = False
        self.last_name = ""

    def __iter__(self) -> Iterator[Member]:
        """Go through it once.

        Raises:
            Exception: one of `TAR_ERRORS`, after the members before the damage, if it is not whole or beyond a limit.
        """
        with open(self._path, "rb") as file:
            unpacked = _unpacked(file)
            self.is_packed = unpacked is not None
            size = os.fstat(file.fileno()).st_size
            blocks = _Packed(unpacked) if unpacked is not None else _Plain(file, size)
            yield from self._members(blocks)

    def _members(self, blocks: "_Blocks") -> Iterator[Member]:
        members = Budget(MEMBER_LIMIT, "members in a tar file")
        records = Budget(RECORD_LIMIT, "PAX records in a tar file")
        long_name: bytes | None = None
        pax: dict[bytes, bytes] = {}
        while True:
            header = blocks.read(_BLOCK)
            if not any(header):
                _check_end(blocks)
                return
            type_mark, size = _type_and_size(header)
            members.take(1)
            if type_mark in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE):
                Budget(EXTRA_LIMIT_BYTES, "bytes in a header or name").take(size)
                extra = blocks.read(size)
                blocks.skip(-size % _BLOCK)
                if type_mark == tarfile.GNUTYPE_LONGNAME:
                    long_name = extra.partition(b"\0")[0]
                else:
                    pax = _pax_records(extra, records)
                continue
            if type_mark in (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE):
                blocks.skip(size + -size % _BLOCK)
                continue
            if pax:
                size = int(pax.get(b"size", b"%d" % size)[:20])
                long_name = pax.get(b"path", long_name)
            kind = _KINDS.get(type_mark, "entry of another kind")
            name = (_name(header) if long_name is None else long_name).decode("utf-8", "backslashreplace")
            if kind == "sparse file":
                _skip_sparse_map(blocks, header)
            elif any(key.startswith(b"GNU.sparse.") for key in pax):
                kind = "sparse file"
            elif type_mark == tarfile.AREGTYPE and name.endswith("/"):
                kind = "folder"  # as before there were types
            yield self._member(blocks, name, kind, size)
            long_name, pax = None, {}

    def _member(self, blocks: "_Blocks", name: str, kind: MemberKind, size: int) -> Member:
        if size < 0:
            raise tarfile.ReadError("negative size")
        if kind in _WITHOUT_CONTENT:
            size = 0
        self.last_name = name[:NAME_LIMIT]
        offset, content = blocks.position, None
        if self.is_packed and kind == "file" and self._is_wanted(name, size):
            content = blocks.read(size)
            blocks.skip(-size % _BLOCK)
        else:
            blocks.skip(size + -size % _BLOCK)
        return Member(name, kind, offset, size, content)


class _Blocks(ABC):
    """The bytes of a tar from front to back."""

    position = 0

    def read(self, size: int) -> bytes:
        data = self.read_rest(size)
        if len(data) != size:
            raise EOFError("it ends early")
        return data

    @abstractmethod
    def read_rest(self, size: int) -> bytes:
        """As many bytes as there are, at most ``size``."""

    @abstractmethod
    def skip(self, size: int) -> None:
        """Pass over bytes that nobody looks at."""


class _Plain(_Blocks):
    """A tar as it lies on the disk: what is not looked at is not read."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file = file
        self._size_bytes = size_bytes

    def read_rest(self, size: int) -> bytes:
        data = self._file.read(size)
        self.position += len(data)
        return data

    def skip(self, size: int) -> None:
        if self.position + size > self._size_bytes:
            raise EOFError("it ends early")
        self.position += size
        self._file.seek(self.position)


class _Packed(_Blocks):
    """A tar that is unpacked as it is read, up to the limit."""

    def __init__(self, file: BinaryIO) -> None:
        what = "bytes unpacked from one tar file (unpack it first)"
        self._file = LimitedReader(file, PACKED_LIMIT_BYTES, what)

    def read_rest(self, size: int) -> bytes:
        """As many bytes as there are, at most ``size``: taken in pieces, for a header may promise more."""
        pieces = []
        while size and (piece := self._file.read(min(size, _TAIL_BYTES))):
            pieces.append(piece)
            size -= len(piece)
            self.position += len(piece)
        return b"".join(pieces)

    def skip(self, size: int) -> None:
        while size > 0:
            size -= len(self.read(min(size, _CHUNK_BYTES)))


class _Xz:
    """A stream of xz or lzma, which may ask for no more memory than the limit: Python's own file has none."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packer = lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES)
        self._rest = b""

    def read(self, size: int) -> bytes:
        while True:
            if self._packer.eof:
                self._rest = self._packer.unused_data.lstrip(b"\0")
                while not self._rest:
                    piece = self._file.read(_CHUNK_BYTES)
                    if not piece:
                        return b""
                    self._rest = piece.lstrip(b"\0")
                self._packer = lzma.LZMADecompressor(memlimit=_XZ_MEMORY_BYTES)
            elif self._packer.needs_input:
                self._rest = self._file.read(_CHUNK_BYTES)
                if not self._rest:
                    raise EOFError("it ends early")
            data = self._packer.decompress(self._rest, size)
            self._rest = b""
            if data:
                return data


def _unpacked(file: BinaryIO) -> BinaryIO | None:
    """A stream of what is packed in a file, or None if nothing is."""
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    if start.startswith(b"BZh"):
        return bz2.BZ2File(file)  # type: ignore[return-value]
    if start.startswith((b"\xfd7zXZ\0", b"]\0\0")):
        return _Xz(file)  # type: ignore[return-value]
    return None


def _type_and_size(header: bytes) -> tuple[bytes, int]:
    """The type mark of a header whose checksum is right, and the size that it says, in bytes."""
    said = _number(header[148:156])
    total = sum(header) - sum(header[148:156]) + 8 * 32  # the field itself counts as spaces
    if said != total:
        high = sum(sign >= 128 for sign in header[:148] + header[156:])  # some writers add signed bytes
        if said != total - 256 * high:
            raise tarfile.ReadError("bad checksum")
    size = _number(header[124:136])
    if size < 0:
        raise tarfile.ReadError("negative size")
    return header[156:157], size


def _number(field: bytes) -> int:
    """A number of a header: octal digits, or binary where the first bit is set."""
    if field[0] & 128:
        return int.from_bytes(bytes([field[0] & 127]) + field[1:], "big") if field[0] < 192 else -1
    return int(field.partition(b"\0")[0].strip() or b"0", 8)


def _name(header: bytes) -> bytes:
    """The name in a header, with the start that POSIX keeps apart."""
    name = header[:100].partition(b"\0")[0]
    if header[345] and header[257:263] == b"ustar\0":
        return header[345:500].partition(b"\0")[0] + b"/" + name
    return name


def _skip_sparse_map(blocks: _Blocks, header: bytes) -> None:
    """Walk over the further blocks of the map of a sparse file, as GNU writes it."""
    has_more = header[482]
    while has_more:
        has_more = blocks.read(_BLOCK)[504]


def _check_end(blocks: _Blocks) -> None:
    """After the first block of zeros: another one must follow, and zeros to the end."""
    tail = blocks.read_rest(_TAIL_BYTES)
    if len(tail) < _BLOCK and not any(tail):
        raise EOFError("it ends early")
    if any(tail) or len(tail) == _TAIL_BYTES:
        raise tarfile.ReadError("more follows its end mark, or a header is wiped out")


def _pax_records(data: bytes, budget: Budget) -> dict[bytes, bytes]:
    """The records of a PAX header: ``length key=value`` and a line end each, the length of all of it."""
    found: dict[bytes, bytes] = {}
    position = 0
    while position < len(data) and data[position]:
        budget.take(1)
        space = data.find(b" ", position, position + 20)
        digits = data[position:space] if space > 0 else b""
        end = position + int(digits) if digits.isdigit() else 0
        if not space < end <= len(data) or data[end - 1] != 10:
            raise tarfile.ReadError("a damaged PAX header")
        key, _, value = data[space + 1 : end - 1].partition(b"=")
        found[key] = value
        position = end
    return found
