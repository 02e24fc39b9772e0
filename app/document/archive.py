"""Open a zip that may be damaged or hostile, and give out its entries within limits.

Nothing is ever unpacked to the disk. What the directory of the archive promises is held against limits before an
entry is read, and what an entry really holds is held against its promise: a zip bomb, a name that climbs out of its
folder, two entries of one name, a cut-off file all end in one clear line.

Elsewhere: what the entries mean in ora_reader.py; PNG in png_stream.py.
"""

import contextlib
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Self

from app.errors import DocumentError
from engine.atomic import AnyPath
from engine.bounds import BoundsError, Budget, memory_share
from engine.zip_directory import open_zip

ENTRY_LIMIT = 100_000
"""Most entries of an archive; every result of a document takes three."""
LIMIT_VARIABLE = "PENTIMENTO_MAX_DOCUMENT_MB"
"""Environment variable: most megabytes that a document may become."""
_FREE_BYTES = 1536 << 20  # one clear layer of the largest size, which packs to a megabyte, and its guides
_GROWTH_LIMIT = 64
_LIMIT_HINT = f"set {LIMIT_VARIABLE} higher if you trust the file"
_NAME_LIMIT = 1024
_RATIO_LIMIT = 200  # a blank 16384 px layer packs 1000:1 as PNG; zipped a second time it gains little
RATIO_FREE_BYTES = 16 << 20
"""Below this size an entry may be packed to any ratio: it is harmless."""
_HINT = "fetch or save the document again"


class ArchiveReader:
    """Entries of a zip, read one at a time; closed at the end of a ``with``.

    Args:
        path: the file.
        name: what to call it in errors; the path when left out.
        limit_bytes: most that may be unpacked and kept; as `document_limit` says when left out.

    Raises:
        DocumentError: if there is no such file, it is no zip, or its directory breaks a limit.
    """

    def __init__(self, path: AnyPath | BinaryIO, *, name: str = "", limit_bytes: int | None = None) -> None:
        self.name = name or (os.fspath(path) if isinstance(path, str | os.PathLike) else "document")
        self._is_own = isinstance(path, str | os.PathLike)
        self._file = self._opened(path) if isinstance(path, str | os.PathLike) else path
        try:
            with self._told():
                limit = (
                    document_limit(self._file.seek(0, os.SEEK_END)) if limit_bytes is None else limit_bytes
                )
                self._budget = Budget(limit, "bytes in all layers, masks and results")
                self._zip = open_zip(self._file, limit_entries=ENTRY_LIMIT)
                self._entries = self._checked_entries()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, where it was opened here."""
        if self._is_own:
            self._file.close()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all entries but folders, in the order of the archive."""
        return tuple(self._entries)

    @property
    def left_bytes(self) -> int:
        """How much may still be unpacked."""
        return self._budget.left_bytes

    def check(self, amount_bytes: int) -> None:
        """Ask whether so much would still fit, before any of it is unpacked.

        Raises:
            DocumentError: if it would not.
        """
        try:
            self._budget.check(amount_bytes)
        except BoundsError as error:
            raise self.error(error.expected, error.got, _LIMIT_HINT) from error

    def take(self, amount_bytes: int) -> None:
        """Count what an entry becomes in memory against the limit.

        Raises:
            DocumentError: if it is more than is left.
        """
        self.check(amount_bytes)
        self._budget.take(amount_bytes)

    def give_back(self, amount_bytes: int) -> None:
        """Count what was taken as free: it is let go of."""
        self._budget.give_back(amount_bytes)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def size_of(self, name: str) -> int:
        """Unpacked size the directory promises, in bytes."""
        return self._entries[name].file_size

    def read(self, name: str, *, limit_bytes: int | None = None) -> bytes:
        """Unpack one entry.

        Args:
            name: one of ``names``.
            limit_bytes: most that an entry of this kind may have.

        Raises:
            DocumentError: if it is not there, damaged, or larger than allowed or promised.
        """
        info = self._entries.get(name)
        if info is None:
            raise self.error(f"an entry '{name}'", "none of that name", _HINT)
        if limit_bytes is not None and info.file_size > limit_bytes:
            raise self.error(f"'{name}' of at most {limit_bytes} bytes", f"{info.file_size} bytes", _HINT)
        self.take(info.file_size)
        with self._told(f"a whole entry '{name}'"), self._zip.open(info) as entry:
            data = entry.read(info.file_size + 1)
        if len(data) != info.file_size:
            raise self.error(f"{info.file_size} bytes in '{name}'", "another size", _HINT)
        return data

    def read_stored(self, name: str) -> bytes:
        """The bytes of an entry that is not packed, whether or not they are as they were written.

        Raises:
            DocumentError: if it is not there, packed, or cannot be found.
        """
        info = self._entries.get(name)
        if info is None or info.compress_type != zipfile.ZIP_STORED:
            raise self.error(f"an entry '{name}' that is not packed", "none", _HINT)
        self.take(info.file_size)
        with self._told(f"a whole entry '{name}'"):
            self._file.seek(info.header_offset)
            name_bytes, extra_bytes = struct.unpack("<HH", self._file.read(30)[26:])
            self._file.seek(name_bytes + extra_bytes, os.SEEK_CUR)
            return self._file.read(info.file_size)

    def read_start(self, name: str, count: int) -> bytes:
        """The first bytes of an entry; none where it is not there or damaged, which `read` tells."""
        info = self._entries.get(name)
        if info is None:
            return b""
        with contextlib.suppress(DocumentError), self._told(), self._zip.open(info) as entry:
            return entry.read(count)
        return b""

    def error(self, expected: str, got: str, hint: str = _HINT, *, said: str = "") -> DocumentError:
        """An error about this archive."""
        return DocumentError(self.name, expected, got, hint, said=said)

    def _opened(self, path: AnyPath) -> BinaryIO:
        if os.path.isdir(path):
            raise self.error("a document", "a folder", "name a file inside it")
        if os.path.exists(path) and not os.path.isfile(path):
            raise self.error("a document", "a device or pipe", "name a file")
        try:
            return open(path, "rb")
        except FileNotFoundError as error:
            raise self.error("a document", "no such file", "check the path") from error
        except OSError as error:
            got = (error.strerror or type(error).__name__).lower()
            raise self.error("a file that can be read", got, "check its permissions and the disk") from error

    @contextlib.contextmanager
    def _told(self, expected: str = "an OpenRaster file") -> Iterator[None]:
        """Put whatever the zip library raises on a damaged or hostile file into words."""
        try:
            yield
        except DocumentError:
            raise
        except BoundsError as error:
            raise self.error(error.expected, error.got) from error
        except MemoryError as error:
            raise self.error(expected, "more than fits into memory", "close other programs") from error
        except (zipfile.BadZipFile, EOFError, zlib.error, struct.error) as error:
            raise self.error(expected, "a damaged or cut-off file, or one of another kind") from error
        except Exception as error:  # noqa: BLE001 - on hostile bytes the zip library raises anything
            raise self.error(expected, f"a damaged one ({type(error).__name__})") from error

    def _checked_entries(self) -> dict[str, zipfile.ZipInfo]:
        infos = self._zip.infolist()
        entries: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            self._check_entry(info)
            if info.is_dir():
                continue
            if info.filename in entries:
                raise self.error("every entry once", f"'{_shown(info.filename)}' twice")
            entries[info.filename] = info
        self.check(sum(info.file_size for info in infos))
        return entries

    def _check_entry(self, info: zipfile.ZipInfo) -> None:
        name = info.filename
        if not is_safe_name(name) or info.orig_filename != name:
            raise self.error("names inside the archive", f"'{_shown(info.orig_filename)}'")
        if info.flag_bits & 0x1:
            raise self.error("readable entries", f"'{_shown(name)}', which is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.error("stored or deflated entries", f"'{_shown(name)}', packed in another way")
        is_large = info.file_size > RATIO_FREE_BYTES
        if is_large and info.file_size > _RATIO_LIMIT * max(1, info.compress_size):
            got = f"'{_shown(name)}', {info.file_size} bytes out of {info.compress_size}"
            raise self.error(f"entries packed at most {_RATIO_LIMIT}:1", got, "it may be a zip bomb")


def is_safe_name(name: str) -> bool:
    """Whether a name stays inside its archive on every system: relative, no climbing, no odd signs."""
    if not name or len(name) > _NAME_LIMIT or name.startswith("/") or "\\" in name or name[1:2] == ":":
        return False
    if any(ord(sign) < 32 for sign in name):
        return False
    return all(part not in ("", ".", "..") for part in name.removesuffix("/").split("/"))


def document_limit(file_bytes: int) -> int:
    """Most bytes that a document may become in memory: what nobody minds, more where the file itself is large.

    Pictures of the world pack 2:1 to 5:1, drawings 50:1; a small file that promises gigabytes is made to harm. Half of
    the machine's memory is the end in any case, unless the environment says otherwise.

    Args:
        file_bytes: size of the file.

    Raises:
        DocumentError: if the environment's word is no number above 0.
    """
    text = os.environ.get(LIMIT_VARIABLE, "")
    if not text:
        return min(memory_share(2), max(_FREE_BYTES, _GROWTH_LIMIT * file_bytes))
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 10 or int(text) == 0:
        raise DocumentError(
            LIMIT_VARIABLE, "a whole number of megabytes above 0", f"'{text[:40]}'", "unset it"
        )
    return int(text) * 1_000_000


def _shown(name: str) -> str:
    """A hostile name, short and printable."""
    printable = name.encode("ascii", "backslashreplace").decode()
    printable = "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in printable)
    return printable if len(printable) <= 60 else f"{printable[:57]}..."
