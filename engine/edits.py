"""What is asked of the engine: an edit (parameters) and its inputs (arrays).

The two are kept apart on purpose. An edit is small and plain: it goes into a recipe as JSON, onto a command line as
flags, across a process as text. Inputs are large: pictures and masks, by name, as the file had them. Panel, command
line and recipe build the same pair, so all three get the same pixels.

One family, one edit class. ``Edit`` is what any reader accepts, told apart by ``family``; a new family adds its class
below and its name to ``Edit``. Importing this file imports no torch.

Elsewhere: which corners are a shape in corners.py.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

from engine.corners import OFFICIAL_RESULT_LEAST_PX, SIDE_LEAST_PX, Corners, fault_of, fault_of_size, frame_hw
from engine.errors import MaskError, PictureError

INPUT_PLANES = ("mask", "drawn_edges", "erased_edges", "lock")
"""Inputs beside the picture, of its height and width."""
MASK_TYPES = ("bool", "uint8", "uint16", "float32")
EXPAND_LIMIT_PX = 16384
CONTEXT_LIMIT_PX = 2**20
"""Beyond any picture; a box is cut to the picture anyway."""


class BaseEdit(BaseModel):
    """What every edit says, whichever its family. Frozen; an unknown name is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: str = ""
    """Name in the manifest, or path of a weights file; empty = the family's default."""
    quality: Literal["exact", "fast"] = "exact"
    """``exact``: float32, the numbers of the published network. ``fast``: bfloat16 where the machine has it."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Which of many answers. 0 is the one the networks give when asked plainly; any other is a variant of it, the same
    one each time."""


class InpaintSettings(BaseEdit):
    """How a hole is filled: what a panel sets. The one place for these fields and their defaults."""

    context: Literal["hole", "full", "box"] = "hole"
    """What the networks see: the hole and its surroundings, the whole frame, or ``context_box``."""
    context_box: tuple[int, int, int, int] | None = None
    """x0, y0, x1, y1 in px of the picture, half open: what the networks see of every hole that reaches into it. Cut to
    the picture, and widened to hold those holes. A hole elsewhere is seen with its own surroundings."""
    edge_source: Literal["predicted", "drawn"] = "predicted"
    """Where edges inside the hole come from: the edge network, or the drawn ones alone."""
    edge_sigma: float = Field(default=2.0, gt=0, le=16)
    """Smoothing before edges are looked for in the known part, in px; larger keeps fewer edges."""
    edge_sensitivity: float = Field(default=0.5, ge=0, le=1)
    """How readily a predicted edge counts: the odds of each are multiplied by ``s / (1 - s)``. 0.5 = as predicted,
    0 = none of them, 1 = every one that is not impossible. Found and drawn edges are not touched."""
    working_size_px: int = Field(default=512, ge=64, le=4096)
    """Longest side the networks are given; a longer crop is filled coarse to fine. Memory may lower it."""


class InpaintEdit(InpaintSettings):
    """Fill a hole: guess the edges inside it, then paint along them.

    Inputs: ``image``, ``mask`` (above 0 = hole; values between blend), optionally ``drawn_edges`` and ``erased_edges``.
    """

    family: Literal["inpaint"] = "inpaint"

    expand_ltrb: tuple[int, int, int, int] = (0, 0, 0, 0)
    """New canvas at the left, top, right and bottom, in px; it is a hole like any other, the result is larger."""
    is_official_match: bool = False
    """Do what the published test routine does: exact, whole frame, raw edge map, values cut off instead of rounded."""

    @field_validator("expand_ltrb")
    @classmethod
    def _check_expansion(cls, value: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        if not all(0 <= side <= EXPAND_LIMIT_PX for side in value):
            raise ValueError(
                f"expand_ltrb: expected four lengths from 0 to {EXPAND_LIMIT_PX} px, got {value}; "
                "give left, top, right, bottom"
            )
        return value

    @field_validator("context_box")
    @classmethod
    def _check_context_box(cls, value: tuple[int, int, int, int] | None) -> tuple[int, int, int, int] | None:
        if value is not None:
            x0, y0, x1, y1 = value
            inside = all(0 <= side <= CONTEXT_LIMIT_PX for side in value)
            if not (inside and x0 < x1 and y0 < y1):
                raise ValueError(
                    f"context_box: expected x0 < x1 and y0 < y1 from 0 to {CONTEXT_LIMIT_PX} px, got {value}; "
                    "give the left, top, right and bottom border"
                )
        return value

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.context == "box") != (self.context_box is not None):
            got = f"context '{self.context}' and {self.context_box}"
            raise ValueError(
                f"context_box: expected a box with context 'box' and only then, got {got}; give both"
            )
        if self.is_official_match and any(self.expand_ltrb):
            raise ValueError(
                f"expand_ltrb: expected 0,0,0,0 under an official match, got {self.expand_ltrb}; "
                "the published routine keeps the size, leave one of the two out"
            )
        return self

    @property
    def is_expanding(self) -> bool:
        """Whether the result is larger than the picture."""
        return any(self.expand_ltrb)

    def settled(self) -> Self:
        """The edit with what an official match implies written out: exact, whole frame, sigma 2, edges as predicted."""
        if not self.is_official_match:
            return self
        implied = {
            "quality": "exact",
            "context": "full",
            "context_box": None,
            "edge_sigma": 2.0,
            "edge_source": "predicted",
            "edge_sensitivity": 0.5,
            "seed": 0,
        }
        return self.model_copy(update=implied)


class RetargetSettings(BaseEdit):
    """How a picture is remade, whatever its shape: what a panel sets. The one place for these fields and their defaults."""

    method: Literal["instant", "learned"] = "instant"
    """``instant``: patches of the picture are put together anew, nothing is learned and no weights are looked for.
    ``learned``: networks that learned this one picture."""
    completeness: float = Field(default=0.7, ge=0, le=1)
    """How much every part of the picture is wanted in the result, where patches are put together: 0 = only that all
    looks like the picture, 1 = that as little as possible is lost."""


class RetargetEdit(RetargetSettings):
    """Remake a picture at another size or in another shape, its elements at their own size.

    Inputs: ``image``, optionally ``lock`` (above 0 = keeps its shape).
    """

    family: Literal["retarget"] = "retarget"

    target_size_hw: tuple[int, int] | None = None
    """Height and width of the result in px; either this or ``corners_xy``."""
    corners_xy: Corners | None = None
    """Where the picture's corners go, see corners.py; the result is their bounding box, transparent outside them."""
    is_official_match: bool = False
    """Do what the published test routine does: picture and result cut to multiples of 8 px, one pass in training mode."""

    @field_validator("corners_xy")
    @classmethod
    def _check_corners(cls, value: Corners | None) -> Corners | None:
        if value is not None and (fault := fault_of(value)):
            raise ValueError(fault)
        return value

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.target_size_hw is None) == (self.corners_xy is None):
            got = "neither" if self.corners_xy is None else "both"
            hint = "a plain rectangle needs its size alone"
            raise ValueError(f"target_size_hw: expected a size or four corners, got {got}; {hint}")
        if self.is_official_match and (self.method != "learned" or self.corners_xy is not None):
            got = "corners" if self.corners_xy is not None else f"method '{self.method}'"
            hint = "the published routine learned its picture and gives rectangles"
            raise ValueError(f"is_official_match: expected method 'learned' and a size, got {got}; {hint}")
        least_px = OFFICIAL_RESULT_LEAST_PX if self.is_official_match else SIDE_LEAST_PX
        if self.target_size_hw is not None and (
            fault := fault_of_size(self.target_size_hw, least_px=least_px)
        ):
            raise ValueError(fault)
        return self

    @property
    def result_hw(self) -> tuple[int, int]:
        """Height and width of the result in px."""
        if self.target_size_hw is not None:
            return self.target_size_hw
        assert self.corners_xy is not None, "an edit has a size or corners"
        return frame_hw(self.corners_xy)

    def settled(self) -> Self:
        """The edit with what an official match implies written out: exact, and no variant."""
        return self.model_copy(update={"quality": "exact", "seed": 0}) if self.is_official_match else self


Edit = Annotated[InpaintEdit | RetargetEdit, Field(discriminator="family")]
"""Any edit the engine knows."""

_READER: TypeAdapter[Edit] = TypeAdapter(Edit)


def read_edit(data: str | bytes | dict[str, Any]) -> Edit:
    """Read an edit back from JSON text or from plain data.

    Raises:
        pydantic.ValidationError: if a name is unknown or a value out of range.
    """
    return _READER.validate_python(data) if isinstance(data, dict) else _READER.validate_json(data)


@dataclass(frozen=True, eq=False)
class EditInputs:
    """The arrays of an edit, by name; never changed by the engine.

    Masks and edge maps have the picture's size. Integers count from 0 to their type's largest value, floats from 0 to
    1 (looked at when they are read, not here).
    """

    image: np.ndarray
    """(H, W) or (H, W, C), C 1 to 4 (grey, grey + alpha, RGB, RGB + alpha), uint8 or uint16, as in the file."""
    mask: np.ndarray | None = None
    """(H, W) bool, uint8, uint16 or float32; above 0 = selected, values between blend. None = nothing."""
    drawn_edges: np.ndarray | None = None
    """Like ``mask``: lines to follow."""
    erased_edges: np.ndarray | None = None
    """Like ``mask``: where edges found by the machine do not count. What is drawn stays."""
    lock: np.ndarray | None = None
    """Like ``mask``: what keeps its shape while the rest is remade around it."""

    def __post_init__(self) -> None:
        _check_image(self.image)
        for name in INPUT_PLANES:
            _check_plane(name, getattr(self, name), self.size_hw)

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width of the picture in px."""
        return int(self.image.shape[0]), int(self.image.shape[1])


def _check_image(image: object) -> None:
    hint = "give (H, W) or (H, W, C) in uint8 or uint16, as read_picture does"
    if not isinstance(image, np.ndarray):
        raise PictureError("image", "an array", type(image).__name__, hint)
    shape = tuple(image.shape)
    if image.ndim not in (2, 3) or (image.ndim == 3 and not 1 <= image.shape[2] <= 4) or 0 in shape:
        raise PictureError("image", "a picture of 1 px or more, with 1 to 4 channels", f"shape {shape}", hint)
    if image.dtype not in (np.uint8, np.uint16):
        raise PictureError("image", "uint8 or uint16", str(image.dtype), hint)


def _check_plane(name: str, plane: object, size_hw: tuple[int, int]) -> None:
    if plane is None:
        return
    hint = f"give (H, W) in {', '.join(MASK_TYPES)}, white or 1 where it counts"
    if not isinstance(plane, np.ndarray):
        raise MaskError(name, "an array", type(plane).__name__, hint)
    if plane.ndim != 2:
        raise MaskError(name, "shape (H, W)", f"shape {tuple(plane.shape)}", hint)
    if plane.shape != size_hw:
        (h, w), (plane_h, plane_w) = size_hw, plane.shape
        hint = "give it the picture's size, or have it resized (--fit-mask)"
        raise MaskError(name, f"{w}x{h} px like the picture", f"{plane_w}x{plane_h} px", hint)
    if plane.dtype.name not in MASK_TYPES:
        raise MaskError(name, f"one of {', '.join(MASK_TYPES)}", str(plane.dtype), hint)


def plane_values(name: str, plane: np.ndarray) -> np.ndarray:
    """Bring a mask, or a part of one, to float32 in [0, 1].

    Args:
        name: what it is called in an error.
        plane: (h, w) of one of the types of `EditInputs`.

    Raises:
        MaskError: if floats are not finite or leave [0, 1].
    """
    if plane.dtype == np.bool_:
        return plane.astype(np.float32)
    if plane.dtype == np.float32:
        low, high = (float(plane.min()), float(plane.max())) if plane.size else (0.0, 0.0)
        if not (math.isfinite(low) and math.isfinite(high) and low >= 0 and high <= 1):
            raise MaskError(
                name, "values in [0, 1]", f"values from {low:g} to {high:g}", "divide by the largest"
            )
        return plane
    return plane.astype(np.float32) / np.float32(np.iinfo(plane.dtype).max)
