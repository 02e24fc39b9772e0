"""Say what a run will take before it starts, from a few steps that change nothing.

The steps are real ones without the last move: losses, gradients and their averaging run, the optimiser does not. What
a forward moves by itself, the vectors of spectral normalisation, is put back.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence

import torch

from engine.training.batches import Batches
from engine.training.events import Estimated
from engine.training.gradients import Side
from engine.training.processes import Processes
from engine.training.stages import StageSpan
from engine.training.step import gather_further_gradients, gather_gradients
from models.objective import Objective

_ENOUGH_SECONDS = 2.0
_MOST_STEPS = 2
_MOST_GPU_STEPS = 5  # the first ones try out kernels
_MOST_VARIED_STEPS = 9  # where steps differ, a mean over the run is wanted
_VARIED_SECONDS = 8.0


def estimate_run(
    objective: Objective,
    left: Sequence[StageSpan],
    step: int,
    batches: Batches,
    make_sides: Callable[[StageSpan], dict[str, Side]],
    processes: Processes,
    *,
    batch: int,
    accumulate: int,
) -> Estimated:
    """Time a few steps of each stage that is left.

    Args:
        objective: in training mode; its weights and buffers come back unchanged.
        left: stages still to run or to finish.
        step: steps done.
        batches: where samples come from.
        make_sides: both sides of a stage.
        processes: of the run.
        batch: pictures per process and micro-batch.
        accumulate: micro-batches per step.

    Returns:
        Seconds by stage and in all, and the largest memory of this process.
    """
    loaded = batches[range(batch)]
    if processes.is_cuda:
        torch.cuda.reset_peak_memory_stats(processes.device)
    moving = {name: buffer.clone() for name, buffer in objective.named_buffers()}
    most_steps = _MOST_GPU_STEPS if processes.is_cuda else _MOST_STEPS
    is_varied = type(objective).at_step is not Objective.at_step
    most_steps, enough = (_MOST_VARIED_STEPS, _VARIED_SECONDS) if is_varied else (most_steps, _ENOUGH_SECONDS)
    step_seconds: dict[str, float] = {}
    moments = 0
    try:
        for span in left:
            sides = make_sides(span)
            moments = max(moments, sum(side.moment_bytes for side in sides.values()))
            times: list[float] = []
            while not times or (len(times) < most_steps and sum(times) < enough):
                started = time.monotonic()
                steps = span.last_step - span.first_step
                done = max(0, step - span.first_step)
                objective.at_step(done + int((steps - done) * _place(len(times))), steps)
                micro_batches = [objective.prepare(processes.taken(loaded))] * accumulate
                gather_gradients(objective, span.stage.name, micro_batches, sides, processes)
                for side in sides.values():
                    side.reduce(processes)
                gather_further_gradients(objective, span.stage.name, micro_batches, sides, processes)
                if processes.is_cuda:
                    torch.cuda.synchronize(processes.device)
                times.append(time.monotonic() - started)
            step_seconds[span.stage.name] = _of_one_step(times, is_varied=is_varied)
    finally:
        _put_back(objective, moving)
    seconds = sum(
        step_seconds[span.stage.name] * (span.last_step - max(span.first_step, step)) for span in left
    )
    steps = sum(span.last_step - max(span.first_step, step) for span in left)
    return Estimated(
        step_seconds=step_seconds,
        seconds=seconds,
        pictures_per_second=steps * batch * accumulate * processes.count / max(seconds, 1e-9),
        peak_bytes=_peak_bytes(processes) + moments,
    )


def _place(number: int) -> float:
    """Shares of what is left, spread so that any first few of them are spread too: multiples of the golden ratio."""
    return 0.6180339887 * (number + 1) % 1.0


def _of_one_step(times: Sequence[float], *, is_varied: bool) -> float:
    """Seconds a step: the quickest where all are alike, else a mean, without the first one, which also warms up."""
    return sum(times[1:]) / (len(times) - 1) if is_varied and len(times) > 1 else min(times)


def _put_back(objective: Objective, buffers: Mapping[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, buffer in objective.named_buffers():
            buffer.copy_(buffers[name])


def _peak_bytes(processes: Processes) -> int:
    """Most memory this process has held so far: of its GPU, or of the processor's."""
    if processes.is_cuda:
        return int(torch.cuda.max_memory_allocated(processes.device))
    try:
        import resource
    except ImportError:  # Windows has no such count
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
