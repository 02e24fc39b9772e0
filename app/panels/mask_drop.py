"""A picture file dropped where the mask is shown becomes the mask.

Anywhere else in the window a dropped file is opened; here it is taken for what lies under the pointer.
"""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget


def everywhere(_at: QPoint) -> bool:
    """All of the widget takes a drop."""
    return True


class MaskDrop(QObject):
    """Lets a widget take one file.

    Args:
        widget: what is dropped on; it owns this.
        is_here: whether a place of the widget takes a drop.
    """

    hovered = Signal(bool)
    """A file is held over a place that takes it, or no longer."""
    dropped = Signal(str)
    """The path of the file."""

    def __init__(self, widget: QWidget, is_here: Callable[[QPoint], bool] = everywhere) -> None:
        super().__init__(widget)
        self._is_here = is_here
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Take drag and drop; leave everything else to the widget."""
        if isinstance(event, QDragLeaveEvent):
            self.hovered.emit(False)
            return True
        if not isinstance(event, QDropEvent):  # those of entering and moving are of that kind too
            return super().eventFilter(watched, event)
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        is_taken = len(paths) == 1 and self._is_here(event.position().toPoint())
        if isinstance(event, QDragEnterEvent | QDragMoveEvent):
            # Refused on entering, Qt would not ask again over the place that takes it.
            event.setAccepted(is_taken or (isinstance(event, QDragEnterEvent) and len(paths) == 1))
            self.hovered.emit(is_taken)
        else:
            event.setAccepted(is_taken)
            self.hovered.emit(False)
            if is_taken:
                self.dropped.emit(paths[0])
        return True
