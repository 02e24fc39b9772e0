"""What a document tells its observers, on the thread that made the change, once the change is whole.

A box is in the pixels of its plane; ``canvas_box`` is the same place on the canvas.

The journal follows these alone: `ResultArrived`, `ResultDropped` and `LearnedArrived` for what no undo takes away, and
`EntryCommitted`, `EntryUndone`, `EntryRedone` for the history. Each of the three names exactly one entry, in the order
of the history; see `Document.apply_entry`, `undo_entry` and `redo_entry` for playing them back.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.document.tiles import Box

if TYPE_CHECKING:
    from app.document.history import Entry
    from app.document.learned import Learned
    from app.document.results import Result


@dataclass(frozen=True)
class PixelsChanged:
    """Values of a plane changed, also while a stroke is being drawn."""

    layer_id: str
    plane: str
    box: Box
    canvas_box: Box


@dataclass(frozen=True)
class CanvasChanged:
    """The canvas has another size or mode; mask and edges have planes of that size now."""

    size_hw: tuple[int, int]


@dataclass(frozen=True)
class LayerListChanged:
    """Layers came, went or changed their order."""


@dataclass(frozen=True)
class LayerChanged:
    """A layer's name, place, opacity, visibility, recipe step or strokes changed."""

    layer_id: str


@dataclass(frozen=True)
class ActiveLayerChanged:
    """Another layer is worked on."""

    layer_id: str


@dataclass(frozen=True)
class ResultsChanged:
    """The list of results, or a star, changed."""


@dataclass(frozen=True)
class ResultArrived:
    """A result was added; comes before it is made current."""

    result: "Result"


@dataclass(frozen=True)
class ResultDropped:
    """A draft was replaced by the full result and is gone for good."""

    result_id: str


@dataclass(frozen=True)
class LearnedArrived:
    """What was learned of the picture came into the document."""

    learned: "Learned"


@dataclass(frozen=True)
class LearnedChanged:
    """The document carries something else that was learned, or nothing."""


@dataclass(frozen=True)
class CurrentResultChanged:
    """Another result, or none, is shown."""

    result_id: str | None = None


@dataclass(frozen=True)
class HistoryChanged:
    """What can be undone or redone changed, or whether there is something to save."""


@dataclass(frozen=True)
class EntryCommitted:
    """An entry was added to the history."""

    entry: "Entry"


@dataclass(frozen=True)
class EntryUndone:
    """The newest entry was taken back."""

    entry: "Entry"


@dataclass(frozen=True)
class EntryRedone:
    """The entry taken back last was done again."""

    entry: "Entry"


@dataclass(frozen=True)
class Saved:
    """The document was written to its file."""

    path: Path | None


Event = (
    PixelsChanged
    | CanvasChanged
    | LayerListChanged
    | LayerChanged
    | ActiveLayerChanged
    | ResultsChanged
    | ResultArrived
    | ResultDropped
    | LearnedArrived
    | LearnedChanged
    | CurrentResultChanged
    | HistoryChanged
    | EntryCommitted
    | EntryUndone
    | EntryRedone
    | Saved
)
"""Anything an observer may get."""
