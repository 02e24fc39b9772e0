"""The map of what was invented in a remade picture, as it lies over it.

Elsewhere: when it is seen in retarget.py, its legend in panels/retarget.py.
"""

import numpy as np
from PySide6.QtGui import QImage, qRgba

INVENTED = (255, 106, 0)
"""Colour of what was invented, on the map; it stands out from skin, leaves and sky alike."""
MOST_ALPHA = 205
MAP_LONGEST_PX = 1024
"""Of the map: it says where, and a large picture must not hold up the window."""


def map_image(novelty: np.ndarray, counted: np.ndarray) -> QImage:
    """The map as it lies over the picture: clear where a pixel was copied, coloured where it was invented."""
    step = max(-(-max(novelty.shape) // MAP_LONGEST_PX), 1)
    values = np.where(counted[::step, ::step], novelty[::step, ::step], 0).astype(np.uint8)
    h, w = values.shape
    padded = np.zeros((h, -(-w // 4) * 4), np.uint8)  # rows of an image begin at multiples of four bytes
    padded[:, :w] = values
    image = QImage(padded.data, w, h, padded.shape[1], QImage.Format.Format_Indexed8).copy()
    red, green, blue = INVENTED
    image.setColorTable([qRgba(red, green, blue, round(at / 255 * MOST_ALPHA)) for at in range(256)])
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
