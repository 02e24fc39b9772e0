"""Autosave: everything that is done to a document, written down as it is done.

A journal is a folder. It holds the document as it was when the journal began (``base-0.ora``) and a log of what was done
since (``log-0``). Both are written by threads; the thread that draws only puts a reference into a queue. A document that
no file holds is written down at once, any other when it is first changed. When the log has grown long, a new generation
begins: ``log-1`` at once, ``base-1.ora`` behind it, and only when that is whole do the files of generation 0 go. Whatever
moment the program dies at, a base and the logs from it on are there. A document that was recovered goes on in a log of
its own behind those it came from, so that its history reaches to their start also after a second crash.

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
"""Logs longer than this, and than twice their base, give way to a new base."""


class Journal:
    """Follows a document from now on. Made, and closed, on the thread that changes the document.

    Args:
        document: observed until the journal is closed.
        folder: where the journal lies.
        lock: of the folder, held already; taken here when left out.
        follows: where in the folder's older log the document stands, if it was recovered from there.
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
        self._is_begun = False
        self._snapshot = Snapshot(document) if follows is None else None
        self._is_unsaved = document.is_modified
        self._base = folder / base_name(self._generation)
        self._followed_bytes = 0
        remove_files(folder, [PART_KIND])  # of a base that was being written when its program died
        if follows is None and self._is_unsaved:
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
                if self._snapshot is None:  # else there is nothing yet that could be lost
                    self._put(Save(path, self._document.is_modified))
            case HistoryChanged():
                if self._is_base_wanted.is_set() and time.monotonic() >= self._retry_s:
                    self._begin_again()

    def _put(self, item: Item) -> None:
        self._begin_if_new()
        self._queue.put(item)

    def _begin_if_new(self) -> None:
        if not self._is_begun:
            self._begin()

    def _begin(self) -> None:
        """Begin a generation with the snapshot that is held, or where an older log ended."""
        document = self._document
        self._queue.put(
            Begin(
                self._generation,
                self._snapshot,
                document.id,
                document.name,
                document.path,
                self._follows,
                self._is_unsaved,
                bool(self._done_ids),
            )
        )
        self._snapshot = self._follows = None
        self._is_begun = True
        self._generation += 1

    def _begin_again(self) -> None:
        """Begin a new generation, where all that was done has been told: else a step would count twice."""
        history = self._document.history
        told = self._done_ids[-1] if self._done_ids else None
        newest = history.newest.id if history.newest is not None else None
        if told != newest or (self._base_thread is not None and self._base_thread.is_alive()):
            return
        self._is_base_wanted.clear()
        self._snapshot, self._is_unsaved = Snapshot(self._document), self._document.is_modified
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
            if begin.snapshot is not None:
                begin.snapshot.close()
            raise
        self._note_start(begin)
        if begin.snapshot is None:
            return writer
        self._base_thread = threading.Thread(
            target=self._write_base, args=(begin.generation, begin.snapshot), name="journal base", daemon=True
        )
        self._base_thread.start()
        return writer

    def _write_base(self, generation: int, snapshot: Snapshot) -> None:
        try:
            with snapshot:
                write_ora(snapshot, self.folder / base_name(generation), is_copy=True)
            for older in generations(self.folder):
                if older < generation:
                    for name in (log_name(older), base_name(older)):
                        (self.folder / name).unlink(missing_ok=True)
            self._is_in_trouble.clear()
        except (OSError, AppError, ValueError, MemoryError) as error:
            self._tell(error)

    def _note_start(self, begin: Begin) -> None:
        """Note the base that a log stands on, and the length of the logs between them."""
        start = begin.generation
        if begin.snapshot is None:
            start = max(one for one in generations(self.folder) if (self.folder / base_name(one)).is_file())
        self._base = self.folder / base_name(start)
        logs = [self.folder / log_name(one) for one in range(start, begin.generation)]
        self._followed_bytes = sum(path.stat().st_size for path in logs if path.is_file())

    def _watch_length(self, writer: "GenerationWriter") -> None:
        nbytes = self._followed_bytes + writer.nbytes
        if nbytes < LONG_LOG_BYTES or self._is_base_wanted.is_set():
            return
        with contextlib.suppress(OSError):  # the base is not whole yet
            if nbytes > 2 * self._base.stat().st_size:
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
