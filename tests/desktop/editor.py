"""The hands of a user on the window: open, choose a tool, draw on the picture, press keys, read what is there.

Positions on the picture are (x, y) in canvas pixels.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.desktop.program import Program
from tests.desktop.screen import Point

CANVAS = "canvas = widget('canvas'); document = canvas.document\n"

# What a document holds, in figures that tell any change: equal figures, equal document.
STATE = (
    CANVAS
    + """
import zlib
def crc(array):
    import numpy
    return zlib.crc32(numpy.ascontiguousarray(array).tobytes())
{
    "layers": [
        [layer.kind, layer.name, layer.is_visible, layer.opacity, list(layer.origin_xy), len(layer.strokes)]
        + [crc(layer.copy_plane(plane)) for plane in sorted(layer.planes)]
        for layer in document.layers
    ],
    "results": [[r.id, r.is_starred, r.is_draft, list(r.box_xyxy), crc(r.pixels), crc(r.coverage)] for r in document.results],
    "current": document.current_result_id,
}
"""
)


class Editor(Program):
    """The program with its window, as somebody uses it."""

    def wait_for_window(self, timeout_s: float = 60) -> None:
        """Until it is there, active, and painted."""
        self.wait_for("window is not None and window.objectName() == 'main_window'", timeout_s)
        self.wait_for("window.isActiveWindow() and window.isVisible()", timeout_s)

    def wait_for_picture(self, timeout_s: float = 60) -> None:
        """Until a document is on the canvas."""
        self.wait_for(CANVAS + "document is not None and canvas.isVisible()", timeout_s)
        self.settle()

    def settle(self) -> None:
        """Let what is posted be done: until the window answers at once three times running, for events make events."""
        prompt = 0
        until = time.monotonic() + 10
        while prompt < 3 and time.monotonic() < until:
            time.sleep(0.05)
            asked = time.monotonic()
            self.ask("1")
            prompt = prompt + 1 if time.monotonic() - asked < 0.1 else 0

    def document(self, expression: str) -> Any:
        """Value of an expression about ``document``."""
        return self.ask(CANVAS + expression)

    def state(self) -> dict[str, Any]:
        """What the document holds, in figures."""
        return self.ask(STATE)

    def masked_pixels(self) -> int:
        """How many pixels are in the hole."""
        return self.document("int((document.mask_layer.planes['coverage'] > 127).sum())")

    def to_screen(self, points: Sequence[Point]) -> list[Point]:
        """Where points of the picture are on the screen."""
        return [
            tuple(at)
            for at in self.ask(
                CANVAS + "from PySide6.QtCore import QPointF\n"
                f"seen = [canvas.mapToGlobal(QPointF(*canvas.viewport.to_view(x, y))) for x, y in {list(points)!r}]\n"
                "[[at.x(), at.y()] for at in seen]"
            )
        ]

    def draw(self, points: Sequence[Point], *, held: Sequence[str] = (), button: int = 1) -> None:
        """Drag along points of the picture with the chosen tool."""
        self.screen.drag(self.to_screen(points), held=held, button=button)
        self.settle()

    def click_picture(self, at: Point, **options: Any) -> None:
        """Click a point of the picture."""
        self.screen.click(self.to_screen([at])[0], **options)
        self.settle()

    def focus_canvas(self) -> None:
        """Move the keyboard to the canvas, without a stroke."""
        self.screen.click(self.rect("canvas").at(0.5, 0.5), button=2)
        self.wait_for("widget('canvas').hasFocus()", 5)

    def key(self, *names: str) -> None:
        """Press keys in turn."""
        self.screen.key(*names)
        self.settle()

    def click(self, name: str) -> None:
        """Click a widget by its object name."""
        self.screen.click(self.rect(name).at())
        self.settle()

    def type_path(self, path: Path) -> None:
        """Answer the file dialog that is open."""
        self.wait_for("app.activeModalWidget() is not None and app.activeModalWidget().isActiveWindow()", 20)
        self.screen.key("ctrl+a")
        self.screen.type_text(str(path))
        self.screen.key("Return")
        self.wait_for("app.activeModalWidget() is None", 20)

    def open_file(self, path: Path) -> None:
        """Ctrl+O, the path, Enter."""
        self.screen.key("ctrl+o")
        self.type_path(path)
        self.wait_for_picture()

    def wait_for_fill(self, count: int, *, timeout_s: float = 180, is_full: bool = True) -> None:
        """Until the document has at least so many results and shows the last of them, full and not a draft."""
        full = "and not document.current_result.is_draft" if is_full else ""
        self.wait_for(
            CANVAS + f"len(document.results) >= {count} and document.current_result is not None {full}",
            timeout_s,
        )
        self.settle()

    def wait_for_idle(self, timeout_s: float = 180) -> None:
        """Until the engine has nothing to do, for as long as live filling waits before its full result."""
        quiet_s = 0.0
        until = time.monotonic() + timeout_s
        while quiet_s < 1.5:
            if time.monotonic() > until:
                raise TimeoutError(f"the engine is still busy after {timeout_s:g} s")
            quiet_s = 0.0 if self.ask("window.worker.job_count") else quiet_s + 0.1
            time.sleep(0.1)
        self.settle()
