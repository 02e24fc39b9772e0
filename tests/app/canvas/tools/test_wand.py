import numpy as np
import pytest

from app.canvas.tools.wand import BucketTool, WandTool
from app.document.document import Document
from engine.pictures import Picture


@pytest.fixture
def squares(bench):
    """Two red squares on grey."""
    pixels = np.full((200, 300, 3), 90, np.uint8)
    pixels[50:100, 50:100] = pixels[50:100, 200:250] = (220, 40, 40)
    bench.document = Document.from_picture(Picture(pixels, "RGB"), name="squares")
    return bench


def click(bench, tool, x, y, held=""):
    bench.press(tool, x, y, held)
    bench.release(tool, x, y, held)


def test_a_click_selects_one_square_or_both(squares):
    tool = WandTool(squares.context)
    click(squares, tool, 70, 70)
    assert squares.mask.sum() == 255 * 2500
    squares.context.is_contiguous = False
    click(squares, tool, 70, 70)
    assert squares.mask.sum() == 255 * 5000
    assert squares.said.count("committed") == 2
    squares.document.undo()
    assert squares.mask.sum() == 255 * 2500


def test_alt_subtracts_and_ctrl_intersects(squares):
    tool = WandTool(squares.context)
    click(squares, tool, 10, 10)
    assert squares.mask.sum() == 255 * (60000 - 5000)
    click(squares, tool, 70, 70, "ctrl")
    assert not squares.mask.any()
    squares.document.undo()
    click(squares, tool, 10, 10, "alt")
    assert not squares.mask.any()


def test_full_tolerance_takes_everything(squares):
    squares.context.tolerance = 1
    click(squares, WandTool(squares.context), 70, 70)
    assert squares.mask.min() == 255


@pytest.mark.parametrize("held", ["alt", "ctrl"])
def test_the_bucket_adds_and_alt_or_ctrl_takes_away(squares, held):
    tool = BucketTool(squares.context)
    squares.context.mode = "replace"
    click(squares, tool, 70, 70)
    click(squares, tool, 220, 70)
    assert squares.mask.sum() == 255 * 5000
    click(squares, tool, 70, 70, held)
    assert squares.mask.sum() == 255 * 2500


def test_shift_with_the_bucket_fills_a_drawn_outline(squares):
    from app.canvas.tools.brush import BrushTool

    around = [(150 + 80 * np.cos(turn), 100 + 80 * np.sin(turn)) for turn in np.linspace(0, 2 * np.pi, 60)]
    squares.drag(BrushTool(squares.context), *around)
    click(squares, BucketTool(squares.context), 150, 100, "shift")
    y, x = np.mgrid[0:200, 0:300] + 0.5
    assert squares.mask[np.hypot(x - 150, y - 100) < 85].min() == 255
    assert squares.mask[np.hypot(x - 150, y - 100) > 92].max() == 0


def test_a_click_outside_does_nothing(squares):
    click(squares, WandTool(squares.context), -5, 70)
    click(squares, BucketTool(squares.context), 70, 500, "shift")
    assert not squares.document.can_undo


def test_a_change_that_is_under_way_is_told_not_raised(squares):
    heard = []
    squares.context._warn = heard.append
    transaction = squares.document.begin("Move")
    click(squares, WandTool(squares.context), 70, 70)
    from app.canvas.tools.brush import BrushTool

    squares.drag(BrushTool(squares.context), (10, 10), (20, 20))
    transaction.rollback()
    assert len(heard) == 2
    assert "finish or cancel the stroke first" in str(heard[0])
    assert not squares.mask.any()
