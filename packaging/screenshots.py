"""Write pictures of every state of the window, in both themes, for looking at: ``make screenshots``.

Draws into memory, so it needs no display. Settings, journals and the log go to a folder that is removed afterwards. The
fills are real ones of the starter weights.

usage: python packaging/screenshots.py [--out DIR] [--size WxH] [--theme dark|light] [--only STATE ...]
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from app.main_window import MainWindow

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "resources" / "samples"
PATIENCE_S = 120.0


class Studio:
    """One window, brought from state to state and photographed.

    Args:
        window: what is shown.
        folder: for the pictures.
        prefix: in front of every name, such as the theme.
        only: states to write; all if empty.
    """

    def __init__(self, window: "MainWindow", folder: Path, prefix: str, only: frozenset[str]) -> None:
        self.window = window
        self.folder = folder
        self.prefix = prefix
        self.only = only
        self.count = 0
        self.is_ready = False
        """Whether the engine has answered."""
        window.worker.ready.connect(self._engine_ready)

    def _engine_ready(self, _event: object) -> None:
        self.is_ready = True

    def take(self, name: str, widget: "QWidget | None" = None) -> None:
        """Photograph the window, or another widget."""
        self.count += 1
        if self.only and name not in self.only:
            return
        pump(0.15)
        path = self.folder / f"{self.prefix}-{self.count:02d}-{name}.png"
        (widget or self.window).grab().save(str(path))
        print(path)

    def states(self) -> None:
        """All of them, in the order in which a user may meet them."""
        self.take("empty")
        self.recovery()
        self.opened()
        self.brushing()
        self.busy()
        self.result()
        self.edges()
        self.variants()
        self.compare()
        self.history()
        self.zoomed()
        self.retarget()
        self.error()
        self.dialogs()
        self.narrow()

    def recovery(self) -> None:
        """Work that a crash left behind."""
        from app.document.recovery import Recoverable

        now = datetime.now(UTC)
        window = self.window
        window.recovery.offer(
            [
                Recoverable(
                    "holiday", now - timedelta(minutes=12), Path("/home/me/holiday.ora"), 34, Path("a")
                ),
                Recoverable("coffee", now - timedelta(days=2), None, 1, Path("b")),
            ]
        )
        self.take("recovery")
        window.recovery.offer([])

    def opened(self) -> None:
        """A photo, and nothing done to it yet."""
        window = self.window
        window.set_live(False)
        window.files.open_path(SAMPLES / "coffee.png")
        wait_for(lambda: window.document is not None)
        self.take("photo")
        window.context.set_brush(size_px=60)  # for the strokes below to be seen

    def brushing(self) -> None:
        """A stroke that is not over yet."""
        self.stroke([(0.27, 0.24), (0.36, 0.34), (0.45, 0.26), (0.52, 0.36)], is_ended=False)
        self.take("brushing")
        self.release((0.52, 0.36))

    def busy(self) -> None:
        """While the engine works."""
        window = self.window
        wait_for(lambda: self.is_ready)
        window.fill.fill()
        wait_for(lambda: window.fill.state.is_busy)
        pump(0.4)
        self.take("busy")
        wait_for(lambda: not window.fill.state.is_busy)

    def result(self) -> None:
        """A hole filled."""
        assert self.window.document is not None
        assert self.window.document.current_result is not None, "the fill gave nothing"
        self.take("result")

    def edges(self) -> None:
        """All four kinds of edges, on the guess that readily counts."""
        window = self.window
        window.context.target = "edges"
        self.stroke([(0.28, 0.30), (0.42, 0.34), (0.5, 0.3)])
        window.tools.choose("eraser")
        window.context.set_brush(size_px=12)
        self.stroke([(0.3, 0.22), (0.33, 0.25)])
        window.tools.choose("edge_lock")
        self.stroke([(0.44, 0.27), (0.48, 0.28)])
        window.tools.choose("brush")
        window.fill.change_settings(edge_sensitivity=0.9)
        self.fill()
        self.take("edges")
        window.context.target = "mask"

    def variants(self) -> None:
        """Several answers in the strip, one with a star."""
        window = self.window
        before = len(window.document.results)
        window.fill.fill_variants(3)
        wait_for(lambda: len(window.document.results) >= before + 3 and not window.fill.state.is_busy)
        window.fill.star_result(window.document.results[1].id, True)
        self.take("variants")

    def compare(self) -> None:
        """Before and after, side by side."""
        window = self.window
        window.view.set_wipe(True)
        self.take("wipe")
        self.compare_two()
        window.view.set_wipe(False)

    def compare_two(self) -> None:
        """Two selected results beside each other."""
        from PySide6.QtCore import QItemSelectionModel
        from PySide6.QtWidgets import QListView

        results = self.window.findChild(QListView, "results_list")
        other = results.model().index(1, 0)
        results.selectionModel().select(other, QItemSelectionModel.SelectionFlag.Select)
        self.take("wipe-two")
        results.selectionModel().select(other, QItemSelectionModel.SelectionFlag.Deselect)

    def history(self) -> None:
        """The list of steps."""
        self.window.docks["history_dock"].raise_()
        self.take("history")
        self.window.docks["layers_dock"].raise_()

    def zoomed(self) -> None:
        """Single pixels, and a turned view."""
        canvas = self.window.canvas
        canvas.zoom_to(12.0)
        self.take("zoomed")
        canvas.fit()
        canvas.rotate_by(15)
        self.take("rotated")
        canvas.reset_rotation()
        canvas.fit()

    def retarget(self) -> None:
        """The picture pulled into other shapes: by a side, by a free corner, as far as it goes; and what was invented."""
        from app.document.retarget_shape import Shape, drag

        window = self.window
        window.fill.show_result(None)
        window.tools.choose("retarget")
        self.take("retarget")
        window.retargeting.controller.change_settings(is_locked=True)
        self.take("retarget-kept")
        window.retargeting.controller.cancel()
        window.retargeting.controller.change_settings(is_locked=False)
        window.masks.clear()
        self.take("retarget-nothing-kept")
        window.document.undo()
        controller = window.retargeting.controller
        controller.change_settings(quality="fast")
        h, w = window.document.size_hw
        start = Shape.of_box((0, 0, w, h))
        small = start.resized((h // 2, w // 2))
        for name, dragged in (
            ("side", drag(small, "right", (w // 6, 0))),
            ("corner", drag(small, "top_right", (-w // 8, h // 8), is_free=True)),
            ("no-further", drag(small, "right", (-w, 0))),
        ):
            controller.show_shape(dragged)
            self.take(f"retarget-{name}")
            if not dragged.reason:
                controller.choose_shape(dragged.shape)
                wait_for(lambda: controller.state.is_busy)
                self.take(f"retarget-{name}-busy")
                wait_for(lambda: not controller.state.is_busy)
                self.take(f"retarget-{name}-result")
        controller.cancel()
        controller.show_map(True)
        self.take("retarget-map")
        controller.show_map(False)
        self.learning()
        window.tools.choose("brush")
        window.retargeting._choose_mode("inpaint")

    def learning(self) -> None:
        """A picture that is learned, kept, or came learned with its document; none of it is done here."""
        from PySide6.QtWidgets import QScrollArea, QWidget

        from app.learning_state import LearningState
        from app.panels.learning import LearningBox

        window = self.window
        window.retargeting.controller.change_settings(method="learned")
        pump(0.3)
        box, scroll = window.findChild(LearningBox), window.findChild(QScrollArea, "retarget_scroll")
        assert box is not None
        assert scroll is not None
        states = {
            "idle": box._controller.state,
            "asking": LearningState("asking", seconds=1900),
            "learning": LearningState("learning", 640, 2500, 1400, 0.21, has_weights=True),
            "paused": LearningState("paused", 640, 2500, has_weights=True),
            "changed": LearningState("paused", 640, 2500, has_weights=True, is_other=True),
            "kept": LearningState(
                "kept", words="coffee-0a1b2c3d4e", kept_bytes=1_105_684, carried_bytes=1_105_684
            ),
            "carried": LearningState("carried", carried_bytes=1_105_684),
            "failed": LearningState(
                "failed", 640, 2500, words="The disk is full. Free some space.", has_weights=True
            ),
        }
        for name, state in states.items():
            box.show_state(state)
            pump(0.1)
            below = window.findChild(QWidget, "retarget_quality")
            scroll.ensureWidgetVisible(below)
            self.take(f"learning-{name}", window.docks["inpaint_dock"])
        window.retargeting.controller.change_settings(method="instant")

    def error(self) -> None:
        """A damaged file, as a user meets it."""
        window = self.window
        broken = self.folder / "holiday.ora"
        broken.write_bytes(b"PK\x03\x04 damaged")
        try:
            window.files.open_path(broken)
            wait_for(lambda: window.messages.message is not None and not window.is_waiting)
            self.take("error")
        finally:
            broken.unlink()
        window.messages.put_away()

    def dialogs(self) -> None:
        """Everything that opens over the window."""
        from PySide6.QtWidgets import QWidget

        from app.dialogs.export_dialog import ExportDialog

        window = self.window
        for name, show in (
            ("shortcuts", window.show_shortcuts),
            ("settings", window.show_settings),
            ("keys", window.show_keys),
            ("about", window.show_about),
        ):
            show()
            pump(0.2)
            dialog: QWidget = window._dialogs[name]
            self.take(name, dialog)
            dialog.close()
        window.files._questions.ask(Path("photo.jpg"), lambda _: None)
        wait_for(lambda: window.findChild(ExportDialog) is not None)
        asked = window.findChild(ExportDialog)
        wait_for(lambda: "bytes" in asked.size_label.text())
        self.take("export", asked)
        asked.reject()

    def narrow(self) -> None:
        """A small laptop, and a mask in the other colour with its pattern."""
        window = self.window
        size = window.size()
        window.store.change(mask_colour="blue")
        window.fill.show_result(None)
        window.resize(1024, 700)
        self.take("narrow")
        window.resize(size)
        window.store.change(mask_colour="orange")

    # The user's hand -------------------------------------------------------------------------------------------------

    def fill(self) -> None:
        """Fill now, and wait for it."""
        window = self.window
        before = len(window.document.results)
        window.fill.fill()
        wait_for(lambda: len(window.document.results) > before and not window.fill.state.is_busy)

    def stroke(self, shares: list[tuple[float, float]], *, is_ended: bool = True) -> None:
        """Draw through these places, each a share of the photo's width and height."""
        from PySide6.QtCore import QEvent

        for index, (start, end) in enumerate(zip(shares, shares[1:], strict=False)):
            if index == 0:
                self.mouse(QEvent.Type.MouseButtonPress, start)
            for step in range(1, 13):
                x, y = (start[i] + (end[i] - start[i]) * step / 12 for i in (0, 1))
                self.mouse(QEvent.Type.MouseMove, (x, y))
        if is_ended:
            self.release(shares[-1])

    def release(self, share: tuple[float, float]) -> None:
        """Lift the pen."""
        from PySide6.QtCore import QEvent

        self.mouse(QEvent.Type.MouseButtonRelease, share)

    def mouse(self, kind: object, share: tuple[float, float]) -> None:
        """Send one event of the mouse to the canvas."""
        from PySide6.QtCore import QEvent, QPointF, Qt
        from PySide6.QtGui import QMouseEvent
        from PySide6.QtWidgets import QApplication

        canvas, document = self.window.canvas, self.window.document
        height, width = document.size_hw
        at = QPointF(*canvas.viewport.to_view(share[0] * width, share[1] * height))
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        event = QMouseEvent(
            kind, at, canvas.mapToGlobal(at),
            none if kind == QEvent.Type.MouseMove else left,
            none if kind == QEvent.Type.MouseButtonRelease else left,
            Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QApplication.sendEvent(canvas, event)
        pump(0)


def pump(seconds: float) -> None:
    """Let the window work for a while."""
    from PySide6.QtWidgets import QApplication

    until = time.monotonic() + seconds
    QApplication.processEvents()
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.01)


def wait_for(is_so: Callable[[], bool]) -> None:
    """Let the window work until something is so.

    Raises:
        TimeoutError: if it takes too long.
    """
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError(f"expected a state of the window within {PATIENCE_S:g} s, got none")
        pump(0.02)
    pump(0.1)


def tell_faults(_kind: object, _context: object, words: str) -> None:
    """Pass on what Qt complains of, but not that memory is no screen."""
    if not words.startswith("This plugin does not support"):
        print(words, file=sys.stderr)


def themes(wanted: str) -> Iterator[str]:
    """The themes to show."""
    yield from (wanted,) if wanted else ("dark", "light")


def main() -> int:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description="Write pictures of every state of the window.")
    parser.add_argument("--out", type=Path, default=Path("screenshots_out"))
    parser.add_argument("--size", default="1440x900")
    parser.add_argument("--theme", choices=("dark", "light"), default="")
    parser.add_argument("--only", nargs="*", default=())
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for old in options.out.glob("*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(
            QT_QPA_PLATFORM="offscreen",
            PENTIMENTO_HOME=home,
            PENTIMENTO_WEIGHTS=f"{home}/weights",
            PENTIMENTO_LOG=f"{home}/log",
        )
        from PySide6.QtCore import qInstallMessageHandler
        from PySide6.QtWidgets import QApplication

        from app.main_window import MainWindow
        from app.start import set_names

        qInstallMessageHandler(tell_faults)
        application = QApplication(["pentimento"])
        set_names(application)
        width, height = map(int, options.size.split("x"))
        for theme in themes(options.theme):
            window = MainWindow()
            window.store.change(theme=theme)
            window.resize(width, height)
            window.show()
            studio = Studio(window, options.out, theme, frozenset(options.only))
            window.start_engine()
            pump(0.3)
            studio.states()
            window.document.mark_saved(None)
            window.close()
            pump(0.2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
