import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from engine.decoding import decode
from engine.metadata.writing import colour_chunks
from engine.png_writer import write_png


def _png(pixels, **options) -> bytes:
    file = io.BytesIO()
    write_png(file, pixels, **options)
    return file.getvalue()


def _chunks(data: bytes, name: bytes):
    place = 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        if data[place + 4 : place + 8] == name:
            yield data[place + 8 : place + 8 + length]
        place += 12 + length


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (7, 3, 2), (33, 17, 3), (300, 1500, 4)])
@pytest.mark.parametrize("packing", ["small", "quick", "none"])
def test_every_layout_comes_back_bit_for_bit(shape, kind, packing):
    pixels = np.random.default_rng(3).integers(0, np.iinfo(kind).max + 1, shape).astype(kind)
    data = _png(pixels, packing=packing)
    decoded = decode(io.BytesIO(data))
    assert decoded.pixels.dtype == kind
    assert np.array_equal(decoded.pixels, pixels)
    Image.open(io.BytesIO(data)).verify()  # checksums of every chunk


def test_strips_packed_on_several_threads_join_to_one_valid_stream(monkeypatch):
    monkeypatch.setattr("engine.png_writer._STRIP_BYTES", 4096)
    monkeypatch.setattr("engine.png_writer.os.cpu_count", lambda: 4)
    ramp = np.add.outer(np.arange(700), np.arange(90) * 3).astype(np.uint8)
    data = _png(np.dstack([ramp, ramp.T[:1].repeat(700, 0)[:, :90], ramp]))
    stream = b"".join(_chunks(data, b"IDAT"))
    assert len(zlib.decompress(stream)) == 700 * (90 * 3 + 1)  # and the joined checksum is right
    assert np.array_equal(decode(io.BytesIO(data)).pixels[..., 0], ramp)


@pytest.mark.parametrize("packing", ["small", "quick"])
def test_smooth_pictures_become_small(packing):
    smooth = np.add.outer(np.arange(256), np.arange(256)).astype(np.uint8)
    assert len(_png(np.dstack([smooth] * 3), packing=packing)) < smooth.size * 3 / 20


def test_what_repeats_becomes_small_in_files_that_are_sent_around():
    tile = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    assert len(_png(np.tile(tile, (16, 16, 1)))) < 16 * 16 * tile.size / 20


def test_profile_is_kept():
    data = _png(np.zeros((2, 2, 3), np.uint8), chunks=colour_chunks((), b"a profile of ours"))
    assert decode(io.BytesIO(data)).icc_profile == b"a profile of ours"
