"""Where each stage of a run begins and ends, and how fast it learns on the way."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import TrainingError
from models.objective import Stage

COSINE_END = 0.05
"""Where the cosine schedule ends, as a share of the full rate: low enough to settle, not so low that it stops."""


@dataclass(frozen=True)
class StageSpan:
    """A stage and its steps."""

    stage: Stage
    """Which."""

    first_step: int
    """Number of its first step, counted over the whole run."""

    last_step: int
    """The number after its last one."""


def spans(stages: Sequence[Stage], steps: int, only: str = "") -> list[StageSpan]:
    """Share the steps of a run out among its stages, in order.

    Args:
        stages: of the objective; their shares sum to 1.
        steps: of the whole run.
        only: name of the one stage to run; empty = all.

    Returns:
        Spans without gaps from 0 to ``steps``; a stage whose share is less than a step is left out.

    Raises:
        TrainingError: if there is no stage of that name.
    """
    if only:
        named = [stage for stage in stages if stage.name == only]
        if not named:
            names = ", ".join(stage.name for stage in stages)
            raise TrainingError(
                "stage", f"one of {names}", repr(only), "leave it out to run them all in order"
            )
        return [StageSpan(named[0], 0, steps)]
    found = []
    share, first = 0.0, 0
    for number, stage in enumerate(stages):
        share += stage.share
        last = steps if number == len(stages) - 1 else min(steps, round(steps * share))
        if last > first:
            found.append(StageSpan(stage, first, last))
        first = last
    return found


def learning_rate_factor(step: int, steps: int, *, warmup: int, schedule: str) -> float:
    """The rate of a step as a share of the stage's full rate.

    Args:
        step: within the stage, from 0.
        steps: of the stage.
        warmup: steps over which the rate climbs in a straight line.
        schedule: ``cosine`` or ``constant`` after that.

    Returns:
        In (0, 1].
    """
    climb = min(1.0, (step + 1) / (warmup + 1))
    if schedule == "constant":
        return climb
    done = max(0, step - warmup) / max(1, steps - warmup)
    return climb * (COSINE_END + (1.0 - COSINE_END) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done))))
