"""Leave out of an XMP packet what was true of the old file alone: its storage, its thumbnails, pictures beside it.

A packet is XML and is left byte for byte as it is unless something in it has to go. Depth maps, gain maps and moving
parts that a phone appends to a photo are not in our files, so what announces them would be false.

Source: Adobe, "XMP Specification Part 1" (2012) and "Part 2"; Google, "GPano", "Dynamic Depth" and "Ultra HDR" pages.
Elsewhere: where packets lie in files in containers.py.
"""

from collections.abc import Iterator
from xml.dom import minidom
from xml.parsers.expat import ExpatError

LIMIT_BYTES = 2 << 20
_DEPTH_LIMIT = 100

_TIFF = "http://ns.adobe.com/tiff/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_STORAGE = {
    (_TIFF, name)
    for name in (
        "ImageWidth", "ImageLength", "BitsPerSample", "Compression", "PhotometricInterpretation", "Orientation",
        "SamplesPerPixel", "PlanarConfiguration", "YCbCrSubSampling", "YCbCrPositioning", "YCbCrCoefficients",
        "ReferenceBlackWhite", "TransferFunction", "XResolution", "YResolution", "ResolutionUnit", "NativeDigest",
    )
} | {
    (_EXIF, name)
    for name in ("PixelXDimension", "PixelYDimension", "CompressedBitsPerPixel", "ComponentsConfiguration", "NativeDigest")
} | {
    ("http://ns.adobe.com/xap/1.0/", "Thumbnails"),
    ("http://purl.org/dc/elements/1.1/", "format"),
    ("http://ns.adobe.com/xmp/note/", "HasExtendedXMP"),
    ("http://ns.adobe.com/photoshop/1.0/", "LegacyIPTCDigest"),
}  # fmt: skip
_STORAGE_SPACES = (
    "http://ns.adobe.com/xap/1.0/g/img/",  # thumbnails
    "http://ns.google.com/photos/1.0/depthmap/",
    "http://ns.google.com/photos/1.0/image/",
    "http://ns.google.com/photos/1.0/audio/",
    "http://ns.google.com/photos/1.0/camera/",  # where a moving part begins
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.google.com/photos/dd/1.0/",
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.apple.com/HDRGainMap/1.0/",
    "http://ns.apple.com/depthData/1.0/",
    "http://ns.apple.com/pixeldatainfo/1.0/",
    "http://ns.xdm.org/",
)
_PLACE_SPACES = (
    "http://ns.google.com/photos/1.0/panorama/",
    "http://www.metadataworkinggroup.com/schemas/regions/",
    "http://ns.microsoft.com/photo/1.2/",
)
"""Areas of the picture as it was taken, and the share of a panorama it covers."""
_COLOURS = {(_EXIF, "ColorSpace"), (_EXIF, "Gamma"), (_TIFF, "WhitePoint"), (_TIFF, "PrimaryChromaticities")}


def cleaned_xmp(packet: bytes, *, has_places: bool = True, has_colours: bool = True) -> bytes | None:
    """The packet without what is no longer true.

    Args:
        packet: as the file has it.
        has_places: keep areas of the picture.
        has_colours: keep what says what the values mean.

    Returns:
        The same bytes where nothing had to go; None where it is no packet that can be read.
    """
    # No packet defines words of its own, which could grow without end; in UTF-16 they would not be seen here.
    if len(packet) > LIMIT_BYTES or b"<!DOCTYPE" in packet or b"\x00" in packet.rstrip(b"\x00"):
        return None
    try:
        tree = minidom.parseString(packet.strip(b"\x00 \t\r\n"))
    except (ExpatError, ValueError, LookupError, RecursionError):
        return None
    with_depth = list(_walked(tree))
    if any(depth > _DEPTH_LIMIT for _, depth in with_depth):
        return None
    is_changed = False
    for element, _ in with_depth:
        for space, name, attribute in _attributes(element):
            if _is_over(space, name, has_places, has_colours):
                element.removeAttributeNode(attribute)
                is_changed = True
        if _is_over(element.namespaceURI, element.localName, has_places, has_colours):
            parent = element.parentNode
            if parent is not None and parent is not tree:
                parent.removeChild(element)
                is_changed = True
    if not is_changed:
        return packet
    return "".join(node.toxml() for node in tree.childNodes).encode()


def _walked(tree: minidom.Document) -> Iterator[tuple[minidom.Element, int]]:
    """Every element and how deep it lies; without a call inside a call, for packets may be hostile."""
    waiting = [(node, 1) for node in tree.childNodes if isinstance(node, minidom.Element)]
    while waiting:
        element, depth = waiting.pop()
        yield element, depth
        waiting += [(node, depth + 1) for node in element.childNodes if isinstance(node, minidom.Element)]


def _attributes(element: minidom.Element) -> list[tuple[str | None, str, minidom.Attr]]:
    return [(one.namespaceURI, one.localName or one.name, one) for one in list(element.attributes.values())]


def _is_over(space: str | None, name: str | None, has_places: bool, has_colours: bool) -> bool:
    if space is None or name is None:
        return False
    if (space, name) in _STORAGE or space.startswith(_STORAGE_SPACES):
        return True
    if not has_places and space.startswith(_PLACE_SPACES):
        return True
    return not has_colours and (space, name) in _COLOURS
