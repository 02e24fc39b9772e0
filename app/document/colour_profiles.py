"""Colour profiles for deep pictures that have none: Krita takes them for linear light otherwise, and asks.

What a picture has 16 bits a channel and no profile means here what it would mean with 8 bits: sRGB, or grey of gamma 2.2.

Source: ICC.1:2001-04, sections 6.1 (header), 6.4 and 6.5 (tags).
"""

import functools
import struct

_D50 = struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
_DATE = struct.pack(">6H", 2020, 1, 1, 0, 0, 0)  # fixed, so that the same document gives the same file


@functools.cache
def srgb_profile() -> bytes:
    """SRGB as littlecms makes it."""
    from PIL import ImageCms

    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[:24] + _DATE + made[36:]


@functools.cache
def grey_profile() -> bytes:
    """Grey of gamma 2.2."""
    words = b"Grey, gamma 2.2\x00"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(words)) + words + bytes(4 + 4 + 2 + 1 + 67),
        b"cprt": b"text" + bytes(4) + b"No copyright\x00",
        b"wtpt": b"XYZ " + bytes(4) + _D50,
        b"kTRC": b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256)),
    }
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    size = start + len(data)
    header = struct.pack(">I4xI", size, 0x02100000) + b"mntrGRAYXYZ " + _DATE + b"acsp" + bytes(28) + _D50
    return header.ljust(128, b"\x00") + table + data
