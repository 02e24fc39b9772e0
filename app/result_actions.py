"""What can be done with a result: show, star, delete, apply as a layer. Each is one step that undo takes back. No Qt.

Elsewhere: who calls these in fill.py; results themselves in document/results.py.
"""

import numpy as np

from app.document.document import Document, Transaction
from app.document.layers import Layer
from app.document.result_ops import ResultChanged
from app.document.results import Result

SHOWING = "show result"
"""Merge key: walking through the strip is one step back, not one for each result passed."""


def show_result(document: Document, result_id: str | None) -> None:
    """Show a result, or the picture without one."""
    if result_id == document.current_result_id:
        return
    label = "Show result" if result_id is not None else "Show picture"
    with document.begin(label, merge_key=SHOWING) as transaction:
        transaction.set_current_result(result_id)


def show_picture(document: Document) -> None:
    """Show the picture without a result; where that was undone just now it is done again, and what came after stays."""
    entry = document.history.next_redo
    hidden = ResultChanged(document.current_result_id, None)
    if entry is not None and entry.ops == (hidden,) and document.redo() and document.current_result is None:
        return
    show_result(document, None)


def star_results(document: Document, result_ids: list[str], is_starred: bool) -> None:
    """Mark results as ones to keep, or take the mark back."""
    changing = [one for one in result_ids if document.result(one).is_starred != is_starred]
    if changing:
        with document.begin("Star result" if is_starred else "Unstar result") as transaction:
            for one in changing:
                transaction.star_result(one, is_starred)


def delete_results(document: Document, result_ids: list[str]) -> None:
    """Remove results from the strip; if the shown one goes, the picture shows without a fill."""
    if not result_ids:
        return
    label = "Delete result" if len(result_ids) == 1 else f"Delete {len(result_ids)} results"
    with document.begin(label) as transaction:
        for one in result_ids:
            transaction.remove_result(one)


def apply_result(document: Document) -> Layer | None:
    """Make the shown result a picture layer above the others, and clear the mask and the edges it was made from.

    What was seen is seen on: with a remade picture the canvas takes that one's size, and where it is clear, alpha; what
    would show through from below is hidden.

    Returns:
        The layer; None if nothing is shown.
    """
    result = document.current_result
    if result is None:
        return None
    count = sum(layer.step is not None for layer in document.layers)
    layer = Layer(
        kind="picture",
        name=f"{'Retarget' if result.is_whole else 'Fill'} {count + 1}",
        planes={"pixels": with_coverage(result)},
        origin_xy=(0, 0) if result.is_whole else (result.box_xyxy[0], result.box_xyxy[1]),
        step=result.step,
    )
    with document.begin("Apply as layer") as transaction:
        if result.is_whole:
            _make_place(document, transaction, layer)
        transaction.add_layer(layer)
        for guide in _guides_of(document, result):
            for plane in guide.planes:
                transaction.clear_plane(guide.id, plane)
            transaction.clear_strokes(guide.id)
        transaction.set_current_result(None)
    return layer


def _make_place(document: Document, transaction: Transaction, layer: Layer) -> None:
    """Give the canvas the size of a remade picture, and let nothing be seen through its clear parts."""
    alpha = layer.planes["pixels"][..., -1]
    is_clear = bool(alpha.min() < np.iinfo(alpha.dtype).max)
    for below in document.layers if is_clear else ():
        if below.kind == "picture" and below.is_visible:
            transaction.set_layer(below.id, is_visible=False)
    mode = document.mode
    transaction.set_canvas(layer.size_hw, f"{mode}A" if is_clear and not mode.endswith("A") else mode)


def _guides_of(document: Document, result: Result) -> tuple[Layer, ...]:
    """The mask and the edges that a result was made from: they belong to the picture as it was."""
    if not result.is_whole:
        return document.mask_layer, document.edges_layer
    return (document.mask_layer,) if "lock" in result.step.inputs else ()


def with_coverage(result: Result) -> np.ndarray:
    """A result's pixels with alpha, transparent where the result does not count.

    The fill was blended into the picture by the engine already, so what counts at all counts in full.
    """
    pixels = result.pixels if result.pixels.ndim == 3 else result.pixels[:, :, None]
    top = np.iinfo(pixels.dtype).max
    covered = result.coverage > 0
    has_alpha = pixels.shape[2] in (2, 4)
    colours = pixels[..., :-1] if has_alpha else pixels
    alpha = pixels[..., -1:] if has_alpha else np.full((*pixels.shape[:2], 1), top, pixels.dtype)
    alpha = np.where(covered[..., None], alpha, 0).astype(pixels.dtype)
    return np.ascontiguousarray(np.concatenate([colours, alpha], axis=2))
