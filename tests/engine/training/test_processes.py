import subprocess
import sys

import pytest
import torch

from engine.errors import TrainingError
from engine.training.options import TrainOptions
from engine.training.processes import launch


def launched(tmp_path, **options):
    return launch(TrainOptions(data=(tmp_path,), out=tmp_path, **options))


@pytest.mark.parametrize(("precision", "is_last"), [("32", False), ("bf16", True)])
def test_a_processor_keeps_float32_in_torch_s_own_layout(tmp_path, precision, is_last):
    """Channels-last pays for bfloat16 there, and costs time in float32."""
    processes = launched(tmp_path, device="cpu", precision=precision)
    batch = {"image": torch.zeros(2, 3, 4, 6, dtype=torch.uint8).to(memory_format=torch.channels_last)}
    image = processes.taken(batch)["image"]
    assert image.dtype == torch.uint8
    assert image.is_contiguous(memory_format=torch.channels_last) == is_last
    assert image.is_contiguous() != is_last


def test_an_unknown_device_is_refused_by_name(tmp_path):
    with pytest.raises(TrainingError, match="device: expected auto, cpu or cuda, got 'tpu'"):
        launched(tmp_path, device="tpu")


def test_a_gpu_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(TrainingError, match="device: expected a CUDA device, got none on this machine"):
        launched(tmp_path, device="cuda")


def test_starting_prints_nothing(tmp_path):
    """In a fresh process, since the library's handler holds the stderr of its import."""
    code = (
        "import sys; from pathlib import Path; from engine.training.processes import launch;"
        "from engine.training.options import TrainOptions;"
        "launch(TrainOptions(data=(Path('x'),), out=Path('y'), device='cpu', precision='bf16'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
