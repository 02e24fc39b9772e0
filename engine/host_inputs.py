"""Pictures and masks on their way to the engine's process, in shared memory.

A picture is kept under its key for as long as jobs need it, and a while longer, so that live edits do not send it again.
Of a mask only the rows between the first and the last that hold something travel: a brush stroke in a photo of 24
megapixels is a band, not 24 MB.

Elsewhere: the memory itself in shared.py, who sends it in host.py, who takes it up in host_child.py.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.edits import INPUT_PLANES, EditInputs
from engine.errors import HostError
from engine.shared import Kind, Layout, Segment

PICTURES_KEPT = 2
"""Pictures that stay with the child though no job waits for them."""


@dataclass(eq=False)
class SharedPicture:
    """A picture in shared memory."""

    segment: Segment
    layout: Layout
    is_for_one_job: bool
    jobs: int = 0
    """That wait for it or run on it."""


@dataclass(frozen=True)
class SharedPlane:
    """Rows ``first_row`` and on of a plane of ``shape``; the others are zero."""

    name: str
    layout: Layout
    shape: tuple[int, int]
    first_row: int


class SharedPictures:
    """Pictures in shared memory, by key.

    Args:
        kind: how memory is shared.
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._pictures: OrderedDict[str, SharedPicture] = OrderedDict()

    def __getitem__(self, key: str) -> SharedPicture:
        return self._pictures[key]

    @property
    def keys(self) -> tuple[str, ...]:
        """Of all that are there, the one used last at the end."""
        return tuple(self._pictures)

    def keep(self, key: str, image: np.ndarray, *, is_for_one_job: bool) -> None:
        """Have a picture there for one job more; copied if its key is new.

        Raises:
            MemoryError: if there is no room for it.
            HostError: if the key stands for a picture of another size or type.
        """
        known = self._pictures.get(key)
        layout = Layout.of(image)
        if known is None:
            known = SharedPicture(Segment.create(layout.nbytes, self._kind), layout, is_for_one_job)
            np.copyto(known.segment.view(layout), image)
            self._pictures[key] = known
        elif known.layout != layout:
            raise HostError(
                "image_key", f"{known.layout.shape} {known.layout.dtype} under '{key}'",
                f"{layout.shape} {layout.dtype}", "give another content another key",
            )  # fmt: skip
        known.jobs += 1
        self._pictures.move_to_end(key)

    def let_go(self, key: str) -> Sequence[str]:
        """One job less needs a picture; those that nobody needs leave, but for the newest.

        Returns:
            Keys of the pictures that left.
        """
        self._pictures[key].jobs -= 1
        unused = [name for name, picture in self._pictures.items() if not picture.jobs]
        single = [name for name in unused if self._pictures[name].is_for_one_job]
        kept = [name for name in unused if name not in single]
        left = [*single, *kept[: max(len(kept) - PICTURES_KEPT, 0)]]
        for name in left:
            self._pictures.pop(name).segment.close()
        return left

    def close(self) -> None:
        """Let go of all."""
        for picture in self._pictures.values():
            picture.segment.close()
        self._pictures.clear()


def share_planes(inputs: EditInputs, kind: Kind) -> tuple[tuple[SharedPlane, ...], Segment | None]:
    """Copy masks and edges into one segment.

    Returns:
        What there is, and the segment; None where all planes are empty.

    Raises:
        MemoryError: if there is no room for them.
    """
    planes: list[SharedPlane] = []
    parts: list[np.ndarray] = []
    offset = 0
    for name in INPUT_PLANES:
        plane: np.ndarray | None = getattr(inputs, name)
        if plane is None:
            continue
        rows = np.flatnonzero(plane.any(axis=1))
        first, last = (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, 0)
        part = plane[first:last]
        layout = Layout.of(part, offset)
        offset = layout.next_offset
        planes.append(SharedPlane(name, layout, inputs.size_hw, first))
        parts.append(part)
    if not offset:
        return tuple(planes), None
    segment = Segment.create(offset, kind)
    for place, part in zip(planes, parts, strict=True):
        if part.size:
            np.copyto(segment.view(place.layout), part)
    return tuple(planes), segment
