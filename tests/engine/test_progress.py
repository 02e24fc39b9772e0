import pytest

from engine.progress import Cancelled, Steps, stop_if_cancelled


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
