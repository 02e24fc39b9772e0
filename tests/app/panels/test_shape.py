"""The shape in numbers, by its fields and buttons."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QSpinBox

from app.document.retarget_shape import Dragged, Shape, drag
from app.panels.shape import ShapeBox
from tests.app.panels.test_retarget import OWN, asked, checked, click, retarget, sizes  # noqa: F401


@pytest.fixture
def box(qtbot, retarget):  # noqa: F811
    made = ShapeBox(retarget)
    qtbot.addWidget(made)
    made.resize(320, 200)
    made.show()
    retarget.state_changed.connect(made.show_state)
    made.show_state(retarget.state)
    return made


def test_a_typed_width_is_remade(box, worker, qtbot):
    box.findChild(QSpinBox, "retarget_width").setValue(90)
    assert asked(qtbot, worker).target_size_hw == (40, 90)


def test_a_typed_height_keeps_the_ratio_where_that_is_wished(box, worker, qtbot):
    click(box, "retarget_keep_ratio")
    box.findChild(QSpinBox, "retarget_height").setValue(80)
    assert asked(qtbot, worker).target_size_hw == (80, 120)
    assert sizes(box) == (120, 80)


def test_sizes_stay_within_what_can_be_remade(box):
    field = box.findChild(QSpinBox, "retarget_width")
    assert (field.minimum(), field.maximum()) == (32, 12000)
    field.setValue(9)
    assert field.value() == 32


def test_a_picture_beyond_the_limits_is_shown_as_large_as_it_is(box, retarget):  # noqa: F811
    for size_hw in ((20, 14000), (40, 60)):
        h, w = size_hw
        box.show_state(replace(retarget.state, shape=Shape.of_box((0, 0, w, h))))
        assert sizes(box) == (w, h)
    field = box.findChild(QSpinBox, "retarget_width")
    assert (field.minimum(), field.maximum()) == (32, 12000)


@pytest.mark.parametrize(
    ("name", "size_hw", "text"),
    [
        ("1_1", (40, 40), "1:1"),
        ("16_9", (40, 71), "16:9"),
        ("3_2", (40, 60), "Original"),
        ("a4", (40, 57), "A4"),
    ],
)
def test_a_ratio_is_one_click(box, retarget, worker, qtbot, name, size_hw, text):  # noqa: F811
    retarget.show_shape(Dragged(Shape.of_box((0, 0, 100, 40))))
    click(box, f"retarget_ratio_{name}")
    assert retarget.shape.size_hw == size_hw
    assert checked(box) == [text]
    assert asked(qtbot, worker).target_size_hw == size_hw


def test_the_original_is_the_picture_itself(box, retarget, worker, document, qtbot):  # noqa: F811
    click(box, "retarget_ratio_1_1")
    asked(qtbot, worker)
    worker.answer()
    assert checked(box) == ["1:1"]
    click(box, "retarget_ratio_original")
    assert document.current_result is None
    assert checked(box) == ["Original"]
    click(box, "retarget_ratio_original")
    assert checked(box) == ["Original"], "a second click does not switch it off"


def test_turning_swaps_the_sides(box, retarget, worker, qtbot):  # noqa: F811
    click(box, "retarget_turn")
    assert asked(qtbot, worker).target_size_hw == (60, 40)


def test_a_shape_with_free_corners_has_no_ratio_but_can_be_sized(box, retarget, worker, qtbot):  # noqa: F811
    retarget.choose_shape(drag(OWN, "top_right", (-20, 5), is_free=True).shape)
    assert checked(box) == []
    assert sizes(box) == (60, 40)
    box.findChild(QSpinBox, "retarget_width").setValue(120)
    assert asked(qtbot, worker).corners_xy is not None
    assert retarget.shape.corners_xy == ((0, 0), (80, 5), (120, 40), (0, 40))
