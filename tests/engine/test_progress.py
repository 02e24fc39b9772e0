import pytest

from engine.progress import Cancelled, Clock, Steps, stop_if_cancelled


def test_nobody_listening_is_fine():
    steps = Steps(2, None, None)
    steps.begin("edges")
    steps.end("edges")


def test_shares_rise_to_one():
    seen = []
    steps = Steps(4, seen.append, None)
    for word in ("a", "b", "c", "d"):
        steps.begin(word)
        steps.end(word)
    shares = [message.share for message in seen]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert [message.word for message in seen] == ["a", "a", "b", "b", "c", "c", "d", "d"]


def test_a_restart_never_lets_the_share_fall():
    seen = []
    steps = Steps(2, seen.append, None)
    steps.end("edges")
    steps.restart(10)
    steps.end("edges")
    assert [message.share for message in seen] == [0.5, 0.5]


def test_cancel_is_looked_at_before_a_step():
    steps = Steps(2, None, lambda: True)
    with pytest.raises(Cancelled, match="cancelled"):
        steps.begin("edges")


def test_no_request_goes_on():
    stop_if_cancelled(None)
    stop_if_cancelled(lambda: False)


def test_steps_that_were_not_needed_count_as_done():
    seen = []
    steps = Steps(10, seen.append, None)
    steps.catch_up(5)
    steps.begin("fill")
    steps.catch_up(2)
    steps.finish("done")
    assert [message.share for message in seen] == [0.5, 1.0]


def test_a_clock_adds_up_phases():
    clock = Clock()
    for _ in range(2):
        with clock("fill"):
            pass
    seconds = clock.seconds()
    assert list(seconds) == ["fill", "total"]
    assert 0 <= seconds["fill"] <= seconds["total"]
