"""The `demo` command: remove something from bundled photos, remake others, and lay the results out on one sheet.

Elsewhere: the pictures that are remade in demo_remakes.py, the sheet in sheet.py.
"""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.console import Console
from app.demo_remakes import read_remakes, run_remakes
from app.edit_runs import recipe_text
from app.eight_bits import as_rgb8
from app.errors import DONE, ResourceError
from app.options import Work
from app.outputs import check_folder
from app.resources import resources_dir
from app.sheet import Row, draw_sheet
from engine.edits import EditInputs, InpaintEdit
from engine.pictures import Picture, read_mask, read_picture, write_picture
from engine.progress import Progress

if TYPE_CHECKING:
    from engine.engine import Engine, Result

SHEET_NAME = "sheet.png"


@dataclass(frozen=True)
class Sample:
    """A bundled photo and what is unwanted in it."""

    name: str
    picture: Path
    mask: Path
    title: str
    removed: str


def read_samples(folder: Path) -> tuple[Sample, ...]:
    """Read the table of samples.

    Args:
        folder: where `samples.toml` and its pictures lie.

    Raises:
        ResourceError: if the table or one of its files is missing.
    """
    table = folder / "samples.toml"
    if not table.is_file():
        raise ResourceError(table, "the table of samples", "no file", "install pentimento again")
    rows = tomllib.loads(table.read_text(encoding="utf-8"))["sample"]
    samples = tuple(
        Sample(row["name"], folder / row["picture"], folder / row["mask"], row["title"], row["removed"])
        for row in rows
    )
    for path in (path for sample in samples for path in (sample.picture, sample.mask)):
        if not path.is_file():
            raise ResourceError(path, "a bundled picture", "no file", "install pentimento again")
    return samples


def run_demo(out_dir: Path, work: Work) -> int:
    """Run every sample and write results and sheet.

    Args:
        out_dir: folder of the results; made if it is not there.
        work: weights, quality, device and seed for every sample.

    Returns:
        The exit code.
    """
    console = work.console()
    folder = resources_dir() / "samples"
    samples, remakes = read_samples(folder), read_remakes(folder)
    out_dir.mkdir(parents=True, exist_ok=True)
    check_folder(out_dir, "--out")
    edit = InpaintEdit(weights=work.weights, quality=work.quality, seed=work.seed)
    from engine.engine import Engine

    rows: list[Row] = []
    answers: list[dict[str, Any]] = []
    first = len(samples) / (len(samples) + len(remakes))
    engine = Engine(device=work.device)
    try:
        with console.progress("demo") as show:
            for sample, result, row in _run_samples(
                engine, samples, edit, out_dir, lambda share, word: show(first * share, word)
            ):
                rows.append(row)
                answers.append({"sample": sample.name, **result})
            remade, shape_rows = run_remakes(
                engine, remakes, work, out_dir, lambda share, word: show(first + (1 - first) * share, word)
            )
            show(1.0, "sheet")
            subtitle = "what was removed, the edges that guided the fill, and the result"
            sheet = draw_sheet(rows, subtitle=subtitle, remade=shape_rows)
            sheet_path = out_dir / SHEET_NAME
            write_picture(Picture(np.asarray(sheet), "RGB"), sheet_path)
    finally:
        engine.close()

    said = [f"removed: {sample.removed}" for sample in samples] + [row.change for row in shape_rows]
    _tell(console, [*answers, *remade], said, sheet_path)
    return DONE


def _run_samples(
    engine: "Engine",
    samples: tuple[Sample, ...],
    edit: InpaintEdit,
    out_dir: Path,
    show: Callable[[float, str], None],
) -> Iterator[tuple[Sample, dict[str, Any], Row]]:
    """Run one sample after the other; yields what was written, the report and the sheet's row."""
    for index, sample in enumerate(samples):

        def tell(step: Progress, done: int = index, name: str = sample.name) -> None:
            show((done + step.share) / len(samples), f"{name}: {step.word}")

        picture = read_picture(sample.picture)
        mask = read_mask(sample.mask, size_hw=picture.pixels.shape[:2])
        result = engine.run(edit, EditInputs(image=picture.pixels, mask=mask), progress=tell)
        files = _write_files(out_dir, sample, picture, result, edit)
        yield sample, {**files, **result.report}, _row(sample, picture, mask, result)


def _write_files(
    out_dir: Path, sample: Sample, picture: Picture, result: "Result", edit: InpaintEdit
) -> dict[str, str]:
    """Write before, edges and after as PNG; returns what was written by kind."""
    paths = {kind: out_dir / f"{sample.name}-{kind}.png" for kind in ("before", "edges", "after")}
    write_picture(picture, paths["before"])
    write_picture(Picture(result.edges, "L"), paths["edges"])
    after = replace(picture, pixels=result.image)
    write_picture(after, paths["after"], text=recipe_text(edit, result.report))
    return {kind: str(path) for kind, path in paths.items()}


def _row(sample: Sample, picture: Picture, mask: np.ndarray, result: "Result") -> Row:
    height, width = mask.shape
    seconds = result.report["seconds"]["total"]
    figures = f"{width} x {height} px · {seconds:.1f} s on {result.report['device']}"
    return Row(
        title=sample.title,
        removed=sample.removed,
        figures=figures,
        before=as_rgb8(picture.pixels),
        after=as_rgb8(result.image),
        hole=mask > 0,
        edges=result.edges,
    )


def _tell(console: Console, answers: list[dict[str, Any]], said: list[str], sheet_path: Path) -> None:
    width = max(len(answer["sample"]) for answer in answers)
    for answer, words in zip(answers, said, strict=True):
        seconds = answer["seconds"]["total"]
        console.say(f"{answer['sample']:{width}}  {seconds:5.1f} s  {answer['after']}  ({words})")
    console.say(f"{'sheet':{width}}           {sheet_path}")
    console.answer({"output": str(sheet_path), "samples": answers})
