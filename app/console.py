"""What the command line says, and where: results to stdout, progress, notes and errors to stderr.

Three ways to speak. Plain: a line for each result, a progress bar where stderr is a terminal. ``--quiet``: nothing but
errors. ``--json``: one object on stdout and nothing else there.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from app.errors import Explanation, OutputError

LOG_VARIABLE = "PENTIMENTO_LOG"
"""Names the file for tracebacks in place of the one in the user's log folder."""


class Console:
    """One command's voice.

    Args:
        is_json: one JSON object on stdout instead of lines.
        is_quiet: no lines, no notes, no progress; errors remain.
    """

    def __init__(self, *, is_json: bool = False, is_quiet: bool = False) -> None:
        self.is_json = is_json
        self.is_quiet = is_quiet

    @property
    def has_progress(self) -> bool:
        """Whether a progress bar has somebody to look at it."""
        return not self.is_quiet and sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Write a line of the result, where lines are wanted."""
        if not self.is_json and not self.is_quiet:
            sys.stdout.write(_printable(text) + "\n")
            sys.stdout.flush()

    def note(self, text: str) -> None:
        """Write something worth knowing that is not an error."""
        if not self.is_quiet:
            sys.stderr.write(" ".join(f"note: {text}".split()) + "\n")

    def answer(self, values: Mapping[str, Any]) -> None:
        """Write the JSON object of the command, if one is wanted."""
        if self.is_json:
            is_ascii = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
            sys.stdout.write(_printable(json.dumps(values, ensure_ascii=is_ascii, default=str)) + "\n")
            sys.stdout.flush()

    def refuse(self, explanation: Explanation) -> None:
        """Write the one line of an error, and the JSON object that says the same."""
        sys.stderr.write(f"error: {explanation.line}\n")
        with suppress(OutputError):  # of two errors the first one is told
            self.answer({"error": explanation.as_json()})

    @contextmanager
    def progress(self, title: str) -> Iterator[Callable[[float, str], None]]:
        """Show a bar while work goes on; yields a function of share in [0, 1] and a word.

        Without a terminal, or under ``--quiet``, the function does nothing.
        """
        if not self.has_progress:
            yield lambda _share, _word: None
            return
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[word]}"))
        with Progress(*columns, TimeElapsedColumn(), console=RichConsole(stderr=True), transient=True) as bar:
            task = bar.add_task(title, total=1.0, word="")
            yield lambda share, word: bar.update(task, completed=share, word=word)


def log_path() -> Path:
    """Where tracebacks of our own faults go: the user's log folder, or ``PENTIMENTO_LOG``."""
    named = os.environ.get(LOG_VARIABLE)
    if named:
        return Path(named)
    from engine.folders import of_system

    return of_system("log") / "pentimento.log"


def write_traceback(error: BaseException, words: list[str]) -> Path | None:
    """Add a traceback to the log.

    Args:
        error: what was raised.
        words: the command line that led there.

    Returns:
        The log's path, or None where it cannot be written: losing the log must not hide the fault.
    """
    path = log_path()
    text = f"{datetime.now().astimezone().isoformat(timespec='seconds')} pentimento {words}\n"
    text += "".join(traceback.format_exception(error)) + "\n"
    try:
        with _open_log(path) as log:
            log.write(text.encode(errors="backslashreplace"))
    except OSError:
        return None
    return path


def _open_log(path: Path) -> IO[bytes]:
    """Open the log to add to it, for its owner alone; what the user named may be a link, or a device."""
    from engine.private import open_private, private_folder

    if not os.environ.get(LOG_VARIABLE):
        private_folder(path.parent)
        return open_private(path, "ab")
    path = Path(os.path.realpath(path))
    if not path.parent.is_dir():
        private_folder(path.parent)
    return path.open("ab") if path.exists() and not path.is_file() else open_private(path, "ab")


def _printable(text: str) -> str:
    """A file's name may hold bytes that are no letters, which Python keeps as halves of letters; these are spelt out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
