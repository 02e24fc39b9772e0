"""The picture as a person sees it: with the result that is shown, at that result's own size where it has one.

For what leaves the window: exported files, the clipboard. The canvas keeps its size until such a result becomes a
layer; `flatten` gives what lies on it.
"""

from typing import TYPE_CHECKING

import numpy as np

from app.document.flatten import CHANNELS, flatten

if TYPE_CHECKING:
    from app.document.document import Document
    from app.document.results import Result
    from app.document.snapshot import Snapshot


def seen_mode(document: "Document | Snapshot") -> str:
    """Mode of what is seen; a picture remade with free corners has alpha where the document has none."""
    result = document.current_result
    return document.mode if result is None or not result.is_whole else mode_of(result)


def seen_size_hw(document: "Document | Snapshot") -> tuple[int, int]:
    """Height and width of what is seen in px."""
    result = document.current_result
    return document.size_hw if result is None or not result.is_whole else result.size_hw


def seen_picture(document: "Document | Snapshot") -> np.ndarray:
    """What is seen, as `flatten` gives pictures; not to be written to."""
    from app.document.snapshot import Snapshot

    result = document.current_result
    if result is not None and result.is_whole:
        return result.pixels
    if isinstance(document, Snapshot):
        return document.flatten(with_result=True)
    return flatten(document, with_result=True)


def mode_of(result: "Result") -> str:
    """Mode of a result's own pixels."""
    channels = 1 if result.pixels.ndim == 2 else result.pixels.shape[2]
    return next(mode for mode, count in CHANNELS.items() if count == channels)
