"""Ask what an export leaves to the user, before anything is written: nothing where the format keeps everything.

A format with a quality asks each time a name is chosen, and starts from what was chosen before. A colour is asked for
where something is clear and the format cannot hold that.

Elsewhere: the questions in dialogs/export_dialog.py, the file in files.py.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from app.export_way import AS_IT_IS, ExportSize, ExportWay

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from engine.pictures import Picture

Then = Callable[[ExportWay], None]


class ExportQuestions:
    """The questions of one window."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window

    def ask(self, path: Path, then: Then, *, known: ExportWay | None = None) -> None:
        """Go on with what the user decides; never, if that is not to export.

        Args:
            path: the file that will be written.
            then: called with the answer, at once where nothing is asked.
            known: what was decided the last time; only what is new is asked then.
        """
        from app.document.seen import seen_mode, seen_picture
        from app.document.snapshot import Snapshot
        from engine.encoding import format_of

        document = self._window.document
        if document is None:
            return
        chosen = format_of(path)
        if chosen is None:  # who writes the file says so
            then(known or AS_IT_IS)
            return
        may_need_colour = not chosen.has_alpha and seen_mode(document).endswith("A")
        has_colour = known is not None and known.flatten_rgb is not None
        is_quality_open = chosen.has_quality and known is None
        if not is_quality_open and (has_colour or not may_need_colour):
            then(known or AS_IT_IS)
            return
        window, snapshot = self._window, Snapshot(document)

        def look() -> tuple["Picture", bool]:
            from engine.pictures import Picture

            with snapshot:
                mode = seen_mode(snapshot)
                picture = Picture(seen_picture(snapshot), mode, snapshot.icc_profile, snapshot.metadata)
            return picture, may_need_colour and not picture.is_opaque

        def done(answer: tuple["Picture", bool]) -> None:
            picture, needs_colour = answer
            window.say("", about="export")
            if window.document is not document:
                return
            if needs_colour or is_quality_open:
                self._show(path, picture, then, needs_colour=needs_colour)
            else:
                then(known or AS_IT_IS)

        def failed(error: Exception) -> None:
            window.say("", about="export")
            window.show_error(error, "export")

        window.say(f"Looking at what {path.name} will hold…", stays=True, about="export")
        window.background.run(look, done, failed)

    def _show(self, path: Path, picture: "Picture", then: Then, *, needs_colour: bool) -> None:
        from app.dialogs.export_dialog import ExportDialog

        measure = ExportSize(picture, path).measure
        dialog = ExportDialog(
            path,
            measure,
            self._window.store,
            self._window.background,
            needs_colour=needs_colour,
            parent=self._window,
        )
        dialog.accepted.connect(lambda: then(dialog.way))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
