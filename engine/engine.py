"""The only door: an edit and its inputs in, pixels out.

What happens in `Engine.run`, in order:

1. The edit is settled: what one of its settings implies is written out.
2. The family's pipeline says what the job will need. Where that is networks, their weights are found (name or path), and
   they are taken from the shelf of residents, or loaded onto it. Others leave only after the new ones are in place, so a
   switch that fails leaves the old networks ready.
3. The working size is chosen: what the job has use for, less if the free memory says so.
4. The family's pipeline runs: it cuts, calls networks, composites, tells progress, and looks at the request to stop
   between networks, crops and levels, and on the processor between layers.
5. If memory runs out: caches are freed and the job starts again at half the working size, down to 128 px; then the same
   on the processor; then it is given up with a clear error. Known pixels and documents are never at risk, since the
   result is a fresh array.

Nothing is decided by chance or by the clock: the same edit, inputs, weights, seed and machine give the same bytes, unless
memory was short; the report then says which working size was used.

Elsewhere: precision and calling networks in device.py, shelves in memory.py, what a family does in pipelines/.
"""

import logging
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from engine.device import (
    NetworkCall,
    Precision,
    Quality,
    choose_device,
    choose_precision,
    describe,
    has_bfloat16,
)
from engine.edits import Edit, EditInputs, InpaintEdit
from engine.errors import OutOfMemoryError, WeightsError
from engine.memory import (
    DEFAULT_BUDGET_BYTES,
    DEFAULT_CODES_BYTES,
    Codes,
    ResidentKey,
    Shelf,
    free_bytes,
    release_unused,
    trim_heap,
)
from engine.out_of_memory import is_out_of_memory
from engine.pipelines.exchange import Demand, Outcome, Tools
from engine.progress import CancelCheck, Cancelled, Clock, ProgressCallback, Steps, stop_if_cancelled
from engine.weightfile import read_weights
from models.errors import ModelsError
from models.registry import family_spec
from models.spec import FamilySpec

if TYPE_CHECKING:
    from engine.weights import ResolvedWeights, WeightsStore

_log = logging.getLogger(__name__)

PIPELINES: Mapping[str, str] = {
    "inpaint": "engine.pipelines.inpaint",
    "retarget": "engine.pipelines.retarget",
}
"""Family -> its pipeline, see pipelines/exchange.py; imported when first used."""

SMALLEST_WORKING_PX = 128
"""Half of what networks are trained at; below, a fill has nothing to go by."""
MEMORY_SHARE = 0.5
"""Most of the free memory that activations may take by the family's estimate; kernels need room of their own."""
PROCESSOR = torch.device("cpu")
PLAIN = choose_precision(PROCESSOR, "exact")
"""Of what is computed without networks."""
WARM_QUALITIES: tuple[Quality, ...] = ("fast", "exact")
"""In the order a live edit wants them: the draft first."""


@dataclass(frozen=True)
class Result:
    """What came of an edit."""

    image: np.ndarray
    """Mode and depth of the input; larger where the canvas grew."""
    edges: np.ndarray | None
    """(H, W) uint8, the edge map that was used, where the family uses one."""
    report: dict[str, Any]
    """Plain data for JSON: seconds by phase, device, quality, weights (None if none were used), seed, crops, seam, notes."""
    novelty: np.ndarray | None = None
    """(H, W) uint8, 0 = copied from the picture, 255 = invented, where the family can tell."""


@dataclass(frozen=True)
class _Resident:
    """The networks of one weights file on one device in one precision."""

    calls: Mapping[str, NetworkCall]
    spec: FamilySpec
    options: Any
    metadata: Mapping[str, str]
    precision: Precision
    nbytes: int


class Engine:
    """Loads networks, runs edits, keeps what the next edit may need. One job at a time; a second call waits.

    Args:
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        budget_bytes: what resident networks may hold together; the one in use always stays.
        weights: where names of weights are looked up; the usual places if None.

    Raises:
        DeviceError: if the device is not there.
    """

    def __init__(
        self,
        *,
        device: str = "auto",
        budget_bytes: int | None = None,
        weights: "WeightsStore | None" = None,
    ) -> None:
        self._device = choose_device(device)
        self._store = weights
        self._residents: Shelf[_Resident] = Shelf(
            DEFAULT_BUDGET_BYTES if budget_bytes is None else budget_bytes
        )
        self._codes = Codes(DEFAULT_CODES_BYTES)
        self._lock = threading.Lock()
        self._held_bytes = 0

    @property
    def device(self) -> torch.device:
        """Where jobs run unless memory drives them off."""
        return self._device

    @property
    def resident_count(self) -> int:
        """Sets of networks loaded now."""
        return len(self._residents)

    def status(self) -> dict[str, Any]:
        """Plain data about the device and what is held there; may be asked while a job runs in another thread."""
        return {
            "device": str(self._device),
            "device_name": describe(self._device),
            "fast_precision": "bfloat16" if has_bfloat16(self._device) else "float32",
            "resident_bytes": self._residents.nbytes,
            "kept_bytes": self._codes.nbytes,
            "free_bytes": free_bytes(self._device),
        }

    def warm_up(self, is_cancelled: CancelCheck | None = None) -> None:
        """Do what the first job would wait for: import, load the default weights, run them on a tiny picture.

        Never fails: what is wrong, the first job will say.

        Args:
            is_cancelled: asked between steps; the rest is left to the first job then.
        """
        image, mask = np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), np.uint8)
        mask[24:40, 24:40] = 255
        try:
            for module in (*PIPELINES.values(), "cv2", "skimage.feature"):
                stop_if_cancelled(is_cancelled)
                import_module(module)
            for quality in WARM_QUALITIES:
                self.run(InpaintEdit(quality=quality), EditInputs(image, mask), is_cancelled=is_cancelled)
        except Cancelled:
            _log.debug("a job came before the engine was warm")
        except Exception as error:  # noqa: BLE001  (no weights, no memory, a broken GPU: told where it matters)
            _log.info("not warmed up: %s", error)

    def reset_peak(self) -> None:
        """Begin to watch the device's memory anew."""
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
            self._held_bytes = torch.cuda.memory_allocated(self._device)

    def peak_bytes(self) -> int:
        """The most memory taken on a GPU since `reset_peak`, beyond what was held then; 0 on the processor."""
        if self._device.type != "cuda":
            return 0
        return max(torch.cuda.max_memory_allocated(self._device) - self._held_bytes, 0)

    def run(
        self,
        edit: Edit,
        inputs: EditInputs,
        *,
        progress: ProgressCallback | None = None,
        is_cancelled: CancelCheck | None = None,
        copy_picture: Callable[[np.ndarray], np.ndarray] = np.ndarray.copy,
    ) -> Result:
        """Carry out an edit.

        Args:
            edit: what to do.
            inputs: what to do it to; not modified.
            progress: called from this thread with each step.
            is_cancelled: asked between steps.
            copy_picture: makes the array that the result is written into; who has a cheaper way than to copy all of it
                gives that.

        Raises:
            EngineError: if edit, inputs, weights and machine do not go together; which one says its subclass.
            Cancelled: if asked to stop.
        """
        with self._lock:
            stop_if_cancelled(is_cancelled)
            edit = edit.settled()
            clock, steps = Clock(), Steps(1, progress, is_cancelled)
            with clock("weights"):
                pipeline = import_module(PIPELINES[edit.family])
                demand = pipeline.demand(edit, inputs)
                resolved = self._resolve(edit, demand.picture) if demand.has_networks else None
            job = _Job(edit, inputs, pipeline, demand, resolved, clock, steps, copy_picture)
            for device, working_px in self._attempts(job):
                try:
                    return self._run_on(job, device, working_px)
                except (RuntimeError, MemoryError) as error:
                    if not is_out_of_memory(error):
                        raise
                    words = str(error).splitlines()[0] if str(error) else type(error).__name__
                    job.shortages += 1
                    job.notes.append(f"out of memory on {device} with a working size of {job.working_px} px")
                    _log.info("%s: %s", job.notes[-1], words)
                # Out of the except block, so that the failed job's tensors are gone before memory is handed back.
                self._free_all_but(job, device)
            raise self._gave_up(job)

    def tidy(self) -> None:
        """Hand back memory that jobs left unused; networks and answers stay. For pauses: the next job takes longer."""
        with self._lock:
            trim_heap()

    def close(self) -> None:
        """Drop networks and answers, and hand their memory back. The engine can be used again."""
        with self._lock:
            self._residents.clear()
            self._codes.clear()
            release_unused(self._device)

    # Weights ---------------------------------------------------------------------------------------------------------

    def _resolve(self, edit: Edit, picture: str) -> "ResolvedWeights":
        """Find the file of a name; the store reads a digest once, until the file changes."""
        if self._store is None:
            from engine.weights import WeightsStore

            self._store = WeightsStore()
        return self._store.resolve(edit.weights, edit.family, picture=picture)

    def _networks(self, job: "_Job", device: torch.device) -> _Resident | None:
        """The networks of a job; None where it needs none."""
        if job.resolved is None:
            return None
        resolved, precision = job.resolved, choose_precision(device, job.edit.quality)
        if job.demand.is_published:
            return _load(job, resolved, device, precision)
        key = _resident_key(job, device, precision)
        return self._residents.get(key, lambda: _load(job, resolved, device, precision))

    # Running ---------------------------------------------------------------------------------------------------------

    def _attempts(self, job: "_Job") -> Iterator[tuple[torch.device, int]]:
        """Places and working sizes to try, from what was asked to what takes least memory."""
        for device in dict.fromkeys((self._device, PROCESSOR)):
            working_px = 0  # 0 = as large as asked and as memory says
            while True:
                yield device, working_px
                # The size that failed is known only after the attempt.
                failed_px = job.working_px
                if job.demand.is_fixed or failed_px <= SMALLEST_WORKING_PX:
                    break
                working_px = max(failed_px // 2, SMALLEST_WORKING_PX)

    def _run_on(self, job: "_Job", device: torch.device, working_px: int) -> Result:
        with job.clock("weights"):
            resident = self._networks(job, device)
        job.working_px = working_px or _working_px(job, resident, free_bytes(device))
        calls: Mapping[str, NetworkCall] = {} if resident is None else resident.calls
        with _interruptible(calls, job.steps):
            outcome: Outcome = job.pipeline.run(job.edit, job.inputs, self._tools(job, resident, device))
        # Asked anew: networks that were loaded for ``exact`` serve ``fast`` where there is nothing to be fast with.
        precision = PLAIN if resident is None else choose_precision(device, job.edit.quality)
        report = {
            "family": job.edit.family,
            "device": describe(device),
            "quality": job.edit.quality,
            "precision": str(precision.dtype).removeprefix("torch."),
            "weights": job.resolved and {"name": job.resolved.name, "sha256": job.resolved.sha256},
            "seed": job.edit.seed,
            "working_size_px": job.working_px,
            "was_memory_short": bool(job.shortages),
            "seconds": job.clock.seconds(),
            "crops": list(outcome.crops),
            "seam": outcome.seam.as_dict(),
            "notes": [note for note in (*job.notes, precision.note, *outcome.notes) if note],
        }
        return Result(outcome.image, outcome.edges, report, outcome.novelty)

    def _tools(self, job: "_Job", resident: _Resident | None, device: torch.device) -> Tools:
        rules = [] if resident is None else list(resident.spec.networks.values())
        return Tools(
            device=device,
            calls={} if resident is None else resident.calls,
            tag="" if resident is None else f"{_digest(job)} {device} {resident.precision.dtype}",
            metadata={} if resident is None else resident.metadata,
            size_multiple=math.lcm(*(rule.size_multiple for rule in rules)),
            min_side_px=max((rule.min_side_px for rule in rules), default=1),
            codes=self._codes,
            working_px=job.working_px,
            clock=job.clock,
            steps=job.steps,
            copy_picture=job.copy_picture,
        )

    def _free_all_but(self, job: "_Job", device: torch.device) -> None:
        """Make room after memory ran out: answers, recordings, and networks of other jobs."""
        self._codes.clear()
        if job.resolved is None:
            self._residents.clear()
            release_unused(device)
            return
        key = _resident_key(job, device, choose_precision(device, job.edit.quality))
        self._residents.keep_only(key)
        if key in self._residents:
            for call in self._residents.get(key, _never).calls.values():
                call.drop_graphs()
        release_unused(device)

    def _gave_up(self, job: "_Job") -> OutOfMemoryError:
        free = free_bytes(PROCESSOR) / 2**30
        hint = "close other programs, or use a smaller picture, hole or result"
        if job.edit.is_official_match:
            hint = "an official match needs the whole frame at once; leave it out, or use a smaller picture"
        return OutOfMemoryError(
            job.edit.family,
            f"enough memory for a working size of {job.working_px} px",
            f"{free:.1f} GiB free",
            hint,
            said=f"there is too little memory for this: {free:.1f} GiB are free",
        )


class _Job:
    """One run: what was asked, and what is known of it so far."""

    def __init__(
        self,
        edit: Edit,
        inputs: EditInputs,
        pipeline: ModuleType,
        demand: Demand,
        resolved: "ResolvedWeights | None",
        clock: Clock,
        steps: Steps,
        copy_picture: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        self.edit = edit
        self.inputs = inputs
        self.pipeline = pipeline
        self.demand = demand
        self.resolved = resolved
        self.clock = clock
        self.steps = steps
        self.copy_picture = copy_picture
        self.notes: list[str] = []
        self.shortages = 0
        """How often memory ran out."""
        self.working_px = demand.working_px


@contextmanager
def _interruptible(calls: Mapping[str, NetworkCall], steps: Steps) -> Iterator[None]:
    """Have networks look at the request to stop while they run."""
    interrupts = [call.interrupt for call in calls.values()]
    for interrupt in interrupts:
        interrupt.look = steps.look
    try:
        yield
    finally:
        for interrupt in interrupts:
            interrupt.look = None


def _digest(job: _Job) -> str:
    assert job.resolved is not None, "networks come from weights"
    return job.resolved.sha256


def _resident_key(job: _Job, device: torch.device, precision: Precision) -> ResidentKey:
    return ResidentKey(job.edit.family, _digest(job), str(device), precision.quality)


def _load(job: _Job, resolved: "ResolvedWeights", device: torch.device, precision: Precision) -> _Resident:
    """Read a weights file and put its networks on the device."""
    spec = family_spec(job.edit.family)
    weight_file = read_weights(resolved.path, family=job.edit.family, sha256=resolved.sha256)
    form = {"as_published": True} if job.demand.is_published else {}
    try:
        options = spec.options_from_state(weight_file.state)
        networks = spec.load(weight_file.state, options, **form)
    except ModelsError as error:
        raise WeightsError(
            resolved.path,
            f"the networks of {spec.name}",
            f"a file that does not fit ({error})",
            "name another",
        ) from error
    calls_of: Mapping[str, str] = job.pipeline.CALLS
    calls = {
        name: NetworkCall(networks[name], method, device, precision) for name, method in calls_of.items()
    }
    tensors = [*networks.parameters(), *networks.buffers()]
    nbytes = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return _Resident(calls, spec, options, weight_file.metadata, precision, nbytes)


def _working_px(job: _Job, resident: _Resident | None, free: int) -> int:
    """The largest working size that memory allows, and no larger than the job has use for.

    Sizes are halved until the family's estimate fits, never cut to the byte: small changes of the free memory then leave
    the result as it is.
    """
    working_px = job.demand.working_px
    if resident is None or job.demand.is_fixed:
        return working_px
    bytes_per_value = resident.precision.bytes_per_value

    def needed(side: int) -> int:
        return resident.spec.activation_bytes(resident.options, (side, side), bytes_per_value)

    while working_px > SMALLEST_WORKING_PX and needed(working_px) > MEMORY_SHARE * free:
        # From an odd size, as of a whole frame, to the next power of two below.
        working_px = max(1 << (working_px - 1).bit_length() - 1, SMALLEST_WORKING_PX)
    return working_px


def _never() -> _Resident:
    raise AssertionError("the key was seen on the shelf")
