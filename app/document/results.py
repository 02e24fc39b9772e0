"""Results: what the engine made, with the recipe to make it again.

A result is finished work: undo never takes it away, it only changes which one is shown. Many of them pile up while
someone draws, so a result that is not shown is packed, and moved to disk when memory is short; reading its pixels
brings them back.
"""

import weakref
from datetime import UTC, datetime
from typing import Any

import numpy as np
from pydantic import ValidationError

from app.document.blobs import Blob, BlobStore
from app.document.recipe import Step
from app.document.strokes import new_id
from app.document.tiles import Box
from app.errors import DocumentError

THUMBNAIL_LIMIT_PX = 512
"""A side of more is no thumbnail."""


class Result:
    """What came of an edit, cut to the box where it changed something.

    Args:
        box_xyxy: where it lies on the canvas.
        pixels: (h, w) or (h, w, C) in the mode and depth of the flattened picture.
        coverage: (h, w) uint8; above 0 where the result counts, 0 where the picture shows through untouched.
        step: how it was made.
        edges: (h, w) uint8, the edge map that was used, or None.
        novelty: (h, w) uint8, 0 where a pixel was copied and 255 where it was invented, or None.
        is_whole: whether it stands in the place of the picture, at a size of its own, instead of lying on it.
        id: drawn where None.
        is_starred: whether a person wants to keep it in sight.
        thumbnail: (h, w) or (h, w, C) uint8, a small picture of it on what it was made on, or None.
        is_draft: whether it is the quick stand-in for a full result.
        created: ISO 8601 in UTC; now where None.
        report: what the engine said of it: seam, seconds, device.
    """

    def __init__(
        self,
        *,
        box_xyxy: Box,
        pixels: np.ndarray,
        coverage: np.ndarray,
        step: Step,
        edges: np.ndarray | None = None,
        novelty: np.ndarray | None = None,
        thumbnail: np.ndarray | None = None,
        is_whole: bool = False,
        id: str | None = None,
        is_starred: bool = False,
        is_draft: bool = False,
        created: str | None = None,
        report: dict[str, Any] | None = None,
    ) -> None:
        self.box_xyxy: Box = tuple(int(side) for side in box_xyxy)  # type: ignore[assignment]
        self.step = step
        self.id = new_id() if id is None else id
        self.is_whole = is_whole
        self.is_starred = is_starred
        self.is_draft = is_draft
        self.created = datetime.now(UTC).isoformat(timespec="seconds") if created is None else created
        self.report: dict[str, Any] = {} if report is None else report
        self._check(pixels, coverage, edges, novelty)
        self._awake: dict[str, np.ndarray] | None = {"pixels": pixels, "coverage": coverage}
        for name, plane in (("edges", edges), ("novelty", novelty)):
            if plane is not None:
                self._awake[name] = plane
        self._blobs: dict[str, Blob] = {}
        self._seen: weakref.WeakValueDictionary[str, np.ndarray] = weakref.WeakValueDictionary()
        self._kinds = {name: (array.shape, array.dtype) for name, array in self._awake.items()}
        if thumbnail is not None:
            self.keep_thumbnail(thumbnail)

    @property
    def pixels(self) -> np.ndarray:
        """(h, w) or (h, w, C), the values to show where ``coverage`` is above 0. Not to be written to."""
        return self._array("pixels")

    @property
    def coverage(self) -> np.ndarray:
        """(h, w) uint8, above 0 where the result counts. Not to be written to."""
        return self._array("coverage")

    @property
    def edges(self) -> np.ndarray | None:
        """(h, w) uint8, the edge map that was used, if one was. Not to be written to."""
        return self._array("edges") if "edges" in self._kinds else None

    @property
    def novelty(self) -> np.ndarray | None:
        """(h, w) uint8, 0 copied to 255 invented, if that is known. Not to be written to."""
        return self._array("novelty") if "novelty" in self._kinds else None

    @property
    def thumbnail(self) -> np.ndarray | None:
        """(h, w) or (h, w, C) uint8, what it looked like where it was made, if that was kept. Not to be written to."""
        return self._array("thumbnail") if "thumbnail" in self._kinds else None

    def keep_thumbnail(self, thumbnail: np.ndarray) -> None:
        """Keep what it looks like where it was made; before the document has it.

        Raises:
            DocumentError: if it is too large for one.
        """
        is_small = (
            thumbnail.ndim in (2, 3)
            and 0 < min(thumbnail.shape) <= max(thumbnail.shape) <= THUMBNAIL_LIMIT_PX
        )
        if not is_small or thumbnail.dtype != np.uint8:
            got, hint = f"{thumbnail.shape} {thumbnail.dtype}", "the result is damaged"
            raise DocumentError(
                "result thumbnail", f"at most {THUMBNAIL_LIMIT_PX} px a side, uint8", got, hint
            )
        assert self._awake is not None, "it was made just now"
        self._awake["thumbnail"] = thumbnail
        self._kinds["thumbnail"] = thumbnail.shape, thumbnail.dtype

    @property
    def label(self) -> str:
        """What making it is called in the history; variants in a row would read alike otherwise, and 0 is the plain one."""
        h, w = self.size_hw
        what = f"Retarget to {w} × {h}" if self.is_whole else "Fill"
        return f"{what}, seed {self.step.seed}" if self.step.seed else what

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width of its box in px."""
        x0, y0, x1, y1 = self.box_xyxy
        return y1 - y0, x1 - x0

    @property
    def nbytes(self) -> int:
        """Memory its arrays take when they are awake."""
        return sum(int(np.prod(shape)) * dtype.itemsize for shape, dtype in self._kinds.values())

    @property
    def is_asleep(self) -> bool:
        """Whether its arrays are packed away."""
        return self._awake is None

    # Memory: for the document alone ----------------------------------------------------------------------------------

    def wake(self) -> None:
        """Keep the arrays at hand: the result is shown."""
        if self._awake is None:
            self._awake = {name: self._array(name) for name in self._kinds}

    def sleep(self, store: BlobStore) -> None:
        """Have the arrays packed: the result is not shown."""
        awake = self._awake
        if awake is None:
            return
        if not self._blobs:
            self._blobs = {name: store.hold(array, is_copied=False) for name, array in awake.items()}
            store.pack_soon(self._blobs.values())
        self._awake = None

    def _array(self, name: str) -> np.ndarray:
        awake = self._awake
        if awake is not None:
            return awake[name]
        seen = self._seen.get(name)
        if seen is None:
            seen = self._blobs[name].load()
            if self._blobs[name].is_packed:  # else it is the blob's own, which must be free to go
                self._seen[name] = seen
        return seen

    # Plain data ------------------------------------------------------------------------------------------------------

    def meta(self) -> dict[str, Any]:
        """All but the arrays, as plain data."""
        return {
            "id": self.id,
            "box_xyxy": list(self.box_xyxy),
            "step": self.step.model_dump(mode="json"),
            "is_starred": self.is_starred,
            "is_draft": self.is_draft,
            **({"is_whole": True} if self.is_whole else {}),
            "created": self.created,
            "report": self.report,
        }

    @classmethod
    def from_meta(
        cls,
        data: dict[str, Any],
        *,
        pixels: np.ndarray,
        coverage: np.ndarray,
        edges: np.ndarray | None,
        novelty: np.ndarray | None = None,
        thumbnail: np.ndarray | None = None,
    ) -> "Result":
        """Join what ``meta`` gave with its arrays.

        Raises:
            DocumentError: if something is missing, of another kind or does not fit the arrays.
        """
        hint = "the result is damaged"
        for key, kinds in _META_KINDS.items():
            value = data.get(key)
            if not isinstance(value, kinds) or (isinstance(value, str) and not 0 < len(value) <= 100):
                raise DocumentError(f"result {key}", _kind_names(kinds), repr(value)[:60], hint)
        is_whole = data.get("is_whole", False)  # files from before there were any say nothing of it
        if not isinstance(is_whole, bool):
            raise DocumentError("result is_whole", "bool", repr(is_whole)[:60], hint)
        box = data["box_xyxy"]
        if len(box) != 4 or not all(type(side) is int and abs(side) <= 1 << 20 for side in box):
            raise DocumentError("result box_xyxy", "four whole numbers", repr(box)[:60], hint)
        try:
            step = Step.model_validate(data["step"])
        except ValidationError as error:
            said = error.errors()[0]
            name = ".".join(("step", *(str(part) for part in said["loc"])))
            raise DocumentError(name, said["msg"], repr(said["input"])[:60], hint) from error
        return cls(
            box_xyxy=(box[0], box[1], box[2], box[3]),
            pixels=pixels,
            coverage=coverage,
            edges=edges,
            novelty=novelty,
            thumbnail=thumbnail,
            is_whole=is_whole,
            step=step,
            id=data["id"],
            is_starred=data["is_starred"],
            is_draft=data["is_draft"],
            created=data["created"],
            report=data["report"],
        )

    def to_record(self) -> tuple[dict[str, Any], list[bytes]]:
        """The result as plain data and packed bytes, for a journal; may be called on any thread."""
        arrays = {
            name: {"shape": list(shape), "dtype": dtype.name} for name, (shape, dtype) in self._kinds.items()
        }
        packed = []
        for name in arrays:
            blob = self._blobs.get(name)
            packed.append(blob.packed() if blob is not None else Blob.of(self._array(name)).packed())
        return {**self.meta(), "arrays": arrays}, packed

    @classmethod
    def from_record(cls, record: dict[str, Any], packed: list[bytes]) -> "Result":
        """Read a result back from what ``to_record`` gave.

        Raises:
            DocumentError: if it is damaged.
        """
        arrays: dict[str, np.ndarray] = {}
        try:
            for (name, kind), data in zip(record["arrays"].items(), packed, strict=True):
                shape, dtype = tuple(int(side) for side in kind["shape"]), np.dtype(kind["dtype"])
                arrays[name] = Blob.of_packed(data, shape, dtype).load()
            pixels, coverage = arrays["pixels"], arrays["coverage"]
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise DocumentError("result", "its arrays", repr(error)[:80], "the result is damaged") from error
        planes = {name: arrays.get(name) for name in ("edges", "novelty", "thumbnail")}
        return cls.from_meta(record, pixels=pixels, coverage=coverage, **planes)

    def _check(
        self,
        pixels: np.ndarray,
        coverage: np.ndarray,
        edges: np.ndarray | None,
        novelty: np.ndarray | None,
    ) -> None:
        h, w = self.size_hw
        for name, array, expected in (
            ("pixels", pixels, f"({h}, {w}) or ({h}, {w}, C) uint8 or uint16"),
            ("coverage", coverage, f"({h}, {w}) uint8"),
            ("edges", edges, f"({h}, {w}) uint8"),
            ("novelty", novelty, f"({h}, {w}) uint8"),
        ):
            if array is None:
                continue
            is_plane = array.ndim == 2 and array.dtype == np.uint8
            is_picture = array.ndim in (2, 3) and array.dtype in (np.uint8, np.uint16)
            if (
                array.shape[:2] != (h, w)
                or 0 in array.shape
                or not (is_picture if name == "pixels" else is_plane)
            ):
                got = f"{array.shape} {array.dtype}"
                raise DocumentError(f"result {name}", expected, got, "arrays have the size of the box")


_META_KINDS: dict[str, tuple[type, ...]] = {
    "id": (str,),
    "box_xyxy": (list, tuple),
    "step": (dict,),
    "is_starred": (bool,),
    "is_draft": (bool,),
    "created": (str,),
    "report": (dict,),
}


def _kind_names(kinds: tuple[type, ...]) -> str:
    return " or ".join(kind.__name__ for kind in kinds)
