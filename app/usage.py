"""Turn what the command line parser refuses into one line of our own form.

The parser draws panels; a person in a terminal and a script both want one line that says which option, what was
expected and what was there.
"""

import difflib
from collections.abc import Sequence
from pathlib import Path
from types import NoneType
from typing import Literal, get_args, get_origin

from cyclopts import App, CycloptsError, MissingArgumentError, UnknownCommandError, UnknownOptionError
from cyclopts.exceptions import (
    CoercionError,
    ConsumeMultipleError,
    RepeatArgumentError,
    UnusedCliTokensError,
    ValidationError,
)

from app.errors import BAD_INPUT, UsageError, explain

KINDS = {int: "a whole number", float: "a number", bool: "yes or no"}


OPTIONS = {
    "corners_xy": ("--corners",),
    "features": ("--perceptual", "--features"),
    "from_weights": ("--from",),
    "parts": ("--part",),
    "target_hw": ("--target",),
    "target_size_hw": ("--size", "--scale"),
    "time_limit_minutes": ("--time-limit",),
    "weights": ("--weights", "--from"),
}
"""How a field is said on the command line, where that is not its name with hyphens."""


def usage_error(error: CycloptsError, app: App, words: Sequence[str]) -> UsageError:
    """Say in our form what the parser found.

    Of several faults the parser tells one, and not that which led to the others: a mistyped option is told as the right
    one missing. So the words are looked at first.

    Args:
        error: the parser's.
        app: all commands.
        words: the command line.
    """
    chain, apps, rest = app.parse_commands(list(words))
    command = " ".join(("pentimento", *chain))
    see = f"see '{command} --help'"
    known = _options_of(apps[-1], app)
    unknown = _first_unknown(rest, known)
    if not chain and rest and not rest[0].startswith("-") and not _may_be_file(rest[0]):
        return unknown_command(rest[0], [name for name in app if not name.startswith("-")])
    if unknown:
        return UsageError(
            unknown, f"an option of '{command}'", "an unknown one", _nearest(unknown, known, see)
        )
    if isinstance(error, UnknownCommandError):
        return _unknown_command(error, see)
    if isinstance(error, UnknownOptionError):
        option = (error.token.keyword or error.token.value).split("=", 1)[0]
        return UsageError(option, f"an option of '{command}'", "an unknown one", _nearest(option, known, see))
    if isinstance(error, ConsumeMultipleError | MissingArgumentError):
        name = _name_of(error)
        dashed = _after(name, rest)
        if dashed.startswith("-") and dashed.partition("=")[0] not in known:
            return UsageError(
                name, "a value", f"'{dashed}'", f"what begins with a dash is written {name}={dashed}"
            )
        count = "at least one value" if isinstance(error, ConsumeMultipleError) else "a value"
        return UsageError(name, count, "none", see)
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


def by_its_option(error: Exception, words: Sequence[str]) -> UsageError | None:
    """The same error under the name of the option that led to it; None where no option did.

    Args:
        error: what a command raised.
        words: the command line.
    """
    explanation = explain(error)
    if explanation.exit_code != BAD_INPUT or not explanation.name.isidentifier():
        return None
    options = OPTIONS.get(explanation.name, (f"--{explanation.name.replace('_', '-')}",))
    given = {word.partition("=")[0] for word in words}
    option = next((option for option in options if option in given), None)
    if option is None:
        return None
    return UsageError(option, explanation.expected, explanation.got, explanation.next_step)


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


def _options_of(command: App, app: App) -> list[str]:
    """Every option that a command takes."""
    if command.default_command is None:  # as `run` alone, whose words are commands
        return [*app.help_flags]
    arguments = command.assemble_argument_collection(default_parameter=app.default_parameter)
    names = [name for argument in arguments if argument.parse for name in argument.names]
    return [name for name in [*names, *app.help_flags, *app.version_flags] if name.startswith("-")]


def _first_unknown(words: Sequence[str], known: Sequence[str]) -> str:
    """The first word that looks like an option and is none; empty if there is none such."""
    looked_at = words[: words.index("--")] if "--" in words else words
    options = (word.partition("=")[0] for word in looked_at if word.startswith("--"))
    return next((option for option in options if option not in known), "")


def _after(option: str, words: Sequence[str]) -> str:
    """The word after an option; empty if there is none."""
    place = words.index(option) + 1 if option in words else len(words)
    return words[place] if place < len(words) else ""


def _may_be_file(word: str) -> bool:
    return Path(word).suffix != "" or Path(word).exists()


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
