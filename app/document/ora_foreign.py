"""OpenRaster files of other programs as documents: every layer a picture in its place.

The stack says nothing of mode and depth, so the layers do: colour if one has colour, 16 bits if one has them, clear
pixels where nothing opaque covers the canvas. What is no PNG is left out and told.

Elsewhere: our own files in ora_reader.py, groups and blend modes in stack_xml.py.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.document.archive import ArchiveReader
from app.document.document import Document
from app.document.layers import Layer
from app.document.png_stream import HEADER_BYTES, promised_bytes, read_png
from app.document.stack_xml import Stack, StackLayer
from app.errors import DocumentError
from engine.metadata.kept import Metadata

_PNG_START = b"\x89PNG"


@dataclass(frozen=True, eq=False)
class _ForeignPicture:
    """A layer's pixels, and what they say of the document."""

    pixels: np.ndarray
    icc_profile: bytes | None
    colour: tuple[tuple[str, bytes], ...]
    is_opaque: bool

    @property
    def is_colour(self) -> bool:
        return self.pixels.ndim == 3 and self.pixels.shape[2] >= 3


def foreign_document(archive: ArchiveReader, stack: Stack, path: Path, notes: list[str]) -> Document:
    """A document of picture layers.

    Args:
        archive: the open file.
        stack: its layer stack.
        path: the file, which becomes the document's own.
        notes: gets what could not be kept.

    Raises:
        DocumentError: if all pictures together are too large, or none can be shown.
    """
    notes.extend(stack.notes)
    archive.check(sum(promised_bytes(archive.read_start(one.src, HEADER_BYTES)) for one in stack.layers))
    layers, pictures = [], []
    for place in stack.layers:
        picture = _foreign_picture(archive, place, notes)
        if picture is None:
            continue
        pictures.append((place, picture))
        layers.append(
            Layer(
                "picture",
                place.name[:1000],
                {"pixels": picture.pixels},
                origin_xy=place.offset_xy,
                is_visible=place.is_visible,
                opacity=place.opacity,
            )
        )
    if not layers:
        if stack.layers:
            raise archive.error("a layer that can be shown", "none", "save the document again as OpenRaster")
        blank = Document.blank(stack.size_hw, "RGBA", name=path.stem)
        layers = [layer for layer in blank.layers if layer.kind == "picture"]
        return Document(stack.size_hw, "RGBA", name=path.stem, path=path, layers=layers)
    is_colour = any(picture.is_colour for _, picture in pictures)
    is_covered = any(
        picture.is_opaque and place.is_visible and place.opacity == 1 and _is_whole(place, picture, stack)
        for place, picture in pictures
    )
    return Document(
        stack.size_hw,
        ("RGB" if is_colour else "L") + ("" if is_covered else "A"),
        is_deep=any(picture.pixels.dtype == np.uint16 for _, picture in pictures),
        name=path.stem,
        path=path,
        layers=layers,
        icc_profile=next((one.icc_profile for _, one in pictures if one.icc_profile is not None), None),
        metadata=Metadata(colour=next((one.colour for _, one in pictures if one.colour), ())),
    )


def _foreign_picture(archive: ArchiveReader, place: StackLayer, notes: list[str]) -> _ForeignPicture | None:
    """A layer's pixels, without an alpha that says nothing; None where it is no picture."""
    if place.src not in archive:
        notes.append(f"the picture of layer '{place.name[:40]}' is not in the file, the layer was left out")
        return None
    try:
        data = archive.read(place.src)
        archive.give_back(len(data))  # it goes once it is decoded
        if not data.startswith(_PNG_START):
            notes.append(f"layer '{place.name[:40]}' is no PNG and was left out")
            return None
        decoded = read_png(data, name=place.src, limit_bytes=archive.left_bytes)
    except DocumentError as error:  # all together were held against the limit before
        notes.append(f"layer '{place.name[:40]}' was left out: expected {error.expected}, got {error.got}")
        return None
    archive.take(decoded.pixels.nbytes)
    pixels = decoded.pixels
    if decoded.mode.endswith("A"):
        if pixels[..., -1].min() < np.iinfo(pixels.dtype).max:
            return _ForeignPicture(pixels, decoded.icc_profile, decoded.metadata.colour, is_opaque=False)
        pixels = np.ascontiguousarray(pixels[..., 0] if decoded.mode == "LA" else pixels[..., :3])
    return _ForeignPicture(pixels, decoded.icc_profile, decoded.metadata.colour, is_opaque=True)


def _is_whole(place: StackLayer, picture: _ForeignPicture, stack: Stack) -> bool:
    """Whether a layer lies under every pixel of the canvas."""
    (x, y), (height, width) = place.offset_xy, picture.pixels.shape[:2]
    return x <= 0 and y <= 0 and x + width >= stack.size_hw[1] and y + height >= stack.size_hw[0]
