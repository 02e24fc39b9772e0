"""The wheel over every control of the window: it scrolls what is around, unless the control was clicked."""

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QFocusEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QScrollArea,
    QScrollBar,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

import app
from app.handlers.masks import ask_px
from app.panels.controls import Range, ValueSlider, named
from tests.app.fakes import make_document, stroke

APP = Path(app.__file__).parent


def wheel(widget: QWidget, notches: int = -1) -> None:
    """Turn the wheel over the middle of a widget."""
    at = QPointF(widget.rect().center())
    event = QWheelEvent(
        at, widget.mapToGlobal(at), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def wheel_in_window(widget: QWidget, notches: int = -1) -> None:
    """Turn the wheel over a widget that is seen, as the window system says it: what it leaves goes to its parents."""
    at = widget.mapTo(widget.window(), widget.rect().center())
    QTest.wheelEvent(widget.window().windowHandle(), QPointF(at), QPoint(0, 120 * notches))


def controls(root: QWidget) -> list[QWidget]:
    """All that Qt lets the wheel change."""
    kinds = (QAbstractSlider, QAbstractSpinBox, QComboBox)
    return [one for kind in kinds for one in root.findChildren(kind) if not isinstance(one, QScrollBar)]


def value(control: QWidget) -> object:
    if isinstance(control, QComboBox):
        return control.currentIndex(), control.currentText()
    return control.value() if isinstance(control, QAbstractSlider) else control.text()


def everything(window) -> list[QWidget]:
    """The window with each of its panels seen once, and its dialogs."""
    window.tools.choose("retarget")
    window.retargeting.controller.change_settings(method="learned")
    window.show_settings()
    window.show_keys()
    window.show_shortcuts()
    window.show_about()
    return QApplication.topLevelWidgets()


def test_the_wheel_changes_no_control_of_any_panel_or_dialog(window, qtbot) -> None:
    document = make_document()
    stroke(document, (4, 4, 20, 20))
    window.set_document(document)
    found = [control for root in everything(window) for control in controls(root)]
    assert len(found) >= 30
    before = {id(control): value(control) for control in found}
    changed = []
    for control in found:
        for notches in (-1, 1):
            for over in (control, *control.findChildren(QWidget)):
                wheel(over, notches)
        if value(control) != before[id(control)] or control.hasFocus():
            changed.append((control.objectName(), before[id(control)], value(control)))
    assert changed == []
    assert not window.worker.requests


@pytest.fixture
def panel(qtbot):
    """A panel that scrolls, with a slider and its number, a number, and a list."""
    area = QScrollArea()
    content = QWidget()
    column = QVBoxLayout(content)
    made = {
        "slider": ValueSlider("edges", "Edges", Range(0.0, 1.0, 0.01), ""),
        "number": QSpinBox(),
        "list": QComboBox(),
    }
    made["list"].addItems(["one", "two", "three"])
    made["list"].setCurrentIndex(1)
    made["slider"].set_value(0.5)
    made["number"].setValue(50)
    for name, widget in made.items():
        if name != "slider":
            named(widget, name, name)
        column.addWidget(widget)
    column.addStretch(1)
    content.setMinimumHeight(1500)
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.resize(300, 300)
    qtbot.addWidget(area)
    area.show()
    area.activateWindow()
    qtbot.waitUntil(area.isActiveWindow)
    return area


def each(panel: QScrollArea) -> list[QWidget]:
    return controls(panel.widget())


def test_the_wheel_scrolls_the_panel_instead(panel) -> None:
    assert len(each(panel)) == 4
    bar = panel.verticalScrollBar()
    for control in each(panel):
        bar.setValue(0)
        before = value(control)
        wheel_in_window(control)
        assert value(control) == before
        assert bar.value() > 0


def test_after_a_click_the_wheel_changes_the_value(panel) -> None:
    bar = panel.verticalScrollBar()
    for control in each(panel):
        if isinstance(
            control, QComboBox
        ):  # a click would open its list as well, which gives the keyboard back
            control.setFocus(Qt.FocusReason.MouseFocusReason)
            QApplication.sendEvent(control, QFocusEvent(QEvent.Type.FocusIn, Qt.FocusReason.PopupFocusReason))
        else:
            inner = control.lineEdit() if isinstance(control, QAbstractSpinBox) else control
            at = QPoint(1, 1) if isinstance(control, QSlider) else inner.rect().center()
            QTest.mouseClick(inner, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
        assert control.hasFocus()
        before = value(control)
        wheel_in_window(control, 1)
        assert value(control) != before, control.objectName()
        assert bar.value() == 0


@pytest.mark.parametrize(
    "reason",
    [
        Qt.FocusReason.TabFocusReason,
        Qt.FocusReason.BacktabFocusReason,
        Qt.FocusReason.ShortcutFocusReason,
        Qt.FocusReason.OtherFocusReason,
    ],
)
def test_the_keyboard_that_came_otherwise_is_no_click(panel, reason) -> None:
    for control in each(panel):
        control.setFocus(reason)
        assert control.hasFocus()
        before = value(control)
        wheel_in_window(control, 1)
        assert value(control) == before


def test_a_click_ends_when_the_keyboard_goes_and_comes_back_by_tab(panel) -> None:
    slider, number = panel.findChild(QSlider), panel.findChild(QSpinBox, "number")
    QTest.mouseClick(number.lineEdit(), Qt.MouseButton.LeftButton)
    QTest.keyClick(number, Qt.Key.Key_Backtab)
    assert not number.hasFocus()
    number.setFocus(Qt.FocusReason.TabFocusReason)
    wheel(number, 1)
    assert number.value() == 50
    QTest.mouseClick(number.lineEdit(), Qt.MouseButton.LeftButton)  # it has the keyboard already
    wheel(number, 1)
    assert number.value() == 51
    wheel(slider, 1)
    assert slider.value() == 500


def test_the_question_for_pixels_has_the_same_manners(window, qtbot) -> None:
    seen = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        number = dialog.findChild(QSpinBox)
        wheel(number, 1)
        seen.append(number.value())
        dialog.accept()

    QTimer.singleShot(0, look)
    assert ask_px(window, "Grow Mask") == 8
    assert seen == [8]


def test_whoever_makes_such_a_control_names_it_with_named() -> None:
    """A dialog that no test opens would escape the walk above."""
    made = re.compile(r"\bQ(Slider|Dial|SpinBox|DoubleSpinBox|ComboBox)\(")
    makers = [path for path in APP.rglob("*.py") if made.search(path.read_text(encoding="utf-8"))]
    assert len(makers) >= 5
    assert [path for path in makers if "named(" not in path.read_text(encoding="utf-8")] == []
