"""What a photo's file said beside pixels, profile and camera data, as plain data in the document's own file.

Elsewhere: what it means in engine.metadata.kept; camera data and profile are entries of their own.
"""

import base64
import binascii
from typing import Any

from app.errors import DocumentError
from engine.metadata.kept import COLOUR_SIZES, Metadata, Resolution
from engine.metadata.xmp import cleaned_xmp

_TEXTS_MOST = 10_000


def metadata_to_plain(metadata: Metadata) -> dict[str, Any]:
    """All but the camera data; empty where there is nothing."""
    resolution = metadata.resolution
    plain = {
        "xmp": _packed(metadata.xmp),
        "iptc": _packed(metadata.iptc),
        "text": [list(entry) for entry in metadata.text],
        "resolution": [resolution.x, resolution.y, resolution.is_per_inch]
        if resolution is not None
        else None,
        "colour": [[name, _packed(data)] for name, data in metadata.colour],
        "size_hw": list(metadata.size_hw) if metadata.size_hw is not None else None,
    }
    return {key: value for key, value in plain.items() if value}


def metadata_from_plain(data: Any, *, name: str, exif: bytes | None) -> Metadata:
    """The way back.

    Args:
        data: as `metadata_to_plain` gave it; anything, where the file is damaged.
        name: what to call it in an error.
        exif: the camera data.

    Raises:
        DocumentError: if it is anything else.
    """
    try:
        xmp = _unpacked(data.get("xmp"))
        return Metadata(
            exif=exif,
            xmp=cleaned_xmp(xmp) if xmp is not None else None,
            iptc=_unpacked(data.get("iptc")),
            text=tuple((_key(key), _word(words)) for key, words in data.get("text", ())[:_TEXTS_MOST]),
            resolution=_resolution(data.get("resolution")),
            colour=tuple((_word(key), _colour(key, chunk)) for key, chunk in data.get("colour", ())),
            size_hw=_size(data.get("size_hw")),
        )
    except (AttributeError, TypeError, ValueError, KeyError, binascii.Error) as error:
        hint = "the file is damaged, open a copy of it"
        raise DocumentError(name, "what a photo's file said", "something else", hint) from error


def _packed(data: bytes | None) -> str | None:
    return base64.b64encode(data).decode() if data is not None else None


def _unpacked(text: Any) -> bytes | None:
    return base64.b64decode(_word(text), validate=True) if text is not None else None


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a word")
    return value


def _key(value: Any) -> str:
    """The name of a text, as a PNG can hold it."""
    word = _word(value)
    if not 1 <= len(word.encode("latin-1")) <= 79 or "\x00" in word:
        raise ValueError("a name of 1 to 79 Latin letters")
    return word


def _colour(name: str, text: Any) -> bytes:
    data = base64.b64decode(_word(text), validate=True)
    if len(data) != COLOUR_SIZES.get(name):
        raise ValueError("the length of a colour chunk")
    return data


def _resolution(value: Any) -> Resolution | None:
    if value is None:
        return None
    x, y, is_per_inch = value
    found = Resolution(float(x), float(y), is_per_inch=bool(is_per_inch))
    if not found.is_sound:
        raise ValueError("pixels a length")
    return found


def _size(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    height, width = value
    return int(height), int(width)
