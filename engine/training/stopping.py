"""End a run from outside: Ctrl-C, SIGTERM, a terminal that closes, a clock, a button. Always after a whole step, with everything saved."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_HANG_UP: signal.Signals | None = getattr(signal, "SIGHUP", None)  # Windows has none


@contextmanager
def stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into a yes of the function that this gives; the second interrupts at once.

    A second SIGHUP does not: a terminal that closes sends several. Under ``nohup`` it is none at all. Outside the main thread signals cannot be caught and the answer stays no.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        del frame
        if asked.is_set() and number != _HANG_UP:
            raise KeyboardInterrupt
        asked.set()

    caught = [signal.SIGINT, signal.SIGTERM]
    if _HANG_UP is not None and signal.getsignal(_HANG_UP) != signal.SIG_IGN:
        caught.append(_HANG_UP)
    before = [signal.signal(number, on_signal) for number in caught]
    try:
        yield asked.is_set
    finally:
        for number, handler in zip(caught, before, strict=True):
            signal.signal(number, handler)


class Deadline:
    """Answers why the run should end now, or with an empty word.

    Args:
        seconds: wall time that the run may take; 0 = no limit.
        started: the monotonic time at which it began.
        should_stop: asked too, if there is one.
    """

    def __init__(self, seconds: float, started: float, should_stop: Callable[[], bool] | None) -> None:
        self._end = started + seconds if seconds > 0 else float("inf")
        self._should_stop = should_stop

    def __call__(self) -> str:
        """``stopped``, ``time limit`` or empty."""
        if self._should_stop is not None and self._should_stop():
            return "stopped"
        return "time limit" if time.monotonic() >= self._end else ""
