"""Means of the loss terms between two lines of metrics."""

import time
from collections.abc import Mapping

import torch
from torch import Tensor

from engine.training.processes import Processes


class Meter:
    """Sums of loss terms since the last line of metrics; stays on the device until it is read."""

    def __init__(self) -> None:
        self.steps = 0
        self._started = time.monotonic()
        self._sums: dict[str, Tensor] = {}
        self._good: Tensor | None = None

    def add(self, terms: Mapping[str, Tensor], is_good: Tensor) -> None:
        """Take one step's terms in; ``is_good`` is 0 where it moved nothing."""
        self.steps += 1
        for name, value in terms.items():
            self._sums[name] = self._sums.get(name, torch.zeros_like(value)) + value.nan_to_num(0.0, 0.0, 0.0)
        self._good = is_good if self._good is None else self._good + is_good

    def read(self, processes: Processes) -> tuple[dict[str, float], int]:
        """Means over steps and processes, and the number of steps that moved nothing."""
        assert self._good is not None, "read after at least one step"
        good = int(self._good)
        means = processes.averaged({name: value / max(1, good) for name, value in self._sums.items()})
        return {name: float(value) for name, value in means.items()}, self.steps - good

    def seconds(self) -> float:
        """Since this was made; above 0."""
        return max(1e-9, time.monotonic() - self._started)
