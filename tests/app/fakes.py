"""A worker without a process: it takes requests and answers when the test says so."""

import warnings
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QMimeData, QObject, QPoint, QPointF, Qt, QUrl, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.document.document import Document
from app.document.layers import Layer
from app.worker import Request
from engine.edits import Edit, RetargetEdit
from engine.forecast import Forecast
from engine.host import HostReply, Patch, ProgressSaid

SEAM = {"border_px": 40, "colour_step": 0.02, "picture_colour_step": 0.019, "corrected": False}


class FakeWorker(QObject):
    """Has the signals and the public calls of `app.worker.EngineWorker`."""

    ready = Signal(object)
    started = Signal(object)
    progressed = Signal(object)
    finished = Signal(object, object)
    refused = Signal(object, object)
    cancelled = Signal(object)
    died = Signal(str, bool)
    status_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[int, Request] = {}
        """All that were ever made, by number."""
        self.waiting: list[int] = []
        self.expected: Forecast | None = None
        """What `forecast` says of any job."""

    def submit(self, request: Request) -> int:
        number = len(self.requests) + 1
        self.requests[number] = request
        if request.is_live:
            for other in list(self.waiting):
                if self.requests[other].is_live and self.requests[other].tag == request.tag:
                    self.cancel(other)
        self.waiting.append(number)
        return number

    def cancel(self, number: int) -> None:
        if number in self.waiting:
            self.waiting.remove(number)
            self.cancelled.emit(number)

    def forecast(
        self, edit: Edit, mask: np.ndarray | None, *, size_hw: tuple[int, int] | None = None
    ) -> Forecast | None:
        return self.expected

    def ask_status(self) -> None:
        self.status_asked = True

    def cancel_all(self) -> None:
        for number in list(self.waiting):
            self.cancel(number)

    # What a test says ------------------------------------------------------------------------------------------------

    @property
    def newest(self) -> Request:
        return self.requests[max(self.requests)]

    def begin(self, *, share: float = 0.5, word: str = "fill", preview: np.ndarray | None = None) -> None:
        """The first waiting job runs and says where it is."""
        number = self.waiting[0]
        self.started.emit(number)
        box = (0, 0, 4, 4) if preview is not None else None
        self.progressed.emit(ProgressSaid(number, share, word, preview, box))

    def answer(self, fill: int | Callable[[int], int] = 200) -> HostReply:
        """The first waiting job ends: its hole gets one value, and one line of edges."""
        number = self.waiting.pop(0)
        value = fill(number) if callable(fill) else fill
        reply = reply_to(self.requests[number], value)
        self.started.emit(number)
        self.finished.emit(number, reply)
        return reply

    def refuse(self, error: Exception) -> None:
        self.refused.emit(self.waiting.pop(0), error)


def reply_to(request: Request, value: int) -> HostReply:
    """What an engine would say that fills every hole, or remakes every picture, with one value."""
    if isinstance(request.edit, RetargetEdit):
        return remade_reply(request, value)
    image, mask = request.inputs.image, request.inputs.mask
    rows, columns = np.nonzero(mask)
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    place = (slice(box[1], box[3]), slice(box[0], box[2]))
    pixels = image[place].copy()
    pixels[mask[place] > 0] = value
    edges = np.zeros(pixels.shape[:2], np.uint8)
    edges[len(edges) // 2] = 255
    report = {
        "device": "cpu",
        "weights": {"name": "tiny", "sha256": "0" * 64},
        "seconds": {"total": 0.25},
        "working_size_px": request.edit.working_size_px,
        "crops": [],
        "notes": [],
        "seam": SEAM,
    }
    return HostReply(image.shape[:2], (Patch(box, pixels),), (Patch(box, edges),), report)


def remade_reply(request: Request, value: int) -> HostReply:
    """A picture of one value; its left half was invented, and outside of free corners it is clear."""
    (h, w), image = request.edit.result_hw, request.inputs.image
    channels = 1 if image.ndim == 2 else image.shape[2]
    if request.edit.corners_xy is not None and channels in (1, 3):
        channels += 1
    pixels = np.full((h, w, channels), value, image.dtype)
    if request.edit.corners_xy is not None:
        pixels[0, :, -1] = 0
    novelty = np.zeros((h, w), np.uint8)
    novelty[:, : w // 2] = 255
    box = (0, 0, w, h)
    report = {"device": "cpu", "weights": None, "seconds": {"total": 1.5}, "crops": [], "notes": []}
    pixels = pixels if channels > 1 else pixels[..., 0]
    return HostReply((h, w), (Patch(box, pixels),), (), report, {"novelty": (Patch(box, novelty),)})


def make_document(size_hw: tuple[int, int] = (40, 60), mode: str = "RGB", dtype: str = "uint8") -> Document:
    """A document of one picture, a ramp."""
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
    top = np.iinfo(dtype).max
    ramp = np.linspace(0, top, size_hw[0] * size_hw[1] * channels).reshape(*size_hw, channels)
    if mode.endswith("A"):
        ramp[..., -1] = top
    pixels = ramp.astype(dtype) if channels > 1 else ramp[..., 0].astype(dtype)
    layer = Layer("picture", "photo", {"pixels": pixels})
    return Document(size_hw, mode, is_deep=dtype == "uint16", name="photo", layers=[layer])


def stroke(
    document: Document, box: tuple[int, int, int, int], plane: str = "coverage", value: int = 255
) -> None:
    """Paint a rectangle as one history entry, as a brush would."""
    layer = document.mask_layer if plane == "coverage" else document.edges_layer
    with document.begin("Brush") as transaction, transaction.writing(layer.id, plane, box) as values:
        values[...] = value


def drop(widget: QWidget, *paths, at: QPoint | None = None) -> bool:
    """Files dropped on a widget, as Qt tells it; whether they were taken."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = widget.rect().center() if at is None else at
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PySide marks the only constructors there are
        enter = QDragEnterEvent(place, Qt.DropAction.CopyAction, data, buttons, modifiers)
        move = QDragMoveEvent(place, Qt.DropAction.CopyAction, data, buttons, modifiers)
    QApplication.sendEvent(widget, enter)
    if not enter.isAccepted():
        return False
    QApplication.sendEvent(widget, move)
    event = QDropEvent(QPointF(place), Qt.DropAction.CopyAction, data, buttons, modifiers)
    if move.isAccepted():
        QApplication.sendEvent(widget, event)
    else:
        QApplication.sendEvent(widget, QDragLeaveEvent())
    return move.isAccepted() and event.isAccepted()
