"""Work that a crash left behind: looked for after the first paint, offered, taken up or thrown away."""

from typing import TYPE_CHECKING

from app.document.document import Document
from app.handlers.file_mark import FileMark, mark_of

if TYPE_CHECKING:
    from app.document.recovery import Recoverable
    from app.main_window import MainWindow


class RecoveryHandlers:
    """The offer of one window."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window
        self._under_way: list[tuple[Recoverable, MainWindow]] = []
        """What is being recovered, and the window that does; one that is closed meanwhile does not."""

    def offer(self) -> None:
        """Look for work on a thread, and offer what is found."""
        from app.document.recovery import recoverable

        window = self._window
        window.background.run(recoverable, window.recovery.offer, window.show_error)

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

        def work() -> tuple[Document, FileMark | None]:
            mark = mark_of(item.path) if item.path is not None else None
            if mark is not None and mark.time_ns > item.when.timestamp() * 1e9:
                mark = mark.doubted()
            return recover(item), mark

        def done(recovered: tuple[Document, FileMark | None]) -> None:
            window.end_wait()
            asked_by.recoveries.ended(item)
            document, mark = recovered
            place = window.files.free_window()
            place.files.take(document, mark=mark)
            if asked_by in window.windows:
                asked_by.recovery.remove(item)
            place.notify(
                "done",
                "Your work is back",
                "It is not saved yet.",
                "Save it (Ctrl+S) when it is as you want it.",
            )

        def failed(error: Exception) -> None:
            window.end_wait()
            asked_by.recoveries.ended(item)
            window.files.give_up(error)

        window.background.run(work, done, failed)

    def discard(self, item: "Recoverable") -> None:
        """Throw a piece of work away."""
        from app.document.recovery import discard, let_go

        if self._is_under_way(item):
            return
        let_go(item)
        discard(item)
        self._window.recovery.remove(item)
