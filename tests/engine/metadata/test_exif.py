import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.metadata.exif import PREFIX, read_exif, read_exif_bytes
from engine.metadata.exif_layout import exif_bytes

MAKE = (271, 2, b"Maker\0")
SCENE = {
    "image": [MAKE, (315, 2, "Zoë Äß\0".encode()), (306, 2, b"2020:01:01 10:00:00\0")],
    "photo": [
        (33434, 5, [1, 100]),
        (34855, 3, [200]),
        (36867, 2, b"2020:01:01 10:00:00\0"),
        (42036, 2, b"50mm\0"),
    ],
    "gps": [(1, 2, b"N\0"), (2, 5, [47, 1, 22, 1, 5, 1]), (5, 1, b"\0"), (6, 5, [410, 1])],
    "interop": [(1, 2, b"R98\0"), (2, 7, b"0100")],
}


def data_of(directory):
    return {tag: value.data for tag, value in directory.items()}


@pytest.mark.parametrize("prefix", [b"", PREFIX])
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_directory_comes_back_after_it_is_laid_out_anew(make_exif, order, prefix):
    first = read_exif_bytes(prefix + make_exif(order=order, **SCENE))
    again = read_exif_bytes(exif_bytes(first.exif))
    assert (first.odd, again.odd) == ((), ())
    assert again.exif == first.exif
    assert data_of(again.exif.image)[315] == "Zoë Äß\0".encode()
    assert data_of(again.exif.gps)[2] == struct.pack(f"{order}6I", 47, 1, 22, 1, 5, 1)
    assert data_of(again.exif.interop)[1] == b"R98\0"


def test_tags_of_the_old_files_storage_go_without_a_word(make_exif):
    storage = [
        (256, 4, [160]),
        (257, 4, [120]),
        (258, 3, [8, 8, 8]),
        (259, 3, [6]),
        (262, 3, [6]),
        (273, 4, [8]),
    ]
    storage += [
        (277, 3, [3]),
        (320, 3, [0] * 768),
        (322, 4, [16]),
        (338, 3, [2]),
        (339, 3, [3]),
        (513, 4, [8]),
    ]
    storage += [
        (514, 4, [9]),
        (529, 5, [1, 3] * 3),
        (530, 3, [2, 1]),
        (532, 5, [0, 1] * 6),
        (50706, 1, b"\1\4\0\0"),
    ]
    read = read_exif_bytes(make_exif([MAKE, *storage]))
    assert read.odd == ()
    assert list(read.exif.image) == [271]


def test_the_directory_of_the_thumbnail_is_not_followed(make_exif):
    thumbnail = [(513, 4, [8]), (514, 4, [20]), (259, 3, [6]), (272, 2, b"thumbnail model\0")]
    read = read_exif_bytes(make_exif([MAKE], next_image=thumbnail))
    assert list(read.exif.image) == [271]
    assert b"thumbnail model" not in exif_bytes(read.exif)


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ((315, 11, [1.5]), "Artist"),  # a number
        ((33434, 3, [1, 100]), "ExposureTime"),  # no fraction
        ((33434, 5, [1, 0]), "ExposureTime"),  # over zero
        ((33437, 5, [1, 2, 3, 4]), "FNumber"),  # two of them
        ((42036, 99, b"lens"), "LensModel"),  # of a type that nobody knows
        ((271, 2, b""), "Make"),  # nothing
    ],
)
def test_an_odd_tag_costs_that_tag_alone(make_exif, tag, name):
    others = [(272, 2, b"Model\0"), (305, 2, b"Firmware\0")]
    read = read_exif_bytes(make_exif([*others, tag]))
    assert read.odd == (name,)
    assert data_of(read.exif.image) == {272: b"Model\0", 305: b"Firmware\0"}


@pytest.mark.parametrize("place", [0, 3, 99_999, 2**32 - 1])
@pytest.mark.parametrize(("tag", "name"), [(34665, "Exif directory"), (34853, "GPS directory")])
def test_a_directory_that_lies_nowhere_costs_that_directory_alone(make_exif, tag, name, place):
    read = read_exif_bytes(make_exif([MAKE, (tag, 4, [place])]))
    assert read.odd == (name,)
    assert list(read.exif.image) == [271]


def test_a_value_that_lies_nowhere_or_is_too_long_costs_itself(make_exif):
    data = bytearray(make_exif([MAKE, (272, 2, b"a model\0")]))
    for count, place in ((8, 5000), (2**32 - 1, 8), (5 << 20, 8)):
        struct.pack_into("<II", data, 8 + 2 + 12 + 4, count, place)
        assert read_exif_bytes(bytes(data)).odd == ("Model",)


def test_a_lens_may_leave_its_f_number_open(make_exif):
    lens = (42034, 5, [50, 1, 50, 1, 0, 0, 0, 0])
    assert 42034 in read_exif_bytes(make_exif([], photo=[lens])).exif.photo


def test_unknown_tags_are_named_by_number(make_exif):
    read = read_exif_bytes(make_exif([MAKE, (51234, 3, [1])], photo=[(59932, 7, b"padding")]))
    assert read.odd == ("tag 51234",)


@pytest.mark.parametrize(
    ("words", "is_told"),
    [(b"ImageJ=1.53\nimages=9", True), (b'{"shape": [9, 4]}', False), (b"<OME></OME>", True)],
)
def test_a_description_of_the_files_layout_is_left_out(make_exif, words, is_told):
    read = read_exif_bytes(make_exif([MAKE, (270, 2, words + b"\0")]))
    assert read.odd == (("an ImageDescription of the file's layout",) if is_told else ())
    assert 270 not in read.exif.image


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_maker_note_stays_in_its_place(make_exif, order):
    """Places in it count from the start of the data, and nobody but its maker knows where they stand."""
    note = b"CANON-like " + bytes(range(200))
    data = make_exif(
        [MAKE, (272, 2, b"m" * 300)], order=order, photo=[(37500, 7, note), (37510, 7, b"u" * 50)]
    )
    exif = read_exif_bytes(data).exif
    again = exif_bytes(exif)
    assert data.index(note) == again.index(note) == exif.note_place
    assert read_exif_bytes(again).exif == exif


@pytest.mark.parametrize(
    "start", [b"\xff\xd8\xff\xe0", b"\x00\xd8\xff\xdb"]
)  # one maker changes the first byte
def test_a_maker_note_with_a_preview_of_the_old_picture_is_left_out(make_exif, start):
    read = read_exif_bytes(
        make_exif([MAKE], photo=[(37500, 7, b"NOTE" + start + bytes(90)), (34855, 3, [200])])
    )
    assert read.odd == ("a MakerNote with a preview of the picture as it was",)
    assert list(read.exif.photo) == [34855]


def test_a_maker_note_that_cannot_keep_its_place_is_left_out(make_exif):
    data = make_exif([MAKE], photo=[(37510, 7, bytes(61_000)), (37500, 7, b"far away")])
    assert read_exif_bytes(data).odd == ("MakerNote, which means nothing in another place",)


def test_directories_of_64_bits_are_read():
    rows = struct.pack("<HHQ8s", 271, 2, 6, b"Maker\0") + struct.pack("<HHQQ", 272, 2, 12, 16 + 8 + 40 + 8)
    data = b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2) + rows + bytes(8) + b"Long model!\0"
    assert data_of(read_exif_bytes(data).exif.image) == {271: b"Maker\0", 272: b"Long model!\0"}


@given(st.binary(max_size=200), st.integers(0, 400))
def test_any_bytes_are_survived(data, cut):
    whole = exif_bytes(read_exif_bytes(b"II*\0\x08\0\0\0" + data).exif)
    read = read_exif_bytes(whole[:cut])
    assert read is None or read.exif.order == "<"
    read_exif(lambda place, count: data[place : place + count])


def test_repeated_values_stay_within_a_budget(make_exif):
    """Many tags may name the same megabytes: what is read of them all is bounded."""
    big = bytes(3 << 20)
    data = bytearray(
        make_exif(
            [(tag, 2, b"12345\0") for tag in (269, 270, 271, 272, 285, 305, 306, 315)] + [(316, 2, big)]
        )
    )
    place = len(data) - len(big)
    for row in range(8):
        struct.pack_into("<II", data, 8 + 2 + 12 * row + 4, len(big), place)
    read = read_exif_bytes(bytes(data))
    assert sum(len(value.data) for value in read.exif.image.values()) <= 16 << 20
    assert "HostComputer" in read.odd


def test_words_without_their_end_get_one(make_exif):
    found = read_exif_bytes(make_exif(image=[MAKE, (315, 2, "Jörg é".encode())]))
    assert (found.odd, data_of(found.exif.image)[315]) == ((), "Jörg é\0".encode())
