"""What is known of filling at a moment, in plain data: what runs, what is seen, what the next fill would cost.

The controller makes these, panels show them. No Qt, so that words and numbers are tested without a window.

Elsewhere: who makes them in fill.py; who shows them in panels/.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

FillKind = Literal["draft", "full", "asked"]
"""A quick live answer, a live answer in full, or one that the user asked for and that is never dropped."""

Shown = Literal["nothing", "draft", "full", "outdated"]
"""What the canvas shows in the hole; outdated: a result of an earlier mask, edges or picture."""

DRAFT_WORKING_PX = 256
"""Longest side a draft gives to the networks; a quarter of the work of the full 512."""

SHOWN_WORDS: Mapping[Shown, str] = {
    "nothing": "",
    "draft": "Draft",
    "full": "Full result",
    "outdated": "Earlier result",
}

SHOWN_TIPS: Mapping[Shown, str] = {
    "nothing": "Nothing is filled yet.",
    "draft": "You see a quick draft. The full result follows when you pause, or with Ctrl+Enter.",
    "full": "You see the full result for the mask and edges as they are now.",
    "outdated": "You see a result for an earlier mask or earlier edges. Fill again to bring it up to date.",
}


@dataclass(frozen=True)
class FillState:
    """What the panels show of filling."""

    has_document: bool = False
    has_hole: bool = False
    """Whether the mask selects anything."""
    is_live: bool = False
    running: FillKind | None = None
    share: float = 0.0
    """Of the running job, in [0, 1]."""
    word: str = ""
    """What the running job does now."""
    queued: int = 0
    """Jobs that wait for the running one."""
    shown: Shown = "nothing"
    is_engine_up: bool = False
    """Whether the engine has started and takes jobs."""

    @property
    def can_fill(self) -> bool:
        """Whether a fill has something to do."""
        return self.has_document and self.has_hole

    @property
    def is_busy(self) -> bool:
        """Whether anything runs or waits."""
        return self.running is not None or self.queued > 0

    @property
    def is_waiting_for_engine(self) -> bool:
        """Whether something was asked of an engine that is still starting."""
        return self.queued > 0 and self.running is None and not self.is_engine_up

    @property
    def running_words(self) -> str:
        """What runs, for a progress bar."""
        if self.running is None:
            return ""
        what = {"draft": "Draft", "full": "Full result", "asked": "Fill"}[self.running]
        doing = f": {self.word}" if self.word else ""
        waiting = f", {self.queued} waiting" if self.queued else ""
        return f"{what}{doing}{waiting}"


@dataclass(frozen=True)
class Cost:
    """What the next fill is expected to take on this machine."""

    seconds: float
    memory_bytes: int = 0
    """0 where it is not known."""

    @property
    def words(self) -> str:
        """For the Fill button: "about 0.5 s, 120 MB"."""
        memory = f", {memory_words(self.memory_bytes)}" if self.memory_bytes else ""
        return f"about {seconds_words(self.seconds)}{memory}"

    @property
    def sentence(self) -> str:
        """The words, as a line of its own."""
        return f"{self.words[0].upper()}{self.words[1:]}"


def seconds_words(seconds: float) -> str:
    """A duration as a person says it; two digits are all that a forecast knows."""
    if seconds < 0.095:
        return f"{max(round(seconds * 100) * 10, 10)} ms"
    if seconds < 9.5:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def memory_words(count: int) -> str:
    """Bytes in MB or GB, as system monitors count them."""
    if count < 950e6:
        return f"{max(round(count / 1e6), 1)} MB"
    return f"{count / 1e9:.1f} GB"


def shortage_words(report: Mapping[str, Any], asked_px: object) -> str:
    """What a fill did because memory was short, lower case; empty where there was enough.

    Args:
        report: of the result.
        asked_px: the working size that was asked for.
    """
    used_px, crops = (report.get(key) for key in ("working_size_px", "crops"))
    levels = [
        crop.get("levels_hw")
        for crop in (crops if isinstance(crops, list) else ())
        if isinstance(crop, Mapping)
    ]
    is_coarse_first = any(isinstance(each, list | tuple) and len(each) > 1 for each in levels)
    if isinstance(used_px, int) and isinstance(asked_px, int) and used_px < asked_px and is_coarse_first:
        return f"filled at {used_px} px instead of {asked_px} px"
    if report.get("was_memory_short") is True:
        return f"filled on {report.get('device')} in the end"
    return ""


@dataclass(frozen=True)
class SeamWords:
    """The seam of a result, in words."""

    figure: str
    """The step along the border beside the picture's own, in grey levels of 255."""
    verdict: str
    is_visible: bool


def seam_words(report: Mapping[str, Any]) -> SeamWords | None:
    """The seam figure of a report; None where nothing was measured.

    The step is shown beside the picture's own, because a number alone says nothing: a brick wall has steps everywhere.
    """
    seam = report.get("seam")
    if not isinstance(seam, Mapping) or not seam.get("border_px"):
        return None
    step, own = (float(seam.get(key, 0.0)) * 255 for key in ("colour_step", "picture_colour_step"))
    is_visible = step > 1.1 * own + 0.5  # as engine.seams judges it
    verdict = "may show" if is_visible else "smoothed" if seam.get("corrected") else "not visible"
    return SeamWords(f"{step:.1f} levels, picture {own:.1f}", verdict, is_visible)


MISSING = " (file missing)"
"""Behind the name of weights that are not on this machine."""


@dataclass(frozen=True)
class WeightsListed:
    """One row of the list of weights."""

    name: str
    """For the edit; empty = the family's default."""
    title: str
    tip: str
    is_here: bool = True
    """Whether its file is on this machine."""


def weights_listed(family: str) -> tuple[WeightsListed, ...]:
    """Weights of a family that can be chosen, the default first.

    Raises:
        WeightsError: if a manifest is damaged.
    """
    from engine.weights import WeightsStore

    store = WeightsStore()
    entries = store.entries(family)
    there = [entry for entry in entries if store.path_of(entry).is_file()]
    default = there[0] if there else entries[0] if entries else None
    rows = [
        WeightsListed("", f"Default ({default.name})" if default else "Default", "The first that is there")
    ]
    for entry in entries:
        draft = ", a draft" if entry.status == "draft" else ""
        state = "" if entry in there else MISSING
        tip = f"{entry.name}{draft}\nLicence: {entry.licence or 'not stated'}"
        rows.append(WeightsListed(entry.name, f"{entry.name}{state}", tip, entry in there))
    return tuple(rows)
