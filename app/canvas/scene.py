"""What is painted, in which order: desk, picture, result, preview, mask, edges.

The scene knows a document and keeps a sheet for each of its rasters; it paints any box
of device pixels into an image the size of the widget. The view keeps that image and
asks only for boxes where something changed, so cursors and tool outlines cost a copy.

Result: where its coverage is above 0 it replaces the picture, alpha included, as
    ``app.document.flatten`` does for files. A whole one is seen alone, at its own size: what is drawn on the picture
    has no place on it.
Elsewhere: sheets in display.py, marks in overlays.py, before and after in compare.py.
"""

import time
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPen, QPolygonF, QTransform

from app.canvas.compare import Compare
from app.canvas.display import (
    NEAREST_FROM,
    PictureSheet,
    PlaneSheet,
    image_of,
    premultiplied,
)
from app.canvas.overlays import EDGE_STYLES, MARGIN_PX, EdgeKind, MaskLook, paint_edges, paint_mask
from app.canvas.pyramid import level_for
from app.canvas.result_sheets import ResultSheets, result_sheets, written_box
from app.canvas.viewport import Box, Matrix, Viewport, bounds_of
from app.document.tiles import join, overlap

if TYPE_CHECKING:
    from app.document.document import Document
    from app.document.layers import Layer
    from app.document.results import Result

FINE_WITHIN_S = 0.012  # what one paint may spend on exact reductions; the rest is refined later
CHECK_PX = 8


@dataclass(frozen=True)
class SceneColours:
    """Colours round and under the picture, given by the theme."""

    desk: QColor
    border: QColor
    check_light: QColor
    check_dark: QColor


DARK = SceneColours(QColor(38, 38, 40), QColor(12, 12, 13), QColor(86, 86, 88), QColor(66, 66, 68))
LIGHT = SceneColours(
    QColor(205, 205, 208), QColor(140, 140, 144), QColor(250, 250, 250), QColor(218, 218, 220)
)


class Scene:
    """A document's rasters, ready to be painted."""

    def __init__(self) -> None:
        self.document: Document | None = None
        self.colours = DARK
        self.mask_look = MaskLook()
        self.shows_edges = True
        """Whether edges of any kind are shown."""
        self.compare = Compare()
        self._pictures: dict[str, PictureSheet] = {}
        self._planes: dict[tuple[str, str], PlaneSheet] = {}
        self._look: list[tuple[object, ...]] = []
        self._result: ResultSheets | None = None
        self._before: ResultSheets | None = None
        """What is seen left of the wipe line; the picture alone where None."""
        self._preview: tuple[Box, QImage, NDArray[np.uint32]] | None = None

    # -- what there is

    def set_document(self, document: "Document | None") -> None:
        """Show another document, or none."""
        self.document = document
        self._pictures.clear()
        self._planes.clear()
        self._result = self._before = None
        self._preview = None
        self._look = self._layers_look()
        self.refresh_result()

    def refresh_canvas(self) -> None:
        """The canvas has another size: mask and edges have other planes."""
        self._planes.clear()

    def refresh_layers(self) -> bool:
        """Layers came, went, moved or changed; whether that is seen (a stroke that was kept is not)."""
        look = self._layers_look()
        if look == self._look:
            return False
        self._look = look
        kept = {} if self.document is None else {layer.id: layer for layer in self.document.layers}
        for key, sheet in list(self._pictures.items()):
            layer = kept.get(key)
            if layer is None or layer.origin_xy != sheet.origin_xy:
                del self._pictures[key]
        for place in [place for place in self._planes if place[0] not in kept]:
            del self._planes[place]
        return True

    def _layers_look(self) -> list[tuple[object, ...]]:
        """All of the layers but their pixels, as far as it is seen."""
        layers = () if self.document is None else self.document.layers
        return [(layer.id, layer.origin_xy, layer.is_visible, layer.opacity) for layer in layers]

    def refresh_result(self) -> Box | None:
        """Another result is current; the canvas box that looks different now."""
        before = self._result
        result = None if self.document is None else self.document.current_result
        if result is not None and before is not None and result.id == before.id:
            return None
        self._result = None if result is None else result_sheets(result)
        seen = [sheets for sheets in (before, self._result) if sheets is not None]
        boxes = [sheets.picture.box_xyxy for sheets in seen]
        if self.document is not None and any(sheets.is_whole for sheets in seen):
            boxes.append((0, 0, self.document.size_hw[1], self.document.size_hw[0]))
        return reduce(join, boxes) if boxes else None

    def set_before(self, result: "Result | None") -> bool:
        """Show another result left of the wipe line, or the picture alone; whether it is another one."""
        known = None if self._before is None else self._before.id
        if known == (None if result is None else result.id):
            return False
        self._before = None if result is None else result_sheets(result)
        return True

    @property
    def picture_box(self) -> Box:
        """Where the picture lies that is seen: the canvas, or what stands in its place."""
        assert self.document is not None, "there is a picture to be seen"
        whole = self._whole(has_result=not self.compare.is_held)
        return (0, 0, *self.document.size_hw[::-1]) if whole is None else whole.picture.box_xyxy

    def _whole(self, *, has_result: bool) -> ResultSheets | None:
        """The result that is seen alone."""
        seen = self._seen(has_result=has_result)
        return seen if seen is not None and seen.is_whole else None

    def _seen(self, *, has_result: bool) -> ResultSheets | None:
        """The result that is seen on a side of the line; of a picture that is held in sight, none."""
        if has_result:
            return self._result
        return None if self.compare.is_held else self._before

    def set_preview(self, box: Box | None, pixels: NDArray[Any] | None) -> Box | None:
        """Show a running job's pixels in a box of the canvas, at any resolution; None takes them away.

        Returns:
            The canvas box to repaint, None if nothing changed.
        """
        before = self._preview
        self._preview = None
        if pixels is not None and box is not None:
            words = premultiplied(pixels)
            has_alpha = pixels.ndim == 3 and pixels.shape[2] in (2, 4)
            self._preview = (box, image_of(words, is_opaque=not has_alpha), words)
        boxes = [preview[0] for preview in (before, self._preview) if preview is not None]
        return reduce(join, boxes) if boxes else None

    def invalidate(self, layer_id: str, plane: str, canvas_box: Box) -> None:
        """Pixels of a layer changed."""
        found = self._pictures.get(layer_id), self._planes.get((layer_id, plane))
        sheet = found[0] if plane == "pixels" else found[1]
        if sheet is not None:
            sheet.invalidate(canvas_box)

    # -- painting

    def paint(self, image: QImage, box: Box, viewport: Viewport) -> None:
        """Paint a box of device pixels.

        Args:
            image: of the widget, in device pixels, RGB32, with a device pixel ratio of 1.
            box: what to paint.
            viewport: how the canvas lies.
        """
        with QPainter(image) as painter:
            painter.setClipRect(_qrect(box))
            painter.fillRect(_qrect(box), self.colours.desk)
            if self.document is None:
                return
            deadline = time.perf_counter() + FINE_WITHIN_S
            for part, has_result in self.compare.split(box, viewport):
                painter.setClipRect(_qrect(part))
                whole = self._whole(has_result=has_result)
                if whole is not None:
                    self._paint_whole(painter, part, viewport, deadline, whole)
                    continue
                self._paint_picture(painter, part, viewport, deadline, has_result=has_result)
                if has_result:  # what was drawn belongs to "after"
                    self._paint_marks(painter, part, viewport, deadline)
                self._paint_border(painter, viewport, self._canvas_box)

    def refine(self, viewport: Viewport, device_box: Box, seconds: float) -> tuple[list[Box], bool]:
        """Make what was read roughly exact.

        Returns:
            Canvas boxes to repaint, and whether more is left.
        """
        deadline = time.perf_counter() + seconds
        seen = bounds_of(viewport.inverse, tuple(side / viewport.device_ratio for side in device_box))  # type: ignore[arg-type]
        level = level_for(viewport.scale)
        done: list[Box] = []
        sheets: list[tuple[PictureSheet | PlaneSheet, int]] = [
            (sheet, level) for sheet in self._pictures.values()
        ]
        if self._before is not None:
            sheets += [(self._before.picture, level), (self._before.hole, level)]
        if self._result is not None:
            sheets += [(self._result.picture, level), (self._result.hole, level)]
            if (
                self._result.predicted is not None
            ):  # lines are read from a smaller copy where they would be thinned
                sheets += [(self._result.predicted, level), (self._result.predicted, level + 1)]
        is_more = False
        for sheet, level in sheets:
            x, y = sheet.origin_xy
            h, w = sheet.size_hw
            part = overlap((seen[0] - x, seen[1] - y, seen[2] - x, seen[3] - y), (0, 0, w, h))
            if level and part[2] > part[0] and part[3] > part[1] and not sheet.pyramid.is_fine(level, part):
                if time.perf_counter() <= deadline:
                    for box in sheet.pyramid.refine(level, part, deadline):
                        done.append((box[0] + x, box[1] + y, box[2] + x, box[3] + y))
                is_more = is_more or not sheet.pyramid.is_fine(level, part)
        return done, is_more

    @property
    def _canvas_box(self) -> Box:
        assert self.document is not None, "paint looked"
        h, w = self.document.size_hw
        return 0, 0, w, h

    def _paint_whole(
        self, painter: QPainter, box: Box, viewport: Viewport, deadline: float, whole: ResultSheets
    ) -> None:
        place = whole.picture.box_xyxy
        self._paint_checks(painter, box, viewport, place)
        whole.picture.draw(painter, viewport.device_matrix, viewport.scale, box, deadline)
        self._paint_border(painter, viewport, place)

    def _paint_picture(
        self, painter: QPainter, box: Box, viewport: Viewport, deadline: float, *, has_result: bool
    ) -> None:
        assert self.document is not None, "paint looked"
        matrix, scale = viewport.device_matrix, viewport.scale
        layers = [layer for layer in self.document.layers if layer.kind == "picture" and layer.is_visible]
        result = self._seen(has_result=has_result)
        is_covered = any(self._covers(layer) for layer in layers)
        if any(self._reaches_out(layer) for layer in layers):  # a large picture was pasted, and has to be cut
            is_covered = False
        if is_covered:
            self._paint_sheets(painter, layers, matrix, scale, box, deadline)
            if result is not None:
                result.picture.draw(painter, matrix, scale, box, deadline)
        else:
            self._paint_checks(painter, box, viewport, self._canvas_box)
            part = QImage(box[2] - box[0], box[3] - box[1], QImage.Format.Format_ARGB32_Premultiplied)
            part.fill(Qt.GlobalColor.transparent)
            # In the widget's own pixels, so that sheets draw into the part as into the whole.
            with QPainter(part) as inner:
                inner.setWindow(_qrect(box))
                self._paint_sheets(inner, layers, matrix, scale, box, deadline)
                if result is not None:
                    inner.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationOut)
                    result.hole.draw(inner, matrix, scale, box, deadline)
                    inner.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
                    result.picture.draw(inner, matrix, scale, box, deadline)
            painter.save()
            _clip_to(painter, viewport, self._canvas_box)
            painter.drawImage(box[0], box[1], part)
            painter.restore()
        if has_result and self._preview is not None:
            self._paint_preview(painter, box, viewport)

    def _paint_sheets(
        self,
        painter: QPainter,
        layers: "list[Layer]",
        matrix: Matrix,
        scale: float,
        box: Box,
        deadline: float,
    ) -> None:
        for layer in layers:
            painter.setOpacity(layer.opacity)
            self._picture_sheet(layer).draw(painter, matrix, scale, box, deadline)
        painter.setOpacity(1.0)

    def _paint_preview(self, painter: QPainter, box: Box, viewport: Viewport) -> None:
        assert self._preview is not None, "the caller looked"
        (x0, y0, x1, y1), image, _ = self._preview
        painter.save()
        painter.setTransform(QTransform(*viewport.device_matrix))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, viewport.scale < NEAREST_FROM)
        painter.drawImage(QRectF(x0, y0, x1 - x0, y1 - y0), image)
        painter.restore()

    def _paint_checks(self, painter: QPainter, box: Box, viewport: Viewport, place: Box) -> None:
        side = round(CHECK_PX * viewport.device_ratio)
        tile = QImage(2 * side, 2 * side, QImage.Format.Format_RGB32)
        tile.fill(self.colours.check_light)
        with QPainter(tile) as inner:
            inner.fillRect(0, 0, side, side, self.colours.check_dark)
            inner.fillRect(side, side, side, side, self.colours.check_dark)
        painter.save()
        _clip_to(painter, viewport, place)
        anchor = _anchor(viewport)
        painter.setBrushOrigin(anchor[0], anchor[1])
        painter.fillRect(_qrect(box), QBrush(tile))
        painter.restore()

    def _paint_border(self, painter: QPainter, viewport: Viewport, place: Box) -> None:
        width = max(1.0, round(viewport.device_ratio))
        painter.save()
        pen = QPen(self.colours.border, width)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        corners = _corners(viewport, place)
        if viewport.is_upright:
            xs, ys = [point.x() for point in corners], [point.y() for point in corners]
            half = width / 2
            frame = QRectF(
                min(xs) - half, min(ys) - half, max(xs) - min(xs) + width, max(ys) - min(ys) + width
            )
            painter.drawRect(frame)
        else:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.drawPolygon(QPolygonF(corners))
        painter.restore()

    def _paint_marks(self, painter: QPainter, box: Box, viewport: Viewport, deadline: float) -> None:
        assert self.document is not None, "paint looked"
        matrix, scale, ratio = viewport.device_matrix, viewport.scale, viewport.device_ratio
        margin = round(MARGIN_PX * ratio)
        wide = (box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin)
        anchor = _anchor(viewport)
        mask = self.document.mask_layer
        if mask.is_visible:
            values = self._plane_sheet(mask, "coverage").seen(matrix, scale, wide, deadline)
            if values is not None:
                painter.setOpacity(mask.opacity)
                filled = self._filled(viewport, wide, deadline)
                paint_mask(painter, values, wide, anchor, ratio, self.mask_look, filled)
                painter.setOpacity(1.0)
        edges = self.document.edges_layer
        if not (self.shows_edges and edges.is_visible):
            return
        painter.setOpacity(edges.opacity)
        kinds: tuple[EdgeKind, ...] = ("erased", "locked", "predicted", "drawn")
        for kind in kinds:
            sheet = self._edge_sheet(edges, kind)
            values = None if sheet is None else sheet.seen(matrix, scale, wide, deadline)
            if values is not None:
                paint_edges(painter, values, wide, anchor, ratio, kind, scale)
        painter.setOpacity(1.0)

    def _filled(self, viewport: Viewport, box: Box, deadline: float) -> NDArray[np.uint8] | None:
        """Where a result or a preview is seen, so that the mask's pattern does not hide it."""
        filled = None
        if self._result is not None:
            filled = self._result.covered.seen(viewport.device_matrix, viewport.scale, box, deadline)
        if self._preview is not None and viewport.is_upright:
            x0, y0, x1, y1 = (
                round(side * viewport.device_ratio) for side in viewport.to_view_box(self._preview[0])
            )
            if filled is None:
                filled = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
            filled[max(y0 - box[1], 0) : max(y1 - box[1], 0), max(x0 - box[0], 0) : max(x1 - box[0], 0)] = 255
        return filled

    # -- sheets

    def _covers(self, layer: "Layer") -> bool:
        assert self.document is not None, "paint looked"
        h, w = self.document.size_hw
        x0, y0, x1, y1 = layer.box_xyxy
        is_whole = x0 <= 0 and y0 <= 0 and x1 >= w and y1 >= h
        return is_whole and layer.opacity >= 1.0 and self._picture_sheet(layer).is_opaque

    def _reaches_out(self, layer: "Layer") -> bool:
        x0, y0, x1, y1 = layer.box_xyxy
        w, h = self._canvas_box[2:]
        return x0 < 0 or y0 < 0 or x1 > w or y1 > h

    def _picture_sheet(self, layer: "Layer") -> PictureSheet:
        sheet = self._pictures.get(layer.id)
        if sheet is None:
            pixels = layer.planes["pixels"]
            sheet = PictureSheet(
                lambda box: layer.planes["pixels"][box[1] : box[3], box[0] : box[2]],
                pixels.shape[:2],
                layer.origin_xy,
                is_opaque=pixels.ndim == 2 or pixels.shape[2] in (1, 3),
            )
            self._pictures[layer.id] = sheet
        return sheet

    def _plane_sheet(self, layer: "Layer", plane: str) -> PlaneSheet:
        key = (layer.id, plane)
        if key not in self._planes:
            self._planes[key] = PlaneSheet(
                lambda box: layer.planes[plane][box[1] : box[3], box[0] : box[2]],
                layer.planes[plane].shape[:2],
                layer.origin_xy,
                keeps_lines=plane == "drawn",
                written=written_box(layer, plane),
            )
        return self._planes[key]

    def _edge_sheet(self, edges: "Layer", kind: EdgeKind) -> PlaneSheet | None:
        if kind == "predicted":
            return None if self._result is None else self._result.predicted
        assert kind in EDGE_STYLES, "a kind of edges"
        return self._plane_sheet(edges, kind)


def _anchor(viewport: Viewport) -> tuple[int, int]:
    """Where the canvas origin lies, in device pixels; whole by the viewport's own rule."""
    matrix = viewport.device_matrix
    return round(matrix.e), round(matrix.f)


def _corners(viewport: Viewport, place: Box) -> list[QPointF]:
    x0, y0, x1, y1 = place
    matrix = viewport.device_matrix
    return [QPointF(*matrix.map(x, y)) for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]


def _clip_to(painter: QPainter, viewport: Viewport, place: Box) -> None:
    """Cut the painter's clip to a box of the canvas; the painter is untransformed."""
    x0, y0, x1, y1 = place
    painter.setTransform(QTransform(*viewport.device_matrix))
    painter.setClipRect(QRectF(x0, y0, x1 - x0, y1 - y0), Qt.ClipOperation.IntersectClip)
    painter.resetTransform()


def _qrect(box: Box) -> QRect:
    return QRect(box[0], box[1], box[2] - box[0], box[3] - box[1])
