"""What a file says of its picture beside the pixels and the colour profile, as it is kept from one file to the next.

Everything here is true of the picture as it is shown: what described the old file's own storage was left out when it
was read, and size, rotation and resolution are said anew when it is written.

Elsewhere: out of files in reading.py, into files in writing.py.
"""

from dataclasses import dataclass

COLOUR_SIZES = {"cICP": 4, "mDCV": 24, "cLLI": 8, "sRGB": 1, "gAMA": 4, "cHRM": 32}
"""Chunks of a PNG that say what its values mean, and how many bytes each has."""

RESOLUTION_LIMITS = (1e-2, 1e5)
"""Pixels a length; a number outside is no resolution."""


@dataclass(frozen=True)
class Resolution:
    """How many pixels a length on paper has."""

    x: float
    y: float
    is_per_inch: bool = True
    """False: the unit is unknown, and only the shape of a pixel is said."""

    @property
    def is_sound(self) -> bool:
        """Whether both can be meant; files have 0, 1e-9 and 4294967295 there."""
        low, high = RESOLUTION_LIMITS
        return low <= self.x <= high and low <= self.y <= high


@dataclass(frozen=True)
class Metadata:
    """What is kept of a file; empty where nothing is."""

    exif: bytes | None = None
    """Camera data as a TIFF structure, without the prefix that JPEG puts before it."""
    xmp: bytes | None = None
    """An XMP packet, UTF-8."""
    iptc: bytes | None = None
    """IPTC records."""
    text: tuple[tuple[str, str], ...] = ()
    """Names and words of a PNG's text, and a JPEG's comment under the name ``Comment``."""
    resolution: Resolution | None = None
    colour: tuple[tuple[str, bytes], ...] = ()
    """PNG chunks that say what the values mean, such as ``gAMA`` and ``cICP``, in the order of the file."""
    size_hw: tuple[int, int] | None = None
    """Size in px of the picture that places and areas in the data refer to; None where there are none."""


NOTHING = Metadata()
