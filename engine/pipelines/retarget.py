"""Remake a picture at another size or in another shape, its elements at their own size.

Instant: the picture's patches are put together anew (see engine/patches). Every pixel of the result knows which pixel of
the picture it came from; transparency comes from there, and the map of what is invented.

Learned: one pass of networks that learned this one picture. A frame a little larger is asked for, whose sides are
multiples of their own size rule, and cut. Transparency is drawn out like the frame. Where memory
is short, the picture is remade smaller and enlarged.

Four corners make a result with transparency: what lies outside of them is gone.

The published test routine cuts the picture to multiples of 8 px and gives frames of such sizes, in training mode; that is
what ``is_official_match`` does.

Letters: h, w sides of the result in px.
Sources: Granot et al., "Drop the GAN: In Defense of Patches Nearest Neighbors as Single Image Generative Models",
    CVPR 2022, arXiv:2103.15545; Shocher et al., "InGAN: Capturing and Retargeting the 'DNA' of a Natural Image", ICCV
    2019, arXiv:1812.00231.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.corners import (
    MARGIN_PX,
    SIDE_LEAST_PX,
    SIDE_MOST_PX,
    Corners,
    coverage_of,
    placed,
    with_margin,
)
from engine.edges import LUMA
from engine.edits import EditInputs, RetargetEdit, plane_values
from engine.errors import MaskError, PictureError
from engine.patches import quad
from engine.patches.remake import remake
from engine.pictures import PICTURE_KEY, picture_sha256
from engine.pipelines.exchange import Demand, Outcome, Tools
from engine.pipelines.pixels import bytes_of, floats_of, rgb_of
from engine.seams import Seam

CALLS: Mapping[str, str] = {"generator": "forward"}
"""Which function of which network the pipeline calls."""

OFFICIAL_MULTIPLE = 8
"""Sides of the published routine's pictures are multiples of this."""
STRANGE_NOTE = "these weights were learned on another picture: they will paint that one"
LOCK_NOTE = "the lock was not looked at: learned networks remake everything, the instant method keeps a part"


def demand(edit: RetargetEdit, inputs: EditInputs) -> Demand:
    """What a remake will need.

    Raises:
        PictureError: if the picture is too small or too large.
    """
    h, w = inputs.size_hw
    if not all(SIDE_LEAST_PX <= side <= SIDE_MOST_PX for side in (h, w)):
        hint = "there is too little to go by" if min(h, w) < SIDE_LEAST_PX else "make it smaller first"
        expected = f"a picture with sides from {SIDE_LEAST_PX} to {SIDE_MOST_PX} px"
        raise PictureError("image", expected, f"{w}x{h} px", hint)
    area = max(h * w, math.prod(edit.result_hw))
    is_instant = edit.method == "instant"
    is_unnamed = not (is_instant or edit.weights or edit.is_official_match)
    return Demand(
        math.ceil(math.sqrt(area)),
        has_networks=not is_instant,
        picture=picture_sha256(inputs.image) if is_unnamed else "",
        is_fixed=is_instant or edit.is_official_match,
        is_published=edit.is_official_match,
    )


def run(edit: RetargetEdit, inputs: EditInputs, tools: Tools) -> Outcome:
    """Remake the picture.

    Args:
        edit: settled, see `RetargetEdit.settled`.
        inputs: not modified.
        tools: device, networks, progress.

    Returns:
        The result in the picture's depth; with transparency where the picture has it or corners were given.

    Raises:
        MaskError: if the lock covers everything or leaves [0, 1].
        Cancelled: if asked to stop.
    """
    lock = _lock_of(inputs)
    if edit.method == "instant":
        return _remade(edit, inputs, lock, tools)
    if edit.is_official_match:
        return _as_published(edit, inputs, tools)
    return _learned(edit, inputs, lock, tools)


def _lock_of(inputs: EditInputs) -> np.ndarray | None:
    if inputs.lock is None:
        return None
    lock = plane_values("lock", inputs.lock)
    if (lock > 0).all():
        hint = "nothing is left to remake, unlock what may change"
        raise MaskError("lock", "a part of the picture left unlocked", "everything locked", hint)
    return lock if lock.any() else None


def _remade(edit: RetargetEdit, inputs: EditInputs, lock: np.ndarray | None, tools: Tools) -> Outcome:
    corners = _corners_of(edit)
    with tools.clock("remake"):
        made = remake(
            floats_of(rgb_of(inputs.image)),
            edit.result_hw,
            corners_xy=corners,
            lock=lock,
            seed=edit.seed,
            quality=edit.quality,
            device=tools.device,
            steps=tools.steps,
            completeness=edit.completeness,
        )
    with tools.clock("composite"):
        alpha = _alpha_of(inputs.image)
        if alpha is not None:
            alpha = alpha[made.field_xy[..., 1], made.field_xy[..., 0]]
        image = _like(inputs.image, made.image, alpha, corners)
    tools.steps.finish("done")
    return Outcome(image, (_crop(edit.result_hw),), novelty=bytes_of(made.novelty))


def _learned(edit: RetargetEdit, inputs: EditInputs, lock: np.ndarray | None, tools: Tools) -> Outcome:
    import cv2

    h, w = edit.result_hw
    corners = _corners_of(edit)
    share = min(tools.working_px / demand(edit, inputs).working_px, 1.0)
    seen = floats_of(rgb_of(inputs.image))
    if share < 1:
        small_hw = [max(round(side * share), OFFICIAL_MULTIPLE) for side in inputs.size_hw]
        seen = cv2.resize(seen, small_hw[::-1], interpolation=cv2.INTER_AREA)
    made_hw = (max(round(h * share), 1), max(round(w * share), 1))
    tools.steps.restart(1)
    tools.steps.begin("remake")
    with tools.clock("remake"):
        made = _frame(seen, made_hw, _scaled(corners, share), tools)
    notes = [LOCK_NOTE] if lock is not None else []
    notes += _strangeness(inputs, tools)
    if share < 1:
        notes.append(f"remade at {made_hw[1]}x{made_hw[0]} px and enlarged: memory is short")
        made = np.clip(cv2.resize(made, (w, h), interpolation=cv2.INTER_CUBIC), 0, 1)
    tools.steps.end("remake", bytes_of(made), (0, 0, w, h))
    with tools.clock("composite"):
        alpha = _drawn_out(_alpha_of(inputs.image), (h, w), corners)
        image = _like(inputs.image, made, alpha, corners)
    tools.steps.finish("done")
    return Outcome(image, (_crop((h, w)),), tuple(notes))


def _as_published(edit: RetargetEdit, inputs: EditInputs, tools: Tools) -> Outcome:
    """Both sizes cut down to multiples of 8 px, one pass."""

    def cut(side: int) -> int:
        return side // OFFICIAL_MULTIPLE * OFFICIAL_MULTIPLE

    h, w = (cut(side) for side in edit.result_hw)
    kept = inputs.image[: cut(inputs.size_hw[0]), : cut(inputs.size_hw[1])]
    tools.steps.restart(1)
    tools.steps.begin("remake")
    with tools.clock("remake"):
        made = tools.calls["generator"](floats_of(rgb_of(kept)), size_hw=(h, w))
    tools.steps.end("remake", bytes_of(made), (0, 0, w, h))
    with tools.clock("composite"):
        image = _like(kept, made, _drawn_out(_alpha_of(kept), (h, w), None), None)
    tools.steps.finish("done")
    return Outcome(image, (_crop((h, w)),), tuple(_strangeness(inputs, tools)))


def _frame(seen: np.ndarray, size_hw: tuple[int, int], corners: Corners | None, tools: Tools) -> np.ndarray:
    """Ask the network for a frame of any size: (h, w, 3) float32 in [0, 1]."""
    frame_hw, corners = with_margin(size_hw, corners, tools.size_multiple)
    made = tools.calls["generator"](seen, size_hw=frame_hw, corners=corners)
    kept = (slice(MARGIN_PX, MARGIN_PX + side) for side in size_hw)
    return np.asarray(np.clip(made[*kept], 0, 1))


def _strangeness(inputs: EditInputs, tools: Tools) -> list[str]:
    """What is to be said if the weights belong to another picture; some do not say what they learned."""
    learned = tools.metadata.get(PICTURE_KEY)
    return [STRANGE_NOTE] if learned is not None and learned != picture_sha256(inputs.image) else []


def _corners_of(edit: RetargetEdit) -> Corners | None:
    return None if edit.corners_xy is None else placed(edit.corners_xy)


def _scaled(corners: Corners | None, share: float) -> Corners | None:
    if corners is None:
        return None
    first, second, third, fourth = ((x * share, y * share) for x, y in corners)
    return first, second, third, fourth


def _alpha_of(image: np.ndarray) -> np.ndarray | None:
    """The transparency as in the file; None where there is none."""
    return image[..., -1] if image.ndim == 3 and image.shape[2] in (2, 4) else None


def _drawn_out(
    alpha: np.ndarray | None, size_hw: tuple[int, int], corners: Corners | None
) -> np.ndarray | None:
    """Transparency brought to a new frame like any picture, in its own type."""
    if alpha is None:
        return None
    start = quad.rectangle((alpha.shape[0], alpha.shape[1]))
    end = quad.rectangle(size_hw) if corners is None else np.array(corners)
    values = quad.warp(rgb_of(floats_of(alpha)), start, end, size_hw)[..., 0]
    return np.asarray(np.rint(np.clip(values, 0, 1) * np.iinfo(alpha.dtype).max), alpha.dtype)


def _like(
    image: np.ndarray, made: np.ndarray, alpha: np.ndarray | None, corners: Corners | None
) -> np.ndarray:
    """Set (h, w, 3) colours in [0, 1] and transparency together as ``image`` has them."""
    top = np.float32(np.iinfo(image.dtype).max)
    is_grey = image.ndim == 2 or image.shape[2] < 3
    colours = (made @ np.array(LUMA, np.float32))[..., None] if is_grey else made
    pixels = np.asarray(np.rint(np.clip(colours * top, 0, top)), image.dtype)
    if corners is not None:
        inside = coverage_of(corners, (made.shape[0], made.shape[1]))
        whole = np.full(inside.shape, top) if alpha is None else alpha.astype(np.float32)
        alpha = np.asarray(np.rint(whole * inside), image.dtype)
    if alpha is not None:
        return np.concatenate([pixels, alpha[..., None]], axis=2)
    return pixels[..., 0] if image.ndim == 2 else pixels


def _crop(size_hw: tuple[int, int]) -> dict[str, Any]:
    """The whole result as one crop, since all of it changed."""
    h, w = size_hw
    box = [0, 0, w, h]
    return {
        "frame": box,
        "hole": box,
        "hole_px": h * w,
        "levels_hw": [[h, w]],
        "windows": 0,
        "seam": Seam().as_dict(),
    }
