"""The Mask menu: changes of the whole mask, and mask files."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QInputDialog, QSpinBox, QWidget

from app.document import selection
from app.document.shapes import Patch
from app.handlers.files import with_ending
from app.panels.controls import named

if TYPE_CHECKING:
    from app.document.document import Document
    from app.main_window import MainWindow

MASK_FILES = "Pictures (*.png *.jpg *.jpeg *.webp *.tif *.tiff *.bmp *.gif)"
MASK_ENDINGS = "PNG picture (*.png);;TIFF picture (*.tif *.tiff);;WebP picture (*.webp);;BMP picture (*.bmp)"
USUAL_PX = 8
MOST_PX = 250
STROKE_WAIT_MS = 50
"""Between two looks whether a stroke is done that a mask has to wait for."""


class MaskHandlers:
    """Actions on the mask of one window's document."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._loads = 0

    def select_all(self) -> None:
        """Mask the whole picture."""
        self._do(selection.select_all)

    def clear(self) -> None:
        """Mask nothing."""
        self._do(selection.clear)

    def invert(self) -> None:
        """Swap masked and unmasked."""
        self._do(selection.invert)

    def grow(self) -> None:
        """Make the mask wider."""
        self._ask_px("Grow Mask", selection.grow)

    def shrink(self) -> None:
        """Make the mask narrower."""
        self._ask_px("Shrink Mask", selection.shrink)

    def feather(self) -> None:
        """Soften the mask's border."""
        self._ask_px("Feather Mask", selection.feather)

    def clear_edges(self) -> None:
        """Forget what was drawn, erased and locked."""
        self._do(selection.clear_edges)

    def load(self, path: str = "") -> None:
        """Take the mask from a picture file; asks for one where none is named."""
        if path:
            self.load_from(Path(path))
            return
        path, _ = QFileDialog.getOpenFileName(
            self._window, "Load Mask", self._window.files.folder(), MASK_FILES
        )
        if path:
            self.load_from(Path(path))

    def load_from(self, path: Path) -> None:
        """Take the mask from this file, which is read on a thread; one of another size is brought to the picture's."""
        window, document = self._window, self._window.document
        if document is None:
            return

        self._loads += 1
        load = self._loads

        def done(patch: Patch) -> None:
            if load != self._loads:  # another file was chosen since
                return
            if window.document is document and document.transaction is not None:  # a stroke is being drawn
                QTimer.singleShot(STROKE_WAIT_MS, window, lambda: window.guarded(done)(patch))
                return
            window.say("", about="mask_file")
            if window.document is document:
                self._do(lambda document: selection.select(document, patch, "replace", label="Load mask"))

        def failed(error: Exception) -> None:
            window.say("", about="mask_file")
            window.show_error(error, "mask_file")

        window.settle("mask_file")
        window.say(f"Loading the mask {path.name}…", stays=True, about="mask_file")
        size_hw = document.size_hw
        window.background.run(
            lambda: selection.read_patch(path, size_hw, fit=True), window.guarded(done), failed
        )

    def save(self) -> None:
        """Write the mask to a picture file."""
        document = self._window.document
        if document is None:
            return
        start = str(Path(self._window.files.folder()) / f"{document.name}-mask.png")
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Save Mask", start, MASK_ENDINGS)
        path = with_ending(Path(chosen), ".png", any_known=True) if chosen else None
        if path is not None and self._window.files.may_replace(path, Path(chosen)):
            self.save_to(path)

    def save_to(self, path: Path) -> None:
        """Write the mask, as it is now, to this file on a thread, which the end of the window leaves to finish."""
        from app.document.saving import ExportJob
        from app.document.snapshot import Snapshot

        window, document = self._window, self._window.document
        if document is None:
            return
        snapshot, layer_id = Snapshot(document), document.mask_layer.id

        def done(error: Exception | None) -> None:
            window.say("" if error is not None else f"Mask saved as {path.name}", about="mask_file")
            if error is not None:
                window.show_error(error, "mask_file")

        def write(_progress: object) -> None:
            selection.save_mask(snapshot.plane(layer_id, "coverage"), path)

        window.settle("mask_file")
        window.say(f"Saving the mask as {path.name}…", stays=True, about="mask_file")
        try:
            ExportJob(document, snapshot, path, write, lambda error: window.background.bring(done, error))
        except RuntimeError as error:  # no thread to write with
            snapshot.close()
            done(error)

    def _ask_px(self, title: str, change: "Callable[[Document, float], bool]") -> None:
        amount = ask_px(self._window, title)
        if amount is not None:
            self._do(lambda document: change(document, amount))

    def _do(self, change: "Callable[[Document], bool]") -> None:
        document = self._window.document
        if document is not None and change(document):
            self._window.context.committed()


def ask_px(parent: QWidget, title: str) -> int | None:
    """Ask for a number of pixels; None where the dialog was cancelled."""
    dialog = QInputDialog(parent)
    dialog.setObjectName("ask_px")
    dialog.setWindowTitle(title)
    dialog.setLabelText("Pixels")
    dialog.setInputMode(QInputDialog.InputMode.IntInput)
    dialog.setIntRange(1, MOST_PX)
    dialog.setIntValue(USUAL_PX)
    named(dialog.findChild(QSpinBox), "ask_px_value", "Pixels")
    is_agreed = dialog.exec() == QInputDialog.DialogCode.Accepted
    dialog.deleteLater()
    return dialog.intValue() if is_agreed else None
