"""Which families there are. A family is imported when it is first asked for, never before."""

from importlib import import_module

from models.errors import UnknownFamilyError
from models.spec import FamilySpec

FAMILIES: dict[str, str] = {
    "inpaint": "models.inpaint.spec",
    "retarget": "models.retarget.spec",
}
"""Family name -> module whose ``SPEC`` describes it."""


def family_names() -> tuple[str, ...]:
    """Every known family, sorted, with underscores."""
    return tuple(sorted(FAMILIES))


def family_spec(name: str) -> FamilySpec:
    """The spec of a family, by its name with hyphens or underscores.

    Raises:
        UnknownFamilyError: if there is none of that name.
    """
    key = name.replace("-", "_")
    if key not in FAMILIES:
        raise UnknownFamilyError(name, FAMILIES)
    spec = import_module(FAMILIES[key]).SPEC
    assert isinstance(spec, FamilySpec), f"{FAMILIES[key]}.SPEC is no FamilySpec"
    return spec
