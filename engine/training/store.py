"""Hold decoded pictures in memory that all loader processes share.

A picture is decoded when it is first asked for, by whichever process needs it, resized once to its working size and
laid into one block of anonymous shared memory; from then on every process reads it from there. When the block is
full, the rest is decoded again each time. What cannot be decoded is marked broken, once, for all.

A picture may have one plane of bits beside its pixels (its edges), worked out once and kept packed, eight to a byte.

The block is shared by forking: make the store before the loader's processes start.
"""

import errno
import io
import mmap
import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import PictureError
from engine.python_process import starting_safely
from engine.training.sources import PictureFile

Pixels = NDArray[np.uint8]

_UNSEEN, _WRITING, _READY, _BROKEN, _HOMELESS = range(5)
_USED, _GONE = range(2)
_GONE_ERRNOS = frozenset(
    [errno.ENOENT, errno.ENOTDIR, errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENXIO, errno.ENOTCONN]
)
_STATE, _OFFSET, _HEIGHT, _WIDTH, _CHANNELS, _HAS_BITS, _COLUMNS = range(7)


@dataclass(frozen=True)
class StoredPicture:
    """A decoded picture at its working size."""

    pixels: Pixels
    """(H, W, C) uint8; C is 0 where only the bits matter."""

    packed: Pixels | None
    """(H, ceil(W / 8)) uint8, the plane of bits, or None."""

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def bits(self, rows: slice, columns: slice) -> Pixels:
        """A piece of the plane of bits, (h, w) uint8 of 0 and 1; rows and columns have plain starts and stops."""
        assert self.packed is not None, "this store works out a plane of bits"
        first = columns.start // 8
        bits = np.unpackbits(self.packed[rows, first : (columns.stop + 7) // 8], axis=1)
        return bits[:, columns.start - 8 * first : columns.stop - 8 * first]


Decode = Callable[[io.BytesIO], StoredPicture]
"""Encoded bytes to a picture at its working size; raises PictureError for what is no picture."""


class PictureStore:
    """Pictures by number, decoded at most once while there is room.

    Args:
        files: what can be asked for.
        decode: how bytes become a picture; a plain function of them.
        budget_bytes: room for decoded pictures, shared by all processes; 0 decodes every time.
    """

    def __init__(self, files: Sequence[PictureFile], decode: Decode, budget_bytes: int) -> None:
        self.files = files
        self._decode = decode
        self._table = np.frombuffer(mmap.mmap(-1, max(1, len(files)) * _COLUMNS * 8), np.int64)
        self._table = self._table[: len(files) * _COLUMNS].reshape(len(files), _COLUMNS)
        self._block = np.frombuffer(mmap.mmap(-1, max(1, budget_bytes)), np.uint8)
        self._counts = np.frombuffer(mmap.mmap(-1, 16), np.int64)
        self._budget_bytes = budget_bytes
        with (
            starting_safely()
        ):  # where processes are not forked by default, a lock starts the resource tracker
            self._lock = multiprocessing.Lock()

    def __len__(self) -> int:
        return len(self.files)

    @property
    def held_bytes(self) -> int:
        """Bytes of decoded pictures in the shared block."""
        return int(self._counts[_USED])

    @property
    def gone(self) -> int:
        """How many files that were listed are not there any more, as far as anybody has asked for them."""
        return int(self._counts[_GONE])

    def get(self, index: int) -> StoredPicture | None:
        """The picture of that number, or None if its file is broken."""
        with self._lock:
            row = self._table[index].copy()
        if row[_STATE] == _READY:
            return self._read(row)
        if row[_STATE] == _BROKEN:
            return None
        try:
            picture = self._decode(io.BytesIO(self.files[index].read()))
        except (PictureError, OSError) as error:
            with self._lock:
                is_gone = isinstance(error, OSError) and error.errno in _GONE_ERRNOS
                self._counts[_GONE] += is_gone and self._table[index, _STATE] != _BROKEN
                self._table[index, _STATE] = _BROKEN
            return None
        if row[_STATE] == _UNSEEN:
            self._keep(index, picture)
        return picture

    def broken(self) -> list[int]:
        """Numbers of the files found broken so far, by any process."""
        return [int(index) for index in np.flatnonzero(self._table[:, _STATE] == _BROKEN)]

    def usable_from(self, index: int) -> StoredPicture | None:
        """The picture of that number or, where that is broken, the next one that is not; None if all are broken."""
        for step in range(len(self.files)):
            picture = self.get((index + step) % len(self.files))
            if picture is not None:
                return picture
        return None

    def why_broken(self, index: int) -> str:
        """What is wrong with a broken file, in a few words."""
        try:
            self._decode(io.BytesIO(self.files[index].read()))
        except PictureError as error:
            return f"expected {error.expected}, got {error.got}"
        except OSError as error:
            return str(error).lower()
        return "could not be read a moment ago"

    def _keep(self, index: int, picture: StoredPicture) -> None:
        packed = picture.packed
        size = picture.pixels.nbytes + (0 if packed is None else packed.nbytes)
        with self._lock:
            row = self._table[index]
            if row[_STATE] != _UNSEEN:
                return
            offset = int(self._counts[_USED])
            if offset + size > self._budget_bytes:
                row[_STATE] = _HOMELESS
                return
            self._counts[_USED] = offset + size
            row[:] = _WRITING, offset, *picture.pixels.shape, packed is not None
        middle = offset + picture.pixels.nbytes
        self._block[offset:middle] = picture.pixels.reshape(-1)
        if packed is not None:
            self._block[middle : offset + size] = packed.reshape(-1)
        with self._lock:  # the lock also makes the bytes visible before the state
            self._table[index, _STATE] = _READY

    def _read(self, row: NDArray[np.int64]) -> StoredPicture:
        offset, height, width, channels = (int(value) for value in row[_OFFSET:_HAS_BITS])
        middle = offset + height * width * channels
        pixels = self._block[offset:middle].reshape(height, width, channels)
        if not row[_HAS_BITS]:
            return StoredPicture(pixels, None)
        columns = (width + 7) // 8
        packed = self._block[middle : middle + height * columns].reshape(height, columns)
        return StoredPicture(pixels, packed)
