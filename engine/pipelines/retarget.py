"""Remake a picture at another size or in another shape, its elements at their own size.

Instant: the picture's patches are put together anew (see engine/patches). Every pixel of the result knows which pixel of
the picture it came from; transparency comes from there, and the map of what is invented. A large picture is searched as
a small copy, and its own pixels are moved as that says.

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
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from engine.corners import (
    AREA_MOST_PX,
    MARGIN_PX,
    OFFICIAL_MULTIPLE,
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
from engine.patches import enlarging, quad
from engine.patches.reduction import LIMIT_PX, Reduction, reduction
from engine.patches.remake import Remade, remake
from engine.pictures import PICTURE_KEY, picture_sha256
from engine.pipelines.exchange import Demand, Outcome, Tools
from engine.pipelines.pixels import bytes_of, colours_of, floats_of, rgb_of
from engine.seams import Seam

CALLS: Mapping[str, str] = {"generator": "forward"}
"""Which function of which network the pipeline calls."""

_BAND_PX = 1 << 20
"""Pixels that are held as floats at a time while a result is put together."""
STRANGE_NOTE = "these weights were learned on another picture: they will paint that one"
LOCK_NOTE = "the lock was not looked at: learned networks remake everything, the instant method keeps a part"


def demand(edit: RetargetEdit, inputs: EditInputs) -> Demand:
    """What a remake will need.

    Raises:
        PictureError: if the picture is too small or too large.
    """
    h, w = inputs.size_hw
    least_px = OFFICIAL_MULTIPLE if edit.is_official_match else SIDE_LEAST_PX
    if not all(least_px <= side <= SIDE_MOST_PX for side in (h, w)):
        hint = "there is too little to go by" if min(h, w) < least_px else "make it smaller first"
        expected = f"a picture with sides from {least_px} to {SIDE_MOST_PX} px"
        raise PictureError("image", expected, f"{w}x{h} px", hint)
    if h * w > AREA_MOST_PX:
        expected = f"a picture of at most {AREA_MOST_PX // 10**6} megapixels"
        raise PictureError("image", expected, f"{w}x{h} px", "make it smaller first")
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
    """(H, W) bool: what keeps its shape; None for nothing."""
    if inputs.lock is None:
        return None
    plane = inputs.lock
    lock = (plane_values("lock", plane) if plane.dtype == np.float32 else plane) > 0
    if lock.all():
        hint = "nothing is left to remake, unlock what may change"
        said = "everything is masked to be kept, and nothing is left to remake"
        raise MaskError("lock", "a part of the picture left unlocked", "everything locked", hint, said=said)
    return lock if lock.any() else None


def _remade(edit: RetargetEdit, inputs: EditInputs, lock: np.ndarray | None, tools: Tools) -> Outcome:
    small = reduction(inputs.size_hw, edit.result_hw, LIMIT_PX[edit.quality])
    if small is not None:
        return _remade_large(edit, inputs, lock, small, tools)
    corners = _corners_of(edit)
    with tools.clock("remake"):
        made = _searched(edit, floats_of(rgb_of(inputs.image)), edit.result_hw, corners, lock, tools)
    with tools.clock("composite"):
        alpha = _alpha_of(inputs.image)
        if alpha is not None:
            alpha = alpha[made.field_xy[..., 1], made.field_xy[..., 0]]
        image = _cut_out(_like(inputs.image, made.image, alpha), corners)
    tools.steps.finish("done")
    return Outcome(image, (_crop(inputs.size_hw, edit.result_hw),), novelty=bytes_of(made.novelty))


def _remade_large(
    edit: RetargetEdit, inputs: EditInputs, lock: np.ndarray | None, small: Reduction, tools: Tools
) -> Outcome:
    """Search a small copy, and move the picture's own pixels as that says."""
    corners = _corners_of(edit)
    small_lock = None if lock is None else enlarging.reduced_lock(lock, small.source_hw)
    ends = quad.rectangle(small.target_hw) if corners is None else small.points(np.array(corners))
    with tools.clock("remake"):
        seen = enlarging.reduced(rgb_of(inputs.image), small.source_hw)
        made = _searched(
            edit, seen, small.target_hw, None if corners is None else ends.tolist(), small_lock, tools
        )
    with tools.clock("composite"):
        novelty = enlarging.map_up(bytes_of(made.novelty), edit.result_hw)
        image = enlarging.moved_up(
            inputs.image,
            edit.result_hw,
            made.field_xy,
            small.scale_yx,
            tools.steps.look,
            is_known=None if corners is None else quad.inside(ends, small.target_hw),
        )
        if lock is not None and small_lock is not None:
            enlarging.stamp_up(small_lock, lock, ends, small, inputs.image, image, novelty)
        image = _cut_out(image, corners)
    tools.steps.finish("done")
    return Outcome(image, (_crop(inputs.size_hw, edit.result_hw),), novelty=novelty)


def _searched(
    edit: RetargetEdit,
    picture: np.ndarray,
    size_hw: tuple[int, int],
    corners: Sequence[tuple[float, float]] | None,
    lock: np.ndarray | None,
    tools: Tools,
) -> Remade:
    return remake(
        picture,
        size_hw,
        corners_xy=corners,
        lock=lock,
        seed=edit.seed,
        device=tools.device,
        steps=tools.steps,
        completeness=edit.completeness,
    )


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
        image = _cut_out(_like(inputs.image, made, alpha), corners)
    tools.steps.finish("done")
    return Outcome(image, (_crop(inputs.size_hw, (h, w)),), tuple(notes))


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
        image = _like(kept, made, _drawn_out(_alpha_of(kept), (h, w), None))
    tools.steps.finish("done")
    return Outcome(image, (_crop(inputs.size_hw, (h, w)),), tuple(_strangeness(inputs, tools)))


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


def _like(image: np.ndarray, made: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """Set (h, w, 3) colours in [0, 1] and transparency together as ``image`` has them."""
    top = np.float32(np.iinfo(image.dtype).max)
    is_grey = image.ndim == 2 or image.shape[2] < 3
    pixels = np.empty((*made.shape[:2], *image.shape[2:]), image.dtype)
    colours = colours_of(pixels)
    for rows in _bands(made.shape[:2]):
        part = (made[rows] @ np.array(LUMA, np.float32))[..., None] if is_grey else made[rows]
        colours[rows] = np.rint(np.clip(part * top, 0, top))
    if alpha is not None:
        pixels[..., -1] = alpha
    return pixels


def _cut_out(pixels: np.ndarray, corners: Corners | None) -> np.ndarray:
    """The same picture, clear outside of four corners, and black there; with an alpha channel more if it has none."""
    if corners is None:
        return pixels
    h, w = pixels.shape[:2]
    colours, alpha = colours_of(pixels), _alpha_of(pixels)
    top = np.iinfo(pixels.dtype).max
    cut = np.empty((h, w, colours.shape[2] + 1), pixels.dtype)
    for rows in _bands((h, w)):
        inside = coverage_of(corners, range(h)[rows], w)
        cut[rows, :, :-1] = colours[rows] * (inside > 0)[..., None]
        cut[rows, :, -1] = np.rint((top if alpha is None else alpha[rows].astype(np.float32)) * inside)
    return cut


def _bands(size_hw: tuple[int, int]) -> Iterator[slice]:
    """Rows from top to bottom, some at a time."""
    step = max(1, _BAND_PX // size_hw[1])
    for top in range(0, size_hw[0], step):
        yield slice(top, top + step)


def _crop(source_hw: tuple[int, int], size_hw: tuple[int, int]) -> dict[str, Any]:
    """The whole result as one crop, since all of it changed."""
    h, w = size_hw
    box = [0, 0, w, h]
    return {
        "frame": box,
        "hole": box,
        "hole_px": h * w,
        "source_hw": list(source_hw),
        "levels_hw": [[h, w]],
        "windows": 0,
        "seam": Seam().as_dict(),
    }
