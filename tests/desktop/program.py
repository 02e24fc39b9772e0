"""The program under test: started as a user starts it, watched through the probe, ended politely or not at all.

The probe (probe/sitecustomize.py) only answers questions: where a widget is on the screen, what the document holds.
Whatever the program is made to do comes from the X server, through screen.py.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.desktop.screen import Point, Screen

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SYSTEM_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
COMMAND = (sys.executable, "-m", "app")


class ProbeError(Exception):
    """The program could not answer a question; the message is its own traceback."""


@dataclass(frozen=True)
class Rect:
    """A widget on the screen."""

    x: float
    y: float
    width: float
    height: float

    def at(self, share_x: float = 0.5, share_y: float = 0.5) -> Point:
        """A point in it by its share of width and height; the middle if none is named."""
        return self.x + self.width * share_x, self.y + self.height * share_y

    @property
    def box_xyxy(self) -> tuple[int, int, int, int]:
        """For cutting it out of a picture of the screen."""
        return int(self.x), int(self.y), int(self.x + self.width), int(self.y + self.height)


class Program:
    """One run of the program on a screen.

    Args:
        screen: where it comes up.
        home: its settings, journals, caches and log; the same folder again is the same user again.
        words: what follows the command, such as files.
        command: what is started; the program if left out.
        extra: more environment.
    """

    def __init__(
        self,
        screen: Screen,
        home: Path,
        words: Sequence[object] = (),
        *,
        command: Sequence[object] = COMMAND,
        extra: dict[str, str] | None = None,
    ) -> None:
        self.screen = screen
        self.home = home
        self._socket = home / f"probe-{time.monotonic_ns()}"
        self.output_path = home / "output.log"
        home.mkdir(parents=True, exist_ok=True)
        environment = screen.environment | isolation(home) | (extra or {})
        environment["PENTIMENTO_TEST_PROBE"] = str(self._socket)
        environment["PYTHONPATH"] = os.pathsep.join([str(HERE / "probe"), str(ROOT)])
        with self.output_path.open("ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in (*command, *words)],
                env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=home,
            )  # fmt: skip

    def ask(self, source: str) -> Any:
        """Value of the expression that ends ``source``, on the window's thread.

        Raises:
            ProbeError: with the program's traceback.
        """
        answer = self._ask(source)
        if "value" in answer:
            return answer["value"]
        raise ProbeError(answer.get("error") or answer.get("wait") or "no answer")

    def wait_for(self, source: str, timeout_s: float = 30, *, is_right: Callable[[Any], bool] = bool) -> Any:
        """Ask again and again until the answer is right; give it.

        Raises:
            TimeoutError: with the last answer, and with what the program printed.
        """
        until = time.monotonic() + timeout_s
        last: object = "none"
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise ProbeError(f"the program ended with {self.process.returncode}: {self.output[-4000:]}")
            try:
                last = self.ask(source)
                if is_right(last):
                    return last
            except ProbeError as error:
                last = error
            time.sleep(0.05)
        raise TimeoutError(f"{source!r} within {timeout_s:g} s, last answer: {last}\n{self.output[-2000:]}")

    def rect(self, name: str) -> Rect:
        """Where the widget with this object name is on the screen."""
        return Rect(
            *self.ask(
                f"w = widget({name!r}); from PySide6.QtCore import QPoint\n"
                "assert w.isVisible(), w.objectName() + ' is not visible'\n"
                "p = w.mapToGlobal(QPoint(0, 0)); [p.x(), p.y(), w.width(), w.height()]"
            )
        )

    @property
    def output(self) -> str:
        """All it printed, of all runs in this home."""
        return self.output_path.read_text(errors="replace")

    @property
    def log(self) -> str:
        """Its log file; empty if it wrote none."""
        path = self.home / "pentimento.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def children(self) -> list[int]:
        """Process ids of its children and theirs."""
        return descendants(self.process.pid)

    def resident_bytes(self) -> int:
        """Memory of the process alone, without its children."""
        return resident_bytes(self.process.pid)

    def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is tidied."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def close(self) -> None:
        """End it whatever state it is in."""
        if self.is_running:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _ask(self, source: str) -> dict[str, Any]:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(90)
                connection.connect(str(self._socket))
                connection.sendall(source.encode())
                connection.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: connection.recv(65536), b""))
        except OSError as error:
            return {"wait": f"the program does not listen: {error}"}
        return json.loads(answer) if answer else {"wait": "the program went away"}


def isolation(home: Path) -> dict[str, str]:
    """Environment in which a program reads and writes nothing of the user's."""
    folders = {variable: str(home / variable.lower()) for variable in SYSTEM_FOLDERS}
    for folder in folders.values():
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    return folders | {
        "HOME": str(home),
        "PENTIMENTO_HOME": str(home / "pentimento"),
        "PENTIMENTO_WEIGHTS": str(home / "weights"),
        "PENTIMENTO_LOG": str(home / "pentimento.log"),
        "PYTHONUNBUFFERED": "1",
    }


def descendants(pid: int) -> list[int]:
    """Process ids below one, from /proc."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def resident_bytes(pid: int) -> int:
    """Resident memory of one process, from /proc."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def memory_parts(pid: int) -> dict[str, int]:
    """Resident memory of one process by kind, in bytes: its own (``anon``), shared with another, and files.

    All are 0 of one that has ended and is not yet buried.
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    held = {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss")}
    names = {"anon": "RssAnon", "shared": "RssShmem", "files": "RssFile"}
    return {kind: held.get(name, 0) for kind, name in names.items()}
