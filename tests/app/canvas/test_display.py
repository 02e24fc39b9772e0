import time

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter

from app.canvas.display import (
    PictureSheet,
    PlaneSheet,
    premultiplied,
    to_eight_bit,
)
from app.canvas.pyramid import TILE_SPAN_PX
from app.canvas.viewport import Viewport

FAR = 1e12  # a deadline that never comes


def sheet_of(pixels: np.ndarray, origin_xy=(0, 0)) -> PictureSheet:
    is_opaque = pixels.ndim == 2 or pixels.shape[2] in (1, 3)
    return PictureSheet(
        lambda box: pixels[box[1] : box[3], box[0] : box[2]], pixels.shape[:2], origin_xy, is_opaque=is_opaque
    )


def plane_of(values: np.ndarray, **more) -> PlaneSheet:
    return PlaneSheet(lambda box: values[box[1] : box[3], box[0] : box[2]], values.shape, **more)


def painted(sheet: PictureSheet, viewport: Viewport, box, deadline: float = FAR) -> np.ndarray:
    """(h, w, 4) BGRA of a box, over nothing."""
    width, height = (round(side) for side in viewport.view_size_wh)
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QColor(0, 0, 0, 0))
    painter = QPainter(image)
    painter.setClipRect(box[0], box[1], box[2] - box[0], box[3] - box[1])
    sheet.draw(painter, viewport.device_matrix, viewport.scale, box, deadline)
    painter.end()
    values = np.frombuffer(image.constBits(), np.uint8).reshape(height, width, 4)
    return values[box[1] : box[3], box[0] : box[2]].copy()


def test_sixteen_bits_are_rounded_to_eight():
    values = np.array([0, 128, 129, 257, 32767, 65535], np.uint16)
    assert to_eight_bit(values).tolist() == [0, 0, 1, 1, 127, 255]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pixels_become_premultiplied_words(channels):
    values = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    parts = premultiplied(values).view(np.uint8).reshape(5, 7, 4).astype(int)
    alpha = values[..., -1].astype(int) if channels in (2, 4) else np.full((5, 7), 255)
    colour = values[..., :3] if channels >= 3 else np.repeat(values[..., :1], 3, 2)
    expected = colour.astype(float) * alpha[..., None] / 255
    assert (parts[..., 3] == alpha).all()
    assert np.abs(parts[..., 2::-1] - expected).max() <= 1


def test_a_grey_plane_without_channels_is_grey():
    assert premultiplied(np.array([[7]], np.uint8)).tolist() == [[0xFF070707]]


def test_100_percent_is_bit_for_bit():
    pixels = np.random.default_rng(1).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    viewport = Viewport((60, 80), (80, 60))
    assert np.array_equal(painted(sheet_of(pixels), viewport, (0, 0, 80, 60))[..., 2::-1], pixels)


def test_300_percent_shows_each_pixel_as_a_square():
    pixels = np.random.default_rng(1).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    viewport = Viewport((20, 20), (60, 60))
    viewport.zoom_to(3.0)
    shown = painted(sheet_of(pixels), viewport, (0, 0, 60, 60))[..., 2::-1]
    assert np.array_equal(shown, pixels.repeat(3, 0).repeat(3, 1))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_half_size_is_the_mean_of_four(channels):
    pixels = np.random.default_rng(2).integers(0, 256, (40, 60, channels), dtype=np.uint8)
    viewport = Viewport((40, 60), (30, 20))
    viewport.zoom_to(0.5)
    shown = painted(sheet_of(pixels), viewport, (0, 0, 30, 20)).astype(float)
    words = premultiplied(pixels).view(np.uint8).reshape(20, 2, 30, 2, 4).astype(float)
    assert np.abs(shown - words.mean((1, 3))).max() <= 1.0


def test_an_odd_last_row_is_not_darkened():
    pixels = np.full((41, 61, 3), 200, np.uint8)
    viewport = Viewport((41, 61), (31, 21))
    viewport.zoom_to(0.5)
    assert (painted(sheet_of(pixels), viewport, (1, 1, 30, 20))[..., :3] == 200).all()


@pytest.mark.parametrize("scale", [0.2, 0.37, 0.6, 1.0, 1.5, 2.7, 6.0])
@pytest.mark.parametrize("degrees", [0.0, 90.0, 31.0])
def test_a_repainted_part_does_not_show(scale, degrees):
    pixels = np.random.default_rng(3).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    viewport = Viewport((300, 400), (200, 160))
    viewport.zoom_to(scale)
    viewport.rotate_by(degrees)
    viewport.pan_by(13.0, -9.0)
    sheet = sheet_of(pixels)
    whole = painted(sheet, viewport, (0, 0, 200, 160)).astype(int)
    # Qt blends a turned picture in steps of 1/256 that start at the part's corner; noise shows the most of it.
    limit = 16 if degrees == 31.0 else 2
    for box in ((61, 43, 118, 97), (0, 80, 33, 160)):
        difference = np.abs(painted(sheet, viewport, box) - whole[box[1] : box[3], box[0] : box[2]])
        # The canvas's own slanted border, which a line is drawn over, may differ by a pixel.
        assert (difference.max(axis=2) > limit).sum() <= (4 if degrees == 31.0 else 0)
        assert difference.mean() < 1.0


def test_the_origin_moves_the_sheet():
    pixels = np.full((10, 10, 3), 99, np.uint8)
    viewport = Viewport((40, 40), (40, 40))
    shown = painted(sheet_of(pixels, (20, 5)), viewport, (0, 0, 40, 40))
    rows, columns = np.nonzero(shown[..., 3])
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (20, 29, 5, 14)


def test_a_change_is_seen_in_the_reduced_copy():
    pixels = np.zeros((2048, 2048, 3), np.uint8)
    viewport = Viewport((2048, 2048), (256, 256))
    viewport.zoom_to(0.125)
    sheet = sheet_of(pixels)
    assert painted(sheet, viewport, (0, 0, 256, 256))[..., 0].max() == 0
    pixels[1000:1100, 1000:1100] = 240
    sheet.invalidate((1000, 1000, 1100, 1100))
    shown = painted(sheet, viewport, (0, 0, 256, 256))[..., 0]
    fresh = painted(sheet_of(pixels), viewport, (0, 0, 256, 256))[..., 0]
    assert shown[131, 131] == 240
    assert np.array_equal(shown, fresh)


def test_a_change_of_everything_is_not_waited_for():
    """Else an inverted mask or a replaced picture would stop the window at 16384 px."""
    pixels = np.zeros((2048, 2048, 3), np.uint8)
    viewport = Viewport((2048, 2048), (256, 256))
    viewport.zoom_to(0.125)
    sheet = sheet_of(pixels)
    painted(sheet, viewport, (0, 0, 256, 256))
    pixels[:] = 77
    sheet.invalidate((0, 0, 2048, 2048))
    assert (painted(sheet, viewport, (0, 0, 256, 256), deadline=0.0)[..., :3] == 77).all()
    assert not sheet.pyramid.is_fine(3, (0, 0, 2048, 2048))


def test_out_of_time_is_rough_and_then_refined():
    pixels = np.random.default_rng(4).integers(0, 256, (3000, 2100, 3), dtype=np.uint8)
    viewport = Viewport((3000, 2100), (300, 400))
    viewport.zoom_to(0.125)
    box = (0, 0, 300, 400)
    sheet = sheet_of(pixels)
    rough = painted(sheet, viewport, box, deadline=0.0)
    assert not sheet.pyramid.is_fine(3, (0, 0, 2100, 3000))
    assert (rough[..., 3] == 255).sum() > 90_000
    done = sheet.pyramid.refine(3, (0, 0, 2100, 3000), time.perf_counter() + 60)
    assert len(done) == 9
    assert sheet.pyramid.is_fine(3, (0, 0, 2100, 3000))
    assert np.array_equal(painted(sheet, viewport, box), painted(sheet_of(pixels), viewport, box))


def test_a_huge_picture_is_read_only_where_it_is_seen():
    read: list[tuple[int, int, int, int]] = []

    def fetch(box):
        read.append(box)
        return np.full((box[3] - box[1], box[2] - box[0], 3), 50, np.uint8)

    sheet = PictureSheet(fetch, (16384, 16384), is_opaque=True)
    viewport = Viewport((16384, 16384), (400, 300))
    viewport.zoom_to(0.5)
    painted(sheet, viewport, (100, 100, 200, 200))
    assert sum((b[2] - b[0]) * (b[3] - b[1]) for b in read) <= 4 * TILE_SPAN_PX**2
    read.clear()
    viewport.zoom_to(1.0)
    painted(sheet, viewport, (100, 100, 200, 200))
    assert sum((b[2] - b[0]) * (b[3] - b[1]) for b in read) < 120**2


def test_thin_lines_stay_when_zoomed_out():
    values = np.zeros((1600, 1600), np.uint8)
    values[:, 803] = 255
    viewport = Viewport((1600, 1600), (200, 200))
    for scale in (0.125, 0.11, 0.2, 0.7):
        viewport.zoom_to(scale)
        shown = plane_of(values, keeps_lines=True).seen(viewport.device_matrix, scale, (0, 0, 200, 200), FAR)
        inside = shown[80:120]
        assert ((inside == 255).sum(axis=1) >= 1).all()
        assert ((inside > 0).sum(axis=1) <= 3).all()


def test_a_mask_is_averaged():
    values = np.zeros((64, 64), np.uint8)
    values[:, ::2] = 255
    viewport = Viewport((64, 64), (16, 16))
    viewport.zoom_to(0.25)
    shown = plane_of(values).seen(viewport.device_matrix, 0.25, (2, 2, 14, 14), FAR)
    assert np.abs(shown.astype(int) - 128).max() <= 1


def test_nothing_selected_is_nothing_to_paint():
    viewport = Viewport((64, 64), (64, 64))
    plane = plane_of(np.zeros((64, 64), np.uint8))
    assert plane.seen(viewport.device_matrix, 1.0, (0, 0, 64, 64), FAR) is None
    assert plane.seen(viewport.device_matrix, 1.0, (500, 0, 564, 64), FAR) is None


def test_planes_are_not_read_where_nothing_was_written():
    values = np.zeros((4096, 4096), np.uint8)
    values[100:200, 300:400] = 255
    read = []

    def fetch(box):
        read.append(box)
        return values[box[1] : box[3], box[0] : box[2]]

    viewport = Viewport((4096, 4096), (400, 400))
    viewport.zoom_to(0.1)
    guarded = PlaneSheet(fetch, values.shape, written=lambda: (256, 0, 512, 256))
    shown = guarded.seen(viewport.device_matrix, 0.1, (0, 0, 400, 400), FAR)
    assert len(read) == 1
    open_ = plane_of(values).seen(viewport.device_matrix, 0.1, (0, 0, 400, 400), FAR)
    assert np.array_equal(shown, open_)


@pytest.mark.parametrize("scale", [0.1, 0.3, 0.6, 1.0, 2.5])
@pytest.mark.parametrize("keeps_lines", [False, True])
def test_a_part_of_a_plane_equals_the_whole(scale, keeps_lines):
    values = np.random.default_rng(6).integers(0, 256, (900, 900), dtype=np.uint8)
    viewport = Viewport((900, 900), (200, 200))
    viewport.zoom_to(scale)
    sheet = plane_of(values, keeps_lines=keeps_lines)
    whole = sheet.seen(viewport.device_matrix, scale, (0, 0, 200, 200), FAR)
    part = sheet.seen(viewport.device_matrix, scale, (81, 93, 130, 121), FAR)
    assert np.array_equal(part, whole[93:121, 81:130])
