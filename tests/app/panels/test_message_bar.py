from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QWidget

from app.panels.message_bar import WIDTH_PX, Answer, Message, MessageBar


def shown(qtbot) -> tuple[QWidget, MessageBar]:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(900, 500)
    bar = MessageBar(parent)
    parent.show()
    return parent, bar


def test_a_message_has_title_sentence_and_next_step(qtbot) -> None:
    _, bar = shown(qtbot)
    assert bar.isHidden()
    bar.show_message(Message("error", "cat.png", "Expected a picture, got a text.", "Choose another file."))
    assert bar.findChild(QLabel, "message_title").text() == "cat.png"
    assert bar.findChild(QLabel, "message_next").isVisible()
    assert "Choose another file." in bar.accessibleDescription()


def test_words_are_shown_as_they_are(qtbot) -> None:
    _, bar = shown(qtbot)
    bar.show_message(Message("error", "<b>cat</b>.png"))
    assert bar.findChild(QLabel, "message_title").text() == "<b>cat</b>.png"
    assert bar.findChild(QLabel, "message_sentence").isHidden()


def test_a_fault_stays_and_news_go(qtbot) -> None:
    _, bar = shown(qtbot)
    bar.show_message(Message("error", "a"))
    assert not bar._timer.isActive()
    bar.show_message(Message("info", "b"))
    assert bar._timer.isActive()
    bar.show_message(Message("info", "c", is_lasting=True))
    assert not bar._timer.isActive()


def test_it_can_be_put_away(qtbot) -> None:
    _, bar = shown(qtbot)
    bar.show_message(Message("warning", "a"))
    with qtbot.waitSignal(bar.closed):
        bar.findChild(QToolButton, "message_close").click()
    assert bar.isHidden()
    assert bar.message is None


def test_an_answer_is_given_once(qtbot) -> None:
    _, bar = shown(qtbot)
    given = []
    bar.show_message(Message("info", "a"), [Answer("Yes", lambda: given.append("yes"))])
    bar.findChild(QPushButton, "message_answer_0").click()
    assert given == ["yes"]
    assert bar.isHidden()


def test_it_stays_inside_a_small_window(qtbot) -> None:
    parent, bar = shown(qtbot)
    parent.resize(320, 300)
    bar.show_message(Message("error", "a", "many words " * 30, "more words " * 10))
    assert bar.geometry().left() >= 0
    assert bar.geometry().right() < 320
    parent.resize(700, 300)
    assert bar.width() > 320


def test_a_message_that_came_before_its_window_was_seen_lies_where_it_belongs(qtbot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(100, 30)
    bar = MessageBar(parent)
    bar.show_message(Message("warning", "Something could not be read", "word " * 30))
    parent.resize(900, 500)
    parent.show()
    assert bar.width() == WIDTH_PX
    assert bar.height() < 200
