"""Turn what the command line parser refuses into one line of our own form.

The parser draws panels; a person in a terminal and a script both want one line that says which option, what was
expected and what was there.
"""

import difflib
from types import NoneType
from typing import Literal, get_args, get_origin

from cyclopts import CycloptsError, MissingArgumentError, UnknownCommandError, UnknownOptionError
from cyclopts.exceptions import (
    CoercionError,
    ConsumeMultipleError,
    RepeatArgumentError,
    UnusedCliTokensError,
    ValidationError,
)

from app.errors import UsageError

KINDS = {int: "a whole number", float: "a number", bool: "yes or no"}


def usage_error(error: CycloptsError) -> UsageError:
    """Say in our form what the parser found."""
    command = " ".join(("pentimento", *(error.command_chain or ())))
    see = f"see '{command} --help'"
    if isinstance(error, UnknownCommandError):
        return _unknown_command(error, see)
    if isinstance(error, UnknownOptionError):
        option = (error.token.keyword or error.token.value).split("=", 1)[0]
        known = [name for argument in error.argument_collection for name in argument.names]
        return UsageError(option, f"an option of '{command}'", "an unknown one", _nearest(option, known, see))
    if isinstance(error, ConsumeMultipleError):
        return UsageError(_name_of(error), "at least one value", "none", see)
    if isinstance(error, MissingArgumentError):
        return UsageError(_name_of(error), "a value", "none", see)
    if isinstance(error, CoercionError):
        return UsageError(_name_of(error), _kind_of(error), f"'{_value_of(error)}'", see)
    if isinstance(error, RepeatArgumentError):
        return UsageError(_name_of(error), "the option once", "it twice", see)
    if isinstance(error, UnusedCliTokensError):
        return UsageError(command, "no further words", f"'{' '.join(error.unused_tokens or ())}'", see)
    if isinstance(error, ValidationError) and error.exception_message:
        return UsageError(_name_of(error), error.exception_message, f"'{_value_of(error)}'", see)
    error.verbose = False
    return UsageError(command, "words it knows", " ".join(str(error).split()).rstrip("."), see)


def unknown_command(word: str, known: list[str], command: str = "pentimento") -> UsageError:
    """The error for a word that is no command."""
    hint = _nearest(word, known, f"see '{command} --help'")
    return UsageError("command", f"one of {', '.join(sorted(known))}", f"'{word}'", hint)


def _unknown_command(error: UnknownCommandError, see: str) -> UsageError:
    word = (error.unused_tokens or ["nothing"])[0]
    known = [name for name in (error.app or ()) if not name.startswith("-")]
    return UsageError(
        "command", f"one of {', '.join(sorted(known))}", f"'{word}'", _nearest(word, known, see)
    )


def _nearest(word: str, known: list[str], see: str) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else see


def _name_of(error: CycloptsError) -> str:
    token = getattr(error, "token", None)
    if token is not None and token.keyword:
        return token.keyword
    return error.argument.name if error.argument is not None else "command line"


def _value_of(error: CycloptsError) -> str:
    token = getattr(error, "token", None)
    if token is None and error.argument is not None and error.argument.tokens:
        token = error.argument.tokens[0]
    return token.value if token is not None else ""


def _kind_of(error: CoercionError) -> str:
    if error.argument is not None and error.argument.parameter.metavar:
        return error.argument.parameter.metavar
    target = error.target_type
    if NoneType in get_args(target):  # an option that may be left out
        target = next(one for one in get_args(target) if one is not NoneType)
    if get_origin(target) is Literal:
        return f"one of {', '.join(str(choice) for choice in get_args(target))}"
    return KINDS.get(target, getattr(target, "__name__", str(target)))
