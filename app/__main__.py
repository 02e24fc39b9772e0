"""Start of the program, told in order.

1. Take the words after the command's name.
2. Import the command line: a parser and nothing heavy. Torch, the networks and the pictures wait until a command
   needs them, so ``--help`` answers at once.
3. Let `app.cli` run the command; it returns an exit code.
4. Whatever was raised becomes one line: bad input exits 2, a fault of ours exits 1 with its traceback in the log,
   Ctrl-C exits 130. A reader that went away (``| head``) is no fault.
"""

import os
import sys
from collections.abc import Sequence

from app.console import Console, write_traceback
from app.errors import BAD_INPUT, INTERRUPTED, OUR_FAULT, explain


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the words after the command's name; those of the process if None.

    Returns:
        0 done, 1 our fault, 2 bad input or usage, 130 stopped by Ctrl-C.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    console = Console(is_json="--json" in words)
    try:
        from app.cli import run

        return run(words)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OUR_FAULT
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  (the last door: every error becomes a line)
        explanation = explain(error)
        if explanation.exit_code not in (BAD_INPUT, INTERRUPTED):
            explanation = explain(error, log_path=write_traceback(error, words))
        console.refuse(explanation)
        return explanation.exit_code


if __name__ == "__main__":
    sys.exit(main())
