import torch

from engine.training.meter import Meter
from engine.training.options import TrainOptions
from engine.training.processes import launch


def test_means_leave_out_steps_that_moved_nothing(tmp_path):
    processes = launch(TrainOptions(data=(tmp_path,), out=tmp_path, device="cpu"))
    meter = Meter()
    meter.add({"l1": torch.tensor(1.0)}, torch.tensor(1.0))
    meter.add({"l1": torch.tensor(float("nan"))}, torch.tensor(0.0))
    meter.add({"l1": torch.tensor(3.0)}, torch.tensor(1.0))
    assert meter.read(processes) == ({"l1": 2.0}, 1)
    assert meter.steps == 3
    assert meter.seconds() > 0
