"""Look at a result's place before the long work, so that a wrong one costs a moment and not minutes."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from app.errors import OutputError


def check_output(path: Path, option: str, *, endings: frozenset[str]) -> None:
    """Refuse a place that cannot take a file.

    Args:
        path: where the file is to go.
        option: the option that named it, for the message.
        endings: file name endings that can be written, lower case with the dot.

    Raises:
        OutputError: if the ending is unknown, the folder is missing or cannot be written to, or a folder has the name.
    """
    if path.suffix.lower() not in endings:
        known = ", ".join(sorted(endings))
        raise OutputError(
            option, f"a file ending in one of {known}", f"'{path.name}'", "the ending says the format"
        )
    if path.is_dir():
        raise OutputError(option, "a file", f"the folder {path}", "add a file name")
    check_folder(path.parent, option)


def check_folder(folder: Path, option: str) -> None:
    """Refuse a folder that is not there or cannot be written to.

    Raises:
        OutputError: in either case.
    """
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
        if path is not None and taken is not None and path.resolve() == taken.resolve():
            hint = "one would overwrite the other"
            raise OutputError(option, f"another file than {other}", f"'{path}'", hint)
