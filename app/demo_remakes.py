"""The pictures of the demo that are remade at another shape: the table, the runs, the rows of the sheet."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.edit_runs import recipe_text
from app.eight_bits import as_rgb8, as_rgba8
from app.errors import ResourceError
from app.options import Work
from app.run_retarget import mode_with
from app.sheet import ShapeRow
from engine.edits import EditInputs, RetargetEdit
from engine.pictures import Picture, read_mask, read_picture, write_picture
from engine.progress import Progress

if TYPE_CHECKING:
    from engine.engine import Engine, Result


@dataclass(frozen=True)
class Remake:
    """A bundled picture and its new shape."""

    name: str
    picture: Path
    title: str
    shape: dict[str, Any]
    """``target_size_hw`` or ``corners_xy`` of the edit."""
    lock: Path | None
    weights: str
    """Of a network that learned the picture; empty = the instant method."""


def read_remakes(folder: Path) -> tuple[Remake, ...]:
    """Read the table of pictures to be remade; none where it has none.

    Args:
        folder: where `samples.toml` and its pictures lie.

    Raises:
        ResourceError: if one of its files is missing.
    """
    rows = tomllib.loads((folder / "samples.toml").read_text(encoding="utf-8")).get("remake", [])
    remakes = tuple(
        Remake(
            row["name"],
            folder / row["picture"],
            row["title"],
            {"target_size_hw": row["size_wh"][::-1]}
            if "size_wh" in row
            else {"corners_xy": row["corners_xy"]},
            folder / row["lock"] if "lock" in row else None,
            row.get("weights", ""),
        )
        for row in rows
    )
    for path in (path for remake in remakes for path in (remake.picture, remake.lock)):
        if path is not None and not path.is_file():
            raise ResourceError(path, "a bundled picture", "no file", "install pentimento again")
    return remakes


def run_remakes(
    engine: "Engine", remakes: Sequence[Remake], work: Work, out_dir: Path, show: Callable[[float, str], None]
) -> tuple[list[dict[str, Any]], list[ShapeRow]]:
    """Remake every picture and write it as PNG.

    Args:
        engine: where to run.
        remakes: the pictures.
        work: quality and seed; each picture names its own weights, if any.
        out_dir: folder of the results.
        show: told the share done and a word.

    Returns:
        A report and a row of the sheet for each.
    """
    answers, rows = [], []
    for place, remake in enumerate(remakes):

        def tell(step: Progress, done: int = place, name: str = remake.name) -> None:
            show((done + step.share) / len(remakes), f"{name}: {step.word}")

        picture = read_picture(remake.picture)
        size_hw = (picture.pixels.shape[0], picture.pixels.shape[1])
        lock = None if remake.lock is None else read_mask(remake.lock, size_hw=size_hw)
        method = "learned" if remake.weights else "instant"
        edit = RetargetEdit(
            method=method, weights=remake.weights, quality=work.quality, seed=work.seed, **remake.shape
        )
        result = engine.run(edit, EditInputs(picture.pixels, lock=lock), progress=tell)
        before, after = (out_dir / f"{remake.name}-{kind}.png" for kind in ("own-shape", "new-shape"))
        write_picture(picture, before)
        mode = mode_with(picture.mode, has_alpha=edit.corners_xy is not None)
        made = replace(picture, pixels=result.image, mode=mode)
        write_picture(made, after, text=recipe_text(edit, result.report))
        answers.append({"sample": remake.name, "before": str(before), "after": str(after), **result.report})
        rows.append(_row(remake, picture, lock, result))
    return answers, rows


def _row(remake: Remake, picture: Picture, lock: np.ndarray | None, result: "Result") -> ShapeRow:
    (h, w), (new_h, new_w) = picture.pixels.shape[:2], result.image.shape[:2]
    seconds = result.report["seconds"]["total"]
    return ShapeRow(
        title=remake.title,
        change=f"{w} x {h} px to {new_w} x {new_h} px"
        + (", what is tinted is locked" if lock is not None else ""),
        figures=f"{seconds:.1f} s on {result.report['device']}",
        before=as_rgb8(picture.pixels),
        after=as_rgba8(result.image),
        lock=np.zeros((h, w), np.bool_) if lock is None else lock > 0,
    )
