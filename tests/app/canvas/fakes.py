"""What tests of the canvas share: a recording tool, a pen, small documents, and how to read pixels."""

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QImage, QInputDevice, QMouseEvent, QPointingDevice, QTabletEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.canvas.pointer import PointerEvent
from app.canvas.tools.base import BrushOutline, Tool
from app.canvas.tools.context import ToolContext
from app.canvas.view import CanvasView
from app.document.document import Document
from app.document.layers import Layer
from app.document.recipe import Step
from app.document.results import Result


class RecordingTool(Tool):
    """Writes down what it is told."""

    def __init__(self, context: ToolContext) -> None:
        super().__init__(context)
        self.said: list[tuple[str, PointerEvent | None]] = []
        self.factors: list[float] = []
        self.keys: list[Qt.Key] = []
        self.diameter_px: float | None = None
        self.is_down = False

    @property
    def is_busy(self) -> bool:
        return self.is_down

    def press(self, event):
        self.is_down = True
        self.said.append(("press", event))

    def double_press(self, event):
        self.said.append(("double", event))

    def move(self, event):
        self.said.append(("move", event))

    def release(self, event):
        self.is_down = False
        self.said.append(("release", event))

    def hover(self, event):
        self.said.append(("hover", event))

    def cancel(self):
        self.is_down = False
        self.said.append(("cancel", None))

    def finish(self):
        self.said.append(("finish", None))

    def key(self, key):
        self.keys.append(key)
        return key == Qt.Key.Key_Return

    def resize_brush(self, factor):
        self.factors.append(factor)

    def outline(self):
        return None if self.diameter_px is None else BrushOutline(self.diameter_px, 1.0)

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.said]


class Pen:
    """A tablet pen over a widget."""

    def __init__(self, widget: QWidget, *, end: str = "Pen", has_pressure: bool = True) -> None:
        able = (
            QInputDevice.Capability.Position | QInputDevice.Capability.XTilt | QInputDevice.Capability.YTilt
        )
        if has_pressure:
            able |= QInputDevice.Capability.Pressure
        self.widget = widget
        self.device = QPointingDevice(
            "pen", 7, QInputDevice.DeviceType.Stylus, QPointingDevice.PointerType[end], able, 1, 3
        )

    def send(self, kind: str, x: float, y: float, pressure: float = 0.5, tilt: tuple[float, float] = (0, 0)):
        types = {
            "press": QEvent.Type.TabletPress,
            "move": QEvent.Type.TabletMove,
            "hover": QEvent.Type.TabletMove,
            "release": QEvent.Type.TabletRelease,
        }
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        changed = left if kind in ("press", "release") else none
        held = left if kind in ("press", "move") else none
        at = QPointF(x, y)
        event = QTabletEvent(
            *(types[kind], self.device, at, at, pressure, *tilt, 0.0, 0.0, 0.0),
            *(Qt.KeyboardModifier.NoModifier, changed, held),
        )
        QApplication.sendEvent(self.widget, event)


def photo(size_hw: tuple[int, int] = (300, 400), channels: int = 3, dtype: type = np.uint8) -> np.ndarray:
    """Smooth and noisy at once, each pixel its own."""
    h, w = size_hw
    rng = np.random.default_rng(3)
    ramp = np.linspace(0.1, 0.9, w)[None, :, None] * np.linspace(0.4, 1.0, h)[:, None, None]
    values = (ramp + rng.uniform(-0.1, 0.1, (h, w, channels))).clip(0, 1) * np.iinfo(dtype).max
    return values.astype(dtype)


def document_of(pixels: np.ndarray, mode: str = "RGB") -> Document:
    layer = Layer("picture", "Photo", {"pixels": pixels})
    return Document(pixels.shape[:2], mode, layers=[layer], is_deep=pixels.dtype == np.uint16)


def result_of(document: Document, box, value: int = 255, edges: np.ndarray | None = None) -> Result:
    """A flat result whose coverage is an inset of its box."""
    x0, y0, x1, y1 = box
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[document.mode]
    coverage = np.zeros((y1 - y0, x1 - x0), np.uint8)
    coverage[4:-4, 4:-4] = 255
    pixels = np.full((y1 - y0, x1 - x0, channels), value, np.uint16 if document.is_deep else np.uint8)
    return Result(box_xyxy=box, pixels=pixels, coverage=coverage, step=Step(edit={}), edges=edges)


def write(document: Document, plane: str, box, value: int = 255) -> None:
    """Fill a box of a mask or edge plane."""
    layer = document.mask_layer if plane == "coverage" else document.edges_layer
    with document.begin("test") as transaction:
        transaction.touch(layer.id, plane, box)
        layer.planes[plane][box[1] : box[3], box[0] : box[2]] = value
        transaction.changed(layer.id, plane, box)


def rgb_of(image: QImage) -> np.ndarray:
    """(h, w, 3) of a 32-bit picture."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    words = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return words[:, : image.width(), 2::-1].copy()


def seen(view: CanvasView) -> np.ndarray:
    """What the view shows, (h, w, 3), in device pixels."""
    view.refine_now()
    return rgb_of(view.grab().toImage())


def is_same(one: np.ndarray, other: np.ndarray) -> bool:
    """Equal up to the rounding of Qt's scaling, which depends on where a repainted part starts."""
    return int(np.abs(one.astype(int) - other).max()) <= 2


def hover(view: CanvasView, x: float, y: float) -> None:
    """A real mouse event without a button; QTest's own needs the pointer of a desktop."""
    at, none = QPointF(x, y), Qt.MouseButton.NoButton
    event = QMouseEvent(
        *(QEvent.Type.MouseMove, at, QPointF(view.mapToGlobal(at)), none, none),
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(view, event)
