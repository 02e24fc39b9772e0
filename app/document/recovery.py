"""Bring back what a crash left behind, and see that no two windows fight over it.

Every open document has a folder below the state folder, locked as long as its window lives. A folder nobody holds and
that has unsaved work is work to offer. So is one that is damaged, whatever can still be read of it: it stays until a
person discards it, also when what was before the damage was recovered from it.

Elsewhere: what writes the folders in journal.py, reading them in journal_reader.py and playback.py, the lock in
folder_lock.py.
"""

import contextlib
import logging
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.document.document import Document
from app.document.folder_lock import LOCK_KIND, FolderLock
from app.document.journal import Journal
from app.document.journal_reader import Damage, JournalReader, Story, moment
from app.document.journal_records import KINDS, NAMED_KINDS, Followed, generations
from app.document.playback import play
from app.errors import DocumentError
from app.folders import state_folder
from engine.private import files_of, is_folder, private_folder

_log = logging.getLogger(__name__)

_FOLDER = "journals"
_NAME_LIMIT = 50  # folders of one document: windows that have it open, and crashes nobody looked at
_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Recoverable:
    """Work that a crash left behind."""

    name: str
    """Of the document."""
    when: datetime | None
    """Of the last step, in UTC; None where nothing tells."""
    path: Path | None
    """The document's own file; None where it was never saved."""
    steps: int
    """How many steps its history will show."""
    folder: Path
    """Where its journal lies."""
    results: int = 0
    """Results that came since the journal began."""
    has_earlier: bool = False
    """Whether there were steps before these, which come back but cannot be undone."""
    thumbnail: bytes | None = None
    """The picture as the journal began, as PNG."""
    damage: frozenset[Damage] = frozenset()
    """Why not all of it comes back; empty where nothing was found."""


@dataclass(frozen=True)
class Report:
    """How much of a journal came back."""

    steps: int
    """How many steps the history shows."""
    has_earlier: bool
    """Whether there were steps before these, which came back but cannot be undone."""
    damage: frozenset[Damage]
    """Why not all came back; empty where all did."""
    notes: tuple[str, ...]
    """What else of the document could not be kept, as sentences for a person."""


@dataclass(frozen=True)
class _Claim:
    """A folder whose document was recovered and waits for its new journal."""

    lock: FolderLock
    follows: Followed | None


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
    """Work nobody has open, newest first. Journals that are whole and without unsaved work are removed on the way.

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
            found.append(_unreadable(folder))
            continue
        if lock is None:
            continue
        try:
            item = _looked_at(folder)
        except Exception:  # noqa: BLE001 (whatever is wrong with one, the others are offered)
            _log.exception("%s cannot be looked at", folder)
            item = _unreadable(folder)
        if item is None:
            lock.remove(KINDS)
        else:
            lock.release()
            found.append(item)
    return sorted(found, key=lambda item: item.when or _LONG_AGO, reverse=True)


def recover(item: Recoverable, *, on_report: Callable[[Report], None] | None = None) -> Document:
    """Play a journal back. Its files stay where they are: a whole journal goes on, a damaged one is kept.

    May be called on any thread. `journal_for` goes on in the same folder, or in a new one where this one is damaged.

    Args:
        item: what `recoverable` gave.
        on_report: told, on this thread, what did not come back.

    Returns:
        The document, unsaved, with the history of its steps.

    Raises:
        DocumentError: if another window has it, or its start cannot be read.
    """
    lock = hold(item)
    try:
        played = play(item.folder)
    except BaseException:
        lock.release()
        raise
    document, story = played.document, played.story
    if played.damage:
        lock.release()
    else:
        with _claims_lock:
            _claims[document.opening_id] = _Claim(lock, played.place)
    if on_report is not None:
        on_report(Report(story.steps, story.has_earlier, played.damage, played.notes))
    return document


def let_go(item: Recoverable) -> None:
    """Give back what `recover` took and no window took up, since it was closed meanwhile."""
    with _claims_lock:
        for opening_id, claim in tuple(_claims.items()):
            if claim.lock.folder == item.folder:
                del _claims[opening_id]
                claim.lock.release()


def hold(item: Recoverable) -> FolderLock:
    """Keep work from every other window, until the lock is let go of.

    Raises:
        DocumentError: if another window has it, or its folder cannot be written to.
    """
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


def discard(item: Recoverable, *, held: FolderLock | None = None) -> None:
    """Delete work that is not wanted back.

    Args:
        item: what `recoverable` gave.
        held: what `hold` gave; it is let go of.

    Raises:
        DocumentError: if another window has it.
    """
    (held or hold(item)).remove(NAMED_KINDS)


def _unreadable(folder: Path) -> Recoverable:
    """Work of which nothing can be told."""
    return Recoverable("Untitled", _when_written(folder), None, 0, folder, damage=frozenset({Damage.FOLDER}))


def _is_journal(folder: Path) -> bool:
    """Whether a folder is one of ours: it holds files of a journal, or the lock of one that is empty."""
    return is_folder(folder) and bool(generations(folder) or files_of(folder, [LOCK_KIND]))


def _looked_at(folder: Path) -> Recoverable | None:
    """What a folder nobody holds has to offer; None if nothing was done that a file of the user's does not hold."""
    reader, story = JournalReader(folder), Story()
    start, thumbnail = reader.readable_start()
    known = generations(folder)
    if not known:
        return None
    for _, record in reader.records(known[0] if start is None else start):
        story.take(record.data)
    damage = set(reader.damage)
    if start is None and (damage or story.is_unsaved):
        damage.add(Damage.START)
    if not damage and not story.is_unsaved:
        return None
    return Recoverable(
        name=story.name,
        when=story.when or _when_written(folder),
        path=story.path,
        steps=story.steps,
        folder=folder,
        results=len(story.result_ids),
        has_earlier=story.has_earlier,
        thumbnail=thumbnail,
        damage=frozenset(damage),
    )


def _when_written(folder: Path) -> datetime | None:
    """When any file of a journal was last written to."""
    with contextlib.suppress(OSError):
        names = files_of(folder, NAMED_KINDS)
        return moment(max(((folder / name).lstat().st_mtime for name in names), default=0.0))
    return None
