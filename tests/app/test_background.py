import threading

from app.background import Background


def test_the_answer_comes_back_to_the_thread_that_asked(qtbot) -> None:
    background = Background()
    where: list[object] = []
    background.run(
        threading.current_thread,
        lambda worked_on: where.extend((worked_on, threading.current_thread())),
        where.append,
    )
    qtbot.waitUntil(lambda: len(where) == 2)
    assert where[0] is not threading.current_thread()
    assert where[1] is threading.current_thread()
    background.close()


def test_what_is_raised_is_told(qtbot) -> None:
    background = Background()
    told: list[Exception] = []
    background.run(lambda: 1 / 0, lambda _: None, told.append)
    qtbot.waitUntil(lambda: bool(told))
    assert isinstance(told[0], ZeroDivisionError)
    background.close()


def test_nothing_arrives_after_the_end(qtbot) -> None:
    background = Background()
    told: list[object] = []
    started, go_on = threading.Event(), threading.Event()

    def work() -> int:
        started.set()
        go_on.wait(5)
        return 1

    background.run(work, told.append, told.append)
    assert started.wait(5)
    background.close()  # nor does it wait, or the window would stand still while a large file is read
    assert not go_on.is_set()
    go_on.set()
    qtbot.wait(50)
    assert told == []
