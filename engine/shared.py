"""Bytes that two processes see at once: how pixels cross to the engine's process without being pickled.

A segment is made by one process and taken up by another at the end of a connection. Two kinds:

* ``memfd``, where the system has it (Linux): memory without a name, which goes with the last process that holds it.
  Nothing can be left behind in ``/dev/shm``, whoever is killed; nor does that folder's size limit it, which is 64 MiB
  in many containers.
* ``named``, elsewhere: `multiprocessing.shared_memory`. Only the parent makes and removes these, so that a child that
  dies leaves none; for a parent that dies, Python's resource tracker removes them.

Memory is claimed when a segment is made. A machine that has none left says so there, as `MemoryError`, not later by a
bus error in the middle of a copy.
"""

import errno
import math
import mmap
import os
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from typing import Any, Literal

import numpy as np

from engine.python_process import starting_safely

Kind = Literal["memfd", "named"]

BEST_KIND: Kind = "memfd" if hasattr(os, "memfd_create") else "named"
ALIGNED_BYTES = 64
"""Arrays in a segment begin at multiples of this: a cache line."""


@dataclass(frozen=True)
class Address:
    """Where a segment is, told before the segment itself is handed over."""

    kind: Kind
    nbytes: int
    name: str = ""
    """Of a ``named`` one; a ``memfd`` follows as a file descriptor."""


@dataclass(frozen=True)
class Layout:
    """How one array lies in a segment."""

    shape: tuple[int, ...]
    dtype: str
    """As `numpy.dtype.str` says it."""
    offset: int = 0

    @classmethod
    def of(cls, array: np.ndarray, offset: int = 0) -> "Layout":
        """The layout an array has when it is copied to ``offset``."""
        return cls(tuple(array.shape), array.dtype.str, offset)

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return int(np.dtype(self.dtype).itemsize * np.prod(self.shape, dtype=np.int64))

    @property
    def next_offset(self) -> int:
        """Where the next array may begin."""
        end = self.offset + self.nbytes
        return -(-end // ALIGNED_BYTES) * ALIGNED_BYTES


class Segment:
    """Memory that two processes see. Made by `create`, handed over by `send`, taken up by `receive`."""

    def __init__(self, address: Address, memory: mmap.mmap | SharedMemory, *, is_owner: bool) -> None:
        self.address = address
        self._memory: mmap.mmap | SharedMemory | None = memory
        self._is_owner = is_owner
        self._descriptor = -1

    @classmethod
    def create(cls, nbytes: int, kind: Kind = BEST_KIND) -> "Segment":
        """Claim memory, all of it zero.

        Raises:
            MemoryError: if the machine has not as much.
        """
        nbytes = max(nbytes, 1)
        try:
            if kind == "named":
                tracker_handles(kind)
                memory = SharedMemory(create=True, size=nbytes)
                segment = cls(Address(kind, nbytes, memory.name), memory, is_owner=True)
                _claim(getattr(memory, "_fd", -1), nbytes, segment)
                return segment
            descriptor = os.memfd_create("pentimento", os.MFD_CLOEXEC)
            try:
                os.ftruncate(descriptor, nbytes)
                _claim(descriptor, nbytes, None)
                segment = cls(Address(kind, nbytes), mmap.mmap(descriptor, nbytes), is_owner=True)
            except BaseException:
                os.close(descriptor)
                raise
            segment._descriptor = descriptor
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.ENOMEM):
                raise MemoryError(f"{nbytes} bytes to share with the engine") from error
            raise
        return segment

    def send(self, connection: Connection) -> None:
        """Hand the segment over; the address has been told in a message just before."""
        if self.address.kind == "memfd":
            from multiprocessing.reduction import send_handle

            send_handle(connection, self._descriptor, 0)

    @classmethod
    def receive(cls, connection: Connection, address: Address) -> "Segment":
        """Take up the segment whose address was just told; the counterpart of `send`."""
        if address.kind == "named":
            return cls(address, SharedMemory(address.name), is_owner=False)
        from multiprocessing.reduction import recv_handle

        descriptor = recv_handle(connection)
        try:
            segment = cls(address, mmap.mmap(descriptor, address.nbytes), is_owner=False)
        except BaseException:
            os.close(descriptor)
            raise
        segment._descriptor = descriptor
        return segment

    def view(self, layout: Layout) -> np.ndarray:
        """The array that lies there; not a copy. It keeps the memory after `close`, until it is dropped itself."""
        memory: Any = self._memory
        if memory is None:
            raise ValueError("the segment is closed")
        return _array_in(memory.buf if isinstance(memory, SharedMemory) else memory, layout)

    def private_copy(self, layout: Layout) -> np.ndarray:
        """A copy of the array that lies there, to be written to; made page by page where it is written, if that can be.

        Who made the segment must not write to it any more.

        Raises:
            MemoryError: if the machine has not as much.
        """
        if self._descriptor < 0:
            return self.view(layout).copy()
        try:
            memory = mmap.mmap(self._descriptor, self.address.nbytes, flags=mmap.MAP_PRIVATE)
        except OSError as error:
            if error.errno == errno.ENOMEM:
                raise MemoryError(f"{self.address.nbytes} bytes for a copy") from error
            raise
        return _array_in(memory, layout)

    def close(self) -> None:
        """Let go of the memory; a named segment is removed by who made it. Closing twice does nothing."""
        memory, self._memory = self._memory, None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        if memory is None:
            return
        if isinstance(memory, SharedMemory) and self._is_owner:
            with suppress(FileNotFoundError):
                memory.unlink()
        with suppress(BufferError):  # an array is still looked at; the memory goes when that goes
            memory.close()


def tracker_handles(kind: Kind) -> tuple[int, ...]:
    """The pipe of Python's resource tracker, which removes named segments; it is started if need be.

    A child that takes up named segments inherits it and calls `share_tracker`: with a tracker of its own, its end would
    take the segments from its parent.

    Returns:
        Its descriptor; nothing where memory of this kind needs no tracker.
    """
    if kind == "memfd" or os.name != "posix":
        return ()
    from multiprocessing import resource_tracker

    with starting_safely():
        handle = resource_tracker.getfd()
    assert handle is not None, "it runs now"
    return (handle,)


def share_tracker(handles: tuple[int, ...]) -> None:
    """In a child: use the resource tracker of the parent, as a child of `multiprocessing` does."""
    from multiprocessing import resource_tracker

    for handle in handles:
        resource_tracker._resource_tracker._fd = handle  # type: ignore[attr-defined]


def _array_in(memory: Any, layout: Layout) -> np.ndarray:
    count = math.prod(layout.shape)
    if not count:
        return np.empty(layout.shape, layout.dtype)
    # Not np.ndarray(buffer=...): that one does not hold on to the memory, and reads on when it is gone.
    return np.frombuffer(memory, layout.dtype, count, layout.offset).reshape(layout.shape)


def _claim(descriptor: int, nbytes: int, made: Segment | None) -> None:
    """Have the system put memory behind a segment now, where it offers that."""
    if descriptor < 0 or not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(descriptor, 0, nbytes)
    except OSError:
        if made is not None:
            made.close()
        raise
