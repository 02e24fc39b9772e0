"""Ctrl-C, from the first moment of a command to its last.

While modules are imported nothing has been done that could be lost, and an exception there may be swallowed by a
library or reported as a broken installation: the process says its line and leaves at once. So it does where Python
would only mention the exception, as in a destructor. Anywhere else Ctrl-C is a `KeyboardInterrupt`, so that what is half
written is removed. Commands that save when they are stopped have handlers of their own while they run.

For a process as a whole, once, at its start. Of several processes of one training the first one speaks.
"""

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, NoReturn

from app.errors import explain

_IMPORTING = "<frozen importlib._bootstrap>"


def listen(words: Sequence[str]) -> None:
    """Take Ctrl-C from now on; after `app.streams.prepare`.

    Args:
        words: the command line; with ``--json`` the error is told on standard output too.
    """
    explanation = explain(KeyboardInterrupt())
    texts = {sys.stderr.fileno(): f"error: {explanation.line}\n"}
    if "--json" in words:
        import json

        texts[sys.stdout.fileno()] = json.dumps({"error": explanation.as_json()}) + "\n"

    def leave() -> NoReturn:
        for number, text in texts.items() if is_first_process() else ():
            try:
                os.write(number, text.encode())
            except OSError:
                continue  # nobody listens
        os._exit(explanation.exit_code)

    def heard(_signal: int, frame: FrameType | None) -> None:
        if _is_importing(frame):
            leave()
        raise KeyboardInterrupt

    tell_before = sys.unraisablehook

    def tell(unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            leave()
        tell_before(unraisable)

    sys.unraisablehook = tell
    signal.signal(signal.SIGINT, heard)


def stop_listening() -> None:
    """The command has its exit code; what is left takes no time, and must not change it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def is_first_process() -> bool:
    """Whether this is the process that speaks; the others of a training have a rank above 0."""
    return all(os.environ.get(key, "0") == "0" for key in ("RANK", "LOCAL_RANK", "NODE_RANK"))


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == _IMPORTING:
            return True
        frame = frame.f_back
    return False
