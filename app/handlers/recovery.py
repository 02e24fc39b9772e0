"""Work that a crash left behind: looked for after the first paint, offered, taken up or thrown away.

What is thrown away is kept from other windows and deleted when this window closes; until then it can be had back.
"""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from app.document.document import Document
from app.errors import AppError
from app.handlers.file_mark import FileMark, mark_of
from app.panels.message_bar import Message, Topic

if TYPE_CHECKING:
    from app.document.folder_lock import FolderLock
    from app.document.recovery import Recoverable, Report
    from app.main_window import MainWindow


class RecoveryHandlers:
    """The offer of one window."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._under_way: list[tuple[Recoverable, MainWindow]] = []
        """What is being recovered, and the window that does; one that is closed meanwhile does not."""
        self._discarded: list[tuple[Recoverable, FolderLock]] = []
        """What goes when the window closes."""

    def offer(self) -> None:
        """Look for work on a thread, and offer what is found."""
        from app.document.recovery import recoverable

        window = self._window
        window.background.run(recoverable, window.recovery.offer, window.show_error)

    def show_offer(self) -> None:
        """Show the offer again that was hidden, or look anew."""
        window = self._window
        if window.recovery.items:
            window.recovery.show()
            return
        from app.document.recovery import recoverable

        def found(items: "list[Recoverable]") -> None:
            window.recovery.offer(items)
            if not items:
                window.say("There is no unsaved work from last time")

        window.background.run(recoverable, found, window.show_error)

    def recover(self, item: "Recoverable") -> None:
        """Open a piece of work; in a window of its own where this one has a document."""
        from app.document.recovery import let_go

        if self._is_under_way(item):
            return  # its button was pressed twice
        let_go(item)
        window = self._window.files.free_window()
        self._under_way.append((item, window))
        window.recoveries.recover_here(item, self._window)

    def ended(self, item: "Recoverable") -> None:
        """A piece of work is here, or could not be opened and may be tried again."""
        self._under_way = [one for one in self._under_way if one[0] is not item]

    def _is_under_way(self, item: "Recoverable") -> bool:
        return any(one is item and window in window.windows for one, window in self._under_way)

    def recover_here(self, item: "Recoverable", asked_by: "MainWindow") -> None:
        """Open a piece of work in this window; the offer stays where it could not be opened."""
        from app.document.recovery import recover

        window = self._window
        window.begin_wait(f"Recovering {item.name}…")
        reports: list[Report] = []

        def work() -> tuple[Document, FileMark | None]:
            path = item.path if item.path is not None and item.path.is_file() else None  # no pipe to wait for
            mark = mark_of(path) if path is not None else None
            if mark is not None and (item.when is None or mark.time_ns > item.when.timestamp() * 1e9):
                mark = mark.doubted()
            return recover(item, on_report=reports.append), mark

        def done(recovered: tuple[Document, FileMark | None]) -> None:
            window.end_wait()
            asked_by.recoveries.ended(item)
            document, mark = recovered
            place = window.files.free_window()
            place.files.take(document, mark=mark)
            (report,) = reports
            if asked_by in window.windows:
                asked_by.recovery.set_state(item, "kept" if report.damage else "recovered")
            changed = item.path if mark is not None and mark.is_doubted else None
            place.messages.show_message(message_of(report, changed))

        def failed(error: Exception) -> None:
            window.end_wait()
            asked_by.recoveries.ended(item)
            if asked_by in window.windows:
                asked_by.recovery.set_state(item, "failed")
            window.show_error(error)

        window.background.run(work, done, failed)

    def discard(self, item: "Recoverable") -> None:
        """Throw a piece of work away, when the window closes."""
        from app.document.recovery import hold, let_go

        if self._is_under_way(item) or self._lock_of(item) is not None:
            return
        let_go(item)
        self._discarded.append((item, hold(item)))
        self._window.recovery.set_state(item, "discarded")

    def undo_discard(self, item: "Recoverable") -> None:
        """Offer again what was thrown away."""
        lock = self._lock_of(item)
        if lock is None:
            return
        self._discarded = [one for one in self._discarded if one[0] is not item]
        lock.release()
        self._window.recovery.set_state(item, "offered")

    def close(self) -> None:
        """The window closes: delete what was thrown away."""
        from app.document.recovery import discard

        discarded, self._discarded = self._discarded, []
        for item, lock in discarded:
            with contextlib.suppress(AppError, OSError):  # then it is offered once more
                discard(item, held=lock)

    def _lock_of(self, item: "Recoverable") -> "FolderLock | None":
        return next((lock for one, lock in self._discarded if one is item), None)


def message_of(report: "Report", changed: Path | None) -> Message:
    """What to say of work that is here again.

    Args:
        report: what came back.
        changed: the document's own file, where another program wrote to it after the crash.
    """
    sentences = ["It is not saved yet."]
    if "picture" in report.damage:
        sentences.append("Part of the picture was damaged; look it over before you save it.")
    if "steps" in report.damage:
        sentences.append("The last steps could not be read; this is the picture before them.")
    if "later" in report.damage:
        sentences.append("A later version of Pentimento wrote some steps; this is the picture before them.")
    sentences += [f"{note[:1].upper()}{note[1:].rstrip('.')}." for note in report.notes]
    if report.has_earlier:
        count = f"{report.steps} {'step' if report.steps == 1 else 'steps'}" if report.steps else "no step"
        sentences.append(f"Undo goes back {count}; what was done before is part of the picture.")
    if changed is not None:
        sentences.append(f"“{changed.name}” was changed by another program since; saving asks first.")
    next_step = "Save it (Ctrl+S) when it is as you want it."
    if report.damage:
        next_step += " What could not be read is kept until you discard it."
    title = "Part of your work is back" if report.damage else "Your work is back"
    level = "warning" if report.damage or report.notes else "done"
    is_lasting = len(sentences) > 1
    about: Topic = "" if report.damage else "recovered"
    sentence = " ".join(sentences)
    return Message(level, title, sentence, next_step, is_lasting=is_lasting, about=about)  # type: ignore[arg-type]
