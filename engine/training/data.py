"""Lay out a run's pictures: what is learned from, what is kept back.

A few pictures, the probe, are kept back for previews and metrics: from a source of their own, or picked from the data
by the seed and then never learned from. A set too small to spare any shows pictures it learns from, and says so.
"""

import hashlib
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from engine.errors import DataGoneError, TrainingError
from engine.training.batches import Batches, Sample, SampleMaker, stack
from engine.training.events import Notice, Report, Skipped
from engine.training.families import training_of
from engine.training.options import TrainOptions
from engine.training.processes import local_processes
from engine.training.sources import PictureFile, find_pictures
from engine.training.store import PictureStore, StoredPicture

PROBE_COUNT = 16
GONE_SHARE = 10
"""A run ends when more than one of so many files is gone."""
TOLD_LIMIT = 20
"""Files left out that are told by name; the others are counted."""
_SPARE_SHARE = 10  # at most one picture in so many is kept back
_PROBE_SEED = (
    2  # the streams (seed, n, 1) are the order of pictures, (seed, n) the samples, (seed, n, 2) the probe
)


@dataclass(frozen=True)
class RunData:
    """The pictures of a run."""

    batches: Batches
    """What is learned from."""

    probe: dict[str, Tensor]
    """One fixed batch for previews and metrics, uint8."""

    stores: tuple[PictureStore, ...]
    """Every store, for counting what is broken."""

    digest: str
    """Names the set of pictures that is learned from."""

    picture: NDArray[np.uint8] | None = None
    """Where one picture is learned, the whole of it: (H, W, 3) RGB."""

    metadata: Mapping[str, str] = field(default_factory=dict)
    """What the weights must say of the data."""

    def check_there(self) -> None:
        """Ask whether the pictures are still where they were found.

        Raises:
            DataGoneError: if more than a tenth of those that are learned from is gone.
        """
        store = self.batches.store
        if store.gone * GONE_SHARE > len(store):
            hint = "bring them back and go on with --resume: what was learned is saved"
            raise DataGoneError("data", f"{len(store)} pictures", f"{store.gone} gone or more", hint)


class LeftOut:
    """Tells what is left out: the first by name, the others by their number and kind.

    Args:
        report: told.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._untold: Counter[str] = Counter()
        self.count = 0

    def __call__(self, name: str, reason: str) -> None:
        """Leave a file out."""
        self.count += 1
        if self.count <= TOLD_LIMIT:
            self._report(Skipped(name, reason))
        else:
            self._untold[reason] += 1

    def end(self) -> None:
        """Tell the numbers of those that have not been told by name."""
        if self._untold:
            kinds = "; ".join(f"{number} x {reason}" for reason, number in self._untold.most_common(5))
            more = "; and others" if len(self._untold) > 5 else ""
            self._report(Notice(f"{self._untold.total()} more files are left out: {kinds}{more}"))
            self._untold.clear()


class BrokenFiles:
    """Tells each broken file of some stores once."""

    def __init__(self, stores: Sequence[PictureStore], report: Report) -> None:
        self._stores = stores
        self._left_out = LeftOut(report)
        self._told: set[tuple[int, int]] = set()

    def tell(self) -> None:
        """Report those that have been found since the last call."""
        for number, store in enumerate(self._stores):
            for index in store.broken():
                if (number, index) not in self._told:
                    self._told.add((number, index))
                    self._left_out(store.files[index].name, store.why_broken(index))

    def end(self) -> None:
        """Report the rest by number and kind; the run is over."""
        self.tell()
        self._left_out.end()

    @property
    def count(self) -> int:
        """How many have been told."""
        return len(self._told)


class StoredSampleMaker(SampleMaker, Protocol):
    """A maker that also decodes, for families that learn from many pictures."""

    def decode(self, file: io.BytesIO) -> StoredPicture:
        """Bytes to a picture at its working size; raises PictureError for what is no picture."""


def open_data(options: TrainOptions, report: Report) -> RunData:
    """Find the pictures of a run, as its family wants them.

    Args:
        options: the run's.
        report: told about what is skipped and how many there are.

    Returns:
        Everything the loop reads from.

    Raises:
        TrainingError: if there is nothing to learn from, or what there is cannot be used.
    """
    return training_of(options.family.replace("-", "_")).open_data(options, report)


def open_pictures(
    options: TrainOptions,
    report: Report,
    maker: StoredSampleMaker,
    budget: int,
    further_stores: Sequence[PictureStore],
) -> RunData:
    """Find many pictures and keep the probe back.

    Args:
        options: the run's.
        report: told about what is skipped and how many there are.
        maker: the family's way to decode a picture and make a sample of it.
        budget: bytes of room for decoded pictures.
        further_stores: what else may hold broken files.

    Returns:
        Everything the loop reads from.

    Raises:
        TrainingError: if there is nothing to learn from, or nothing in the probe can be read.
    """
    skip = LeftOut(report)
    files = find_pictures(options.data, skip)
    room = min(budget, len(files) * options.size**2 * 12)  # 12 bytes a pixel of a cut: ratios to about 1:2.5
    store = PictureStore(files, maker.decode, room)

    own = find_pictures([options.probe], skip) if options.probe else []
    skip.end()
    spare = min(PROBE_COUNT, len(files) // _SPARE_SHARE)
    order = [
        int(index) for index in np.random.default_rng((options.seed, 0, _PROBE_SEED)).permutation(len(files))
    ]
    kept_back = [] if own else order[:spare]
    picked = sorted(set(range(len(files))) - set(kept_back))
    if own:
        probe_store = PictureStore(own, maker.decode, 0)
        probe = _probe(probe_store, list(range(len(own))), maker, options.seed)
        stores = [store, probe_store]
    else:
        if not kept_back:
            report(
                Notice(
                    f"{len(files)} pictures are too few to keep any back: previews show what is learned from"
                )
            )
        probe = _probe(store, kept_back or order, maker, options.seed)
        stores = [store]
    report(
        Notice(f"{len(picked)} pictures to learn from, {len(own) or len(kept_back)} kept back for previews")
    )
    batches = Batches(store, picked, maker, options.seed)
    return RunData(
        batches, stack(probe), (*stores, *further_stores), _digest([files[index] for index in picked])
    )


def _probe(store: PictureStore, picked: Sequence[int], maker: SampleMaker, seed: int) -> list[Sample]:
    """The first whole pictures of ``picked``, cut and masked by a stream of their own."""
    samples: list[Sample] = []
    for index in picked:
        picture = store.get(index)
        if picture is not None:
            rng = np.random.default_rng((seed, len(samples), _PROBE_SEED))
            samples.append(maker.make(rng, picture))
        if len(samples) == PROBE_COUNT:
            break
    if not samples:
        got = f"{len(picked)} files that cannot be decoded"
        raise TrainingError("data", "at least one whole picture", got, "check one of them in a viewer")
    return samples


def budget_bytes(options: TrainOptions) -> int:
    """Room for decoded pictures in this process: its share of the machine's."""
    total = options.memory_bytes
    if total == 0:
        total = max(1 << 30, free_memory_bytes() // 4)
    return total // local_processes(options)


def free_memory_bytes() -> int:
    """Memory that the system says is to be had, in bytes; 4 GiB where it says nothing."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return 4 << 30


def _digest(files: Sequence[PictureFile]) -> str:
    text = "\n".join(file.name for file in files)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
