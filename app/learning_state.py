"""How far learning a picture is, as its panel shows it. No Qt.

Elsewhere: who keeps it in learning.py.
"""

from dataclasses import dataclass
from typing import Literal

Phase = Literal[
    "none",
    "idle",
    "preparing",
    "asking",
    "learning",
    "saving",
    "paused",
    "keeping",
    "kept",
    "carried",
    "failed",
]


@dataclass(frozen=True)
class LearningState:
    """What the panel shows of learning."""

    phase: Phase = "none"
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    loss: float | None = None
    seconds: float = 0.0
    """All that it will take; while it is asked whether to start."""
    words: str = ""
    """What went wrong, what was noted, or the name it was kept by."""
    has_weights: bool = False
    """Whether anything is learned that can be used."""
    is_other: bool = False
    """Whether it was another picture that was learned: the document's was changed since."""
    kept_bytes: int = 0
    """Size of the user's weights that learned this picture; 0 where there are none."""
    carried_bytes: int = 0
    """Size of what the document carries of what was learned; 0 where it carries nothing."""
