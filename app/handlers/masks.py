"""The Mask menu: changes of the whole mask, and mask files."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QInputDialog

from app.document import selection
from app.handlers.files import with_ending

if TYPE_CHECKING:
    from app.document.document import Document
    from app.main_window import MainWindow

MASK_FILES = "Pictures (*.png *.jpg *.jpeg *.webp *.tif *.tiff *.bmp *.gif)"
MASK_ENDINGS = "PNG picture (*.png);;TIFF picture (*.tif *.tiff);;WebP picture (*.webp);;BMP picture (*.bmp)"
USUAL_PX = 8


class MaskHandlers:
    """Actions on the mask of one window's document."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window

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
        document = self._window.document
        if document is None:
            return
        layer = document.edges_layer
        if not any(layer.has_any(plane) for plane in layer.planes):
            return
        with document.begin("Clear edges") as change:
            for plane in layer.planes:
                change.clear_plane(layer.id, plane)
            change.clear_strokes(layer.id)
        self._window.context.committed()

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
        """Take the mask from this file; one of another size is brought to the picture's."""
        self._do(lambda document: selection.load_mask(document, path, fit=True))

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
        """Write the mask to this file."""
        document = self._window.document
        if document is not None:
            selection.save_mask(document, path)
            self._window.say(f"Mask saved as {path.name}")

    def _ask_px(self, title: str, change: "Callable[[Document, float], bool]") -> None:
        amount, is_ok = QInputDialog.getInt(self._window, title, "Pixels", USUAL_PX, 1, 250)
        if is_ok:
            self._do(lambda document: change(document, amount))

    def _do(self, change: "Callable[[Document], bool]") -> None:
        document = self._window.document
        if document is not None and change(document):
            self._window.context.committed()
