"""Fill one 256-px hole in a fresh process and say what it took; run by bench_pipeline.py.

Usage: one_run.py WEIGHTS WIDTH HEIGHT QUALITY. Answers one JSON object. Memory is told over idle: everything imported,
the picture decoded, nothing run yet.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HOLE_PX = 256


@dataclass(frozen=True)
class Resolved:
    path: Path
    name: str
    sha256: str = "0" * 64
    licence: str = ""


class OneFile:
    """A store that knows one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def resolve(self, name: str, family: str, *, picture: str = "") -> Resolved:
        return Resolved(self._path, "bench")


def photo(width: int, height: int) -> np.ndarray:
    """A picture whose middle does not depend on its size: (H, W, 3) uint8."""
    y = (np.arange(height) - height // 2)[:, None]
    x = (np.arange(width) - width // 2)[None, :]
    waves = [np.sin(x / 37) + np.cos(y / 23), np.sin((x + y) / 51), np.cos((x - 2 * y) / 71)]
    return np.stack(
        [(wave * 50 + 128).astype(np.uint8) + np.zeros((height, width), np.uint8) for wave in waves], -1
    )


def hole_at(width: int, height: int, shift_px: int) -> np.ndarray:
    """A square hole near the middle, (H, W) uint8."""
    mask = np.zeros((height, width), np.uint8)
    top, left = height // 2 - HOLE_PX // 2, width // 2 - HOLE_PX // 2 + shift_px
    mask[top : top + HOLE_PX, left : left + HOLE_PX] = 255
    return mask


def memory_bytes(key: str) -> int:
    """``VmRSS`` or ``VmHWM`` of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


def main() -> None:
    from engine.edits import EditInputs, InpaintEdit
    from engine.engine import Engine

    weights, width, height, quality = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    engine = Engine(device="cpu", weights=OneFile(weights))
    inputs = EditInputs(photo(width, height), hole_at(width, height, 0))
    # A tiny job first: imports and networks belong to idle, the picture does too.
    small = EditInputs(photo(64, 64), np.pad(np.full((16, 16), 255, np.uint8), 24))
    engine.run(InpaintEdit(quality=quality), small)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from now
    idle = memory_bytes("VmRSS")
    start = time.perf_counter()
    result = engine.run(InpaintEdit(quality=quality), inputs)
    seconds = time.perf_counter() - start
    peak = memory_bytes("VmHWM") - idle
    sys.stdout.write(
        json.dumps({"seconds": seconds, "peak_over_idle": peak, "phases": result.report["seconds"]})
    )


if __name__ == "__main__":
    main()
