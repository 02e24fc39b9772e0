"""The tags of camera data that are kept: what they are called, and what their values look like.

A tag is here because it tells of the scene, the camera, the photographer or the place. Tags that tell how the old file
stored its pixels (strips, samples, compression, thumbnails) are not: they would be false of any other file.

Source: CIPA DC-008 (Exif 3.0), section 4.6; TIFF 6.0, section 8; OGC GeoTIFF 1.1 for places on the ground.
Elsewhere: reading and writing directories in exif.py.
"""

from dataclasses import dataclass

TEXT, WHOLE, RATIO, RAW = "text", "whole", "ratio", "raw"
KINDS_OF = {
    TEXT: frozenset({2, 129}),
    WHOLE: frozenset({1, 3, 4, 6, 8, 9}),
    RATIO: frozenset({5, 10}),
    RAW: frozenset({1, 2, 7, 129}),
}
"""Numbers of TIFF's types by what a value is; writers disagree on the width of a number, readers take any."""

NUMBERS = frozenset({12})


@dataclass(frozen=True)
class Tag:
    """A kept tag."""

    name: str
    what: str
    count: int
    """How many values it has; 0 for any number."""


def _table(what_count_names: str) -> dict[int, Tag]:
    """Read lines of ``number name what count``."""
    rows = [line.split() for line in what_count_names.strip().splitlines()]
    return {int(number): Tag(name, what, int(count)) for number, name, what, count in rows}


IMAGE = _table("""
    269 DocumentName text 0
    270 ImageDescription text 0
    271 Make text 0
    272 Model text 0
    285 PageName text 0
    305 Software text 0
    306 DateTime text 0
    315 Artist text 0
    316 HostComputer text 0
    318 WhitePoint ratio 2
    319 PrimaryChromaticities ratio 6
    18246 Rating whole 1
    18249 RatingPercent whole 1
    33432 Copyright text 0
    40091 XPTitle raw 0
    40092 XPComment raw 0
    40093 XPAuthor raw 0
    40094 XPKeywords raw 0
    40095 XPSubject raw 0
""")
PHOTO = _table("""
    33434 ExposureTime ratio 1
    33437 FNumber ratio 1
    34850 ExposureProgram whole 1
    34852 SpectralSensitivity text 0
    34855 PhotographicSensitivity whole 0
    34856 OECF raw 0
    34858 TimeZoneOffset whole 0
    34859 SelfTimerMode whole 1
    34864 SensitivityType whole 1
    34865 StandardOutputSensitivity whole 1
    34866 RecommendedExposureIndex whole 1
    34867 ISOSpeed whole 1
    34868 ISOSpeedLatitudeyyy whole 1
    34869 ISOSpeedLatitudezzz whole 1
    36864 ExifVersion raw 4
    36867 DateTimeOriginal text 0
    36868 DateTimeDigitized text 0
    36880 OffsetTime text 0
    36881 OffsetTimeOriginal text 0
    36882 OffsetTimeDigitized text 0
    37377 ShutterSpeedValue ratio 1
    37378 ApertureValue ratio 1
    37379 BrightnessValue ratio 1
    37380 ExposureBiasValue ratio 1
    37381 MaxApertureValue ratio 1
    37382 SubjectDistance ratio 1
    37383 MeteringMode whole 1
    37384 LightSource whole 1
    37385 Flash whole 1
    37386 FocalLength ratio 1
    37396 SubjectArea whole 0
    37500 MakerNote raw 0
    37510 UserComment raw 0
    37520 SubSecTime text 0
    37521 SubSecTimeOriginal text 0
    37522 SubSecTimeDigitized text 0
    37888 Temperature ratio 1
    37889 Humidity ratio 1
    37890 Pressure ratio 1
    37891 WaterDepth ratio 1
    37892 Acceleration ratio 1
    37893 CameraElevationAngle ratio 1
    40960 FlashpixVersion raw 4
    40961 ColorSpace whole 1
    41483 FlashEnergy ratio 1
    41484 SpatialFrequencyResponse raw 0
    41486 FocalPlaneXResolution ratio 1
    41487 FocalPlaneYResolution ratio 1
    41488 FocalPlaneResolutionUnit whole 1
    41492 SubjectLocation whole 2
    41493 ExposureIndex ratio 1
    41495 SensingMethod whole 1
    41728 FileSource raw 1
    41729 SceneType raw 1
    41730 CFAPattern raw 0
    41985 CustomRendered whole 1
    41986 ExposureMode whole 1
    41987 WhiteBalance whole 1
    41988 DigitalZoomRatio ratio 1
    41989 FocalLengthIn35mmFilm whole 1
    41990 SceneCaptureType whole 1
    41991 GainControl whole 1
    41992 Contrast whole 1
    41993 Saturation whole 1
    41994 Sharpness whole 1
    41995 DeviceSettingDescription raw 0
    41996 SubjectDistanceRange whole 1
    42016 ImageUniqueID text 0
    42032 CameraOwnerName text 0
    42033 BodySerialNumber text 0
    42034 LensSpecification ratio 4
    42035 LensMake text 0
    42036 LensModel text 0
    42037 LensSerialNumber text 0
    42038 ImageTitle text 0
    42039 Photographer text 0
    42040 ImageEditor text 0
    42041 CameraFirmware text 0
    42042 RAWDevelopingSoftware text 0
    42043 ImageEditingSoftware text 0
    42044 MetadataEditingSoftware text 0
    42080 CompositeImage whole 1
    42081 SourceImageNumberOfCompositeImage whole 2
    42082 SourceExposureTimesOfCompositeImage raw 0
    42240 Gamma ratio 1
""")
GPS = _table("""
    0 GPSVersionID whole 4
    1 GPSLatitudeRef text 0
    2 GPSLatitude ratio 3
    3 GPSLongitudeRef text 0
    4 GPSLongitude ratio 3
    5 GPSAltitudeRef whole 1
    6 GPSAltitude ratio 1
    7 GPSTimeStamp ratio 3
    8 GPSSatellites text 0
    9 GPSStatus text 0
    10 GPSMeasureMode text 0
    11 GPSDOP ratio 1
    12 GPSSpeedRef text 0
    13 GPSSpeed ratio 1
    14 GPSTrackRef text 0
    15 GPSTrack ratio 1
    16 GPSImgDirectionRef text 0
    17 GPSImgDirection ratio 1
    18 GPSMapDatum text 0
    19 GPSDestLatitudeRef text 0
    20 GPSDestLatitude ratio 3
    21 GPSDestLongitudeRef text 0
    22 GPSDestLongitude ratio 3
    23 GPSDestBearingRef text 0
    24 GPSDestBearing ratio 1
    25 GPSDestDistanceRef text 0
    26 GPSDestDistance ratio 1
    27 GPSProcessingMethod raw 0
    28 GPSAreaInformation raw 0
    29 GPSDateStamp text 0
    30 GPSDifferential whole 1
    31 GPSHPositioningError ratio 1
""")
INTEROP = _table("""
    1 InteroperabilityIndex text 0
    2 InteroperabilityVersion raw 4
""")
GROUND = _table("""
    33550 ModelPixelScale numbers 3
    33922 ModelTiepoint numbers 0
    34264 ModelTransformation numbers 16
    34735 GeoKeyDirectory whole 0
    34736 GeoDoubleParams numbers 0
    34737 GeoAsciiParams text 0
""")
"""Where the pixels lie on the ground: kept from TIFF to TIFF, while the picture has its size."""

PHOTO_POINTER, GPS_POINTER, INTEROP_POINTER = 34665, 34853, 40965
POINTER_NAMES = {PHOTO_POINTER: "Exif", GPS_POINTER: "GPS", INTEROP_POINTER: "Interoperability"}
DESCRIPTION, MAKER_NOTE, LENS = 270, 37500, 42034
ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 274, 282, 283, 296
PIXEL_WIDTH, PIXEL_HEIGHT = 40962, 40963
XMP, IPTC, PHOTOSHOP, PROFILE = 700, 33723, 34377, 34675

PLACES = frozenset({37396, 41492})
"""Places in the picture as it was taken: false once it is turned or has another size."""
COLOURS = frozenset({318, 319, 40961, 42240})
"""What the values mean: false once they were brought into another colour space."""

STORAGE = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 286, 287, 288, 289}
    | {290, 291, 292, 293, 297, 301, 317, 320, *range(321, 348), 351, *range(400, 405), *range(512, 533), 559}
    | {32995, 32996, 32997, 32998, 33421, 33422, 37121, 37122, 37724, 40964, 50341, 59932, 59933}
    | set(range(50706, 51200))
    | {ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, PIXEL_WIDTH, PIXEL_HEIGHT}
    | {XMP, IPTC, PHOTOSHOP, PROFILE, PHOTO_POINTER, GPS_POINTER, INTEROP_POINTER}
)  # fmt: skip
"""Tags that go without a word: they tell of the old file's bytes, pad it, or are kept in another way."""
