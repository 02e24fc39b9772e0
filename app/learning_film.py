"""Looks at what was learned, small, from the first to the newest.

Elsewhere: when there is another in learning.py, how they are shown in panels/learning.py.
"""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

FILM_MOST = 24
THUMB_PX = 320


def thumbs(paths: Sequence[Path]) -> list[QImage]:
    """Small pictures of files; what cannot be read is left out."""
    found = []
    for path in paths:
        image = QImage(str(path))
        if image.isNull():
            continue
        size = image.size().scaled(QSize(THUMB_PX, THUMB_PX), Qt.AspectRatioMode.KeepAspectRatio)
        if size.width() < image.width():
            image = image.scaled(
                size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        found.append(image)
    return found


def film_of(paths: Sequence[Path]) -> tuple[QImage, ...]:
    """The film of a run that was begun before: looks from its first to its newest, no more than are shown. On any thread."""
    steps = (len(paths) - 1) / (FILM_MOST - 1)
    spread = [paths[round(steps * place)] for place in range(FILM_MOST)] if len(paths) > FILM_MOST else paths
    return tuple(thumbs(spread))


def thinned(film: tuple[QImage, ...]) -> tuple[QImage, ...]:
    """The film with fewer of the older looks where it has grown long; the first and the last stay."""
    return (*film[:FILM_MOST:2], *film[FILM_MOST:]) if len(film) > FILM_MOST else film
