import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.errors import PictureError
from engine.pictures import read_picture, read_rgb
from engine.samples import ALPHA_DIVIDED, FIRST_OF_SEVERAL

TAKEN_AS_ALPHA = "a further channel without a meaning was taken as alpha"


def numbers(dtype, shape, seed=0):
    top = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, top, shape, dtype=dtype, endpoint=True)


def read(tmp_path, pixels, **settings):
    tifffile.imwrite(tmp_path / "a.tif", pixels, metadata=None, **settings)
    return read_picture(tmp_path / "a.tif")


def directory_of(entries, data=b"", order="<"):
    """A TIFF by hand: tags with their kind and values; ``data`` lies at byte 8."""
    kinds = {"B": 1, "s": 2, "H": 3, "I": 4, "f": 11}
    place = 8 + len(data)
    table, tail = struct.pack(f"{order}H", len(entries)), b""
    after = place + 2 + 12 * len(entries) + 4
    for tag, letter, values in sorted(entries):
        packed = (
            values if isinstance(values, bytes) else struct.pack(f"{order}{len(values)}{letter}", *values)
        )
        table += struct.pack(f"{order}HHI", tag, kinds[letter], len(values))
        if len(packed) > 4:
            table += struct.pack(f"{order}I", after + len(tail))
            tail += packed + bytes(len(packed) % 2)
        else:
            table += packed.ljust(4, b"\0")
    mark = {"<": b"II", ">": b"MM"}[order]
    return mark + struct.pack(f"{order}HI", 42, place) + data + table + bytes(4) + tail


def by_hand(pixels, bits, photometric, extra=(), **others):
    """An uncompressed TIFF of one strip, its numbers packed to ``bits`` each, rows filled up to whole bytes."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    rows = pixels.reshape(height, -1)
    lines = ["".join(format(int(number), f"0{bits}b") for number in row) for row in rows]
    lines = [line + "0" * (-len(line) % 8) for line in lines]
    data = b"".join(int(line, 2).to_bytes(len(line) // 8, "big") for line in lines)
    entries = [
        (256, "H", (width,)), (257, "H", (height,)), (258, "H", (bits,) * channels), (259, "H", (1,)),
        (262, "H", (photometric,)), (273, "I", (8,)), (277, "H", (channels,)), (278, "H", (height,)),
        (279, "I", (len(data),)), *extra,
    ]  # fmt: skip
    return directory_of(entries, data + bytes(len(data) % 2), **others)


# Layouts


@pytest.mark.parametrize("extra", ["assocalpha", "unassalpha", "unspecified", None])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_channels_are_what_the_file_says(tmp_path, dtype, planar, extra):
    pixels = numbers(dtype, (13, 7, 3 if extra is None else 4))
    stored = np.moveaxis(pixels, -1, 0) if planar == "separate" else pixels
    extras = None if extra is None else [extra]
    found = read(
        tmp_path, stored, photometric="rgb", planarconfig=planar, extrasamples=extras, compression="zlib"
    )
    assert found.pixels.dtype == dtype
    assert found.mode == ("RGB" if extra is None else "RGBA")
    assert found.notes == {"assocalpha": (ALPHA_DIVIDED,), "unspecified": (TAKEN_AS_ALPHA,)}.get(extra, ())
    if extra != "assocalpha":
        assert np.array_equal(found.pixels, pixels)
    else:
        assert np.array_equal(found.pixels[..., 3], pixels[..., 3])


def test_grey_with_alpha_is_read_at_16_bits(tmp_path):
    pixels = numbers(np.uint16, (13, 7, 2))
    found = read(
        tmp_path, pixels, photometric="minisblack", planarconfig="contig", extrasamples=["unassalpha"]
    )
    assert (found.mode, found.notes) == ("LA", ())
    assert np.array_equal(found.pixels, pixels)


def test_channels_without_a_meaning_are_left_out_with_a_note(tmp_path):
    pixels = numbers(np.uint16, (13, 7, 6))
    found = read(tmp_path, pixels, photometric="rgb", planarconfig="contig")
    assert found.notes == ("3 further channels without a meaning were left out",)
    assert np.array_equal(found.pixels, pixels[..., :3])
    found = read(
        tmp_path, pixels[..., :5], photometric="rgb", planarconfig="contig",
        extrasamples=["unspecified", "unassalpha"],
    )  # fmt: skip
    assert found.notes == ("1 further channel without a meaning was left out",)
    assert np.array_equal(found.pixels, pixels[..., [0, 1, 2, 4]])


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("tile", [None, (16, 32)])
def test_tiles_byte_orders_and_big_files(tmp_path, tile, bigtiff, byteorder):
    pixels = numbers(np.uint16, (40, 50, 3))
    found = read(tmp_path, pixels, photometric="rgb", tile=tile, bigtiff=bigtiff, byteorder=byteorder)
    assert np.array_equal(found.pixels, pixels)
    assert found.pixels.dtype == np.dtype("=u2")


@pytest.mark.parametrize("compression", ["lzw", "zlib", "zstd", "lzma", "packbits", "webp", "jpegxl", "png"])
@pytest.mark.parametrize("predictor", [False, True])
def test_whole_compressions(tmp_path, compression, predictor):
    if predictor and compression in ("packbits", "webp", "jpegxl", "png"):
        pytest.skip("these know no predictor")
    pixels = numbers(np.uint8, (40, 50, 3))
    found = read(
        tmp_path, pixels, photometric="rgb", compression=compression, predictor=predictor,
        compressionargs={"level": 100, "lossless": True} if compression == "webp" else None,
    )  # fmt: skip
    assert found.notes == ()
    assert np.array_equal(found.pixels, pixels)


@pytest.mark.parametrize("colours", ["rgb", "ycbcr"])
def test_jpeg_inside(tmp_path, colours):
    ramp = np.add.outer(np.arange(48), 2 * np.arange(64)).astype(np.uint8)
    pixels = np.dstack([ramp, ramp[::-1], ramp[:, ::-1]])
    tifffile.imwrite(
        tmp_path / "a.tif", pixels, photometric="rgb", compression="jpeg",
        compressionargs={"level": 95, "outcolorspace": colours}, metadata=None, subsampling=(1, 1),
    )  # fmt: skip
    found = read_picture(tmp_path / "a.tif").pixels
    assert np.abs(found.astype(int) - pixels).mean() < 2
    assert np.array_equal(found, np.asarray(Image.open(tmp_path / "a.tif").convert("RGB")))


def test_colours_at_half_resolution_without_jpeg_are_read(tmp_path):
    """2 x 2 lights share one pair of colour differences; 128 is none."""
    block = bytes([10, 60, 110, 160, 128, 128])
    entries = [
        (256, "H", (4,)), (257, "H", (2,)), (258, "H", (8, 8, 8)), (259, "H", (1,)), (262, "H", (6,)),
        (273, "I", (8,)), (277, "H", (3,)), (278, "H", (2,)), (279, "I", (12,)), (530, "H", (2, 2)),
    ]  # fmt: skip
    (tmp_path / "a.tif").write_bytes(directory_of(entries, block * 2))
    found = read_picture(tmp_path / "a.tif")
    assert found.mode == "RGB"
    assert np.abs(found.pixels[..., 0].astype(int) - [[10, 60, 10, 60], [110, 160, 110, 160]]).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_pictures_are_turned_at_every_depth(tmp_path, kind, orientation):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4).astype(kind) / np.float32(
        12 if kind == "float32" else 1
    )
    stored = pixels.astype(kind)
    found = read(tmp_path, stored, photometric="minisblack", extratags=[(274, 3, 1, orientation, True)])
    upright = read(tmp_path, stored, photometric="minisblack").pixels
    columns = upright.T if orientation >= 5 else upright
    rows = columns[::-1] if orientation in (3, 4, 7, 8) else columns
    assert np.array_equal(found.pixels, rows[:, ::-1] if orientation in (2, 3, 6, 7) else rows)


# Ranges


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8, 10, 12, 14, 16])
@pytest.mark.parametrize("photometric", [0, 1])
def test_every_depth_reaches_from_black_to_white(tmp_path, bits, photometric):
    top = 2**bits - 1
    pixels = np.array([[0, top, top // 3], [top // 2, 0, top]])
    (tmp_path / "a.tif").write_bytes(by_hand(pixels, bits, photometric, order=">"))
    found = read_picture(tmp_path / "a.tif").pixels
    goal = np.iinfo(np.uint8 if bits <= 8 else np.uint16).max
    light = pixels if photometric == 1 else top - pixels
    assert found.dtype == (np.uint8 if bits <= 8 else np.uint16)
    assert np.abs(found.astype(int) - np.rint(light * (goal / top))).max() <= 1
    assert {found.min(), found.max()} == {0, goal}


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_colours_of_more_than_8_bits_in_either_byte_order(tmp_path, bits):
    top = 2**bits - 1
    pixels = np.random.default_rng(1).integers(0, top, (5, 4, 3), endpoint=True)
    for order in "<>":
        (tmp_path / "a.tif").write_bytes(by_hand(pixels, bits, 2, order=order))
        found = read_picture(tmp_path / "a.tif").pixels
        assert np.abs(found.astype(int) - np.rint(pixels * (65535 / top))).max() <= 1


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("settings", [{}, {"compression": "zlib", "predictor": True}])
def test_floats_of_every_width(tmp_path, dtype, settings):
    values = np.array([[[0.0, 0.25, 0.5], [1.0, 0.75, -1.0]]], dtype)
    found = read(tmp_path, values, photometric="rgb", **settings)
    assert found.mode == "RGB"
    assert found.pixels.tolist() == [[[0, 16384, 32768], [65535, 49151, 0]]]


def test_a_range_named_by_the_file_is_obeyed(tmp_path):
    values = np.array([[-1.0, 0.0, 3.0, 9.0]], np.float32)
    tags = [(340, 11, 1, -1.0, True), (341, 11, 1, 3.0, True)]
    found = read(tmp_path, values, photometric="minisblack", extratags=tags)
    assert found.pixels.tolist() == [[0, 16384, 65535, 65535]]
    assert found.notes == ("floats from -1 to 3 became 16 bits, values outside were cut off",)


def test_signed_values_are_named_by_their_bits(tmp_path):
    found = read(tmp_path, np.array([[-5, 0, 100, 32767]], np.int16), photometric="minisblack")
    assert found.pixels.tolist() == [[0, 0, 100, 32767]]
    assert found.notes == ("signed 16-bit values were kept from 0 on, those below were cut off",)
    found = read(tmp_path, np.array([[-5, 0, 100]], np.int8), photometric="minisblack")
    assert found.pixels.tolist() == [[251, 0, 100]]
    assert found.notes == ("signed 8-bit values were taken as unsigned",)


def test_a_colour_map_of_bytes_is_a_colour_map(tmp_path):
    """The field has 16 bits; some writers fill it with 0 to 255."""
    table = numbers(np.uint16, (3, 256))
    pixels = numbers(np.uint8, (5, 4))
    colours = (table >> 8).T[pixels]
    assert np.array_equal(read(tmp_path, pixels, photometric="palette", colormap=table).pixels, colours)
    low = read(tmp_path, pixels, photometric="palette", colormap=table >> 8)
    assert np.array_equal(low.pixels, colours)
    assert low.notes == ("palette colours became RGB",)


def test_a_palette_with_alpha(tmp_path):
    table = np.zeros((3, 16), np.uint16)
    table[0, 5] = 65535
    pixels = np.array([[[5, 15], [0, 3]]])
    extra = [(320, "H", tuple(table.ravel().tolist())), (338, "H", (2,))]
    (tmp_path / "a.tif").write_bytes(by_hand(pixels, 4, 3, extra))
    found = read_picture(tmp_path / "a.tif")
    assert found.notes == ("palette colours became RGBA",)
    assert found.pixels.tolist() == [[[255, 0, 0, 255], [0, 0, 0, 51]]]


# Colours


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_inks_with_alpha(tmp_path, dtype):
    top = np.iinfo(dtype).max
    inks = np.array([[[0, top, top, 0, top], [0, 0, 0, top, 7]]], dtype)
    found = read(tmp_path, inks, photometric="separated", planarconfig="contig", extrasamples=["unassalpha"])
    assert found.pixels.tolist() == [[[top, 0, 0, top], [0, 0, 0, 7]]]
    assert found.notes == ("CMYK became RGB without a profile, colours are approximate",)


@pytest.mark.parametrize(("photometric", "middle"), [(8, 0), (9, 128)])
@pytest.mark.parametrize("bits", [8, 16])
def test_lab_in_both_ways_of_writing(tmp_path, bits, photometric, middle):
    """White, black, and the red of sRGB at the light of print: Lab 54.29, 80.81, 69.89."""
    top, level = 2**bits - 1, 2 ** (bits - 8)
    lab = [(100, 0, 0), (0, 0, 0), (54.29, 80.81, 69.89)]
    stored = [[round(c * top / 100), *(round((d + middle) * level) % 2**bits for d in ab)] for c, *ab in lab]
    (tmp_path / "a.tif").write_bytes(by_hand(np.array([stored]), bits, photometric, order=">"))
    found = read_picture(tmp_path / "a.tif")
    goal = np.array([[[1, 1, 1], [0, 0, 0], [1, 0, 0]]]) * top
    assert found.notes == ("Lab colours became sRGB",)
    assert np.abs(found.pixels.astype(int) - goal).max() <= 0.02 * top + 1


# Pages


def test_smaller_copies_are_no_further_pictures(tmp_path):
    pixels = numbers(np.uint8, (40, 50, 3))
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(pixels[::2, ::2], photometric="rgb", subfiletype=1)
        file.write(pixels, photometric="rgb", subifds=1)
        file.write(pixels[::2, ::2], photometric="rgb", subfiletype=1)
    found = read_picture(tmp_path / "a.tif")
    assert found.notes == ()
    assert np.array_equal(found.pixels, pixels)


def test_of_several_pages_the_first_is_read(tmp_path):
    pages = numbers(np.uint8, (2, 13, 7))
    found = read(tmp_path, pages, photometric="minisblack")
    assert found.notes == (FIRST_OF_SEVERAL,)
    assert np.array_equal(found.pixels, pages[0])


def test_pages_in_a_circle_are_read_once(tmp_path):
    data = bytearray(by_hand(np.array([[3, 250]]), 8, 1))
    end = struct.unpack_from("<I", data, 4)[0] + 2 + 12 * 9
    data[end : end + 4] = data[4:8]
    (tmp_path / "a.tif").write_bytes(data)
    assert read_picture(tmp_path / "a.tif").pixels.tolist() == [[3, 250]]


# Refusals


def odd(data=b"\x07\xff", **changes):
    """A small file with one tag changed."""
    entries = {
        256: ("H", (2,)), 257: ("H", (1,)), 258: ("H", (8,)), 259: ("H", (1,)), 262: ("H", (1,)),
        273: ("I", (8,)), 277: ("H", (1,)), 278: ("H", (1,)), 279: ("I", (2,)),
    }  # fmt: skip
    entries.update({int(tag[1:]): value for tag, value in changes.items()})
    return directory_of([(tag, *value) for tag, value in entries.items()], data + bytes(len(data) % 2))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"_259": ("H", (34676,))}, "compression SGILOG"),
        ({"_259": ("H", (999,))}, "compression 999"),
        ({"_277": ("H", (60000,))}, "60000 channels"),
        ({"_262": ("H", (6,)), "_258": ("H", (16,) * 3), "_277": ("H", (3,))}, "YCbCr colours of 16 bits"),
        ({"_262": ("H", (10,))}, "colours of the kind ITULAB"),
        ({"_262": ("H", (2,))}, "1 channels of RGB"),
        ({"_317": ("H", (77,)), "_259": ("H", (5,))}, "predictor 77"),
        ({"_339": ("H", (6,)), "_258": ("H", (64,))}, "sample format"),
        ({"_32997": ("I", (3,))}, "a stack of slices"),
        ({"_262": ("H", (8,)), "_258": ("H", (4, 4, 4)), "_277": ("H", (3,))}, "Lab colours of 4 bits"),
    ],
)
def test_what_nothing_reads_is_named_and_not_called_damaged(tmp_path, capfd, changes, words):
    (tmp_path / "a.tif").write_bytes(odd(**changes))
    expected = (
        f"a.tif: expected a TIFF of grey, RGB, CMYK or Lab, got .*{words}.*, which nothing here reads; export"
    )
    with pytest.raises(PictureError, match=expected):
        read_picture(tmp_path / "a.tif")
    assert capfd.readouterr() == ("", "")


def test_other_inks_are_refused(tmp_path):
    tags = [(332, 3, 1, 2, True)]
    with pytest.raises(
        PictureError, match="got inks other than cyan, magenta, yellow and black, which nothing"
    ):
        read(tmp_path, numbers(np.uint16, (5, 4, 4)), photometric="separated", extratags=tags)


def test_a_raw_file_is_refused(tmp_path):
    words = "a.tif: expected a picture, got a camera's raw file; develop it first"
    with pytest.raises(PictureError, match=words):
        read(tmp_path, numbers(np.uint16, (5, 4)), photometric="cfa")
    with tifffile.TiffWriter(tmp_path / "b.tif") as file:
        file.write(numbers(np.uint8, (4, 4, 3)), photometric="rgb", subfiletype=1, subifds=1)
        file.write(numbers(np.uint16, (8, 8)), photometric="cfa")
    with pytest.raises(
        PictureError, match="got a small preview alone, as in a camera's raw file; develop it"
    ):
        read_picture(tmp_path / "b.tif")


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "zstd", "jpeg"])
def test_a_strip_beyond_the_end_is_damage(tmp_path, compression):
    tifffile.imwrite(
        tmp_path / "a.tif", numbers(np.uint8, (64, 64, 3)), photometric="rgb", compression=compression
    )
    data = bytearray((tmp_path / "a.tif").read_bytes())
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        place = file.pages.first.dataoffsets[-1]
    (tmp_path / "a.tif").write_bytes(data[: place + 3])
    with pytest.raises(PictureError, match="a damaged"):
        read_picture(tmp_path / "a.tif")


def test_a_missing_strip_is_damage_and_no_old_memory(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", numbers(np.uint8, (64, 64)), rowsperstrip=8, compression="zlib", metadata=None
    )
    data = bytearray((tmp_path / "a.tif").read_bytes())
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        for tag in (273, 279):
            place = file.pages.first.tags[tag].offset + 4
            data[place : place + 4] = struct.pack("<I", 4)
    (tmp_path / "a.tif").write_bytes(data)
    with pytest.raises(PictureError, match="expected a whole TIFF file, got a damaged or cut-off one"):
        read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize(
    "changes",
    [
        {"_256": ("I", (40000,)), "_257": ("I", (40000,))},
        {"_256": ("I", (12000,)), "_257": ("I", (12000,)), "_277": ("H", (50,))},
        {"_322": ("I", (1 << 20,)), "_323": ("I", (1 << 20,)), "_324": ("I", (8,)), "_325": ("I", (2,))},
    ],
)
def test_size_channels_and_tiles_are_held_against_the_limit(tmp_path, changes):
    (tmp_path / "a.tif").write_bytes(odd(**changes))
    with pytest.raises(
        PictureError, match=r"expected at most 300 megapixels, got \d+x\d+ px \(\d+ megapixels"
    ):
        read_picture(tmp_path / "a.tif")


def test_a_profile_written_as_words_is_left_out_with_a_note(tmp_path):
    (tmp_path / "a.tif").write_bytes(odd(_34675=("s", b"no profile\0")))
    found = read_picture(tmp_path / "a.tif")
    assert found.icc_profile is None
    assert found.notes == ("the colour profile is written in a way nobody reads and was left out",)
    assert found.pixels.tolist() == [[7, 255]]


def test_for_training_every_kind_becomes_8_bits(tmp_path):
    pixels = numbers(np.uint16, (13, 7, 4))
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["unassalpha"])
    assert np.array_equal(read_rgb(tmp_path / "a.tif"), pixels[..., :3] >> 8)


def test_a_fax_is_read(tmp_path):
    image = Image.fromarray(numbers(np.uint8, (40, 50)) > 100)
    image.save(tmp_path / "a.tif", compression="group4")
    found = read_picture(tmp_path / "a.tif")
    assert np.array_equal(found.pixels > 0, np.asarray(image))
    assert found.notes == ("black and white became grey",)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_numbers_of_24_bits_lie_in_the_order_of_the_file(tmp_path, order, is_packed):
    values = np.linspace(0, (1 << 24) - 1, 60).astype(np.uint32).reshape(10, 6)
    data = b"".join(int(value).to_bytes(3, {"<": "little", ">": "big"}[order]) for value in values.ravel())
    data = zlib.compress(data) if is_packed else data
    entries = [
        (256, "H", (6,)), (257, "H", (10,)), (258, "H", (24,)), (259, "H", (8 if is_packed else 1,)), (262, "H", (1,)),
        (273, "I", (8,)), (277, "H", (1,)), (278, "H", (10,)), (279, "I", (len(data),)),
    ]  # fmt: skip
    (tmp_path / "a.tif").write_bytes(directory_of(entries, data + bytes(len(data) % 2), order))
    found = read_picture(tmp_path / "a.tif")
    assert np.array_equal(found.pixels, np.rint(values / ((1 << 24) - 1) * 65535))
    assert found.notes == ("24-bit values from 0 to 16777215 became 16 bits",)


def test_a_jpeg_of_12_bits_inside(tmp_path):
    ramp = np.add.outer(np.arange(16), 4 * np.arange(24)).astype(np.uint16) * 30
    data = imagecodecs.jpeg_encode(ramp, level=99, bitspersample=12)
    entries = [
        (256, "H", (24,)), (257, "H", (16,)), (258, "H", (12,)), (259, "H", (7,)), (262, "H", (1,)),
        (273, "I", (8,)), (277, "H", (1,)), (278, "H", (16,)), (279, "I", (len(data),)),
    ]  # fmt: skip
    (tmp_path / "a.tif").write_bytes(directory_of(entries, data + bytes(len(data) % 2)))
    found = read_picture(tmp_path / "a.tif").pixels
    assert np.abs(found / (65535 / 4095) - ramp).max() < 40


def test_a_picture_inside_that_is_larger_than_its_place_is_damage(tmp_path):
    """Its own header would be believed: 65500 pixels a side out of a few bytes."""
    data = imagecodecs.jpeg_encode(np.zeros((700, 600), np.uint8))
    (tmp_path / "a.tif").write_bytes(
        odd(_256=("H", (8,)), _257=("H", (8,)), _259=("H", (7,)), _279=("I", (len(data),)), data=data)
    )
    with pytest.raises(PictureError, match="a whole TIFF file, got a damaged"):
        read_picture(tmp_path / "a.tif")


def test_an_odd_tag_is_no_damage(tmp_path):
    (tmp_path / "a.tif").write_bytes(odd(_315=("f", (1.5, 2.5))))
    assert read_picture(tmp_path / "a.tif").pixels.tolist() == [[7, 255]]
