"""Half an hour of somebody who strokes, fills, undoes and zooms at random: memory stays flat, nothing is raised.

``--soak-minutes`` says how long; 0 leaves it out. The same seed does the same things, as far as the machine's speed lets
it. What was measured is written beside the pictures, as a table in soak.txt and all of it in soak.json.

The engine's process may be replaced on the way: a cancelled job that does not end in time is ended with it. What it holds
is therefore judged within the life of each process, see growth.py.
"""

import json
import os
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from engine.memory import DEFAULT_CODES_BYTES
from tests.desktop.editor import CANVAS, Editor
from tests.desktop.growth import Sample, growth_of
from tests.desktop.program import ROOT, memory_parts, resident_bytes
from tests.desktop.screen import Point

pytestmark = [pytest.mark.desktop, pytest.mark.timeout(0)]

SEED = int(os.environ.get("PENTIMENTO_SOAK_SEED", "7"))
SAMPLE_S = 20.0
WARM_SHARE = 1 / 3
"""Of the time; caches, the engine's arenas and the first results come then."""
GROWTH_LIMIT_BYTES = 60 * 2**20
"""Of the process of the window after it is warm, beyond what the undo history and the results say they hold; and of the
engine's processes in the same time, at the rate at which they grow while they live."""
ENGINE_BYTES = 150 * 2**20
"""Least that a process of the engine holds: torch alone is more. Python's own helpers hold a tenth."""
COVERED_LIMIT = 0.3
"""Least share of the time that processes of the engine must have been watched, or nobody knows whether they grow."""
PHOTO = ROOT / "resources" / "samples" / "coffee.png"

MEASURE = (
    CANVAS
    + """
{
    "history": document.history.nbytes,
    "results": sum(result.nbytes for result in document.results),
    "result_count": len(document.results),
    "steps": len(document.history.entries),
    "gap_s": probe.longest_gap_s,
    "busy_s": probe.longest_busy_s,
    "stalls": len(probe.stalls),
    "modal": app.activeModalWidget() is not None,
}
"""
)


# What the engine's process last said of itself; a new one says it when it is ready. And why processes were ended.
LISTEN = """
import logging, time
engine_said, engine_ended = [], []
window.worker.status_changed.connect(lambda status: engine_said.__setitem__(slice(None), [status]))
class Ended(logging.Handler):
    def emit(self, record):
        engine_ended.append([time.monotonic(), record.getMessage()])
logger = logging.getLogger("engine.host")
logger.setLevel(logging.INFO)
logger.addHandler(Ended())
"""
KEPT = "engine_said[0].kept_bytes if engine_said else 0"


class Engines:
    """Watches the processes of the engine, one after the other."""

    def __init__(self, editor: Editor, began: float) -> None:
        self._editor = editor
        self._began = began
        editor.ask(LISTEN)
        self._least: dict[int, int] = {}
        self.lives: dict[str, list[Sample]] = {}
        """By process id."""

    def ended(self) -> list[tuple[int, str]]:
        """When processes were ended, in seconds, and why."""
        return [(round(at_s - self._began), why) for at_s, why in self._editor.ask("engine_ended")]

    def glance(self) -> None:
        """Note what those that are known hold now: between two jobs it is least."""
        for pid, least in self._least.items():
            with suppress(OSError):  # it has ended
                self._least[pid] = min(least, resident_bytes(pid))

    def look(self) -> dict[str, dict[str, int]]:
        """What each holds now, by kind, the least it held since the last look, and what of that it keeps on purpose."""
        self.glance()
        kept = self._editor.ask(KEPT)
        assert kept <= DEFAULT_CODES_BYTES, f"{kept / 2**20:.0f} MiB of answers are kept"
        at_s = time.monotonic() - self._began
        seen: dict[int, dict[str, int]] = {}
        for pid in self._editor.children():
            with suppress(OSError):
                parts = memory_parts(pid)
                now = sum(parts.values())
                if now >= ENGINE_BYTES:
                    least = min(self._least.get(pid, now), now)
                    seen[pid] = {"least": least, "kept": kept, "resident": now, **parts}
                    self.lives.setdefault(str(pid), []).append(Sample(at_s, least - kept))
        self._least = {pid: parts["resident"] for pid, parts in seen.items()}
        return {str(pid): parts for pid, parts in seen.items()}


class Soak:
    """Does one random thing after another."""

    def __init__(self, editor: Editor, size_wh: tuple[int, int]) -> None:
        self.editor = editor
        self.size_wh = size_wh
        self.random = random.Random(SEED)
        self.counts: dict[str, int] = {}

    def step(self) -> None:
        actions = {
            self.brush: 10, self.eraser: 4, self.edges: 5, self.shape: 4, self.wand: 1, self.fill: 3, self.cancel: 2,
            self.undo: 8, self.redo: 4, self.zoom: 6, self.pan: 4, self.turn: 2, self.clear: 2, self.delete: 2,
            self.apply: 1, self.save: 1, self.live: 1, self.compare: 1, self.resize: 3, self.fit: 3,
        }  # fmt: skip
        action = self.random.choices(list(actions), list(actions.values()))[0]
        self.counts[action.__name__] = self.counts.get(action.__name__, 0) + 1
        action()

    def key(self, *names: str) -> None:
        self.editor.screen.key(*names)

    def points(self, count: int) -> list[Point]:
        """A wandering line inside what the canvas shows."""
        rect = self.editor.rect("canvas")
        x, y = rect.at(self.random.uniform(0.2, 0.8), self.random.uniform(0.2, 0.8))
        line = [(x, y)]
        for _ in range(count):
            x = min(max(x + self.random.uniform(-40, 40), rect.x + 20), rect.x + rect.width - 20)
            y = min(max(y + self.random.uniform(-40, 40), rect.y + 20), rect.y + rect.height - 20)
            line.append((x, y))
        return line

    def drag(self, count: int, **options: object) -> None:
        self.editor.screen.drag(self.points(count), **options)

    def on(self, target: str) -> None:
        """Paint on the mask or on the edges."""
        if self.editor.ask("window.context.target") != target:
            self.key("q")

    def brush(self) -> None:
        self.on("mask")
        self.key("b")
        self.drag(self.random.randint(2, 20))

    def eraser(self) -> None:
        self.key("e")
        self.drag(self.random.randint(2, 12))

    def edges(self) -> None:
        self.on("edges")
        self.key("b")
        self.drag(self.random.randint(2, 8))
        self.on("mask")

    def shape(self) -> None:
        self.on("mask")
        self.key(self.random.choice(["m", "shift+m", "l"]))
        self.drag(self.random.randint(3, 8), held=self.random.choice([(), (), ("alt",), ("shift",)]))

    def wand(self) -> None:
        self.on("mask")
        self.key("w")
        self.editor.screen.click(self.points(0)[0])
        self.key("ctrl+z")  # it may select half of the photo, and half an hour is short

    def fill(self) -> None:
        self.key("ctrl+Return")
        time.sleep(self.random.uniform(0, 3))

    def cancel(self) -> None:
        self.key("ctrl+Return")
        time.sleep(self.random.uniform(0, 0.5))
        self.key("Escape")

    def undo(self) -> None:
        self.key(*["ctrl+z"] * self.random.randint(1, 6))

    def redo(self) -> None:
        self.key(*["ctrl+shift+z"] * self.random.randint(1, 4))

    def zoom(self) -> None:
        self.editor.screen.wheel(self.points(0)[0], self.random.choice([-3, -2, -1, 1, 2, 3]))

    def pan(self) -> None:
        self.drag(self.random.randint(1, 5), button=2)

    def turn(self) -> None:
        self.key(self.random.choice(["4", "5", "6", "shift+h"]))

    def fit(self) -> None:
        self.key("5", "ctrl+0")

    def clear(self) -> None:
        self.key("ctrl+d")

    def delete(self) -> None:
        if self.editor.document("document.current_result_id is not None"):
            self.editor.click("results_delete")
            self.editor.focus_canvas()

    def apply(self) -> None:
        """As a layer; taken back three times out of four, for a photo has only so many layers."""
        self.key("ctrl+j")
        if self.random.random() < 0.75:
            self.key("ctrl+z")

    def save(self) -> None:
        self.key("ctrl+s")
        time.sleep(0.5)

    def live(self) -> None:
        self.key("ctrl+l")

    def compare(self) -> None:
        self.editor.screen.do("keydown", "Tab", "sleep", 0.2, "keyup", "Tab")
        self.key("c", "c")

    def resize(self) -> None:
        self.key(self.random.choice(["bracketleft", "bracketright"]))


def test_soak(start, screen, shots, request, tmp_path) -> None:
    minutes = request.config.getoption("soak_minutes")
    if not minutes:
        pytest.skip("left out: --soak-minutes 0")
    editor: Editor = start(PHOTO, kind=Editor)
    editor.wait_for_window()
    editor.wait_for_picture()
    save_beside(editor, tmp_path / "soak.ora")
    width, height = editor.document("[document.size_hw[1], document.size_hw[0]]")
    soak = Soak(editor, (width, height))
    editor.focus_canvas()
    editor.ask("probe.start_beat()")

    samples: list[dict[str, Any]] = []
    began = time.monotonic()
    engines = Engines(editor, began)
    until = began + minutes * 60
    next_sample = began
    while time.monotonic() < until:
        soak.step()
        engines.glance()
        if time.monotonic() >= next_sample:
            next_sample = time.monotonic() + SAMPLE_S
            samples.append(measure(editor, engines, began) | {"actions": sum(soak.counts.values())})
            (shots / "soak.json").write_text(
                json.dumps({"samples": samples, "counts": soak.counts}, indent=1)
            )
            assert not samples[-1]["modal"], "a dialog stands in the way"
    editor.wait_for_idle()
    samples.append(measure(editor, engines, began) | {"actions": sum(soak.counts.values())})
    screen.shot(shots / "after.png")
    stalls = sorted(editor.ask("probe.stalls"), reverse=True)
    (shots / "stalls.txt").write_text(
        "\n".join(f"{busy:.2f} s of its own in {seconds:.2f} s\n{stack}" for busy, seconds, stack in stalls)
    )
    (shots / "soak.json").write_text(
        json.dumps({"samples": samples, "counts": soak.counts, "ended": engines.ended()}, indent=1)
    )
    (shots / "soak.txt").write_text(table(samples))

    assert_nothing_was_raised(editor)
    assert_window_is_flat(samples)
    assert_engine_is_flat(engines, samples[-1]["at_s"])


def save_beside(editor: Editor, path: Path) -> None:
    """Save once, so that later saves ask nothing."""
    editor.screen.key("ctrl+s")
    editor.type_path(path)
    editor.wait_for(CANVAS + "not document.is_modified", 60)


def measure(editor: Editor, engines: Engines, began: float) -> dict[str, Any]:
    """Memory now, and the longest time the window was away since the last look."""
    seen = editor.ask(MEASURE)
    editor.ask("probe.forget()")
    return {
        "at_s": round(time.monotonic() - began),
        "window": editor.resident_bytes(),
        "engines": engines.look(),
        **seen,
    }


def table(samples: list[dict[str, Any]]) -> str:
    """Some ten of the samples, in MiB; of the engine the least since the sample before."""
    lines = ["   s  actions  window  history  results  engine: process least kept now anon shared files"]
    step = max(len(samples) // 10, 1)
    for sample in [*samples[:-1:step], samples[-1]]:
        window, history, results = (sample[name] >> 20 for name in ("window", "history", "results"))
        line = f"{sample['at_s']:>4} {sample['actions']:>8} {window:>7} {history:>8} {results:>8}"
        for pid, parts in sample["engines"].items():
            line += f"  {pid}: " + " ".join(str(nbytes >> 20) for nbytes in parts.values())
        lines.append(line)
    return "\n".join([*lines, ""])


def assert_nothing_was_raised(editor: Editor) -> None:
    for text in (editor.output, editor.log):
        assert "Traceback" not in text, text[-4000:]
        assert "QPainter" not in text, text[-4000:]
        assert "Warning" not in text, text[-4000:]


def assert_window_is_flat(samples: list[dict[str, Any]]) -> None:
    """What the window's process holds beyond its history and results may not grow after it is warm."""
    beyond = [sample["window"] - sample["history"] - sample["results"] for sample in samples]
    warm = beyond[int(len(beyond) * WARM_SHARE) :]
    third = max(1, len(warm) // 3)
    early, late = min(warm[:third]), min(warm[-third:])
    assert late - early < GROWTH_LIMIT_BYTES, (
        f"{(late - early) / 2**20:.0f} MiB more after it was warm: {warm}"
    )


def assert_engine_is_flat(engines: Engines, last_s: float) -> None:
    """Nor may the engine's processes, whichever of them was there, beyond the answers they say they keep."""
    first_s = last_s * WARM_SHARE
    growth = growth_of(engines.lives, first_s, last_s)
    lives = {pid: [sample.nbytes >> 20 for sample in life] for pid, life in engines.lives.items()}
    assert growth.covered >= COVERED_LIMIT, (
        f"too many processes were ended to tell whether they grow: {lives}"
    )
    grown_bytes = growth.within(last_s - first_s)
    assert grown_bytes < GROWTH_LIMIT_BYTES, f"{grown_bytes / 2**20:.0f} MiB more after it was warm: {lives}"
