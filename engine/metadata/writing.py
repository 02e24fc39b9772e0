"""Say in a new file what is kept of the old one, as far as the file's format holds it; name what it does not hold.

What is written is true of the pixels that are written: orientation 1, their size, and no places in the picture once it
has another size. The old thumbnail was left behind when the file was read.

Source: as containers.py and exif.py; JFIF 1.02 for the resolution of JPEG.
Elsewhere: pixels in encoding.py, png_writer.py and tiff_writer.py.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.metadata import exif_tags as tags
from engine.metadata import photoshop
from engine.metadata.exif import PREFIX, Exif, Value, read_exif_bytes
from engine.metadata.exif_layout import exif_bytes
from engine.metadata.kept import Metadata, Resolution
from engine.metadata.reading import listed
from engine.metadata.xmp import cleaned_xmp
from engine.png_writer import chunk

_SEGMENT_LIMIT_BYTES = 65_533  # of a JPEG, without its length
_XMP_PREFIX_BYTES = 29
_SRGB_COLOURS = {
    "sRGB": None,
    "cICP": b"\x01\x0d\x00\x01",
    "gAMA": struct.pack(">I", 45455),
    "cHRM": struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000),
}
"""Chunks that say what is taken for granted where nothing is said."""


@dataclass(frozen=True)
class Carrier:
    """What a format holds beside pixels."""

    name: str
    has_exif: bool = False
    has_xmp: bool = False
    has_iptc: bool = False
    has_text: bool = False
    has_comment: bool = False
    has_resolution: bool = False
    has_profile: bool = False
    has_colour: bool = False
    has_ground: bool = False


PNG = Carrier("PNG", True, True, True, True, True, True, True, has_colour=True)
TIFF = Carrier("TIFF", True, True, True, has_resolution=True, has_profile=True, has_ground=True)
JPEG = Carrier("JPEG", True, True, True, has_comment=True, has_resolution=True, has_profile=True)
WEBP = Carrier("WebP", True, True, has_resolution=True, has_profile=True)
BMP = Carrier("BMP", has_resolution=True)


@dataclass(frozen=True)
class Prepared:
    """What goes into a file."""

    exif: Exif | None
    xmp: bytes | None
    iptc: bytes | None
    text: Mapping[str, str]
    resolution: Resolution | None
    colour: tuple[tuple[str, bytes], ...]
    icc_profile: bytes | None
    notes: tuple[str, ...]
    """One sentence that names all that was left behind, or none."""


def prepared(
    metadata: Metadata,
    icc_profile: bytes | None,
    carrier: Carrier,
    *,
    size_hw: tuple[int, int],
    has_colours: bool = True,
) -> Prepared:
    """Choose what a file of a format says.

    Args:
        metadata: what is kept.
        icc_profile: of the pixels.
        carrier: what the format holds.
        size_hw: of the pixels that are written.
        has_colours: the pixels are no greys, which a profile of greys does not fit.
    """
    lost: list[str] = []

    def held(value: Any, is_held: bool, name: str) -> Any:
        if value and not is_held:
            lost.append(name)
        return value if is_held else None

    is_same = metadata.size_hw in (None, size_hw)
    profile = held(icc_profile, carrier.has_profile, "the colour profile")
    if profile and has_colours and profile[16:20] == b"GRAY":
        lost.append("the colour profile of greys")
        profile = None
    exif = _exif(metadata, carrier, size_hw, is_same, lost)
    xmp = held(metadata.xmp, carrier.has_xmp, "XMP")
    if xmp and not is_same:
        xmp = cleaned_xmp(xmp, has_places=False)
    text = dict(metadata.text)
    for name in list(text):
        if not carrier.has_text and not (carrier.has_comment and name == "Comment"):
            lost.append(f"the text '{name}'")
            del text[name]
    colour = metadata.colour
    if not carrier.has_colour:
        telling = [name for name, data in colour if _is_telling(name, data, bool(icc_profile))]
        lost += [f"what {name} says of the colours" for name in telling]
        colour = ()
    made = Prepared(
        exif,
        xmp,
        held(metadata.iptc, carrier.has_iptc, "IPTC"),
        text,
        held(metadata.resolution, carrier.has_resolution, "the resolution"),
        colour,
        profile,
        (),
    )
    if carrier is JPEG:
        made = _within_segments(made, lost)
    return replace(made, notes=(f"left out of the {carrier.name}: {listed(lost)}",) if lost else ())


def _exif(
    metadata: Metadata, carrier: Carrier, size_hw: tuple[int, int], is_same: bool, lost: list[str]
) -> Exif | None:
    """Camera data that is true of these pixels; a WebP has its resolution nowhere else."""
    read = read_exif_bytes(metadata.exif) if metadata.exif else None
    exif = read.exif if read is not None else Exif()
    has_camera = not exif.without(frozenset(tags.GROUND)).is_empty
    if has_camera and not carrier.has_exif:
        lost.append("camera data")
    if any(tag in exif.image for tag in tags.GROUND) and not (is_same and carrier.has_ground):
        lost.append("the place of the pixels on the ground")
        exif = exif.without(frozenset(tags.GROUND))
    if not is_same:
        exif = exif.without(tags.PLACES)
    resolution = metadata.resolution
    needs_one = carrier is TIFF or (carrier is WEBP and resolution is not None)
    if not carrier.has_exif or not (has_camera or needs_one):
        return None
    image = {**exif.image, tags.ORIENTATION: exif.shorts(1)}
    if resolution is not None:
        image[tags.X_RESOLUTION] = exif.ratio(resolution.x)
        image[tags.Y_RESOLUTION] = exif.ratio(resolution.y)
        image[tags.RESOLUTION_UNIT] = exif.shorts(2 if resolution.is_per_inch else 1)
    photo = dict(exif.photo)
    if has_camera:
        photo[tags.PIXEL_WIDTH], photo[tags.PIXEL_HEIGHT] = exif.longs(size_hw[1]), exif.longs(size_hw[0])
    return replace(exif, image=image, photo=photo)


def _is_telling(name: str, data: bytes, has_profile: bool) -> bool:
    """Whether a chunk says more than a reader without it takes for granted."""
    if name in ("mDCV", "cLLI") or (has_profile and name != "cICP"):  # of the display; the profile goes first
        return False
    usual = _SRGB_COLOURS.get(name, b"")
    return usual is not None and data != usual


# Into files ----------------------------------------------------------------------------------------------------------


def png_chunks(made: Prepared, text: Mapping[str, str]) -> bytes:
    """The chunks between a PNG's header and its pixels.

    Args:
        made: for a PNG.
        text: further entries, which go before what is kept under the same name.
    """
    found: list[tuple[bytes, bytes]] = []
    if made.resolution is not None:
        found.append((b"pHYs", _phys(made.resolution)))
    if made.exif is not None:
        found.append((b"eXIf", exif_bytes(made.exif)))
    if made.xmp is not None:
        found.append((b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + made.xmp))
    if made.iptc is not None:
        blocks = photoshop.with_iptc(made.iptc)
        profile = f"\niptc\n{len(blocks):8}\n{blocks.hex()}\n".encode()
        found.append((b"zTXt", b"Raw profile type iptc\x00\x00" + zlib.compress(profile)))
    for name, words in {**made.text, **text}.items():
        found.append((b"iTXt", name.encode("latin-1") + b"\x00\x00\x00\x00\x00" + words.encode()))
    colours = colour_chunks(made.colour, made.icc_profile)
    return colours + b"".join(chunk(name, data) for name, data in found)


def colour_chunks(colour: tuple[tuple[str, bytes], ...], icc_profile: bytes | None) -> bytes:
    """The chunks of a PNG that say what its values mean."""
    found = [(name.encode(), data) for name, data in colour if icc_profile is None or name != "sRGB"]
    if icc_profile is not None:  # a PNG has one of the two
        found.append((b"iCCP", b"ICC Profile\x00\x00" + zlib.compress(icc_profile)))
    return b"".join(chunk(name, data) for name, data in found)


def pillow_ways(made: Prepared, carrier: Carrier) -> dict[str, Any]:
    """What Pillow's writers of JPEG, WebP and BMP are told, in its words."""
    ways: dict[str, Any] = {}
    resolution = made.resolution
    if resolution is not None and resolution.is_per_inch and carrier is not WEBP:
        ways["dpi"] = tuple(min(65535, max(1, round(number))) for number in (resolution.x, resolution.y))
    if carrier is BMP:
        return {"dpi": (0, 0), **ways}  # Pillow would say 96 where nothing is known
    if made.exif is not None:
        ways["exif"] = PREFIX + exif_bytes(made.exif)
    if made.icc_profile is not None:
        ways["icc_profile"] = made.icc_profile
    if made.xmp is not None:
        ways["xmp"] = made.xmp
    if carrier is JPEG and "Comment" in made.text:
        ways["comment"] = made.text["Comment"].encode()
    if carrier is JPEG and made.iptc is not None:
        data = photoshop.PREFIX + photoshop.with_iptc(made.iptc)
        ways["extra"] = b"\xff\xed" + struct.pack(">H", len(data) + 2) + data
    return ways


def tiff_exif(made: Prepared) -> Exif:
    """Everything a TIFF says beside its storage, as tags of the picture."""
    exif = made.exif or Exif()
    others = {tags.XMP: made.xmp, tags.IPTC: made.iptc, tags.PROFILE: made.icc_profile}
    kinds = {tags.XMP: 1, tags.IPTC: 1, tags.PROFILE: 7}
    image = {tag: Value(kinds[tag], data) for tag, data in others.items() if data}
    return replace(exif, image={**exif.image, **image})


def _phys(resolution: Resolution) -> bytes:
    scale = 1 / 0.0254 if resolution.is_per_inch else 1.0
    x, y = (min(2**31 - 1, max(1, round(number * scale))) for number in (resolution.x, resolution.y))
    return struct.pack(">IIB", x, y, 1 if resolution.is_per_inch else 0)


def _within_segments(made: Prepared, lost: list[str]) -> Prepared:
    """Leave out what is longer than a segment of a JPEG: of camera data the longest tags, one by one."""
    exif, xmp, iptc, text = made.exif, made.xmp, made.iptc, dict(made.text)
    while exif is not None and len(exif_bytes(exif)) > _SEGMENT_LIMIT_BYTES - len(PREFIX):
        exif, name = exif.without_longest()
        lost.append(f"{name}, which is too long")
    if xmp is not None and len(xmp) > _SEGMENT_LIMIT_BYTES - _XMP_PREFIX_BYTES:
        lost.append("XMP, which is too long")
        xmp = None
    if iptc is not None and len(iptc) > _SEGMENT_LIMIT_BYTES - 64:
        lost.append("IPTC, which is too long")
        iptc = None
    if len(text.get("Comment", "").encode()) > _SEGMENT_LIMIT_BYTES:
        lost.append("the text 'Comment', which is too long")
        del text["Comment"]
    if made.resolution is not None and not made.resolution.is_per_inch:
        lost.append("the shape of a pixel")
    return replace(made, exif=exif, xmp=xmp, iptc=iptc, text=text)
