"""A window into a running Qt program, for tests: answers questions over a socket, on the thread of the window.

Python imports this by itself at its start when the folder is on PYTHONPATH, so the program under test runs as it always
does, without a line for tests in it. Only a process that is told a socket's path in PENTIMENTO_TEST_PROBE listens, and it
hides the variable from its children.

One question a connection: Python source that ends in an expression; one answer: its value as JSON, or the traceback.
The names ``app``, ``window`` and ``widget(name)`` are there; what a question assigns stays for later ones. Events of the
mouse and the keyboard are never made here: they come from the X server.
"""

import ast
import contextlib
import json
import os
import socket
import sys
import threading
import time
import traceback
from typing import Any

VARIABLE = "PENTIMENTO_TEST_PROBE"
ANSWER_WITHIN_S = 60.0
BEAT_MS = 5
STALL_S = 0.1
STALLS_KEPT = 200


class Probe:
    """Listens on a thread, works on the window's."""

    def __init__(self, path: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(4)
        self._names: dict[str, Any] = {}
        self._caller: Any = None
        threading.Thread(target=self._serve, name="test-probe", daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                try:
                    answer = self._answer(read_all(connection))
                except Exception:  # noqa: BLE001  (a question too early, while Qt is being imported)
                    answer = {"wait": traceback.format_exc()}
                with contextlib.suppress(OSError):  # the test went away; the program goes on
                    connection.sendall(json.dumps(answer).encode())

    def _answer(self, source: str) -> dict[str, Any]:
        widgets = sys.modules.get("PySide6.QtWidgets")
        kind = getattr(widgets, "QApplication", None)
        app = kind.instance() if kind is not None else None
        if app is None:
            return {"wait": "the program has no application yet"}
        if self._caller is None:
            self._caller = self._make_caller(app)
        done = threading.Event()
        answer: dict[str, Any] = {}

        def work() -> None:
            try:
                answer["value"] = json.loads(json.dumps(self._evaluate(source, app), default=plain))
            except Exception:  # noqa: BLE001  (the test reads it)
                answer["error"] = traceback.format_exc()
            done.set()

        self._caller.call.emit(work)
        if not done.wait(ANSWER_WITHIN_S):
            return {"error": f"the window did not answer within {ANSWER_WITHIN_S:g} s: it hangs"}
        return answer

    def _make_caller(self, app: Any) -> Any:
        from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

        class Caller(QObject):
            """Runs a function on the window's thread, and feels how long that thread was away.

            Two clocks: the wall's, and the thread's own, which stands while other programs have the processor.
            """

            call = Signal(object)

            def __init__(self) -> None:
                super().__init__()
                self.longest_gap_s = 0.0
                self.longest_busy_s = 0.0
                """Of the thread's own time between two turns of the event loop."""
                self.stalls: list[list[Any]] = []
                """[own seconds, seconds, stack]: what the window's thread was at, each time it was long busy."""
                self._last_s = 0.0
                self._last_busy_s = 0.0
                self.moveToThread(app.thread())
                self.call.connect(self.run, Qt.ConnectionType.QueuedConnection)

            @Slot(object)
            def run(self, work: Any) -> None:
                work()

            def start_beat(self) -> None:
                self.timer = QTimer()
                self.timer.setTimerType(Qt.TimerType.PreciseTimer)
                self.timer.timeout.connect(self.beat)
                self._last_s, self._last_busy_s = time.perf_counter(), time.thread_time()
                self.forget()
                self.timer.start(BEAT_MS)
                window_thread = threading.get_ident()
                threading.Thread(
                    target=self._watch, args=(window_thread,), name="test-watch", daemon=True
                ).start()

            def forget(self) -> None:
                self.longest_gap_s = self.longest_busy_s = 0.0

            def _watch(self, window_thread: int) -> None:
                """Note where the window's thread is while it does not come back to its events."""
                clock = time.pthread_getcpuclockid(window_thread)
                noted_s = 0.0
                while True:
                    time.sleep(STALL_S / 4)
                    last_s, last_busy_s = self._last_s, self._last_busy_s
                    busy_s = time.clock_gettime(clock) - last_busy_s
                    away_s = time.perf_counter() - last_s
                    if busy_s < STALL_S or last_s != self._last_s:
                        continue
                    stack = "".join(traceback.format_stack(sys._current_frames()[window_thread])[-8:])
                    if last_s == noted_s:
                        self.stalls[-1] = [busy_s, away_s, stack]
                    elif len(self.stalls) < STALLS_KEPT:
                        noted_s = last_s
                        self.stalls.append([busy_s, away_s, stack])

            def beat(self) -> None:
                now_s, busy_s = time.perf_counter(), time.thread_time()
                self.longest_gap_s = max(self.longest_gap_s, now_s - self._last_s)
                self.longest_busy_s = max(self.longest_busy_s, busy_s - self._last_busy_s)
                self._last_s, self._last_busy_s = now_s, busy_s

        return Caller()

    def _evaluate(self, source: str, app: Any) -> Any:
        from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

        tops = [top for top in QApplication.topLevelWidgets() if isinstance(top, QWidget) and top.isVisible()]
        mains = [top for top in tops if isinstance(top, QMainWindow)]
        active = QApplication.activeWindow()
        window = active if active in mains else (mains or tops or [None])[0]

        def widget(name: str) -> Any:
            found = [top for top in tops if top.objectName() == name]
            for top in ([window] if window is not None else []) + tops:
                found += top.findChildren(QWidget, name)
            if not found:
                raise LookupError(f"no widget is named {name!r}")
            return next((one for one in found if one.isVisible()), found[0])

        self._names.update(app=app, window=window, widget=widget, probe=self._caller, sys=sys)
        tree = ast.parse(source)
        *before, last = tree.body
        exec(compile(ast.Module(before, []), "<probe>", "exec"), self._names)  # noqa: S102
        if not isinstance(last, ast.Expr):
            exec(compile(ast.Module([last], []), "<probe>", "exec"), self._names)  # noqa: S102
            return None
        return eval(compile(ast.Expression(last.value), "<probe>", "eval"), self._names)  # noqa: S307


def read_all(connection: socket.socket) -> str:
    """What the other side says until it closes its end."""
    return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def plain(value: Any) -> Any:
    """What JSON does not know, in its terms."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return repr(value)


_path = os.environ.pop(VARIABLE, "")
if _path:
    Probe(_path)
