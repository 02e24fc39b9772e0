"""Results on their way back from the engine's process, in shared memory.

Of each plane of a result only the boxes travel that the crops name, since nothing else may have changed. Which planes
there are is `PLANES`: who gives a family's result another one adds its line there.

Elsewhere: the memory itself in shared.py; who sends this in host_child.py, who takes it up in host.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.host_events import BoxXYXY, HostReply, Patch
from engine.shared import Layout, Segment


@dataclass(frozen=True)
class ResultPlane:
    """One plane of a result."""

    name: str
    """What it travels under."""
    attribute: str
    """Where `engine.engine.Result` has it, (H, W) or (H, W, C); a result without it sends none."""
    box: Literal["hole", "frame"]
    """Which box of a crop travels."""


PLANES = (
    ResultPlane("pixels", "image", "hole"),
    ResultPlane("edges", "edges", "frame"),
    ResultPlane("novelty", "novelty", "hole"),
)
"""``pixels`` become `HostReply.patches`, ``edges`` `HostReply.edges`, any other `HostReply.planes` under its name."""


@dataclass(frozen=True)
class ResultPart:
    """One box of one plane, and where in the segment it lies."""

    plane: str
    box_xyxy: BoxXYXY
    layout: Layout


class ResultParts:
    """What of a result travels.

    Args:
        result: as `engine.engine.Result`; its report names the crops.
        planes: the planes to look for.
    """

    def __init__(self, result: Any, planes: Sequence[ResultPlane] = PLANES) -> None:
        parts: list[ResultPart] = []
        self._arrays: list[np.ndarray] = []
        self.nbytes = 0
        """Room that all of them take; 0 where there are none."""
        for crop in result.report["crops"]:
            for plane in planes:
                whole: np.ndarray | None = getattr(result, plane.attribute, None)
                if whole is None:
                    continue
                x0, y0, x1, y1 = crop[plane.box]
                array = whole[y0:y1, x0:x1]
                layout = Layout.of(array, self.nbytes)
                self.nbytes = layout.next_offset
                parts.append(ResultPart(plane.name, (x0, y0, x1, y1), layout))
                self._arrays.append(array)
        self.parts = tuple(parts)

    def write_to(self, room: Segment) -> None:
        """Copy all parts to where the layouts say."""
        for part, array in zip(self.parts, self._arrays, strict=True):
            np.copyto(room.view(part.layout), array)


def reply_of(
    size_hw: tuple[int, int], report: Mapping[str, Any], parts: Sequence[ResultPart], room: Segment | None
) -> HostReply:
    """Put together what travelled; the pixels are copied out of ``room``."""
    found: dict[str, tuple[Patch, ...]] = {}
    for part in parts:
        assert room is not None, "a result with parts asked for room"
        patch = Patch(part.box_xyxy, np.array(room.view(part.layout)))
        found[part.plane] = (*found.get(part.plane, ()), patch)
    pixels, edges = found.pop("pixels", ()), found.pop("edges", ())
    return HostReply(size_hw, pixels, edges, dict(report), found)
