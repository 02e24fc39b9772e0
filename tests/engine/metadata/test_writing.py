"""What is kept of a file, through every format and read again; what a format cannot hold is named once."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from engine.metadata.kept import Metadata, Resolution
from engine.pictures import Picture, read_picture, write_picture

XMP = "<x:xmpmeta xmlns:x='adobe:ns:meta/'>Zoë</x:xmpmeta>".encode()
IPTC = b"\x1c\x02\x50\x00\x04Z\xc3\xab!"
GAMMA_1 = ("gAMA", b"\0\1\x86\xa0")
P3_PQ = ("cICP", b"\x0c\x10\0\1")
KINDS = [("jpg", 8), ("png", 8), ("png", 16), ("webp", 8), ("tif", 8), ("tif", 16)]


def picture(bits=8, mode="RGB", size_hw=(6, 9), **kept):
    channels = {"L": (), "LA": (2,), "RGB": (3,), "RGBA": (4,)}[mode]
    pixels = np.full((*size_hw, *channels), 100, np.uint8 if bits == 8 else np.uint16)
    icc_profile = kept.pop("icc_profile", None)
    return Picture(pixels, mode, icc_profile, Metadata(**{"size_hw": size_hw, **kept}))


@pytest.fixture
def full(make_exif):
    exif = make_exif(
        [(271, 2, b"Maker\0"), (315, 2, "Zoë\0".encode())],
        photo=[(34855, 3, [200]), (37396, 3, [3, 4])],
        gps=[(1, 2, b"N\0"), (2, 5, [47, 1, 22, 1, 5, 1])],
        interop=[(1, 2, b"R98\0")],
    )
    return {"exif": exif, "xmp": XMP, "iptc": IPTC, "resolution": Resolution(300, 300)}


@pytest.mark.parametrize(("ending", "bits"), KINDS)
def test_everything_a_format_holds_comes_back(tmp_path, full, ending, bits):
    path = tmp_path / f"a.{ending}"
    notes = write_picture(picture(bits, **full), path)
    assert notes == (("left out of the WebP: IPTC",) if ending == "webp" else ())
    read = read_picture(path)
    assert read.notes == ()
    assert read.metadata.xmp == XMP
    assert read.metadata.iptc == (None if ending == "webp" else IPTC)
    assert (round(read.metadata.resolution.x), round(read.metadata.resolution.y)) == (300, 300)
    with Image.open(path) as image:
        exif = image.getexif()
        assert (exif[271], exif[274], exif[282], exif[296]) == ("Maker", 1, 300, 2)
        photo = exif.get_ifd(34665)
        assert (photo[34855], photo[40962], photo[40963]) == (200, 9, 6)
        assert exif.get_ifd(34853)[2] == (47, 22, 5)


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "bmp"])
def test_others_read_the_resolution(tmp_path, ending):
    write_picture(picture(resolution=Resolution(299.9994, 150)), tmp_path / f"a.{ending}")
    with Image.open(tmp_path / f"a.{ending}") as image:
        assert [round(number) for number in image.info["dpi"]] == [300, 150]


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif", "bmp"])
def test_a_picture_that_says_nothing_says_nothing_after(tmp_path, ending):
    assert write_picture(picture(), tmp_path / f"a.{ending}") == ()
    metadata = read_picture(tmp_path / f"a.{ending}").metadata
    assert replace(metadata, size_hw=None) == Metadata()


@pytest.mark.parametrize(("ending", "bits"), [kind for kind in KINDS if kind[0] != "webp"])
def test_what_the_file_says_is_true_of_its_new_size(tmp_path, full, ending, bits):
    """As after --expand and retarget: places in the picture go, the size is the new one."""
    wider = replace(picture(bits, **full), pixels=picture(bits, size_hw=(20, 12)).pixels)
    write_picture(wider, tmp_path / f"a.{ending}")
    with Image.open(tmp_path / f"a.{ending}") as image:
        photo = image.getexif().get_ifd(34665)
        assert (photo[40962], photo[40963]) == image.size == (12, 20)
        assert 37396 not in photo
        assert image.getexif()[282] == 300


def test_places_on_the_ground_stay_in_a_tiff_of_the_same_size(tmp_path, make_exif):
    exif = make_exif([(33550, 12, [0.5, 0.5, 0.0]), (34737, 2, b"WGS 84|\0")])
    write_picture(picture(exif=exif), tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].tags[33550].value == (0.5, 0.5, 0.0)
    gone = ("left out of the {}: the place of the pixels on the ground",)
    assert write_picture(picture(exif=exif), tmp_path / "a.jpg") == (gone[0].format("JPEG"),)
    wider = replace(picture(exif=exif), pixels=picture(size_hw=(9, 9)).pixels)
    assert write_picture(wider, tmp_path / "b.tif") == (gone[0].format("TIFF"),)


# Colours


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("colour", [(GAMMA_1,), (P3_PQ,), (GAMMA_1, P3_PQ)])
def test_colour_chunks_come_back_from_a_png(tmp_path, bits, colour):
    assert write_picture(picture(bits, colour=colour), tmp_path / "a.png") == ()
    assert read_picture(tmp_path / "a.png").metadata.colour == colour


@pytest.mark.parametrize("ending", ["jpg", "tif", "webp", "bmp"])
def test_colours_that_a_format_cannot_say_are_named(tmp_path, ending):
    (note,) = write_picture(picture(colour=(GAMMA_1, P3_PQ)), tmp_path / f"a.{ending}")
    assert note.endswith(": what gAMA says of the colours, what cICP says of the colours")


@pytest.mark.parametrize(
    "colour",
    [
        (("sRGB", b"\0"), ("gAMA", b"\0\0\xb1\x8f")),
        (("cICP", b"\1\x0d\0\1"),),
        (("cLLI", bytes(8)), ("mDCV", bytes(24))),
    ],
)
def test_what_is_taken_for_granted_is_no_loss(tmp_path, colour):
    assert write_picture(picture(colour=colour), tmp_path / "a.jpg") == ()


def test_a_png_with_a_profile_says_no_srgb_beside_it(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    write_picture(picture(colour=(("sRGB", b"\0"), GAMMA_1), icc_profile=profile), tmp_path / "a.png")
    read = read_picture(tmp_path / "a.png")
    assert (read.metadata.colour, read.icc_profile) == ((GAMMA_1,), profile)


def test_a_profile_of_greys_does_not_go_with_colours(tmp_path):
    grey = bytes(16) + b"GRAY" + bytes(108)
    notes = write_picture(picture(mode="L", icc_profile=grey), tmp_path / "a.webp")
    assert notes == ("WebP keeps grey as RGB", "left out of the WebP: the colour profile of greys")
    assert read_picture(tmp_path / "a.webp").icc_profile is None
    assert write_picture(picture(mode="L", icc_profile=grey), tmp_path / "a.png") == ()


# Too long for a JPEG


def test_what_is_too_long_for_a_jpeg_costs_the_longest_alone(tmp_path, make_exif):
    exif = make_exif([(271, 2, b"Maker\0"), (270, 2, b"d" * 50_000)], photo=[(37510, 7, b"u" * 40_000)])
    notes = write_picture(picture(exif=exif), tmp_path / "a.jpg")
    assert notes == ("left out of the JPEG: ImageDescription, which is too long",)
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.getexif()[271] == "Maker"
        assert len(image.getexif().get_ifd(34665)[37510]) == 40_000
    assert write_picture(picture(exif=exif), tmp_path / "a.tif") == ()


def test_xmp_iptc_and_words_that_are_too_long_for_a_jpeg_are_named(tmp_path):
    xmp = XMP.replace(b"Zo", b"Z" * 70_000)
    iptc = IPTC + bytes(70_000)
    text = (("Comment", "c" * 70_000), ("Author", "Zoë"))
    (note,) = write_picture(picture(xmp=xmp, iptc=iptc, text=text), tmp_path / "a.jpg")
    assert note == (
        "left out of the JPEG: the text 'Author', XMP, which is too long, IPTC, which is too long, "
        "the text 'Comment', which is too long"
    )
    assert write_picture(picture(xmp=xmp, iptc=iptc, text=text), tmp_path / "a.png") == ()
    read = read_picture(tmp_path / "a.png").metadata
    assert (read.xmp, read.iptc, read.text) == (xmp, iptc, text)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_opencv_reads_what_is_written(tmp_path, full, ending):
    made = picture(icc_profile=b"no profile at all", **full)
    write_picture(made, tmp_path / f"a.{ending}")
    read = cv2.imread(str(tmp_path / f"a.{ending}"), cv2.IMREAD_UNCHANGED)
    assert np.abs(read.astype(int) - 100).max() <= 1
