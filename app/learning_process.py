"""A child process that learns a picture: what it says, and how it is asked to end.

It is asked by closing its standard input, which also happens when this process is killed: a child that learns is never
left behind. It saves before it leaves; nobody has to wait for that.

Elsewhere: the child's side in learning_child.py.
"""

import json
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.learning_runs import LOG_NAME
from engine.private import open_private
from engine.python_process import start

MODULE = "app.learning_child"


class LearningProcess:
    """Starts at once.

    Args:
        words: for the child's command line.
        folder: of the run; the child's own errors are written there.
        heard: called on another thread with each line the child says.
        ended: called there when it is gone, with its exit code.
        module: whose ``main`` is run.

    Raises:
        OSError: if it cannot be started.
    """

    def __init__(
        self,
        words: Sequence[str],
        folder: Path,
        heard: Callable[[dict[str, Any]], None],
        ended: Callable[[int], None],
        module: str = MODULE,
    ) -> None:
        with open_private(folder / LOG_NAME, "ab") as log:
            self._process = start(
                module,
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={"PYTHONUNBUFFERED": "1"},
                umask=0o077,  # what is learned shows the picture: it is for its owner alone
            )
        self._heard, self._ended = heard, ended
        self._thread = threading.Thread(target=self._read, name="learning", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Of the child."""
        return self._process.pid

    def tell(self, word: str) -> None:
        """Say a word to the child; one that is gone hears nothing."""
        with suppress(OSError, ValueError):
            assert self._process.stdin is not None, "a pipe, see above"
            self._process.stdin.write(f"{word}\n".encode())
            self._process.stdin.flush()

    def leave(self) -> None:
        """Ask it to save and end."""
        with suppress(OSError, ValueError):
            assert self._process.stdin is not None, "a pipe, see above"
            self._process.stdin.close()

    def join(self, seconds: float) -> bool:
        """Wait for its end; whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _read(self) -> None:
        assert self._process.stdout is not None, "a pipe, see above"
        with self._process.stdout as lines:
            for line in lines:
                try:
                    said = json.loads(line)
                except ValueError:
                    continue  # a library may print
                if isinstance(said, dict):
                    self._heard(said)
        code = self._process.wait()
        self.leave()
        self._ended(code)
