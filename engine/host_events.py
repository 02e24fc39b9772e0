"""What the engine's process tells, as plain data: see host.py for when.

Elsewhere: the process in host.py, its own side in host_child.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.errors import EngineError

BoxXYXY = tuple[int, int, int, int]
"""In px, half open."""


@dataclass(frozen=True)
class Ready:
    """The child has its device and takes jobs."""

    device: str
    """``cpu`` or ``cuda:N``."""
    device_name: str
    """In words: ``cpu``, or what the GPU is called."""
    fast_precision: str
    """What ``fast`` computes with there: ``bfloat16`` or ``float32``."""
    seconds: float
    """From the start of the process."""
    process_id: int


@dataclass(frozen=True)
class StatusSaid:
    """What the child holds, after each job and when asked."""

    device: str
    device_name: str
    resident_bytes: int
    """Networks that stay loaded."""
    free_bytes: int
    """What a job could get now on the device."""
    process_bytes: int
    """Memory of the child's process; 0 where the system does not tell."""
    kept_bytes: int
    """Of that, answers of networks that the next edit may ask for again."""


@dataclass(frozen=True)
class Started:
    """The child has the job now."""

    job: int


@dataclass(frozen=True, eq=False)
class ProgressSaid:
    """A job on its way."""

    job: int
    share: float
    """In [0, 1]; never falls within a job."""
    word: str
    preview: np.ndarray | None = None
    """(h, w, 3) uint8; may be smaller than its box."""
    box_xyxy: BoxXYXY | None = None
    """Where in the result the preview belongs."""


@dataclass(frozen=True, eq=False)
class Patch:
    """A rectangle of a result."""

    box_xyxy: BoxXYXY
    pixels: np.ndarray
    """(h, w) or (h, w, C), in the type of the whole."""


@dataclass(frozen=True, eq=False)
class HostReply:
    """What changed."""

    size_hw: tuple[int, int]
    """Of the whole result; larger than the picture where the canvas grew."""
    patches: tuple[Patch, ...]
    """One a hole, like the picture in channels and type; outside of them nothing changed. No two share a pixel."""
    edges: tuple[Patch, ...]
    """(h, w) uint8, the edge map used, one for each frame that the networks saw; frames may overlap."""
    report: dict[str, Any]
    """As `engine.engine.Result.report`, and ``peak_bytes``, the memory the job took where that can be told."""
    planes: Mapping[str, tuple[Patch, ...]] = field(default_factory=dict)
    """What else a family gives, by name; see host_results.py."""

    @property
    def box_xyxy(self) -> BoxXYXY:
        """Around all patches; empty where nothing changed."""
        return _around([patch.box_xyxy for patch in self.patches])

    @property
    def novelty(self) -> tuple[Patch, ...]:
        """(h, w) uint8, 0 = copied, 255 = invented, one for each of ``patches``; none where the family cannot tell."""
        return self.planes.get("novelty", ())

    def edges_in(self, box_xyxy: BoxXYXY) -> np.ndarray:
        """(h, w) uint8: the edge map inside a box of the result, 0 where no network looked."""
        return _joined(self.edges, box_xyxy)

    def plane_in(self, name: str, box_xyxy: BoxXYXY) -> np.ndarray | None:
        """(h, w) uint8: another plane inside a box of the result, 0 where no patch lies; None if it was not sent."""
        patches = self.planes.get(name)
        return None if patches is None else _joined(patches, box_xyxy)

    def paste_into(self, image: np.ndarray, *, offset_xy: tuple[int, int] = (0, 0)) -> None:
        """Write the patches into an array of the result; ``offset_xy`` is where the array begins in the result."""
        height, width = image.shape[:2]
        area = (offset_xy[0], offset_xy[1], offset_xy[0] + width, offset_xy[1] + height)
        for patch in self.patches:
            shared = _common(patch.box_xyxy, area)
            if shared is not None:
                image[_slices(shared, area)] = patch.pixels[_slices(shared, patch.box_xyxy)]


@dataclass(frozen=True, eq=False)
class Done:
    """A job ended well."""

    job: int
    reply: HostReply


@dataclass(frozen=True, eq=False)
class Refused:
    """A job cannot be done with this input, these weights or this machine."""

    job: int
    error: EngineError


@dataclass(frozen=True)
class Cancelled:
    """A job ended because it was asked to."""

    job: int
    was_killed: bool = False
    """Whether its process had to go with it; another one is starting then."""


@dataclass(frozen=True)
class Died:
    """The child is gone; another one is starting unless the host is broken."""

    job: int | None
    """What it was doing; that job has ended."""
    reason: str
    """In words."""


HostEvent = Ready | StatusSaid | Started | ProgressSaid | Done | Refused | Cancelled | Died


def _joined(patches: tuple[Patch, ...], box_xyxy: BoxXYXY) -> np.ndarray:
    """(h, w) uint8 of a box: the largest value where patches overlap."""
    x0, y0, x1, y1 = box_xyxy
    whole = np.zeros((y1 - y0, x1 - x0), np.uint8)
    for patch in patches:
        shared = _common(patch.box_xyxy, box_xyxy)
        if shared is not None:
            part = whole[_slices(shared, box_xyxy)]
            np.maximum(part, patch.pixels[_slices(shared, patch.box_xyxy)], out=part)
    return whole


def _around(boxes: list[BoxXYXY]) -> BoxXYXY:
    if not boxes:
        return (0, 0, 0, 0)
    x0, y0, x1, y1 = zip(*boxes, strict=True)
    return min(x0), min(y0), max(x1), max(y1)


def _common(box: BoxXYXY, other: BoxXYXY) -> BoxXYXY | None:
    x0, y0 = max(box[0], other[0]), max(box[1], other[1])
    x1, y1 = min(box[2], other[2]), min(box[3], other[3])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _slices(box: BoxXYXY, area: BoxXYXY) -> tuple[slice, slice]:
    """Rows and columns of a box in an array that begins where ``area`` does."""
    return slice(box[1] - area[1], box[3] - area[1]), slice(box[0] - area[0], box[2] - area[0])
