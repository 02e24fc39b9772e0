"""What a user does in their first ten minutes, by real events: and nothing they did is lost when the program dies.

Open a photo, brush, fill, redraw two edges, refill, undo twice, redo, save, draw on, kill -9, restart, recover. A picture
of the screen is taken at each step; look at them after a change to the window.
"""

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.desktop.editor import Editor
from tests.desktop.peers import KRITA
from tests.desktop.program import ROOT
from tests.desktop.screen import line, missing_programs

pytestmark = [pytest.mark.desktop, pytest.mark.timeout(900)]

PHOTO = ROOT / "resources" / "samples" / "coffee.png"
WIDER = ["bracketright"] * 10
"""A brush of a fortieth of the photo is for touching up; this makes it 2.6 times as wide."""
JOURNAL_S = 3.0
"""What the journal may be behind: it is made to write within one second."""


class Shots:
    """Numbered pictures of the screen, and what changed between them."""

    def __init__(self, screen, folder: Path) -> None:
        self.screen = screen
        self.folder = folder
        self.count = 0

    def take(self, name: str) -> np.ndarray:
        self.count += 1
        return np.asarray(self.screen.shot(self.folder / f"{self.count:02d}-{name}.png")).astype(int)


def changed(before: np.ndarray, after: np.ndarray, box_xyxy: tuple[int, int, int, int]) -> float:
    """Share of the pixels in a box of the screen that are clearly different."""
    x0, y0, x1, y1 = box_xyxy
    return float((np.abs(before - after)[y0:y1, x0:x1].max(axis=-1) > 12).mean())


def shared_memory() -> set[str]:
    return {entry.name for entry in Path("/dev/shm").iterdir()}


def test_the_first_ten_minutes(start, screen, shots, tmp_path, request) -> None:
    take = Shots(screen, shots).take
    home = tmp_path / "home"
    shm_before = shared_memory()
    editor: Editor = start(home=home, kind=Editor)
    editor.wait_for_window()
    editor.settle()
    take("empty")
    assert "torch" not in editor.ask("sorted(sys.modules)")

    # Open a photo as a user does: the dialog, its path, Enter.
    editor.open_file(PHOTO)
    opened = take("opened")
    height, width = np.asarray(Image.open(PHOTO)).shape[:2]
    assert editor.document("document.size_hw") == [height, width]
    assert changed(opened, np.full_like(opened, 24), editor.rect("canvas").box_xyxy) > 0.3

    # Brush a hole over the spoon's handle; live filling answers with a draft and then in full.
    spot = (width * 0.36, height * 0.32)
    around = [(spot[0] + dx, spot[1] + dy) for dx, dy in [(-40, -20), (0, 10), (40, -15), (70, 10)]]
    editor.focus_canvas()
    editor.key("b", *WIDER)
    drag = editor.to_screen(around)
    screen.do("mousemove", *map(float, drag[0]), "sleep", 0.05, "mousedown", 1)
    for at in drag[1:]:
        screen.do("mousemove", *map(float, at), "sleep", 0.05)
    editor.settle()
    brushing = take("brushing")
    screen.do("mouseup", 1)
    on_screen = box_around(drag, 20)
    assert changed(opened, brushing, on_screen) > 0.3
    assert editor.masked_pixels() > 2000
    editor.wait_for_fill(1)
    editor.wait_for_idle()
    filled = take("filled-live")
    live_results = editor.document("[r.id for r in document.results]")

    # The fill that was asked for is an entry of its own.
    editor.key("ctrl+Return")
    editor.wait_for_fill(len(live_results) + 1)
    editor.wait_for_idle()
    first_fill = editor.document("document.current_result_id")
    assert editor.document("document.undo_label").lower().startswith("fill")

    # Redraw two edges through the hole, and look at them before the fill follows.
    editor.key("q")
    editor.wait_for("window.context.target == 'edges'")
    editor.draw(line((spot[0] - 40, spot[1] - 30), (spot[0] + 60, spot[1] + 20)))
    editor.draw(line((spot[0] - 40, spot[1] + 20), (spot[0] + 60, spot[1] - 25)))
    assert editor.document("int((document.edges_layer.planes['drawn'] > 127).sum())") > 100
    take("edges-drawn")
    editor.wait_for_idle()
    editor.key("ctrl+Return")
    editor.wait_for(
        "canvas = widget('canvas'); d = canvas.document\n"
        f"d.current_result_id != {first_fill!r} and not d.current_result.is_draft and d.undo_label.lower().startswith('fill')",
        180,
    )
    editor.wait_for_idle()
    refilled = take("refilled")
    assert changed(filled, refilled, on_screen) > 0.02
    second_fill = editor.document("document.current_result_id")
    assert editor.document("int((document.current_result.edges > 0).sum())") > 0

    # Undo twice, redo once: the fill goes, then a stroke of the edges; the stroke comes back.
    whole = editor.state()
    position = editor.document("document.history.position")
    drawn = "int((document.edges_layer.planes['drawn'] > 127).sum())"
    both_edges = editor.document(drawn)
    editor.key("ctrl+z")
    assert editor.document("document.history.position") == position - 1
    assert editor.document("document.current_result_id") != second_fill
    take("undone-once")
    editor.key("ctrl+z")
    assert 0 < editor.document(drawn) < both_edges
    take("undone-twice")
    editor.key("ctrl+shift+z")
    assert editor.document(drawn) == both_edges
    assert editor.document("document.history.position") == position - 1
    take("redone")
    editor.key("ctrl+shift+z")
    assert editor.state() == whole, "redo gives back the very same document"

    # Save as a document.
    path = tmp_path / "work.ora"
    editor.key("ctrl+s")
    editor.type_path(path)
    editor.wait_for("not widget('canvas').document.is_modified", 60)
    take("saved")
    assert path.stat().st_size > 10_000

    # Go on after the save, and die.
    editor.focus_canvas()
    editor.key("q")
    editor.wait_for("window.context.target == 'mask'")
    editor.draw(line((width * 0.7, height * 0.6), (width * 0.8, height * 0.65)))
    editor.wait_for_idle()
    before = editor.state()
    assert before != whole
    time.sleep(JOURNAL_S)
    take("before-the-kill")
    children = editor.children()
    assert children, "the engine is a process of its own"
    editor.kill()
    assert_gone(children)
    assert shared_memory() <= shm_before, "shared memory was left behind"

    # The next start offers the work back.
    editor = start(home=home, kind=Editor)
    editor.wait_for_window()
    editor.wait_for("widget('recover_0').isVisible()", 30)
    take("recovery-offered")
    editor.click("recover_0")
    editor.wait_for_picture()
    take("recovered")
    assert editor.state() == before, "what was recovered is what was there"
    assert editor.document("document.is_modified")

    # It is a document like any other: it saves, and opens in Krita.
    editor.focus_canvas()
    editor.key("ctrl+s")
    editor.settle()
    if editor.ask("app.activeModalWidget() is not None"):
        editor.type_path(path)
    editor.wait_for("not widget('canvas').document.is_modified", 60)
    assert "Traceback" not in editor.output
    assert "Traceback" not in editor.log
    if missing_programs(KRITA):
        pytest.skip(f"all but the look in Krita: {missing_programs(KRITA)}")
    seen = request.getfixturevalue("krita").layers(path)
    photo = np.asarray(Image.open(PHOTO).convert("RGB"))
    bottom = seen[0].on_canvas((height, width))
    np.testing.assert_array_equal(bottom[:, :, :3], photo)
    assert any("mask" in layer.name.lower() for layer in seen)


def box_around(points, margin_px: int) -> tuple[int, int, int, int]:
    xs, ys = zip(*points, strict=True)
    return (
        int(min(xs)) - margin_px,
        int(min(ys)) - margin_px,
        int(max(xs)) + margin_px,
        int(max(ys)) + margin_px,
    )


def assert_gone(pids: list[int], within_s: float = 5) -> None:
    until = time.monotonic() + within_s
    while any(Path(f"/proc/{pid}").exists() and not is_zombie(pid) for pid in pids):
        assert time.monotonic() < until, "the engine outlives the window"
        time.sleep(0.05)


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
