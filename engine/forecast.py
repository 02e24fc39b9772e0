"""How long a job will take and how much memory, from what this machine did before.

Nothing is assumed about machines: a forecast is drawn from past runs of the same family, weights, quality and device, and
where there are none there is none. What a job costs goes with the pixels that networks are given, which is known before
(the plan of crops tells) and after (the report tells). A robust line through the past runs takes the one to the other, so
one run on a busy machine moves it little.

The runs are a small JSON file in the user's cache, to which every process adds. Losing or spoiling it loses nothing else.
"""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from engine.crops import context_of, count_windows, level_sizes, plan_crops, scan_mask
from engine.edits import Edit, InpaintEdit, RetargetEdit
from engine.folders import own_folder
from engine.own_file import Notice, OwnFile, Read
from engine.patches.reduction import LIMIT_PX, reduction

FORMAT = 1
RUNS_KEPT = 32
"""Of one kind of job; older ones were on a machine that may have changed."""
KINDS_KEPT = 64
MEGA = 1e6


@dataclass(frozen=True)
class Forecast:
    """What a job is expected to cost."""

    seconds: float
    """Without loading weights."""
    seconds_at_most: float
    """What nine of ten past runs of this size would have stayed below."""
    memory_bytes: int
    """Beyond what the engine holds anyway; 0 where past runs could not tell."""
    runs: int
    """How many runs this comes from."""


@dataclass(frozen=True)
class _Run:
    megapixels: float
    seconds: float
    memory_bytes: int


@dataclass(frozen=True)
class _Past:
    """Past runs of every kind of job, those of the kind used last at the end; and which kind was meant by a name."""

    kinds: Mapping[str, tuple[_Run, ...]] = field(default_factory=dict)
    latest: Mapping[str, str] = field(default_factory=dict)

    def with_run(self, kind: str, run: _Run, asked: Sequence[str]) -> "_Past":
        """The same and one more; what was not used for longest goes where there is too much."""
        kinds = {other: runs for other, runs in self.kinds.items() if other != kind}
        kinds[kind] = (*self.kinds.get(kind, ()), run)[-RUNS_KEPT:]
        kinds = dict(list(kinds.items())[-KINDS_KEPT:])
        latest = {**self.latest, **dict.fromkeys(asked, kind)}
        return _Past(kinds, {name: known for name, known in latest.items() if known in kinds})


def _load(data: Any) -> Read[_Past]:
    kinds = {
        str(kind): tuple(_checked(**run) for run in runs)[-RUNS_KEPT:] for kind, runs in data["runs"].items()
    }
    latest = {str(asked): str(kind) for asked, kind in data["latest"].items() if kind in kinds}
    return Read(_Past(kinds, latest))


def _dump(past: _Past) -> dict[str, Any]:
    runs = {kind: [asdict(run) for run in runs] for kind, runs in past.kinds.items()}
    return {"runs": runs, "latest": dict(past.latest)}


_FIRST_GUESS = _Run(megapixels=1.3, seconds=16.0, memory_bytes=0)
"""Remaking 512 x 512 px as 1024 x 1024 from patches, on one core of a server of 2023."""
_SEARCHED_BYTES = 600
"""A pixel of the larger of source and result, where patches are compared."""
_COPIED_SHARE = 0.01
"""Work of copying a pixel of a large picture, beside that of comparing its patches."""


class Forecasts:
    """Past runs, and what follows from them.

    Args:
        path: the file; ``forecast.json`` in the user's cache when left out.
        on_notice: told where the file cannot be used or written.
    """

    def __init__(
        self, path: Path | None = None, *, on_notice: Callable[[Notice], None] | None = None
    ) -> None:
        self._file = OwnFile(
            path if path is not None else own_folder("cache") / "forecast.json",
            what="what past jobs took",
            empty=_Past(),
            version=FORMAT,
            load=_load,
            dump=_dump,
            on_notice=on_notice,
        )
        self._lock = threading.Lock()
        self._past: _Past | None = None

    def forecast(
        self,
        edit: Edit,
        mask: np.ndarray | None,
        *,
        size_hw: tuple[int, int] | None = None,
        device: str = "",
    ) -> Forecast | None:
        """Expect what a job costs.

        Args:
            edit: what is asked.
            mask: (H, W) as in `engine.edits.EditInputs`; only filling goes by it.
            size_hw: of the picture; only remaking goes by it, and takes the result's when left out.
            device: as reports name it; the one used last when left out.

        Returns:
            None where nothing like it was run here. Remaking from patches is the same work everywhere: there a first
            guess is given.
        """
        edit = edit.settled()
        with self._lock:
            past = self._read()
        kind = past.latest.get(_asked(edit, edit.weights, device))
        runs = past.kinds.get(kind or "", ())
        least_bytes = _patches_bytes(edit, size_hw)
        if not runs and not least_bytes:
            return None
        megapixels = planned_megapixels(edit, mask, size_hw)
        if megapixels == 0:
            return Forecast(0.0, 0.0, 0, len(runs))
        seconds, at_most = _line(runs or [_FIRST_GUESS], megapixels)
        known = [(run.megapixels, run.memory_bytes) for run in runs if run.memory_bytes > 0]
        memory = 0.0
        if known:
            # Windows run one after the other, so memory goes with the largest input and not with their sum.
            near = sorted(known, key=lambda pair: abs(pair[0] - megapixels))[:5]
            memory = median(pair[1] for pair in near)
        return Forecast(seconds, at_most, max(int(memory), least_bytes), len(runs))

    def prepare(self) -> None:
        """Read the file and import what a plan of crops needs, on a thread where nobody waits for it."""
        with self._lock:
            self._read()
        mask = np.zeros((64, 64), np.uint8)
        mask[20:30, 20:30] = 255
        planned_megapixels(InpaintEdit(), mask)

    def remember(self, edit: Edit, report: Mapping[str, Any]) -> None:
        """Take in what a job did cost; written at once, beside what other processes wrote meanwhile."""
        run = _run_of(edit, report)
        if run is None:
            return
        edit = edit.settled()
        device, used = str(report["device"]), report["weights"] or {"name": "", "sha256": "none"}
        kind = f"{_trade(edit)} {used['sha256']} {edit.quality} {device}"
        asked = [
            _asked(edit, name, place) for name in {edit.weights, str(used["name"])} for place in (device, "")
        ]
        with self._lock:
            self._past = self._read().with_run(kind, run, asked)
        # Without that lock: a slow disk must not hold up who asks for a forecast.
        self._file.update(lambda past: past.with_run(kind, run, asked))

    def _read(self) -> "_Past":
        """All runs; read from the file the first time."""
        if self._past is None:
            self._past = self._file.read()
        return self._past


def planned_megapixels(edit: Edit, mask: np.ndarray | None, size_hw: tuple[int, int] | None = None) -> float:
    """Millions of pixels that will be worked on: for a mask to fill, or for a new frame, where the picture's size counts."""
    if isinstance(edit, RetargetEdit):
        return _remade_pixels(edit, size_hw) / MEGA
    left, top, right, bottom = edit.expand_ltrb
    if mask is None:
        return 0.0
    if edit.is_expanding:
        whole = 1 if mask.dtype in (np.bool_, np.float32) else np.iinfo(mask.dtype).max
        mask = np.pad(mask, ((top, bottom), (left, right)), constant_values=whole)
    scan = scan_mask(mask)
    if scan.is_empty or scan.is_full:
        return 0.0
    working_px = edit.working_size_px
    if edit.context == "full":
        h, w = scan.size_hw
        working_px = max(working_px, math.ceil(math.sqrt(h * w)))
    total = 0.0
    crops = plan_crops(
        mask,
        scan,
        working_px=working_px,
        is_whole_frame=edit.context == "full",
        context_box=context_of(edit),
    )
    for crop in crops:
        frame_h, frame_w = crop.frame.size_hw
        hole_h, hole_w = crop.hole.size_hw
        sizes = level_sizes(crop.frame.size_hw, working_px)
        windows = sum(
            count_windows((hole_h * h // frame_h, hole_w * w // frame_w), working_px) for h, w in sizes[1:]
        )
        total += _crop_pixels(sizes[0], windows, working_px)
    return total / MEGA


def reported_megapixels(edit: Edit, report: Mapping[str, Any]) -> float:
    """Millions of pixels that were worked on in a run."""
    if isinstance(edit, RetargetEdit):
        h, w = report["crops"][0]["source_hw"]
        return _remade_pixels(edit, (int(h), int(w))) / MEGA
    working_px = int(report["working_size_px"])
    crops = report["crops"]
    total = sum(_crop_pixels(crop["levels_hw"][0], crop["windows"], working_px) for crop in crops)
    return total / MEGA


def _crop_pixels(coarsest_hw: Sequence[int], windows: int, working_px: int) -> float:
    """Two networks at the coarsest size, one a window."""
    return 2.0 * coarsest_hw[0] * coarsest_hw[1] + windows * working_px**2


def _remade_pixels(edit: RetargetEdit, size_hw: tuple[int, int] | None) -> float:
    """One network at the size of the new frame, or patches of both pictures and a copy of what a large one is made of."""
    if edit.method == "learned":
        return _crop_pixels(edit.result_hw, 0, 0)
    source_hw = size_hw or edit.result_hw
    small = reduction(source_hw, edit.result_hw, LIMIT_PX[edit.quality])
    if small is None:
        return math.prod(source_hw) + math.prod(edit.result_hw)
    searched_px = math.prod(small.source_hw) + math.prod(small.target_hw)
    return searched_px + _COPIED_SHARE * math.prod(edit.result_hw)


def _patches_bytes(edit: Edit, size_hw: tuple[int, int] | None) -> int:
    """Memory that remaking from patches takes beside the picture: the search, the result, its map; 0 for other edits."""
    if not isinstance(edit, RetargetEdit) or edit.method != "instant":
        return 0
    source_hw = size_hw or edit.result_hw
    source_px, result_px = math.prod(source_hw), math.prod(edit.result_hw)
    small = reduction(source_hw, edit.result_hw, LIMIT_PX[edit.quality])
    if small is None:
        return _SEARCHED_BYTES * max(source_px, result_px)
    searched_px = max(math.prod(small.source_hw), math.prod(small.target_hw))
    return _SEARCHED_BYTES * searched_px + 4 * source_px + 5 * result_px


def _trade(edit: Edit) -> str:
    """Family and, where it has several ways of working, which."""
    return edit.family if isinstance(edit, InpaintEdit) else f"{edit.family} {edit.method}"


def _asked(edit: Edit, weights: str, device: str) -> str:
    return "\t".join((_trade(edit), weights, edit.quality, device))


def _run_of(edit: Edit, report: Mapping[str, Any]) -> _Run | None:
    """What a report tells; None where nothing was run, or memory was short, which no forecast is for."""
    if not report["crops"] or report.get("was_memory_short"):
        return None
    seconds = report["seconds"]
    return _Run(
        reported_megapixels(edit, report),
        max(seconds["total"] - seconds.get("weights", 0.0), 0.0),
        int(report.get("peak_bytes", 0)),
    )


def _checked(megapixels: float, seconds: float, memory_bytes: int) -> _Run:
    run = _Run(float(megapixels), float(seconds), int(memory_bytes))
    if not all(0 <= value < 1e15 for value in (run.megapixels, run.seconds, run.memory_bytes)):
        raise ValueError(f"a run out of all measure: {run}")
    return run


def _line(runs: Sequence[_Run], megapixels: float) -> tuple[float, float]:
    """Seconds at a size, and what nine of ten runs would have stayed below there.

    The line of Theil and Sen: the median of the slopes between runs, then the median of what is left. With runs of one
    size only there is no slope to find, and cost is taken to go with the pixels.
    """
    ordered = sorted(runs, key=lambda run: run.megapixels)
    slopes = [
        (b.seconds - a.seconds) / (b.megapixels - a.megapixels)
        for place, a in enumerate(ordered)
        for b in ordered[place + 1 :]
        if b.megapixels > 1.2 * a.megapixels
    ]
    if slopes:
        slope = max(median(slopes), 0.0)
        base = max(median(run.seconds - slope * run.megapixels for run in runs), 0.0)
    else:
        base = 0.0
        slope = median(run.seconds / max(run.megapixels, 1e-6) for run in runs)
    seconds = base + slope * megapixels
    factors = sorted(run.seconds / max(base + slope * run.megapixels, 1e-6) for run in runs)
    worst = factors[min(math.ceil(0.9 * len(factors)), len(factors)) - 1]
    return seconds, seconds * max(worst, 1.0)
