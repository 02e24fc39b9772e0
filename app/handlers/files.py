"""The File menu: documents and pictures in and out, on threads, so that the window never waits for a disk.

A picture opened becomes a document without a file of its own: Save asks for a name and never writes over the photo.
Export writes what is seen.

Elsewhere: saving and leaving in saving.py, the format in document/ora.py, pictures in engine/pictures.py.
"""

import json
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QStandardPaths
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMessageBox

from app.clipboard import copied_pixels, image_of
from app.document.document import Document
from app.document.layers import Layer
from app.errors import ResourceError
from app.export_way import AS_IT_IS, ExportWay
from app.handlers.export_questions import ExportQuestions
from app.handlers.file_mark import FileMark, mark_of
from app.panels.message_bar import Message
from app.recent import add_recent, recent_files
from app.resources import resources_dir

if TYPE_CHECKING:
    from app.main_window import MainWindow

OWN_ENDING = ".ora"
READ_ENDINGS = "*.ora *.png *.jpg *.jpeg *.webp *.tif *.tiff *.bmp *.gif *.ppm *.pgm *.avif *.heic *.heif"
OPEN_FILTER = f"Photos and documents ({READ_ENDINGS});;Documents (*.ora);;All files (*)"
EXPORT_FILTERS = (
    "PNG picture (*.png);;JPEG picture (*.jpg *.jpeg);;TIFF picture (*.tif *.tiff);;"
    "WebP picture (*.webp);;BMP picture (*.bmp)"
)


class FileHandlers:
    """Files of one window."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._source: Path | None = None
        self._exported: Path | None = None
        self._exported_way = AS_IT_IS
        self._questions = ExportQuestions(window)
        self.being_opened: set[Path] = set()
        """Files this window reads at the moment."""
        self._asker: MainWindow | None = None
        """The window that made this one for something it opens, until that is here."""

    def folder(self) -> str:
        """Where a file dialog starts: beside the document, the photo or the last file opened, else among the pictures."""
        document = self._window.document
        own = document.path if document is not None else None
        near = [path.parent for path in (own, self._source, *recent_files()[:1]) if path is not None]
        pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
        return str(next((folder for folder in (*near, Path(pictures)) if folder.is_dir()), Path.home()))

    # In --------------------------------------------------------------------------------------------------------------

    def ask_open(self) -> None:
        """Let the user choose files."""
        paths, _ = QFileDialog.getOpenFileNames(self._window, "Open", self.folder(), OPEN_FILTER)
        self.open_paths([Path(path) for path in paths])

    def open_paths(self, paths: Sequence[Path | str]) -> None:
        """Open files: the first here if nothing would be lost by it, the others in windows of their own."""
        self._window.settle("open")
        for path in (Path(path).absolute() for path in paths):  # the journal keeps it beyond this process
            window = self.window_of(path)
            if self._is_being_opened(path):
                continue  # a link that was double-clicked, or a file that is named twice
            if window is None:
                self.free_window().files.open_path(path)
            else:
                window.come_forward()
                window.say(f"{path.name} is open here already")

    def window_of(self, path: Path) -> "MainWindow | None":
        """The window that has this document: a second one would write over what the first one saves."""
        for window in self._window.windows:
            own = window.document.path if window.document is not None else None
            places = [place for place in (own, window.saving.goal) if place is not None]
            if any(_followed(place) == _followed(path) for place in places):
                return window
        return None

    def _is_being_opened(self, path: Path) -> bool:
        """Whether a window reads this file at the moment."""
        return any(_followed(path) in window.files.being_opened for window in self._window.windows)

    def _begin_opening(self, path: Path, words: str) -> None:
        self._window.begin_wait(words)
        self.being_opened.add(_followed(path))

    def _end_opening(self, path: Path) -> None:
        self.being_opened.discard(_followed(path))
        self._window.end_wait()

    def open_path(self, path: Path) -> None:
        """Open one file in this window."""
        window = self._window
        self._begin_opening(path, f"Opening {path.name}…")

        def read() -> tuple[Document, tuple[str, ...], FileMark | None]:
            mark = mark_of(path) if path.suffix.lower() == OWN_ENDING else None
            return *read_document(path), mark

        def done(opened: tuple[Document, tuple[str, ...], FileMark | None]) -> None:
            self._end_opening(path)
            document, notes, mark = opened
            place = self.free_window()
            place.files.take(document, path, mark)
            add_recent(path)
            place.refresh_recent()
            if notes:
                place.notify("info", f"{path.name} was opened", " ".join(notes))
            else:
                place.say(f"Opened {path.name}")

        def failed(error: Exception) -> None:
            self._end_opening(path)
            self.give_up(error)

        window.background.run(read, done, failed)

    def give_up(self, error: Exception) -> None:
        """Say that something cannot be opened; a window that was made for it alone goes, and the one that asked says it."""
        window, asker = self._window, self._asker
        if asker not in window.windows or window.document is not None or window.is_waiting:
            window.show_error(error, "open")
            return
        window.close()
        asker.show_error(error, "open")

    def open_sample(self, name: str = "") -> None:
        """Open a bundled photo with its mask, so that there is something to fill at once.

        Args:
            name: of the sample, as its table has it; the first where empty.

        Raises:
            ResourceError: if there is none of that name.
        """
        window = self._window
        folder = resources_dir() / "samples"
        samples = tomllib.loads((folder / "samples.toml").read_text(encoding="utf-8"))["sample"]
        names = [one["name"] for one in samples]
        if name and name not in names:
            raise ResourceError(
                f"sample '{name}'", "a bundled photo", "no such name", f"known: {', '.join(names)}"
            )
        sample = samples[names.index(name)] if name else samples[0]
        path = folder / sample["picture"]
        if self._is_being_opened(path):
            return
        if not self.is_free:
            self.free_window().files.open_sample(name)
            return
        self._begin_opening(path, "Opening the sample…")

        def read() -> Document:
            from app.document.selection import load_mask

            document, _ = read_document(path)
            document.name = sample["title"]
            load_mask(document, folder / sample["mask"])
            document.mark_saved(None)  # it begins with its mask: nobody drew what could be lost
            return document

        def done(document: Document) -> None:
            self._end_opening(path)
            place = self.free_window()
            place.files.take(document)
            sentence = f"The mask covers {sample['removed']}."
            next_step = "Press Fill in the Inpaint panel, then brush over anything else that should go."
            place.messages.show_message(
                Message("info", sample["title"], sentence, next_step, is_lasting=True, about="sample")
            )

        def failed(error: Exception) -> None:
            self._end_opening(path)
            self.give_up(error)

        window.background.run(read, done, failed)

    def new_from_clipboard(self) -> None:
        """Open the picture that was copied, or the files."""
        data = QGuiApplication.clipboard().mimeData()
        paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()] if data is not None else []
        if paths:
            self.open_paths(paths)
            return
        from engine.pictures import Picture

        pixels = copied_pixels()
        mode = "RGBA" if pixels.shape[2] == 4 else "RGB"
        document = Document.from_picture(Picture(pixels, mode), name="From clipboard")
        document.mark_unsaved()
        self.free_window().files.take(document)

    @property
    def is_free(self) -> bool:
        """Whether another document can take this window's place without anything being lost or missed."""
        document = self._window.document
        saving = self._window.saving
        if self._window.is_waiting or saving.is_saving or saving.is_asking:
            return False
        return document is None or (
            not document.is_modified and not document.history.entries and not document.results
        )

    def free_window(self) -> "MainWindow":
        """This window if nothing would be lost or missed by that, else a new one.

        Asked before a file is read and again behind it: the user may have drawn meanwhile.
        """
        if self.is_free:
            return self._window
        window = self._window.new_window()
        window.files._asker = self._window
        return window

    def take(self, document: Document, source: Path | None = None, mark: FileMark | None = None) -> None:
        """Show a document here.

        Args:
            document: in place of the one before.
            source: the file it was read from; None where there is none to export beside.
            mark: the document's own file as it was when it was read; None where it has none.
        """
        self._source, self._exported = source, None
        self._asker = None
        self._window.saving.mark = mark
        self._window.set_document(document)

    def paste(self) -> None:
        """Put the copied picture on a layer of its own, in the middle."""
        document = self._window.document
        if document is None:
            self.new_from_clipboard()
            return
        pixels = copied_pixels()
        if document.is_deep:
            pixels = pixels.astype(np.uint16) * 257
        (h, w), (height, width) = pixels.shape[:2], document.size_hw
        layer = Layer("picture", "Pasted", {"pixels": pixels}, ((width - w) // 2, (height - h) // 2))
        with document.begin("Paste") as change:
            change.add_layer(layer)
        document.active_layer_id = layer.id

    def drop(self, paths: Sequence[str]) -> None:
        """Files were dropped on the window."""
        self.open_paths([Path(path) for path in paths])

    # Out -------------------------------------------------------------------------------------------------------------

    def export(self) -> None:
        """Write what is seen to where it was written before; ask the first time."""
        if self._exported is None:
            self.export_as()
        else:
            path = self._exported
            self._questions.ask(path, lambda way: self.export_to(path, way), known=self._exported_way)

    def export_as(self) -> None:
        """Ask for a name, and write what is seen."""
        document = self._window.document
        if document is None:
            return
        ending = self._source.suffix.lower() if self._source is not None else ".png"
        if ending not in (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"):
            ending = ".png"
        start = str(self._exported or Path(self.folder()) / f"{document.name}-filled{ending}")
        kind = next((one for one in EXPORT_FILTERS.split(";;") if f"*{ending}" in one), "")
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Export Picture", start, EXPORT_FILTERS, kind)
        path = with_ending(Path(chosen), ".png", any_known=True) if chosen else None
        if path is not None and self.may_replace(path, Path(chosen)):
            self._questions.ask(path, lambda way: self.export_to(path, way))

    def export_to(self, path: Path, way: ExportWay = AS_IT_IS) -> None:
        """Write what is seen on a thread, with the profile, camera data and depth of the photo."""
        from app.document.saving import export_in_background

        window, document = self._window, self._window.document
        if document is None:
            return

        def done(error: Exception | None) -> None:
            window.say("" if error is not None else f"Exported {path.name}", about="export")
            if error is not None:
                window.show_error(error, "export")
                return
            if window.document is document:  # the next picture is not to be written over this one
                self._exported, self._exported_way = path, way
            if job.notes:
                window.notify("info", f"{path.name} was exported", " ".join(f"{note}." for note in job.notes))

        window.settle("export")
        window.say(f"Exporting {path.name}…", stays=True, about="export")
        try:
            job = export_in_background(
                document,
                path,
                lambda error: window.background.bring(done, error),
                text=recipe_of(document),
                way=way,
            )
        except Exception:
            window.say("", about="export")
            raise

    def may_replace(self, path: Path, chosen: Path) -> bool:
        """Whether a file may be written over; asks where the dialog could not, which knew it without its ending.

        Args:
            path: what would be written.
            chosen: what the file dialog gave, and has asked about already.
        """
        if path == chosen or not path.exists():
            return True
        buttons = QMessageBox.StandardButton
        question = f"{path.name} is there already. Replace it?"
        answer = QMessageBox.question(
            self._window, "Replace File", question, buttons.Yes | buttons.No, buttons.No
        )
        return answer == buttons.Yes

    def copy(self) -> None:
        """Copy what is seen to the clipboard."""
        from app.document.seen import seen_picture

        document = self._window.document
        if document is not None:
            QGuiApplication.clipboard().setImage(image_of(seen_picture(document)))
            self._window.say("Copied the picture as you see it")


def _followed(path: Path) -> Path:
    """Where a name leads; unlike ``Path.resolve`` it takes a link to itself for a name (Python before 3.13)."""
    return Path(os.path.realpath(path))


def read_document(path: Path) -> tuple[Document, tuple[str, ...]]:
    """Read a document or a picture; on any thread.

    Returns:
        The document and what is worth knowing of it, as sentences.

    Raises:
        DocumentError: if the document is damaged.
        PictureError: if the picture is.
    """
    if path.suffix.lower() == OWN_ENDING:
        from app.document.ora import read_ora

        document, notes = read_ora(path)
        return document, tuple(notes)
    from engine.pictures import read_picture

    picture = read_picture(path)
    document = Document.from_picture(picture, name=path.stem)
    return document, tuple(f"{note[:1].upper()}{note[1:].rstrip('.')}." for note in picture.notes)


def with_ending(path: Path, ending: str, *, any_known: bool = False) -> Path:
    """The path with an ending, where it has none or another.

    Args:
        path: as typed.
        ending: with the dot.
        any_known: leave an ending that is there as it is; the writer says whether it knows it.
    """
    if path.suffix.lower() == ending or (any_known and path.suffix):
        return path
    return path.with_name(path.name + ending)


def recipe_of(document: Document) -> dict[str, str]:
    """What a PNG says of how it was made: the recipe step of the result that is seen."""
    text = {"Software": "Pentimento"}
    result = document.current_result
    steps = [layer.step for layer in document.layers if layer.step is not None and layer.is_visible]
    steps += [result.step] if result is not None else []
    if steps:
        text["pentimento.recipe"] = json.dumps([step.model_dump(mode="json") for step in steps])
    return text
