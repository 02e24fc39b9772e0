from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from app.document.recovery import Recoverable
from app.main_window import MainWindow
from app.panels.recovery_offer import RecoveryOffer
from app.panels.recovery_row import ROW_PX


def an_item(name: str = "cat", **options) -> Recoverable:
    return Recoverable(name, None, None, 3, Path("nowhere"), **options)


@pytest.fixture
def offer(qtbot) -> RecoveryOffer:
    made = RecoveryOffer()
    qtbot.addWidget(made)
    made.resize(640, 300)
    return made


def button(offer, name: str) -> QPushButton:
    return offer.findChild(QPushButton, name)


def test_it_is_hidden_until_there_is_something(offer) -> None:
    offer.offer([])
    assert offer.isHidden()
    offer.offer([an_item()])
    assert not offer.isHidden()


def test_each_button_asks_for_its_own_row(offer, qtbot) -> None:
    first, second = an_item("cat"), an_item("dog")
    offer.offer([first, second])
    offer.show()
    with qtbot.waitSignal(offer.recover_asked) as asked:
        button(offer, "recover_1").click()
    assert asked.args == [second]
    with qtbot.waitSignal(offer.discard_asked) as asked:
        button(offer, "discard_0").click()
    assert asked.args == [first]
    offer.set_state(first, "discarded")
    with qtbot.waitSignal(offer.undo_asked) as asked:
        button(offer, "undo_discard_0").click()
    assert asked.args == [first]


def test_no_row_moves_whatever_becomes_of_another(offer, qtbot) -> None:
    items = [an_item(name) for name in ("cat", "dog", "cow")]
    offer.offer(items)
    offer.show()
    qtbot.waitUntil(lambda: button(offer, "recover_2").height() > 0)
    places = [
        button(offer, f"recover_{index}").mapTo(offer, button(offer, "recover_0").pos()) for index in (1, 2)
    ]
    for state in ("discarded", "offered", "recovering", "failed", "kept", "recovered"):
        offer.set_state(items[0], state)
        qtbot.wait(1)
        now = [
            button(offer, f"recover_{index}").mapTo(offer, button(offer, "recover_0").pos())
            for index in (1, 2)
        ]
        assert now == places
    assert offer.items == tuple(items)


def test_a_double_click_on_discard_meets_nothing_else(offer, qtbot) -> None:
    items = [an_item(name) for name in ("cat", "dog")]
    asked: list = []
    for signal in (offer.recover_asked, offer.discard_asked, offer.undo_asked):
        signal.connect(asked.append)
    offer.discard_asked.connect(lambda item: offer.set_state(item, "discarded"))
    offer.offer(items)
    offer.show()
    place = button(offer, "discard_0").mapTo(offer, button(offer, "discard_0").rect().center())
    for _ in range(3):
        under = offer.childAt(place)
        qtbot.mouseClick(under, Qt.MouseButton.LeftButton, pos=under.mapFrom(offer, place))
    assert asked == [items[0]]


def test_it_goes_when_everything_is_back_and_stays_while_something_can_be_undone(offer) -> None:
    items = [an_item(name) for name in ("cat", "dog")]
    offer.offer(items)
    offer.set_state(items[0], "recovered")
    offer.set_state(items[1], "discarded")
    assert not offer.isHidden()
    offer.set_state(items[1], "offered")
    offer.set_state(items[1], "recovered")
    assert offer.isHidden()
    assert offer.items == ()


def test_what_cannot_be_brought_back_can_only_be_discarded(offer) -> None:
    offer.offer([an_item(damage=frozenset({"start"}))])
    assert not button(offer, "recover_0").isEnabled()
    assert button(offer, "discard_0").isEnabled()


def test_many_rows_are_scrolled_and_three_are_seen(offer) -> None:
    offer.offer([an_item(str(number)) for number in range(9)])
    assert offer._scroll.height() == 3 * ROW_PX
    offer.offer([an_item()])
    assert offer._scroll.height() == ROW_PX


@pytest.mark.usefixtures("qapp")
def test_three_rows_fit_a_window_of_1024_by_700(window: MainWindow, qtbot) -> None:
    window.resize(1024, 700)
    window.recovery.offer([an_item(name, damage=frozenset({"steps"})) for name in ("cat", "dog", "cow")])
    qtbot.wait(20)
    assert (window.width(), window.height()) == (1024, 700)
    for index in range(3):
        for name in ("recover", "discard"):
            found = button(window, f"{name}_{index}")
            assert found.visibleRegion().boundingRect() == found.rect(), "all of it is seen"
