"""What is known of remaking a picture, as the panel shows it. No Qt.

Elsewhere: who keeps it in retarget.py.
"""

from dataclasses import dataclass

from app.document.document import Document
from app.document.results import Result
from app.document.retarget_shape import Shape
from engine.corners import AREA_MOST_PX, SIDE_LEAST_PX, SIDE_MOST_PX, fault_of_size


@dataclass(frozen=True)
class RetargetState:
    """What the panel shows of remaking."""

    shape: Shape | None = None
    """None without a document."""
    reason: str = ""
    """Why the handle that is pulled goes no further, or why this picture cannot be remade at all."""
    can_remake: bool = False
    is_waiting: bool = False
    """Whether the picture that is seen is not the one of this shape."""
    is_busy: bool = False
    share: float = 0.0
    word: str = ""
    is_engine_up: bool = False
    has_mask: bool = False
    """Whether anything is masked that could be kept."""
    has_remade: bool = False
    """Whether a remade picture is shown."""
    has_map: bool = False
    """Whether it is known what of it was invented."""
    invented: float = 0.0
    """Share of it that was."""
    is_painted: bool = False
    """Whether networks painted all of it."""
    note: str = ""
    """What the engine noted when it was made; empty for nothing."""


def note_of(result: Result | None) -> str:
    """The first note of a result's report, as a sentence."""
    notes = result.report.get("notes") if result is not None else None
    if not isinstance(notes, list) or not notes:
        return ""
    words = str(notes[0])
    return f"{words[:1].upper()}{words[1:]}."


def picture_fault(document: Document) -> str:
    """Why the picture of a document cannot be remade at all; empty where it can."""
    if not fault_of_size(document.size_hw):
        return ""
    most = f"{AREA_MOST_PX // 10**6} megapixels"
    return f"Pictures of {SIDE_LEAST_PX} to {SIDE_MOST_PX} px a side and up to {most} can be remade"
