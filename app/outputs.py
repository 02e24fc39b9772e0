"""Look at a result's place before the long work, so that a wrong one costs a moment and not minutes."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from app.errors import OutputError
from engine.atomic import path_error


def check_output(path: Path, option: str, *, endings: frozenset[str]) -> None:
    """Refuse a place that cannot take a file.

    Args:
        path: where the file is to go.
        option: the option that named it, for the message.
        endings: file name endings that can be written, lower case with the dot.

    Raises:
        OutputError: if the ending is unknown, the folder is missing or cannot be written to, a folder has the name, or
            the name leads nowhere: too long, or a link to itself.
    """
    if path.suffix.lower() not in endings:
        known = ", ".join(sorted(endings))
        raise OutputError(
            option, f"a file ending in one of {known}", f"'{path.name}'", "the ending says the format"
        )
    _check_name(path, option)
    if path.is_dir():
        raise OutputError(option, "a file", f"the folder {path}", "add a file name")
    check_folder(path.parent, option)


def check_folder(folder: Path, option: str) -> None:
    """Refuse a folder that is not there or cannot be written to.

    Raises:
        OutputError: in either case.
    """
    _check_name(folder, option)
    if not folder.is_dir():
        raise OutputError(option, "a folder that exists", f"'{folder}'", "make the folder first")
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".pentimento-"):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            option, "a folder that can be written to", f"'{folder}' ({reason})", "choose another place"
        ) from error


def _check_name(path: Path, option: str) -> None:
    """Refuse a name that the system cannot follow; one that is not there yet, or lies in no folder, is another matter."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        told = path_error(path, error)
        raise OutputError(option, told.expected, f"'{path}': {told.got}", told.hint) from error
    except ValueError as error:
        raise OutputError(option, "a file name", f"{str(path)!r}", "leave the zero byte out") from error


def check_distinct(path: Path | None, option: str, others: Mapping[str, Path | None]) -> None:
    """Refuse a result that would overwrite another file of the same command.

    Args:
        path: where the result is to go; None where it was not asked for.
        option: the option that named it.
        others: the other files by their option; None where one was not given.

    Raises:
        OutputError: naming both options.
    """
    for other, taken in others.items():
        # not Path.resolve, which raises on a link to itself (Python before 3.13); what reads the file tells that
        if path is not None and taken is not None and os.path.realpath(path) == os.path.realpath(taken):
            hint = "one would overwrite the other"
            raise OutputError(option, f"another file than {other}", f"'{path}'", hint)
