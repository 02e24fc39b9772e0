import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.errors import TrainingError
from engine.training.checkpoints import checkpoint_files, newest_checkpoint, save_checkpoint

ROOT = Path(__file__).parents[3]


def test_the_last_two_are_kept_and_the_newest_comes_back(tmp_path):
    for step in (5, 10, 1000):
        save_checkpoint(tmp_path, step, {"step": step, "tensor": torch.full((3,), float(step))})
    assert [path.name for path in checkpoint_files(tmp_path)] == ["step-000000010.pt", "step-000001000.pt"]
    path, state = newest_checkpoint(tmp_path)
    assert path.name == "step-000001000.pt"
    assert state["tensor"].tolist() == [1000.0] * 3


def test_a_writer_killed_midway_leaves_the_old_checkpoint(tmp_path):
    save_checkpoint(tmp_path, 1, {"step": 1})
    script = (
        "import os, sys, torch\n"
        "from pathlib import Path\n"
        "from engine.training import checkpoints\n"
        "def save(state, file):\n"
        "    file.write(b'half of it'); file.flush(); os.kill(os.getpid(), 9)\n"
        "torch.save = save\n"
        "checkpoints.save_checkpoint(Path(sys.argv[1]), 2, {'step': 2})\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], env=environment, check=False)
    assert done.returncode == -9
    assert [path.name for path in checkpoint_files(tmp_path)] == ["step-000000001.pt"]
    assert newest_checkpoint(tmp_path)[1] == {"step": 1}


def test_a_failed_write_leaves_the_old_checkpoint_and_no_rest(tmp_path, monkeypatch):
    save_checkpoint(tmp_path, 1, {"step": 1})

    def no_space(state, file):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", no_space)
    with pytest.raises(
        TrainingError, match=r"step-000000002.pt: expected free space on the disk, got no space left; fr"
    ):
        save_checkpoint(tmp_path, 2, {"step": 2})
    assert os.listdir(tmp_path / "checkpoints") == ["step-000000001.pt"]


def test_a_damaged_newest_gives_way_to_the_one_before(tmp_path):
    save_checkpoint(tmp_path, 1, {"step": 1})
    path = save_checkpoint(tmp_path, 2, {"step": 2})
    path.write_bytes(path.read_bytes()[:100])
    assert newest_checkpoint(tmp_path)[1] == {"step": 1}


class Harm:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def test_code_in_a_checkpoint_is_never_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (folder / "step-000000001.pt").write_bytes(pickle.dumps(Harm(), 2))
    with pytest.raises(
        TrainingError, match=r"expected a whole checkpoint, got 1 that cannot be read; start again wi"
    ):
        newest_checkpoint(tmp_path)
    assert not (tmp_path / "harm").exists()


def test_no_checkpoint_is_refused_by_name(tmp_path):
    with pytest.raises(
        TrainingError, match=r"expected a checkpoint to resume from, got none; leave --resume out to"
    ):
        newest_checkpoint(tmp_path)
