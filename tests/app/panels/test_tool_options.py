import pytest
from PySide6.QtWidgets import QDoubleSpinBox, QSlider, QToolButton, QWidget

from app.canvas.tools.context import ToolContext
from app.canvas.tools.registry import make_tools
from app.panels.tool_options import ToolOptions


@pytest.fixture
def context() -> ToolContext:
    return ToolContext(lambda: None)


@pytest.fixture
def bar(qtbot, context) -> ToolOptions:
    made = ToolOptions(context)
    qtbot.addWidget(made)
    made.resize(1400, 40)
    made.show()
    made.show_tool(make_tools(context)["brush"])
    return made


def test_each_tool_shows_its_own_options(bar, context) -> None:
    shown = {}
    for tool_id, tool in make_tools(context).items():
        bar.show_tool(tool)
        shown[tool_id] = {
            option for option, actions in bar._groups.items() if any(action.isVisible() for action in actions)
        }
        assert shown[tool_id] == set(tool.options) & set(bar._groups)
    assert "size" in shown["brush"]
    assert "tolerance" in shown["wand"]
    assert not shown["hand"]


def test_every_option_of_a_tool_has_a_control(bar, context) -> None:
    wanted = {option for tool in make_tools(context).values() for option in tool.options}
    grouped = {"pressure_opacity", "tilt"}  # in one control with pressure_size
    assert wanted - grouped <= set(bar._groups)


def test_a_number_changes_the_brush(bar, context) -> None:
    bar.findChild(QDoubleSpinBox, "option_size").setValue(120)
    bar.findChild(QDoubleSpinBox, "option_hardness").setValue(35)
    assert context.brush().size_px == 120
    assert context.brush().hardness == 0.35


def test_the_brush_is_shown_as_it_is(bar, context) -> None:
    context.set_brush(size_px=2000, opacity=0.4)
    assert bar.findChild(QDoubleSpinBox, "option_size").value() == 2000
    assert (
        bar.findChild(QSlider, "option_size_slider").value()
        == bar.findChild(QSlider, "option_size_slider").maximum()
    )
    assert bar.findChild(QDoubleSpinBox, "option_opacity").value() == 40


def test_the_size_slider_reaches_from_1_to_2000(bar, context) -> None:
    slider = bar.findChild(QSlider, "option_size_slider")
    slider.setValue(slider.minimum())
    assert context.brush().size_px == 1
    slider.setValue(slider.maximum())
    assert context.brush().size_px == 2000


def test_each_target_has_a_brush_of_its_own(bar, context) -> None:
    bar.findChild(QDoubleSpinBox, "option_size").setValue(120)
    bar.findChild(QToolButton, "option_target_edges").click()
    assert context.target == "edges"
    assert bar.findChild(QDoubleSpinBox, "option_size").value() == context.brush("edges").size_px != 120
    context.switch_target()
    assert bar.findChild(QToolButton, "option_target_mask").isChecked()
    assert bar.findChild(QDoubleSpinBox, "option_size").value() == 120


@pytest.mark.parametrize("name", ["pressure_size", "pressure_opacity", "tilt_shape"])
def test_what_the_pen_does_can_be_switched(bar, context, name) -> None:
    before = getattr(context.brush(), name)
    bar.findChild(QToolButton, f"option_{name}").click()
    assert getattr(context.brush(), name) is not before


def test_mode_tolerance_and_feather_follow(bar, context) -> None:
    bar.show_tool(make_tools(context)["wand"])
    bar.findChild(QToolButton, "option_mode_intersect").click()
    bar.findChild(QDoubleSpinBox, "option_tolerance").setValue(30)
    bar.findChild(QDoubleSpinBox, "option_feather").setValue(12)
    bar.findChild(QToolButton, "option_contiguous").click()
    assert (context.mode, context.tolerance, context.feather_px) == ("intersect", 0.3, 12)
    assert not context.is_contiguous


def test_the_tool_says_what_it_can(bar, context) -> None:
    tool = make_tools(context)["lasso"]
    bar.show_tool(tool)
    assert bar.findChild(QWidget, "tool_name").text() == "Lasso"
    assert bar.findChild(QWidget, "tool_hint").text() == tool.tip
