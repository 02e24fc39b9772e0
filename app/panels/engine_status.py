"""What the engine is doing, in the status bar: device, memory, the running job, and a button to stop it.

It never pretends: a death of the process is said as such, together with what happened to the job.
"""

from PySide6.QtCore import QEvent, QTimer, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QToolButton, QWidget

from app.fill import FillController
from app.fill_state import SHOWN_TIPS, SHOWN_WORDS, FillState, memory_words
from app.icons import pixmap, set_icon
from app.panels.controls import named
from app.theme import current_theme
from app.worker import EngineWorker
from engine.host import Ready, StatusSaid

TROUBLE_MS = 15_000
"""How long a death of the engine stays on show after it was started again."""
ICON_PX = 14
BAR_WIDTH_PX = 190
STOP_PX = 24
"""No higher than the field for the zoom: the status bar stays as high as it is while nothing runs."""


class EngineStatus(QWidget):
    """Device, memory, the running job with its progress and a button to stop it.

    Args:
        worker: the `EngineWorker`, or anything with its signals.
        controller: tells what is filled and stops it.
        parent: owner, as Qt has it.
    """

    def __init__(
        self, worker: EngineWorker, controller: FillController, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        named(self, "engine_status", "Engine")
        self._controller = controller
        self._device = ""
        self._memory = ""
        self._precision = ""
        self._resident = ""
        self._trouble = ""
        self._is_given_up = False
        """It ended too often before it was ready; only another fill starts it."""
        self._shown = QLabel(self)
        self._shown.setObjectName("engine_shown")
        self._bar = QProgressBar(self)
        named(self._bar, "engine_progress", "Progress of the fill")
        self._bar.setRange(0, 1000)
        self._bar.setFixedWidth(BAR_WIDTH_PX)
        self._bar.setTextVisible(True)
        self._stop = QToolButton(self)
        set_icon(self._stop, "stop")
        self._stop.setProperty("look", "flat")
        self._stop.setFixedSize(STOP_PX, STOP_PX)
        named(self._stop, "engine_stop", "Stop", "Stop what runs and what waits")
        self._icon = QLabel(self)
        self._icon.setObjectName("engine_icon")
        self._words = QLabel(self)
        self._words.setObjectName("engine_words")
        self._words.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 6, 0)
        layout.setSpacing(6)
        layout.addStretch(1)
        for widget in (self._shown, self._bar, self._stop, self._icon, self._words):
            layout.addWidget(widget)
        self._shown.setContentsMargins(0, 0, 12, 0)  # what is seen is one thing, how the engine is another
        self._trouble_ends = QTimer(self)
        self._trouble_ends.setSingleShot(True)
        self._trouble_ends.setInterval(TROUBLE_MS)
        self._trouble_ends.timeout.connect(self._forget_trouble)
        self._stop.clicked.connect(controller.cancel)
        controller.state_changed.connect(self.show_state)
        worker.ready.connect(self._ready)
        worker.died.connect(self._died)
        worker.status_changed.connect(self._status)
        self.show_state(controller.state)
        self._say()
        worker.ask_status()  # in a second window the engine is up already and will not say so by itself

    @Slot(object)
    def show_state(self, state: FillState) -> None:
        """Show what runs and what is seen."""
        is_busy = state.is_busy
        self._bar.setVisible(is_busy)
        self._stop.setVisible(is_busy)
        if is_busy:
            if not self._device:  # nothing is measured before the engine is up
                self._bar.setRange(0, 0)
            else:
                self._bar.setRange(0, 1000)
                self._bar.setValue(round(state.share * 1000))
            self._bar.setFormat(state.running_words.replace("%", "%%") or "Waiting")
            self._bar.setAccessibleDescription(state.running_words)
        self._shown.setText(SHOWN_WORDS[state.shown])
        self._shown.setToolTip(SHOWN_TIPS[state.shown])
        self._shown.setVisible(state.shown != "nothing")

    @Slot(object)
    def _ready(self, event: Ready) -> None:
        self._device = _device_words(event)
        self._precision = event.fast_precision
        self._is_given_up = False
        self._say()

    @Slot(object)
    def _status(self, event: StatusSaid) -> None:
        self._device = _device_words(event)
        self._memory = f"{memory_words(event.free_bytes)} free" if event.free_bytes else ""
        loaded = memory_words(event.resident_bytes) if event.resident_bytes else "none yet"
        self._resident = f"Networks loaded: {loaded}"
        self._say()

    @Slot(str, bool)
    def _died(self, reason: str, is_starting: bool) -> None:
        self._device = ""
        self._trouble = reason or "it ended without a word"
        self._is_given_up = not is_starting
        self._trouble_ends.start()
        self._say()

    @Slot()
    def _forget_trouble(self) -> None:
        if not self._is_given_up:  # else it is no memory but how things are
            self._trouble = ""
        self._say()

    def _say(self) -> None:
        theme = current_theme()
        if self._is_given_up:
            words, name, colour = "Engine does not start", "error", theme.error
        elif self._trouble and self._device:
            words, name, colour = "Engine was restarted", "warning", theme.warning
        elif self._trouble:
            words, name, colour = "Engine stopped, starting again", "warning", theme.warning
        elif not self._device:
            words, name, colour = "Engine is starting", "info", theme.dim_text
        else:
            words, name, colour = (
                ", ".join(part for part in (self._device, self._memory) if part),
                "done",
                theme.good,
            )
        self._words.setText(words)
        self._icon.setPixmap(pixmap(name, ICON_PX, colour))
        tip = (
            self._trouble and f"The engine ended: {self._trouble}. Your work is untouched; {self._outlook()}."
        )
        self.setToolTip(tip or self._details())
        self.setAccessibleDescription(words)

    def _outlook(self) -> str:
        if self._is_given_up:
            return "the next fill tries again, and 'pentimento doctor' tells more"
        return "jobs that wait go on"

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_words"):
            self._say()

    def _details(self) -> str:
        if not self._device:
            return "The engine runs beside the window and is warming up. You can draw meanwhile."
        parts = (
            f"Runs on {self._device}" + (f", {self._memory}" if self._memory else ""),
            f"Fast computes with {self._precision}" if self._precision else "",
            self._resident,
        )
        return "\n".join(part for part in parts if part)


def _device_words(event: Ready | StatusSaid) -> str:
    """A device as a person calls it."""
    return "CPU" if event.device == "cpu" else event.device_name or event.device
