"""Brush, eraser and lock on a real document: planes, undo, straight lines, cancel."""

import numpy as np
import pytest

from app.canvas.tools.brush import BrushTool
from app.canvas.tools.edge_lock import EdgeLockTool
from app.canvas.tools.eraser import EraserTool
from app.document.painting import replay


def test_a_stroke_is_one_entry_and_undo_and_redo_restore_it(bench):
    bench.drag(BrushTool(bench.context), (50, 50), (80, 60), (150, 100))
    painted = bench.mask.copy()
    assert painted[60, 80] == 255
    assert painted[100, 150] == 255
    assert bench.document.undo_label == "Brush mask"
    bench.document.undo()
    assert not bench.mask.any()
    assert not bench.document.mask_layer.strokes
    bench.document.redo()
    np.testing.assert_array_equal(bench.mask, painted)
    assert len(bench.document.mask_layer.strokes) == 1


def test_a_kept_stroke_replays_to_the_same_bytes(bench):
    bench.context.set_brush(smoothing=0.5, hardness=0.3, pressure_opacity=True)
    tool = BrushTool(bench.context)
    bench.press(tool, 40, 40, pressure=0.3, device="pen", tilt_xy=(20, 5))
    bench.move(tool, 120, 60, pressure=0.9, device="pen")
    bench.move(tool, 130, 160, "shift", pressure=0.7, device="pen")
    bench.move(tool, 200, 100, "shift", pressure=0.8, device="pen")
    bench.move(tool, 280, 190, pressure=0.8, device="pen")
    bench.release(tool, 280, 190, pressure=0.0, device="pen")
    painted = bench.mask.copy()
    stroke = bench.document.mask_layer.strokes[0]
    bench.document.undo()
    with bench.document.begin("again") as transaction:
        replay(transaction, bench.document.mask_layer, stroke)
    np.testing.assert_array_equal(bench.mask, painted)


def test_cancel_leaves_no_trace_and_no_entry(bench):
    tool = BrushTool(bench.context)
    bench.press(tool, 50, 50)
    bench.move(tool, 90, 90)
    assert bench.mask.any()
    assert tool.is_busy
    tool.cancel()
    assert not bench.mask.any()
    assert not bench.document.can_undo
    assert not tool.is_busy
    bench.move(tool, 120, 90)
    bench.release(tool, 120, 90)
    assert not bench.mask.any()


def test_the_window_is_told_of_a_growing_and_of_a_finished_stroke(bench):
    tool = BrushTool(bench.context)
    bench.press(tool, 50, 50)
    bench.move(tool, 60, 50)
    assert bench.said[-2:] == ["stroke", "stroke"]
    assert "committed" not in bench.said
    bench.release(tool, 60, 50)
    assert bench.said.count("committed") == 1


@pytest.mark.parametrize("held", ["alt", "ctrl", "ctrl alt"])
def test_alt_and_ctrl_take_away_while_painting(bench, held):
    """Some desktops move the window with Alt and a drag."""
    tool = BrushTool(bench.context)
    bench.drag(tool, (50, 50), (150, 50))
    bench.drag(tool, (100, 50), (100, 51), held=held)
    assert bench.mask[50, 100] == 0
    assert bench.mask[50, 60] == 255
    assert bench.document.undo_label == "Erase mask"


def test_the_other_end_of_the_pen_erases(bench):
    tool = BrushTool(bench.context)
    bench.drag(tool, (50, 50), (150, 50))
    bench.drag(tool, (100, 50), device="pen", is_eraser_end=True)
    assert bench.mask[50, 100] == 0


def test_the_eraser_never_adds(bench):
    bench.drag(BrushTool(bench.context), (50, 50), (150, 50))
    before = bench.mask.copy()
    bench.drag(EraserTool(bench.context), (90, 40), (140, 80), (40, 45))
    assert (bench.mask <= before).all()
    assert (bench.mask < before).any()


def test_shift_click_draws_straight_from_the_last_end(bench):
    tool = BrushTool(bench.context)
    bench.drag(tool, (30, 30))
    bench.drag(tool, (230, 130), held="shift")
    along = [bench.mask[round(30 + 100 * t), round(30 + 200 * t)] for t in np.linspace(0, 1, 20)]
    assert along == [255] * 20


def test_shift_click_without_a_last_end_is_a_dot(bench):
    bench.drag(BrushTool(bench.context), (230, 130), held="shift")
    assert bench.mask[130, 230] == 255
    assert int((bench.mask > 127).sum()) == pytest.approx(np.pi * 100, rel=0.03)


@pytest.mark.parametrize("smoothing", [0.0, 0.9])
def test_shift_during_a_stroke_draws_straight_to_the_pointer(bench, smoothing):
    """What was tried on the way leaves nothing, and the line ends at the pointer however smooth the brush."""
    bench.context.set_brush(smoothing=smoothing, pressure_size=False)
    tool = BrushTool(bench.context)
    bench.press(tool, 50, 100)
    bench.move(tool, 150, 20, "shift")
    bench.move(tool, 200, 180, "shift")
    bench.move(tool, 250, 100, "shift")
    assert bench.mask[100, 60:250].min() == 255
    assert not bench.mask[:89].any()
    assert not bench.mask[112:].any()
    bench.release(tool, 250, 100, "shift")
    assert bench.mask[100, 60:250].min() == 255


def test_letting_go_of_shift_keeps_the_line_and_goes_on_by_hand(bench):
    tool = BrushTool(bench.context)
    bench.press(tool, 50, 50)
    bench.move(tool, 150, 50, "shift")
    bench.move(tool, 150, 150)
    bench.release(tool, 150, 150)
    assert bench.mask[50, 100] == 255
    assert bench.mask[100, 150] == 255
    assert bench.mask[100, 100] == 0


def test_painting_outside_the_canvas_is_no_entry(bench):
    bench.drag(BrushTool(bench.context), (-100, -100), (-50, -200))
    assert not bench.document.can_undo
    assert "committed" not in bench.said


def test_a_stroke_that_leaves_and_comes_back_is_cut_at_the_border(bench):
    bench.drag(BrushTool(bench.context), (280, 100), (400, 100), (400, 150), (280, 150))
    assert bench.mask[100, 299] == 255
    assert bench.mask[150, 299] == 255
    assert bench.mask[125, 299] == 0


def test_a_pen_that_leaves_with_no_pressure_keeps_its_last(bench):
    bench.context.set_brush(pressure_size=True)
    tool = BrushTool(bench.context)
    bench.press(tool, 50, 50, device="pen", pressure=1.0)
    bench.release(tool, 150, 50, device="pen", pressure=0.0)
    assert (bench.mask[:, 150] > 127).sum() == 20


def test_brush_on_edges_draws_and_alt_rubs_out(bench):
    bench.context.target = "edges"
    tool = BrushTool(bench.context)
    bench.drag(tool, (50.5, 50.5), (150.5, 50.5))
    assert bench.edges("drawn")[50, 100] == 255
    assert not bench.mask.any()
    bench.drag(tool, (100.5, 50.5), (120.5, 50.5), held="alt")
    assert bench.edges("drawn")[50, 110] == 0
    assert not bench.edges("erased").any()


def test_eraser_on_edges_rubs_out_drawn_and_bars_guessed_ones_in_one_step(bench):
    bench.context.target = "edges"
    bench.drag(BrushTool(bench.context), (50.5, 50.5), (150.5, 50.5))
    bench.drag(EraserTool(bench.context), (100, 50), (120, 50))
    assert bench.edges("drawn")[50, 110] == 0
    assert bench.edges("erased")[50, 110] == 255
    assert [stroke.tool for stroke in bench.document.edges_layer.strokes] == ["brush", "eraser", "brush"]
    bench.document.undo()
    assert bench.edges("drawn")[50, 110] == 255
    assert not bench.edges("erased").any()


def test_alt_with_the_eraser_lets_guessed_edges_come_back(bench):
    bench.context.target = "edges"
    tool = EraserTool(bench.context)
    bench.drag(tool, (100, 50), (120, 50))
    bench.drag(tool, (110, 50), held="alt")
    assert bench.edges("erased")[50, 110] == 0


def test_the_lock_marks_edges_whatever_the_target_is(bench):
    tool = EdgeLockTool(bench.context)
    bench.drag(tool, (100, 50), (120, 50))
    assert bench.edges("locked")[50, 110] == 255
    bench.drag(tool, (110, 50), held="alt")
    assert bench.edges("locked")[50, 110] == 0
    assert not bench.mask.any()


def test_a_mouse_with_a_brush_of_one_pixel_fills_whole_pixels(bench):
    bench.context.set_brush(size_px=1)
    bench.drag(BrushTool(bench.context), (50, 50))
    assert bench.mask[50, 50] == 255
    assert bench.mask.sum() == 255


def test_the_ring_has_the_size_of_the_brush_of_its_target(bench):
    tool = BrushTool(bench.context)
    tool.resize_brush(2)
    assert tool.outline().diameter_px == 40
    bench.context.switch_target()
    assert tool.outline().diameter_px == 3
    assert EraserTool(bench.context).outline().diameter_px == 20


def test_another_button_and_no_document_do_nothing(bench):
    tool = BrushTool(bench.context)
    bench.drag(tool, (50, 50), button="right")
    bench.document = None
    bench.drag(tool, (50, 50))
    assert not tool.is_busy


def test_choosing_another_tool_keeps_the_stroke(bench):
    tool = BrushTool(bench.context)
    bench.press(tool, 50, 50)
    tool.finish()
    assert bench.document.can_undo
    assert bench.mask[50, 50] == 255
