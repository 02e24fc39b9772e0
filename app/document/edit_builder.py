"""Build an edit and its inputs from a document, and a result from the engine's reply.

The inputs are copies where the user may go on drawing: only tiles that were ever written are copied, so that a small
mask on a large canvas costs what it covers.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from app.document.flatten import flatten, flattened_view
from app.document.layers import Layer
from app.document.recipe import Step
from app.document.result_look import thumbnail_of
from app.document.results import Result
from app.document.selection import mask_box
from app.document.tiles import Box, clip_box, is_empty, overlap, shift, slices_of, tile_slices
from app.errors import DocumentError
from engine.edits import EditInputs, InpaintEdit, InpaintSettings

if TYPE_CHECKING:
    from app.document.document import Document
    from engine.host import HostReply

Provenance = dict[str, dict[str, Any]]
"""Where each input of an edit came from, by its name; plain data for a recipe."""

LEAST_MARGIN_PX = 64
"""Around a hole in the frame that is offered first."""


def inpaint_request(
    document: "Document", settings: InpaintSettings
) -> tuple[InpaintEdit, EditInputs, Provenance]:
    """An inpaint edit of the document as it is now.

    The picture is the flattened one without the current result, so that a fill is never filled again. Locked edges are
    those of the current result under the lock: they are drawn, and what is not an edge there is erased.

    Args:
        document: not modified; the mask and edges may be drawn on while the engine runs.
        settings: what the panel says.

    Returns:
        The edit, its inputs, and where they came from.

    Raises:
        DocumentError: if the mask selects nothing.
    """
    mask, edges = document.mask_layer, document.edges_layer
    if not mask.has_any("coverage"):
        hint = "brush over what is to be filled"
        raise DocumentError("mask", "something selected", "nothing", hint, said="nothing is masked yet")
    edit = InpaintEdit(**settings.model_dump())
    drawn, erased = _drawn_and_erased(document)
    inputs = EditInputs(
        image=flattened_view(document),
        mask=mask.copy_plane("coverage"),
        drawn_edges=drawn,
        erased_edges=erased,
    )
    pictures = [layer.id for layer in document.layers if layer.kind == "picture" and layer.is_visible]
    provenance: Provenance = {
        "image": {"kind": "layers", "layers": pictures},
        "mask": _where_from(mask, "coverage"),
    }
    if drawn is not None:
        provenance["drawn_edges"] = _where_from(edges, "drawn")
    if erased is not None:
        provenance["erased_edges"] = _where_from(edges, "erased")
    locking = document.current_result
    if locking is not None and edges.has_any("locked"):
        provenance["locked_edges"] = {**_where_from(edges, "locked"), "result": locking.id}
    return edit, inputs, provenance


def result_from_reply(
    document: "Document",
    edit: InpaintEdit,
    reply: "HostReply",
    provenance: Provenance | None = None,
    *,
    image: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    is_draft: bool = False,
) -> Result:
    """The result that the engine's reply makes on a document.

    Args:
        document: not modified.
        edit: what was asked.
        reply: what changed.
        provenance: as `inpaint_request` gave it.
        image: the picture the engine was given, where the document may have another size or mode since. Where None, the
            document's is still the one.
        mask: the mask the engine was given: the result counts where it is above 0. Where None, the result counts where
            it differs from the picture and where the mask is now.
        is_draft: whether a full result follows.

    Raises:
        DocumentError: if the reply has another size than the picture, or changes nothing.
    """
    h, w = document.size_hw if image is None else image.shape[:2]
    if tuple(reply.size_hw) != (h, w):
        reply_h, reply_w = reply.size_hw
        hint = "fill again"
        raise DocumentError("result", f"{w}x{h} px as the picture", f"{reply_w}x{reply_h} px", hint)
    box: Box = reply.box_xyxy
    if is_empty(box):
        hint = "brush over what is to be filled"
        raise DocumentError(
            "result", "a filled hole", "nothing changed", hint, said="the fill changed nothing"
        )
    picture = flatten(document, box, with_result=False) if image is None else image[slices_of(box)]
    pixels = picture.copy()
    reply.paste_into(pixels, offset_xy=(box[0], box[1]))
    if mask is not None:
        chosen = mask[slices_of(box)] > 0
    else:
        differs = pixels != picture
        chosen = differs if differs.ndim == 2 else differs.any(axis=2)
        chosen |= document.mask_layer.planes["coverage"][slices_of(box)] > 0
    pixels[~chosen] = 0  # nothing is shown there, and it packs to nothing
    edges = reply.edges_in(box)
    report = dict(reply.report)
    step = Step(
        edit=edit.model_dump(mode="json"),
        inputs={} if provenance is None else provenance,
        weights={key: str(value) for key, value in dict(report.get("weights") or {}).items()},
        seed=edit.seed,
        crops=list(report.get("crops") or []),
    )
    made = Result(
        box_xyxy=box,
        pixels=pixels,
        coverage=chosen.astype(np.uint8) * np.uint8(255),
        edges=edges if edges.any() else None,
        step=step,
        is_draft=is_draft,
        report=report,
    )
    whole = flattened_view(document) if image is None else image
    made.keep_thumbnail(thumbnail_of(whole, made, document.mode))
    return made


def usual_frame(document: "Document") -> Box:
    """A frame to start from: the hole and half as much on each side, or all of the picture where there is no hole."""
    h, w = document.size_hw
    hole = mask_box(document)
    if hole is None:
        return (0, 0, w, h)
    x0, y0, x1, y1 = hole
    margin = max(LEAST_MARGIN_PX, (x1 - x0) // 2, (y1 - y0) // 2)
    return clip_box((x0 - margin, y0 - margin, x1 + margin, y1 + margin), (h, w))


def settings_of(step: Step) -> InpaintSettings:
    """The panel's settings for a result that is opened again.

    Raises:
        pydantic.ValidationError: if a later program wrote the step and this one does not know all of it.
    """
    known = InpaintSettings.model_fields
    return InpaintSettings(**{key: value for key, value in step.edit.items() if key in known})


def _drawn_and_erased(document: "Document") -> tuple[np.ndarray | None, np.ndarray | None]:
    """Drawn and erased edges for the engine, with what is locked; None where there are none."""
    layer = document.edges_layer
    drawn = layer.copy_plane("drawn") if layer.has_any("drawn") else None
    erased = layer.copy_plane("erased") if layer.has_any("erased") else None
    result = document.current_result
    if result is None or result.edges is None or not layer.has_any("locked"):
        return drawn, erased
    drawn = np.zeros(layer.size_hw, np.uint8) if drawn is None else drawn
    erased = np.zeros(layer.size_hw, np.uint8) if erased is None else erased
    used = result.edges
    for tile in layer.written_tiles("locked"):
        rows, columns = tile_slices(*tile, layer.size_hw)
        box = overlap((columns.start, rows.start, columns.stop, rows.stop), result.box_xyxy)
        if is_empty(box):
            continue
        place = slices_of(box)
        locked = layer.planes["locked"][place]
        line = used[slices_of(shift(box, (-result.box_xyxy[0], -result.box_xyxy[1])))]
        kept = (locked.astype(np.uint16) * line + 127) // 255
        np.maximum(drawn[place], kept.astype(np.uint8), out=drawn[place])
        np.maximum(erased[place], locked, out=erased[place])
    return drawn, erased


def _where_from(layer: Layer, plane: str) -> dict[str, Any]:
    """Where a plane came from: its strokes where it has some, else the layer itself."""
    strokes = [stroke.id for stroke in layer.strokes if stroke.target == plane]
    if strokes:
        return {"kind": "strokes", "layer": layer.id, "plane": plane, "strokes": strokes}
    return {"kind": "layers", "layers": [layer.id], "plane": plane}
