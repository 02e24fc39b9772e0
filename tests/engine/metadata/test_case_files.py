"""Camera data as odd as real files have it, from a photo into every format and read back by others than us."""

import struct
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.metadata.exif import PREFIX
from engine.pictures import read_picture, write_picture
from engine.png_writer import chunk

SIZE_HW = (12, 16)
MAKE = (271, 2, b"Maker\0")
ODD = {
    "camera": {"image": [MAKE], "photo": [(36867, 2, b"2020:01:01 10:00:00\0"), (33434, 5, [1, 100])]},
    "gps": {"image": [MAKE], "gps": [(1, 2, b"N\0"), (2, 5, [47, 1, 22, 1, 5, 1])]},
    "exif_badptr": {"image": [MAKE, (34665, 4, [99_999])]},
    "gps_badptr": {"image": [MAKE, (34853, 4, [99_999])]},
    "xres_0": {"image": [MAKE, (282, 5, [72, 0])]},
    "phone_wh": {"image": [MAKE, (256, 4, [4000]), (257, 4, [3000])]},
    "length": {"image": [MAKE, (257, 3, [120])]},
    "photometric6": {"image": [MAKE, (262, 3, [6])]},
    "extrasamples": {"image": [MAKE, (338, 3, [0])]},
    "sampleformat": {"image": [MAKE, (339, 3, [3, 3, 3])]},
    "palette": {"image": [MAKE, (320, 3, [9] * 768), (258, 3, [8])]},
    "planes": {"image": [MAKE, (284, 3, [2]), (277, 3, [1]), (266, 3, [2]), (317, 3, [1])]},
    "tiles": {"image": [MAKE, (322, 4, [16]), (323, 4, [16]), (324, 4, [8]), (325, 4, [9])]},
    "ycbcr": {"image": [MAKE, (529, 5, [1, 3] * 3), (530, 3, [2, 2]), (531, 3, [1]), (532, 5, [0, 1] * 6)]},
    "old_jpeg": {"image": [MAKE, (512, 3, [1]), (513, 4, [8]), (514, 4, [99]), (347, 7, b"tables")]},
    "sub_images": {"image": [MAKE, (330, 4, [8, 8]), (254, 4, [1]), (297, 3, [0, 2])]},
    "raw": {"image": [MAKE, (50706, 1, b"\1\4\0\0"), (50829, 4, [0, 0, 9, 9]), (33421, 3, [2, 2])]},
    "artist_float": {"image": [MAKE, (315, 11, [1.5])]},
}


def photo(orientation, exif, tmp_path):
    """A JPEG of a camera: its pixels lie as the sensor lay."""
    rng = np.random.default_rng(1)
    path = tmp_path / "photo.jpg"
    Image.fromarray(rng.integers(0, 255, (*SIZE_HW, 3), np.uint8)).save(path, exif=PREFIX + exif)
    return path


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("name", ODD)
def test_any_photo_becomes_a_tiff_that_everybody_reads(tmp_path, make_exif, name, orientation):
    directories = ODD[name]
    exif = make_exif(
        [(274, 3, [orientation]), *directories["image"]],
        **{k: v for k, v in directories.items() if k != "image"},
    )
    picture = read_picture(photo(orientation, exif, tmp_path))
    write_picture(picture, tmp_path / "a.tif")
    for pixels in (
        np.asarray(Image.open(tmp_path / "a.tif").convert("RGB")),
        cv2.imread(str(tmp_path / "a.tif"), cv2.IMREAD_UNCHANGED)[..., ::-1],
        tifffile.imread(tmp_path / "a.tif"),
        read_picture(tmp_path / "a.tif").pixels,
    ):
        assert np.array_equal(pixels, picture.pixels)
    with Image.open(tmp_path / "a.tif") as image:
        assert image.mode == "RGB"
        assert (image.tag_v2[271], image.tag_v2[274]) == ("Maker", 1)
        assert image.size == (picture.pixels.shape[1], picture.pixels.shape[0])
        inner = image.getexif().get_ifd(34665)
        assert (inner[40962], inner[40963]) == image.size
        if name == "gps":
            assert image.getexif().get_ifd(34853)[2] == (47, 22, 5)


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".tif"])
def test_the_thumbnail_of_the_unedited_photo_is_in_no_file(tmp_path, make_exif, ending):
    thumbnail = b"\xff\xd8\xff\xdbthumbnail of the unedited photo\xff\xd9"
    exif = make_exif(
        [MAKE, (274, 3, [6])], next_image=[(259, 3, [6]), (513, 4, [0]), (514, 4, [len(thumbnail)])]
    )
    exif = (
        exif.replace(struct.pack("<HHII", 513, 4, 1, 0), struct.pack("<HHII", 513, 4, 1, len(exif)))
        + thumbnail
    )
    picture = read_picture(photo(6, exif, tmp_path))
    write_picture(picture, tmp_path / f"a{ending}")
    assert b"thumbnail" not in (tmp_path / f"a{ending}").read_bytes()
    with Image.open(tmp_path / f"a{ending}") as image:
        assert image.getexif()[271] == "Maker"
        assert not image.getexif().get_ifd(1)


@pytest.mark.parametrize("way", ["late", "raw"])
def test_a_png_keeps_camera_data_that_decoders_do_not_turn_it_by(tmp_path, make_exif, way):
    exif = make_exif([MAKE, (274, 3, [6])])
    pixels = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    data = cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
    if way == "late":
        data = data[:-12] + chunk(b"eXIf", exif) + data[-12:]
    else:
        whole = PREFIX + exif
        profile = f"\nexif\n{len(whole):8}\n{whole.hex()}\n".encode()
        data = data[:33] + chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile)) + data[33:]
    (tmp_path / "a.png").write_bytes(data)
    picture = read_picture(tmp_path / "a.png")
    assert np.array_equal(picture.pixels, pixels)
    write_picture(picture, tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        assert (image.getexif()[271], image.getexif()[274]) == ("Maker", 1)


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("is_deep", [False, True])
def test_letters_beyond_ascii_come_through_every_format(tmp_path, make_exif, ending, is_deep):
    artist = "Zoë Ångström 映画\0".encode()
    picture = read_picture(photo(1, make_exif([(315, 2, artist)]), tmp_path))
    if is_deep and ending in (".jpg", ".webp"):
        return
    if is_deep:
        picture = type(picture)(picture.pixels.astype(np.uint16) * 257, "RGB", metadata=picture.metadata)
    write_picture(picture, tmp_path / f"a{ending}")
    assert artist in (tmp_path / f"a{ending}").read_bytes()
    assert artist in read_picture(tmp_path / f"a{ending}").metadata.exif
