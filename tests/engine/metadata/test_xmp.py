import pytest

from engine.metadata.xmp import LIMIT_BYTES, cleaned_xmp

HEAD = (
    "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
)
TAIL = "</rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpGImg": "http://ns.adobe.com/xap/1.0/g/img/",
    "GPano": "http://ns.google.com/photos/1.0/panorama/",
    "GDepth": "http://ns.google.com/photos/1.0/depthmap/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
}


def packet(attributes="", inside=""):
    spaces = " ".join(f"xmlns:{name}='{space}'" for name, space in SPACES.items())
    return (
        f"{HEAD}<rdf:Description rdf:about='' {spaces} {attributes}>{inside}</rdf:Description>{TAIL}".encode()
    )


def test_a_packet_that_is_all_true_stays_byte_for_byte():
    whole = packet(
        "dc:rights='Zoë'",
        "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Ångström</rdf:li></rdf:Alt></dc:title>",
    )
    assert cleaned_xmp(whole) is whole


@pytest.mark.parametrize(
    "words",
    [
        "tiff:Orientation='6'",
        "tiff:ImageWidth='4000'",
        "exif:PixelXDimension='4000'",
        "dc:format='image/jpeg'",
        "xmpNote:HasExtendedXMP='0123'",
        "GDepth:Format='RangeInverse'",
        "GCamera:MotionPhoto='1'",
        "hdrgm:Version='1.0'",
    ],
)
def test_what_tells_of_the_old_file_goes(words):
    cleaned = cleaned_xmp(packet(f"{words} dc:rights='Zoë'"))
    name = words.split("=")[0]
    assert f"{name}=".encode() not in cleaned
    assert 'dc:rights="Zoë"'.encode() in cleaned
    assert cleaned.startswith(b"<?xpacket begin=")
    element = f"<{name}>{words.split(chr(39))[1]}</{name}>"
    assert f"<{name}>".encode() not in cleaned_xmp(packet("", element))


@pytest.mark.parametrize(
    "inside",
    [
        "<xmp:Thumbnails><rdf:Alt><rdf:li><xmpGImg:image>b2xk</xmpGImg:image></rdf:li></rdf:Alt></xmp:Thumbnails>",
        "<dc:source><rdf:Bag><rdf:li xmpGImg:image='b2xk'/></rdf:Bag></dc:source>",
        "<Container:Directory><rdf:Seq><rdf:li>b2xk</rdf:li></rdf:Seq></Container:Directory>",
    ],
)
def test_no_picture_of_the_photo_as_it_was_stays(inside):
    assert b"b2xk" in packet("", inside)
    assert b"b2xk" not in cleaned_xmp(packet("", inside))


def test_areas_stay_with_the_size_of_the_picture():
    whole = packet("GPano:FullPanoWidthPixels='160'", "<mwg-rs:Regions>a face</mwg-rs:Regions>")
    assert cleaned_xmp(whole) is whole
    moved = cleaned_xmp(whole, has_places=False)
    assert b"FullPano" not in moved
    assert b"a face" not in moved


def test_converted_colours_are_no_longer_said():
    whole = packet("exif:ColorSpace='1' dc:rights='me'")
    assert b"ColorSpace" not in cleaned_xmp(whole, has_colours=False)
    assert b"rights" in cleaned_xmp(whole, has_colours=False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<a>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<a/>".encode("utf-16"),
        b"<a>" * 5000 + b"</a>" * 5000,
        b"<a>" + b" " * LIMIT_BYTES + b"</a>",
        b"\xff\xfe\xff",
    ],
)
def test_what_is_no_packet_is_told_by_none(data):
    assert cleaned_xmp(data) is None
