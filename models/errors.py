"""What models refuse, and in which words.

One form everywhere: ``<name>: expected <x>, got <y>; <what to do or know>``. Every
class keeps its parts as fields, so that a caller can react without reading text.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

_SHOWN = 3  # names listed before "and N more": a wrong file can miss hundreds


class ModelsError(Exception):
    """Base of everything that `models` raises on purpose."""


class ShapeError(ModelsError, ValueError):
    """A tensor whose shape does not fit where it was given."""

    def __init__(self, name: str, expected: object, got: object, hint: str) -> None:
        super().__init__(f"{name}: expected {expected}, got {got}; {hint}")
        self.name, self.expected, self.got, self.hint = name, expected, got, hint


class OptionError(ModelsError, ValueError):
    """An option of a network or an objective outside its range."""

    def __init__(self, name: str, expected: object, got: object, hint: str) -> None:
        super().__init__(f"{name}: expected {expected}, got {got}; {hint}")
        self.name, self.expected, self.got, self.hint = name, expected, got, hint


class StateError(ModelsError, ValueError):
    """A state dict that does not fit a network.

    Args:
        name: what was loaded, as the user would name it.
        missing: keys that the network needs and the state lacks.
        unexpected: keys of the state that the network does not know.
        misshapen: key -> (shape wanted, shape found).
        hint: what to do about it.
    """

    def __init__(
        self,
        name: str,
        *,
        missing: Iterable[str] = (),
        unexpected: Iterable[str] = (),
        misshapen: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] | None = None,
        hint: str = "the file belongs to another network, another size or is incomplete",
    ) -> None:
        self.name, self.hint = name, hint
        self.missing, self.unexpected = tuple(missing), tuple(unexpected)
        self.misshapen = dict(misshapen or {})
        shapes = [f"{key} {found} instead of {wanted}" for key, (wanted, found) in self.misshapen.items()]
        faults = [
            f"{len(names)} {word} ({_first(names)})"
            for word, names in (
                ("missing", self.missing),
                ("unexpected", self.unexpected),
                ("misshapen", shapes),
            )
            if names
        ]
        self.expected, self.got = "every tensor once and in shape", ", ".join(faults)
        super().__init__(f"{name}: expected {self.expected}, got {self.got}; {hint}")


class UnknownNameError(ModelsError, ValueError):
    """A name out of a closed list, misspelt or from elsewhere."""

    def __init__(self, what: str, got: str, known: Iterable[str]) -> None:
        self.what, self.got, self.known = what, got, tuple(sorted(known))
        close = get_close_matches(got, self.known, n=1)
        guess = f" (did you mean '{close[0]}'?)" if close else ""
        self.fault, self.hint = f"unknown {what} '{got}'", f"known: {', '.join(self.known)}{guess}"
        super().__init__(f"{self.fault}; {self.hint}")


class UnknownFamilyError(UnknownNameError):
    """A family that the registry does not hold."""

    def __init__(self, got: str, known: Iterable[str]) -> None:
        super().__init__("family", got, known)


def _first(names: Iterable[str]) -> str:
    names = list(names)
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
