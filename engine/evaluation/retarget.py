"""Measure retargeting: how well results are made of their source's patches, beside what needs no patches at all.

Every picture is remade wider, taller and narrower; all methods make the same sizes. A result is measured as the program
would save it: whole levels of 8 bits. There is no truth to compare with, so the source itself is what is compared: are
the patches of the result from it, is every patch of it still there, are there as many of each as there were.

The instant method needs no weights. Where weights are named, the learned method is measured too; they learned one
picture, so its numbers mean something for that one alone.

Elsewhere: formulas in engine/patches/measures.py.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.corners import SIDE_LEAST_PX
from engine.edits import EditInputs, RetargetEdit
from engine.engine import Engine
from engine.errors import EvaluationError, PictureError
from engine.evaluation.options import EvaluateOptions
from engine.evaluation.pictures import pick_files, read_fitted
from engine.evaluation.table import Evaluation, Figure, Measure, Method, Row, Skipped
from engine.evaluation.tally import Tally
from engine.patches.measures import measure
from engine.progress import CancelCheck, Progress, ProgressCallback, stop_if_cancelled
from engine.training.sources import PictureFile

FAMILY = "retarget"
SHAPES: Mapping[str, tuple[float, float]] = {
    "wider": (1.0, 1.5),
    "taller": (1.5, 1.0),
    "narrower": (1.0, 0.6),
}
"""How many times as high and as wide, by the name of the bin."""
SIDE_MOST_PX = 4096
"""Of a picture that is measured, and of what is made of it: its patches are compared with all others."""
TITLES = {
    "wider": "Half as wide again",
    "taller": "Half as high again",
    "narrower": "Three fifths of the width",
    "all": "All shapes",
}

Pixels = NDArray[np.uint8]

_MEASURES = (
    Measure("coherence", "coherence", False, 4, "how far the result's patches are from anything in the source"),
    Measure("completeness", "completeness", False, 4, "how far the source's patches are from anything in the result"),
    Measure("sliced_wasserstein", "patch distribution", False, 4, "sliced Wasserstein distance of all patches"),
    Measure("seconds", "seconds", False, 2, "for one result on this machine, without loading"),
)  # fmt: skip
_INSTANT = Method("instant", "instant", "product", "patches of the picture put together anew")
_LEARNED = Method("learned", "learned", "product", "networks that learned one picture")
_RESIZE = Method("resize", "plain resize", "baseline", "Lanczos; everything is drawn out")
_CROP = Method(
    "crop", "crop or mirror", "baseline", "the middle is cut out; where there is too little, mirrored"
)


def evaluate(
    options: EvaluateOptions, report: ProgressCallback | None, should_stop: CancelCheck | None
) -> Evaluation:
    """Measure retargeting; called through `engine.evaluation.evaluate`, which says what is raised."""
    _check(options)
    started = time.perf_counter()
    skipped: list[Skipped] = []
    files = pick_files(options, skipped)
    methods = (_INSTANT, *((_LEARNED,) if options.weights else ()), _RESIZE, _CROP)
    tally = Tally(tuple(SHAPES), {"all": tuple(SHAPES)})
    figures: list[Figure] = []
    used: dict[str, Any] | None = None
    notes: dict[str, None] = {}
    pictures = 0
    figure_step = max(1, len(files) // max(1, options.figures))
    with closing(Engine(device=options.device)) as engine:
        for number, file in enumerate(files):
            try:
                image = _read(file, options)
            except (PictureError, OSError) as error:
                skipped.append(Skipped(file.name, str(error)))
                continue
            pictures += 1
            for place, (shape, factors) in enumerate(SHAPES.items()):
                stop_if_cancelled(should_stop)
                if report is not None:
                    share = (number + place / len(SHAPES)) / len(files)
                    report(Progress(share, f"picture {number + 1} of {len(files)}, {shape}"))
                size_hw = _shaped(image, factors)
                made: dict[str, Pixels] = {}
                for method in methods:
                    begun = time.perf_counter()
                    if method.path == "product":
                        result = engine.run(_edit(options, method.key, size_hw), EditInputs(image))
                        made[method.key] = result.image
                        used = result.report["weights"] or used
                        notes |= dict.fromkeys(result.report["notes"])
                    else:
                        made[method.key] = _BASELINES[method.key](image, size_hw)
                    seconds = time.perf_counter() - begun
                    tally.add(method.key, shape, {**_scores(image, made[method.key]), "seconds": seconds})
                if place == 0 and len(figures) < options.figures and number % figure_step == 0:
                    titles = {method.key: method.title for method in methods}
                    panels = {"source": image, **{titles[key]: one for key, one in made.items()}}
                    figures.append(Figure(f"{file.name}, {shape}", _on_one_canvas(panels)))
    if not pictures:
        shown = "; ".join(f"{item.name}: {item.reason}" for item in skipped[:3])
        raise EvaluationError("data", "at least one whole picture", f"none ({shown})", "name other data")
    if report is not None:
        report(Progress(1.0, "table"))
    return Evaluation(
        family=FAMILY,
        protocol=options.protocol,
        measures=_MEASURES,
        methods=methods,
        rows=_rows(tally, methods),
        pictures=pictures,
        skipped=tuple(skipped),
        settings=_settings(options, used),
        notes=(*_notes(options), *notes),
        seconds=time.perf_counter() - started,
        figures=tuple(figures),
        bin_titles=TITLES,
    )


def _check(options: EvaluateOptions) -> None:
    if options.protocol != "house":
        hint = "its authors published no numbers"
        raise EvaluationError("protocol", f"house for {FAMILY}", repr(options.protocol), hint)
    if options.features is not None:
        hint = "patches are compared with those of the picture itself, leave it out"
        raise EvaluationError("features", f"none for {FAMILY}", str(options.features), hint)


def _read(file: PictureFile, options: EvaluateOptions) -> Pixels:
    image = read_fitted(file, options)
    h, w = image.shape[:2]
    if max(h, w) > SIDE_MOST_PX:
        raise PictureError("picture", f"sides of at most {SIDE_MOST_PX} px", f"{w}x{h}", "it is left out")
    return image


def _shaped(image: Pixels, factors: tuple[float, float]) -> tuple[int, int]:
    """The new size, kept within what can be made."""
    sides = (round(side * factor) for side, factor in zip(image.shape, factors, strict=False))
    h, w = (min(max(side, SIDE_LEAST_PX), SIDE_MOST_PX) for side in sides)
    return h, w


def _edit(options: EvaluateOptions, method: str, size_hw: tuple[int, int]) -> RetargetEdit:
    return RetargetEdit(
        method="learned" if method == _LEARNED.key else "instant",
        weights=options.weights if method == _LEARNED.key else "",
        target_size_hw=size_hw,
        quality=options.quality,
        seed=options.seed,
    )


def _scores(source: Pixels, result: Pixels) -> dict[str, float]:
    found = measure(source / np.float32(255), result / np.float32(255))
    return {
        "coherence": found.coherence,
        "completeness": found.completeness,
        "sliced_wasserstein": found.sliced_wasserstein,
    }


def resized(image: Pixels, size_hw: tuple[int, int]) -> Pixels:
    """The picture drawn out to another size."""
    return np.asarray(Image.fromarray(image).resize(size_hw[::-1], Image.Resampling.LANCZOS))


def cropped(image: Pixels, size_hw: tuple[int, int]) -> Pixels:
    """The middle of the picture; where it is too small, continued by mirroring."""
    grown = image
    for axis in (0, 1):
        missing = max(size_hw[axis] - image.shape[axis], 0)
        sides = [(0, 0)] * 3
        sides[axis] = (missing // 2, missing - missing // 2)
        grown = np.pad(grown, sides, mode="symmetric")
    top, left = ((grown.shape[axis] - size_hw[axis]) // 2 for axis in (0, 1))
    return np.ascontiguousarray(grown[top : top + size_hw[0], left : left + size_hw[1]])


_BASELINES = {_RESIZE.key: resized, _CROP.key: cropped}


def _on_one_canvas(panels: Mapping[str, Pixels]) -> dict[str, Pixels]:
    """Panels at one scale: each at the top left of a white canvas that holds the largest."""
    height, width = (max(panel.shape[axis] for panel in panels.values()) for axis in (0, 1))
    shown = {}
    for name, panel in panels.items():
        canvas = np.full((height, width, 3), 255, np.uint8)
        canvas[: panel.shape[0], : panel.shape[1]] = panel
        shown[name] = canvas
    return shown


def _rows(tally: Tally, methods: Sequence[Method]) -> tuple[Row, ...]:
    return tuple(
        Row(method.key, name, cell.count, {one.key: cell.mean(one.key) for one in _MEASURES})
        for method in methods
        for name, cell in tally.cells(method.key)
    )


def _settings(options: EvaluateOptions, weights: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "data": [str(source) for source in options.data],
        "subset": options.subset,
        "weights": weights,
        "quality": options.quality,
        "device": options.device,
        "limit": options.limit,
        "seed": options.seed,
        "size_px": options.size,
    }


def _notes(options: EvaluateOptions) -> tuple[str, ...]:
    size = f"middle square resized to {options.size} px" if options.size else "own size"
    shapes = ", ".join(f"{name} {w:g}x{h:g}" for name, (h, w) in SHAPES.items())
    return (
        f"Pictures: {size}. Shapes (times width x times height): {shapes}.",
        "All distances are to the source picture and best at 0.",
        "Crop or mirror is there as a bound: what it shows is the picture's own, cut off or turned round, and patches "
        "alone cannot tell that nothing was arranged anew.",
    )
