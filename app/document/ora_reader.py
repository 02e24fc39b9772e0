"""Open OpenRaster files: our own without loss, those of other programs as picture layers.

A file may be damaged or hostile. Every size is held against a limit before memory is asked for, every word of the index
is checked before it is used, and whatever is wrong ends in one `DocumentError` that names the file.

A file of ours that another program changed is opened as that program left it; a note says so. Entries nobody here
knows stay with the document and are written again.

Elsewhere: files of other programs in ora_foreign.py, the archive's limits in archive.py, PNG in png_stream.py, the layer stack in stack_xml.py.
"""

import enum
import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np

from app.document.archive import ArchiveReader
from app.document.document import Document
from app.document.layers import PLANES, Layer, attributes_from_plain
from app.document.learned import LEARNED_LIMIT_BYTES, Learned
from app.document.metadata_entry import metadata_from_plain
from app.document.ora_foreign import foreign_document
from app.document.ora_layout import (
    DATA_FOLDER,
    EXIF_ENTRY,
    FORMAT,
    INDEX_ENTRY,
    LEARNED_ENTRY,
    METADATA_ENTRY,
    MIME_ENTRY,
    MIME_TYPE,
    PROFILE_ENTRY,
    RESULT_LAYER_ENTRY,
    RESULT_THUMBNAIL,
    RESULTS_FOLDER,
    SAMPLES_ENTRY,
    STACK_ENTRY,
    is_own_entry,
    result_entry,
)
from app.document.plain_data import read_json
from app.document.png_stream import HEADER_BYTES, promised_bytes, read_png, salvage_png
from app.document.results import THUMBNAIL_LIMIT_PX, Result
from app.document.stack_xml import read_stack
from app.document.strokes import MAX_SAMPLES, SAMPLE_COLUMNS, Stroke
from app.document.tiles import MAX_SIDE_PX, tiles_of
from app.errors import AppError, DocumentError
from engine.atomic import AnyPath
from engine.errors import EngineError
from engine.metadata.kept import Metadata

_STACK_LIMIT_BYTES = 8 << 20
_INDEX_LIMIT_BYTES = 256 << 20
_PROFILE_LIMIT_BYTES = 64 << 20
_METADATA_LIMIT_BYTES = 32 << 20
_UNKNOWN_LIMIT_BYTES = 256 << 20  # of all unknown entries together; they are held in memory
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")  # ids become names of entries and folders


class Lost(enum.Enum):
    """What becomes of pictures of our own files that are missing or damaged."""

    LEFT_OUT = enum.auto()
    """The document opens without them, and notes say so."""
    REFUSED = enum.auto()
    """The document is refused."""
    SALVAGED = enum.auto()
    """What is left of them is taken; only for a copy that `write_ora` wrote for ourselves."""


def read_ora(
    path: AnyPath, *, limit_bytes: int | None = None, lost: Lost = Lost.LEFT_OUT
) -> tuple[Document, tuple[str, ...]]:
    """Open an OpenRaster file.

    Args:
        path: the file.
        limit_bytes: most that it may become in memory; as `app.document.archive.document_limit` says when left out.
        lost: what becomes of pictures that are missing or damaged.

    Returns:
        The document, unmodified, and what could not be kept, as sentences for the user.

    Raises:
        DocumentError: if the file is missing, damaged, too large or no OpenRaster file.
    """
    with ArchiveReader(path, limit_bytes=limit_bytes) as archive:
        try:
            return _read(archive, Path(path), lost=lost)
        except (AppError, EngineError) as error:
            if error.name == archive.name:
                raise
            raise DocumentError(
                f"{archive.name} ({error.name})", error.expected, error.got, error.hint
            ) from error
        except MemoryError as error:
            got = "a larger one"
            raise archive.error("a document that fits into memory", got, "close other programs") from error


def _read(archive: ArchiveReader, path: Path, *, lost: Lost) -> tuple[Document, tuple[str, ...]]:
    if MIME_ENTRY in archive and archive.read(MIME_ENTRY, limit_bytes=1000).strip() != MIME_TYPE:
        raise archive.error("an OpenRaster file", "an archive of another kind", "open it where it was made")
    stack_text = archive.read(STACK_ENTRY, limit_bytes=_STACK_LIMIT_BYTES)
    stack = read_stack(stack_text, name=archive.name)
    notes: list[str] = []
    document = None
    if INDEX_ENTRY in archive:
        index = _Index(archive, lost=lost)
        if index.data.get("stack_sha256") == hashlib.sha256(stack_text).hexdigest():
            document = index.document(path, notes)
        else:
            notes.append("another program changed the file: strokes, mask and results of ours were left out")
    if document is None:
        document = foreign_document(archive, stack, path, notes)
    sources = frozenset(layer.src for layer in stack.layers)
    document.unknown_entries = _unknown_entries(archive, sources, notes)
    return document, tuple(notes)


def _unknown_entries(archive: ArchiveReader, sources: frozenset[str], notes: list[str]) -> dict[str, bytes]:
    """Entries that are neither ours nor named by the stack."""
    names = [name for name in archive.names if not is_own_entry(name, sources)]
    kept: dict[str, bytes] = {}
    left = _UNKNOWN_LIMIT_BYTES
    for name in names:
        left -= archive.size_of(name)
        if left < 0:
            notes.append(
                "the file holds more than 256 MiB that only another program knows; a save leaves it out"
            )
            break
        kept[name] = archive.read(name)
    return kept


class _LostPictureError(DocumentError):
    """A picture of our own file is missing or damaged; the document opens without it."""

    @property
    def words(self) -> str:
        return f"expected {self.expected}, got {self.got}"


# Our own files -------------------------------------------------------------------------------------------------------


class _Index:
    """``pentimento/document.json``, and the document it describes."""

    def __init__(self, archive: ArchiveReader, *, lost: Lost) -> None:
        self._archive = archive
        self._lost = lost
        data = read_json(archive.read(INDEX_ENTRY, limit_bytes=_INDEX_LIMIT_BYTES), name=INDEX_ENTRY)
        if not isinstance(data, dict) or type(data.get("format")) is not int:
            raise self._damaged("the version of its layout", "none")
        if data["format"] > FORMAT:
            got = f"version {data['format']}"
            said = "a later Pentimento made this document"
            raise archive.error(f"a file of version {FORMAT} or older", got, "update this program", said=said)
        self.data: dict[str, Any] = data
        self._samples = self._read_samples()
        self._samples_used = 0
        self._sources: set[str] = set()
        self._lost_ids: set[str] = set()

    def document(self, path: Path, notes: list[str]) -> Document:
        """The document as it was saved; what of it could be left out and is damaged is told in the notes."""
        data = self.data
        self._check_promises()
        size_hw = self._pair(data, "size_hw", 1, MAX_SIDE_PX)
        mode = self._word(data, "mode")
        is_deep = data.get("is_deep")
        if not isinstance(is_deep, bool):
            raise self._damaged("true or false for is_deep", repr(is_deep)[:40])
        made = [self._layer(one, size_hw, notes) for one in self._list(data, "layers")]
        layers = [layer for layer in made if layer is not None]
        results = self._results(notes)
        for kind, ids in (("layer", [x.id for x in layers]), ("result", [x.id for x in results])):
            if len(set(ids)) != len(ids):
                raise self._damaged(f"every {kind} once", "one of them twice")
        return Document(
            size_hw,
            mode,
            is_deep=is_deep,
            name=path.stem,
            path=path,
            layers=layers,
            results=results,
            current_result_id=self._id_or_none(data, "current_result_id"),
            active_layer_id=self._id_or_none(data, "active_layer_id"),
            icc_profile=self._optional(PROFILE_ENTRY),
            metadata=self._metadata(notes),
            learned=self._learned(notes),
            id=self._id(data, "id"),
        )

    def _check_promises(self) -> None:
        """Hold what all pictures will take, by their headers, against the limit before the first is decoded."""
        folders = (DATA_FOLDER, RESULTS_FOLDER)
        names = [
            name for name in self._archive.names if name.startswith(folders) and name != RESULT_LAYER_ENTRY
        ]
        self._archive.check(
            sum(promised_bytes(self._archive.read_start(name, HEADER_BYTES)) for name in names)
        )

    def _layer(self, data: Any, canvas_hw: tuple[int, int], notes: list[str]) -> Layer | None:
        """One layer; None where its picture is lost, which a note says. Of a mask the rest is kept."""
        data = self._object(data)
        kind = data.get("kind")
        if not isinstance(kind, str) or kind not in PLANES:
            raise self._damaged(f"layers of {', '.join(PLANES)}", repr(kind)[:40])
        attributes = attributes_from_plain(data)
        strokes = [self._stroke(one) for one in self._list(data, "strokes")]
        places = self._object(data.get("planes"))
        layer_id = self._id(data, "id")
        if kind == "picture":
            try:
                pixels = self._pixels(self._object(places.get("pixels")))
            except _LostPictureError as error:
                self._lost_ids.add(layer_id)
                notes.append(f"layer '{attributes['name'][:40]}' was left out: {error.words}")
                return None
            return Layer(kind, planes={"pixels": pixels}, id=layer_id, strokes=strokes, **attributes)
        make = Layer.empty_mask if kind == "mask" else Layer.empty_edges
        layer = make(canvas_hw)
        layer.id, layer.strokes = layer_id, strokes
        for name, value in attributes.items():
            setattr(layer, name, value)
        for name in PLANES[kind]:
            try:
                self._fill(layer, name, self._object(places.get(name)))
            except _LostPictureError as error:
                notes.append(f"what layer '{layer.name[:40]}' held as {name} was left out: {error.words}")
        return layer

    def _pixels(self, place: dict[str, Any]) -> np.ndarray:
        src = self._word(place, "src")
        shape = self._shape(place.get("shape"))
        return self._shaped(self._picture(src), shape, src)

    def _fill(self, layer: Layer, name: str, place: dict[str, Any]) -> None:
        """Put what was drawn into an empty plane."""
        src = self._word(place, "src")
        x, y = self._pair(place, "offset_xy", 0, MAX_SIDE_PX - 1)
        tinted = self._picture(src)
        if tinted.ndim != 3 or tinted.shape[2] != 4 or tinted.dtype != np.uint8:
            raise self._damaged(f"colours and alpha of 8 bits in '{src}'", "a picture of another kind")
        height, width = tinted.shape[:2]
        plane = layer.planes[name]
        if self._shape(place.get("shape")) != plane.shape:
            raise self._damaged("planes of the canvas's size", f"{place.get('shape')!r}"[:60])
        if x + width > plane.shape[1] or y + height > plane.shape[0]:
            raise self._damaged(f"'{src}' inside the canvas", f"{width}x{height} px at {x},{y}")
        values = tinted[..., 3]
        if not values.any():
            return
        for tile in tiles_of((x, y, x + width, y + height), layer.size_hw):
            layer.note_written(name, tile)
        plane[y : y + height, x : x + width] = values

    def _results(self, notes: list[str]) -> list[Result]:
        results = []
        for one in self._list(self.data, "results"):
            try:
                results.append(self._result(one))
            except _LostPictureError as error:
                self._lost_ids.add(one["id"])
                notes.append(f"a result was left out: {error.words}")
        return results

    def _result(self, data: Any) -> Result:
        data = self._object(data)
        result_id = self._id(data, "id")
        shapes = self._object(data.get("arrays"))
        if not {"pixels", "coverage"} <= set(shapes) <= {"pixels", "coverage", "edges", "novelty"}:
            raise self._damaged("pixels and coverage of each result", ", ".join(map(str, shapes))[:60])
        arrays = {}
        for name, shape in shapes.items():
            src = result_entry(result_id, name)
            arrays[name] = self._shaped(self._picture(src), self._shape(shape), src)
        planes = {name: arrays.get(name) for name in ("edges", "novelty")}
        return Result.from_meta(
            data,
            pixels=arrays["pixels"],
            coverage=arrays["coverage"],
            thumbnail=self._thumbnail(data),
            **planes,
        )

    def _thumbnail(self, data: dict[str, Any]) -> np.ndarray | None:
        """What a result looked like where it was made. No work hangs on it, so a damaged one is left out."""
        if RESULT_THUMBNAIL not in data:
            return None
        src = result_entry(data["id"], RESULT_THUMBNAIL)
        try:
            thumbnail = self._shaped(self._picture(src), self._shape(data[RESULT_THUMBNAIL]), src)
        except DocumentError:
            return None
        return (
            thumbnail if thumbnail.dtype == np.uint8 and max(thumbnail.shape) <= THUMBNAIL_LIMIT_PX else None
        )

    def _metadata(self, notes: list[str]) -> Metadata:
        """What the photo's file said. No work of the user's hangs on it, so a damaged one refuses no document."""
        exif = self._optional(EXIF_ENTRY)
        if METADATA_ENTRY not in self._archive:
            return Metadata(exif=exif)
        try:
            data = self._archive.read(METADATA_ENTRY, limit_bytes=_METADATA_LIMIT_BYTES)
            return metadata_from_plain(read_json(data, name=METADATA_ENTRY), name=METADATA_ENTRY, exif=exif)
        except DocumentError:
            notes.append("words, resolution and rights of the photo's file are damaged and were left out")
            return Metadata(exif=exif)

    def _learned(self, notes: list[str]) -> Learned | None:
        """What was learned of the picture. No work of the user's hangs on it, so a damaged one refuses no document."""
        meta = self.data.get("learned")
        if meta is None:
            return None
        try:
            data = self._archive.read(LEARNED_ENTRY, limit_bytes=LEARNED_LIMIT_BYTES)
            learned = Learned.from_meta(meta, data)
        except DocumentError as error:
            said = f"expected {error.expected}, got {error.got}"
            notes.append(f"what was learned of the picture was left out: {said}")
            return None
        return learned

    # Strokes ---------------------------------------------------------------------------------------------------------

    def _read_samples(self) -> np.ndarray:
        if SAMPLES_ENTRY not in self._archive:
            return np.zeros((0, len(SAMPLE_COLUMNS)), np.float32)
        data = self._archive.read(SAMPLES_ENTRY)
        row_bytes = 4 * len(SAMPLE_COLUMNS)
        if len(data) % row_bytes:
            raise self._damaged(f"samples of {row_bytes} bytes", f"{len(data)} bytes")
        return np.frombuffer(data, "<f4").astype(np.float32).reshape(-1, len(SAMPLE_COLUMNS))

    def _stroke(self, data: Any) -> Stroke:
        data = self._object(data)
        count = data.get("count")
        start = self._samples_used
        if type(count) is not int or not 0 <= count <= min(MAX_SAMPLES, len(self._samples) - start):
            raise self._damaged(f"at most {len(self._samples) - start} further samples", repr(count)[:40])
        self._samples_used += count
        return Stroke.from_meta(data, self._samples[start : start + count])

    # Words and numbers -----------------------------------------------------------------------------------------------

    def _picture(self, src: str) -> np.ndarray:
        """Decode an entry, within what may still be unpacked."""
        if src in self._sources:  # or a small file becomes endless
            raise self._damaged("every picture once", f"'{src[:60]}' twice")
        self._sources.add(src)
        try:
            pixels = self._whole(src)
        except DocumentError as error:
            if self._lost is Lost.REFUSED:
                raise
            if self._lost is Lost.LEFT_OUT:
                raise _LostPictureError(error.name, error.expected, error.got, error.hint) from error
            pixels = self._salvaged(src)
        self._archive.take(pixels.nbytes)
        return pixels

    def _whole(self, src: str) -> np.ndarray:
        data = self._archive.read(src)
        self._archive.give_back(len(data))  # it goes once it is decoded
        return read_png(data, name=src, limit_bytes=self._archive.left_bytes).pixels

    def _salvaged(self, src: str) -> np.ndarray:
        data = self._archive.read_stored(src)
        self._archive.give_back(len(data))
        return salvage_png(data, name=src, limit_bytes=self._archive.left_bytes)

    def _shaped(self, pixels: np.ndarray, shape: tuple[int, ...], src: str) -> np.ndarray:
        if pixels.shape == shape:
            return pixels
        if pixels.ndim == 2 and shape == (*pixels.shape, 1):  # one channel, which a PNG has no third axis for
            return pixels[..., None]
        raise self._damaged(f"{shape} in '{src}'", f"{pixels.shape}")

    def _shape(self, value: Any) -> tuple[int, ...]:
        if not isinstance(value, list) or not all(type(side) is int for side in value):
            raise self._damaged("the shape of each picture", repr(value)[:40])
        return tuple(value)

    def _pair(self, data: dict[str, Any], key: str, low: int, high: int) -> tuple[int, int]:
        value = data.get(key)
        if isinstance(value, list) and len(value) == 2:
            first, second = value
            if type(first) is int and type(second) is int and low <= min(value) and max(value) <= high:
                return first, second
        raise self._damaged(f"two whole numbers from {low} to {high} for {key}", repr(value)[:40])

    def _word(self, data: dict[str, Any], key: str) -> str:
        value = data.get(key)
        if not isinstance(value, str) or len(value) > 1024:
            raise self._damaged(f"a word for {key}", repr(value)[:40])
        return value

    def _id(self, data: dict[str, Any], key: str) -> str:
        value = data.get(key)
        if not isinstance(value, str) or not _ID.fullmatch(value):
            raise self._damaged(f"an {key} of letters and numbers", repr(value)[:40])
        return value

    def _id_or_none(self, data: dict[str, Any], key: str) -> str | None:
        """An id of a layer or a result; None where none is named, or one that was left out."""
        if data.get(key) is None:
            return None
        named = self._id(data, key)
        return None if named in self._lost_ids else named

    def _list(self, data: dict[str, Any], key: str) -> list[Any]:
        value = data.get(key)
        if not isinstance(value, list):
            raise self._damaged(f"a list of {key}", type(value).__name__)
        return value

    def _object(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._damaged("an object", type(value).__name__)
        return value

    def _optional(self, name: str) -> bytes | None:
        return self._archive.read(name, limit_bytes=_PROFILE_LIMIT_BYTES) if name in self._archive else None

    def _damaged(self, expected: str, got: str) -> DocumentError:
        return DocumentError(INDEX_ENTRY, expected, got, "the file is damaged, open a copy of it")
