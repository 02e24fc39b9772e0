from pathlib import Path

from app.notices import NOTICES
from app.panels.message_bar import Message
from engine.own_file import Notice


def damaged(what: str) -> Notice:
    return Notice("damaged", what, Path(f"/tmp/{what}.json"))


def test_what_comes_while_the_message_is_read_is_said_with_it(window, qtbot) -> None:
    NOTICES.add(damaged("one"))
    qtbot.waitUntil(lambda: window.notices.is_in_front)
    NOTICES.add(damaged("two"))
    qtbot.waitUntil(lambda: "Two could not be read" in window.messages.message.sentence)
    assert "One could not be read" in window.messages.message.sentence
    assert NOTICES.take() == ()


def test_what_was_put_away_is_not_said_again(window) -> None:
    NOTICES.add(damaged("three"))
    window.notices.tell()
    window.messages.put_away()
    NOTICES.add(damaged("four"))
    window.notices.tell()
    assert "Four could not be read" in window.messages.message.sentence
    assert "Three" not in window.messages.message.sentence


def test_a_document_that_opens_takes_every_other_message_away(window, document) -> None:
    NOTICES.add(damaged("five"))
    window.notices.tell()
    window.set_document(document)
    assert window.notices.is_in_front
    window.messages.show_message(Message("info", "of the document", is_lasting=True))
    assert not window.notices.is_in_front
    window.set_document(None)
    assert window.messages.message is None
