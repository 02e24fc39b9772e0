"""Camera data made by hand, so that it can be as odd as that of real cameras."""

import struct

import pytest

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8, 11: 4, 12: 8}


@pytest.fixture
def make_exif():
    """Bytes of camera data from directories of (tag, type, values or bytes); a pointer is a directory or a place."""

    def make(image, *, order="<", next_image=None, photo=None, gps=None, interop=None):
        data = bytearray((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8))

        def put(entries, after=0):
            start = len(data)
            data.extend(bytes(2 + 12 * len(entries) + 4))
            struct.pack_into(f"{order}H", data, start, len(entries))
            for row, (tag, kind, values) in enumerate(entries):
                raw = values if isinstance(values, bytes) else packed(kind, values)
                count = len(raw) // SIZES.get(kind, 1)
                at = start + 2 + 12 * row
                struct.pack_into(f"{order}HHI", data, at, tag, kind, count)
                if len(raw) <= 4:
                    data[at + 8 : at + 8 + len(raw)] = raw
                else:
                    struct.pack_into(f"{order}I", data, at + 8, len(data))
                    data.extend(raw)
            return start

        def packed(kind, values):
            letter = {1: "B", 3: "H", 4: "I", 5: "I", 10: "i", 11: "f", 12: "d"}[kind]
            return struct.pack(f"{order}{len(values)}{letter}", *values)

        pointers = [(34665, photo), (34853, gps)]
        entries = [*image, *((tag, 4, [0]) for tag, below in pointers if below is not None)]
        put(entries)
        row = len(image)
        for _, below in pointers:
            if below is None:
                continue
            inner = [*below, *([(40965, 4, [0])] if interop is not None and below is photo else [])]
            place = put(inner)
            struct.pack_into(f"{order}I", data, 8 + 2 + 12 * row + 8, place)
            if len(inner) > len(below):
                struct.pack_into(f"{order}I", data, place + 2 + 12 * len(below) + 8, put(interop))
            row += 1
        if next_image is not None:
            struct.pack_into(f"{order}I", data, 8 + 2 + 12 * len(entries), put(next_image))
        return bytes(data)

    return make
