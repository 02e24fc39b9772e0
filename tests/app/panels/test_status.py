from PySide6.QtWidgets import QComboBox, QLabel

from app.panels.status import StatusBar


def shown(qtbot) -> StatusBar:
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.show()
    bar.set_size((400, 600), "RGB, 8 bits")
    return bar


def test_facts_of_the_picture(qtbot) -> None:
    bar = shown(qtbot)
    assert bar.findChild(QLabel, "status_size").text() == "600 × 400 px"
    assert bar.findChild(QLabel, "status_size").toolTip() == "0.2 megapixels, RGB, 8 bits"
    bar.set_cursor(-0.5, 12.9)
    assert bar.findChild(QLabel, "status_cursor").text() == "x -1, y 12"
    bar.clear_cursor()
    assert bar.findChild(QLabel, "status_cursor").text() == ""
    bar.set_size(None)
    assert bar.findChild(QComboBox, "status_zoom").isHidden()


def test_the_zoom_is_said_and_asked_for(qtbot) -> None:
    bar = shown(qtbot)
    field = bar.findChild(QComboBox, "status_zoom")
    bar.set_zoom(0.3333)
    assert field.currentText() == "33 %"
    bar.set_zoom(0.015)
    assert field.currentText() == "1.5 %"
    with qtbot.waitSignal(bar.fit_asked):
        field.setCurrentText("Fit")
        field.activated.emit(0)
    with qtbot.waitSignal(bar.zoom_asked) as asked:
        field.setCurrentText("12,5 %")
        field.activated.emit(0)
    assert asked.args == [0.125]


def test_another_size_of_the_same_picture_keeps_what_else_is_known_of_it(qtbot):
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.set_size((400, 600), "RGB, 8 bits")
    bar.show_size((1000, 2000))
    size = bar.findChild(QLabel, "status_size")
    assert size.text() == "2000 × 1000 px"
    assert size.toolTip() == "2.0 megapixels, RGB, 8 bits"
