import os
import signal
import threading
import time

import pytest

from engine.training.stopping import Deadline, stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_interrupts(number):
    before = signal.getsignal(number)
    with stop_on_signals() as asked:
        assert not asked()
        os.kill(os.getpid(), number)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no terminal that hangs up")
def test_a_terminal_that_closes_asks_and_never_interrupts():
    before = signal.getsignal(signal.SIGHUP)
    with stop_on_signals() as asked:
        for _ in range(3):
            signal.raise_signal(signal.SIGHUP)
        assert asked()
    assert signal.getsignal(signal.SIGHUP) is before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no terminal that hangs up")
def test_under_nohup_a_terminal_may_close():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals() as asked:
            signal.raise_signal(signal.SIGHUP)
            assert not asked()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_leave_signals_alone():
    answers = []

    def work():
        with stop_on_signals() as asked:
            answers.append(asked())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert answers == [False]


def test_a_deadline_says_why():
    now = time.monotonic()
    assert Deadline(0.0, now, None)() == ""
    assert Deadline(60.0, now, None)() == ""
    assert Deadline(60.0, now - 61.0, None)() == "time limit"
    assert Deadline(0.0, now, lambda: True)() == "stopped"
