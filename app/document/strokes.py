"""Strokes as they were drawn: the way of the pen and the brush it held, kept beside the pixels they became."""

import math
import uuid
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.document.tiles import Box, pack, unpack
from app.errors import DocumentError

SAMPLE_COLUMNS = ("x", "y", "pressure", "tilt_x", "tilt_y")
MAX_SAMPLES = 1_000_000
"""Samples of one stroke; hours of drawing without lifting the pen."""


class BrushSettings(BaseModel):
    """The brush a stroke was drawn with. Frozen; an unknown name is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size_px: float = Field(default=40.0, ge=1, le=2000, allow_inf_nan=False)
    """Diameter at full pressure, in px of the canvas."""
    hardness: float = Field(default=0.8, ge=0, le=1, allow_inf_nan=False)
    """Share of the radius that has full strength; 1 = a hard edge."""
    opacity: float = Field(default=1.0, ge=0, le=1, allow_inf_nan=False)
    """Most that one stroke adds or takes."""
    pressure_size: bool = True
    """Whether pressing harder draws wider."""
    pressure_opacity: bool = False
    """Whether pressing harder draws stronger."""
    tilt_shape: bool = False
    """Whether a tilted pen draws an ellipse along its tilt."""
    smoothing: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)
    """How far the line is steadied; 0 = as the hand went."""


def new_id() -> str:
    """A name no other layer, stroke, result or entry has."""
    return uuid.uuid4().hex


@dataclass(frozen=True, eq=False)
class Stroke:
    """One stroke from press to release."""

    tool: str
    """``brush``, ``eraser`` and so on: the id of the tool that drew it."""
    target: str
    """Name of the plane it was drawn on: ``coverage``, ``drawn``, ``erased``, ``locked``."""
    samples: np.ndarray
    """(N, 5) float32: x, y in px of the canvas, pressure in [0, 1], tilt in degrees. Cannot be written to."""
    brush: BrushSettings = BrushSettings()
    id: str = field(default_factory=new_id)

    def __post_init__(self) -> None:
        samples = np.array(self.samples, dtype=np.float32, order="C")
        if samples.ndim != 2 or samples.shape[1] != len(SAMPLE_COLUMNS):
            columns = ", ".join(SAMPLE_COLUMNS)
            raise DocumentError(
                "samples", f"(N, {len(SAMPLE_COLUMNS)})", samples.shape, f"columns are {columns}"
            )
        if len(samples) > MAX_SAMPLES:
            raise DocumentError("samples", f"at most {MAX_SAMPLES}", len(samples), "draw several strokes")
        if not np.isfinite(samples).all():
            raise DocumentError("samples", "finite numbers", "NaN or infinity", "the stroke is damaged")
        samples.setflags(write=False)
        object.__setattr__(self, "samples", samples)

    @property
    def nbytes(self) -> int:
        """Memory its samples take."""
        return int(self.samples.nbytes) + 200

    def meta(self) -> dict[str, Any]:
        """All but the samples, as plain data."""
        return {
            "id": self.id,
            "tool": self.tool,
            "target": self.target,
            "brush": self.brush.model_dump(mode="json"),
        }

    @classmethod
    def from_meta(cls, data: dict[str, Any], samples: np.ndarray) -> "Stroke":
        """Join what ``meta`` gave with its samples.

        Raises:
            DocumentError: if something is missing, of another kind or out of range.
        """
        words = {}
        for key in ("id", "tool", "target"):
            value = data.get(key)
            if not isinstance(value, str) or not 0 < len(value) <= 100:
                raise DocumentError(f"stroke {key}", "a short word", repr(value)[:40], "it is damaged")
            words[key] = value
        try:
            brush = BrushSettings.model_validate(data.get("brush"))
        except ValidationError as error:
            said = error.errors()[0]
            name = "brush " + ".".join(str(part) for part in said["loc"])
            raise DocumentError(
                name.strip(), said["msg"], repr(said["input"])[:40], "it is damaged"
            ) from error
        return cls(samples=samples, brush=brush, **words)

    def box_xyxy(self) -> Box:
        """The canvas box its brush can have reached."""
        if not len(self.samples):
            return (0, 0, 0, 0)
        reach = self.brush.size_px / 2 + 2
        low, high = self.samples[:, :2].min(axis=0) - reach, self.samples[:, :2].max(axis=0) + reach
        return (math.floor(low[0]), math.floor(low[1]), math.ceil(high[0]), math.ceil(high[1]))


def strokes_to_record(strokes: tuple[Stroke, ...]) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Strokes as plain data and the packed samples of each."""
    records = [{**stroke.meta(), "count": len(stroke.samples)} for stroke in strokes]
    return records, [pack(stroke.samples) if len(stroke.samples) else b"" for stroke in strokes]


def strokes_from_record(records: list[dict[str, Any]], packed: list[bytes]) -> tuple[Stroke, ...]:
    """Read strokes back from what `strokes_to_record` gave; what follows in ``packed`` is left alone.

    Raises:
        DocumentError: if one of them is damaged; also ValueError, KeyError, TypeError or IndexError.
    """
    strokes = []
    for at, record in enumerate(records):
        shape = (int(record["count"]), len(SAMPLE_COLUMNS))
        if not 0 <= shape[0] <= MAX_SAMPLES:
            raise ValueError(f"no stroke of {shape[0]} samples")
        samples = unpack(packed[at], shape, np.float32) if shape[0] else np.zeros(shape, np.float32)
        strokes.append(Stroke.from_meta(record, samples))
    return tuple(strokes)
