"""Read what Pillow cuts to 8 bits or leaves out: PNG of 16 bits, AVIF of 10 and 12, JPEG of up to 16.

The codecs of imagecodecs give every bit. They are handed a file only when its size is known from its header.

Source: PNG specification (ISO/IEC 15948:2004), section 11; ITU-T T.81, annex B.
Elsewhere: the ranges in samples.py, which file comes here in pillow_reader.py and decoding.py.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL.ImageFile import ImageFile

from engine.samples import KEY_IS_ALPHA, Samples, whole_numbers

_FRAMES = {
    0xC0,
    0xC1,
    0xC2,
    0xC3,
    0xC9,
    0xCA,
    0xCB,
}  # baseline, extended, progressive, lossless; Huffman, arithmetic
_BARE_MARKERS = {0x01, *range(0xD0, 0xD9)}


def is_for_deep_png(image: ImageFile) -> bool:
    """Whether Pillow would lose something of this PNG: the low byte, or the key of fewer than 8 bits.

    Args:
        image: opened, not loaded.
    """
    if image.format != "PNG" or not image.tile:
        return False
    layout = str(image.tile[0].args)
    is_small = image.mode == "1" or layout in ("L;2", "L;4")
    return ";16" in layout or (is_small and "transparency" in image.info)


def read_deep_png(file: BinaryIO, image: ImageFile) -> Samples:
    """Read such a PNG, whole.

    Raises:
        Exception: whatever the decoder raises on a damaged one.
    """
    import imagecodecs

    file.seek(0)
    data = file.read()
    if struct.unpack_from(">II", data, 16) != image.size:
        raise ValueError("two headers that do not agree")
    pixels = imagecodecs.png_decode(data)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    has_key = channels in (2, 4) and not data[25] & 4  # the kind of colours has no alpha of its own
    notes = [KEY_IS_ALPHA] if has_key else []
    if image.mode == "1":
        notes.insert(0, "black and white became grey")
    return Samples(pixels, notes=notes)


def read_deep_avif(file: BinaryIO, bits: int) -> np.ndarray:
    """Pixels of the first picture of an AVIF of more than 8 bits: (H, W) or (H, W, C) uint16, 0 to 65535."""
    import imagecodecs

    file.seek(0)
    pixels = imagecodecs.avif_decode(file.read(), index=0)
    return whole_numbers(pixels, bits=bits, notes=[])


@dataclass(frozen=True)
class JpegFrame:
    """What the header of a JPEG says of its pixels."""

    width: int
    height: int
    bits: int
    channels: int


def jpeg_frame(data: bytes) -> JpegFrame | None:
    """Look for the frame header of a JPEG; None where there is none of a kind that is read here."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF or marker in _BARE_MARKERS:
            place += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES and place + 10 <= len(data):
            bits, height, width, channels = struct.unpack_from(">BHHB", data, place + 4)
            return JpegFrame(width, height, bits, channels)
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return None


def read_deep_jpeg(data: bytes, frame: JpegFrame) -> Samples:
    """Read a JPEG of more than 8 bits a channel, grey or RGB.

    Raises:
        Exception: whatever the decoder raises on a damaged one.
    """
    import imagecodecs

    pixels = imagecodecs.jpeg_decode(data)
    if pixels.ndim == 3 and pixels.shape[2] != 3:
        raise ValueError(f"{pixels.shape[2]} channels")
    return Samples(whole_numbers(pixels, bits=frame.bits, notes=[]))
