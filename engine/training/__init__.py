"""Train a family of networks on pictures: `train` runs it, `TrainOptions` says how, events tell how it goes.

The names here are imported when they are first used: options and events need no torch.
"""

from importlib import import_module

TYPE_CHECKING = (
    False  # not from typing: under ``python -m`` the current folder would be asked for it, see __main__.py
)
if TYPE_CHECKING:
    from engine.training.events import Event, Report
    from engine.training.loop import TrainResult, train
    from engine.training.options import TrainOptions

__all__ = ["Event", "Report", "TrainOptions", "TrainResult", "train"]

_PLACES = {
    "Event": "events",
    "Report": "events",
    "TrainOptions": "options",
    "TrainResult": "loop",
    "train": "loop",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
