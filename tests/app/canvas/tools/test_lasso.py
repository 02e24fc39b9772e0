import numpy as np
import pytest

from app.canvas.tools.lasso import LassoTool


def test_what_the_line_goes_round_is_selected(bench):
    turns = np.linspace(0, 2 * np.pi, 90)
    points = [(150 + 50 * np.cos(turn), 100 + 50 * np.sin(turn)) for turn in turns]
    bench.drag(LassoTool(bench.context), *points)
    assert bench.mask.sum() / 255 == pytest.approx(np.pi * 2500, rel=0.005)
    assert bench.document.undo_label == "Add lasso"


def test_shift_draws_straight(bench):
    tool = LassoTool(bench.context)
    bench.press(tool, 50, 50)
    for x in (90, 70, 150):
        bench.move(tool, x, 20 if x != 150 else 50, "shift")
    bench.move(tool, 150, 150)
    bench.release(tool, 150, 150)
    assert bench.mask.sum() / 255 == pytest.approx(5000, rel=0.001)


def test_a_line_over_the_border_selects_what_lies_inside(bench):
    bench.drag(LassoTool(bench.context), (-100, -100), (100, -100), (100, 100), (-100, 100))
    assert bench.mask[:100, :100].min() == 255
    assert bench.mask.sum() == 255 * 100 * 100


def test_a_click_selects_nothing(bench):
    bench.drag(LassoTool(bench.context), (50, 50))
    assert not bench.document.can_undo


def test_cancel_forgets_the_line(bench):
    tool = LassoTool(bench.context)
    bench.press(tool, 50, 50)
    bench.move(tool, 150, 50)
    bench.move(tool, 150, 150)
    tool.cancel()
    bench.release(tool, 50, 150)
    assert not bench.mask.any()
