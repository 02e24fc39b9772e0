"""How a result came about: enough to open it again, change a value and run it once more."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from engine.edits import Edit, read_edit


def program_version() -> str:
    """Version of this program; ``unknown`` outside an installation."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("pentimento")
    except PackageNotFoundError:
        return "unknown"


class Step(BaseModel):
    """One step of a recipe. Frozen; it crosses files, so a name that a later version adds is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    edit: dict[str, Any]
    """The edit's parameters, as plain data."""
    inputs: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Where each input came from, by its name: ``{"kind": "layers" | "strokes" | "file", ...}``."""
    weights: dict[str, str] = Field(default_factory=dict)
    """What the edit's name of weights stood for: ``name`` and ``sha256``."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    """Start of all randomness."""
    crops: list[dict[str, Any]] = Field(default_factory=list)
    """What the engine cut, from its report."""
    version: str = Field(default_factory=program_version)
    """Of the program that ran the step."""

    def reopened(self) -> Edit:
        """The edit itself, to be changed and run again.

        Raises:
            pydantic.ValidationError: if a later program wrote it and this one does not know all of it.
        """
        return read_edit(self.edit)
