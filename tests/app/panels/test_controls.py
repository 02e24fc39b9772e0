import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDoubleSpinBox, QSlider

from app.panels.controls import Choice, ChoiceRow, Range, ValueSlider

CHOICES = (Choice("a", "First", "the first"), Choice("b", "Second", "the second"))


@pytest.fixture
def slider(qtbot):
    made = ValueSlider("size", "Size", Range(0.5, 8.0, 0.1, 1, " px"), "how large")
    qtbot.addWidget(made)
    made.show()
    return made


def test_slider_and_number_say_the_same(slider, qtbot):
    heard = []
    slider.value_changed.connect(heard.append)
    bar, number = slider.findChild(QSlider), slider.findChild(QDoubleSpinBox)
    bar.setFocus()
    QTest.keyClick(bar, Qt.Key.Key_End)
    assert heard == [8.0]
    assert number.value() == 8.0
    number.setFocus()
    number.selectAll()
    QTest.keyClicks(number, "2")
    QTest.keyClick(number, Qt.Key.Key_Return)
    assert heard[-1] == 2.0
    assert bar.value() == 200


def test_one_key_on_a_slider_is_one_step(slider):
    bar = slider.findChild(QSlider)
    slider.set_value(2.0)
    QTest.keyClick(bar, Qt.Key.Key_Right)
    assert slider.value == pytest.approx(2.1)
    QTest.keyClick(bar, Qt.Key.Key_Left)
    QTest.keyClick(bar, Qt.Key.Key_Left)
    assert slider.value == pytest.approx(1.9)


def test_a_value_set_by_code_tells_nobody(slider):
    heard = []
    slider.value_changed.connect(heard.append)
    slider.set_value(3.3)
    assert slider.value == pytest.approx(3.3)
    assert heard == []


def test_a_choice_is_told_once_and_one_is_always_chosen(qtbot):
    row = ChoiceRow("pick", "Pick", CHOICES)
    qtbot.addWidget(row)
    row.show()
    heard = []
    row.chosen.connect(heard.append)
    assert row.key == "a"
    QTest.mouseClick(row.button("b"), Qt.MouseButton.LeftButton)
    QTest.mouseClick(row.button("b"), Qt.MouseButton.LeftButton)
    assert row.key == "b"
    assert heard[0] == "b"
    row.set_key("a")
    assert row.key == "a"
    assert "a" not in heard


def test_controls_have_names_for_tests_and_screen_readers(slider, qtbot):
    row = ChoiceRow("pick", "Pick", CHOICES)
    qtbot.addWidget(row)
    assert row.button("a").objectName() == "pick_a"
    assert row.button("b").accessibleName() == "Pick: Second"
    assert row.button("b").toolTip() == "the second"
    assert slider.findChild(QSlider).accessibleName() == "Size"
    assert slider.findChild(QDoubleSpinBox).objectName() == "size_value"
