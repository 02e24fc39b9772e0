"""Write a document as an OpenRaster file that any painting program opens, and that we open again without loss.

Every picture layer is a PNG of its own values. Mask and edges become layers in colours of their own, their values as
alpha, cut to what is drawn; the result that is shown lies as a layer over the pictures. All of it is written from a
snapshot, on any thread, while the user goes on; the file takes its name only when it is whole.

Source: OpenRaster 0.0.6 draft, "File layout specification" (freedesktop.org).
Elsewhere: names and colours in ora_layout.py, the way back in ora_reader.py, the thread in saving.py.
"""

import hashlib
import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import numpy as np

from app.document.archive import RATIO_FREE_BYTES
from app.document.colour_profiles import grey_profile, srgb_profile
from app.document.flatten import CHANNELS, converted
from app.document.metadata_entry import metadata_to_plain
from app.document.ora_layout import (
    EXIF_ENTRY,
    FORMAT,
    INDEX_ENTRY,
    LEARNED_ENTRY,
    MERGED_ENTRY,
    METADATA_ENTRY,
    MIME_ENTRY,
    MIME_TYPE,
    PLANE_COLOURS,
    PLANE_NAMES,
    PROFILE_ENTRY,
    RESULT_LAYER_ENTRY,
    RESULT_LAYER_NAME,
    RESULT_THUMBNAIL,
    SAMPLES_ENTRY,
    STACK_ENTRY,
    THUMBNAIL_ENTRY,
    THUMBNAIL_PX,
    is_own_entry,
    plane_entry,
    result_entry,
)
from app.document.plain_data import write_json
from app.document.recipe import program_version
from app.document.results import Result
from app.document.snapshot import LayerMeta, Snapshot
from app.document.stack_xml import StackGroup, StackLayer, write_stack
from app.document.strokes import Stroke
from app.document.tiles import Box, covered_box, is_empty, shift
from app.errors import DocumentError
from engine.atomic import AnyPath, write_atomically
from engine.metadata.writing import colour_chunks
from engine.png_writer import Rows, write_png

_ENTRY_TIME = (1980, 1, 1, 0, 0, 0)  # the same document gives the same file
_ZIP64_FROM_BYTES = 1 << 30  # what cannot be known to stay below 2 GiB announces that it may be larger

Progress = Callable[[float], None]


def write_ora(
    snapshot: Snapshot, path: AnyPath, progress: Progress | None = None, *, is_copy: bool = False
) -> None:
    """Write a document to its file, whole or not at all.

    Args:
        snapshot: what to write; stays open.
        path: the file; its folder exists.
        progress: told the share that is done, in [0, 1], on this thread.
        is_copy: write a copy for ourselves: quick and large, without the picture that only other programs look at, and
            for its owner alone.

    Raises:
        DocumentError: if the place cannot be written or the disk is full; the old file is then as it was.
    """
    writer = _Writer(snapshot, progress or (lambda _share: None), is_copy=is_copy)
    # The class of the error is only called with the four parts that every error of the house takes.
    write_atomically(path, writer.write, error_type=cast(Any, DocumentError), is_private=is_copy)


@dataclass(frozen=True)
class _PlaneRows:
    """Rows of a box of a plane as a snapshot holds it."""

    snapshot: Snapshot
    layer_id: str
    plane: str
    box: Box
    shape: tuple[int, ...]
    dtype: np.dtype

    def __getitem__(self, rows: slice) -> np.ndarray:
        x0, y0, x1, _ = self.box
        return self.snapshot.read(self.layer_id, self.plane, (x0, y0 + rows.start, x1, y0 + rows.stop))


@dataclass(frozen=True)
class _TintedRows:
    """Rows of a plane as other programs see it: one colour, the values as its alpha."""

    plane: Rows
    colour: tuple[int, int, int]

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.plane.shape, 4)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.uint8)

    def __getitem__(self, rows: slice) -> np.ndarray:
        values = self.plane[rows]
        tinted = np.empty((*values.shape, 4), np.uint8)
        tinted[..., :3] = self.colour
        tinted[..., 3] = values
        return tinted


@dataclass(frozen=True)
class _MergedRows:
    """Rows of the picture as the user saw it."""

    snapshot: Snapshot

    @property
    def shape(self) -> tuple[int, ...]:
        channels = CHANNELS[self.snapshot.mode]
        return self.snapshot.size_hw if channels == 1 else (*self.snapshot.size_hw, channels)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.uint16 if self.snapshot.is_deep else np.uint8)

    def __getitem__(self, rows: slice) -> np.ndarray:
        box = (0, rows.start, self.snapshot.size_hw[1], rows.stop)
        return self.snapshot.flatten(box, with_result=True)


class _Writer:
    """Writes one file: pixels first, what describes them last."""

    def __init__(self, snapshot: Snapshot, progress: Progress, *, is_copy: bool) -> None:
        self._snapshot = snapshot
        self._progress = progress
        self._is_copy = is_copy
        self._samples: list[np.ndarray] = []
        self._done_bytes = 0
        self._total_bytes = self._expected_bytes()
        self._zip: zipfile.ZipFile

    def write(self, file: BinaryIO) -> None:
        """Fill an empty file."""
        snapshot = self._snapshot
        with zipfile.ZipFile(file, "w") as self._zip:
            self._put(MIME_ENTRY, MIME_TYPE, is_packed=False)
            layers, items = self._layers()
            stack = write_stack(snapshot.size_hw, items, resolution=snapshot.metadata.resolution)
            results = [self._result(result) for result in snapshot.results]
            if not self._is_copy:
                merged = _MergedRows(snapshot)
                self._png(MERGED_ENTRY, merged, chunks=self._colours(merged))
            self._png(THUMBNAIL_ENTRY, self._thumbnail())
            self._put(STACK_ENTRY, stack)
            self._put(INDEX_ENTRY, write_json(self._index(layers, results, stack)))
            if self._samples:
                self._put(SAMPLES_ENTRY, np.concatenate(self._samples).astype("<f4").tobytes())
            for name, data in ((PROFILE_ENTRY, snapshot.icc_profile), (EXIF_ENTRY, snapshot.metadata.exif)):
                if data is not None:
                    self._put(name, data)
            if said := metadata_to_plain(snapshot.metadata):
                self._put(METADATA_ENTRY, write_json(said))
            if snapshot.learned is not None:  # numbers of networks are not made smaller by packing
                self._put(LEARNED_ENTRY, snapshot.learned.data(), is_packed=False)
            for name, data in self._unknown():
                # Large ones as they are: packed to nothing they would look like a bomb.
                self._put(name, data, is_packed=len(data) <= RATIO_FREE_BYTES)
        self._progress(1.0)

    def _index(
        self, layers: list[dict[str, Any]], results: list[dict[str, Any]], stack: bytes
    ) -> dict[str, Any]:
        snapshot = self._snapshot
        return {
            "format": FORMAT,
            "program": f"pentimento {program_version()}",
            "stack_sha256": hashlib.sha256(stack).hexdigest(),
            "id": snapshot.id,
            "name": snapshot.name,
            "size_hw": list(snapshot.size_hw),
            "mode": snapshot.mode,
            "is_deep": snapshot.is_deep,
            "active_layer_id": snapshot.active_layer_id,
            "current_result_id": snapshot.current_result_id,
            "layers": layers,
            "results": results,
            **({"learned": snapshot.learned.meta()} if snapshot.learned is not None else {}),
        }

    # Layers ----------------------------------------------------------------------------------------------------------

    def _layers(self) -> tuple[list[dict[str, Any]], list[StackLayer | StackGroup]]:
        """Write the planes of all layers and the shown result.

        Returns:
            What our index says of each layer, and the stack for everybody; both bottom to top.
        """
        described: list[dict[str, Any]] = []
        items: list[StackLayer | StackGroup] = []
        current = self._snapshot.current_result
        is_replaced = current is not None and current.is_whole  # our index says what is visible here
        for meta in self._snapshot.layers_meta:
            planes = {name: self._plane(meta, name) for name in meta.planes}
            strokes = [self._stroke(stroke) for stroke in meta.strokes]
            described.append({**meta.to_plain(), "planes": planes, "strokes": strokes})
            items.append(self._item(meta, planes, is_hidden=is_replaced and meta.kind == "picture"))
        if current is not None:
            above = [at for at, meta in enumerate(self._snapshot.layers_meta) if meta.kind == "picture"]
            items.insert(above[-1] + 1 if above else 0, self._result_layer(current))
        return described, items

    def _plane(self, meta: LayerMeta, name: str) -> dict[str, Any]:
        """Write a plane; gives where it lies in the archive and in the layer."""
        shape, dtype = meta.planes[name]
        src = plane_entry(meta.id, meta.kind, name)
        height, width = shape[:2]
        if meta.kind == "picture":
            box: Box = (0, 0, width, height)
            rows = _PlaneRows(self._snapshot, meta.id, name, box, shape, dtype)
            self._png(src, rows, chunks=self._colours(rows))
        else:
            box = self._drawn_box(meta, name)
            rows = _PlaneRows(self._snapshot, meta.id, name, box, (box[3] - box[1], box[2] - box[0]), dtype)
            self._png(src, _TintedRows(rows, PLANE_COLOURS[name]))
        return {"src": src, "offset_xy": [box[0], box[1]], "shape": list(shape)}

    def _drawn_box(self, meta: LayerMeta, name: str) -> Box:
        """The least box around what is drawn; one pixel where that is nothing, for a layer needs one."""
        box = self._snapshot.written_box(meta.id, name)
        if is_empty(box):
            return (0, 0, 1, 1)
        drawn = covered_box(self._snapshot.read(meta.id, name, box))
        return (0, 0, 1, 1) if drawn is None else shift(drawn, (box[0], box[1]))

    def _item(
        self, meta: LayerMeta, planes: dict[str, dict[str, Any]], *, is_hidden: bool
    ) -> StackLayer | StackGroup:
        """A layer as everybody sees it."""
        x, y = meta.origin_xy
        is_visible = meta.is_visible and not is_hidden
        sheets = tuple(
            StackLayer(
                PLANE_NAMES.get(name, meta.name),
                place["src"],
                (x + place["offset_xy"][0], y + place["offset_xy"][1]),
                meta.opacity,
                is_visible,
            )
            for name, place in planes.items()
        )
        return StackGroup(meta.name, sheets, is_visible) if meta.kind == "edges" else sheets[0]

    def _result_layer(self, result: Result) -> StackLayer:
        """The shown result, clear where the picture shows through."""
        pixels = result.pixels
        colours, alpha = converted(pixels, self._snapshot.mode, pixels.dtype)
        top = np.iinfo(pixels.dtype).max
        counts = np.where(result.coverage > 0, pixels.dtype.type(top), pixels.dtype.type(0))
        if alpha is not None:
            counts = np.minimum(counts, alpha[..., 0])
        shown = np.dstack([colours, counts])
        self._png(RESULT_LAYER_ENTRY, shown, chunks=self._colours(shown))
        x, y = result.box_xyxy[:2]
        return StackLayer(RESULT_LAYER_NAME, RESULT_LAYER_ENTRY, (x, y))

    # Ours ------------------------------------------------------------------------------------------------------------

    def _result(self, result: Result) -> dict[str, Any]:
        """Write the arrays of a result; gives what the index says of it."""
        arrays = {
            "pixels": result.pixels,
            "coverage": result.coverage,
            "edges": result.edges,
            "novelty": result.novelty,
        }
        kept = {name: array for name, array in arrays.items() if array is not None}
        for name, array in kept.items():
            self._png(result_entry(result.id, name), array)
        meta = {**result.meta(), "arrays": {name: list(array.shape) for name, array in kept.items()}}
        if result.thumbnail is not None:
            self._png(result_entry(result.id, RESULT_THUMBNAIL), result.thumbnail)
            meta[RESULT_THUMBNAIL] = list(
                result.thumbnail.shape
            )  # not among the arrays: older programs read only those they know
        return meta

    def _stroke(self, stroke: Stroke) -> dict[str, Any]:
        if len(stroke.samples):
            self._samples.append(stroke.samples)
        return {**stroke.meta(), "count": len(stroke.samples)}

    def _thumbnail(self) -> np.ndarray:
        """The picture as seen, at most 256 px a side, 8 bits a channel: every n-th pixel, averaged over a few."""
        from PIL import Image

        height, width = self._snapshot.size_hw
        scale = min(1.0, THUMBNAIL_PX / max(height, width))
        goal_hw = (max(1, round(height * scale)), max(1, round(width * scale)))
        looked_at = 1 if self._is_copy else 4  # rows for each of the thumbnail; a copy must be quick
        step = max(1, math.floor(1 / scale / looked_at))
        rows = 64 if step == 1 else 1  # of a large picture only those are read that are looked at
        parts = []
        for top in range(0, height, rows * step):
            box = (0, top, width, min(height, top + rows))
            parts.append(self._snapshot.flatten(box, with_result=True)[::step, ::step])
        small = np.concatenate(parts)
        if small.dtype == np.uint16:
            small = (small >> 8).astype(np.uint8)
        image = Image.fromarray(np.ascontiguousarray(small))
        return np.asarray(image.resize((goal_hw[1], goal_hw[0]), Image.Resampling.BOX))

    def _unknown(self) -> Iterator[tuple[str, bytes]]:
        """Entries that came with the file and mean nothing to us; ours go first where a name is the same."""
        taken = set(self._zip.namelist())
        for name, data in self._snapshot.unknown_entries.items():
            if name not in taken and not is_own_entry(name, frozenset()):
                yield name, data

    # The archive -----------------------------------------------------------------------------------------------------

    def _png(self, name: str, pixels: Rows, *, chunks: bytes = b"") -> None:
        nbytes = math.prod(pixels.shape) * pixels.dtype.itemsize
        with self._entry(name, nbytes) as entry:
            write_png(entry, pixels, chunks=chunks, packing="none" if self._is_copy else "quick")
        self._done_bytes += nbytes
        self._progress(min(0.99, self._done_bytes / max(1, self._total_bytes)))

    def _colours(self, pixels: Rows) -> bytes:
        """Chunks that say what the values mean, as the photo's file did.

        Deep pictures that say nothing get a plain profile: other programs would take them for linear.
        """
        said = self._snapshot.metadata.colour
        profile = self._snapshot.icc_profile
        if profile is None and not said and pixels.dtype == np.uint16 and not self._is_copy:
            is_colour = len(pixels.shape) == 3 and pixels.shape[2] >= 3
            profile = srgb_profile() if is_colour else grey_profile()
        return colour_chunks(said, profile)

    def _put(self, name: str, data: bytes, *, is_packed: bool = True) -> None:
        info = zipfile.ZipInfo(name, _ENTRY_TIME)
        info.compress_type = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
        self._zip.writestr(info, data)

    @contextmanager
    def _entry(self, name: str, nbytes: int) -> Iterator[BinaryIO]:
        """An entry that is written as it comes, not packed again."""
        info = zipfile.ZipInfo(name, _ENTRY_TIME)
        with self._zip.open(info, "w", force_zip64=nbytes > _ZIP64_FROM_BYTES) as entry:
            yield cast(BinaryIO, entry)

    def _expected_bytes(self) -> int:
        """About how many bytes of pixels are to be written, for the progress."""
        pictures = sum(
            math.prod(shape) * dtype.itemsize
            for meta in self._snapshot.layers_meta
            if meta.kind == "picture"
            for shape, dtype in meta.planes.values()
        )
        merged = 0 if self._is_copy else math.prod(_MergedRows(self._snapshot).shape)
        return pictures + merged + sum(result.nbytes for result in self._snapshot.results)
