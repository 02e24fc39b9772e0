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


@pytest.mark.parametrize(
    ("size_hw", "expected"),
    [
        ((4000, 6000), 150),
        ((6000, 4000), 150),
        ((1600, 2400), 60),
        ((300, 512), 13),
        ((40, 60), 3),
        ((80000, 10), 2000),
    ],
)
def test_the_first_brush_is_a_fortieth_of_the_longer_side(context, size_hw, expected):
    context.fit_brushes(size_hw)
    assert context.brush("mask", "brush").size_px == expected
    assert context.brush("mask", "eraser").size_px == expected
    assert 3 <= context.brush("edges", "brush").size_px <= context.brush("edges", "lock").size_px <= expected


def test_a_size_that_was_chosen_stays_from_picture_to_picture_and_from_day_to_day(context):
    context.fit_brushes((1000, 2000))
    context.set_brush("mask", "brush", size_px=33)
    context.set_brush("mask", "eraser", hardness=0.5)
    context.fit_brushes((4000, 6000))
    assert context.brush("mask", "brush").size_px == 33
    assert context.brush("mask", "eraser").size_px == 150, "its size was not chosen"
    tomorrow = ToolContext(lambda: None)
    tomorrow.restore_brushes(context.brushes())
    tomorrow.fit_brushes((600, 800))
    assert tomorrow.brush("mask", "brush").size_px == 33
    assert tomorrow.brush("mask", "eraser").size_px == 20
    assert tomorrow.brush("mask", "eraser").hardness == 0.5
