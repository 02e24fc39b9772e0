"""Lay camera data out as bytes.

A maker note often holds places counted from the start of the data, in a layout its maker keeps to himself. It stays
whole only where it was, so everything else goes around it.

Source: TIFF 6.0, section 2; CIPA DC-008, section 4.6.
Elsewhere: reading in exif.py.
"""

import struct
from dataclasses import dataclass

from engine.metadata import exif_tags as tags
from engine.metadata.exif import Directory, Exif, Value


@dataclass(frozen=True)
class Laid:
    """Camera data laid out but for the table of the picture's own directory."""

    data: bytes
    """From the header on, whose place of the first directory is still 0."""
    rows: tuple[tuple[int, bytes], ...]
    """Tags of that directory, each with its 12 bytes."""


class _Layout:
    """Memory that is given out around the maker note."""

    def __init__(self, exif: Exif) -> None:
        self._order = exif.order
        self._data = bytearray((b"II*\x00" if exif.order == "<" else b"MM\x00*") + bytes(4))
        note = exif.photo.get(tags.MAKER_NOTE)
        self._gap_end = len(self._data)
        self._at = len(self._data)
        self._note_place = exif.note_place if note is not None else None
        if note is not None and exif.note_place is not None:
            self._gap_end = exif.note_place
            self._data += bytes(max(0, exif.note_place - len(self._data)))
            self._data += note.data

    def rows(self, directory: Directory) -> list[tuple[int, bytes]]:
        """Put long values down; gives the rows of the table."""
        return [(tag, self._row(tag, directory[tag])) for tag in sorted(directory)]

    def table(self, rows: list[tuple[int, bytes]]) -> int:
        """Put a directory down; gives its place."""
        count = struct.pack(f"{self._order}H", len(rows))
        return self._put(count + b"".join(row for _, row in rows) + bytes(4))

    def everything(self) -> bytes:
        """What was laid out so far."""
        return bytes(self._data) + bytes(len(self._data) % 2)

    def point(self, place: int) -> None:
        """Say where the first directory is."""
        self._data[4:8] = struct.pack(f"{self._order}I", place)

    def _row(self, tag: int, value: Value) -> bytes:
        head = struct.pack(f"{self._order}HHI", tag, value.kind, value.count)
        if len(value.data) <= 4:
            return head + value.data.ljust(4, b"\x00")
        is_note = tag == tags.MAKER_NOTE and self._note_place is not None
        place = self._note_place if is_note else self._put(value.data)
        return head + struct.pack(f"{self._order}I", place)

    def _put(self, data: bytes) -> int:
        """Into the gap before the maker note if it fits, else at the end; at an even place."""
        if self._at + len(data) <= self._gap_end:
            place = self._at
            self._data[place : place + len(data)] = data
            self._at = place + len(data) + len(data) % 2
            return place
        self._data += bytes(len(self._data) % 2)
        place = len(self._data)
        self._data += data
        return place


def laid_out(exif: Exif) -> Laid:
    """Lay out everything but the table of the picture's own directory, which a TIFF shares with its strips."""
    layout = _Layout(exif)
    return Laid(*_laid(exif, layout))


def exif_bytes(exif: Exif) -> bytes:
    """Camera data as one piece, as JPEG, PNG and WebP hold it; without JPEG's prefix."""
    layout = _Layout(exif)
    _, rows = _laid(exif, layout)
    layout.point(layout.table(list(rows)))
    return layout.everything()


def _laid(exif: Exif, layout: _Layout) -> tuple[bytes, tuple[tuple[int, bytes], ...]]:
    photo, image = dict(exif.photo), dict(exif.image)
    if exif.interop:
        photo[tags.INTEROP_POINTER] = exif.longs(layout.table(layout.rows(exif.interop)))
    if photo:
        image[tags.PHOTO_POINTER] = exif.longs(layout.table(layout.rows(photo)))
    if exif.gps:
        image[tags.GPS_POINTER] = exif.longs(layout.table(layout.rows(exif.gps)))
    rows = tuple(layout.rows(image))
    return layout.everything(), rows
