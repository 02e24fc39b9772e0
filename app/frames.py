"""A sequence of pictures from a picture's own shape to a new one: planned, remade one after the other, written.

Every frame is an edit of its own between the two shapes, remade from the picture itself and not from the frame before.
All lie on one canvas that holds the largest, so that nothing jumps; what no frame covers is transparent.

Three ways to write them, by the name: ``.gif`` and ``.webp`` are one moving picture, ``.png`` is a row of numbered files
beside each other, a name without ending is a folder of them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image

from app.eight_bits import as_rgba8
from app.errors import OutputError, UsageError
from app.outputs import check_folder, check_output
from engine.atomic import write_atomically
from engine.corners import Corners
from engine.edits import EditInputs, RetargetEdit
from engine.errors import PictureError
from engine.pictures import Picture, write_picture
from engine.progress import Progress

if TYPE_CHECKING:
    from engine.engine import Engine

MOVING_ENDINGS = frozenset({".gif", ".webp"})
NUMBERED_ENDING = ".png"
FRAME_MS = 80
FRAMES_MOST = 1000
FRAMES_BYTES_MOST = 2 << 30
"""Of all frames together: they are held in memory until they are written."""
LAST_MS = 1200
"""The first and the last frame stay longer: they are what is compared."""


@dataclass(frozen=True)
class Frame:
    """One picture of a sequence."""

    edit: RetargetEdit
    left: int
    top: int
    """Where it lies on the canvas, in px."""


@dataclass(frozen=True)
class Frames:
    """A sequence."""

    frames: tuple[Frame, ...]
    canvas_hw: tuple[int, int]


@dataclass(frozen=True)
class FrameFiles:
    """Where a sequence goes."""

    paths: tuple[Path, ...]
    """One moving picture, or one file a frame."""
    count: int

    @classmethod
    def at(cls, out: Path, count: int) -> "FrameFiles":
        """Find the files that a name stands for, and look at their place; a folder is made when there is something to put into it.

        Raises:
            OutputError: if the ending says no way to write frames, or the place cannot take them.
        """
        ending = out.suffix.lower()
        if not ending:
            there = out
            while not there.exists() and there != there.parent:
                there = there.parent
            check_folder(there, "--out")
            return cls(tuple(out / f"frame-{name}.png" for name in _numbers(count)), count)
        if ending == NUMBERED_ENDING:
            check_output(out, "--out", endings=frozenset({NUMBERED_ENDING}))
            return cls(tuple(out.with_name(f"{out.stem}-{name}.png") for name in _numbers(count)), count)
        if ending not in MOVING_ENDINGS:
            expected = "a name ending in .gif, .webp or .png, or a folder"
            hint = ".png writes numbered files, a name without ending a folder of them"
            raise OutputError("--out", expected, f"'{out.name}'", hint)
        check_output(out, "--out", endings=MOVING_ENDINGS)
        return cls((out,), count)


def plan_frames(edit: RetargetEdit, size_hw: tuple[int, int], count: int) -> Frames:
    """Lay out the shapes between a picture's own and the one that is asked for.

    Args:
        edit: the last frame.
        size_hw: of the picture.
        count: 2 or more.

    Raises:
        pydantic.ValidationError: if a shape on the way cannot be.
        UsageError: if all together are too large to be held.
    """
    start = _rectangle(size_hw)
    end = edit.corners_xy or _rectangle(edit.result_hw)
    found: list[tuple[RetargetEdit, tuple[float, float]]] = []
    for place in range(count):
        share = place / (count - 1)
        corners = tuple(
            (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share)
            for (x0, y0), (x1, y1) in zip(start, end, strict=True)
        )
        left, top = min(x for x, _ in corners), min(y for _, y in corners)
        # Made anew and not copied, so that the shape is checked.
        values = edit.model_dump()
        if edit.corners_xy is None:
            values["target_size_hw"] = (round(corners[2][1]), round(corners[2][0]))
        else:
            values["corners_xy"] = corners
        found.append((RetargetEdit(**values), (left, top)))
    left, top = (min(origin[axis] for _, origin in found) for axis in (0, 1))
    frames = tuple(Frame(one, round(x - left), round(y - top)) for one, (x, y) in found)
    height = max(frame.top + frame.edit.result_hw[0] for frame in frames)
    width = max(frame.left + frame.edit.result_hw[1] for frame in frames)
    if (nbytes := count * height * width * 4) > FRAMES_BYTES_MOST:
        got = f"{count} frames of {width}x{height} px, {nbytes / 1e9:.1f} GB"
        expected = f"frames of {FRAMES_BYTES_MOST / 1e9:.1f} GB together"
        raise UsageError("--frames", expected, got, "ask for fewer, or make the picture smaller first")
    return Frames(frames, (height, width))


def run_frames(
    frames: Frames, inputs: EditInputs, files: FrameFiles, device: str, show: Callable[[float, str], None]
) -> dict[str, Any]:
    """Remake every frame on one engine, and write them.

    Args:
        frames: the sequence.
        inputs: of every frame.
        files: where they go.
        device: where to work.
        show: told the share done and a word.

    Returns:
        The last frame's report; seconds are those of all frames, notes are told once.
    """
    from engine.engine import Engine

    engine = Engine(device=device)
    try:
        pictures, reports = _run_all(engine, frames, inputs, show)
    finally:
        engine.close()
    show(1.0, "encode")
    if len(files.paths) == 1:
        _write_moving(pictures, files.paths[0])
    else:
        files.paths[0].parent.mkdir(parents=True, exist_ok=True)
        for picture, path in zip(pictures, files.paths, strict=True):
            write_picture(Picture(picture, "RGBA"), path)
    seconds = {"engine": round(math.fsum(report["seconds"]["total"] for report in reports), 4)}
    seconds["total"] = seconds["engine"]
    notes = list(dict.fromkeys(note for report in reports for note in report["notes"]))
    sizes = [list(frame.edit.result_hw[::-1]) for frame in frames.frames]
    return {**reports[-1], "seconds": seconds, "notes": notes, "frame_sizes_wh": sizes}


def _run_all(
    engine: "Engine", frames: Frames, inputs: EditInputs, show: Callable[[float, str], None]
) -> tuple[list[np.ndarray], list[dict[str, Any]]]:
    """(H, W, 4) uint8 canvases, and the reports."""
    pictures, reports = [], []
    count = len(frames.frames)
    for place, frame in enumerate(frames.frames):

        def tell(step: Progress, place: int = place) -> None:
            show((place + step.share) / count, f"frame {place + 1} of {count}: {step.word}")

        result = engine.run(frame.edit, inputs, progress=tell)
        canvas = np.zeros((*frames.canvas_hw, 4), np.uint8)
        h, w = result.image.shape[:2]
        canvas[frame.top : frame.top + h, frame.left : frame.left + w] = as_rgba8(result.image)
        pictures.append(canvas)
        reports.append(result.report)
    return pictures, reports


def _write_moving(pictures: Sequence[np.ndarray], path: Path) -> None:
    """One file that moves; a GIF has no half transparent pixels, a WebP keeps every value."""
    is_gif = path.suffix.lower() == ".gif"
    shown = [Image.fromarray(picture) for picture in pictures]
    durations = [LAST_MS, *[FRAME_MS] * (len(shown) - 2), LAST_MS]
    way: dict[str, Any] = {"disposal": 2} if is_gif else {"lossless": True, "exact": True}

    def write(file: BinaryIO) -> None:
        shown[0].save(
            file,
            format="GIF" if is_gif else "WEBP",
            save_all=True,
            append_images=shown[1:],
            duration=durations,
            loop=0,
            **way,
        )

    write_atomically(path, write, error_type=PictureError)


def _rectangle(size_hw: tuple[int, int]) -> Corners:
    h, w = size_hw
    return (0, 0), (w, 0), (w, h), (0, h)


def _numbers(count: int) -> list[str]:
    """From 1, with as many digits as the last needs, three at least: then they sort."""
    digits = max(len(str(count)), 3)
    return [f"{number:0{digits}}" for number in range(1, count + 1)]
