"""Where a picture is learned: a folder of its own in the user's cache, named by the picture's digest.

Whoever opens the same picture again finds it there and can go on. No Qt.

Elsewhere: who asks in learning.py, the process that writes there in learning_child.py.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from app.folders import cache_folder

WEIGHTS_NAME = "retarget.safetensors"
SO_FAR_NAME = "being-learned.safetensors"
_CHECKPOINT = re.compile(r"step-(\d{9})\.pt")


@dataclass(frozen=True)
class Run:
    """The folder of one picture."""

    digest: str
    folder: Path
    step: int = 0
    """Steps that are saved there."""
    steps: int = 0

    @property
    def weights(self) -> Path:
        """What was learned last."""
        return self.folder / WEIGHTS_NAME

    @property
    def previews(self) -> list[Path]:
        """Looks at what was learned, in their order."""
        return sorted((self.folder / "previews").glob("*.png"), key=lambda path: path.stem[-7:])


def prepare(pixels: np.ndarray, *, is_written: bool) -> Run:
    """Name a picture, write it into its folder, and see how far it was learned.

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
    return found_in(run)


def found_in(run: Run) -> Run:
    """The run with what its folder holds now."""
    import json

    numbers = [0]
    steps = 0
    with suppress(OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        found = [_CHECKPOINT.fullmatch(path.name) for path in (run.folder / "checkpoints").iterdir()]
        numbers += [int(one[1]) for one in found if one is not None]
        steps = int(json.loads((run.folder / "options.json").read_text(encoding="utf-8"))["train"]["steps"])
    return replace(run, step=max(numbers) if steps > 0 else 0, steps=max(steps, 0))


def kept_name(document_name: str, digest: str) -> str:
    """What a learned picture is called among the weights: its document, and so much of its digest that it is the only one."""
    words = re.sub(r"[^a-z0-9]+", "-", Path(document_name).stem.lower()).strip("-")[:40].strip("-")
    return f"{words or 'picture'}-{digest[:10]}"
