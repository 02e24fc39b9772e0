"""Where a picture is learned: a folder of its own in the user's cache, named by the picture's digest.

Whoever opens the same picture again finds it there and can go on. No Qt.

Elsewhere: who asks in learning.py, the process that writes there in learning_child.py, who uses one in learning_holds.py.
"""

import json
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.folders import cache_folder
from app.learned_weights import WEIGHTS_NAME, Kept, is_same_file, kept_of
from app.learning_holds import unused
from engine.errors import EngineError

SO_FAR_NAME = "being-learned.safetensors"
UNTOUCHED_DAYS = 90
"""A folder that nobody learned in for so long goes; what was kept is among the weights."""
ALL_BYTES = 8 << 30
"""Of all folders together; beyond this, those that were left longest go."""
FRESH_S = 24 * 3600.0
"""Nothing younger than this goes: it may be another window's."""
_CHECKPOINT = re.compile(r"step-(\d{9})\.pt")


@dataclass(frozen=True)
class Run:
    """The folder of one picture."""

    digest: str
    folder: Path
    step: int = 0
    """Steps that are saved there."""
    steps: int = 0
    kept: Kept | None = None
    """The user's weights that learned this picture."""
    is_all_kept: bool = False
    """Whether no more was learned in the folder than that."""

    @property
    def weights(self) -> Path:
        """What was learned last."""
        return self.folder / WEIGHTS_NAME

    @property
    def previews(self) -> list[Path]:
        """Looks at what was learned, in their order."""
        return sorted((self.folder / "previews").glob("*.png"), key=lambda path: path.stem[-7:])


def prepare(pixels: np.ndarray, *, is_written: bool) -> Run:
    """Name a picture, write it into its folder, and see how far it was learned. Other folders are cleared up then.

    Raises:
        PictureError: if it cannot be written.
        OSError: if the folder cannot be made.
    """
    from engine.pictures import Picture, picture_sha256, write_picture

    digest = picture_sha256(pixels)
    run = Run(digest, cache_folder() / "learning" / digest[:32])
    if is_written:
        run.folder.mkdir(parents=True, exist_ok=True)
        path = run.folder / "picture.png"
        planes = pixels[..., None] if pixels.ndim == 2 else pixels
        colours = planes[..., :1] if planes.shape[2] < 3 else planes[..., :3]
        if colours.dtype == np.uint16:
            colours = (colours >> 8).astype(np.uint8)
        rgb = np.ascontiguousarray(np.broadcast_to(colours, (*colours.shape[:2], 3)))
        write_picture(Picture(rgb, "RGB"), path)  # each time: what lies there may be damaged
        clear_up(run.folder)
    with suppress(EngineError):  # a list of weights that is damaged is told where one chooses from it
        kept = kept_of(digest)
        run = replace(run, kept=kept)
    run = found_in(run)
    if run.kept is not None:
        run = replace(run, is_all_kept=not run.step or is_same_file(run.weights, run.kept))
    return run


def found_in(run: Run) -> Run:
    """The run with what its folder holds now."""
    numbers = [0]
    steps = 0
    with suppress(OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        found = [_CHECKPOINT.fullmatch(path.name) for path in (run.folder / "checkpoints").iterdir()]
        numbers += [int(one[1]) for one in found if one is not None]
        steps = int(json.loads((run.folder / "options.json").read_text(encoding="utf-8"))["train"]["steps"])
    return replace(run, step=max(numbers) if steps > 0 else 0, steps=max(steps, 0))


def clear_up(mine: Path, now_s: float | None = None) -> list[Path]:
    """Remove folders in which nobody learned for long, and the oldest where all are too large; none that is in use.

    Args:
        mine: stays, however old.
        now_s: seconds since the epoch; now where None.

    Returns:
        The folders that are gone.
    """
    now_s = time.time() if now_s is None else now_s
    folders, found = [], []
    with suppress(OSError):
        folders = [path for path in mine.parent.iterdir() if path.is_dir()]
    for path in folders:
        with suppress(OSError):  # one that cannot be read, or that another window removes now, keeps no other
            found.append((*_age_and_size(path, now_s), path))
    all_bytes = sum(size for _, size, _ in found)
    gone = []
    for age_s, size, path in sorted(found, key=lambda one: one[0], reverse=True):
        is_too_old, is_too_much = age_s > UNTOUCHED_DAYS * 24 * 3600, all_bytes > ALL_BYTES
        if path == mine or not (is_too_old or (is_too_much and age_s > FRESH_S)):
            continue
        with unused(path) as is_unused:
            if is_unused:
                shutil.rmtree(path, ignore_errors=True)
                all_bytes -= size
                gone.append(path)
    return gone


def _age_and_size(folder: Path, now_s: float) -> tuple[float, int]:
    """Seconds since anything was written below a folder, and all bytes there."""
    newest_s, size = folder.stat().st_mtime, 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            status = path.lstat()
            newest_s, size = max(newest_s, status.st_mtime), size + status.st_size
    return now_s - newest_s, size
