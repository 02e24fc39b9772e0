"""The part of the retarget panel in which a picture is learned: what it will take, how far it is, and how it looks.

It holds no state of its own; the controller tells when something changes.

Elsewhere: learning in app/learning.py.
"""

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.document.learned import LEARNED_LIMIT_BYTES
from app.icons import set_icon
from app.learning import LearningController
from app.learning_state import LearningState
from app.panels.controls import GAP_PX, named, quiet_label

IDLE_WORDS = (
    "Networks learn this one picture; every shape then takes a moment. You can stop and use it at any time."
)
EARLIER = 4
"""Small looks in front of the newest one."""
EARLIER_PX = 40
NEWEST_PX = 150
FILM_GAP_PX = 4


class Film(QWidget):
    """Looks at what was learned: earlier ones small in a row, the newest large below them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "learning_film", "How the picture was learned", "Earlier looks above, the newest below")
        self._looks: tuple[QImage, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def count(self) -> int:
        """How many are shown."""
        return len(self._earlier()) + bool(self._looks)

    def set_looks(self, looks: tuple[QImage, ...]) -> None:
        """Show others."""
        self._looks = looks
        self._take_height()
        self.update()

    def _earlier(self) -> list[QImage]:
        """A few from the first on, spread over all but the newest."""
        before = self._looks[:-1]
        if len(before) <= EARLIER:
            return list(before)
        return [before[round(place * (len(before) - 1) / (EARLIER - 1))] for place in range(EARLIER)]

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Wider means higher, as the pictures are."""
        super().resizeEvent(event)
        self._take_height()

    def _take_height(self) -> None:
        strip = EARLIER_PX + FILM_GAP_PX if len(self._looks) > 1 else 0
        self.setFixedHeight(strip + max(self._newest_size(self.width()).height(), 0))

    def _newest_size(self, width: int) -> QSize:
        if not self._looks:
            return QSize()
        return self._looks[-1].size().scaled(width, NEWEST_PX, Qt.AspectRatioMode.KeepAspectRatio)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw both rows."""
        if not self._looks:
            return
        with QPainter(self) as painter:
            painter.setRenderHints(
                QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
            )
            top = 0.0
            if earlier := self._earlier():
                wide = (self.width() - FILM_GAP_PX * (EARLIER - 1)) / EARLIER
                for place, look in enumerate(earlier):
                    _paint(painter, look, QRectF(place * (wide + FILM_GAP_PX), 0, wide, EARLIER_PX))
                top = EARLIER_PX + FILM_GAP_PX
            size = self._newest_size(self.width())
            _paint(painter, self._looks[-1], QRectF(0, top, size.width(), size.height()))


def _paint(painter: QPainter, look: QImage, place: QRectF) -> None:
    """Fill a place with the middle of a picture, its corners rounded."""
    size = place.size()
    share = max(size.width() / look.width(), size.height() / look.height())
    source = QRectF(0, 0, size.width() / share, size.height() / share)
    source.moveCenter(QRectF(look.rect()).center())
    outline = QPainterPath()
    outline.addRoundedRect(place, 3, 3)
    painter.save()
    painter.setClipPath(outline)
    painter.drawImage(place, look, source)
    painter.restore()


class LearningBox(QWidget):
    """Learn this picture: everything a user sees of it.

    Args:
        controller: learns.
        parent: owner, as Qt has it.
    """

    instant_asked = Signal()
    """The user rather takes the method that learns nothing."""

    def __init__(self, controller: LearningController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "learning_box", "Learn this picture")
        self._controller = controller
        self._words = quiet_label(parent=self)
        self._words.setObjectName("learning_words")
        self._bar = QProgressBar(self)
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(True)
        named(self._bar, "learning_progress", "Progress of learning")
        self._film = Film(self)
        self._fault = QLabel(self)
        self._fault.setObjectName("learning_fault")
        self._fault.setWordWrap(True)
        self._fault.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._buttons: dict[str, QPushButton] = {}
        rows = {
            "bring_in": (
                "Use what was learned",
                "live",
                "Put the networks that came with this document among your weights, and choose them",
            ),
            "learn": ("Learn this picture", "", "Begin to learn the picture as it is now"),
            "use": ("Use what is learned so far", "live", "Remake the picture with what is learned by now"),
            "anyway": ("Start anyway", "", "Learn it, however long it takes; it can be paused at any time"),
            "instant": ("Use instant", "", "Put the picture together from its own patches instead"),
            "go_on": ("Go on", "", "Go on learning where it was left"),
            "pause": ("Pause", "", "Save everything and stop; go on whenever you like"),
            "keep": ("Stop and keep", "save", "Learn no more, and keep what was learned among your weights"),
        }
        for name, (text, icon, tip) in rows.items():
            button = QPushButton(text, self)
            button.setAutoDefault(False)
            if icon:
                set_icon(button, icon)
            named(button, f"learning_{name}", text, tip)
            self._buttons[name] = button
        self._carry = QCheckBox(self)
        named(
            self._carry,
            "learning_carry",
            "Keep it in this document",
            "Whoever opens the saved document can use it, on any machine; without this it stays among your weights",
        )
        self._lay_out()
        self._connect()
        self._film.set_looks(controller.film)
        self.show_state(controller.state)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_PX)
        for widget in (self._fault, self._words, self._bar):
            column.addWidget(widget)
        for name in ("bring_in", "learn", "use"):
            column.addWidget(self._buttons[name])
        for names in (("anyway", "instant"), ("go_on", "pause", "keep")):
            row = QHBoxLayout()
            row.setSpacing(GAP_PX)
            for name in names:
                row.addWidget(self._buttons[name], 1)
            column.addLayout(row)
        column.addWidget(self._carry)
        column.addWidget(self._film)  # last: what can be pressed stays in sight where the panel is low

    def _connect(self) -> None:
        controller = self._controller
        calls = {
            "learn": controller.learn,
            "bring_in": controller.bring_in,
            "anyway": controller.start_anyway,
            "instant": self._take_instant,
            "go_on": controller.go_on,
            "use": controller.use_so_far,
            "pause": controller.pause,
            "keep": controller.keep,
        }
        for name, call in calls.items():
            self._buttons[name].clicked.connect(lambda _=False, call=call: call())
        self._carry.clicked.connect(controller.carry)
        controller.state_changed.connect(self.show_state)
        controller.film_changed.connect(self._show_film)

    @Slot()
    def _take_instant(self) -> None:
        self._controller.pause()
        self.instant_asked.emit()

    @Slot(object)
    def _show_film(self, looks: tuple[QImage, ...]) -> None:
        self._film.set_looks(looks)
        self._film.setVisible(bool(looks))

    @Slot(object)
    def show_state(self, state: LearningState) -> None:
        """Show how far learning is, and what can be done."""
        phase = state.phase
        is_done = bool(state.steps) and state.step >= state.steps
        shown = {
            "learn": phase in ("none", "idle", "kept", "carried")
            or (phase == "failed" and not state.step)
            or state.is_other,
            "bring_in": phase == "carried",
            "anyway": phase == "asking",
            "instant": phase == "asking",
            "go_on": (phase == "paused" and not is_done and not state.is_other)
            or (phase == "failed" and bool(state.step)),
            "use": phase in ("learning", "saving", "paused") or (phase == "failed" and state.has_weights),
            "pause": phase in ("preparing", "learning", "saving"),
            "keep": phase in ("learning", "saving", "paused", "keeping")
            or (phase == "failed" and state.has_weights),
        }
        had = next((button for button in self._buttons.values() if button.hasFocus()), None)
        had_keys = self.hasFocus() or had is not None
        if had_keys:
            self.setFocus()  # or Qt gives it to the next widget, and scrolls the panel there
        for name, button in self._buttons.items():
            button.setVisible(shown[name])
        is_waiting = phase in ("saving", "keeping")
        self._buttons["learn"].setEnabled(phase != "none")
        self._buttons["use"].setEnabled(state.has_weights and not is_waiting)
        self._buttons["keep"].setEnabled(
            not is_waiting and (state.has_weights or (phase == "learning" and state.step > 0))
        )
        self._buttons["pause"].setEnabled(not is_waiting)
        self._buttons["pause"].setText("Cancel" if phase == "preparing" and not state.step else "Pause")
        self._buttons["keep"].setText("Keep" if phase in ("paused", "failed") else "Stop and keep")
        self._buttons["learn"].setText(_learn_words(state))
        self._show_carry(state)
        is_barred = phase in ("preparing", "learning", "saving", "paused", "keeping")
        self._bar.setVisible(is_barred)
        if is_barred:
            self._show_bar(state)
        self._fault.setVisible(phase == "failed")
        self._fault.setText(state.words if phase == "failed" else "")
        words = words_of(state)
        self._words.setVisible(bool(words))
        self._words.setText(words)
        self._film.setVisible(bool(self._controller.film))
        if had_keys:
            self._keep_keys(had)

    def _keep_keys(self, had: QPushButton | None) -> None:
        """Give the keyboard to the button that had it, or to the first where that one went.

        While none can be pressed, as when everything is being saved, the box itself has it.
        """
        offered = [button for button in self._buttons.values() if button.isVisible() and button.isEnabled()]
        if offered:
            (had if had in offered else offered[0]).setFocus()

    def _show_carry(self, state: LearningState) -> None:
        """Whether the document carries what was learned, and how large that is."""
        is_kept, nbytes = state.phase == "kept", state.carried_bytes or state.kept_bytes
        is_resting = state.phase in ("idle", "paused", "carried", "failed")
        self._carry.setVisible(bool(nbytes) and (is_kept or (is_resting and bool(state.carried_bytes))))
        is_too_large = not state.carried_bytes and nbytes > LEARNED_LIMIT_BYTES
        what = "it" if state.phase in ("kept", "carried") else "what was learned before"
        size = f"{max(nbytes / 1e6, 0.1):.1f} MB"
        self._carry.setText(
            f"Too large for the document: {size}" if is_too_large else f"Keep {what} in the document, {size}"
        )
        self._carry.setEnabled(not is_too_large)
        self._carry.setChecked(bool(state.carried_bytes))

    def _show_bar(self, state: LearningState) -> None:
        is_unknown = state.phase == "preparing" or (state.phase == "learning" and not state.step)
        if is_unknown:
            text = "Seeing what it will take"
            if state.phase == "learning":
                text = "Starting"
        elif state.phase == "saving":
            text = "Saving"
        elif state.phase == "keeping":
            text = "Keeping what was learned"
        else:
            text = f"Step {state.step} of {state.steps}"
        self._bar.setRange(0, 1000)
        self._bar.setValue(round(1000 * state.step / state.steps) if state.steps else 0)
        self._bar.setFormat(text)
        self._bar.setAccessibleDescription(text)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """See what was learned before, now that somebody may want to know."""
        super().showEvent(event)
        self._controller.look()


def _learn_words(state: LearningState) -> str:
    """What the button that begins says."""
    if state.phase == "kept" or state.is_other:
        return "Learn the picture as it is now"
    return "Try again" if state.phase == "failed" and not state.carried_bytes else "Learn this picture"


def words_of(state: LearningState) -> str:
    """What is said in words of where learning is."""
    match state.phase:
        case "none" | "idle":
            return IDLE_WORDS
        case "asking":
            return (
                f"This processor takes about {span(state.seconds)} to learn the picture. You can pause and use it at any "
                "time. The instant method takes seconds and learns nothing."
            )
        case "learning":
            told = [f"{span(state.seconds_left)} left"] if state.seconds_left is not None else []
            told += [f"loss {state.loss:.3g}"] if state.loss is not None else []
            told += [state.words] if state.words else []
            line = " · ".join(told)
            return line[:1].upper() + line[1:]
        case "paused" if state.is_other:
            return (
                "The picture was changed since. What was learned is of the picture as it was; as it is now, it is learned "
                "from the beginning."
            )
        case "paused" if state.steps and state.step >= state.steps:
            return "This picture is learned to the end."
        case "paused":
            return "Paused; everything is saved, also when you close the window." + (
                f" {state.words}" if state.words else ""
            )
        case "kept":
            return f"Learned and kept as {state.words}."
        case "carried":
            return "This picture was learned before, and what was learned came with the document."
        case _:
            return ""


def span(seconds: float) -> str:
    """A time at a glance."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
