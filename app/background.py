"""Work beside the window: a function on a thread, its answer on the window's thread."""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

THREADS = 2
"""A file being opened does not hold up one being written."""


class Background(QObject):
    """Runs functions beside the window and brings their answers back.

    When the owner goes, answers under way are dropped.
    """

    _arrived = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="background")
        self._is_closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Call ``work`` on a thread, then ``done`` with its answer or ``failed`` with what it raised, here."""

        def call() -> None:
            try:
                answer = work()
            except Exception as error:  # noqa: BLE001  (it is told where the work was asked for)
                self.bring(failed, error)
            else:
                self.bring(done, answer)

        self._threads.submit(call)

    def bring(self, call: Callable[[Any], None], answer: Any) -> None:
        """From any thread: call ``call(answer)`` on the window's thread."""
        if not self._is_closed:
            with contextlib.suppress(RuntimeError):  # the window went in this very moment
                self._arrived.emit(call, answer)

    def close(self) -> None:
        """Drop the answers of what runs. Nobody waits for it: a large file may take seconds to read."""
        self._is_closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)

    @Slot(object, object)
    def _deliver(self, call: Callable[[Any], None], answer: Any) -> None:
        if not self._is_closed:
            call(answer)
