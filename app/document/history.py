"""What can be undone and redone: entries of operations, oldest first.

An entry is what one transaction did, and never changes. What belongs to the entry before it is a continuation: the live
fill of a stroke, the next stop of a slider. One undo takes back an entry together with its continuations. The byte
budget is kept by the blob store that the operations' values lie in; only when even the disk is full are the oldest
entries given up.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.document.blobs import BlobStore
from app.document.op import Op
from app.document.ops import op_from_record
from app.document.strokes import new_id
from app.errors import DocumentError

MERGE_SECONDS = 2.0
"""Changes of one slider that follow each other within this time are one step."""


@dataclass(frozen=True, eq=False)
class Entry:
    """What one transaction did."""

    label: str
    """For the history panel: ``Brush``, ``Fill``."""
    ops: tuple[Op, ...]
    """In the order they were done."""
    merge_key: str = ""
    """Entries with the same key follow each other as one step; empty = never."""
    is_continuation: bool = False
    """Whether one undo takes it back together with the entry before it."""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    """ISO 8601, UTC."""
    id: str = field(default_factory=new_id)

    @property
    def nbytes(self) -> int:
        """Bytes it keeps, in memory or on disk; less once all of it is packed, and then known for good."""
        known: int | None = self.__dict__.get("_packed_bytes")
        if known is not None:
            return known
        is_final = all(blob.is_packed for op in self.ops for blob in getattr(op, "blobs", ()))
        nbytes = sum(op.nbytes for op in self.ops)
        if is_final:
            self.__dict__["_packed_bytes"] = nbytes
        return nbytes

    def to_record(self) -> tuple[dict[str, Any], list[bytes]]:
        """Plain data for JSON, and packed bytes; may be called on any thread."""
        ops: list[dict[str, Any]] = []
        packed: list[bytes] = []
        for op in self.ops:
            record, parts = op.to_record()
            ops.append({**record, "parts": len(parts)})
            packed.extend(parts)
        record = {
            "id": self.id,
            "label": self.label,
            "merge_key": self.merge_key,
            "is_continuation": self.is_continuation,
            "created": self.created,
            "ops": ops,
        }
        return record, packed


def entry_from_record(record: dict[str, Any], packed: list[bytes]) -> Entry:
    """Read an entry back from what its ``to_record`` gave.

    Raises:
        DocumentError: if it is damaged.
    """
    ops: list[Op] = []
    at = 0
    try:
        for data in record["ops"]:
            count = int(data["parts"])
            ops.append(op_from_record(data, packed[at : at + count]))
            at += count
        words = {key: str(record[key]) for key in ("label", "merge_key", "created", "id")}
        return Entry(ops=tuple(ops), is_continuation=bool(record["is_continuation"]), **words)
    except (KeyError, TypeError, ValueError) as error:
        raise DocumentError(
            "history entry", "a whole entry", repr(error)[:80], "the record is damaged"
        ) from error


@dataclass(frozen=True)
class HistoryStep:
    """An entry and its continuations, as a history panel shows them."""

    label: str
    created: str
    nbytes: int
    is_done: bool
    """False for what was undone and can be redone."""


class History:
    """The entries of a document. Changed by the document alone."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self._done: list[Entry] = []
        self._undone: list[Entry] = []  # the next to redo is the last
        self._base_id = "start"
        self._pushed_s = -MERGE_SECONDS

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries, oldest first; from ``position`` on they are undone."""
        return (*self._done, *reversed(self._undone))

    @property
    def position(self) -> int:
        """How many entries are done."""
        return len(self._done)

    @property
    def head_id(self) -> str:
        """Id of the newest entry that is done; tells one state of the document from another."""
        return self._done[-1].id if self._done else self._base_id

    @property
    def newest(self) -> Entry | None:
        """The newest entry that is done."""
        return self._done[-1] if self._done else None

    @property
    def next_redo(self) -> Entry | None:
        """The entry that is redone next."""
        return self._undone[-1] if self._undone else None

    @property
    def undo_label(self) -> str:
        """What an undo takes back; empty if there is nothing."""
        for entry in reversed(self._done):
            if not entry.is_continuation:
                return entry.label
        return self._done[0].label if self._done else ""

    @property
    def redo_label(self) -> str:
        """What a redo does again; empty if there is nothing."""
        return self._undone[-1].label if self._undone else ""

    @property
    def nbytes(self) -> int:
        """Bytes kept for entries and for results that are not shown, in memory and on disk."""
        return self._store.memory_bytes + self._store.disk_bytes

    def steps(self) -> tuple[HistoryStep, ...]:
        """Entries with their continuations, oldest first."""
        groups: list[list[Entry]] = []
        for entry in self.entries:
            if entry.is_continuation and groups:
                groups[-1].append(entry)
            else:
                groups.append([entry])
        is_done = {entry.id for entry in self._done}
        return tuple(
            HistoryStep(
                group[0].label, group[0].created, sum(e.nbytes for e in group), group[0].id in is_done
            )
            for group in groups
        )

    # For the document alone ------------------------------------------------------------------------------------------

    def is_merging(self, merge_key: str, saved_head_id: str) -> bool:
        """Whether a change with this key, made now, belongs to the newest entry."""
        newest = self.newest
        return (
            bool(merge_key)
            and newest is not None
            and newest.merge_key == merge_key
            and not self._undone
            and newest.id != saved_head_id
            and time.monotonic() - self._pushed_s < MERGE_SECONDS
        )

    def push(self, entry: Entry, *, is_redo_kept: bool = False) -> None:
        """Add an entry as the newest; what was undone goes, unless it is to be kept."""
        if not is_redo_kept:
            self._undone.clear()
        self._done.append(entry)
        self._pushed_s = time.monotonic()
        while self._store.is_full and len(self._done) > 1:
            self._drop_oldest()

    def pop_done(self) -> Entry:
        """Move the newest entry to the undone ones."""
        entry = self._done.pop()
        self._undone.append(entry)
        self._pushed_s = -MERGE_SECONDS
        return entry

    def pop_undone(self) -> Entry:
        """Move the entry undone last back to the done ones."""
        entry = self._undone.pop()
        self._done.append(entry)
        self._pushed_s = -MERGE_SECONDS
        return entry

    def push_undone(self, entry: Entry) -> None:
        """Add an entry that was done before this history began and is taken back, as the one to redo next."""
        self._undone.append(entry)
        self._base_id = f"before {entry.id}"

    def clear(self) -> None:
        """Forget all entries."""
        self._base_id = self.head_id
        self._done.clear()
        self._undone.clear()

    def _drop_oldest(self) -> None:
        """Give up the oldest entry; what continued it starts a step of its own no more and goes with it."""
        self._base_id = self._done.pop(0).id
        while len(self._done) > 1 and self._done[0].is_continuation:
            self._base_id = self._done.pop(0).id
