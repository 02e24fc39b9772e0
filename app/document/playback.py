"""Do once more what a journal says was done, from its newest base that can be read.

Elsewhere: the records and what may be wrong with them in journal_reader.py, who may have a journal in recovery.py.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.document.document import Document
from app.document.history import Entry, entry_from_record
from app.document.journal_log import Record
from app.document.journal_reader import Damage, JournalReader, Story
from app.document.journal_records import Followed, base_name
from app.document.learned import Learned
from app.document.ora_reader import Lost, read_ora
from app.document.results import Result
from app.errors import AppError, DocumentError

_log = logging.getLogger(__name__)

_HINT = "the journal is damaged, what came before is there"


@dataclass(frozen=True)
class Played:
    """A document that was played back."""

    document: Document
    place: Followed | None
    """Where in the logs it stands; None where it stands behind none of them."""
    story: Story
    damage: frozenset[Damage]
    """Why not all of it came back; empty where all did."""
    notes: tuple[str, ...]
    """What of its base could not be kept, as sentences for a person."""


def play(folder: Path) -> Played:
    """Play a journal back: its document as it was, or as it was before the first thing that cannot be read.

    Raises:
        DocumentError: if no base can be read.
    """
    reader = JournalReader(folder)
    failure: DocumentError | None = None
    for lost in (Lost.REFUSED, Lost.SALVAGED):
        for start in reader.starts():
            try:
                return _played_from(reader, start, lost=lost)
            except DocumentError as error:
                failure = failure or error
    hint = "nothing of this journal can be brought back"
    raise failure or DocumentError(folder, "the document the journal began with", "none", hint)


def _played_from(reader: JournalReader, start: int, *, lost: Lost) -> Played:
    base = reader.folder / base_name(start)
    document, notes = read_ora(base, lost=lost)
    player, story, place = _Player(document), Story(), None
    for place, record in reader.records(start):
        data = record.data
        if data["do"] == "begin" and data.get("id") not in (None, document.id):
            raise DocumentError(base, "the document the journal began with", "another one", _HINT)
        try:
            player.play(record)
        except (AppError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            _log.warning("%s: playing back ended at %s: %s", reader.folder, place, error)
            reader.damage.add(Damage.STEPS)
            break
        story.take(data)
    if lost is Lost.SALVAGED:
        reader.damage.add(Damage.PICTURE)
    document.path, document.name = story.path, story.name
    document.mark_unsaved()
    return Played(document, place, story, frozenset(reader.damage), notes)


class _Player:
    """Does to a document what records say was done."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[str, Entry] = {}

    def play(self, record: Record) -> None:
        """Do one record, of a word that is known.

        Raises:
            DocumentError: if it is damaged, or does not fit the document.
        """
        document, data = self._document, record.data
        match data.get("do"):
            case "begin" | "saved":
                pass
            case "commit":
                self._commit(self._entry(data, record.blobs))
            case "undo":
                self._undo(self._entry(data, record.blobs))
            case "redo":
                self._redo(self._entry(data, record.blobs))
            case "result":
                result = Result.from_record(data["result"], list(record.blobs))
                if all(result.id != other.id for other in document.results):
                    document.add_result(result, make_current=False)
            case "learned":
                document.add_learned(Learned.from_record(data["learned"], list(record.blobs)))
            case "drop":
                if any(data["id"] == other.id for other in document.results):
                    document.inner.take_result(data["id"])
                    document.inner.tell()

    def _entry(self, data: dict[str, Any], blobs: tuple[bytes, ...]) -> Entry:
        """The entry of a record, whole: also what only an undo will need can be read."""
        if "entry" not in data:
            return self._known[data["id"]]
        entry = entry_from_record(data["entry"], list(blobs))
        for op in entry.ops:
            for blob in getattr(op, "blobs", ()):
                blob.load()
        self._known[entry.id] = entry
        return entry

    def _commit(self, entry: Entry) -> None:
        history = self._document.history
        if any(entry.id == other.id for other in history.entries):
            raise DocumentError("history entry", "a new one", "one that was done before", _HINT)
        self._document.apply_entry(entry)

    def _undo(self, entry: Entry) -> None:
        newest = self._document.history.newest
        if newest is None:  # it was done before the base, which has no history
            self._document.revert_entry(entry)
        elif newest.id == entry.id:
            self._document.undo_entry()
        else:
            raise DocumentError("undo", "of the newest entry", "of another one", _HINT)

    def _redo(self, entry: Entry) -> None:
        following = self._document.history.next_redo
        if following is None:  # it was undone before the base
            self._commit(entry)
        elif following.id == entry.id:
            self._document.redo_entry()
        else:
            raise DocumentError("redo", "of the entry undone last", "of another one", _HINT)
