"""A small file of the program's own, which several processes read, change and write back: settings and their kin.

It is JSON, a table with the number of its format; one without is of the first. Nobody reads and writes it but through
this module, so nothing that one process adds is lost to another. What cannot be used, because it is damaged, from a
later version of the program, too long, or not a file at all, is moved aside under a clear name, never overwritten, and
told; of what can be used in part a copy is kept.

Elsewhere: rights and links in private.py, one writer at a time in locking.py, whole or not at all in atomic.py.
"""

import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from engine.atomic import path_error, write_atomically
from engine.bounds import read_json
from engine.errors import EngineError
from engine.locking import locked
from engine.private import open_private, private_folder, read_private

_log = logging.getLogger(__name__)

LIMIT_BYTES = 1 << 20
PATIENCE_S = 1.0
"""For another process that writes: it takes milliseconds, and a window waits meanwhile."""
ASIDE = ".set-aside"
FORMAT = "format"
"""Key of the number of the format."""

Value = TypeVar("Value")
_UNUSABLE = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError)


class NewerError(ValueError):
    """The file is from a later version of the program."""


Code = Literal["damaged", "newer", "in part", "not kept"]
"""What is wrong with a file. In part: the rest holds. Not kept: it cannot be written."""


@dataclass(frozen=True)
class Notice:
    """Something about a file that a person should know."""

    code: Code
    what: str
    """What the file holds, in words: ``the settings``."""
    path: Path
    aside: Path | None = None
    """Where what was there is now; None where it could not be moved and stays, unused."""
    detail: str = ""
    """What the system or the reader said."""


@dataclass(frozen=True)
class Read(Generic[Value]):
    """What was made of the file's content."""

    value: Value
    left_out: str = ""
    """What could not be used, in words; empty where all could."""


class OwnFile(Generic[Value]):
    """One such file.

    Args:
        path: in a folder of the program's own, which is made when something is written.
        what: what it holds, in words, for a `Notice`.
        empty: the value where there is no file.
        version: number of the format; a file of a higher one is not used.
        load: makes the value from plain data without the format; raises `ValueError` or its kin where it cannot.
        dump: makes the table from the value.
        on_notice: told once of everything a person should know; only the log is when left out.
    """

    def __init__(
        self,
        path: Path,
        *,
        what: str,
        empty: Value,
        version: int,
        load: Callable[[Any], Read[Value]],
        dump: Callable[[Value], dict[str, Any]],
        on_notice: Callable[[Notice], None] | None = None,
    ) -> None:
        self.path = path
        self._what, self._empty, self._version = what, empty, version
        self._load, self._dump = load, dump
        self._on_notice = on_notice or (lambda _notice: None)
        self._told: set[Notice] = set()

    def read(self) -> Value:
        """The value; ``empty`` where the file is not there or cannot be used."""
        usable = self._empty
        try:
            found = self._found()
            if not found.left_out:
                return found.value
            usable = found.value
        except (*_UNUSABLE, OSError):
            pass
        try:  # again, and alone: another process may have set it right just now
            private_folder(self.path.parent)
            with locked(self.path.parent, patience_s=PATIENCE_S):
                return self._settled()
        except OSError as error:
            self._tell("not kept", detail=words_of_error(error))
            return usable

    def update(self, change: Callable[[Value], Value]) -> bool:
        """Change what the file says, as it is now, and write it; whether it is written.

        Args:
            change: gets the value and returns another; called while nobody else writes.
        """
        try:
            private_folder(self.path.parent)
            with locked(self.path.parent, patience_s=PATIENCE_S):
                before = self._settled()
                after = change(before)
                if after != before:
                    self._write(after)
        except (OSError, EngineError) as error:  # losing a preference must never stop the work
            self._tell("not kept", detail=words_of_error(error))
            return False
        return True

    def _found(self) -> Read[Value]:
        """What the file says now; raises what `_UNUSABLE` names, or an `OSError`."""
        try:
            data = read_json(read_private(self.path, LIMIT_BYTES), limit_bytes=LIMIT_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return Read(self._empty)
        version = data.pop(FORMAT, self._version) if isinstance(data, dict) else self._version
        if type(version) is not int:
            raise TypeError(f"its {FORMAT} is no number")
        if version > self._version:
            raise NewerError(f"its {FORMAT} is {version}, and {self._version} is known")
        return self._load(data)

    def _settled(self) -> Value:
        """The value, with the file set right where it cannot be used; nobody else writes meanwhile.

        Raises:
            OSError: if what is there can neither be used nor moved: it must not be written over.
        """
        try:
            found = self._found()
        except (*_UNUSABLE, OSError) as error:
            code: Code = "newer" if isinstance(error, NewerError) else "damaged"
            aside = self._aside()
            try:
                os.rename(self.path, aside)
            except OSError:
                self._tell(code, detail=words_of_error(error))
                raise
            self._tell(code, aside, words_of_error(error))
            return self._empty
        if found.left_out:
            aside = self._aside()
            data = read_private(self.path, LIMIT_BYTES)
            with open_private(aside, "xb") as file:
                file.write(data)
            self._write(found.value)
            self._tell("in part", aside, found.left_out)
        return found.value

    def _write(self, value: Value) -> None:
        table = {FORMAT: self._version, **self._dump(value)}
        text = json.dumps(table, indent=1)
        write_atomically(self.path, lambda file: file.write(text.encode()), is_private=True)

    def _aside(self) -> Path:
        """A name that nothing has."""
        number = 1
        while True:
            path = self.path.with_name(f"{self.path.name}{ASIDE}{f'-{number}' if number > 1 else ''}")
            if not os.path.lexists(path):
                return path
            number += 1

    def _tell(self, code: Code, aside: Path | None = None, detail: str = "") -> None:
        notice = Notice(code, self._what, self.path, aside, detail)
        if notice not in self._told:
            self._told.add(notice)
            _log.info("%s: %s: %s", self.path, code, detail)
            self._on_notice(notice)


def words_of_error(error: BaseException) -> str:
    """What is wrong, short enough for a message."""
    if isinstance(error, EngineError):
        return f"there is {error.got}"
    if isinstance(error, OSError):
        return f"there is {path_error('', error).got}"
    return " ".join(str(error).split())[:120] or type(error).__name__
