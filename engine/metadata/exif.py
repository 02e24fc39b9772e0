"""Read the directories of camera data tag by tag.

A directory is a table of tags with values or the places of values. Each is taken by itself: one with a bad pointer,
an unknown type, a wrong number of values or a fraction over zero costs only itself. What is kept is on the list of
exif_tags.py, and the directory of the thumbnail is never followed.

Source: TIFF 6.0, section 2; BigTIFF (libtiff's design page) for directories of 64 bits; CIPA DC-008, section 4.6.
Elsewhere: the list in exif_tags.py, the way back into bytes in exif_layout.py.
"""

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from engine.metadata import exif_tags as tags
from engine.metadata.exif_tags import Tag

PREFIX = b"Exif\x00\x00"
"""What JPEG puts before the data."""

HEADERS: Mapping[bytes, tuple[Literal["<", ">"], bool]] = {
    b"II*\x00": ("<", False),
    b"MM\x00*": (">", False),
    b"II+\x00": ("<", True),
    b"MM\x00+": (">", True),
}
"""How camera data and every TIFF begin: the order of their bytes, and whether places have 64 bits."""

ReadAt = Callable[[int, int], bytes]
"""Bytes from a place on, at most so many; fewer at the end of the data."""

_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
    129: 1,
}
_ASCII = 2
_POINTERS = (4, 13, 16, 18)
_VALUE_LIMIT_BYTES = 4 << 20
_ALL_LIMIT_BYTES = 16 << 20
_NOTE_END_LIMIT = 60_000  # a maker note further back cannot keep its place in a JPEG's 64 KiB
_PREVIEW = re.compile(rb"\xd8\xff[\xc0-\xfe]")  # a JPEG's start; some makers change the byte before it


@dataclass(frozen=True)
class Value:
    """Values of a tag, as bytes in the data's own order."""

    kind: int
    data: bytes

    @property
    def count(self) -> int:
        """How many values there are."""
        return len(self.data) // _SIZES[self.kind]


Directory = Mapping[int, Value]

_UNREAD = Value(7, b"")
_READ = (
    {*tags.IMAGE, *tags.PHOTO, *tags.GPS, *tags.INTEROP, *tags.GROUND, *tags.POINTER_NAMES}
    | {tags.ORIENTATION, tags.X_RESOLUTION, tags.Y_RESOLUTION, tags.RESOLUTION_UNIT}
    | {tags.XMP, tags.IPTC, tags.PHOTOSHOP}
)


@dataclass(frozen=True)
class Exif:
    """The kept tags of camera data by directory."""

    order: Literal["<", ">"] = "<"
    image: Directory = field(default_factory=dict)
    photo: Directory = field(default_factory=dict)
    gps: Directory = field(default_factory=dict)
    interop: Directory = field(default_factory=dict)
    note_place: int | None = None
    """Where the maker note lies in the data."""

    def without(self, numbers: frozenset[int]) -> "Exif":
        """The same without some tags of the picture and the photo."""
        image, photo = (
            {tag: value for tag, value in directory.items() if tag not in numbers}
            for directory in (self.image, self.photo)
        )
        return replace(self, image=image, photo=photo)

    def without_longest(self) -> tuple["Exif", str]:
        """The same without the tag that takes most room, and the name of that."""
        directories = {"image": tags.IMAGE, "photo": tags.PHOTO, "gps": tags.GPS, "interop": tags.INTEROP}
        found = [
            (len(value.data), name, tag)
            for name in directories
            for tag, value in getattr(self, name).items()
            if tag in directories[name] or tag in tags.PHOTO
        ]
        _, name, longest = max(found)
        kept = {tag: value for tag, value in getattr(self, name).items() if tag != longest}
        changes: dict[str, Any] = {name: kept}
        return replace(self, **changes), {**tags.PHOTO, **directories[name]}[longest].name

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it."""
        return not (self.image or self.photo or self.gps)

    def shorts(self, *values: int) -> Value:
        """Numbers of 16 bits as a value."""
        return Value(3, struct.pack(f"{self.order}{len(values)}H", *values))

    def longs(self, *values: int) -> Value:
        """Numbers of 32 bits as a value."""
        return Value(4, struct.pack(f"{self.order}{len(values)}I", *values))

    def ratio(self, number: float) -> Value:
        """A number above 0 as a fraction: of 1 where it is nearly whole."""
        whole = round(number)
        parts = (whole, 1) if abs(number - whole) < 0.001 else (round(number * 10_000), 10_000)
        return Value(5, struct.pack(f"{self.order}2I", *parts))


@dataclass(frozen=True)
class Read:
    """Camera data as it was found."""

    exif: Exif
    picture: Directory
    """What was read of the picture's own directory, kept or not."""
    odd: tuple[str, ...]
    """Names of what could not be read or has no meaning to us."""

    def number(self, tag: int) -> float | None:
        """A single number of the picture's directory; None where there is none."""
        value = self.picture.get(tag)
        if value is None or value.count != 1:
            return None
        order = self.exif.order
        if value.kind == 5:
            above, below = struct.unpack(f"{order}2I", value.data)
            return float(above / below) if below else None
        letter = {1: "B", 3: "H", 4: "I", 11: "f", 12: "d"}.get(value.kind)
        return float(struct.unpack(f"{order}{letter}", value.data)[0]) if letter else None


def read_exif(read_at: ReadAt) -> Read | None:
    """Read camera data, or the first directory of a TIFF.

    Args:
        read_at: gives bytes; places are counted from the data's header.

    Returns:
        None where there is no header.
    """
    return _Reader(read_at).read()


def read_exif_bytes(data: bytes) -> Read | None:
    """Read camera data from memory, with or without JPEG's prefix."""
    bare = memoryview(data.removeprefix(PREFIX))
    return read_exif(lambda place, count: bytes(bare[place : place + count]))


def _ended(value: Value, meaning: Tag) -> Value:
    """Words end in a zero byte; some writers leave it out, and readers complain."""
    is_open = value.kind == _ASCII and not meaning.count and not value.data.endswith(b"\0")
    return replace(value, data=value.data + b"\0") if is_open else value


class _Reader:
    def __init__(self, read_at: ReadAt) -> None:
        self._read_at = read_at
        self._odd: list[str] = []
        self._note_place: int | None = None
        self._left_bytes = _ALL_LIMIT_BYTES

    def read(self) -> Read | None:
        header = self._read_at(0, 16)
        if header[:4] not in HEADERS or len(header) < 8:
            return None
        self._order, self._is_wide = HEADERS[header[:4]]
        if self._is_wide and len(header) < 16:
            return None
        first = self._unpack("Q", header[8:16]) if self._is_wide else self._unpack("I", header[4:8])
        picture = self._directory(first, "camera data")
        photo_all = self._below(picture, tags.PHOTO_POINTER)
        photo = self._kept(photo_all, tags.PHOTO)
        image = self._kept(picture, {**tags.PHOTO, **tags.IMAGE, **tags.GROUND})
        image.pop(tags.MAKER_NOTE, None)  # its place was kept for the one of the photo's own directory
        self._look_at_description(image)
        self._look_at_note(photo)
        exif = Exif(
            self._order,
            image,
            photo,
            self._kept(self._below(picture, tags.GPS_POINTER), tags.GPS),
            self._kept(self._below(photo_all, tags.INTEROP_POINTER), tags.INTEROP),
            self._note_place if tags.MAKER_NOTE in photo else None,
        )
        return Read(exif, picture, tuple(dict.fromkeys(self._odd)))

    def _unpack(self, letter: str, data: bytes) -> int:
        return int(struct.unpack(f"{self._order}{letter}", data)[0])

    def _below(self, directory: Directory, pointer: int) -> dict[int, Value]:
        value = directory.get(pointer)
        if value is None:
            return {}
        name = tags.POINTER_NAMES[pointer]
        if value.kind not in _POINTERS or value.count != 1:
            self._odd.append(f"{name} directory")
            return {}
        return self._directory(
            self._unpack("I" if len(value.data) == 4 else "Q", value.data), f"{name} directory"
        )

    def _directory(self, place: int, name: str) -> dict[int, Value]:
        """Every tag that can be read; a directory that lies nowhere counts as odd."""
        head, entry = (8, 20) if self._is_wide else (2, 12)
        start = self._read_at(place, head) if place >= 8 else b""
        count = self._unpack("Q" if self._is_wide else "H", start) if len(start) == head else 0
        rows = self._read_at(place + head, entry * count) if 0 < count <= 65535 else b""
        if len(rows) < entry:
            self._odd.append(name)
            return {}
        found: dict[int, Value] = {}
        for at in range(0, len(rows) - entry + 1, entry):
            tag, kind = struct.unpack(f"{self._order}HH", rows[at : at + 4])
            if tag in found:
                continue
            value = self._value(tag, kind, rows[at + 4 : at + entry]) if tag in _READ else _UNREAD
            if value is None:
                self._note_odd(tag)
            else:
                found[tag] = value
        return found

    def _value(self, tag: int, kind: int, rest: bytes) -> Value | None:
        width = len(rest) // 2
        letter = "Q" if self._is_wide else "I"
        total = self._unpack(letter, rest[:width]) * _SIZES.get(kind, 0)
        if not 0 < total <= min(_VALUE_LIMIT_BYTES, self._left_bytes):
            return None
        self._left_bytes -= total
        if total <= width:
            return Value(kind, rest[width : width + total])
        place = self._unpack(letter, rest[width:])
        data = self._read_at(place, total) if place >= 8 else b""
        if tag == tags.MAKER_NOTE:
            self._note_place = place
        return Value(kind, data) if len(data) == total else None

    def _note_odd(self, tag: int) -> None:
        known = {**tags.PHOTO, **tags.IMAGE, **tags.GROUND}
        resolution = {tags.X_RESOLUTION: "XResolution", tags.Y_RESOLUTION: "YResolution"}
        if tag in tags.POINTER_NAMES:
            self._odd.append(f"{tags.POINTER_NAMES[tag]} directory")
        elif tag in known or tag in resolution:
            self._odd.append(resolution.get(tag) or known[tag].name)

    def _kept(self, directory: Directory, known: Mapping[int, Tag]) -> dict[int, Value]:
        kept = {}
        for tag, value in directory.items():
            meaning = known.get(tag)
            if meaning is None:
                if tag not in tags.STORAGE:
                    self._odd.append(f"tag {tag}")
            elif self._is_sound(tag, meaning, value):
                kept[tag] = _ended(value, meaning)
            else:
                self._odd.append(meaning.name)
        return kept

    def _is_sound(self, tag: int, meaning: Tag, value: Value) -> bool:
        kinds = tags.NUMBERS if meaning.what == "numbers" else tags.KINDS_OF[meaning.what]
        if value.kind not in kinds or (meaning.count and value.count != meaning.count):
            return False
        if meaning.what != tags.RATIO or tag == tags.LENS:  # a lens says 0/0 where its f-number is unknown
            return True
        return all(struct.unpack(f"{self._order}{value.count * 2}I", value.data)[1::2])

    def _look_at_description(self, image: dict[int, Value]) -> None:
        """Leave out a program's own account of how a TIFF's pages lie, which readers would believe."""
        start = image[tags.DESCRIPTION].data[:400].lstrip() if tags.DESCRIPTION in image else b""
        is_shape = start.startswith((b'{"shape"', b"shape=("))  # and nothing else
        if is_shape or start.startswith(b"ImageJ=") or b"<OME" in start:
            del image[tags.DESCRIPTION]
            self._odd += [] if is_shape else ["an ImageDescription of the file's layout"]

    def _look_at_note(self, photo: dict[int, Value]) -> None:
        """Leave out a maker note that holds a preview of the picture before it was edited, or cannot stay in its place."""
        note = photo.get(tags.MAKER_NOTE)
        if note is None:
            return
        place = self._note_place
        if _PREVIEW.search(note.data):
            del photo[tags.MAKER_NOTE]
            self._odd.append("a MakerNote with a preview of the picture as it was")
        elif place is None or place + len(note.data) > _NOTE_END_LIMIT:
            del photo[tags.MAKER_NOTE]
            self._odd.append("MakerNote, which means nothing in another place")
