import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from engine.deep_reader import JpegFrame, jpeg_frame
from engine.errors import PictureError
from engine.pictures import read_picture
from engine.png_writer import chunk
from engine.samples import KEY_IS_ALPHA


def png(values, bits, colour_type, *chunks):
    """A PNG by hand, its numbers packed to ``bits`` each."""
    height, width = values.shape[:2]
    lines = [
        "".join(format(int(number), f"0{bits}b") for number in row) for row in values.reshape(height, -1)
    ]
    lines = [line + "0" * (-len(line) % 8) for line in lines]
    rows = b"".join(b"\0" + int(line, 2).to_bytes(len(line) // 8, "big") for line in lines)
    head = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, data) for name, data in parts)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_key_of_any_depth_becomes_alpha(tmp_path, bits):
    top = 2**bits - 1
    values = np.array([[0, top, top // 2 + 1], [top, 0, 0]])
    (tmp_path / "a.png").write_bytes(png(values, bits, 0, (b"tRNS", struct.pack(">H", top))))
    found = read_picture(tmp_path / "a.png")
    goal = np.iinfo(found.pixels.dtype).max
    assert found.mode == "LA"
    assert found.notes[-1] == KEY_IS_ALPHA
    assert np.array_equal(found.pixels[..., 1] == 0, values == top)
    assert np.array_equal(found.pixels[..., 0], np.rint(values * (goal / top)))


def test_a_black_key_of_one_bit(tmp_path):
    (tmp_path / "a.png").write_bytes(png(np.array([[0, 1]]), 1, 0, (b"tRNS", bytes(2))))
    assert read_picture(tmp_path / "a.png").pixels.tolist() == [[[0, 0], [255, 255]]]


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_significant_bits_change_no_value(tmp_path, colour_type, channels):
    """By the standard the values are scaled to the full depth already."""
    values = np.random.default_rng(0).integers(0, 65535, (3, 4, channels), endpoint=True)
    data = png(values, 16, colour_type, (b"sBIT", bytes([10] * channels)))
    (tmp_path / "a.png").write_bytes(data)
    found = read_picture(tmp_path / "a.png")
    assert np.array_equal(found.pixels.reshape(values.shape), values)
    assert found.notes == ()


def test_headers_that_do_not_agree_are_damage(tmp_path):
    second = (b"IHDR", struct.pack(">IIBBBBB", 5, 5, 16, 0, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(png(np.zeros((2, 2), int), 16, 0, second))
    with pytest.raises(PictureError, match="a whole PNG file, got a damaged"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("shape", [(16, 24), (16, 24, 3), (16, 24, 4)])
def test_avif_keeps_10_and_12_bits(tmp_path, bits, shape):
    top = 2**bits - 1
    values = np.linspace(0, top, np.prod(shape)).astype(np.uint16).reshape(shape)
    (tmp_path / "a.avif").write_bytes(imagecodecs.avif_encode(values, bitspersample=bits))
    found = read_picture(tmp_path / "a.avif")
    assert found.notes == ()
    assert np.abs(found.pixels / (65535 / top) - values).max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_a_jpeg_of_12_bits_is_read(tmp_path, channels):
    ramp = (np.add.outer(np.arange(32), np.arange(40)) * 50).astype(np.uint16)
    values = ramp if channels == 1 else np.dstack([ramp] * 3)
    (tmp_path / "a.jpg").write_bytes(imagecodecs.jpeg_encode(values, level=98, bitspersample=12))
    found = read_picture(tmp_path / "a.jpg")
    assert found.pixels.dtype == np.uint16
    assert np.abs(found.pixels / (65535 / 4095) - values).max() < 20


def test_a_lossless_jpeg_is_read(tmp_path):
    values = np.random.default_rng(0).integers(0, 4095, (8, 9)).astype(np.uint16)
    (tmp_path / "a.jpg").write_bytes(imagecodecs.ljpeg_encode(values, bitspersample=12))
    found = read_picture(tmp_path / "a.jpg").pixels
    assert np.abs(found / (65535 / 4095) - values).max() <= 1


def test_the_frame_of_a_jpeg_is_found_behind_other_segments():
    head = b"\xff\xd8\xff\xe1\x00\x04ab\xff\xff\xc1" + struct.pack(">HBHHB", 11, 12, 20, 30, 1) + bytes(9)
    assert jpeg_frame(head) == JpegFrame(30, 20, 12, 1)
    assert jpeg_frame(head[:12]) is None
    assert jpeg_frame(b"\xff\xd8abc") is None


def test_a_deep_jpeg_is_held_against_the_limit(tmp_path):
    data = b"\xff\xd8\xff\xc1" + struct.pack(">HBHHB", 11, 12, 65000, 65000, 1) + bytes(9)
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(PictureError, match="at most 300 megapixels, got 65000x65000 px"):
        read_picture(tmp_path / "a.jpg")


def test_interlaced_16_bits(tmp_path):
    """Adam7 by hand: for a single pixel the first pass is all."""
    data = bytearray(png(np.array([[[1000, 2000, 3000]]]), 16, 2))
    data[28] = 1
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    (tmp_path / "a.png").write_bytes(data)
    assert read_picture(tmp_path / "a.png").pixels.tolist() == [[[1000, 2000, 3000]]]


def test_pictures_of_8_bits_stay_with_pillow(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (8, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert np.array_equal(read_picture(tmp_path / "a.png").pixels, pixels)
