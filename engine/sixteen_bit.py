"""Read pictures of 16 bits a channel, which Pillow alone would cut to 8.

Pillow's decoders take the high byte of every value. Told that the bytes lie the other way round, they take
the low byte; two passes give all 16 bits, with Pillow's own checks of the file. Grey needs one pass.

Elsewhere: 8-bit pictures, and the choice between the two, in decoding.py; writing in png_writer.py and tiff_writer.py.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL.ImageFile import ImageFile

from engine.errors import PictureError
from engine.strips import pixels_of, release, strips_of

_OTHER_ORDER = {
    "B": "L",
    "L": "B",
    "N": "B",
}  # N: this machine's own order, little-endian wherever torch runs
_MODES = {"LA": "LA", "RGB": "RGB", "RGBX": "RGB", "RGBA": "RGBA", "RGBa": "RGBA"}
_BITS_TAG = 258


def deep_mode(image: ImageFile) -> str | None:
    """Mode of a colour picture whose file has 16 bits a channel; None for any other.

    Args:
        image: an opened picture whose pixels were not loaded yet.

    Raises:
        PictureError: if the file keeps its 16-bit channels apart, which Pillow reads wrongly.
    """
    layouts = {_layout(tile) for tile in image.tile}
    channels, _, depth = next(iter(layouts), "").partition(";")
    is_deep = len(layouts) == 1 and depth in ("16B", "16L", "16N")
    tags = getattr(image, "tag_v2", None)
    if tags is not None and not is_deep and image.mode in ("RGB", "RGBA") and 16 in tags.get(_BITS_TAG, ()):
        hint = "export it again with its channels interleaved"
        raise PictureError("tiff", "16-bit channels side by side", "one plane after the other", hint)
    return _MODES.get(channels) if is_deep else None


def read_deep(image: ImageFile, reopen: Callable[[], ImageFile]) -> np.ndarray:
    """Read a colour picture of 16 bits a channel.

    Args:
        image: what ``deep_mode`` has a mode for, not loaded yet.
        reopen: opens the same picture anew, for the second pass.

    Returns:
        (H, W, C) uint16, C as the mode says. Colours multiplied by their alpha are divided by it.
    """
    mode = deep_mode(image)
    assert mode is not None, "read_deep: only for what deep_mode has a mode for"
    if mode == "LA":  # four bytes a pixel come through as if they were four channels
        image.tile = [_retold(tile, "RGBA") for tile in image.tile]
        return pixels_of(image).view(">u2").astype(np.uint16)
    is_premultiplied = any(_layout(tile).startswith("RGBa") for tile in image.tile)
    image.tile = [_retold(tile, _plain_layout(tile)) for tile in image.tile]
    pixels = pixels_of(image).astype(np.uint16)
    release(image)
    pixels <<= 8
    second = reopen()
    second.tile = [_retold(tile, _swapped(_plain_layout(tile))) for tile in second.tile]
    pixels_of(second, into=pixels)
    release(second)
    return _without_premultiplication(pixels) if is_premultiplied else pixels


def _layout(tile: Any) -> str:
    """The file's layout of a pixel in Pillow's words, such as ``RGB;16B``."""
    first = tile.args[0] if isinstance(tile.args, tuple) and tile.args else tile.args
    return first if isinstance(first, str) else ""


def _plain_layout(tile: Any) -> str:
    """The layout with premultiplied alpha taken as plain: dividing by it needs all 16 bits."""
    return _layout(tile).replace("RGBa;", "RGBA;")


def _swapped(layout: str) -> str:
    return layout[:-1] + _OTHER_ORDER[layout[-1]]


def _retold(tile: Any, layout: str) -> Any:
    return tile._replace(args=(layout, *tile.args[1:]) if isinstance(tile.args, tuple) else layout)


def _without_premultiplication(pixels: np.ndarray) -> np.ndarray:
    """Divide colours by their alpha, in place; clear pixels become black."""
    for rows in strips_of(pixels):
        alpha = rows[..., 3:].astype(np.uint32)
        colours = (rows[..., :3] * np.uint32(65535) + alpha // 2) // np.maximum(alpha, 1)
        rows[..., :3] = np.where(alpha == 0, 0, np.minimum(colours, 65535))
    return pixels
