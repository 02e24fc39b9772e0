"""Autosave: everything that is done to a document, written down as it is done.

A journal is a folder. It holds the document as it was when the journal began (``base-0.ora``) and a log of what was done
since (``log-0``). Both are written by threads; the thread that draws only puts a reference into a queue. When the log
has grown long, a new generation begins: ``log-1`` at once, ``base-1.ora`` behind it, and only when that is whole do the
files of generation 0 go. Whatever moment the program dies at, a base and the logs from it on are there.

What cannot be written (a full disk) is told once, and tried again with a new generation: work goes on meanwhile.

Elsewhere: what is written in journal_records.py, playing back and who owns which folder in recovery.py.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from app.document.document import Document
from app.document.events import (
    EntryCommitted,
    EntryRedone,
    EntryUndone,
    Event,
    HistoryChanged,
    LayerChanged,
    LayerListChanged,
    LearnedArrived,
    PixelsChanged,
    ResultArrived,
    ResultDropped,
    Saved,
)
from app.document.folder_lock import FolderLock
from app.document.history import Entry
from app.document.journal_records import (
    NAMED_KINDS,
    PART_KIND,
    Arrival,
    Begin,
    Drop,
    Flush,
    Followed,
    GenerationWriter,
    Item,
    LearnedArrival,
    Save,
    Undo,
    base_name,
    generations,
    log_name,
)
from app.document.ora_writer import write_ora
from app.document.snapshot import Snapshot
from app.errors import AppError
from engine.private import remove_files

_log = logging.getLogger(__name__)

SYNC_SECONDS = 1.0
"""What the machine's own death can cost at most; the program's death costs nothing that was told."""
RETRY_SECONDS = 10.0
LONG_LOG_BYTES = 128 << 20
"""A log longer than this, and than twice its base, gives way to a new base."""


class Journal:
    """Follows a document from now on. Made, and closed, on the thread that changes the document.

    Args:
        document: observed until the journal is closed.
        folder: where the journal lies.
        lock: of the folder, held already; taken here when left out.
        follows: where in the folder's older log the document stands, if it was recovered from there.
        steps: what of the document is in no file of the user's already.
        on_trouble: told, on a thread of the journal, when something could not be written; once until it works again.

    Raises:
        OSError: if the folder cannot be made, or is another's.
    """

    def __init__(
        self,
        document: Document,
        folder: Path,
        *,
        lock: FolderLock | None = None,
        follows: Followed | None = None,
        steps: int = 0,
        on_trouble: Callable[[Exception], None] | None = None,
    ) -> None:
        taken = lock or FolderLock.take(folder)
        if taken is None:
            raise OSError(f"{folder} belongs to another window")
        self.folder = folder
        self._lock = taken
        self._document = document
        self._on_trouble = on_trouble or (lambda _error: None)
        self._queue: queue.SimpleQueue[Item] = queue.SimpleQueue()
        # Started here and not with the first stroke: starting a thread waits for it to come up.
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self._base_thread: threading.Thread | None = None
        self._is_base_wanted = threading.Event()
        self._is_in_trouble = threading.Event()
        self._retry_s = 0.0
        self._is_closed = False
        self._done_ids = [entry.id for entry in document.history.entries[: document.history.position]]
        before = generations(folder)
        self._generation = max(before, default=-1) + 1
        self._follows = follows
        self._steps = steps
        self._snapshot: Snapshot | None = Snapshot(document)
        remove_files(folder, [PART_KIND])  # of a base that was being written when its program died
        if before:  # what was recovered from here is safe only once it is written anew
            self._begin()
        self._stop_observing = document.observe(self._notice)
        self._thread.start()

    def flush(self, timeout_s: float = 30.0) -> bool:
        """Wait until all that was done so far has reached the disk; False if that takes longer."""
        if self._is_closed:
            return True
        flush = Flush()
        self._queue.put(flush)
        deadline = time.monotonic() + timeout_s
        if not flush.is_done.wait(timeout_s):
            return False
        base = self._base_thread
        if base is not None:
            base.join(max(0.0, deadline - time.monotonic()))
        return base is None or not base.is_alive()

    def close(self, *, discard: bool = False) -> None:
        """Stop following; a second call does nothing.

        Args:
            discard: delete the journal: the work is saved, or was given up. Else it stays, and is offered again.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._stop_observing()
        if self._snapshot is not None:
            self._snapshot.close()
        self._queue.put(None)
        self._thread.join()
        base = self._base_thread
        if base is None or not base.is_alive():
            self._let_go(discard=discard)
        else:  # a large document is being written: nobody waits for that

            def finish() -> None:
                base.join()
                self._let_go(discard=discard)

            threading.Thread(target=finish, name="journal end").start()

    # On the thread of the document -----------------------------------------------------------------------------------

    def _notice(self, event: Event) -> None:
        match event:
            case PixelsChanged() | LayerChanged() | LayerListChanged():
                self._begin_if_new()  # a stroke has begun: the base is written while it is drawn
            case EntryCommitted(entry):
                self._put(entry)
                self._done_ids.append(entry.id)
            case EntryUndone(entry):
                self._put(Undo("undo", entry))
                if self._done_ids:
                    self._done_ids.pop()
            case EntryRedone(entry):
                self._put(Undo("redo", entry))
                self._done_ids.append(entry.id)
            case ResultArrived(result):
                self._put(Arrival(result, result.is_starred))
            case LearnedArrived(learned):
                self._put(LearnedArrival(learned))
            case ResultDropped(result_id):
                self._put(Drop(result_id))
            case Saved(path):
                self._steps = self._steps if self._document.is_modified else 0
                if self._snapshot is None:  # else there is nothing yet that could be lost
                    self._put(Save(path, self._document.is_modified))
            case HistoryChanged():
                if self._is_base_wanted.is_set() and time.monotonic() >= self._retry_s:
                    self._begin_again()

    def _put(self, item: Item) -> None:
        self._begin_if_new()
        self._steps += not isinstance(item, Save)
        self._queue.put(item)

    def _begin_if_new(self) -> None:
        if self._snapshot is not None:
            self._begin()

    def _begin(self) -> None:
        """Begin the generation of the snapshot that is held."""
        assert self._snapshot is not None, "a generation begins with a snapshot"
        name, path = self._document.name, self._document.path
        self._queue.put(Begin(self._generation, self._snapshot, name, path, self._follows, self._steps))
        self._snapshot = self._follows = None
        self._generation += 1

    def _begin_again(self) -> None:
        """Begin a new generation, where all that was done has been told: else a step would count twice."""
        history = self._document.history
        told = self._done_ids[-1] if self._done_ids else None
        newest = history.newest.id if history.newest is not None else None
        if told != newest or (self._base_thread is not None and self._base_thread.is_alive()):
            return
        self._is_base_wanted.clear()
        self._snapshot = Snapshot(self._document)
        self._begin()

    # On the journal's thread -----------------------------------------------------------------------------------------

    def _work(self) -> None:
        writer: GenerationWriter | None = None
        synced_s = time.monotonic()
        while True:
            timeout = (
                None
                if writer is None or writer.is_synced
                else max(0.0, synced_s + SYNC_SECONDS - time.monotonic())
            )
            item: Item | bool
            try:
                item = self._queue.get(timeout=timeout)
            except queue.Empty:
                item = True
            try:
                if isinstance(item, Begin):
                    writer = self._generation_writer(item, writer)
                elif writer is not None and isinstance(
                    item, Entry | Undo | Arrival | LearnedArrival | Drop | Save
                ):
                    writer.write(item)
                    self._watch_length(writer)
                is_due = item is None or isinstance(item, Arrival | LearnedArrival | Flush | Save)
                if writer is not None and (is_due or time.monotonic() - synced_s >= SYNC_SECONDS):
                    writer.sync()
                    synced_s = time.monotonic()
            except (OSError, AppError, ValueError, MemoryError) as error:
                self._give_up(writer, error)
                writer = None
            if isinstance(item, Flush):
                item.is_done.set()
            if item is None:
                if writer is not None:
                    writer.close()
                return

    def _generation_writer(self, begin: Begin, before: "GenerationWriter | None") -> "GenerationWriter":
        """Open the log of a generation, and have its base written."""
        if before is not None:
            before.sync()
            before.close()
        follows = begin.follows if before is None else Followed(before.generation, before.records)
        try:
            writer = GenerationWriter(self.folder, begin, follows)
        except BaseException:
            begin.snapshot.close()
            raise
        self._base_thread = threading.Thread(
            target=self._write_base, args=(begin,), name="journal base", daemon=True
        )
        self._base_thread.start()
        return writer

    def _write_base(self, begin: Begin) -> None:
        try:
            with begin.snapshot:
                write_ora(begin.snapshot, self.folder / base_name(begin.generation), is_copy=True)
            for generation in generations(self.folder):
                if generation < begin.generation:
                    for name in (log_name(generation), base_name(generation)):
                        (self.folder / name).unlink(missing_ok=True)
            self._is_in_trouble.clear()
        except (OSError, AppError, ValueError, MemoryError) as error:
            self._tell(error)

    def _watch_length(self, writer: "GenerationWriter") -> None:
        if writer.nbytes < LONG_LOG_BYTES or self._is_base_wanted.is_set():
            return
        with contextlib.suppress(OSError):
            base_bytes = (self.folder / base_name(writer.generation)).stat().st_size
            if writer.nbytes > 2 * base_bytes:
                self._is_base_wanted.set()

    def _give_up(self, writer: "GenerationWriter | None", error: Exception) -> None:
        """A record is missing from this generation, so nothing may follow it there."""
        if writer is not None:
            with contextlib.suppress(OSError):
                writer.close()
        self._tell(error)

    def _tell(self, error: Exception) -> None:
        self._retry_s = time.monotonic() + RETRY_SECONDS
        self._is_base_wanted.set()
        _log.warning("the journal in %s could not be written: %s", self.folder, error)
        if not self._is_in_trouble.is_set():
            self._is_in_trouble.set()
            self._on_trouble(error)

    def _let_go(self, *, discard: bool) -> None:
        if discard or not generations(self.folder):
            self._lock.remove(NAMED_KINDS)
        else:
            self._lock.release()
