"""Bring back what a crash left behind, and see that no two windows fight over it.

Every open document has a folder below the state folder, locked as long as its window lives. A folder nobody holds and
that has unsaved steps is work to offer. Playing back starts from the newest whole base and does, undoes and redoes what
the logs say from there; the first record that does not fit ends it, so what comes back is a state that once was.

Elsewhere: what writes the folders in journal.py, the lock in folder_lock.py.
"""

import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.document.document import Document
from app.document.folder_lock import LOCK_KIND, FolderLock
from app.document.history import Entry, entry_from_record
from app.document.journal import Journal
from app.document.journal_log import Record, read_log
from app.document.journal_records import KINDS, NAMED_KINDS, Followed, base_name, generations, log_name
from app.document.learned import Learned
from app.document.ora_reader import read_ora
from app.document.results import Result
from app.errors import DocumentError
from app.folders import state_folder
from engine.private import files_of, is_folder, private_folder

_log = logging.getLogger(__name__)

_FOLDER = "journals"
_NAME_LIMIT = 50  # folders of one document: windows that have it open, and crashes nobody looked at
_HINT = "the journal is damaged, what came before is there"


@dataclass(frozen=True)
class Recoverable:
    """Work that a crash left behind."""

    name: str
    """Of the document."""
    when: datetime
    """Of the last step, in UTC."""
    path: Path | None
    """The document's own file; None where it was never saved."""
    steps: int
    """Steps and results since the last save."""
    folder: Path
    """Where its journal lies."""


@dataclass(frozen=True)
class _Claim:
    """A folder whose document was recovered and waits for its new journal."""

    lock: FolderLock
    follows: Followed | None
    steps: int


_claims: dict[str, _Claim] = {}  # by opening: several windows may have been at one document
_claims_lock = threading.Lock()


def journals_folder() -> Path:
    """Where the journals of all open documents lie."""
    return state_folder() / _FOLDER


def journal_for(document: Document, *, on_trouble: Callable[[Exception], None] | None = None) -> Journal:
    """Begin the journal of a document that was opened, made or recovered.

    Args:
        document: on the thread that changes it.
        on_trouble: told, on another thread, when the journal cannot be written.

    Raises:
        OSError: if the state folder cannot be written to.
    """
    with _claims_lock:
        claim = _claims.pop(document.opening_id, None)
    if claim is not None:
        return Journal(
            document,
            claim.lock.folder,
            lock=claim.lock,
            follows=claim.follows,
            steps=claim.steps,
            on_trouble=on_trouble,
        )
    private_folder(state_folder(), _FOLDER)
    stem = re.sub(r"[^0-9A-Za-z_-]", "_", document.id)[:64] or "document"
    for number in range(1, _NAME_LIMIT + 1):
        folder = journals_folder() / (stem if number == 1 else f"{stem}-{number}")
        lock = FolderLock.take(folder)
        if lock is None:
            continue
        if not generations(folder):  # else it holds what a crash left, which is still to be offered
            return Journal(document, folder, lock=lock, on_trouble=on_trouble)
        lock.release()
    raise OSError(f"{_NAME_LIMIT} journals of this document are in use; recover or discard older work first")


def recoverable() -> list[Recoverable]:
    """Work nobody has open, newest first. Journals without unsaved work are removed on the way.

    May be called on any thread. A link to a folder, and a folder that holds nothing of a journal, are left alone.
    """
    found = []
    try:
        if not os.path.lexists(journals_folder()):
            return []
        folders = sorted(filter(_is_journal, private_folder(state_folder(), _FOLDER).iterdir()))
    except OSError as error:
        _log.warning("journals cannot be looked at: %s", error)
        return []
    for folder in folders:
        try:
            lock = FolderLock.take(folder)
        except OSError as error:
            _log.warning("%s cannot be looked at: %s", folder, error)
            continue
        if lock is None:
            continue
        item = _looked_at(folder)
        if item is None:
            lock.remove(KINDS)
        else:
            lock.release()
            found.append(item)
    return sorted(found, key=lambda item: item.when, reverse=True)


def recover(item: Recoverable) -> Document:
    """Play a journal back. It stays where it is until the document's new journal is whole.

    May be called on any thread; `journal_for` goes on in the same folder.

    Returns:
        The document, unsaved, with the history of its steps.

    Raises:
        DocumentError: if another window has it, or the journal is damaged beyond its start.
    """
    lock = _taken(item)
    try:
        document, follows, steps = _played(item.folder)
    except BaseException:
        lock.release()
        raise
    with _claims_lock:
        _claims[document.opening_id] = _Claim(lock, follows, steps)
    return document


def let_go(item: Recoverable) -> None:
    """Give back what `recover` took and no window took up, since it was closed meanwhile."""
    with _claims_lock:
        for opening_id, claim in tuple(_claims.items()):
            if claim.lock.folder == item.folder:
                del _claims[opening_id]
                claim.lock.release()


def discard(item: Recoverable) -> None:
    """Delete work that is not wanted back.

    Raises:
        DocumentError: if another window has it.
    """
    _taken(item).remove(NAMED_KINDS)


def _taken(item: Recoverable) -> FolderLock:
    try:
        lock = FolderLock.take(item.folder)
    except OSError as error:
        got = (error.strerror or type(error).__name__).lower()
        raise DocumentError(
            item.folder, "a folder that can be written", got, "check its permissions"
        ) from error
    if lock is None:
        got = "one that is open"
        raise DocumentError(item.name, "work nobody has open", got, "it was recovered in another window")
    return lock


def _is_journal(folder: Path) -> bool:
    """Whether a folder is one of ours: it holds files of a journal, or the lock of one that is empty."""
    return is_folder(folder) and bool(generations(folder) or files_of(folder, [LOCK_KIND]))


# Looking -------------------------------------------------------------------------------------------------------------


def _looked_at(folder: Path) -> Recoverable | None:
    """What a folder nobody holds has to offer; None if nothing."""
    bases = _bases(folder)
    if not bases:
        return None
    start = bases[0]
    seen = _Seen()
    for _, record in _records(folder, start):
        seen.take(record.data)
    if not seen.is_begun:  # the machine died before the log's first record reached the disk
        seen.steps = 1
    if not seen.steps:
        return None
    when = seen.when or (folder / base_name(start)).stat().st_mtime
    path = None if seen.path is None else Path(seen.path)
    return Recoverable(seen.name, datetime.fromtimestamp(when, UTC), path, seen.steps, folder)


@dataclass
class _Seen:
    """What the records of a journal say of its document, without their pixels."""

    name: str = "Untitled"
    path: str | None = None
    steps: int = 0
    when: float = 0.0
    is_begun: bool = False

    def take(self, data: dict[str, Any]) -> None:
        """Look at the next record."""
        do, name, path, at = (data.get(key) for key in ("do", "name", "path", "at"))
        if do in ("begin", "saved") and isinstance(path, str):
            self.path, self.name = path, Path(path).stem
        if do == "begin":
            self.name = name if isinstance(name, str) and name else self.name
            if not self.is_begun and type(data.get("steps")) is int:
                self.steps = data["steps"]
            self.is_begun = True
        elif do == "saved":
            self.steps = self.steps if data.get("is_modified", True) else 0
        else:
            self.steps += 1
        if isinstance(at, int | float):
            self.when = at


def _bases(folder: Path) -> list[int]:
    """Generations whose base is there, newest first."""
    names = files_of(folder, NAMED_KINDS)
    return [one for one in reversed(generations(folder)) if base_name(one) in names]


def _records(folder: Path, start: int) -> Iterator[tuple[Followed, Record]]:
    """All records from a generation's base on, each with the place behind it.

    A later log goes on where the one before it ended, or belongs to a base of its own and is not played.
    """
    place: Followed | None = None
    for generation in generations(folder):
        if generation < start or not (folder / log_name(generation)).is_file():
            continue
        count = 0
        try:
            for record in read_log(folder / log_name(generation)):
                follows = record.data.get("follows")
                goes_on = place is not None and follows == [place.generation, place.records]
                if count == 0 and generation > start and not goes_on:
                    return
                count += 1
                yield Followed(generation, count), record
        except DocumentError as error:  # it was made in the very moment of the crash
            _log.warning("%s", error)
        if count == 0:
            return
        place = Followed(generation, count)


# Playing back --------------------------------------------------------------------------------------------------------


def _played(folder: Path) -> tuple[Document, Followed | None, int]:
    """The document, the place in the logs it stands at, and how many of its steps are unsaved."""
    failure: DocumentError | None = None
    for start in _bases(folder):
        try:
            document, _ = read_ora(folder / base_name(start))
        except DocumentError as error:
            failure = failure or error
            continue
        player = _Player(document)
        place, seen = None, _Seen()
        for place, record in _records(folder, start):
            try:
                player.play(record)
            except (DocumentError, KeyError, TypeError, ValueError, AttributeError) as error:
                _log.warning("%s: playing back ended at %s: %s", folder, place, error)
                place = None
                break
            seen.take(record.data)
        document.path = None if seen.path is None else Path(seen.path)
        document.name = seen.name
        document.mark_unsaved()
        return document, place, max(1, seen.steps)
    raise failure or DocumentError(folder, "the start of a journal", "none", "discard it")


class _Player:
    """Does to a document what records say was done."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[str, Entry] = {}

    def play(self, record: Record) -> None:
        """Do one record.

        Raises:
            DocumentError: if it is damaged, or does not fit the document.
        """
        document, data = self._document, record.data
        match data.get("do"):
            case "begin" | "saved":
                pass
            case "commit":
                document.apply_entry(self._entry(data, record.blobs))
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
            case other:
                raise DocumentError("journal", "a known record", repr(other)[:40], _HINT)

    def _entry(self, data: dict[str, Any], blobs: tuple[bytes, ...]) -> Entry:
        if "entry" in data:
            entry = entry_from_record(data["entry"], list(blobs))
            self._known[entry.id] = entry
            return entry
        return self._known[data["id"]]

    def _undo(self, entry: Entry) -> None:
        document = self._document
        newest = document.history.newest
        if newest is not None and newest.id == entry.id:
            document.undo_entry()
            return
        for op in reversed(entry.ops):  # it was done before the base, which has no history
            op.revert(document)
        document.inner.tell()

    def _redo(self, entry: Entry) -> None:
        document = self._document
        following = document.history.next_redo
        if following is not None and following.id == entry.id:
            document.redo_entry()
        else:
            document.apply_entry(entry)
