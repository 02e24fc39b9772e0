"""Values that are kept but not in use: raw at first, soon packed, and on disk once memory is dear.

A `Blob` is one array that never changes: a tile before or after a stroke, the pixels of a result. A `BlobStore` owns
the byte budget of a document. Handing an array over costs one copy; a thread of the store packs it a moment later and
moves the oldest blobs to a temporary file while the budget is exceeded. Reading a blob gives its values wherever they
lie.

The thread looks for work a few times a second instead of being woken, and waits while a stroke is being drawn: on a
busy machine, handing the interpreter's lock to and fro costs the pen more than all the packing.

A blob that nobody refers to any more frees its bytes by itself.

Elsewhere: the file in spill_file.py, packing in tiles.py.
"""

import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from app.document.spill_file import Place, SpillFile
from app.document.tiles import pack, unpack
from engine.bounds import memory_share

_log = logging.getLogger(__name__)

MEMORY_LIMIT_BYTES = 1 << 30
DISK_LIMIT_BYTES = 16 << 30
PACK_DELAY_S = 0.2
PATIENCE_BYTES = 256 << 20
"""Raw values that may wait to be packed while a stroke is drawn."""


def default_budget_bytes() -> int:
    """Memory that a document's history may take: 1 GiB, or an eighth of the machine's where that is less."""
    return min(MEMORY_LIMIT_BYTES, memory_share(8, least_bytes=0))


class Blob:
    """One array that never changes, raw, packed or on disk.

    Its form only ever moves forward, and a new form is there before the old one goes: any thread may read at any time.
    """

    __slots__ = ("__weakref__", "_packed", "_place", "_raw", "_store", "dtype", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype, store: "BlobStore | None" = None) -> None:
        self.shape = shape
        self.dtype = dtype
        self._raw: np.ndarray | None = None
        self._packed: bytes | None = None
        self._place: Place | None = None
        self._store = store

    @classmethod
    def of(cls, array: np.ndarray) -> "Blob":
        """A blob of its own, raw, that belongs to no store."""
        blob = cls(tuple(array.shape), array.dtype)
        blob._raw = _frozen_copy(array)
        return blob

    @classmethod
    def of_packed(cls, packed: bytes, shape: tuple[int, ...], dtype: np.dtype | type) -> "Blob":
        """A blob of its own from packed bytes, as read from a file; damage shows when it is loaded."""
        blob = cls(tuple(shape), np.dtype(dtype))
        blob._packed = packed
        return blob

    def __del__(self) -> None:
        store = getattr(self, "_store", None)
        if store is not None:
            store.forget(self.memory_bytes, self._place)

    @property
    def memory_bytes(self) -> int:
        """Memory its values take now."""
        raw, packed = self._raw, self._packed
        if raw is not None:
            return int(raw.nbytes)
        return len(packed) if packed is not None else 0

    @property
    def is_packed(self) -> bool:
        """Whether loading it makes a new array."""
        return self._raw is None

    @property
    def is_on_disk(self) -> bool:
        """Whether its values lie in the store's file alone."""
        return self._raw is None and self._packed is None

    @property
    def nbytes(self) -> int:
        """Bytes it takes in the form it has now, in memory or on disk."""
        place = self._place
        return self.memory_bytes or (place.nbytes if place is not None else 0)

    def load(self) -> np.ndarray:
        """Its values; not to be written to.

        Raises:
            ValueError: if packed bytes from a file are damaged.
            OSError: if the store's file cannot be read.
        """
        raw = self._raw
        return raw if raw is not None else unpack(self.packed(), self.shape, self.dtype)

    def packed(self) -> bytes:
        """Its values as `app.document.tiles.pack` gives them."""
        raw, packed = self._raw, self._packed
        if packed is not None:
            return packed
        if raw is not None:
            return pack(raw) if self._store is None else self._store.pack_once(self)
        assert self._store is not None, "a blob without a store has its values in memory"
        assert self._place is not None, "a form is there before the one before it goes"
        return self._store.read(self._place)

    # For the store alone ---------------------------------------------------------------------------------------------

    def pack_beside(self) -> bytes:
        """The packed bytes, kept beside the raw values."""
        if self._packed is None and self._raw is not None:
            self._packed = pack(self._raw)
        return self.packed()

    def drop_raw(self) -> int:
        """Go from raw to packed; gives the bytes of memory won."""
        if self._raw is None:
            return 0
        won = int(self._raw.nbytes) - len(self.pack_beside())
        self._raw = None
        return won

    def leave_memory(self, place: Place) -> int:
        """Go from packed to a place on disk; gives the bytes of memory won."""
        before = self.memory_bytes
        self._place = place
        self._packed = self._raw = None
        return before


class BlobStore:
    """Packs what it is given, and keeps memory under a budget by moving the oldest to disk.

    Args:
        budget_bytes: memory for all blobs together; a machine's default where None.
        disk_bytes: most that goes to the file.
        folder: where the file lies; among the program's own where None, since the system's folder for temporary
            files is often memory.
    """

    def __init__(
        self,
        *,
        budget_bytes: int | None = None,
        disk_bytes: int = DISK_LIMIT_BYTES,
        folder: Path | None = None,
    ) -> None:
        self.budget_bytes = default_budget_bytes() if budget_bytes is None else budget_bytes
        self._memory_bytes = 0
        self.is_stroke_under_way = False
        """Set by the document: packing waits then, unless too much is waiting."""
        self._lock = threading.Lock()
        self._form_lock = threading.Lock()  # held by whoever packs or spills, one blob at a time
        self._idle = threading.Condition(self._lock)
        self._hurry = threading.Event()
        self._queue: deque[tuple[Blob, int]] = deque()  # each with what it counted when it came
        self._queued_bytes = 0
        self._is_working = False
        self._is_short = False  # of memory to pack in; said once
        self._oldest: deque[weakref.ref[Blob]] = deque()  # packed ones, in the order they came
        self._gone: deque[tuple[int, Place | None]] = deque()  # of blobs that went; booked under the lock
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._file = SpillFile(disk_bytes, folder)

    @property
    def memory_bytes(self) -> int:
        """Memory that all blobs take now."""
        with self._lock:
            self._book_the_gone()
            return self._memory_bytes

    @property
    def disk_bytes(self) -> int:
        """Bytes in the file that blobs still refer to."""
        with self._lock:
            self._book_the_gone()
            return self._file.used_bytes

    @property
    def is_full(self) -> bool:
        """Whether the budget is exceeded and the disk takes no more: someone must let go of old blobs."""
        return self._file.is_refusing and self.memory_bytes > self.budget_bytes

    def hold(self, array: np.ndarray, *, is_copied: bool = True) -> Blob:
        """Keep an array, raw; `pack_soon` says when it may be packed.

        Args:
            array: what to keep.
            is_copied: False where nobody will ever write to it.
        """
        blob = Blob(tuple(array.shape), array.dtype, self)
        blob._raw = _frozen_copy(array) if is_copied else array
        with self._lock:
            self._memory_bytes += blob.memory_bytes
        return blob

    def adopt(self, blob: Blob) -> None:
        """Count a blob that was made without a store, and have it packed."""
        if blob._store is not None:
            return
        with self._lock:
            blob._store = self
            self._memory_bytes += blob.memory_bytes
        self.pack_soon([blob])

    def pack_soon(self, blobs: Iterable[Blob]) -> None:
        """Have blobs packed on the store's thread, and the oldest moved to disk if memory is short."""
        with self._lock:
            self._book_the_gone()
            if self._is_closed:
                return
            for blob in blobs:
                self._queue.append((blob, blob.memory_bytes))
                self._queued_bytes += blob.memory_bytes
            if self._thread is None:
                self._thread = threading.Thread(
                    target=_work, args=(weakref.ref(self), self._hurry), name="document blobs", daemon=True
                )
                self._thread.start()

    def pack_once(self, blob: Blob) -> bytes:
        """Packed bytes of a raw blob; the store's thread then has no more to do than to let go of the raw ones."""
        with self._form_lock:
            return blob.pack_beside()

    def settle(self, timeout_s: float = 10.0) -> bool:
        """Wait until all is packed and spilled; False if that takes longer. For tests and measurements."""
        deadline = time.monotonic() + timeout_s
        with self._idle:
            while self._thread is not None and (self._is_working or self._has_work()):
                self._hurry.set()
                if not self._idle.wait(max(deadline - time.monotonic(), 0)):
                    return False
        return True

    def close(self) -> None:
        """Stop packing. Blobs stay readable; the file goes with the last of them."""
        with self._lock:
            self._is_closed = True
            self._queue.clear()
            self._queued_bytes = 0
            thread = self._thread
        self._hurry.set()
        if thread is not None:
            thread.join()

    def read(self, place: Place) -> bytes:
        """Packed bytes from the file."""
        return self._file.read(place)

    def forget(self, memory_bytes: int, place: Place | None) -> None:
        """A blob went. Called while the interpreter frees it, on any thread, so nothing is locked here."""
        self._gone.append((memory_bytes, place))

    # The thread ------------------------------------------------------------------------------------------------------

    def work(self, *, is_hurried: bool) -> bool:
        """Pack and spill all there is to do; False if the store is closed. On the store's thread."""
        while True:
            with self._lock:
                self._book_the_gone()
                is_waiting = self.is_stroke_under_way and self._queued_bytes < PATIENCE_BYTES
                if self._is_closed or (is_waiting and not is_hurried) or not self._has_work():
                    self._is_working = False
                    self._idle.notify_all()
                    return not self._is_closed
                self._is_working = True
                queued_bytes = 0
                is_new = bool(self._queue)
                if is_new:
                    blob, queued_bytes = self._queue.popleft()
                    self._queued_bytes -= queued_bytes
                else:
                    blob = self._oldest.popleft()()
            try:
                if blob is not None and is_new:
                    self._pack(blob)
                elif blob is not None:
                    self._spill(blob)
            except MemoryError:  # of all places here; what is raw stays raw until there is room
                if not self._is_short:
                    _log.warning("there is no memory to pack the undo history in")
                self._is_short = True
                with self._lock:
                    if blob is not None and is_new:
                        self._queue.appendleft((blob, queued_bytes))
                        self._queued_bytes += queued_bytes
                    elif blob is not None:
                        self._oldest.appendleft(weakref.ref(blob))
                    self._is_working = False
                    self._idle.notify_all()
                return True
            self._is_short = False
            del blob  # or this frame would keep the last one alive

    def _has_work(self) -> bool:
        """Whether anything is to be packed or spilled; the lock is held."""
        self._book_the_gone()
        is_over = self._memory_bytes > self.budget_bytes and bool(self._oldest)
        return bool(self._queue) or (is_over and not self._file.is_refusing)

    def _pack(self, blob: Blob) -> None:
        with self._form_lock:
            won = blob.drop_raw()
        with self._lock:
            self._memory_bytes -= won
            self._oldest.append(weakref.ref(blob))

    def _spill(self, blob: Blob) -> None:
        if blob.is_on_disk:
            return
        place = self._file.write(blob.packed())
        with self._form_lock:
            won = 0 if place is None else blob.leave_memory(place)
        with self._lock:
            self._memory_bytes -= won
            if place is None:
                self._oldest.appendleft(weakref.ref(blob))

    def _book_the_gone(self) -> None:
        """Count what blobs that went have freed; the lock is held."""
        while self._gone:
            memory_bytes, place = self._gone.popleft()
            self._memory_bytes -= memory_bytes
            if place is not None:
                self._file.free(place)


def _work(store_ref: "weakref.ref[BlobStore]", hurry: threading.Event) -> None:
    """The store's thread: looks for work now and then, and ends with its store."""
    while True:
        is_hurried = hurry.wait(PACK_DELAY_S)
        hurry.clear()
        store = store_ref()
        if store is None or not store.work(is_hurried=is_hurried):
            return
        del store


def _frozen_copy(array: np.ndarray) -> np.ndarray:
    copied = np.array(array, order="C", copy=True)
    copied.setflags(write=False)
    return copied
