"""Keep the state of a run on disk, so that it can go on as if it had never stopped.

A checkpoint is one file, written beside and renamed when whole: a reader meets all of it or the one before. The last
two are kept. What is read back is tensors and plain values, never code, and only where every byte has the sum that was
written with it: torch itself would take a flipped bit for a number.
"""

import contextlib
import math
import os
import re
import stat
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch

from engine.atomic import path_error, write_atomically
from engine.bounds import BoundsError, Budget
from engine.errors import EngineError, TrainingError
from engine.zip_directory import open_zip
from models.errors import ModelsError

FOLDER = "checkpoints"
_KEPT = 2
_NAME = re.compile(r"step-(\d{9})\.pt")
_ENTRIES_LIMIT = 100_000
_PICKLES_LIMIT_BYTES = 64 << 20  # names and shapes of all tensors
_PIECE_BYTES = 1 << 20

_FORM: Mapping[str, tuple[type, ...]] = {
    "step": (int,),
    "stage": (str,),
    "objective": (dict,),
    "averages": (dict,),
    "sides": (dict,),
    "options": (dict,),
    "pictures_per_step": (int,),
    "data": (str,),
    "cuts": (int,),
    "seconds": (int, float),
}
"""What a run saves, see `engine.training.loop`."""
_LATER = frozenset(["cuts"])
"""Not in the checkpoints of older versions."""


class NoCheckpointError(TrainingError):
    """No checkpoint of a run can be used."""


class OtherRunError(TrainingError):
    """A checkpoint is whole, and of a run that was told otherwise."""


def checkpoint_files(out: Path) -> list[Path]:
    """What has the name of a checkpoint below a run's folder, oldest first."""
    try:
        return sorted(path for path in (out / FOLDER).iterdir() if _NAME.fullmatch(path.name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise path_error(out / FOLDER, error, TrainingError, expected="a folder of checkpoints") from error


def save_checkpoint(out: Path, step: int, state: Mapping[str, Any]) -> Path:
    """Write a checkpoint, then remove those that came before the last two.

    What comes after it stays: a run that went on from an earlier checkpoint could not read that.

    Args:
        out: the run's folder.
        step: steps done.
        state: tensors and plain values, nested in dicts and lists.

    Returns:
        The file.

    Raises:
        TrainingError: if the place cannot be written or the disk is full; older checkpoints are then untouched.
    """
    path = out / FOLDER / f"step-{step:09d}.pt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
            path.replace(path.with_name(f"{path.name}.aside"))
    except OSError as error:
        raise path_error(path, error, TrainingError) from error
    write_atomically(path, lambda file: _write(state, file), error_type=TrainingError)
    for old in [file for file in checkpoint_files(out) if file.name <= path.name][:-_KEPT]:
        with contextlib.suppress(OSError):  # a folder, or one that may not be removed: it is in nobody's way
            old.unlink()
    return path


def take_newest(
    out: Path, take: Callable[[Path, Mapping[str, Any]], None]
) -> tuple[Path, list[tuple[Path, str]]]:
    """Go on from the newest checkpoint that can be read and taken; where one cannot, from the one before.

    Args:
        out: the run's folder.
        take: gets the file and its state, tensors on the CPU; whatever it raises, the one before is next.

    Returns:
        The file that was taken, and those that were passed over, each with the reason.

    Raises:
        NoCheckpointError: if there is none, or none can be used.
        OtherRunError: if none can be used, as ``take`` said of the newest such one.
    """
    passed: list[tuple[Path, str]] = []
    other: OtherRunError | None = None
    for path in reversed(checkpoint_files(out)):
        try:
            take(path, read_checkpoint(path))
        except Exception as error:  # noqa: BLE001  (damage can raise anything, in the unpickler and after it)
            if isinstance(error, OtherRunError):
                other = other or error
            passed.append((path, _reason(error)))
        else:
            return path, passed
    if other is not None:
        raise other
    if passed:
        got = f"{len(passed)} that cannot be used ({passed[0][0].name}: {passed[0][1]})"
        raise NoCheckpointError(
            out, "a whole checkpoint", got, "start again without --resume in another folder"
        )
    raise NoCheckpointError(
        out, "a checkpoint to resume from", "none", "leave --resume out to start a new run"
    )


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint, its sums first.

    Returns:
        What was saved, in the form that a run saves; tensors on the CPU.

    Raises:
        TrainingError: if it is damaged, too much, or of another form. Hostile bytes can raise anything else as well.
        OSError: if it cannot be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for who writes to it
        raise _unusable(path, "a file", "a folder or device")
    with open(path, "rb") as file:
        try:
            _check_sums(path, file)
        except zipfile.BadZipFile as error:
            raise _unusable(path, "a whole checkpoint", "a damaged file") from error
        except BoundsError as error:
            raise _unusable(path, error.expected, error.got) from error
        file.seek(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd files; those are passed over
            state = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(state, dict):
        raise _unusable(path, "the state of a run", f"a {type(state).__name__}")
    _check_form(path, state)
    return state


def _write(state: Mapping[str, Any], file: BinaryIO) -> None:
    """Write it; where the disk refuses, raise that and not what torch says of its own archive then."""
    try:
        torch.save(dict(state), file)
    except RuntimeError as error:
        if isinstance(error.__context__, OSError):
            raise error.__context__ from error
        raise


def _check_sums(path: Path, file: BinaryIO) -> None:
    """Read every entry once: each is stored as it is, so that nothing becomes more than the file, and has its sum."""
    archive = open_zip(file, limit_entries=_ENTRIES_LIMIT)
    pickles = Budget(_PICKLES_LIMIT_BYTES, "bytes of names and shapes")
    for entry in archive.infolist():
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
            raise _unusable(path, "entries as they are", "packed ones")
        if entry.filename.endswith(".pkl"):
            pickles.take(entry.file_size)
        with archive.open(entry) as content:
            while content.read(_PIECE_BYTES):
                pass


def _check_form(path: Path, state: Mapping[str, Any]) -> None:
    missing = sorted(_FORM.keys() - state.keys() - _LATER)
    unknown = sorted(str(name)[:40] for name in state.keys() - _FORM.keys())
    if missing or unknown:
        got = f"no '{missing[0]}'" if missing else f"'{unknown[0]}' as well, perhaps of a later version"
        raise _unusable(path, "what this version saves", got)
    for name, value in state.items():
        if type(value) not in _FORM[name]:
            word = " or ".join(kind.__name__ for kind in _FORM[name])
            raise _unusable(path, f"a {word} as '{name}'", f"a {type(value).__name__}")
        if isinstance(value, int | float) and not 0 <= value < math.inf:
            raise _unusable(path, f"0 or more as '{name}'", f"{value:.9g}")


def _unusable(path: Path, expected: str, got: str) -> TrainingError:
    return TrainingError(path, expected, got, "go on from the checkpoint before it")


def _reason(error: Exception) -> str:
    """Why a checkpoint cannot be used, in a few words."""
    if isinstance(error, OSError):
        error = path_error("", error)
    if isinstance(error, EngineError):
        return f"expected {error.expected}, got {error.got}"
    if isinstance(error, ModelsError):
        return str(error)
    return f"damaged content, {type(error).__name__}"
