"""What stays in memory between two edits, and how much room there is.

Two shelves with a limit each, the least recently used leaves first:

* loaded networks, a `Shelf` under `ResidentKey`. Switching to other weights and back costs nothing while both fit. New ones are loaded
  before old ones leave, so a switch that fails leaves everything as it was.
* `Codes`: answers of networks under the digest of what they were asked. That is how a newly drawn edge runs the fill
  alone: the edge network is asked the same thing again, and its answer is still there.

Free memory is read when asked, from the operating system or the GPU; nothing is probed on import.
"""

import ctypes
import functools
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar, cast

import numpy as np
import torch

GIB = 1 << 30
DEFAULT_BUDGET_BYTES = 2 * GIB
"""For resident networks, unless told otherwise: dozens of inpainting networks of the official size."""
DEFAULT_CODES_BYTES = 24 << 20
"""For answers kept: edges in holes of six million pixels. A hole is a third of its frame at most where the picture has
room, so that is 72 frames of 512x512 or more; a new edge needs those of the holes it is drawn on."""
UNKNOWN_FREE_BYTES = 4 * GIB
"""Taken as free where the system does not tell."""


class Sized(Protocol):
    """Anything that knows its size."""

    @property
    def nbytes(self) -> int:
        """Bytes it holds."""
        ...


T = TypeVar("T", bound=Sized)


@dataclass(frozen=True)
class ResidentKey:
    """What tells two resident networks apart."""

    family: str
    sha256: str
    """Digest of the weights file."""
    device: str
    quality: str


class Shelf(Generic[T]):
    """Things by key under a limit of bytes; the least recently used leave first.

    The thing put in last always stays, even where it alone is above the limit: it is in use.

    Args:
        limit_bytes: what all together may hold.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._things: OrderedDict[Hashable, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._things)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._things

    @property
    def nbytes(self) -> int:
        """Bytes held now."""
        return sum(thing.nbytes for thing in list(self._things.values()))  # another thread may be adding

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The thing under a key; made if it is not there, and then others leave until all fit.

        If ``make`` fails, its error goes through and the shelf is as before.
        """
        if key not in self._things:
            self._things[key] = make()
        self._things.move_to_end(key)
        while self.nbytes > self.limit_bytes and len(self._things) > 1:
            self._things.popitem(last=False)
        return self._things[key]

    def keep_only(self, key: Hashable) -> None:
        """Drop everything but one."""
        for other in [other for other in self._things if other != key]:
            del self._things[other]

    def clear(self) -> None:
        """Drop everything."""
        self._things.clear()


class Codes(Shelf[np.ndarray]):
    """Answers of networks, as arrays that nobody writes to, under what `digest_of` makes of the question."""

    def get(self, key: Hashable, make: Callable[[], np.ndarray]) -> np.ndarray:
        """As `Shelf.get`; the array is made read-only."""
        array = super().get(key, make)
        array.setflags(write=False)
        return array


def digest_of(*parts: str | np.ndarray) -> str:
    """Digest of texts and arrays, shapes and types included: equal only for equal content."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, str):
            digest.update(f"text {len(part)} {part};".encode())
        else:
            digest.update(f"array {part.dtype.str} {part.shape};".encode())
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()


def free_bytes(device: torch.device) -> int:
    """Memory that a job could get now on a device: what is free, and what torch holds without using it."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + unused)
    return min(_free_ram_bytes(Path("/proc/meminfo")), _free_group_bytes(Path("/sys/fs/cgroup")))


def _free_ram_bytes(meminfo: Path) -> int:
    """Linux tells; where it does not, something modest is assumed."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return UNKNOWN_FREE_BYTES
    for line in lines:
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return UNKNOWN_FREE_BYTES


def _free_group_bytes(group: Path) -> int:
    """What a container still allows; without bound where there is none or it cannot be read."""
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        # Files read lately are counted as used, but make room when asked.
        for line in (group / "memory.stat").read_text().splitlines():
            if line.startswith("inactive_file "):
                used -= int(line.split()[1])
        return 1 << 62 if limit == "max" else max(int(limit) - used, 0)
    except (OSError, ValueError):
        return 1 << 62


def release_unused(device: torch.device) -> None:
    """Hand cached, unused memory of torch back to the device, and that of the C library to the system."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    trim_heap()


def trim_heap() -> None:
    """Have the C library hand unused memory back to the system, where it is glibc; else nothing.

    It keeps what was freed between two blocks that are still in use. Jobs of ever other sizes leave such gaps that the
    next one does not fit: without this, 72 fills of random holes held 700 MB, with it 380.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    try:
        return cast("Callable[[int], int]", ctypes.CDLL(None).malloc_trim)
    except (AttributeError, OSError, TypeError):  # musl; macOS; Windows, where None names no library
        return None
