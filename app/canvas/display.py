"""What the canvas draws from: rasters with the smaller copies that zooming out needs.

A sheet is one raster at its place on the canvas. At 100 % and more it is read where it
lies, a part at a time: nothing is copied whole. Zoomed out it is read from a smaller
copy (pyramid.py).

Formats: pictures end as 32-bit premultiplied pixels (Qt's own), planes stay 8-bit.
    16-bit samples are rounded to 8 bit part by part, for the screen alone.
Reducing: pictures and masks by the mean, edges by the maximum, or thin lines vanish.
Elsewhere: reading through the transform in sampling.py; what is drawn when in scene.py.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QTransform

from app.canvas.pyramid import Pyramid, level_for
from app.canvas.sampling import nearest, smooth
from app.canvas.viewport import Box, Matrix, bounds_of
from app.document.tiles import overlap, shift

NEAREST_FROM = 2.0  # scale from which single pixels are shown as squares

_FORMATS = {
    1: QImage.Format.Format_Grayscale8,
    3: QImage.Format.Format_RGB888,
    4: QImage.Format.Format_RGBA8888,
}

Fetch = Callable[[Box], NDArray[Any]]
"""Gives the part of a raster in a box of its own pixels."""


def to_eight_bit(values: NDArray[Any]) -> NDArray[np.uint8]:
    """16-bit samples rounded to 8 bit (65535 is 255); 8-bit ones as they are."""
    if values.dtype != np.uint16:
        return values.astype(np.uint8, copy=False)
    wide = values.astype(np.uint32)
    return ((wide * 255 + 32767) // 65535).astype(np.uint8)


def premultiplied(values: NDArray[Any]) -> NDArray[np.uint32]:
    """Pixels (h, w) or (h, w, C), C 1..4, as Qt's ARGB32_Premultiplied words (h, w)."""
    values = to_eight_bit(values)
    if values.ndim == 2:
        values = values[..., None]
    h, w, channels = values.shape
    if channels == 2:
        values, channels = values[..., (0, 0, 0, 1)], 4
    values = np.ascontiguousarray(values)
    words = np.empty((h, w), np.uint32)
    if not words.size:
        return words
    source = QImage(values.data, w, h, w * channels, _FORMATS[channels])
    target = QImage(words.data, w, h, w * 4, QImage.Format.Format_ARGB32_Premultiplied)
    # Qt converts with vector instructions, several times as fast as array arithmetic.
    with QPainter(target) as painter:
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        painter.drawImage(0, 0, source)
    return words


def image_of(words: NDArray[np.uint32], *, is_opaque: bool) -> QImage:
    """Wrap words as a picture without copying; the array must outlive it."""
    words = np.ascontiguousarray(words)
    kind = QImage.Format.Format_RGB32 if is_opaque else QImage.Format.Format_ARGB32_Premultiplied
    image = QImage(words.data, words.shape[1], words.shape[0], words.shape[1] * 4, kind)
    image.pentimento_words = words  # type: ignore[attr-defined]  # keeps the memory alive with the picture
    return image


class Sheet(ABC):
    """One raster at its place on the canvas.

    Args:
        fetch: part of the raster, in a box of its own pixels.
        size_hw: of the raster.
        origin_xy: its top left corner on the canvas.
        dtype: of the reduced copies.
    """

    def __init__(
        self, fetch: Fetch, size_hw: tuple[int, int], origin_xy: tuple[int, int], dtype: type[np.generic]
    ) -> None:
        self.fetch = fetch
        self.size_hw = size_hw
        self.origin_xy = origin_xy
        self.pyramid = Pyramid(size_hw, dtype, self._reduce, self._skim)

    @abstractmethod
    def _reduce(self, box: Box, level: int) -> NDArray[Any]:
        """A box of the raster, exactly reduced by ``2**level``."""

    @abstractmethod
    def _skim(self, box: Box, level: int) -> NDArray[Any]:
        """The same at once, and roughly."""

    @property
    def box_xyxy(self) -> Box:
        """Its place on the canvas."""
        x, y = self.origin_xy
        return x, y, x + self.size_hw[1], y + self.size_hw[0]

    def invalidate(self, box: Box) -> None:
        """The raster changed in a box of the canvas."""
        self.pyramid.invalidate(shift(box, (-self.origin_xy[0], -self.origin_xy[1])))

    def _under(self, inverse: Matrix, box: Box, level: int) -> Box:
        """The part of the (reduced) raster under device pixels, with a margin to interpolate from."""
        x0, y0, x1, y1 = bounds_of(inverse, box)
        step = 1 << level
        height, width = -(-self.size_hw[0] // step), -(-self.size_hw[1] // step)
        return overlap((x0 - 2, y0 - 2, x1 + 2, y1 + 2), (0, 0, width, height))

    def _part(self, under: Box, level: int, deadline: float) -> NDArray[Any]:
        """The (reduced) raster in a box of its pixels."""
        if not level:
            return self.fetch(under)
        whole = self.pyramid.read(level, _enlarged(under, level), deadline)
        return whole[under[1] : under[3], under[0] : under[2]]


class PictureSheet(Sheet):
    """A picture layer or a result at its place on the canvas.

    Args:
        fetch: part of the picture: (h, w) or (h, w, C), C 1..4, uint8 or uint16.
        size_hw: of the picture.
        origin_xy: its top left corner on the canvas.
        is_opaque: it has no transparent pixel.
    """

    def __init__(
        self, fetch: Fetch, size_hw: tuple[int, int], origin_xy: tuple[int, int] = (0, 0), *, is_opaque: bool
    ) -> None:
        super().__init__(fetch, size_hw, origin_xy, np.uint32)
        self.is_opaque = is_opaque

    def draw(
        self, painter: QPainter, to_device: Matrix, scale: float, device_box: Box, deadline: float
    ) -> None:
        """Paint the part under a box of device pixels.

        Args:
            painter: paints device pixels, untransformed; its clip is not needed, its opacity holds.
            to_device: canvas to device pixels.
            scale: device pixels to a canvas pixel.
            device_box: what is to be painted.
            deadline: ``time.perf_counter()`` after which reductions are made roughly.
        """
        box = overlap(device_box, bounds_of(to_device, self.box_xyxy))
        if box[2] <= box[0] or box[3] <= box[1]:
            return
        level = level_for(scale)
        step = float(1 << level)
        placed = to_device.scaled_at(step, self.origin_xy)
        inverse = placed.inverted()
        under = self._under(inverse, box, level)
        if under[2] <= under[0] or under[3] <= under[1]:
            return
        part = self._part(under, level, deadline)
        remaining = scale * step
        inverse = inverse.less((under[0], under[1]))
        is_plain = abs(remaining - 1.0) < 1e-9 and 0.0 in (to_device.b, to_device.a)
        if remaining >= NEAREST_FROM or is_plain:
            self._draw_nearest(painter, part, inverse, box)
        else:
            self._draw_smooth(painter, part, placed, under, box, to_device)

    def _draw_nearest(self, painter: QPainter, part: NDArray[Any], inverse: Matrix, box: Box) -> None:
        is_turned = inverse.a != 0.0 and inverse.b != 0.0
        words = part if part.dtype == np.uint32 else premultiplied(part)
        image = image_of(nearest(words, inverse, box), is_opaque=self.is_opaque and not is_turned)
        painter.drawImage(box[0], box[1], image)

    def _draw_smooth(
        self,
        painter: QPainter,
        part: NDArray[Any],
        placed: Matrix,
        under: Box,
        box: Box,
        to_device: Matrix,
    ) -> None:
        words = part if part.dtype == np.uint32 else premultiplied(part)
        image = image_of(words, is_opaque=self.is_opaque)
        painter.save()
        painter.setClipRect(QRectF(box[0], box[1], box[2] - box[0], box[3] - box[1]))
        painter.setTransform(QTransform(*to_device))
        x0, y0, x1, y1 = self.box_xyxy
        painter.setClipRect(QRectF(x0, y0, x1 - x0, y1 - y0), Qt.ClipOperation.IntersectClip)
        painter.setTransform(QTransform(*placed))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(QPointF(under[0], under[1]), image)
        painter.restore()

    def _reduce(self, box: Box, level: int) -> NDArray[Any]:
        part = to_eight_bit(self.fetch(box))
        step = 1 << level
        if part.ndim == 3 and part.shape[2] == 1:
            part = part[..., 0]
        if self.is_opaque:
            return premultiplied(np.asarray(Image.fromarray(np.ascontiguousarray(part)).reduce(step)))
        # Means of premultiplied values are right; "CMYK" is Pillow's mode of four bands without a meaning of alpha.
        words = premultiplied(part)
        bands = Image.frombuffer("CMYK", words.shape[::-1], words.tobytes(), "raw", "CMYK", 0, 1)
        return np.ascontiguousarray(np.asarray(bands.reduce(step))).view(np.uint32)[..., 0]

    def _skim(self, box: Box, level: int) -> NDArray[Any]:
        step = 1 << level
        part = self.fetch(box)
        return premultiplied(part[_middles(part.shape[0], step)][:, _middles(part.shape[1], step)])


class PlaneSheet(Sheet):
    """A mask or an edge map: one 8-bit value a pixel, 255 = selected.

    Args:
        fetch: part of the plane, (h, w) uint8.
        size_hw: of the plane.
        origin_xy: its top left corner on the canvas.
        keeps_lines: reduce by the maximum, so that thin lines stay when zoomed out.
        written: a box of the plane outside of which all is zero; nothing is read there.
        skimmed: what of a part is at hand at once, where ``fetch`` has to work for it.
    """

    def __init__(
        self,
        fetch: Fetch,
        size_hw: tuple[int, int],
        origin_xy: tuple[int, int] = (0, 0),
        *,
        keeps_lines: bool = False,
        written: Callable[[], Box] | None = None,
        skimmed: Fetch | None = None,
    ) -> None:
        super().__init__(fetch, size_hw, origin_xy, np.uint8)
        self.keeps_lines = keeps_lines
        self.written = written
        self.skimmed = skimmed

    def seen(
        self, to_device: Matrix, scale: float, device_box: Box, deadline: float
    ) -> NDArray[np.uint8] | None:
        """The plane as it lies under a box of device pixels, (h, w); None where all of it is zero."""
        level = level_for(scale)
        reach = 2 << level  # a reduced pixel shows a little beyond what it was made of
        box = overlap(device_box, bounds_of(to_device, self._written_box(reach)))
        if box[2] <= box[0] or box[3] <= box[1]:
            return None
        if self.keeps_lines and scale * (1 << level) < 1.0 - 1e-9:
            level += 1  # a line of the copy is then at least a pixel of the screen
        step = float(1 << level)
        placed = to_device.scaled_at(step, self.origin_xy)
        inverse = placed.inverted()
        under = self._under(inverse, box, level)
        if under[2] <= under[0] or under[3] <= under[1]:
            return None
        part = self._part(under, level, deadline)
        if not part.any():
            return None
        inverse = inverse.less((under[0], under[1]))
        remaining = scale * step
        is_smooth = remaining < NEAREST_FROM and not self.keeps_lines
        found = smooth(part, inverse, box) if is_smooth else nearest(part, inverse, box)
        if box == device_box:
            return found.astype(np.uint8, copy=False)
        whole_box = np.zeros((device_box[3] - device_box[1], device_box[2] - device_box[0]), np.uint8)
        y, x = box[1] - device_box[1], box[0] - device_box[0]
        whole_box[y : y + found.shape[0], x : x + found.shape[1]] = found
        return whole_box

    def _written_box(self, reach: int) -> Box:
        """The part of the canvas that can show anything."""
        if self.written is None:
            return self.box_xyxy
        x0, y0, x1, y1 = self.written()
        if x1 <= x0:
            return 0, 0, 0, 0
        x, y = self.origin_xy
        return overlap((x0 + x - reach, y0 + y - reach, x1 + x + reach, y1 + y + reach), self.box_xyxy)

    def _reduce(self, box: Box, level: int) -> NDArray[Any]:
        return self._reduced(self.fetch, box, level)

    def _skim(self, box: Box, level: int) -> NDArray[Any]:
        # A plane that is mostly empty costs next to nothing.
        return self._reduced(self.skimmed or self.fetch, box, level)

    def _reduced(self, fetch: Fetch, box: Box, level: int) -> NDArray[Any]:
        step = 1 << level
        if self.written is not None:
            x0, y0, x1, y1 = overlap(box, self.written())
            if x1 <= x0 or y1 <= y0:
                return np.zeros((-(-(box[3] - box[1]) // step), -(-(box[2] - box[0]) // step)), np.uint8)
        part = fetch(box).astype(np.uint8, copy=False)
        if not part.any():
            return np.zeros((-(-part.shape[0] // step), -(-part.shape[1] // step)), np.uint8)
        for _ in range(level):
            part = _halve_by_maximum(part) if self.keeps_lines else _halve_by_mean(part)
        return part


def _halve_by_mean(part: NDArray[np.uint8]) -> NDArray[np.uint8]:
    part = _even(part)
    rows = part[0::2].astype(np.uint16) + part[1::2]
    return ((rows[:, 0::2] + rows[:, 1::2] + 2) >> 2).astype(np.uint8)


def _halve_by_maximum(part: NDArray[np.uint8]) -> NDArray[np.uint8]:
    part = _even(part)
    rows = np.maximum(part[0::2], part[1::2])
    return np.maximum(rows[:, 0::2], rows[:, 1::2])


def _even(part: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat the last row or column of odd sizes."""
    h, w = part.shape
    return np.pad(part, ((0, h % 2), (0, w % 2)), mode="edge") if h % 2 or w % 2 else part


def _middles(size: int, step: int) -> NDArray[np.intp]:
    """The pixel near the middle of each group of ``step``."""
    return np.minimum(np.arange(0, size, step) + step // 2, size - 1)


def _enlarged(box: Box, level: int) -> Box:
    """A box of the reduced copy in pixels of the raster."""
    return box[0] << level, box[1] << level, box[2] << level, box[3] << level
