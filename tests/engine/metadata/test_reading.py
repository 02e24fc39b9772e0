import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.metadata.exif import PREFIX, read_exif_bytes
from engine.metadata.kept import NOTHING, Resolution
from engine.metadata.photoshop import with_iptc
from engine.metadata.reading import listed, read_metadata
from engine.png_writer import chunk

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
IPTC = b"\x1c\x02\x50\x00\x04Z\xc3\xab!"
PNG_HEAD = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
PIXELS = chunk(b"IDAT", zlib.compress(bytes(4)))


def png(*chunks, late=()):
    made = [chunk(name, data) for name, data in chunks]
    after = [chunk(name, data) for name, data in late]
    return PNG_HEAD + b"".join(made) + PIXELS + b"".join(after) + chunk(b"IEND", b"")


def jpeg(*segments):
    made = [b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data for marker, data in segments]
    return b"\xff\xd8" + b"".join(made) + b"\xff\xda\x00\x02\xff\xd9"


def webp(*chunks):
    made = b"".join(n + struct.pack("<I", len(d)) + d + bytes(len(d) % 2) for n, d in chunks)
    return b"RIFF" + struct.pack("<I", len(made) + 4) + b"WEBP" + made


def read(data, info=None, **options):
    return read_metadata(io.BytesIO(data), info or {}, **options)


def jfif(unit, x, y):
    return (0xE0, b"JFIF\x00\x01\x01" + struct.pack(">BHH", unit, x, y) + b"\x00\x00")


def phys(x, y, unit=1):
    return (b"pHYs", struct.pack(">IIB", x, y, unit))


def blocks(*resources):
    made = b"".join(
        b"8BIM" + struct.pack(">HHI", number, 0, len(data)) + data + bytes(len(data) % 2)
        for number, data in resources
    )
    return (0xED, b"Photoshop 3.0\x00" + made)


# Resolution


@pytest.mark.parametrize(
    ("data", "resolution"),
    [
        (jpeg(jfif(1, 300, 150)), Resolution(300, 150)),
        (jpeg(jfif(2, 100, 100)), Resolution(254, 254)),
        (jpeg(jfif(0, 1, 1)), None),
        (jpeg(jfif(0, 2, 1)), Resolution(2, 1, is_per_inch=False)),
        (jpeg(jfif(1, 0, 300)), None),
        (png(phys(11811, 11811)), Resolution(11811 * 0.0254, 11811 * 0.0254)),
        (png(phys(3, 3, 0)), None),
        (png(phys(3, 2, 0)), Resolution(3, 2, is_per_inch=False)),
        (png((b"pHYs", b"short")), None),
    ],
)
def test_resolution_is_read_in_pixels_an_inch(data, resolution):
    assert read(data).metadata.resolution == resolution


@pytest.mark.parametrize("data", [png(phys(4294967295, 3000000000)), png(phys(2**32 - 1, 7, 0))])
def test_a_resolution_beyond_reason_is_named_and_left_out(data):
    """A chunk's 32 bits hold more than a fraction of camera data does."""
    found = read(data)
    assert found.metadata.resolution is None
    assert found.notes == ("left out of the photo's metadata: resolution",)


@pytest.mark.parametrize(
    ("unit", "number", "resolution"),
    [
        (2, [300, 1], Resolution(300, 300)),
        (3, [100, 1], Resolution(254, 254)),
        (1, [72, 1], None),
        (2, [1, 10**9], None),
    ],
)
def test_resolution_of_camera_data_is_used_where_the_file_says_none(make_exif, unit, number, resolution):
    exif = make_exif([(282, 5, number), (283, 5, number), (296, 3, [unit])])
    assert read(jpeg((0xE1, PREFIX + exif))).metadata.resolution == resolution
    assert read(exif).metadata.resolution == resolution  # a TIFF is the same structure
    both = jpeg(jfif(1, 96, 96), (0xE1, PREFIX + exif))
    assert read(both).metadata.resolution == Resolution(96, 96)


def test_resolution_turns_with_the_picture(make_exif):
    exif = make_exif([(274, 3, [6]), (282, 5, [300, 1]), (283, 5, [150, 1]), (296, 3, [2])])
    assert read(jpeg((0xE1, PREFIX + exif))).metadata.resolution == Resolution(150, 300)


# JPEG


def test_a_jpegs_pieces_are_found(make_exif):
    exif = make_exif([(271, 2, b"Maker\0")])
    pieces = [(0xE1, PREFIX + exif), (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP), blocks((0x404, IPTC))]
    found = read(jpeg(*pieces, (0xFE, "Zoë".encode()), (0xFE, b"Zo\xeb\0")))
    assert (found.notes, found.orientation) == ((), 1)
    assert read_exif_bytes(found.metadata.exif).exif.image[271].data == b"Maker\0"
    assert (found.metadata.xmp, found.metadata.iptc) == (XMP, IPTC)
    assert found.metadata.text == (("Comment", "Zoë"), ("Comment", "Zoë"))


def test_thumbnails_of_photoshop_go_and_iptc_stays():
    thumbnail = b"\xff\xd8\xff\xdbold\xff\xd9"
    found = read(jpeg(blocks((1036, thumbnail), (1033, thumbnail), (0x404, IPTC), (0x3ED, bytes(16)))))
    assert found.metadata.iptc == IPTC
    assert found.notes == ()
    assert with_iptc(IPTC) == b"8BIM\x04\x04\x00\x00" + struct.pack(">I", len(IPTC)) + IPTC + bytes(
        len(IPTC) % 2
    )


def test_what_announces_pictures_beside_the_jpeg_is_not_kept():
    pieces = [
        (0xE2, b"MPF\0II*\0"),
        (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40)),
        (0xEB, b"JP\0\1"),
    ]
    found = read(jpeg(*pieces))
    assert found.metadata == NOTHING
    assert found.notes == (
        "left out of the photo's metadata: the second part of the XMP, signed content credentials",
    )


@pytest.mark.parametrize(
    "words", [b"CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90\n", b"Lavc58.1", b"\0 "]
)
def test_a_comment_of_the_old_files_encoder_is_not_kept(words):
    assert read(jpeg((0xFE, words))).metadata == NOTHING


# PNG


def test_a_pngs_pieces_are_found(make_exif):
    exif = make_exif([(271, 2, b"Maker\0"), (274, 3, [6])])
    packed = b"\0" + zlib.compress(b"packed words")
    found = read(
        png(
            (b"gAMA", struct.pack(">I", 100000)),
            (b"cICP", b"\x0c\x10\0\1"),
            (b"eXIf", exif),
            (b"tEXt", b"Author\0Zo\xeb"),
            (b"zTXt", b"Source\0" + packed),
            (b"iTXt", "Title\0\0\0de\0Titel\0Ångström ☃".encode()),
            (b"iTXt", b"Title\0\1\0\0\0" + zlib.compress("noch ☃".encode())),
            (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
            (b"tEXt", b"Thumb::Size\0004000"),
            late=[(b"tEXt", b"parameters\0a prompt")],
        )
    )
    assert found.orientation == 6
    assert found.notes == ()
    assert found.metadata.colour == (("gAMA", struct.pack(">I", 100000)), ("cICP", b"\x0c\x10\0\1"))
    assert found.metadata.text == (
        ("Author", "Zoë"), ("Source", "packed words"), ("Title", "Ångström ☃"), ("Title", "noch ☃"), ("parameters", "a prompt"),
    )  # fmt: skip
    assert found.metadata.xmp == XMP


@pytest.mark.parametrize("way", ["late", "raw"])
def test_camera_data_that_viewers_do_not_see_turns_nothing(make_exif, way):
    exif = make_exif([(271, 2, b"Maker\0"), (274, 3, [6])])
    if way == "late":
        data = png(late=[(b"eXIf", exif)])
    else:
        words = f"\nexif\n{len(PREFIX + exif):8}\n{(PREFIX + exif).hex()}\n".encode()
        data = png((b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(words)))
    found = read(data)
    assert found.orientation == 1
    assert 271 in read_exif_bytes(found.metadata.exif).exif.image


def test_raw_profiles_of_xmp_and_iptc_are_found():
    def raw(kind, data):
        words = f"\n{kind}\n{len(data):8}\n{data.hex()}\n".encode()
        return (b"zTXt", f"Raw profile type {kind}".encode() + b"\0\0" + zlib.compress(words))

    found = read(png(raw("iptc", with_iptc(IPTC)), raw("xmp", XMP), raw("icc", b"x"), raw("odd", b"x")))
    assert (found.metadata.iptc, found.metadata.xmp) == (IPTC, XMP)
    assert found.notes == ("left out of the photo's metadata: a raw profile 'odd'",)


@pytest.mark.parametrize(
    "text",
    [
        (b"zTXt", b"key\0\0no zlib"),
        (b"zTXt", b"key\0\0" + zlib.compress(bytes(100))[:-6]),
        (b"zTXt", b"key\0\0" + zlib.compress(bytes(5 << 20))),  # a bomb
        (b"tEXt", b"no separator"),
        (b"iTXt", b"key\0\0"),
        (b"tEXt", b"k" * 80 + b"\0words"),
    ],
)
def test_an_odd_text_costs_itself(text):
    found = read(png(text, (b"tEXt", b"Author\0Zoe")))
    assert found.metadata.text == (("Author", "Zoe"),)
    assert found.notes == ("left out of the photo's metadata: a text that cannot be read",)


def test_a_damaged_chunk_is_not_there():
    data = bytearray(png((b"gAMA", bytes(4)), (b"tEXt", b"Author\0Zoe")))
    data[data.index(b"gAMA") + 5] ^= 1
    assert read(bytes(data)).metadata.colour == ()
    assert read(bytes(data)).metadata.text == (("Author", "Zoe"),)


# The others


def test_a_webps_pieces_are_found(make_exif):
    exif = make_exif([(271, 2, b"Maker\0"), (274, 3, [8])])
    found = read(webp((b"VP8X", bytes(10)), (b"VP8L", bytes(7)), (b"EXIF", PREFIX + exif), (b"XMP ", XMP)))
    assert found.orientation == 8
    assert found.metadata.xmp == XMP
    assert 271 in read_exif_bytes(found.metadata.exif).exif.image


@pytest.mark.parametrize("is_photoshop", [False, True])
def test_a_tiffs_pieces_are_found(make_exif, is_photoshop):
    iptc = (34377, 1, with_iptc(IPTC)) if is_photoshop else (33723, 7, IPTC)
    found = read(make_exif([(271, 2, b"Maker\0"), (274, 3, [6]), (700, 1, XMP), iptc]))
    assert (found.orientation, found.notes) == (6, ())
    assert (found.metadata.xmp, found.metadata.iptc) == (XMP, IPTC)
    assert list(read_exif_bytes(found.metadata.exif).exif.image) == [271]


def test_iptc_that_is_none_costs_itself(make_exif):
    found = read(make_exif([(33723, 7, b"no record")]))
    assert found.notes == ("left out of the photo's metadata: IPTC",)


def test_other_formats_say_what_their_decoder_found(make_exif):
    info = {
        "exif": PREFIX + make_exif([(271, 2, b"Maker\0")]),
        "comment": b"Zo\xc3\xab",
        "dpi": (300, 300.0),
        "xmp": XMP,
    }
    found = read(b"GIF89a", info)
    assert found.metadata.text == (("Comment", "Zoë"),)
    assert (found.metadata.xmp, found.metadata.resolution) == (XMP, Resolution(300, 300))
    assert found.metadata.exif is not None
    assert read(b"BM", {"exif": "words", "dpi": ("a", None), "comment": 3}).metadata == NOTHING


def test_colours_that_were_converted_are_no_longer_said(make_exif):
    exif = make_exif([(271, 2, b"M\0")], photo=[(40961, 3, [1]), (34855, 3, [100])])
    found = read(png((b"gAMA", bytes(4)), (b"eXIf", exif)), is_recoloured=True)
    assert found.metadata.colour == ()
    assert list(read_exif_bytes(found.metadata.exif).exif.photo) == [34855]


def test_places_go_once_the_picture_was_turned(make_exif):
    exif = make_exif(
        [(274, 3, [3]), (33550, 12, [1.0, 1.0, 0.0])], photo=[(37396, 3, [10, 20]), (34855, 3, [100])]
    )
    kept = read_exif_bytes(read(jpeg((0xE1, PREFIX + exif))).metadata.exif).exif
    assert (list(kept.image), list(kept.photo)) == ([], [34855])


def test_camera_data_that_is_none_is_told():
    assert read(jpeg((0xE1, PREFIX + b"nonsense"))).notes == (
        "left out of the photo's metadata: camera data",
    )


def test_many_names_are_listed_short():
    assert listed("abca") == "a, b, c"
    assert listed(str(number) for number in range(20)) == "0, 1, 2, 3, 4, 5, 6, 7, 12 more"


@pytest.mark.parametrize(
    "start", [b"\xff\xd8\xff\xe1", PNG_HEAD[:8], b"RIFF\0\0\0\0WEBP", b"II*\0", b"MM\0+"]
)
@given(data=st.binary(max_size=120))
def test_any_bytes_are_survived(start, data):
    read(start + data)
