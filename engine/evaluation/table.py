"""The result of an evaluation: a table that knows what its numbers mean.

Values are plain floats or None (not measured for this row); the table is the same for every family.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Measure:
    """One column."""

    key: str
    """Key in `Row.values`."""
    title: str
    """For people; with the unit, if there is one."""
    is_higher_better: bool
    digits: int = 3
    """Decimals shown; the JSON keeps all of them."""
    text: str = ""
    """One sentence: what is measured, over what."""


@dataclass(frozen=True)
class Method:
    """One thing that was measured."""

    key: str
    title: str
    path: str
    """How the result came about: ``product``, ``networks`` or ``baseline``."""
    text: str = ""
    """One sentence: what it does."""


@dataclass(frozen=True)
class Row:
    """One method in one bin."""

    method: str
    """`Method.key`."""
    bin: str
    """As ``10-20`` (per cent of the frame), ``wider``, or ``all``."""
    count: int
    """Results that were averaged."""
    values: Mapping[str, float | None]
    """By `Measure.key`; None = not measured here."""


@dataclass(frozen=True)
class Skipped:
    """One picture that was left out."""

    name: str
    reason: str


@dataclass(frozen=True)
class Figure:
    """One line of the contact sheet."""

    title: str
    panels: Mapping[str, NDArray[np.uint8]]
    """(H, W) or (H, W, 3) pictures by caption, all of one size."""


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured, and on what."""

    family: str
    protocol: str
    measures: tuple[Measure, ...]
    methods: tuple[Method, ...]
    rows: tuple[Row, ...]
    pictures: int
    """Pictures that were measured."""
    skipped: tuple[Skipped, ...]
    settings: Mapping[str, Any]
    """JSON-able: data, weights with their digest, features, seed, size, device."""
    notes: tuple[str, ...] = ()
    """Sentences a reader of the numbers must know."""
    seconds: float = 0.0
    figures: tuple[Figure, ...] = field(default=(), repr=False)
    bin_titles: Mapping[str, str] = field(default_factory=dict)
    """Headings of bins; one without is a share of the frame in per cent."""

    def bins(self) -> tuple[str, ...]:
        """Names of the bins, in the order of the rows."""
        return tuple(dict.fromkeys(row.bin for row in self.rows))

    def bin_title(self, name: str) -> str:
        """Heading of a bin."""
        title = "Mask of any size" if name == "all" else f"Mask {name} % of the frame"
        return self.bin_titles.get(name, title)

    def row(self, method: str, bin_name: str) -> Row:
        """The row of a method in a bin.

        Raises:
            KeyError: if there is none.
        """
        for row in self.rows:
            if row.method == method and row.bin == bin_name:
                return row
        raise KeyError(f"{method} in {bin_name}")

    def as_json(self) -> dict[str, Any]:
        """All of it but the pictures of the contact sheet. An infinite value is the word ``inf``."""
        return {
            "family": self.family,
            "protocol": self.protocol,
            "pictures": self.pictures,
            "skipped": [{"name": item.name, "reason": item.reason} for item in self.skipped],
            "settings": dict(self.settings),
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
            "measures": [
                {
                    "key": measure.key,
                    "title": measure.title,
                    "better": "higher" if measure.is_higher_better else "lower",
                    "text": measure.text,
                }
                for measure in self.measures
            ],
            "methods": [
                {"key": method.key, "title": method.title, "path": method.path, "text": method.text}
                for method in self.methods
            ],
            "rows": [
                {
                    "method": row.method,
                    "bin": row.bin,
                    "count": row.count,
                    "values": {key: _json_number(value) for key, value in row.values.items()},
                }
                for row in self.rows
            ],
        }


def shown(value: float | None, digits: int) -> str:
    """A value as the tables show it: fixed decimals, ``inf``, or a dash where there is none."""
    if value is None or math.isnan(value):
        return "-"
    return "inf" if math.isinf(value) else f"{value:.{digits}f}"


def _json_number(value: float | None) -> float | str | None:
    """JSON knows neither infinity nor NaN."""
    if value is None or math.isnan(value):
        return None
    return "inf" if math.isinf(value) else value
