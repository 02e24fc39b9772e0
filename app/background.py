"""Work beside the window: a function on a thread, its answer on the window's thread."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal, Slot


class Background(QObject):
    """Runs functions beside the window and brings their answers back in order of arrival.

    When the owner goes, answers under way are dropped.
    """

    _arrived = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(2)
        self._is_closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Call ``work`` on a thread, then ``done`` with its answer or ``failed`` with what it raised, here."""
        self._pool.start(_Run(self, work, done, failed))

    def bring(self, call: Callable[[Any], None], answer: Any) -> None:
        """From any thread: call ``call(answer)`` on the window's thread."""
        if not self._is_closed:
            self._arrived.emit(call, answer)

    def close(self) -> None:
        """Wait for what runs, and drop its answers."""
        self._is_closed = True
        self._pool.waitForDone()

    @Slot(object, object)
    def _deliver(self, call: Callable[[Any], None], answer: Any) -> None:
        if not self._is_closed:
            call(answer)


class _Run(QRunnable):
    def __init__(
        self,
        owner: Background,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        super().__init__()
        self._owner, self._work, self._done, self._failed = owner, work, done, failed

    def run(self) -> None:
        try:
            answer = self._work()
        except Exception as error:  # noqa: BLE001  (it is told where the work was asked for)
            self._owner.bring(self._failed, error)
        else:
            self._owner.bring(self._done, answer)
