"""Options that several sub-commands share, as dataclasses the parser lays flat."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter, Token

from app.console import Console


def whole_number(_kind: object, tokens: Sequence[Token]) -> int:
    """Read a whole number; the parser's own reading rounds ``1.5`` without a word."""
    return int(tokens[0].value)


Whole = Annotated[int, Parameter(converter=whole_number)]


@Parameter(name="*")
@dataclass(frozen=True)
class Output:
    """How a command answers."""

    is_json: Annotated[bool, Parameter(name="--json", help="One JSON object on stdout instead of lines.")] = (
        False
    )
    is_quiet: Annotated[bool, Parameter(name="--quiet", help="No lines and no progress; errors remain.")] = (
        False
    )

    def console(self) -> Console:
        """The voice these options ask for."""
        return Console(is_json=self.is_json, is_quiet=self.is_quiet)


@Parameter(name="*")
@dataclass(frozen=True)
class Work(Output):
    """What every command that runs a network takes."""

    weights: Annotated[str, Parameter(help="Weights by name or file; the family's own if empty.")] = ""
    quality: Annotated[
        Literal["exact", "fast"],
        Parameter(help="exact: 32-bit floats; fast: what this machine does fastest."),
    ] = "exact"
    device: Annotated[str, Parameter(help="auto, cpu, cuda or cuda:N.")] = "auto"
    seed: Annotated[Whole, Parameter(help="Seed of everything random.")] = 0
