"""What the engine raises when it is asked for something it cannot do.

Every error here means that the input, the file or the machine is at fault, never our own code: the command line
turns each into one line and exit code 2. A defect of ours is any other exception, and exits with 1.

Form of every message: ``<name>: expected <x>, got <y>; <what to do>``. The four parts stay readable as fields, so that
a window can show them apart. Where the fault is said to a person in one plain sentence, the error carries that too, for
nobody reads it out of the other words.
"""

from typing import Any


class EngineError(Exception):
    """Base of all errors of the engine; builds its message from the four parts.

    Args:
        name: what was wrong: a file, a parameter, an input array.
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

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes whole: the default would pass the message as the only argument."""
        return type(self), (self.name, self.expected, self.got, self.hint), {"said": self.said}


class PictureError(EngineError):
    """A picture or its file cannot be used: missing, damaged, too large, of a kind nothing here can read."""


class MaskError(EngineError):
    """A mask or an edge map does not go with its picture, or leaves nothing to work from."""


class WeightsError(EngineError):
    """Weights are missing, damaged, of another family, or unsafe to read."""


class DeviceError(EngineError):
    """The asked device is not there, or is written in a way nobody knows."""


class OutOfMemoryError(EngineError):
    """The job fits neither the device nor the processor, even at its smallest working size."""


class TrainingError(EngineError):
    """Training cannot start or go on: no data, options that do not go together, a checkpoint of another run."""


class DataGoneError(TrainingError):
    """Pictures that were there when a training began are not any more: what was learned from them is kept."""


class EvaluationError(EngineError):
    """An evaluation cannot be made: no pictures, no features where features are needed."""


class HostError(EngineError):
    """The engine's process does not start, or its host was closed."""
