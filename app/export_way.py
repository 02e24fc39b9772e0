"""What a user decides about an exported file, what there is to decide, and how large the file would be.

Elsewhere: the questions in dialogs/export_dialog.py, who asks them in handlers/export_questions.py.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.encoding import Format
    from engine.pictures import Picture


@dataclass(frozen=True)
class ExportWay:
    """What was decided."""

    quality: int | None = None
    """1 to 100; None keeps every value where the format can, else nearly every one."""
    flatten_rgb: tuple[int, int, int] | None = None
    """What is clear is laid on this colour; None keeps it clear."""


AS_IT_IS = ExportWay()


class ExportSize:
    """How large a file would be. Asked on one thread at a time.

    Args:
        picture: what would be written.
        path: says the format; nothing is written there.
    """

    def __init__(self, picture: "Picture", path: Path) -> None:
        self._picture = picture
        self._path = path
        self._flatten_rgb: tuple[int, int, int] | None = None
        self._fitted: tuple[Picture, Format, list[str]] | None = None

    def measure(self, way: ExportWay) -> tuple[int, tuple[str, ...]]:
        """Bytes of the file, and what the format could not keep; takes as long as writing it.

        Raises:
            PictureError: if the format cannot hold the picture.
        """
        from engine.encoding import ByteCounter, encode
        from engine.pictures import fitted_to_format

        if self._fitted is None or self._flatten_rgb != way.flatten_rgb:
            self._fitted = fitted_to_format(self._picture, self._path, way.flatten_rgb)
            self._flatten_rgb = way.flatten_rgb
        fitted, chosen, notes = self._fitted
        counter = ByteCounter()
        lost = encode(counter, fitted, chosen, quality=way.quality)
        return counter.nbytes, (*notes, *lost)


def size_words(nbytes: int) -> str:
    """Bytes as file browsers say them, and to the byte."""
    if nbytes < 1000:
        return f"{nbytes} bytes"
    rounded = f"{nbytes / 1e6:.1f} MB" if nbytes >= 950_000 else f"{max(1, round(nbytes / 1e3))} kB"
    return f"{rounded} ({nbytes:,} bytes)"
