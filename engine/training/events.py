"""What a run tells whoever listens: one frozen dataclass an event, handed to the ``report`` callback.

The command line draws a bar from these, the window a page, ``python -m engine.training`` plain lines. Only the first
process of several reports.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

NoticeKind = Literal["plain", "duration", "picture", "large_picture", "resumed"]
"""How long learning takes; which picture is learned; that it is large for its crops; from where learning goes on."""


@dataclass(frozen=True)
class Notice:
    """Something worth a line: what is off, what was found, what is going on."""

    text: str
    """One sentence, lower case, no full stop."""
    kind: NoticeKind = "plain"
    """What it is about, for those who tell it in their own way."""


@dataclass(frozen=True)
class Skipped:
    """A file that is left out; told once a file."""

    name: str
    """Which one."""

    reason: str
    """Why."""


@dataclass(frozen=True)
class Estimated:
    """What the run will take, measured on a few steps that changed nothing."""

    step_seconds: Mapping[str, float]
    """Seconds a step, by stage."""

    seconds: float
    """For all steps that are left."""

    pictures_per_second: float
    """Mean over those steps, over all processes."""

    peak_bytes: int
    """Largest memory of one process: of its GPU, or of the process on a CPU."""


@dataclass(frozen=True)
class StageStarted:
    """A stage begins, or goes on after a stop."""

    stage: str
    """Its name."""

    summary: str
    """What is learned, one line."""

    first_step: int
    """The step at which it begins."""

    last_step: int
    """The step before which it ends."""


@dataclass(frozen=True)
class Stepped:
    """A step is done; comes after every one."""

    step: int
    """Steps done so far."""

    steps: int
    """Steps of the whole run."""

    stage: str
    """Where."""


@dataclass(frozen=True)
class Measured:
    """A line of metrics: means since the line before."""

    step: int
    """Steps done so far."""

    steps: int
    """Steps of the whole run."""

    stage: str
    """Where."""

    terms: Mapping[str, float]
    """Loss terms, weighted as they are learned: ``generator/fill_l1`` and so on."""

    metrics: Mapping[str, float]
    """Numbers for people on the last batch: edge precision and recall, L1 in the hole, PSNR."""

    pictures_per_second: float
    """Over all processes."""

    seconds: float
    """Since the run began, earlier parts of a resumed run included."""

    seconds_left: float
    """At the present pace."""


@dataclass(frozen=True)
class Written:
    """A file is complete."""

    kind: str
    """``checkpoint``, ``preview``, ``weights``, ``discriminators``, ``options``, ``film``, or ``snapshot``: the weights as they are
    now, and then the picture they paint; these two come every few seconds."""

    path: Path
    """Where it lies."""


Event = Notice | Skipped | Estimated | StageStarted | Stepped | Measured | Written

Report = Callable[[Event], None]
"""Called in the training thread; must be quick."""


def duration(seconds: float) -> str:
    """Hours, minutes and seconds, the first two where they count: ``1 h 05 min``, ``3 min 20 s``, ``12 s``."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    if whole >= 60:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole} s"
