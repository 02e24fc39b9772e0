"""The window: pen to pixel, opening a large photo, undo, autosave, memory after many strokes, cold start.

All of it offscreen and in one thread, so what is measured is our own work and Qt's raster engine, not a compositor.
A stroke is made of real mouse events; its time runs from handing Qt the event until the repaint it caused is done. Beside
the time on the clock stands the thread's own time, which leaves out when other programs had the processor.
"""

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from app.canvas.tools.brush import BrushTool
from app.canvas.tools.context import ToolContext
from app.canvas.view import CanvasView
from app.document.document import Document
from app.document.journal import Journal
from app.document.recovery import journal_for
from engine.pictures import Picture, read_picture

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # read when the application is made, not on import
pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).resolve().parents[2]
VIEW_WH = (1600, 1000)
MOVES = 200
PEN_TARGET_MS = {300: 16, 2000: 50}
STROKES = 500
COLD_ROUNDS = 7


@pytest.fixture
def view(qapp) -> Iterator[CanvasView]:
    view = CanvasView()
    view.resize(*VIEW_WH)
    view.show()
    qapp.processEvents()
    yield view
    view.set_document(None)
    view.close()
    view.deleteLater()


def document_of(side_px: int) -> Document:
    """A square photo with something to see everywhere."""
    wave = np.sin(np.arange(side_px) / 37)[:, None] + np.cos(np.arange(side_px) / 23)[None, :]
    channel = (wave * 60 + 128).astype(np.uint8)
    return Document.from_picture(Picture(np.dstack([channel, channel[::-1], channel.T]), "RGB"), name="bench")


def brush_on(view: CanvasView, document: Document, size_px: float) -> ToolContext:
    context = ToolContext(lambda: document)
    context.set_brush("mask", size_px=size_px)
    view.set_document(document)
    view.set_tool(BrushTool(context))
    QApplication.processEvents()
    return context


class Took(NamedTuple):
    """Seconds on the clock, and of this thread alone."""

    wall_s: float
    own_s: float


def send(view: CanvasView, kind: QEvent.Type, x: float, y: float) -> Took:
    """From the event to the end of the repaint that it caused."""
    button = Qt.MouseButton.LeftButton
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else button
    caused_by = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else button
    at = QPointF(x, y)
    event = QMouseEvent(kind, at, view.mapToGlobal(at), caused_by, held, Qt.KeyboardModifier.NoModifier)
    return timed(lambda: QApplication.sendEvent(view, event))


def stroke(view: CanvasView, moves: int, turn: int = 0) -> list[Took]:
    """A wavy stroke across the view; what each move took."""
    width, height = view.width(), view.height()
    xs = np.linspace(width * 0.2, width * 0.8, moves)
    ys = height * (0.5 + 0.25 * np.sin(np.linspace(0, 6, moves) + turn))
    send(view, QEvent.Type.MouseButtonPress, xs[0], ys[0])
    took = [send(view, QEvent.Type.MouseMove, x, y) for x, y in zip(xs, ys, strict=True)]
    send(view, QEvent.Type.MouseButtonRelease, xs[-1], ys[-1])
    return took


def percentiles(took: list[Took]) -> str:
    p50, p99 = np.percentile(np.array(took) * 1000, [50, 99], axis=0)
    return f"p50 {p50[0]:.1f} ms, p99 {p99[0]:.1f} ms; own time p50 {p50[1]:.1f} ms, p99 {p99[1]:.1f} ms"


def timed(action: Callable[[], object], *, is_repainting: bool = True) -> Took:
    """What an action takes, with the repaint that it causes if it is let."""
    wall_s, own_s = time.perf_counter(), time.thread_time()
    action()
    if is_repainting:
        QApplication.processEvents()
    return Took(time.perf_counter() - wall_s, time.thread_time() - own_s)


@pytest.mark.parametrize("zoom", ["fit", "100 %"])
@pytest.mark.parametrize("size_px", [300, 2000])
@pytest.mark.parametrize("side_px", [1024, 4096, 8192])
def test_pen_to_pixel(benchmark, fact, view, side_px, size_px, zoom):
    document = document_of(side_px)
    brush_on(view, document, size_px)
    view.fit() if zoom == "fit" else view.actual_size()
    QApplication.processEvents()
    stroke(view, 20)
    took: list[Took] = []
    benchmark.pedantic(lambda: took.extend(stroke(view, MOVES, len(took))), rounds=2)
    target = PEN_TARGET_MS[size_px]
    fact(
        f"pen to pixel, {side_px} px, brush {size_px} px, {zoom}",
        f"{percentiles(took)}; target {target} ms",
    )


@pytest.mark.parametrize("side_px", [1024, 8192])
def test_undo_and_redo_of_a_stroke(benchmark, fact, view, side_px):
    document = document_of(side_px)
    brush_on(view, document, 300)
    took: dict[str, list[Took]] = {"undo": [], "redo": [], "repaint": []}
    repaint = QApplication.processEvents

    def there_and_back():
        stroke(view, 60, len(took["undo"]))
        for name, do in (("undo", document.undo), ("redo", document.redo)):
            took[name].append(timed(do, is_repainting=False))
            took["repaint"].append(timed(repaint))

    benchmark.pedantic(there_and_back, rounds=10)
    tiles = len(document.history.entries[-1].ops)
    for name, target in (("undo", "; target 10 ms"), ("redo", "; target 10 ms"), ("repaint", "")):
        fact(f"{name} of a stroke of {tiles} tiles, {side_px} px", f"{percentiles(took[name])}{target}")


def test_autosave_of_a_stroke(benchmark, fact, view, tmp_path, monkeypatch):
    """What the journal does on the window's thread, from the base on: its share of each event the document tells."""
    monkeypatch.setenv("PENTIMENTO_HOME", str(tmp_path))
    document = document_of(8192)
    brush_on(view, document, 300)
    took: list[Took] = []
    notice = Journal._notice
    monkeypatch.setattr(
        Journal,
        "_notice",
        lambda journal, event: took.append(timed(lambda: notice(journal, event), is_repainting=False)),
    )
    journal = journal_for(document)
    turns = iter(range(1000))
    benchmark.pedantic(lambda: stroke(view, 60, next(turns)), rounds=30)
    journal.close(discard=True)
    fact(
        "autosave on the window's thread, 8192 px",
        f"{percentiles(took)}, longest {max(one.wall_s for one in took) * 1000:.1f} ms; target 50 ms",
    )


def test_open_a_24_megapixel_jpeg(benchmark, fact, view, tmp_path):
    path = tmp_path / "photo.jpg"
    rng = np.random.default_rng(1)
    small = rng.integers(0, 256, (400, 600, 3), np.uint8)
    Image.fromarray(small).resize((6000, 4000), Image.Resampling.BICUBIC).save(path, quality=90)
    phases: dict[str, list[Took]] = {"read": [], "document": [], "first paint": []}

    def open_it():
        made: dict[str, object] = {}
        phases["read"].append(timed(lambda: made.update(picture=read_picture(path))))
        phases["document"].append(
            timed(lambda: made.update(document=Document.from_picture(made["picture"], name="p")))
        )
        phases["first paint"].append(timed(lambda: view.set_document(made["document"])))

    benchmark.pedantic(open_it, rounds=3)
    median = {name: np.median(np.array(took), axis=0) for name, took in phases.items()}
    wall_s, own_s = sum(median.values())
    parts = ", ".join(f"{name} {took[0]:.2f} s" for name, took in median.items())
    fact("open a 24 MP JPEG", f"{wall_s:.2f} s ({parts}); own time {own_s:.2f} s; target 1 s")


def test_memory_after_500_strokes(benchmark, fact, view):
    """Undo keeps what it must; the rest has to be given back."""
    document = document_of(4096)
    brush_on(view, document, 100)
    stroke(view, 40)
    before = resident_bytes()
    half: list[int] = []

    def draw():
        for turn in range(STROKES):
            stroke(view, 12, turn)
            if turn == STROKES // 2:
                half.append(resident_bytes())

    benchmark.pedantic(draw, rounds=1)
    gc.collect()
    after = resident_bytes()
    fact(
        f"memory after {STROKES} strokes of 100 px on 4096 px",
        f"{(after - before) / 2**20:.0f} MiB over the first stroke's, {(half[0] - before) / 2**20:.0f} MiB at half; "
        f"the history holds {sum(entry.nbytes for entry in document.history.entries) / 2**20:.0f} MiB",
    )


def test_cold_start_beside_a_bare_window(beside, fact, tmp_path):
    """From the start of the process to the first paint, in turns; the first runs fill the caches of the disk."""
    ours: list[Took] = []
    bare: list[Took] = []
    beside(
        "cold start to first paint",
        lambda: ours.append(first_paint(["-m", "app"], tmp_path)),
        lambda: bare.append(first_paint([str(ROOT / "tests" / "desktop" / "bare_window.py")], tmp_path)),
        what="a bare Qt window (target: at least 0.4)",
        rounds=COLD_ROUNDS,
    )
    whole = [first_paint(["-m", "app"], tmp_path, "inpaint_fill") for _ in range(3)]
    fact(
        "cold start to first paint",
        f"median {median(ours)}, complete with its panels after {median(whole)}, bare Qt window {median(bare)}; target 0.8 s and 2.5 times",
    )


def median(took: list[Took]) -> str:
    wall_s, own_s = np.median(np.array(took), axis=0)
    return f"{wall_s:.2f} s (processor time {own_s:.2f} s)"


def first_paint(words: list[str], home: Path, name: str = "any") -> Took:
    """From the start of a process to its first paint; see first_paint/sitecustomize.py."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent / "first_paint"), str(ROOT)]),
        "PENTIMENTO_BENCH_FIRST_PAINT": name,
        "PENTIMENTO_HOME": str(home),
        "PENTIMENTO_LOG": str(home / "log"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    start = time.time()
    used_s = children_s()
    done = subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    return Took(float(done.stdout.split()[-1]) - start, children_s() - used_s)


def children_s() -> float:
    """Processor time of processes that ended."""
    times = os.times()
    return times.children_user + times.children_system


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
