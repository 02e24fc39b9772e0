"""What app raises, and how any exception becomes words for a person.

`explain` is the only place where an exception is turned into a sentence, a next step and an exit code. Bad input, a
file that cannot be read or written, a request that cannot be met: exit 2 and one line. Anything else is a defect of
ours: exit 1, and the line says where the traceback is.
"""

import errno
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.out_of_memory import is_out_of_memory

DONE = 0
OUR_FAULT = 1
BAD_INPUT = 2
INTERRUPTED = 130


@dataclass(frozen=True)
class OutsideFault:
    """A fault of the file system that is the caller's to mend."""

    said: str
    """The fault as one says it to a person."""
    hint: str
    """What to do."""


_NO_RIGHT = OutsideFault("there is no permission to use this place", "choose a place you may read and write")
OUTSIDE_FAULTS = {
    errno.EACCES: _NO_RIGHT,
    errno.EPERM: _NO_RIGHT,
    errno.EROFS: OutsideFault("this disk can only be read", "choose a place that can be written to"),
    errno.ENOENT: OutsideFault("there is no such file or folder", "check the path"),
    errno.ENOTDIR: OutsideFault("a part of the path is a file, not a folder", "check the path"),
    errno.EEXIST: OutsideFault("the name is taken already", "choose another name"),
    errno.EISDIR: OutsideFault("this is a folder, not a file", "name a file, not a folder"),
    errno.ENAMETOOLONG: OutsideFault("the name is too long for this disk", "choose a shorter name"),
    errno.ENOSPC: OutsideFault("the disk is full", "free some space or choose another disk"),
    errno.EDQUOT: OutsideFault(
        "the room you have on this disk is used up", "free some space or choose another disk"
    ),
    errno.EFBIG: OutsideFault("the file is larger than this disk allows", "choose another disk"),
    errno.EIO: OutsideFault("the disk does not answer as it should", "check the disk"),
}
"""By the system's number."""

LIMITS = {
    "greater_than_equal": "{ge} or more",
    "greater_than": "more than {gt}",
    "less_than_equal": "{le} or less",
    "less_than": "less than {lt}",
}
"""What pydantic calls a limit, and how we say it."""


class AppError(Exception):
    """Base of app's errors; builds its message from four parts and keeps them.

    Args:
        name: the option, file or command at fault.
        expected: what would have been right.
        got: what was there.
        hint: what to do about it, or what to know.
        said: the fault in a sentence for a person, lower case, without a full stop; empty where its parts say it.
    """

    def __init__(self, name: object, expected: object, got: object, hint: str, *, said: str = "") -> None:
        self.name = str(name)
        self.expected = expected
        self.got = got
        self.hint = hint
        self.said = said
        super().__init__(f"{self.name}: expected {expected}, got {got}; {hint}")


class UsageError(AppError):
    """Words on the command line that do not make a command."""


class OutputError(AppError):
    """A place for the result that cannot take it; found before the work, not after."""


class NoWindowError(AppError):
    """A window was asked for and there is none."""


class DocumentError(AppError):
    """A document, or a file of one, that cannot be used or does not allow what was asked."""


class EngineLostError(AppError):
    """The engine's process ended while it ran a job; the job is lost, the document is not."""


class ResourceError(AppError):
    """A file that belongs to the installation is not there."""


@dataclass(frozen=True)
class Explanation:
    """An exception in the words of a person."""

    name: str
    """What was wrong: a file, an option, a command."""

    expected: str
    """What would have been right; empty where the message has no such part."""

    got: str
    """What was there."""

    next_step: str
    """What to do about it."""

    exit_code: int
    """2 where the input is at fault, 1 where we are, 130 after Ctrl-C."""

    said: str = ""
    """The fault in a sentence for a person; empty where it was not given one."""

    @property
    def fault(self) -> str:
        """What was expected and what was there, in the form of the command line."""
        return f"expected {self.expected}, got {self.got}" if self.expected else self.got

    @property
    def sentence(self) -> str:
        """The same as one says it to a person; the window shows it."""
        if self.said or not self.expected:
            return self.said or self.got
        return f"needed: {self.expected}. Found: {self.got}"

    @property
    def line(self) -> str:
        """All of it on one line, as the command line prints it."""
        words = f"{self.name}: {self.fault}; {self.next_step}"
        return " ".join(words.split())

    def as_json(self) -> dict[str, object]:
        """The parts for ``--json``."""
        return {
            "message": self.line,
            "name": self.name,
            "sentence": " ".join(self.fault.split()),
            "next_step": self.next_step,
            "exit_code": self.exit_code,
        }


def explain(error: BaseException, *, log_path: Path | None = None) -> Explanation:
    """Turn any exception into what a person needs: what is wrong, what to do, and the exit code.

    Args:
        error: whatever was raised.
        log_path: where the traceback was written, for the line about our own faults.

    Returns:
        The explanation; ``exit_code`` is 1 only where no rule says that the input or the machine is at fault.
    """
    parts = [getattr(error, key, None) for key in ("name", "expected", "got", "hint")]
    if _is_refusal(error):
        name, expected, got, hint = parts
        if name is None:  # a name out of a closed list, whose message has another form
            what, fault = getattr(error, "what", "name"), getattr(error, "fault", str(error))
            return Explanation(str(what), "", str(fault), str(hint or ""), BAD_INPUT)
        return Explanation(str(name), str(expected), str(got), str(hint), BAD_INPUT, _said(error))
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Cancelled":
        return Explanation("job", "to finish", "Ctrl-C", "nothing was written", INTERRUPTED)
    if is_out_of_memory(error):
        hint = "close other programs, use a smaller picture, or raise the limit (ulimit -v, a container's)"
        return Explanation("memory", "enough for this", "too little", hint, BAD_INPUT)
    if isinstance(error, OSError) and error.errno in OUTSIDE_FAULTS:
        name = error.filename if error.filename is not None else "file"
        got, next_step = f"'{error.strerror}'", OUTSIDE_FAULTS[error.errno].hint
        return Explanation(str(name), "a file that can be used", got, next_step, BAD_INPUT, _said(error))
    if _is_validation_error(error):
        return _explain_validation(error)
    got = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    where = f"the traceback is in {log_path}" if log_path else "the log could not be written"
    return Explanation("pentimento", "to work", got, f"a fault of ours, {where}", OUR_FAULT)


def _said(error: BaseException) -> str:
    """The sentence an error carries, or one that it was raised from; for what the system refused, the one of its number."""
    cause: BaseException | None = error
    while cause is not None:
        said = getattr(cause, "said", "")
        if not said and isinstance(cause, OSError) and cause.errno in OUTSIDE_FAULTS:
            said = OUTSIDE_FAULTS[cause.errno].said
        if said:
            return str(said)
        cause = cause.__cause__
    return ""


def _is_refusal(error: BaseException) -> bool:
    """Whether an error says that the input is at fault; looks only at modules that are loaded already."""
    if isinstance(error, AppError):
        return True
    for module_name, class_names in (
        ("engine.errors", ("EngineError",)),
        ("models.errors", ("StateError", "UnknownFamilyError")),
    ):
        module = sys.modules.get(module_name)
        if module is not None and isinstance(error, tuple(getattr(module, name) for name in class_names)):
            return True
    return False


def _is_validation_error(error: BaseException) -> bool:
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(error, pydantic.ValidationError)


def _explain_validation(error: BaseException) -> Explanation:
    first = error.errors()[0]
    said = first["msg"].removeprefix("Value error, ")
    if ": expected " in said and "; " in said:  # a check of ours, in the house form already
        head, _, next_step = said.rpartition("; ")
        name, _, fault = head.partition(": expected ")
        expected, _, got = fault.partition(", got ")
        return Explanation(name, expected, got, next_step, BAD_INPUT)
    name = ".".join(str(part) for part in first["loc"]) or error.title
    rule = said.removeprefix("Input should be ")
    if first["type"] in LIMITS:
        limits = {
            name: f"{limit:g}" if isinstance(limit, float) else limit for name, limit in first["ctx"].items()
        }
        rule = LIMITS[first["type"]].format(**limits)
    return Explanation(name, rule, repr(first["input"]), "see --help for the range", BAD_INPUT)
