"""Remake ten real pictures, and compare with a plain resize and seam carving.

    python tests/benchmarks/bench_retarget.py [--side 256] [--sheet FOLDER] [--threads N]

For each picture at twice the width, half the width and one and a half times the height: processor seconds, coherence,
completeness and sliced Wasserstein distance in thousandths (0 is best; see engine/patches/measures.py). A line that is
not better than both baselines in all three ends with the names of the measures that are not. The last line of a picture
is its mean over the three shapes. With --sheet, source, remade, resized and carved pictures are laid side by side, for
looking at.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import cv2
import numpy as np
import torch
from skimage import data

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/engine/patches")]

from seam_carving import carve  # noqa: E402

from engine.edits import RetargetSettings  # noqa: E402
from engine.patches.measures import measure  # noqa: E402
from engine.patches.pyramid import resize  # noqa: E402
from engine.patches.remake import remake  # noqa: E402
from engine.progress import Steps  # noqa: E402

NAMES = (
    "brick",
    "grass",
    "gravel",
    "coffee",
    "astronaut",
    "chelsea",
    "rocket",
    "motorcycle",
    "hubble_deep_field",
    "coins",
)
SHAPES = {"wide": (1.0, 2.0), "half": (1.0, 0.5), "tall": (1.5, 1.0)}
MEASURES = ("coherence", "completeness", "wasserstein")
Rows = np.ndarray | Sequence[Sequence[float]]


def load(name: str, side: int) -> np.ndarray:
    """One bundled photograph as (H, W, 3) float32 RGB, its longer side at most ``side``."""
    if name == "motorcycle":  # read here: the packaged reader wants the disparities too
        path = Path(data.__file__).parent / "motorcycle_left.png"
        found = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    else:
        found = getattr(data, name)()
    if found.ndim == 2:
        found = np.repeat(found[..., None], 3, 2)
    image = found[..., :3].astype(np.float32) / 255
    scale = min(1.0, side / max(image.shape[:2]))
    return resize(image, (round(image.shape[0] * scale), round(image.shape[1] * scale)))


def table(rows: Rows) -> str:
    """The measures of the remade, the resized and the carved picture."""
    return "   ".join(" ".join(f"{1000 * value:6.1f}" for value in row) for row in rows)


def lost_by(rows: Rows) -> list[str]:
    """The measures in which the first row is not below both others."""
    ours, *others = rows
    best = np.min(others, 0)
    return [word for word, mine, its in zip(MEASURES, ours, best, strict=True) if mine >= its]


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def beside(pictures: list[np.ndarray]) -> np.ndarray:
    height = max(picture.shape[0] for picture in pictures)
    padded = [
        np.pad(picture, ((0, height - picture.shape[0]), (0, 6), (0, 0)), constant_values=1)
        for picture in pictures
    ]
    return np.concatenate(padded, 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pictures", nargs="*", default=NAMES)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    won, won_on_average = 0, 0
    say(f"{'':24}{'s':>6}  {'remade':^20}   {'resized':^20}   {'carved':^20}")
    for name in options.pictures:
        image = load(name, options.side)
        rows, found = [], []
        for shape, (down, across) in SHAPES.items():
            size = (round(image.shape[0] * down), round(image.shape[1] * across))
            start = time.process_time()
            made = remake(
                image,
                size,
                device=torch.device("cpu"),
                steps=Steps(1, None, None),
                completeness=RetargetSettings().completeness,
            ).image
            seconds = time.process_time() - start
            others = [resize(image, size), carve(image, size)]
            ours, resized, carved = (measure(image, picture) for picture in (made, *others))
            found.append([astuple(scores) for scores in (ours, resized, carved)])
            lost = lost_by(found[-1])
            won += not lost
            say(f"{name:18}{shape:6}{seconds:6.1f}  {table(found[-1])}  {', '.join(lost)}")
            rows.append(beside([image, made, *others]))
        mean = np.mean(found, 0)
        won_on_average += not lost_by(mean)
        say(f"{name:18}{'mean':12}  {table(mean)}  {', '.join(lost_by(mean))}")
        if options.sheet is not None:
            options.sheet.mkdir(parents=True, exist_ok=True)
            width = max(row.shape[1] for row in rows)
            sheet = np.concatenate(
                [np.pad(row, ((0, 6), (0, width - row.shape[1]), (0, 0)), constant_values=1) for row in rows]
            )
            cv2.imwrite(str(options.sheet / f"{name}.png"), np.rint(sheet[..., ::-1] * 255).astype(np.uint8))
    count = len(options.pictures)
    say(
        f"better in all three: {won} of {count * len(SHAPES)}; on average over shapes {won_on_average} of {count}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
