"""Add up what was measured, by method and bin, and merge bins into wider ones."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class Cell:
    """What one method got in one bin."""

    count: int = 0
    """Results added."""
    sums: dict[str, float] = field(default_factory=dict)
    """Sum over the results, of measures that are averaged."""
    counts: dict[str, int] = field(default_factory=dict)
    """Sum over the results, of pixel counts that are divided at the end."""
    features: list[NDArray[Any]] = field(default_factory=list)
    """(D,) vectors of the results, for FID."""
    true_features: list[NDArray[Any]] = field(default_factory=list)
    """(D,) vectors of the pictures they should have been."""

    def mean(self, key: str) -> float | None:
        """Average of a measure; None where it was not measured."""
        return self.sums[key] / self.count if key in self.sums and self.count else None


class Tally:
    """Cells by method and bin.

    Args:
        bins: the bins results are added to, in order.
        merged: further bins, each the union of some of ``bins``, in the order of the table.
    """

    def __init__(self, bins: Sequence[str], merged: Mapping[str, Sequence[str]]) -> None:
        self._bins = tuple(bins)
        self._merged = {name: tuple(parts) for name, parts in merged.items()}
        self._cells: dict[tuple[str, str], Cell] = {}

    def add(
        self,
        method: str,
        bin_name: str,
        values: Mapping[str, float],
        *,
        counts: Mapping[str, int] | None = None,
        features: tuple[NDArray[Any], NDArray[Any]] | None = None,
    ) -> None:
        """Add one result.

        Args:
            method: key of the method.
            bin_name: one of the unmerged bins.
            values: measures that are averaged.
            counts: pixel counts that are summed.
            features: vectors of the result and of the true picture.
        """
        assert bin_name in self._bins, "results are added to unmerged bins"
        cell = self._cells.setdefault((method, bin_name), Cell())
        cell.count += 1
        _add_all(cell.sums, values)
        _add_all(cell.counts, counts or {})
        if features is not None:
            cell.features.append(features[0])
            cell.true_features.append(features[1])

    def cells(self, method: str) -> Iterable[tuple[str, Cell]]:
        """Name and cell of every bin, merged ones last; a bin without results is left out."""
        for bin_name in self._bins:
            if (method, bin_name) in self._cells:
                yield bin_name, self._cells[method, bin_name]
        for name, parts in self._merged.items():
            cell = self._merge([self._cells[method, part] for part in parts if (method, part) in self._cells])
            if cell.count:
                yield name, cell

    @staticmethod
    def _merge(cells: Sequence[Cell]) -> Cell:
        merged = Cell()
        for cell in cells:
            merged.count += cell.count
            _add_all(merged.sums, cell.sums)
            _add_all(merged.counts, cell.counts)
            merged.features.extend(cell.features)
            merged.true_features.extend(cell.true_features)
        return merged


def stacked(vectors: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """(N, D) from N vectors; (0, 0) from none."""
    return np.stack(vectors) if vectors else np.zeros((0, 0))


def _add_all(sums: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        sums[key] = sums.get(key, 0) + value
