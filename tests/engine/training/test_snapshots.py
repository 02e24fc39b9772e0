from engine.training.snapshots import Snapshots


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_snapshots_come_after_so_many_seconds_and_take_a_small_share_of_the_time():
    clock, written = Clock(), []

    def write():
        written.append(clock.now)
        clock.now += 1.0

    snapshots = Snapshots(5.0, write, clock)
    for _ in range(200):
        snapshots.look()
        clock.now += 0.5
    assert written[0] == 105.0
    assert written[1] - written[0] == 21.0  # a second each: twenty of learning come between
    assert 3 <= len(written) <= 6


def test_without_seconds_there_are_none():
    clock, written = Clock(), []
    snapshots = Snapshots(0.0, lambda: written.append(0), clock)
    clock.now += 1e6
    snapshots.look()
    assert written == []
