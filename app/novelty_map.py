"""The map of what was invented in a remade picture, as it lies over it.

Stripes of two inks, one light and one dark: one of the two stands out from any photo, whatever its colours, and stripes are
seen without colour. How strongly they cover says how much of a pixel was invented.

Elsewhere: when it is seen in retarget.py, its legend in panels/retarget.py.
"""

import numpy as np
from PySide6.QtGui import QImage, qRgba

from app.canvas.overlays import Rgb, dilated

LIGHT: Rgb = (70, 225, 255)
DARK: Rgb = (20, 20, 110)
"""Blue is rare where photos are warm, and on a sky the dark stripes are seen; no mask or edge is drawn like this."""
MOST_ALPHA = 225
LEAST_LONGEST_PX, MAP_LONGEST_PX = 768, 1024
"""Of the map: it says where, and a large picture must not hold up the window; stripes of a tiny one need their room."""
STRIPES = 40
"""Along the longer side, a little wider than those of a mask where the picture fills the window."""
CLEAR_UP_TO, FULL_FROM = 24, 90
"""Of 255. What is below is the grain of a copy; a seam that is put together anew has a third of what nothing is like."""
GROWN = 1 / 160
"""Of the longer side, added round what was invented: seams are a pixel wide, and nobody would see them."""


def map_image(novelty: np.ndarray, counted: np.ndarray) -> QImage:
    """The map as it lies over the picture: clear where a pixel was copied, striped where it was invented.

    Args:
        novelty: (h, w) uint8, 0 copied to 255 invented.
        counted: (h, w) bool, false where there is no picture.
    """
    longest = max(novelty.shape)
    step = max(-(-longest // MAP_LONGEST_PX), 1)
    times = max(LEAST_LONGEST_PX // longest, 1)
    values = np.where(counted[::step, ::step], novelty[::step, ::step], 0).astype(np.uint8)
    share = np.clip((values.astype(np.float32) - CLEAR_UP_TO) / (FULL_FROM - CLEAR_UP_TO), 0, 1)
    values = dilated((255 * np.sqrt(share)).astype(np.uint8), round(GROWN * max(values.shape)))
    values = np.where(counted[::step, ::step], values, 0).repeat(times, axis=0).repeat(times, axis=1)
    h, w = values.shape
    across = np.add.outer(np.arange(h), np.arange(w))
    is_dark = (across * STRIPES // max(h, w)) & 1
    padded = np.zeros((h, -(-w // 4) * 4), np.uint8)  # rows of an image begin at multiples of four bytes
    padded[:, :w] = values >> 1 | (is_dark << 7).astype(np.uint8)
    image = QImage(padded.data, w, h, padded.shape[1], QImage.Format.Format_Indexed8).copy()
    image.setColorTable(
        [qRgba(*ink, round(at / 127 * MOST_ALPHA)) for ink in (LIGHT, DARK) for at in range(128)]
    )
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def swatch_image(size_wh: tuple[int, int]) -> QImage:
    """A sample of what was invented for a legend, in pixels."""
    width, height = size_wh
    whole = np.full((LEAST_LONGEST_PX, LEAST_LONGEST_PX), 255, np.uint8)
    return map_image(whole, whole > 0).copy(0, 0, width, height)
