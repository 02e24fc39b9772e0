"""Lay out a run's pictures: what is learned from, what is kept back, what holes are cut with.

A few pictures, the probe, are kept back for previews and metrics: from a source of their own, or picked from the data
by the seed and then never learned from. A set too small to spare any shows pictures it learns from, and says so.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from engine.errors import TrainingError
from engine.training.batches import Batches, Sample, stack
from engine.training.events import Notice, Report, Skipped
from engine.training.options import TrainOptions
from engine.training.processes import local_processes
from engine.training.samples.inpaint import InpaintSamples
from engine.training.sources import PictureFile, Skip, find_pictures
from engine.training.store import PictureStore

PROBE_COUNT = 16
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


class BrokenFiles:
    """Tells each broken file of some stores once."""

    def __init__(self, stores: Sequence[PictureStore], report: Report) -> None:
        self._stores = stores
        self._report = report
        self._told: set[tuple[int, int]] = set()

    def tell(self) -> None:
        """Report those that have been found since the last call."""
        for number, store in enumerate(self._stores):
            for index in store.broken():
                if (number, index) not in self._told:
                    self._told.add((number, index))
                    self._report(Skipped(store.files[index].name, store.why_broken(index)))

    @property
    def count(self) -> int:
        """How many have been told."""
        return len(self._told)


def open_data(options: TrainOptions, report: Report) -> RunData:
    """Find the pictures of a run and keep the probe back.

    Args:
        options: the run's.
        report: told about what is skipped and how many there are.

    Returns:
        Everything the loop reads from.

    Raises:
        TrainingError: if there is nothing to learn from, or nothing in the probe or the masks can be read.
    """

    def skip(name: str, reason: str) -> None:
        report(Skipped(name, reason))

    budget_bytes = _budget_bytes(options)
    masks = _open_masks(options, budget_bytes // 8, skip)
    maker = InpaintSamples(size=options.size, mask_ratio=options.mask_ratio, masks=masks)
    files = find_pictures(options.data, skip)
    room = min(
        budget_bytes, len(files) * options.size**2 * 12
    )  # 12 bytes a pixel of a cut: ratios to about 1:2.5
    store = PictureStore(files, maker.decode, room)

    own = find_pictures([options.probe], skip) if options.probe else []
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
    stores += [masks] if masks is not None else []
    return RunData(batches, stack(probe), tuple(stores), _digest([files[index] for index in picked]))


def _probe(store: PictureStore, picked: Sequence[int], maker: InpaintSamples, seed: int) -> list[Sample]:
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


def _open_masks(options: TrainOptions, budget_bytes: int, skip: Skip) -> PictureStore | None:
    if options.masks is None:
        return None
    files = find_pictures([options.masks], skip)
    maker = InpaintSamples(size=options.size)
    store = PictureStore(files, maker.decode_mask, min(budget_bytes, len(files) * options.size**2))
    if store.usable_from(0) is None:
        hint = "masks are white where the hole is, black elsewhere"
        raise TrainingError("masks", "at least one mask with a hole", f"none in {options.masks}", hint)
    return store


def _budget_bytes(options: TrainOptions) -> int:
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
