import json

import pytest

from app.document.metadata_entry import metadata_from_plain, metadata_to_plain
from app.errors import DocumentError
from engine.metadata.kept import NOTHING, Metadata, Resolution

FULL = Metadata(
    exif=b"camera",
    xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
    iptc=b"\x1c\x02",
    text=(("Author", "Zoë ☃"), ("Author", "twice")),
    resolution=Resolution(1.0, 2.0, is_per_inch=False),
    colour=(("gAMA", bytes(4)), ("cICP", b"\x0c\x10\x00\x01")),
    size_hw=(3, 4),
)


@pytest.mark.parametrize("metadata", [NOTHING, FULL, Metadata(text=(("a", "b"),))])
def test_what_is_kept_comes_back_from_json(metadata):
    plain = json.loads(json.dumps(metadata_to_plain(metadata)))
    assert metadata_from_plain(plain, name="m", exif=metadata.exif) == metadata


def test_nothing_makes_no_entry():
    assert metadata_to_plain(NOTHING) == {}


@pytest.mark.parametrize(
    "data",
    [
        [],
        None,
        {"xmp": 3},
        {"iptc": "no base64!"},
        {"text": [["a"]]},
        {"text": [["", "no name"]]},
        {"text": [["\u2603", "no Latin letter"]]},
        {"resolution": [0, 0, True]},
        {"resolution": ["x", 1, True]},
        {"colour": [["gAMA", "AA=="]]},
        {"colour": [["IDAT", "AAAAAA=="]]},
        {"size_hw": [1]},
    ],
)
def test_anything_else_is_refused_by_name(data):
    with pytest.raises(DocumentError, match="m: expected what a photo's file said, got something else"):
        metadata_from_plain(data, name="m", exif=None)
