import functools
import hashlib
import io
import os
import struct
import subprocess
import sys
import threading
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from engine.errors import MaskError, PictureError
from engine.metadata.kept import Metadata
from engine.pictures import (
    CHANNELS,
    Picture,
    check_can_write,
    picture_sha256,
    read_mask,
    read_official_mask,
    read_picture,
    read_rgb,
    write_picture,
)
from engine.png_writer import chunk

MODES = tuple(CHANNELS)


def pixels_of(mode, dtype=np.uint8, size_hw=(13, 7), seed=0):
    rng = np.random.default_rng(seed)
    shape = size_hw if mode == "L" else (*size_hw, CHANNELS[mode])
    return rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


@functools.cache  # littlecms writes the time of day into it
def profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif_bytes(orientation, order="<", prefix=b""):
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    maker = struct.pack(f"{order}HHI4s", 271, 2, 4, b"ACM\0")
    entry = struct.pack(f"{order}HHIHH", 274, 3, 1, orientation, 0)
    return prefix + mark + struct.pack(f"{order}IH", 8, 2) + maker + entry + bytes(4) + b"rest stays"


# Round trips


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("ending", [".png", ".tif", ".tiff"])
def test_every_mode_and_depth_comes_back_equal(tmp_path, ending, mode, dtype):
    picture = Picture(pixels_of(mode, dtype), mode)
    notes = write_picture(picture, tmp_path / f"a{ending}")
    read = read_picture(tmp_path / f"a{ending}")
    assert read.pixels.dtype == dtype
    if (mode, dtype) == ("LA", np.uint16) and ending != ".png":
        assert notes == ("TIFF of 16 bits keeps grey with alpha as RGBA",)
        assert np.array_equal(read.pixels, picture.pixels[..., [0, 0, 0, 1]])
        return
    assert (notes, read.notes, read.mode) == ((), (), mode)
    assert np.array_equal(read.pixels, picture.pixels)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_bmp_comes_back_equal(tmp_path, mode):
    picture = Picture(pixels_of(mode), mode)
    assert write_picture(picture, tmp_path / "a.bmp") == ()
    assert np.array_equal(read_picture(tmp_path / "a.bmp").pixels, picture.pixels)


@pytest.mark.parametrize("mode", MODES)
def test_webp_comes_back_equal_and_says_what_became_of_grey(tmp_path, mode):
    pixels = pixels_of(mode)
    notes = write_picture(Picture(pixels, mode), tmp_path / "a.webp")
    expected = {"L": [pixels] * 3, "LA": [pixels[..., 0]] * 3 + [pixels[..., -1]]}.get(mode, [pixels])
    assert np.array_equal(read_picture(tmp_path / "a.webp").pixels, np.dstack(expected))
    assert notes == (("WebP keeps grey as RGB",) if mode in ("L", "LA") else ())


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("ending", [".jpg", ".JPEG"])
def test_jpeg_stays_close_at_full_colour_resolution(tmp_path, mode, ending):
    ramp = np.add.outer(np.arange(32), 2 * np.arange(24)).astype(np.uint8)
    pixels = ramp if mode == "L" else np.dstack([ramp, ramp[::-1], ramp[:, ::-1]])
    write_picture(Picture(pixels, mode), tmp_path / f"a{ending}")
    read = read_picture(tmp_path / f"a{ending}")
    assert read.mode == mode
    assert np.abs(read.pixels.astype(int) - pixels).max() <= 6
    with Image.open(tmp_path / f"a{ending}") as image:
        assert all(layer[1:3] == (1, 1) for layer in image.layer)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mode=st.sampled_from(MODES),
    is_deep=st.booleans(),
    ending=st.sampled_from([".png", ".tif"]),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    seed=st.integers(0, 99),
)
def test_any_size_comes_back_equal(tmp_path, mode, is_deep, ending, height, width, seed):
    ending = ".png" if is_deep and mode == "LA" else ending
    pixels = pixels_of(mode, np.uint16 if is_deep else np.uint8, (height, width), seed)
    write_picture(Picture(pixels, mode), tmp_path / f"a{ending}")
    read = read_picture(tmp_path / f"a{ending}")
    assert (read.mode, read.pixels.dtype, read.notes) == (mode, pixels.dtype, ())
    assert np.array_equal(read.pixels, pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", MODES)
def test_a_picture_has_one_name_however_it_is_read(tmp_path, mode, dtype):
    """Learned weights carry it: the file that was learned from and the document that shows it must agree."""
    write_picture(Picture(pixels_of(mode, dtype), mode), tmp_path / "a.png")
    rgb = read_rgb(tmp_path / "a.png")
    name = picture_sha256(rgb)
    assert picture_sha256(read_picture(tmp_path / "a.png").pixels) == name
    assert picture_sha256(np.dstack([rgb, rgb[..., :1] // 2])) == name
    assert picture_sha256(rgb[:, ::-1]) != name
    assert picture_sha256(rgb.reshape(7, 13, 3)) != name


def test_the_name_of_a_picture_is_a_plain_digest():
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert picture_sha256(pixels) == hashlib.sha256(b"2x2\n" + bytes(range(12))).hexdigest()


@pytest.mark.parametrize("mode", MODES)
def test_deep_files_of_ours_are_read_alike_by_others(tmp_path, mode):
    """OpenCV and tifffile are readers that know nothing of ours; several strips are written."""
    pixels = pixels_of(mode, np.uint16, (1200, 700))
    write_picture(Picture(pixels, mode), tmp_path / "a.png")
    theirs = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    if mode == "LA":
        theirs = theirs[..., [0, 3]]
    elif mode != "L":
        theirs = theirs[..., [2, 1, 0, 3][: CHANNELS[mode]]]
    assert np.array_equal(theirs, pixels)
    if mode == "LA":
        return
    write_picture(Picture(pixels, mode), tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].photometric.name == ("RGB" if mode.startswith("RGB") else "MINISBLACK")
        assert file.pages[0].shape == pixels.shape
    theirs = cv2.imread(str(tmp_path / "a.tif"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(theirs if mode == "L" else theirs[..., [2, 1, 0, 3][: CHANNELS[mode]]], pixels)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_deep_files_of_others_are_read_whole(tmp_path, mode):
    pixels = pixels_of(mode, np.uint16)
    bgr = pixels if mode == "L" else pixels[..., [2, 1, 0, 3][: CHANNELS[mode]]]
    for ending in (".png", ".tiff"):
        cv2.imwrite(str(tmp_path / f"a{ending}"), bgr)
        assert np.array_equal(read_picture(tmp_path / f"a{ending}").pixels, pixels)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_deep_tiff_is_read_in_both_byte_orders(tmp_path, order, compression):
    pixels = pixels_of("RGB", np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, byteorder=order, photometric="rgb", compression=compression)
    assert np.array_equal(read_picture(tmp_path / "a.tif").pixels, pixels)


def test_deep_tiff_with_premultiplied_alpha_is_divided(tmp_path):
    alpha = np.array([[0, 1, 30000, 65535]], np.uint16)
    straight = np.full((1, 4, 3), 40000, np.uint32)
    stored = (straight * alpha[..., None] // 65535).astype(np.uint16)
    pixels = np.dstack([stored, alpha])
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", extrasamples=["assocalpha"])
    read = read_picture(tmp_path / "a.tif").pixels
    assert np.array_equal(read[..., 3], alpha)
    assert np.abs(read[0, 2, :3].astype(int) - 40000).max() <= 2
    assert np.array_equal(read[0, 3, :3], [40000] * 3)
    assert np.array_equal(read[0, 0, :3], [0] * 3)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_deep_tiff_with_separate_planes_is_read(tmp_path, compression):
    pixels = pixels_of("RGB", np.uint16)
    planes = np.moveaxis(pixels, -1, 0)
    tifffile.imwrite(
        tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate", compression=compression
    )
    assert np.array_equal(read_picture(tmp_path / "a.tif").pixels, pixels)


def test_deep_tiff_with_white_as_zero_is_inverted(tmp_path):
    pixels = pixels_of("L", np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    assert np.array_equal(read_picture(tmp_path / "a.tif").pixels, 65535 - pixels)


def png_bytes(pixels, colour_type, extra=b""):
    height, width = pixels.shape[:2]
    rows = pixels.astype(">u2").reshape(height, -1).view(np.uint8)
    raw = np.hstack([np.zeros((height, 1), np.uint8), rows]).tobytes()

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))
    extra = chunk(b"tRNS", extra) if extra else b""
    return b"\x89PNG\r\n\x1a\n" + head + extra + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("mode", "colour_type"), [("L", 0), ("RGB", 2)])
def test_a_transparent_colour_of_16_bits_becomes_alpha(tmp_path, mode, colour_type):
    pixels = pixels_of(mode, np.uint16)
    key = np.atleast_1d(pixels[2, 3])
    (tmp_path / "a.png").write_bytes(png_bytes(pixels, colour_type, struct.pack(f">{len(key)}H", *key)))
    read = read_picture(tmp_path / "a.png")
    assert read.mode == f"{mode}A"
    assert read.notes == ("a transparent colour became an alpha channel",)
    assert read.pixels[2, 3, -1] == 0
    assert (read.pixels[..., -1] == 0).sum() == 1


# What else is in the file


@pytest.mark.parametrize(
    ("ending", "is_deep"),
    [(".png", False), (".png", True), (".tif", False), (".tif", True), (".webp", False), (".jpg", False)],
)
def test_profile_is_kept_byte_for_byte(tmp_path, ending, is_deep):
    pixels = pixels_of("RGB", np.uint16 if is_deep else np.uint8)
    write_picture(Picture(pixels, "RGB", icc_profile=profile()), tmp_path / f"a{ending}")
    assert read_picture(tmp_path / f"a{ending}").icc_profile == profile()


def test_what_a_format_drops_is_told_in_one_note(tmp_path):
    metadata = Metadata(exif=exif_bytes(1), text=(("Comment", "seen"), ("Author", "Zo\u00eb")))
    picture = Picture(pixels_of("RGB"), "RGB", icc_profile=profile(), metadata=metadata)
    words = "left out of the BMP: the colour profile, camera data, the text 'Comment', the text 'Author'"
    assert write_picture(picture, tmp_path / "a.bmp") == (words,)
    assert write_picture(picture, tmp_path / "a.jpg") == ("left out of the JPEG: the text 'Author'",)
    assert write_picture(picture, tmp_path / "a.png") == ()


@pytest.mark.parametrize("is_deep", [False, True])
def test_text_is_stored_in_png_with_any_letters(tmp_path, is_deep):
    text = {"Software": "Pentimento", "pentimento.recipe": '{"who": "Zo\u00eb \u2603"}'}
    pixels = pixels_of("LA", np.uint16 if is_deep else np.uint8)
    write_picture(Picture(pixels, "LA", profile()), tmp_path / "a.png", text=text)
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        assert image.text == text
    assert read_picture(tmp_path / "a.png").icc_profile == profile()


# Orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", [".png", ".webp", ".tif"])
def test_pixels_are_turned_as_pillow_turns_them(tmp_path, orientation, ending):
    from PIL import ImageOps

    path = tmp_path / f"a{ending}"
    way = {"lossless": True} if ending == ".webp" else {}
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(pixels_of("RGB")).save(path, exif=exif, **way)
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    read = read_picture(path)
    assert np.array_equal(read.pixels, expected)
    assert np.array_equal(read_rgb(path), expected)
    write_picture(read, path)
    assert np.array_equal(read_picture(path).pixels, expected)


def test_deep_pixels_are_turned(tmp_path):
    pixels = pixels_of("RGB", np.uint16)
    data = cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
    (tmp_path / "a.png").write_bytes(data[:33] + chunk(b"eXIf", exif_bytes(6)) + data[33:])
    read = read_picture(tmp_path / "a.png")
    assert np.array_equal(read.pixels, np.rot90(pixels, -1))
    assert b"ACM" in read.metadata.exif


# Conversions


def saved(path, image, **settings):
    image.save(path, **settings)
    return read_picture(path)


def test_palettes_become_colours(tmp_path):
    image = Image.fromarray(pixels_of("RGB")).quantize(16)
    read = saved(tmp_path / "a.png", image)
    assert (read.mode, read.notes) == ("RGB", ("palette colours became RGB",))
    assert np.array_equal(read.pixels, np.asarray(image.convert("RGB")))


def test_palettes_with_a_clear_entry_become_colours_with_alpha(tmp_path):
    image = Image.fromarray(pixels_of("RGB")).quantize(16)
    for key in (3, bytes(range(0, 160, 10))):
        read = saved(tmp_path / "a.png", image, transparency=key)
        assert (read.mode, read.notes) == ("RGBA", ("palette colours became RGBA",))
        assert read.pixels[..., 3].min() < 255
        assert read_rgb(tmp_path / "a.png").shape == (13, 7, 3)


def test_a_transparent_colour_becomes_alpha(tmp_path):
    pixels = pixels_of("RGB")
    read = saved(tmp_path / "a.png", Image.fromarray(pixels), transparency=tuple(map(int, pixels[4, 5])))
    assert (read.mode, read.notes) == ("RGBA", ("a transparent colour became an alpha channel",))
    assert read.pixels[4, 5, 3] == 0
    assert np.array_equal(read_rgb(tmp_path / "a.png"), pixels)
    grey = pixels_of("L")
    read = saved(tmp_path / "b.png", Image.fromarray(grey), transparency=int(grey[4, 5]))
    assert read.mode == "LA"
    assert read.pixels[4, 5, 1] == 0


def test_black_and_white_becomes_grey(tmp_path):
    read = saved(tmp_path / "a.png", Image.fromarray(pixels_of("L") > 100))
    assert (read.mode, read.notes) == ("L", ("black and white became grey",))
    assert np.array_equal(read.pixels, (pixels_of("L") > 100) * np.uint8(255))


def test_cmyk_becomes_rgb_and_says_how(tmp_path):
    image = Image.new("CMYK", (4, 3), (0, 255, 255, 0))
    read = saved(tmp_path / "a.tif", image)
    assert read.notes == ("CMYK became RGB without a profile, colours are approximate",)
    assert read.pixels[0, 0].tolist() == [255, 0, 0]
    read = saved(tmp_path / "b.tif", image, icc_profile=profile())
    assert read.notes == ("CMYK became RGB without a profile, colours are approximate",)
    assert read.icc_profile is None


def test_deep_cmyk_keeps_its_depth(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", pixels_of("RGBA", np.uint16), photometric="separated")
    read = read_picture(tmp_path / "a.tif")
    assert read.pixels.dtype == np.uint16
    assert read.notes == ("CMYK became RGB without a profile, colours are approximate",)


def test_lab_becomes_srgb(tmp_path):
    read = saved(tmp_path / "a.tif", Image.new("LAB", (4, 3), (255, 128, 128)))
    assert (read.mode, read.notes) == ("RGB", ("Lab colours became sRGB",))
    assert read.pixels.min() >= 250
    assert read_rgb(tmp_path / "a.tif").min() >= 250


def test_ycbcr_becomes_rgb(tmp_path):
    read = saved(tmp_path / "a.tif", Image.fromarray(pixels_of("RGB")).convert("YCbCr"))
    assert read.mode == "RGB"


def test_of_an_animation_the_first_picture_is_read(tmp_path):
    first, second = (Image.fromarray(pixels_of("L", seed=seed)) for seed in (1, 2))
    read = saved(
        tmp_path / "a.webp", first.convert("RGB"), save_all=True, append_images=[second], lossless=True
    )
    assert read.notes == ("only the first of several pictures in the file was read",)
    assert np.array_equal(read.pixels[..., 0], pixels_of("L", seed=1))
    read = saved(tmp_path / "a.gif", first, save_all=True, append_images=[second])
    assert read.notes[0] == "only the first of several pictures in the file was read"


def test_10_bits_of_heif_say_that_they_were_cut(tmp_path, monkeypatch):
    """Pillow's plugin for HEIF gives 8 bits; a BMP stands in for a file of that format."""
    monkeypatch.setattr("engine.pillow_reader._bits_of_heif", lambda image, file: 10)
    Image.fromarray(pixels_of("RGB")).save(tmp_path / "a.bmp")
    assert read_picture(tmp_path / "a.bmp").notes == ("10 or 12 bits a channel were cut to 8",)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(PictureError, match=r"b.png: expected a picture, got no such file; check the path"):
        read_picture(tmp_path / "b.png")


def test_a_folder_is_told(tmp_path):
    with pytest.raises(PictureError, match=r"expected a picture, got a folder; name a file inside it"):
        read_picture(tmp_path)


def test_a_pipe_is_told_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PictureError, match=r"expected a picture, got a device or pipe; name a file"):
        read_picture(tmp_path / "pipe")


def test_a_path_through_a_file_is_told(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(PictureError, match=r"got a file in the middle of the path"):
        read_picture(tmp_path / "a" / "b.png")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("loop.png", "expected a file, got a link that leads back to itself; remove the link"),
        ("x" * 300, "got a name longer than the disk allows; shorten the name"),
        ("a\0b", "expected a picture, got a name with a zero byte; check the path"),
        ("loop.png/a.png", "got a link that leads back to itself"),
    ],
)
def test_a_name_that_leads_nowhere_is_told(tmp_path, name, words):
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    with pytest.raises(PictureError, match=words):
        read_picture(tmp_path / name)


def test_no_permission_is_told(tmp_path, monkeypatch):
    """The refusal is made up, because the superuser may read everything."""

    def refuse(path):
        raise PermissionError(13, "no")

    monkeypatch.setattr(os, "stat", refuse)
    with pytest.raises(PictureError, match=r"a picture that can be read, got no permission; change its"):
        read_picture("a.png")


def test_an_empty_file_is_told(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(
        PictureError, match=r"expected a picture, got an empty file; fetch or export it again"
    ):
        read_picture(tmp_path / "a.png")


def test_another_kind_of_file_is_told(tmp_path):
    (tmp_path / "a.png").write_text("a letter, not a picture\n" * 9)
    with pytest.raises(
        PictureError, match=r"expected a picture \(PNG, .*\), got a file of another kind; convert"
    ):
        read_picture(tmp_path / "a.png")


def test_postscript_is_not_run(tmp_path):
    (tmp_path / "a.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    with pytest.raises(PictureError, match=r"got a file of another kind"):
        read_picture(tmp_path / "a.eps")


def test_heif_without_its_package_is_told(tmp_path):
    pytest.importorskip("PIL")
    if "HEIF" in Image.OPEN:
        pytest.skip("this machine reads HEIF")
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    with pytest.raises(
        PictureError, match=r"got a HEIF file, which needs a further package; install the extra"
    ):
        read_picture(tmp_path / "a.heic")


@pytest.mark.parametrize(
    ("ending", "is_deep"),
    [(".png", 0), (".png", 1), (".tif", 0), (".tif", 1), (".jpg", 0), (".webp", 0), (".bmp", 0)],
)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_cut_off_file_is_told(tmp_path, capfd, ending, is_deep, share):
    path = tmp_path / f"a{ending}"
    write_picture(Picture(pixels_of("RGB", np.uint16 if is_deep else np.uint8, (64, 64)), "RGB"), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(PictureError, match=r"a (damaged|whole) \w+ file|got a damaged \w+ file"):
        read_picture(path)
    with pytest.raises(PictureError):
        read_rgb(path)
    assert capfd.readouterr() == ("", "")


def bomb(path, width, height):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(1000)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b""))


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path):
    bomb(tmp_path / "a.png", 60000, 60000)
    words = r"at most 300 megapixels, got 60000x60000 px \(3600 megapixels\); set PENTIMENTO_MAX_MEGAPIXELS"
    tracemalloc.start()
    try:
        with pytest.raises(PictureError, match=words):
            read_picture(tmp_path / "a.png")
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_the_limit_comes_from_the_caller_or_the_environment(tmp_path, monkeypatch):
    write_picture(Picture(pixels_of("RGB", size_hw=(100, 100)), "RGB"), tmp_path / "a.png")
    monkeypatch.setenv("PENTIMENTO_MAX_MEGAPIXELS", "0.005")
    with pytest.raises(PictureError, match=r"at most 0.005 megapixels, got 100x100 px"):
        read_picture(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png", limit_megapixels=1).pixels.shape == (100, 100, 3)
    for wrong in ("many", "-1", "nan"):
        monkeypatch.setenv("PENTIMENTO_MAX_MEGAPIXELS", wrong)
        words = rf"PENTIMENTO_MAX_MEGAPIXELS: expected a number of megapixels above 0, got '{wrong}'; correct"
        with pytest.raises(PictureError, match=words):
            read_picture(tmp_path / "a.png")


def test_pillow_s_own_limit_is_as_it_was(tmp_path, monkeypatch):
    """200 megapixels are above Pillow's limits; ours alone counts, and Pillow's comes back."""
    before = Image.MAX_IMAGE_PIXELS
    bomb(tmp_path / "a.png", 20000, 10000)
    with pytest.raises(PictureError, match=r"a whole PNG file, got a damaged or cut-off one"):
        read_picture(tmp_path / "a.png")
    assert before == Image.MAX_IMAGE_PIXELS


def test_memory_that_runs_out_is_told(tmp_path, monkeypatch):
    write_picture(Picture(pixels_of("RGB"), "RGB"), tmp_path / "a.png")

    def run_out(image):
        raise MemoryError

    monkeypatch.setattr("engine.pillow_reader.pixels_of", run_out)
    with pytest.raises(
        PictureError, match=r"a picture that fits into memory, got 7x13 px; close other programs"
    ):
        read_picture(tmp_path / "a.png")


def test_many_threads_read_at_once(tmp_path):
    write_picture(Picture(pixels_of("RGB"), "RGB"), tmp_path / "a.png")
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(read_rgb(tmp_path / "a.png"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8


def test_an_open_file_is_read_and_left_open(tmp_path):
    pixels = pixels_of("RGB")
    for way in ({"format": "PNG"}, {"format": "TIFF"}, {"format": "GIF", "save_all": True}):
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, **way)
        assert read_rgb(file).shape == (13, 7, 3)
        assert not file.closed
    with pytest.raises(PictureError, match=r"^picture: expected a picture, got an empty file"):
        read_rgb(io.BytesIO())


def test_rgb_of_grey_and_deep_files(tmp_path):
    grey = pixels_of("L", np.uint16)
    write_picture(Picture(grey, "L"), tmp_path / "a.png")
    assert np.array_equal(read_rgb(tmp_path / "a.png"), np.dstack([grey >> 8] * 3))
    deep = pixels_of("RGB", np.uint16)
    write_picture(Picture(deep, "RGB"), tmp_path / "b.png")
    assert np.array_equal(read_rgb(tmp_path / "b.png"), deep >> 8)


FUZZED = {}


def fuzz_source(kind):
    if kind not in FUZZED:
        file = io.BytesIO()
        image = Image.fromarray(pixels_of("RGB", size_hw=(24, 24)))
        exif = Image.Exif()
        exif[274] = 6
        text = PngImagePlugin.PngInfo()
        text.add_text("a", "b")
        more = {
            "PNG": {"icc_profile": profile(), "pnginfo": text, "exif": exif},
            "JPEG": {"icc_profile": profile(), "exif": exif},
            "TIFF": {"compression": "tiff_adobe_deflate", "exif": exif},
            "WEBP": {"exif": exif},
        }
        image.save(
            file, format=kind.removesuffix("16"), **more.get(kind, {})
        ) if "16" not in kind else file.write(png_bytes(pixels_of("RGB", np.uint16), 2))
        FUZZED[kind] = file.getvalue()
    return FUZZED[kind]


@pytest.mark.parametrize("kind", ["PNG", "PNG16", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM"])
def test_any_damage_to_a_picture_is_ours_to_tell(tmp_path, capfd, kind):
    """Bytes changed at random, the file cut off at random: our error or a picture, never another error or a word."""

    @settings(max_examples=60, deadline=None, database=None)
    @given(data=st.data())
    def check(data):
        content = bytearray(fuzz_source(kind))
        early = st.one_of(st.integers(0, min(200, len(content) - 1)), st.integers(0, len(content) - 1))
        for _ in range(data.draw(st.integers(0, 4))):
            content[data.draw(early)] = data.draw(st.integers(0, 255))
        content = content[: data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))]
        path = tmp_path / "a.bin"
        path.write_bytes(content)
        for read in (read_picture, read_rgb):
            words = ""
            try:
                read(path, limit_megapixels=1)
            except PictureError as error:
                words = str(error)
            assert words == "" or ("\n" not in words and "; " in words)

    check()
    heard = capfd.readouterr()
    assert (heard.out, heard.err) == ("", "")


# Writing


@pytest.mark.parametrize("ending", ["", ".gif", ".xyz"])
def test_an_unknown_ending_lists_the_known_ones(tmp_path, ending):
    words = rf"a name ending in .bmp, .jpeg, .jpg, .png, .tif, .tiff, .webp, got '{ending}'; the ending says"
    with pytest.raises(PictureError, match=words):
        write_picture(Picture(pixels_of("L"), "L"), tmp_path / f"a{ending}")


@pytest.mark.parametrize(
    ("name", "mode", "size_hw", "words"),
    [
        (
            "a.jpg",
            "RGBA",
            (9, 9),
            "a.jpg: expected a format that holds transparency, got JPEG, which does not; --flatten white lays it on "
            "white; a name ending in .png, .tif or .webp keeps it",
        ),
        (
            "a.bmp",
            "LA",
            (9, 9),
            "a format that holds transparency, got BMP, which does not; --flatten white lays",
        ),
        (
            "a.webp",
            "RGB",
            (9, 17000),
            "sides of at most 16383 px in WebP, got 17000x9 px; a name ending in",
        ),
    ],
)
def test_what_a_format_cannot_hold_is_told_before_the_work(name, mode, size_hw, words):
    with pytest.raises(PictureError) as caught:
        check_can_write(name, mode=mode, size_hw=size_hw)
    assert words in str(caught.value)


def test_a_quality_out_of_range_is_told(tmp_path):
    with pytest.raises(PictureError, match=r"quality: expected 1 to 100, got 0; 95 keeps"):
        write_picture(Picture(pixels_of("L"), "L"), tmp_path / "a.jpg", quality=0)


def test_a_tiff_beyond_its_limit_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.tiff_writer._LIMIT_BYTES", 100)
    with pytest.raises(PictureError, match=r"tiff: expected at most 100 bytes, got \d+ bytes; write a PNG"):
        write_picture(Picture(pixels_of("L", np.uint16), "L"), tmp_path / "a.tif")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "pixels", "words"),
    [
        (
            "CMYK",
            np.zeros((2, 2, 4), np.uint8),
            "mode: expected one of L, LA, RGB, RGBA, got 'CMYK'; convert",
        ),
        ("RGB", np.zeros((2, 2), np.uint8), "pixels: expected (H, W, 3) for the mode RGB, got (2, 2); give"),
        ("L", np.zeros((2, 2, 1), np.uint8), "pixels: expected (H, W) for the mode L, got (2, 2, 1); give"),
        ("RGB", np.zeros((0, 2, 3), np.uint8), "got (0, 2, 3); give at least one pixel"),
        (
            "L",
            np.zeros((2, 2), np.float32),
            "pixels: expected uint8 or uint16, got float32; convert the values",
        ),
    ],
)
def test_a_picture_that_is_none_is_refused(mode, pixels, words):
    with pytest.raises(PictureError) as caught:
        Picture(pixels, mode)
    assert words in str(caught.value)


def test_lossy_webp_on_request(tmp_path):
    ramp = np.add.outer(np.arange(32), 2 * np.arange(24)).astype(np.uint8)
    picture = Picture(np.dstack([ramp] * 3), "RGB")
    write_picture(picture, tmp_path / "a.webp", quality=60)
    assert not np.array_equal(read_picture(tmp_path / "a.webp").pixels, picture.pixels)


def test_colours_under_clear_pixels_stay_in_webp(tmp_path):
    pixels = pixels_of("RGBA")
    pixels[..., 3] = 0
    write_picture(Picture(pixels, "RGBA"), tmp_path / "a.webp")
    assert np.array_equal(read_picture(tmp_path / "a.webp").pixels, pixels)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.bmp", "a.webp", "deep.png", "deep.tif"])
def test_a_disk_that_takes_no_more_keeps_the_old_file(tmp_path, name):
    """The real refusal of the system, in a process of its own because the limit cannot be lifted again."""
    path = tmp_path / name
    path.write_bytes(b"old")
    script = (
        "import resource, sys, numpy as np\n"
        "from engine.errors import PictureError\n"
        "from engine.pictures import Picture, write_picture\n"
        "dtype = np.uint16 if 'deep' in sys.argv[1] else np.uint8\n"
        "pixels = np.random.default_rng(0).integers(0, 255, (99, 99, 3)).astype(dtype)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    write_picture(Picture(pixels, 'RGB'), sys.argv[1])\n"
        "except PictureError as error:\n"
        "    sys.exit(str(error))\n"
    )
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.startswith(
        f"{path}: expected a file size the disk allows, got a larger file; write to"
    )
    assert done.stderr.count("\n") == 1
    assert [found.name for found in tmp_path.iterdir()] == [name]
    assert path.read_bytes() == b"old"


def test_a_missing_folder_is_told_on_writing(tmp_path):
    with pytest.raises(
        PictureError, match=r"a folder that exists, got no such folder; create the folder first"
    ):
        write_picture(Picture(pixels_of("L"), "L"), tmp_path / "nowhere" / "a.png")


# Masks


def mask_file(path, array):
    Image.fromarray(array).save(path)
    return path


def test_white_on_black_is_selected(tmp_path):
    pixels = np.array([[0, 255, 128]], np.uint8)
    mask = read_mask(mask_file(tmp_path / "m.png", pixels), size_hw=(1, 3))
    assert mask.dtype == np.float32
    assert mask.tolist() == [[0.0, 1.0, np.float32(128 / 255)]]
    inverted = read_mask(tmp_path / "m.png", size_hw=(1, 3), invert=True)
    assert np.allclose(inverted, 1 - mask)
    assert inverted[0, 0] == 1
    assert inverted[0, 1] == 0


def test_a_deep_mask_keeps_its_steps(tmp_path):
    pixels = np.array([[0, 1, 65535]], np.uint16)
    write_picture(Picture(pixels, "L"), tmp_path / "m.png")
    mask = read_mask(tmp_path / "m.png", size_hw=(1, 3))
    assert mask.tolist() == [[0.0, np.float32(1 / 65535), 1.0]]


def test_alpha_is_the_mask_where_it_varies(tmp_path):
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[..., :3] = [[[255], [0]], [[255], [0]]]
    pixels[..., 3] = [[0, 0], [255, 51]]
    mask = read_mask(mask_file(tmp_path / "m.png", pixels), size_hw=(2, 2))
    assert np.allclose(mask, [[0, 0], [1, 0.2]])
    pixels[..., 3] = 255
    mask = read_mask(mask_file(tmp_path / "m.png", pixels), size_hw=(2, 2))
    assert mask.tolist() == [[1, 0], [1, 0]]


def test_a_coloured_mask_counts_by_its_brightest_channel(tmp_path):
    pixels = np.zeros((1, 3, 3), np.uint8)
    pixels[0, 1], pixels[0, 2] = (255, 0, 0), (255, 255, 255)
    assert read_mask(mask_file(tmp_path / "m.png", pixels), size_hw=(1, 3)).tolist() == [[0, 1, 1]]


def test_a_palette_or_two_level_mask_is_read(tmp_path):
    selected = pixels_of("L") > 100
    for image in (Image.fromarray(selected), Image.fromarray(selected * np.uint8(255)).convert("P")):
        image.save(tmp_path / "m.png")
        assert np.array_equal(read_mask(tmp_path / "m.png", size_hw=(13, 7)), selected.astype(np.float32))


def test_another_size_is_refused_with_both_sizes(tmp_path):
    path = mask_file(tmp_path / "m.png", np.zeros((4, 6), np.uint8))
    words = (
        r"m.png: expected 9x8 px as the picture, got 6x4 px; give a mask of the picture's size, or --fit-mask"
    )
    with pytest.raises(MaskError, match=words):
        read_mask(path, size_hw=(8, 9))


def test_a_hard_mask_stays_hard_when_it_is_fitted(tmp_path):
    pixels = np.zeros((4, 4), np.uint8)
    pixels[1:3, 1:3] = 255
    larger = read_mask(mask_file(tmp_path / "m.png", pixels), size_hw=(8, 8), fit=True)
    assert np.array_equal(larger, np.kron(pixels // 255, np.ones((2, 2), np.float32)))
    line = np.zeros((64, 64), np.uint8)
    line[:, 33] = 255
    smaller = read_mask(mask_file(tmp_path / "n.png", line), size_hw=(16, 16), fit=True)
    assert set(np.unique(smaller)) == {0.0, 1.0}
    assert smaller[:, 8].all()


def test_a_soft_mask_is_averaged_when_it_is_fitted(tmp_path):
    ramp = np.tile(np.arange(0, 64, dtype=np.uint8) * 4, (64, 1))
    mask = read_mask(mask_file(tmp_path / "m.png", ramp), size_hw=(32, 16), fit=True)
    assert mask.shape == (32, 16)
    assert np.allclose(mask[0], ramp[0].reshape(16, 4).mean(axis=1) / 255, atol=1e-6)
    larger = read_mask(tmp_path / "m.png", size_hw=(128, 128), fit=True)
    assert larger.min() >= 0
    assert larger.max() <= 1


def test_the_published_routine_counts_anything_above_black(tmp_path):
    pixels = np.zeros((8, 8), np.uint8)
    pixels[3, 3], pixels[6, 6] = 255, 1
    mask = read_official_mask(mask_file(tmp_path / "m.png", pixels), size_hw=(8, 8))
    assert mask.dtype == np.float32
    assert np.array_equal(mask, (pixels > 0).astype(np.float32))
    larger = read_official_mask(tmp_path / "m.png", size_hw=(16, 12))
    expected = np.asarray(Image.fromarray(pixels).resize((12, 16), Image.Resampling.BILINEAR)) > 0
    assert np.array_equal(larger, expected.astype(np.float32))
