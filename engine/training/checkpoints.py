"""Keep the state of a run on disk, so that it can go on as if it had never stopped.

A checkpoint is one file, written beside and renamed when whole: a reader meets all of it or the one before. The last
two are kept. What is read back is tensors and plain values, never code.
"""

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from engine.atomic import write_atomically
from engine.errors import TrainingError

FOLDER = "checkpoints"
_KEPT = 2
_NAME = re.compile(r"step-(\d{9})\.pt")


def checkpoint_files(out: Path) -> list[Path]:
    """Checkpoints below a run's folder, oldest first."""
    folder = out / FOLDER
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def save_checkpoint(out: Path, step: int, state: Mapping[str, Any]) -> Path:
    """Write a checkpoint, then remove all but the last two.

    Args:
        out: the run's folder.
        step: steps done.
        state: tensors and plain values, nested in dicts and lists.

    Returns:
        The file.

    Raises:
        TrainingError: if the place cannot be written or the disk is full; older checkpoints are then untouched.
    """
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{step:09d}.pt"
    write_atomically(path, lambda file: torch.save(dict(state), file), error_type=TrainingError)
    for old in checkpoint_files(out)[:-_KEPT]:
        old.unlink(missing_ok=True)
    return path


def newest_checkpoint(out: Path) -> tuple[Path, dict[str, Any]]:
    """Read the newest checkpoint that is whole.

    Args:
        out: the run's folder.

    Returns:
        The file and its state, tensors on the CPU.

    Raises:
        TrainingError: if there is none, or none of them can be read.
    """
    files = checkpoint_files(out)
    for path in reversed(files):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of odd files; those are passed over below
                state = torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError):
            continue
        if isinstance(state, dict) and "step" in state:
            return path, state
    if files:
        got = f"{len(files)} that cannot be read"
        raise TrainingError(out, "a whole checkpoint", got, "start again without --resume in another folder")
    raise TrainingError(out, "a checkpoint to resume from", "none", "leave --resume out to start a new run")
