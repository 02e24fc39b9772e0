"""When to write what is learned so far: every few seconds, but never for more than a small share of the time."""

import time
from collections.abc import Callable

_SHARE = 0.05  # of the time that snapshots may take


class Snapshots:
    """Calls a function from time to time.

    Args:
        seconds: at least so long between two calls; 0 = never.
        write: the function.
        clock: seconds that go on steadily.
    """

    def __init__(
        self, seconds: float, write: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds, self._write, self._clock = seconds, write, clock
        self._next = clock() + seconds

    def look(self) -> None:
        """Call it if it is time; told after every step."""
        started = self._clock()
        if self._seconds <= 0 or started < self._next:
            return
        self._write()
        ended = self._clock()
        self._next = ended + max(self._seconds, (ended - started) / _SHARE)
