"""Start of the program, told in order.

0. Leave the current folder off the path for modules: ``python -m`` puts it first, and a ``json.py`` may lie there.
1. Take the words after the command's name, and give our own lines a way to the screen that no library is silenced on.
2. Where they can only be files to open, or there are none, open the window: making the parser would hold it up.
3. Otherwise import the command line: a parser and nothing heavy. Torch, the networks and the pictures wait until a
   command needs them, so ``--help`` answers at once. `app.cli` runs the command and returns an exit code.
4. Whatever was raised becomes one line: bad input exits 2, a fault of ours exits 1 with its traceback in the log,
   Ctrl-C exits 130. A reader that went away (``| head``) is no fault.
"""

import os
import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path[:1] = [] if ROOT in sys.path[1:] else [ROOT]

from collections.abc import Sequence
from pathlib import Path

from app.errors import BAD_INPUT, INTERRUPTED, OUR_FAULT, explain
from engine.quiet import keep_own_lines


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after the command's name; those of the process if None.

    Returns:
        0 done, 1 our fault, 2 bad input or usage, 130 stopped by Ctrl-C.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        keep_own_lines()
    try:
        if all(map(is_file_name, words)):
            from app.start import run_window

            return run_window([Path(word) for word in words])
        from app.cli import run

        return run(words)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OUR_FAULT
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  (the last door: every error becomes a line)
        from app.console import Console, write_traceback

        explanation = explain(error)
        if explanation.exit_code not in (BAD_INPUT, INTERRUPTED):
            explanation = explain(error, log_path=write_traceback(error, words))
        Console(is_json="--json" in words).refuse(explanation)
        return explanation.exit_code


def is_file_name(word: str) -> bool:
    """Whether a word can only be a file: it has an ending, and neither commands nor flags do."""
    return not word.startswith("-") and Path(word).suffix != ""


if __name__ == "__main__":
    sys.exit(main())
