import pytest

from app.canvas.tools.context import ToolContext


@pytest.fixture
def context():
    return ToolContext(lambda: None)


def test_mask_and_edges_keep_their_own_brush(context):
    context.set_brush(size_px=300)
    context.switch_target()
    assert context.brush().size_px == 3
    context.set_brush(size_px=5)
    context.switch_target()
    assert context.brush().size_px == 300


def test_the_hand_of_the_tool_says_which_brush_is_meant(context):
    context.hand = "eraser"
    context.set_brush(size_px=99)
    context.hand = "brush"
    assert context.brush().size_px == 64
    assert context.brush(hand="eraser").size_px == 99


@pytest.mark.parametrize(("asked", "kept"), [(0.1, 1), (5000, 2000), (70, 70)])
def test_sizes_stay_within_1_and_2000_px(context, asked, kept):
    context.set_brush(size_px=asked)
    assert context.brush().size_px == kept


def test_every_step_of_resizing_shows(context):
    context.set_brush(size_px=2)
    context.resize_brush(1.1)
    assert context.brush().size_px == 3
    context.resize_brush(1 / 1.1)
    assert context.brush().size_px == 2
    context.set_brush(size_px=200)
    context.resize_brush(1.1)
    assert context.brush().size_px == 220


def test_observers_hear_of_changes_once_until_they_stop(context):
    said = []
    stop = context.observe(said.append)
    context.target = "edges"
    context.target = "edges"
    context.mode = "subtract"
    context.tolerance = 0.3
    context.is_contiguous = False
    context.feather_px = 4
    context.set_brush(hardness=0.1)
    assert said == ["target", "mode", "wand", "wand", "mode", "brush"]
    stop()
    context.target = "mask"
    assert len(said) == 6


@pytest.mark.parametrize(("name", "value"), [("target", "sky"), ("mode", "xor"), ("hand", "foot")])
def test_an_unknown_word_is_refused_by_name(context, name, value):
    with pytest.raises(ValueError, match=f"{name}: expected one of .*, got '{value}'"):
        setattr(context, name, value)


def test_brushes_come_back_from_plain_data_and_damage_keeps_the_default(context):
    context.set_brush(size_px=77, smoothing=0.5)
    kept = context.brushes()
    kept["brush-edges"] = {"size_px": "huge"}
    kept["eraser-mask"] = "nonsense"
    other = ToolContext(lambda: None)
    other.restore_brushes(kept)
    assert other.brush() == context.brush()
    assert other.brush("edges").size_px == 3
    assert other.brush("mask", "eraser").size_px == 64


def test_a_fault_goes_to_the_window_or_is_raised():
    heard = []
    ToolContext(lambda: None, warn=heard.append).warn(ValueError("a"))
    assert str(heard[0]) == "a"
    with pytest.raises(ValueError, match="b"):
        ToolContext(lambda: None).warn(ValueError("b"))
