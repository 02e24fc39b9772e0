"""Whether processes go on growing: the least that each holds early in its life, beside the least late in it.

A process that is ended and replaced makes a saw of what its kind holds: it starts low and fills its caches. Values of two
processes are therefore never compared. Each life is judged by itself once it is warm, and what all lives together grew a
second stands for the whole time that was watched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WARM_LIFE_S = 60.0
"""Of each process: what it loads and fills in its first minute is no growth."""
LEAST_SAMPLES = 6
"""A shorter life says too little: each third of it is one or two values."""


@dataclass(frozen=True)
class Sample:
    """One look at a process."""

    at_s: float
    nbytes: int
    """The least it held since the last look, beyond what it says it keeps: what a job takes is no growth."""


@dataclass(frozen=True)
class Growth:
    """What processes grew, in the lives that are long enough to tell."""

    grown_bytes: int
    """In `judged_s`; below 0 where they shrank."""
    judged_s: float
    """Between the early and the late part of each life, added up."""
    covered: float
    """Share of the watched time that these lives take, in [0, 1]."""

    def within(self, seconds: float) -> float:
        """Bytes grown in so many seconds, at the rate that was seen; 0 where nothing was."""
        return self.grown_bytes / self.judged_s * seconds if self.judged_s else 0.0


def growth_of(lives: Mapping[str, Sequence[Sample]], first_s: float, last_s: float) -> Growth:
    """What processes grew between two moments.

    Args:
        lives: all looks at each process, the oldest first.
        first_s: when the watch begins; earlier looks only tell how old a process is.
        last_s: when it ends.
    """
    grown, judged_s, covered_s = 0, 0.0, 0.0
    for life in lives.values():
        warm_s = max(life[0].at_s + WARM_LIFE_S, first_s)
        warm = [sample for sample in life if warm_s <= sample.at_s <= last_s]
        if len(warm) < LEAST_SAMPLES:
            continue
        third = len(warm) // 3
        early, late = warm[:third], warm[-third:]
        grown += min(sample.nbytes for sample in late) - min(sample.nbytes for sample in early)
        judged_s += _middle_s(late) - _middle_s(early)
        covered_s += warm[-1].at_s - warm[0].at_s
    return Growth(grown, judged_s, covered_s / (last_s - first_s))


def _middle_s(samples: Sequence[Sample]) -> float:
    return sum(sample.at_s for sample in samples) / len(samples)
