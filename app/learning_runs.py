"""Where a picture is learned: a folder of its own in the user's cache, named by the picture's digest.

Whoever opens the same picture again finds it there and can go on. No Qt.

Elsewhere: who asks in learning.py, the process that writes there in learning_child.py, who uses one in learning_holds.py.
"""

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.folders import cache_folder
from app.learned_weights import CARRIED_NAME, WEIGHTS_NAME, Kept, is_same_file, kept_of
from app.learning_holds import LEARNED_NAME, SHOWN_NAME, unused
from engine.bounds import JSON_LIMIT_BYTES, read_json
from engine.errors import EngineError
from engine.png_writer import SIGNATURE as _PNG
from engine.private import (
    Kind,
    PlaceError,
    files_of,
    is_folder,
    open_private,
    part_kind,
    private_folder,
    read_private,
    remove_files,
    remove_folder,
)

SO_FAR_NAME = "being-learned.safetensors"
UNTOUCHED_DAYS = 90
"""A folder that nobody learned in for so long goes; what was kept is among the weights."""
ALL_BYTES = 8 << 30
"""Of all folders together; beyond this, those that were left longest go."""
FRESH_S = 24 * 3600.0
"""Nothing younger than this goes: it may be another window's."""
LOG_NAME = "learning.log"
CHECKPOINTS = "checkpoints"
_CHECKPOINT = re.compile(r"step-(\d{9})\.pt")
_FOLDER = re.compile(r"[0-9a-f]{32}")
_JSON, _ZIP = b"{", b"PK\3\4"
KINDS: Mapping[str, tuple[Kind, ...]] = {
    "previews": (Kind.of(r"[\w-]+\.png", _PNG), part_kind(_PNG)),
    CHECKPOINTS: (Kind(_CHECKPOINT, (_ZIP,)), part_kind(_ZIP)),
    CARRIED_NAME: (Kind.of(re.escape(WEIGHTS_NAME), _JSON, offset=8), part_kind(_JSON, offset=8)),
    "": (
        Kind.of(r"(picture|snapshot|film|before-after)\.png", _PNG),
        Kind.of(r"options\.json|metrics\.jsonl", _JSON),
        Kind.of(r"[\w-]+\.safetensors", _JSON, offset=8),
        Kind.of(re.escape(LOG_NAME), b""),
        Kind.of(f"{LEARNED_NAME}|{SHOWN_NAME}"),
        part_kind(_PNG, _JSON),
        part_kind(_JSON, offset=8),
    ),
}
"""What is written in a run's folder, by the folder below it; the run's own is last."""


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
        PlaceError: if a link or another user's folder has the place.
        OSError: if the folder cannot be made.
    """
    from engine.format_fit import as_rgb8
    from engine.pictures import Picture, picture_sha256, write_picture

    digest = picture_sha256(pixels)
    run = Run(digest, cache_folder() / "learning" / digest[:32])
    if is_written:
        private_folder(cache_folder(), "learning", run.folder.name)
        _refuse_links(run.folder)
        for below in filter(None, KINDS):
            if is_folder(run.folder / below):
                private_folder(run.folder, below)
        for below, kinds in KINDS.items():  # looking at a file narrows its rights
            files_of(run.folder / below, kinds)
        path = run.folder / "picture.png"
        open_private(path, "ab").close()  # what is written over it keeps its rights
        write_picture(Picture(as_rgb8(pixels), "RGB"), path)  # each time: what lies there may be damaged
        clear_up(run.folder)
    with suppress(EngineError):  # a list of weights that is damaged is told where one chooses from it
        kept = kept_of(digest)
        run = replace(run, kept=kept)
    run = found_in(run)
    if run.kept is not None:
        run = replace(run, is_all_kept=not run.step or is_same_file(run.weights, run.kept))
    return run


def _refuse_links(folder: Path) -> None:
    """A training writes where it is told to, through links as well: it gets no folder that has any.

    Raises:
        PlaceError: if there is one.
    """
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise PlaceError(path, "a file or folder", "a link", "move it away; the program makes its own")


def found_in(run: Run) -> Run:
    """The run with what its folder holds now."""
    numbers = [0]
    steps = 0
    with suppress(OSError, ValueError, KeyError, TypeError, OverflowError):
        found = [_CHECKPOINT.fullmatch(path.name) for path in (run.folder / CHECKPOINTS).iterdir()]
        numbers += [int(one[1]) for one in found if one is not None]
        options = read_json(read_private(run.folder / "options.json", JSON_LIMIT_BYTES))
        steps = int(options["train"]["steps"])
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
        folders = [path for path in mine.parent.iterdir() if _is_run(path)]
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
            if is_unused and _remove(path):
                all_bytes -= size
                gone.append(path)
    return gone


def _is_run(folder: Path) -> bool:
    """Whether a folder is one of ours by its name, and holds anything of ours."""
    is_named = is_folder(folder) and bool(_FOLDER.fullmatch(folder.name))
    return is_named and any(files_of(folder / below, kinds) for below, kinds in KINDS.items())


def _remove(folder: Path) -> bool:
    """Remove what was written in a run's folder; whether nothing foreign keeps it."""
    return [remove_folder(folder / below, kinds) for below, kinds in KINDS.items()][-1]


def begin_anew(folder: Path) -> None:
    """Remove the checkpoints of a run, whatever they hold: none can be read."""
    kinds = [Kind(kind.name, (b"",)) for kind in KINDS[CHECKPOINTS]]
    remove_files(folder / CHECKPOINTS, kinds)


def _age_and_size(folder: Path, now_s: float) -> tuple[float, int]:
    """Seconds since anything was written below a folder, and all bytes there."""
    newest_s, size = folder.stat().st_mtime, 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            status = path.lstat()
            newest_s, size = max(newest_s, status.st_mtime), size + status.st_size
    return now_s - newest_s, size
