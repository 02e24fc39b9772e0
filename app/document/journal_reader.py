"""What a journal's folder holds: where playing back may start, the records from there, and what cannot be read.

Nothing in a folder is trusted. A record counts only behind all records before it; the first one that is torn, damaged,
missing, out of order or not known here ends the reading, so that what comes back is a state that once was. Every such
end is noted as a `Damage`, for a person to read and for the folder to be kept.

Elsewhere: the file of records in journal_log.py, what writes them in journal_records.py, doing them in playback.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from app.document.archive import ArchiveReader
from app.document.journal_log import LaterLogError, LogReader, Record
from app.document.journal_records import NAMED_KINDS, RECORD_WORDS, Followed, base_name, generations, log_name
from app.document.ops import OPS
from app.document.ora_layout import THUMBNAIL_ENTRY
from app.errors import DocumentError
from engine.private import files_of

_THUMBNAIL_LIMIT_BYTES = 1 << 20
_PATH_LIMIT = 4096
_NAME_LIMIT = 200


class Damage(StrEnum):
    """Why not all of a journal comes back."""

    FOLDER = "folder"
    """The folder cannot be looked at."""
    START = "start"
    """The document as it was when the journal began cannot be read."""
    PICTURE = "picture"
    """Parts of that document's pixels are damaged."""
    STEPS = "steps"
    """Steps are missing: from some record on nothing can be read, or does not fit."""
    LATER = "later"
    """A later version of the program wrote steps that are not known here."""


class JournalReader:
    """Reads the files of one journal.

    Args:
        folder: of the journal.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damage: set[Damage] = set()
        """What `records` found."""
        self._names = frozenset(files_of(folder, NAMED_KINDS))

    def starts(self) -> list[int]:
        """Generations whose base is there, newest first."""
        return [one for one in reversed(generations(self.folder)) if base_name(one) in self._names]

    def readable_start(self) -> tuple[int | None, bytes | None]:
        """The newest generation whose base has the outline of a document, and the base's thumbnail as PNG."""
        for start in self.starts():
            try:
                with ArchiveReader(self.folder / base_name(start)) as archive:
                    if THUMBNAIL_ENTRY not in archive:
                        return start, None
                    return start, archive.read(THUMBNAIL_ENTRY, limit_bytes=_THUMBNAIL_LIMIT_BYTES)
            except DocumentError:
                continue
        return None, None

    def records(self, start: int) -> Iterator[tuple[Followed, Record]]:
        """All records from a generation's base on, each with the place behind it.

        A later log goes on where the one before it ended; one that does not ends the reading.
        """
        self.damage = set()
        place: Followed | None = None
        for generation in generations(self.folder):
            if generation < start or log_name(generation) not in self._names:
                continue
            if place is None and generation > start:  # the log of the base itself is gone
                break
            count = 0
            for record in self._log(generation):
                number = record.data.get("number", count)
                if number != count:
                    self.damage.add(Damage.STEPS)
                    if type(number) is int and 0 <= number < count:  # written twice
                        continue
                    return
                if (count == 0) != (record.data.get("do") == "begin"):
                    self.damage.add(Damage.STEPS)
                    return
                follows = None if place is None else [place.generation, place.records]
                if count == 0 and place is not None and record.data.get("follows") != follows:
                    self.damage.add(Damage.STEPS)
                    return
                if not _is_known(record.data):
                    self.damage.add(Damage.LATER)
                    return
                count += 1
                yield Followed(generation, count), record
            if count == 0 and not self.damage:
                self.damage.add(Damage.STEPS)
            if self.damage:
                return
            place = Followed(generation, count)
        if place is None:
            self.damage.add(Damage.STEPS)

    def _log(self, generation: int) -> Iterator[Record]:
        reader = LogReader(self.folder / log_name(generation))
        try:
            yield from reader
        except LaterLogError:
            self.damage.add(Damage.LATER)
        except DocumentError:
            self.damage.add(Damage.STEPS)
        else:
            if not reader.is_whole:
                self.damage.add(Damage.STEPS)


def _is_known(data: dict[str, Any]) -> bool:
    """Whether this version knows a record, and each operation of it."""
    do, entry = data.get("do"), data.get("entry")
    ops = entry.get("ops") if isinstance(entry, dict) else None
    kinds = [op.get("kind") for op in ops if isinstance(op, dict)] if isinstance(ops, list) else []
    return isinstance(do, str) and do in RECORD_WORDS and all(str(kind) in OPS for kind in kinds)


@dataclass
class Story:
    """What the records of a journal say of its document, without their pixels."""

    name: str = "Untitled"
    path: Path | None = None
    document_id: str | None = None
    when: datetime | None = None
    """Of the last record that says so, in UTC."""
    has_earlier: bool = False
    """Whether the base holds steps of its own, which no undo reaches."""
    is_begun: bool = False
    result_ids: set[str] = field(default_factory=set)
    """Results that came."""
    _done: list[tuple[str, bool]] = field(default_factory=list)  # id, and whether it continues the one before
    _undone: list[tuple[str, bool]] = field(default_factory=list)
    _taken_before: int = 0  # entries undone that were done before the base
    _arrivals: int = 0
    _saved: tuple[str, int] | None = None

    def take(self, data: dict[str, Any]) -> None:
        """Look at the next record, which a `JournalReader` gave."""
        at = moment(data.get("at"))
        self.when = at or self.when
        match data.get("do"):
            case "begin":
                self._begin(data)
            case "saved":
                self._take_path(data)
                self._saved = self._mark if data.get("is_modified") is False else None
            case "commit" | "undo" | "redo" as word:
                self._take_entry(word, data)
            case "result":
                self._arrivals += 1
                result = data.get("result")
                if isinstance(result, dict):
                    self.result_ids.add(str(result.get("id")))
            case "learned":
                self._arrivals += 1
            case "drop":
                self.result_ids.discard(str(data.get("id")))

    @property
    def steps(self) -> int:
        """How many steps the history shows once all is played back; those that were undone count, as they do there."""
        entries = [*self._done, *reversed(self._undone)]
        return sum(not is_continuation or at == 0 for at, (_, is_continuation) in enumerate(entries))

    @property
    def is_unsaved(self) -> bool:
        """Whether there is something that no file of the user's holds."""
        return not self.is_begun or self._saved != self._mark

    @property
    def _mark(self) -> tuple[str, int]:
        head = self._done[-1][0] if self._done else f"start -{self._taken_before}"
        return head, self._arrivals

    def _begin(self, data: dict[str, Any]) -> None:
        self._take_path(data)
        name, document_id = data.get("name"), data.get("id")
        if isinstance(name, str) and name.strip():
            self.name = name
        self.name = "".join(sign if sign.isprintable() else " " for sign in self.name[:_NAME_LIMIT])
        if self.is_begun:
            return
        self.is_begun = True
        self.document_id = document_id if isinstance(document_id, str) else None
        # Older versions do not say; a later generation of theirs began with what was done in the ones before.
        self.has_earlier = bool(data.get("earlier", data.get("generation") != 0))
        self._saved = self._mark if data.get("steps") == 0 else None

    def _take_path(self, data: dict[str, Any]) -> None:
        words = data.get("path")
        is_path = isinstance(words, str) and len(words) <= _PATH_LIMIT and "\0" not in words
        if is_path and Path(words).is_absolute():
            self.path = Path(words)
            self.name = self.path.stem

    def _take_entry(self, word: str, data: dict[str, Any]) -> None:
        entry = data.get("entry")
        entry = entry if isinstance(entry, dict) else {}
        one = str(data.get("id", entry.get("id"))), entry.get("is_continuation") is True
        if word == "undo":
            self._taken_before += not self._done
            self._undone.append(self._done.pop() if self._done else one)
        elif word == "redo":
            self._done.append(self._undone.pop() if self._undone else one)
        else:
            if not one[1]:
                self._undone.clear()
            self._done.append(one)


def moment(seconds: object) -> datetime | None:
    """A time since 1970 in UTC; None where the number cannot be the time of anything."""
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None
