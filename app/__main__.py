"""Start of the program, told in order.

0. Leave the current folder off the path for modules: ``python -m`` puts it first, and a ``json.py`` may lie there.
1. Take the words after the command's name. Make sure of Ctrl-C and of the standard streams.
2. Where the words can only be files to open, or there are none, open the window: making the parser would hold it up.
3. Otherwise import the command line: a parser and nothing heavy. Torch, the networks and the pictures wait until a
   command needs them, so ``--help`` answers at once. `app.cli` runs the command and returns an exit code.
4. Whatever was raised becomes one line: bad input exits 2, a fault of ours exits 1 with its traceback in the log,
   Ctrl-C exits 130. A reader that went away (``| head``) is no fault.

Modules are imported where they are needed: until Ctrl-C is heard, it would print a traceback.
"""

import os
import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path[:1] = [] if ROOT in sys.path[1:] else [ROOT]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run one command.

    Args:
        argv: the words after the command's name. None = those of the process, which is then this command's: Ctrl-C and
            standard streams are set for the rest of its life.

    Returns:
        0 done, 1 our fault, 2 bad input or usage, 130 stopped by Ctrl-C.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if argv is None:
            _prepare(words)
        code = _run(words)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  (the last door: every error becomes a line)
        code = _refuse(error, words)
    if argv is None:
        from app.interrupts import stop_listening

        stop_listening()
    return code


def _prepare(words: list[str]) -> None:
    from app import interrupts, streams

    streams.prepare()
    interrupts.listen(words)


def _run(words: list[str]) -> int:
    from pathlib import Path

    if all(map(is_file_name, words)):
        from app.start import run_window

        return run_window([Path(word) for word in words])
    from app.cli import run

    return run(words)


def _refuse(error: BaseException, words: list[str]) -> int:
    from app.console import Console, write_traceback
    from app.errors import BAD_INPUT, INTERRUPTED, explain
    from app.interrupts import is_first_process

    explanation = explain(error)
    if explanation.exit_code not in (BAD_INPUT, INTERRUPTED):
        explanation = explain(error, log_path=write_traceback(error, words))
    if explanation.exit_code != INTERRUPTED or is_first_process():
        Console(is_json="--json" in words).refuse(explanation)
    return explanation.exit_code


def is_file_name(word: str) -> bool:
    """Whether a word can only be a file: it has an ending, and neither commands nor flags do."""
    from pathlib import Path

    return not word.startswith("-") and Path(word).suffix != ""


if __name__ == "__main__":
    sys.exit(main())
