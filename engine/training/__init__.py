"""Train a family of networks on pictures: `train` runs it, `TrainOptions` says how, events tell how it goes."""

from engine.training.events import Event, Report
from engine.training.loop import TrainResult, train
from engine.training.options import TrainOptions

__all__ = ["Event", "Report", "TrainOptions", "TrainResult", "train"]
