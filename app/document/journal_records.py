"""What a journal's thread is told, how it is written down, and what the files are called.

A generation is a document as it was (``base-0.ora``) and the log of what was done from there (``log-0``). A log without
a base goes on where an older one ended. Records are numbered, so that none can be missing or come twice unseen. An entry
is written with its values once in a log; when it is undone or redone later, its name is enough.

Elsewhere: the thread and the observer in journal.py, the file of records in journal_log.py, reading in journal_reader.py.
"""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from app.document.history import Entry
from app.document.journal_log import MAGIC, LogWriter
from app.document.learned import Learned
from app.document.recipe import program_version
from app.document.results import Result
from app.document.snapshot import Snapshot
from engine.private import Kind, files_of, part_kind

_BASE, _LOG, _ZIP = r"base-(\d{1,9})\.ora", r"log-(\d{1,9})", b"PK\3\4"
PART_KIND = part_kind(_ZIP)
"""A base that was not written to its end."""
KINDS = (Kind.of(_BASE, _ZIP), Kind.of(_LOG, MAGIC), PART_KIND)
"""Files of a journal, by name and content: what may go without a person's word."""
RECORD_WORDS = ("begin", "commit", "undo", "redo", "result", "learned", "drop", "saved")
"""What a record can say was done, as its ``do``."""
NAMED_KINDS = (Kind.of(_BASE, b""), Kind.of(_LOG, b""), part_kind(b""))
"""The same by name alone, since what is damaged may begin with anything: what goes when a person discards a journal."""


@dataclass(frozen=True)
class Followed:
    """A place in a journal: so many records of a generation's log."""

    generation: int
    records: int


@dataclass(frozen=True)
class Begin:
    """A generation begins: what comes next belongs to it."""

    generation: int
    snapshot: Snapshot | None
    """What the base is made of; None where the generation only goes on from the place it follows."""
    document_id: str
    name: str
    path: Path | None
    follows: "Followed | None"
    """Where the document stood in the journal it was recovered from, if it was."""
    is_unsaved: bool
    """Whether the document held anything then that was in no file of the user's."""
    has_earlier: bool
    """Whether it had a history then, which the base does not keep."""


@dataclass(frozen=True)
class Undo:
    """An entry was taken back, or done again."""

    word: str
    """``undo`` or ``redo``."""
    entry: Entry


@dataclass(frozen=True)
class Arrival:
    """A result came. Its star is noted now: it may have another by the time this is written."""

    result: Result
    is_starred: bool


@dataclass(frozen=True)
class LearnedArrival:
    """What was learned of the picture came."""

    learned: Learned


@dataclass(frozen=True)
class Drop:
    """A draft was replaced."""

    result_id: str


@dataclass(frozen=True)
class Save:
    """The document was written to its file."""

    path: Path | None
    is_modified: bool


@dataclass(frozen=True)
class Flush:
    """Somebody waits until all before this has reached the disk."""

    is_done: threading.Event = field(default_factory=threading.Event)


Item = Begin | Entry | Undo | Arrival | LearnedArrival | Drop | Save | Flush | None
"""Anything the thread may be told; None ends it."""


class GenerationWriter:
    """Writes the log of one generation.

    Args:
        folder: of the journal.
        begin: the generation.
        follows: the place its document stood at in an older log; None where a base of its own is its only start.

    Raises:
        OSError: if the place cannot be written; also from the methods.
    """

    def __init__(self, folder: Path, begin: Begin, follows: Followed | None) -> None:
        self.generation = begin.generation
        self.records = 0
        self.is_synced = False
        self._known: set[str] = set()  # entries whose values this log holds
        path = folder / log_name(begin.generation)
        self._log = LogWriter(path)
        try:
            self._append(
                {
                    "do": "begin",
                    "generation": begin.generation,
                    "follows": None if follows is None else [follows.generation, follows.records],
                    "steps": int(begin.is_unsaved),  # older versions count
                    "earlier": begin.has_earlier,
                    "program": program_version(),
                    "id": begin.document_id,
                    "name": begin.name,
                    "path": None if begin.path is None else str(begin.path),
                }
            )
        except BaseException:
            self._log.close()
            path.unlink(missing_ok=True)
            raise

    @property
    def nbytes(self) -> int:
        """Length of the log."""
        return self._log.nbytes

    def write(self, item: Entry | Undo | Arrival | LearnedArrival | Drop | Save) -> None:
        """Write one record."""
        now = time.time()
        match item:
            case Entry():
                self._known.add(item.id)
                entry, packed = item.to_record()
                self._append({"do": "commit", "at": now, "entry": entry}, packed)
            case Undo(word, entry) if entry.id in self._known:
                self._append({"do": word, "at": now, "id": entry.id})
            case Undo(word, entry):
                self._known.add(entry.id)
                record, packed = entry.to_record()
                self._append({"do": word, "at": now, "id": entry.id, "entry": record}, packed)
            case Arrival(result, is_starred):
                record, packed = result.to_record()
                self._append(
                    {"do": "result", "at": now, "result": {**record, "is_starred": is_starred}}, packed
                )
            case LearnedArrival(learned):
                record, packed = learned.to_record()
                self._append({"do": "learned", "at": now, "learned": record}, packed)
            case Drop(result_id):
                self._append({"do": "drop", "at": now, "id": result_id})
            case Save(path, is_modified):
                path_words = None if path is None else str(path)
                self._append({"do": "saved", "at": now, "path": path_words, "is_modified": is_modified})

    def sync(self) -> None:
        """Let everything reach the disk."""
        self._log.sync()
        self.is_synced = True

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def _append(self, data: dict[str, object], packed: list[bytes] | None = None) -> None:
        self._log.append({"number": self.records, **data}, packed or [])
        self.records += 1
        self.is_synced = False


def base_name(generation: int) -> str:
    """File of a generation's document."""
    return f"base-{generation}.ora"


def log_name(generation: int) -> str:
    """File of a generation's log."""
    return f"log-{generation}"


def generations(folder: Path) -> list[int]:
    """Numbers of all generations a folder holds any file of, in order. A link to a file is none."""
    numbers = set()
    for name in files_of(folder, NAMED_KINDS):
        match = next(filter(None, (kind.name.fullmatch(name) for kind in NAMED_KINDS[:2])), None)
        if match is not None:
            numbers.add(int(match[1]))
    return sorted(numbers)
