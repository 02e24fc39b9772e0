from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtWidgets import QPushButton

from app.document.recovery import Recoverable
from app.panels.recovery_offer import RecoveryOffer, detail_words


def an_item(name: str = "cat", steps: int = 3) -> Recoverable:
    return Recoverable(name, datetime(2020, 5, 4, 12, 30, tzinfo=UTC), None, steps, Path("nowhere"))


def test_the_offer_says_when_and_how_much(monkeypatch) -> None:
    assert detail_words(an_item()).startswith("04 May")
    assert detail_words(an_item()).endswith(", 3 steps")
    assert detail_words(an_item(steps=1)).endswith(", 1 step")


def test_it_is_hidden_until_there_is_something(qtbot) -> None:
    offer = RecoveryOffer()
    qtbot.addWidget(offer)
    offer.offer([])
    assert offer.isHidden()
    first, second = an_item("cat"), an_item("dog")
    offer.offer([first, second])
    assert not offer.isHidden()
    with qtbot.waitSignal(offer.recover_asked) as asked:
        offer.findChild(QPushButton, "recover_1").click()
    assert asked.args == [second]
    with qtbot.waitSignal(offer.discard_asked) as asked:
        offer.findChild(QPushButton, "discard_0").click()
    offer.remove(second)
    offer.remove(first)
    assert offer.isHidden()
