"""Rectangle and ellipse: modes, squares, middles, clicks."""

import numpy as np
import pytest
from PySide6.QtGui import QImage, QPainter

from app.canvas.tools.shape import EllipseTool, RectangleTool
from app.canvas.viewport import Viewport


def box_of(mask):
    ys, xs = np.nonzero(mask)
    return (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)


def test_a_rectangle_takes_whole_pixels(bench):
    bench.drag(RectangleTool(bench.context), (10.4, 20.2), (60.6, 70.4))
    assert box_of(bench.mask) == (10, 20, 61, 70)
    assert set(np.unique(bench.mask)) == {0, 255}
    assert bench.document.undo_label == "Add rectangle"
    assert bench.said.count("committed") == 1
    bench.document.undo()
    assert not bench.mask.any()


def test_dragging_backwards_gives_the_same(bench):
    bench.drag(RectangleTool(bench.context), (60, 70), (10, 20))
    assert box_of(bench.mask) == (10, 20, 60, 70)


def test_shift_makes_a_square_and_alt_draws_around_the_middle(bench):
    tool = RectangleTool(bench.context)
    bench.drag(tool, (10, 20), (60, 40), held="shift")
    assert box_of(bench.mask) == (10, 20, 60, 70)
    bench.document.undo()
    bench.press(tool, 100, 100)
    bench.move(tool, 130, 110, "alt")
    bench.release(tool, 130, 110, "alt")
    assert box_of(bench.mask) == (70, 90, 130, 110)


def test_alt_at_the_start_subtracts_and_ctrl_intersects(bench):
    tool = RectangleTool(bench.context)
    bench.drag(tool, (10, 10), (110, 110))
    bench.press(tool, 60, 0, "alt")
    bench.move(tool, 200, 199, "alt")
    bench.release(tool, 200, 199, "alt")
    assert box_of(bench.mask) == (10, 10, 60, 110)
    bench.drag(tool, (0, 50), (300, 80), held="ctrl")
    assert box_of(bench.mask) == (10, 50, 60, 80)


def test_replace_forgets_what_was_there_and_a_click_deselects(bench):
    tool = RectangleTool(bench.context)
    bench.drag(tool, (10, 10), (50, 50))
    bench.context.mode = "replace"
    bench.drag(tool, (100, 100), (150, 150))
    assert box_of(bench.mask) == (100, 100, 150, 150)
    bench.drag(tool, (20, 20))
    assert not bench.mask.any()
    assert bench.document.undo_label == "Deselect"


def test_a_click_in_another_mode_changes_nothing(bench):
    bench.drag(RectangleTool(bench.context), (20, 20), (21, 20))
    assert not bench.document.can_undo


def test_an_ellipse_has_its_area_and_a_soft_border_of_a_pixel(bench):
    bench.drag(EllipseTool(bench.context), (50, 20), (150, 80))
    assert bench.mask.sum() / 255 == pytest.approx(np.pi * 50 * 30, rel=1e-3)
    assert box_of(bench.mask) == (50, 20, 150, 80)


def test_feather_softens_the_new_shape_alone(bench):
    tool = RectangleTool(bench.context)
    bench.drag(tool, (10, 10), (40, 40))
    bench.context.feather_px = 8
    bench.drag(tool, (100, 50), (200, 150))
    assert int(bench.mask[100, 100]) == pytest.approx(128, abs=14)
    assert bench.mask[100, 150] == 255
    assert bench.mask[25, 10] == 255
    assert bench.mask[25, 9] == 0


def test_esc_forgets_the_drag(bench):
    tool = RectangleTool(bench.context)
    bench.press(tool, 10, 10)
    bench.move(tool, 50, 50)
    assert tool.is_busy
    tool.cancel()
    bench.release(tool, 60, 60)
    assert not bench.mask.any()
    assert not tool.is_busy


@pytest.mark.parametrize("kind", [RectangleTool, EllipseTool])
def test_the_outline_is_drawn_in_two_tones(bench, kind):
    tool = kind(bench.context)
    bench.press(tool, 20, 20)
    bench.move(tool, 120, 90)
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(0xFF808080)
    painter = QPainter(image)
    tool.paint_overlay(painter, Viewport((200, 300), (300, 200)))
    painter.end()
    seen = {image.pixelColor(x, y).lightness() for x in range(15, 125) for y in range(15, 95)}
    assert {0, 128, 255} <= seen
