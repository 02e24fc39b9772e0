"""What of a run belongs to its family, so that the one loop names none.

The loop knows steps, sides, checkpoints and previews. A family says here what its data is, what its objective is built
with, and what only it does: a picture to look at while it learns, or a way to go on with less memory.

Elsewhere: how a picture becomes a sample in samples/, one file a family; losses in models/<family>/objective.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from torch import Tensor

from engine.training.gradients import SECOND_BETA
from models.objective import Objective

if TYPE_CHECKING:
    from engine.training.data import RunData
    from engine.training.events import Report
    from engine.training.options import TrainOptions


@dataclass(frozen=True)
class FamilyTraining:
    """One family, as the loop meets it."""

    open_data: "Callable[[TrainOptions, Report], RunData]"
    """What is learned from."""
    objective_keywords: "Callable[[TrainOptions, Report], Mapping[str, Any]]"
    """What the objective takes beside its network options and loss weights."""
    second_beta: float = SECOND_BETA
    """Of Adam, both sides."""
    has_one_shape: bool = True
    """Whether all batches of a run are of one shape: kernels are then tried out once."""
    fitted: "Callable[[Any, RunData], Any]" = lambda options, data: options
    """Network options that suit the data, from those asked for."""
    start: Callable[[dict[str, Tensor], Objective], dict[str, Tensor]] = lambda state, objective: state
    """What an objective can use of a state to start from."""
    picture: "Callable[[Objective, RunData, TrainOptions], Tensor] | None" = None
    """``(B, 3, h, w)`` to look at while it learns, in place of the objective's own rows; with the averaged weights in place."""
    smaller: "Callable[[Objective, RunData, TrainOptions, int], tuple[RunData, str] | None] | None" = None
    """The data after so many cuts of what a step needs, with a word about it; None when there is no smaller. Counted from
    1; what a number means never changes, since a checkpoint keeps the number alone."""
    offer: str = ""
    """What to do instead where there is no GPU; ends a sentence."""


def training_of(family: str) -> FamilyTraining:
    """The family's own side of training, imported when it is first asked for; its name with underscores."""
    found = import_module(f"{__name__}.{family}").TRAINING
    assert isinstance(found, FamilyTraining), f"{family}.TRAINING is no FamilyTraining"
    return found
