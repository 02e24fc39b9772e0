"""Build a retarget edit and its inputs from a document, and a result from the engine's reply.

What is remade is the picture with the fill that is shown. A remade picture is never remade again: each answer is made
from the picture that the first one was made from, so that nothing wears out.

Elsewhere: the shape in retarget_shape.py; the same for fills in edit_builder.py.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from app.document.edit_builder import Provenance
from app.document.flatten import flattened_view, lay_result
from app.document.recipe import Step
from app.document.results import Result
from app.document.retarget_shape import Shape, reason_of
from app.errors import DocumentError
from engine import edits
from engine.corners import AREA_MOST_PX, SIDE_LEAST_PX, SIDE_MOST_PX, fault_of_size
from engine.edits import EditInputs, RetargetEdit

if TYPE_CHECKING:
    from app.document.document import Document
    from app.document.snapshot import Snapshot
    from engine.host import HostReply

FAMILY = "retarget"
NOVELTY = "novelty"
"""Name of the plane in which the engine says how far a pixel was copied or invented."""


class RetargetSettings(edits.RetargetSettings):
    """What the retarget panel sets, beside the shape."""

    is_locked: bool = False
    """Whether what the mask selects keeps its shape."""


def is_retarget(step: Step) -> bool:
    """Whether a step remakes a picture."""
    return step.edit.get("family") == FAMILY


def settings_of(step: Step) -> RetargetSettings:
    """The panel's settings for a result that is opened again.

    Raises:
        pydantic.ValidationError: if a later program wrote the step and this one does not know all of it.
    """
    known = RetargetSettings.model_fields
    own = {key: value for key, value in step.edit.items() if key in known}
    return RetargetSettings(**own, is_locked="lock" in step.inputs)


def shape_of(result: Result) -> Shape:
    """The shape a picture was remade in."""
    corners = result.step.edit.get("corners_xy")
    box = Shape.of_box(result.box_xyxy)
    if not corners:
        return box
    try:
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
        x, y, _, _ = result.box_xyxy
        shape = Shape(((x + ax, y + ay), (x + bx, y + by), (x + cx, y + cy), (x + dx, y + dy)))
    except (TypeError, ValueError):
        return box  # a document from elsewhere may say anything
    return box if shape.fault else shape


def base_of(document: "Document | Snapshot") -> Result | None:
    """The fill that counts as part of the picture: the one that is shown, or that the shown remade picture began with."""
    shown = document.current_result
    if shown is None or not shown.is_whole:
        return shown
    wanted = shown.step.inputs.get("image", {}).get("result")
    return next((one for one in document.results if one.id == wanted and not one.is_whole), None)


def base_picture(document: "Document | Snapshot") -> np.ndarray:
    """The picture that is remade; not to be written to. Of a snapshot on any thread."""
    from app.document.snapshot import Snapshot

    base = base_of(document)
    is_own = isinstance(document, Snapshot)
    picture = document.flatten(with_result=False) if is_own else flattened_view(document)
    if base is None:
        return picture
    h, w = document.size_hw
    picture = picture if is_own else picture.copy()
    lay_result(picture, (0, 0, w, h), base, document.mode)
    return picture


def picture_key(document: "Document") -> str:
    """Names the content of the picture that is remade."""
    base = base_of(document)
    return f"{document.opening_id} {document.picture_revision}{f' {base.id}' if base is not None else ''}"


def retarget_request(
    document: "Document", shape: Shape, settings: RetargetSettings
) -> tuple[RetargetEdit, EditInputs, Provenance]:
    """A retarget edit of the document as it is now.

    Args:
        document: not modified; the mask may be drawn on while the engine runs.
        shape: on the canvas.
        settings: what the panel says.

    Returns:
        The edit, its inputs, and where they came from.

    Raises:
        DocumentError: if the shape or the picture cannot be remade, or the mask leaves nothing that could give way.
    """
    h, w = document.size_hw
    if fault_of_size((h, w)):
        limits = f"{SIDE_LEAST_PX} to {SIDE_MOST_PX} px a side and up to {AREA_MOST_PX // 10**6} megapixels"
        raise DocumentError("picture to remake", limits, f"{w}x{h} px", "make a copy of another size first")
    if reason := reason_of(shape):
        raise DocumentError("shape", "one a picture fits in", reason, "pull the handles apart")
    picked = settings.model_dump(exclude={"is_locked"})
    if shape.is_rectangle:
        edit = RetargetEdit(**picked, target_size_hw=shape.size_hw)
    else:
        edit = RetargetEdit(**picked, corners_xy=shape.placed)
    lock = _lock(document) if settings.is_locked else None
    pictures = [layer.id for layer in document.layers if layer.kind == "picture" and layer.is_visible]
    provenance: Provenance = {"image": {"kind": "layers", "layers": pictures}}
    if (base := base_of(document)) is not None:
        provenance["image"]["result"] = base.id
    if lock is not None:
        provenance["lock"] = {"kind": "layers", "layers": [document.mask_layer.id], "plane": "coverage"}
    return edit, EditInputs(image=base_picture(document), lock=lock), provenance


def remade_result(
    edit: RetargetEdit, reply: "HostReply", shape: Shape, provenance: Provenance | None = None
) -> Result:
    """The result that the engine's reply makes, in its place on the canvas.

    Args:
        edit: what was asked.
        reply: the whole remade picture.
        shape: what was asked for, on the canvas.
        provenance: as `retarget_request` gave it.

    Raises:
        DocumentError: if the reply is not one whole picture of the size that was asked for.
    """
    h, w = shape.size_hw
    if tuple(reply.size_hw) != (h, w) or not reply.patches or reply.box_xyxy != (0, 0, w, h):
        got = f"{reply.size_hw[1]}x{reply.size_hw[0]} px" if reply.patches else "nothing"
        raise DocumentError("remade picture", f"{w}x{h} px", got, "remake it again")
    first = reply.patches[0].pixels
    pixels = np.zeros((h, w, *first.shape[2:]), first.dtype)
    reply.paste_into(pixels)
    report = dict(reply.report)
    step = Step(
        edit=edit.model_dump(mode="json"),
        inputs={} if provenance is None else provenance,
        weights={key: str(value) for key, value in dict(report.get("weights") or {}).items()},
        seed=edit.seed,
        crops=list(report.get("crops") or []),
    )
    x, y, _, _ = shape.box_xyxy
    return Result(
        box_xyxy=(x, y, x + w, y + h),
        pixels=pixels,
        coverage=_coverage(pixels),
        novelty=reply.plane_in(NOVELTY, (0, 0, w, h)),
        is_whole=True,
        step=step,
        report=report,
    )


def _coverage(pixels: np.ndarray) -> np.ndarray:
    """All of a rectangle; what is not clear of a shape with free corners."""
    has_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
    if not has_alpha:
        return np.full(pixels.shape[:2], 255, np.uint8)
    return (pixels[..., -1] > 0).astype(np.uint8) * np.uint8(255)


def _lock(document: "Document") -> np.ndarray | None:
    """What keeps its shape; None where nothing is masked."""
    mask: Any = document.mask_layer
    if not mask.has_any("coverage"):
        return None
    lock: np.ndarray = mask.copy_plane("coverage")
    if lock.all():
        hint = "rub out what may give way"
        said = "everything is masked to be kept, and nothing is left that could give way"
        raise DocumentError(
            "mask", "something left that may change its shape", "all of the picture", hint, said=said
        )
    return lock
