"""Turn positions into batches: which picture, cut how, with which hole.

Sample number ``position`` of a run is a function of (seed, position) and of nothing else: not of the number of loader
processes, of what was drawn before, or of when the run was stopped. So a resumed run meets the samples it would have
met, and the processes of a larger run share the positions of a smaller one.

Every picture is shown once before any is shown twice. A broken picture hands its turn to the next one that is whole.
"""

import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from engine.errors import TrainingError
from engine.training.store import PictureStore, StoredPicture

_log = logging.getLogger("engine.training")

Sample = dict[str, NDArray[np.uint8]]
"""Named (H, W, C) uint8 arrays, 0 to 255."""


class SampleMaker(Protocol):
    """How a family turns one picture into one sample."""

    def make(self, rng: np.random.Generator, picture: StoredPicture) -> Sample:
        """Cut, turn and mask one picture; draws from ``rng`` alone."""


class Batches(Dataset[dict[str, Tensor]]):
    """Batches by positions: ``batches[range(40, 48)]`` is made of the samples 40 to 47.

    Args:
        store: the pictures.
        picked: numbers of the pictures in the store that may be used.
        maker: the family's way to make a sample.
        seed: the run's seed.
    """

    def __init__(self, store: PictureStore, picked: Sequence[int], maker: SampleMaker, seed: int) -> None:
        self.store = store
        self.picked = np.asarray(picked, np.int64)
        self._maker = maker
        self._seed = seed
        self._order = lru_cache(2)(self._order_of)

    def __getitem__(self, positions: Sequence[int]) -> dict[str, Tensor]:
        """(B, C, H, W) uint8 tensors by name, laid out with the channels last.

        Raises:
            TrainingError: if no picture can be decoded.
        """
        return stack([self.sample(position) for position in positions])

    def sample(self, position: int) -> Sample:
        """The sample of that number."""
        rng = np.random.default_rng((self._seed, position))
        return self._maker.make(rng, self._picture(position))

    def _picture(self, position: int) -> StoredPicture:
        epoch, turn = divmod(position, len(self.picked))
        order = self._order(epoch)
        for step in range(len(order)):
            picture = self.store.get(int(self.picked[order[(turn + step) % len(order)]]))
            if picture is not None:
                return picture
        got = f"{len(order)} files that cannot be decoded"
        raise TrainingError("data", "at least one whole picture", got, "check one of them in a viewer")

    def _order_of(self, epoch: int) -> NDArray[np.int64]:
        return np.random.default_rng((self._seed, epoch, 1)).permutation(len(self.picked))


def stack(samples: Sequence[Sample]) -> dict[str, Tensor]:
    """Lay samples side by side: (B, C, H, W) uint8 by name, channels last in memory."""
    return {
        name: torch.from_numpy(np.stack([sample[name] for sample in samples])).permute(0, 3, 1, 2)
        for name in samples[0]
    }


class Positions(Sampler[Sequence[int]]):
    """The positions of one process, micro-batch by micro-batch, from one step to another.

    A step uses ``processes * accumulate * batch`` positions in a row; each process takes its own stretch.
    """

    def __init__(
        self,
        *,
        first_step: int,
        last_step: int,
        batch: int,
        accumulate: int,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        self._steps = range(first_step, last_step)
        self._batch, self._accumulate = batch, accumulate
        self._rank, self._processes = rank, processes

    def __len__(self) -> int:
        return len(self._steps) * self._accumulate

    def __iter__(self) -> Iterator[Sequence[int]]:
        stretch = self._batch * self._accumulate
        for step in self._steps:
            start = (step * self._processes + self._rank) * stretch
            for micro in range(self._accumulate):
                yield range(start + micro * self._batch, start + (micro + 1) * self._batch)


def default_workers(processes: int = 1) -> int:
    """Loader processes for one training process: half the cores, none on a small machine, at most 12."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share = cores // max(1, processes)
    return min(12, share // 2) if share >= 4 and can_fork() else 0


def can_fork() -> bool:
    """Whether loader processes can share the store: they must be forked, which is safe on Linux alone."""
    return sys.platform.startswith("linux")


def load(
    batches: Batches, positions: Positions, *, workers: int, batch_bytes: int, is_pinned: bool
) -> Iterator[dict[str, Tensor]]:
    """Batches in the order of their positions, made ahead by ``workers`` processes (0 = made when asked for).

    Args:
        batches: what makes them.
        positions: which ones, in which order.
        workers: loader processes.
        batch_bytes: size of one batch; together those under way must fit the shared memory of the machine.
        is_pinned: whether they are laid into memory that a GPU reads fast.
    """
    workers = _fitting_workers(workers, batch_bytes)
    loader: DataLoader[dict[str, Tensor]] = DataLoader(
        batches,
        batch_size=None,
        sampler=positions,
        num_workers=workers,
        prefetch_factor=2 if workers else None,
        multiprocessing_context="fork" if workers else None,
        worker_init_fn=_be_quiet_worker,
        pin_memory=is_pinned,
        generator=torch.Generator(),
    )
    with warnings.catch_warnings():
        # Python 3.12 warns about any fork beside threads; the children here touch neither torch threads nor a GPU.
        warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
        return iter(loader)


def _fitting_workers(workers: int, batch_bytes: int) -> int:
    """As many workers as the shared-memory disk holds batches for: a container may have only 64 MB of it."""
    if workers == 0 or not can_fork():
        return 0
    try:
        place = os.statvfs("/dev/shm")
    except OSError:
        return 0
    fitting = int(place.f_bavail * place.f_frsize * 0.8) // (3 * max(1, batch_bytes))
    if fitting < workers:
        _log.warning(
            "shared memory (/dev/shm) holds batches for %d loader processes, not %d", fitting, workers
        )
    return min(workers, fitting)


def _be_quiet_worker(number: int) -> None:
    """Leave Ctrl-C and SIGTERM to the training process: a worker ends when that one closes it, or is gone."""
    del number
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def batch_bytes(batch: Mapping[str, Any]) -> int:
    """Bytes of all tensors of a batch."""
    return sum(tensor.numel() * tensor.element_size() for tensor in batch.values())
