"""Save and export on a thread, while the user goes on.

What is written is the document as it was when saving was asked for; a stroke drawn meanwhile is in the next save. The
old file stays until the new one is whole.

Elsewhere: the format in ora.py, writing whole or not at all in engine.atomic.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from app.document.document import Document
from app.document.ora_writer import write_ora
from app.document.seen import seen_mode, seen_picture, seen_size_hw
from app.document.snapshot import Snapshot
from app.export_way import AS_IT_IS, ExportWay
from engine.atomic import AnyPath

_log = logging.getLogger(__name__)

Done = Callable[[Exception | None], None]


class SaveJob:
    """A file being written.

    Args:
        document: only marked as saved, and only by `settle`.
        snapshot: what is written; closed at the end.
        path: the file.
        write: does it, given the progress callback; called on the job's thread.
        done: told at the end, on the job's thread: None, or what went wrong.
    """

    def __init__(
        self,
        document: Document,
        snapshot: Snapshot,
        path: Path,
        write: Callable[[Callable[[float], None]], object],
        done: Done,
    ) -> None:
        self.path = path
        self.share = 0.0
        """What is done, in [0, 1]; read on any thread."""
        self.notes: tuple[str, ...] = ()
        """What the format could not keep, once an export is done."""
        self._document = document
        self._snapshot = snapshot
        self._write = write
        self._done = done
        self._error: Exception | None = None
        self._is_written = False
        # Not a daemon: a save that was asked for is finished even if the program is closed meanwhile.
        self._thread = threading.Thread(target=self._run, name=f"save {path.name}")
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the file is still being written."""
        return self._thread.is_alive()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; False if that takes longer."""
        self._thread.join(timeout_s)
        return not self.is_running

    def settle(self) -> None:
        """Mark the document as saved, where it was. To be called on the document's own thread once `done` was told.

        What was changed since the save was asked for still counts as unsaved.
        """
        if self._is_written:
            self._is_written = False
            self._document.mark_saved(self.path, self._snapshot)

    def _run(self) -> None:
        error: Exception | None = None
        try:
            with self._snapshot:
                notes = self._write(self._progressed)
            self.notes = notes if isinstance(notes, tuple) else ()
            self._is_written = True
        except Exception as raised:  # noqa: BLE001 - whatever it is, the window has to tell it
            _log.info("%s was not written", self.path, exc_info=True)
            error = raised
        self._done(error)

    def _progressed(self, share: float) -> None:
        self.share = share


def save_in_background(document: Document, path: AnyPath, done: Done) -> SaveJob:
    """Save a document to its own file, on a thread.

    Call it on the thread that changes the document, and `SaveJob.settle` there once ``done`` was told.

    Args:
        document: may be changed meanwhile; what is saved is as it is now.
        path: the file; ends in .ora.
        done: told at the end, on the saving thread: None, or what went wrong.
    """
    goal, snapshot = Path(path), Snapshot(document)
    return SaveJob(document, snapshot, goal, lambda progress: write_ora(snapshot, goal, progress), done)


class ExportJob(SaveJob):
    """A picture being written; the document counts as unsaved as before."""

    def settle(self) -> None:
        """Nothing: an exported picture does not hold the document."""


def export_in_background(
    document: Document,
    path: AnyPath,
    done: Done,
    *,
    text: Mapping[str, str] | None = None,
    way: ExportWay = AS_IT_IS,
) -> ExportJob:
    """Write what is seen as a picture, with the photo's profile, camera data and depth, on a thread.

    Args:
        document: may be changed meanwhile; what is written is as it is now.
        path: its ending says the format.
        done: told at the end, on the job's thread: None, or what went wrong.
        text: entries for a PNG.
        way: what the user chose of it.

    Raises:
        PictureError: if the name says no format, or the format has no room for the size; said before any work.
    """
    from engine.pictures import Picture, check_can_write, write_picture

    # Whether anything is clear is known once the layers lie on each other.
    check_can_write(path, mode=seen_mode(document), size_hw=seen_size_hw(document), is_opaque=True)
    goal, snapshot = Path(path), Snapshot(document)

    def write(_progress: Callable[[float], None]) -> tuple[str, ...]:
        pixels = seen_picture(snapshot)
        picture = Picture(pixels, seen_mode(snapshot), snapshot.icc_profile, metadata=snapshot.metadata)
        return write_picture(picture, goal, text=text, quality=way.quality, flatten_rgb=way.flatten_rgb)

    return ExportJob(document, snapshot, goal, write, done)
