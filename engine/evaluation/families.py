"""Which families can be evaluated, and the door to them.

A family adds one line here and one file that answers `Evaluate`.
"""

from importlib import import_module
from typing import Protocol, cast

from engine.errors import EvaluationError
from engine.evaluation.options import EvaluateOptions
from engine.evaluation.table import Evaluation
from engine.progress import CancelCheck, ProgressCallback

EVALUATED_FAMILIES = {"inpaint": "engine.evaluation.inpaint", "retarget": "engine.evaluation.retarget"}
"""Family -> module with a function ``evaluate``; imported when asked for."""


class Evaluate(Protocol):
    """What a family's module offers as ``evaluate``."""

    def __call__(
        self, options: EvaluateOptions, report: ProgressCallback | None, should_stop: CancelCheck | None
    ) -> Evaluation:
        """Measure; see `evaluate` below."""


def evaluate(
    family: str,
    options: EvaluateOptions,
    report: ProgressCallback | None = None,
    should_stop: CancelCheck | None = None,
) -> Evaluation:
    """Measure a family and its baselines on the same pictures.

    Same options and weights on the same machine give the same numbers.

    Args:
        family: hyphen or underscore.
        options: pictures, weights, protocol.
        report: called with the share done and a word, now and then.
        should_stop: looked at between pictures.

    Raises:
        EvaluationError: if the family has no evaluation, or no picture could be read.
        PictureError: if a source is missing.
        WeightsError: if weights or features cannot be read.
        Cancelled: if ``should_stop`` said so.
    """
    module = EVALUATED_FAMILIES.get(family.replace("-", "_"))
    if module is None:
        known = ", ".join(sorted(EVALUATED_FAMILIES))
        raise EvaluationError("family", f"one of {known}", repr(family), "the others cannot be evaluated")
    run = cast(Evaluate, import_module(module).evaluate)
    return run(options, report, should_stop)
