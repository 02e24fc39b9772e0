import io
import struct
import zlib

import numpy as np
import pytest

from app.document.png_stream import read_png, salvage_png
from app.errors import DocumentError
from engine.png_writer import write_png


def _png(pixels, **options) -> bytes:
    file = io.BytesIO()
    write_png(file, pixels, **options)
    return file.getvalue()


def _with_header(data: bytes, width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: b"GIF89a" + data, "layer: expected a PNG, got a file of another kind"),
        (lambda data: data[:20], "layer: expected a whole PNG, got a damaged or cut-off one"),
        (lambda data: data[: len(data) // 2], "a damaged or cut-off one"),
        (lambda data: _with_header(data, 16385, 2), "expected sides of 1 to 16384 px, got 16385x2 px"),
        (lambda data: _with_header(data, 0, 2), "expected sides of 1 to 16384 px, got 0x2 px"),
        (lambda data: _with_header(data, 16384, 16384), "bytes of pixels"),
    ],
)
def test_bad_files_are_refused_in_words(spoil, words):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    with pytest.raises(DocumentError) as caught:
        read_png(spoil(_png(pixels)), name="layer", limit_bytes=1 << 20)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "dtype"), [((40, 30, 3), np.uint8), ((700, 500, 4), np.uint16), ((9, 7), np.uint8)]
)
def test_a_changed_bit_of_an_unpacked_picture_costs_little_of_it(shape, dtype):
    rng = np.random.default_rng(3)
    pixels = rng.integers(1, np.iinfo(dtype).max + 1, shape).astype(dtype)
    whole = _png(pixels, packing="none")
    assert np.array_equal(salvage_png(whole, name="layer", limit_bytes=1 << 24), pixels)
    for place in rng.integers(60, len(whole) - 30, 12):
        spoilt = bytearray(whole)
        spoilt[place] ^= 8
        read = salvage_png(bytes(spoilt), name="layer", limit_bytes=1 << 24)
        assert read.shape == pixels.shape
        assert read.dtype == pixels.dtype
        strip_rows = max(1, (1 << 20) // (pixels[0].nbytes))
        assert np.count_nonzero((read != pixels).reshape(shape[0], -1).any(axis=1)) <= strip_rows
    cut = salvage_png(whole[: len(whole) // 2], name="layer", limit_bytes=1 << 24)
    assert np.array_equal(cut[: shape[0] // 3], pixels[: shape[0] // 3])
    assert not cut[-1].any()


def test_a_damaged_header_leaves_nothing_to_salvage():
    whole = _png(np.ones((9, 7), np.uint8), packing="none")
    with pytest.raises(DocumentError, match="expected a PNG, got a file of another kind"):
        salvage_png(b"x" + whole[1:], name="layer", limit_bytes=1 << 20)
