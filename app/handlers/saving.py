"""Saving a document and leaving it: nothing that was drawn is lost unasked, and nothing of another program's either.

A save goes to the document's own file, on a thread, and what the user does meanwhile is in the next one. Who leaves is
asked first, and goes once a save under way is done. The journal of `app.document.journal` follows every document from
the moment it is opened until it is left.

Elsewhere: files in and out in files.py, writing on a thread in document/saving.py, the format in document/ora.py.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PySide6.QtWidgets import QFileDialog, QMessageBox

from app.document.document import Document
from app.errors import AppError, DocumentError
from app.handlers.file_mark import FileMark, mark_of
from app.handlers.files import OWN_ENDING, with_ending
from app.keeping import JOURNAL
from app.notices import NOTICES
from app.recent import add_recent
from engine.own_file import Notice, words_of_error

if TYPE_CHECKING:
    from app.document.journal import Journal
    from app.main_window import MainWindow

SAVE_FILTER = "Pentimento document, OpenRaster (*.ora)"
Answer = Literal["save", "discard", "cancel"]
ChangedAnswer = Literal["save_as", "overwrite", "cancel"]


class SaveHandlers:
    """Saving and leaving of one window."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._journal: Journal | None = None
        self._is_saving = False
        self._goal: Path | None = None  # of the save under way
        self._next_save: Path | None = None
        self._after_save: Callable[[], None] | None = None
        self.is_asking = False
        """Whether a name is being asked for, which belongs to the document that is here now."""
        self.mark: FileMark | None = None
        """The document's own file as it was when it was last read or written here; None where it has none."""

    @property
    def is_saving(self) -> bool:
        """Whether a save is under way."""
        return self._is_saving

    @property
    def goal(self) -> Path | None:
        """The file that is being written; the document's own as soon as that is done."""
        return self._goal if self._is_saving else None

    @property
    def is_leaving(self) -> bool:
        """Whether the document, or the window, goes as soon as the save that is under way is done."""
        return self._is_saving and self._after_save is not None

    # Saving ----------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Save to the document's own file; ask for one if it has none."""
        document = self._window.document
        if document is None:
            return
        goal = self._next_save or self.goal
        if goal is not None:  # where it goes already: its own file may be another a moment later
            self.save_to(goal)
        elif document.path is None or document.path.suffix.lower() != OWN_ENDING:
            self.save_as()
        else:
            self._save_over(document.path)

    def _save_over(self, path: Path) -> None:
        """Save to the document's own file; ask first if another program wrote to it."""
        mark = self.mark
        if self._is_saving or mark is None or mark.path != path or mark.looks_same():
            self.save_to(path)
            return
        # Who closes meanwhile waits, and no other document comes here.
        self._is_saving, self._goal = True, path

        def done(is_same: bool) -> None:
            answer = "overwrite" if is_same else self.ask_changed(path)
            self._is_saving = False
            following, self._next_save = self._next_save, None
            self._window.say("", about="save")
            if answer == "overwrite":
                self.save_to(path)
            elif answer == "save_as":
                self.save_as()
            else:
                self._after_save = None
            if following is not None and following != path:  # Save As was chosen meanwhile
                self.save_to(following)

        def failed(error: Exception) -> None:
            self._is_saving = False
            self._next_save = self._after_save = None
            self._window.say("", about="save")
            self._window.show_error(error, "save")

        self._window.background.run(mark.is_same, done, failed)

    def save_as(self) -> None:
        """Ask for a name, and save."""
        document = self._window.document
        if document is None:
            return
        start = str(document.path or Path(self._window.files.folder()) / f"{document.name}{OWN_ENDING}")
        self.is_asking = True
        try:
            chosen, _ = QFileDialog.getSaveFileName(self._window, "Save As", start, SAVE_FILTER)
            path = with_ending(Path(chosen), OWN_ENDING) if chosen else None
            is_agreed = path is not None and self._window.files.may_replace(path, Path(chosen))
        finally:
            self.is_asking = False
        if path is not None and is_agreed:
            self.save_to(path)
        else:
            self._after_save = None

    def save_to(self, path: Path) -> None:
        """Save on a thread; the user goes on meanwhile."""
        from app.document.saving import save_in_background

        window, document = self._window, self._window.document
        if document is None:
            return
        if window.files.window_of(path) not in (None, window):
            self._after_save = None
            hint = "choose another name, or close the other window first"
            window.show_error(
                DocumentError(
                    path,
                    "a file no other window has",
                    "one that is open",
                    hint,
                    said="this document is open in another window",
                )
            )
            return
        if self._is_saving:  # side by side, the older one could be the last to take the file's name
            self._next_save = path
            return
        self._is_saving, self._goal = True, path
        window.settle("save")
        window.say(f"Saving {path.name}…", stays=True, about="save")

        def written(error: Exception | None) -> None:
            mark = mark_of(path) if error is None else None
            window.background.bring(lambda mark: done(error, mark), mark)

        def done(error: Exception | None, mark: FileMark | None = None) -> None:
            self._is_saving = False
            following, self._next_save = self._next_save, None
            if error is None:
                self.mark = mark
            if following is not None:
                if error is None:
                    job.settle()
                elif following != path:
                    window.show_error(error, "save")
                self.save_to(following)
                return
            after, self._after_save = self._after_save, None
            if error is not None:
                window.say("", about="save")
                window.show_error(error, "save")
                if after is not None:
                    window.come_forward()
                return
            job.settle()
            window.say(f"Saved {path.name}", about="save")
            add_recent(path)
            window.refresh_recent()
            window.refresh()
            if after is not None:  # asks again where something was drawn while the file was written
                self.leave(after)

        try:
            job = save_in_background(document, path, written)
        except (AppError, OSError, MemoryError, RuntimeError) as error:  # no memory or thread to write with
            done(error)

    # Leaving ---------------------------------------------------------------------------------------------------------

    def close_document(self) -> None:
        """Close the document: with its window where there are others, else the start is shown, and the window closes next."""
        if self._window.document is None or len(self._window.windows) > 1:
            self._window.close()
        else:
            self.leave(lambda: self._window.set_document(None))

    def leave(self, go_on: Callable[[], None]) -> bool:
        """Do something that loses the document, after asking whether to save it.

        Returns:
            Whether it was done at once; after a save it is done later, after a cancel never.
        """
        document = self._window.document
        if self.is_saving:
            self._after_save = go_on
            return False
        if document is None or not document.is_modified:
            go_on()
            return True
        answer = self.ask_save()
        if answer == "discard":
            go_on()
            return True
        if answer == "save":
            self._after_save = go_on
            self.save()
        return False

    def close_window_after_save(self) -> None:
        """Close the window as soon as the save that is under way is done; a save that fails keeps it open."""
        if self.is_saving:
            before = self._after_save

            def close() -> None:
                if before is not None:
                    before()
                self._window.close()

            self._after_save = close
            self._window.say("Saving; the window closes when that is done", stays=True, about="save")

    def ask_save(self) -> Answer:
        """Ask what is to become of changes that are not saved."""
        document = self._window.document
        name = document.name if document is not None else ""
        box = QMessageBox(self._window)
        box.setObjectName("ask_save")
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Unsaved Changes")
        box.setText(f"Save the changes to “{name}”?")
        box.setInformativeText("Strokes, results and layers since the last save are lost if you don't.")
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Discard | buttons.Cancel)
        box.button(buttons.Discard).setText("Don't Save")
        box.setDefaultButton(buttons.Save)
        chosen = box.exec()
        return {buttons.Save: "save", buttons.Discard: "discard"}.get(buttons(chosen), "cancel")  # type: ignore[return-value]

    def ask_changed(self, path: Path) -> ChangedAnswer:
        """Ask what is to become of what another program wrote to the document's file."""
        box = QMessageBox(self._window)
        box.setObjectName("ask_changed")
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("File Changed")
        box.setText(f"“{path.name}” was changed by another program since it was last read or saved here.")
        box.setInformativeText("Overwriting it loses those changes. Save under another name to keep both.")
        buttons = QMessageBox.StandardButton
        save_as = box.addButton("Save &As…", QMessageBox.ButtonRole.AcceptRole)
        overwrite = box.addButton("&Overwrite", QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(buttons.Cancel)
        box.setDefaultButton(save_as)
        box.exec()
        clicked = box.clickedButton()
        if clicked is save_as:
            return "save_as"
        return "overwrite" if clicked is overwrite else "cancel"

    # The journal -----------------------------------------------------------------------------------------------------

    def follow(self, document: Document | None) -> None:
        """Keep a journal of this document from now on, and end the one before: its work was saved or given up."""
        if self._journal is not None:
            self._journal.close(discard=True)
            self._journal = None
        if document is None:
            return
        from app.document.recovery import journal_for, journals_folder

        try:
            window = self._window
            self._journal = journal_for(
                document,
                on_trouble=lambda error: window.background.bring(
                    lambda fault: window.show_error(fault, "save"), error
                ),
            )
        except OSError as error:  # no room for a journal must not keep anybody from working
            NOTICES.add(Notice("not kept", JOURNAL, journals_folder(), detail=words_of_error(error)))
        except AppError as error:
            self._window.show_error(error)
