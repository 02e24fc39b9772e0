"""The panel of the retarget tool: what is kept, how a picture is remade, and what came of it.

As the inpaint panel it holds no state of its own: the controller keeps shape and settings, and tells when they change.

Elsewhere: the shape in numbers in shape.py, learning in learning.py, remaking in app/retarget.py, the handles on the canvas in canvas/tools/handles.py.
"""

import itertools
import random
from pathlib import Path

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPainterPath, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.document.retarget_builder import FAMILY, RetargetSettings
from app.fill_state import Cost, weights_listed
from app.icons import set_icon
from app.learning import LearningController
from app.learning_runs import SO_FAR_NAME
from app.novelty_map import swatch_image
from app.panels.controls import (
    GAP_PX,
    Choice,
    ChoiceRow,
    Range,
    ValueSlider,
    icon_button,
    key_of,
    named,
    quiet_label,
    section,
)
from app.panels.learning import LearningBox
from app.panels.shape import ShapeBox
from app.retarget import RetargetController
from app.retarget_state import RetargetState
from engine.errors import EngineError

UNLEARNED_WORDS = (
    "No learned picture is chosen: learn this one below, or choose the weights of one that was learned."
)
BEING_LEARNED = "Being learned"
SEED_LIMIT = 2**31 - 1
CHOICES_PX = 170
METHODS = (
    Choice("instant", "Instant", "Put together from the picture's own patches; nothing is learned first"),
    Choice("learned", "Learned", "By networks that learned this one picture; give the file of their weights"),
)
QUALITIES = (
    Choice("exact", "Exact", "Every patch is compared with every other: slower, and as good as it gets"),
    Choice("fast", "Fast", "Patches are compared with the likeliest ones: quicker, a little rougher"),
)


HINT_PX = 36
"""Two lines of the hint, or the progress: what is below stays where it is when one takes the other's place."""


class RetargetPanel(QWidget):
    """Everything that says in which shape a picture is remade, and how.

    Args:
        controller: remakes, and keeps shape and settings.
        learning: learns the picture.
        parent: owner, as Qt has it.
    """

    new_document_asked = Signal()
    """The window opens the remade picture as a document of its own."""
    layer_asked = Signal()
    """The remade picture becomes a layer of this document."""
    brush_asked = Signal()
    """The user wants to paint what is kept."""
    weights_asked = Signal()
    """The window asks for the file of a learned picture."""

    def __init__(
        self, controller: RetargetController, learning: LearningController, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        named(self, "retarget_panel", "Retarget")
        self._controller = controller
        self._learning = learning
        self._cost: Cost | None = controller.cost
        self._make_top()  # the keyboard walks through widgets in the order in which they are made
        self._shape_box = ShapeBox(controller, self)
        self._make_how()
        self._make_result()
        self._lay_out()
        self._connect()
        self.show_settings(controller.settings)
        self.show_state(controller.state)

    # Building --------------------------------------------------------------------------------------------------------

    def _make_top(self) -> None:
        self._remake = QPushButton("Remake", self)
        self._remake.setProperty("look", "primary")
        self._remake.setMinimumHeight(34)
        named(self._remake, "retarget_remake", "Remake", "Remake the picture in this shape now")
        self._hint = quiet_label(parent=self)
        self._hint.setObjectName("retarget_hint")
        self._live = QCheckBox("Remake when a handle is let go", self)
        self._live.setChecked(self._controller.is_live)
        named(
            self._live,
            "retarget_live",
            "Remake when a handle is let go",
            "The picture follows by itself; without this, press Remake",
        )
        self._progress = QProgressBar(self)
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(True)
        named(self._progress, "retarget_progress", "Progress of remaking")
        self._stop = icon_button("retarget_stop", "stop", "Stop", "Stop remaking (Esc)", self)

    def _make_how(self) -> None:
        self._lock = QCheckBox("Painted parts keep their shape", self)
        named(
            self._lock,
            "retarget_lock",
            "Painted parts keep their shape",
            "What you painted is moved as it is; everything around it gives way",
        )
        self._lock_hint = quiet_label(parent=self)
        self._lock_hint.setObjectName("retarget_lock_hint")
        self._brush = QPushButton("Brush what is kept", self)
        set_icon(self._brush, "brush")
        named(
            self._brush,
            "retarget_brush",
            "Brush what is kept",
            "Paint what keeps its shape; nothing is filled meanwhile",
        )
        self._method = ChoiceRow("retarget_method", "Method", METHODS, self)
        self._method.setMinimumWidth(CHOICES_PX)
        self._weights = QPushButton("Choose weights…", self)
        set_icon(self._weights, "open")
        named(self._weights, "retarget_weights", "Weights", "The file that learning this picture gave")
        self._weights_hint = quiet_label(parent=self)
        self._weights_hint.setObjectName("retarget_weights_hint")
        self._learning_box = LearningBox(self._learning, self)
        self._quality = ChoiceRow("retarget_quality", "Quality", QUALITIES, self)
        self._quality.setMinimumWidth(CHOICES_PX)
        self._completeness = ValueSlider(
            "retarget_completeness",
            "Keep every part",
            Range(0.0, 1.0, 0.05),
            "0: only that all looks like the picture; 1: that as little of it as possible is lost",
            self,
        )
        self._seed = QSpinBox(self)
        self._seed.setRange(0, SEED_LIMIT)
        self._seed.setKeyboardTracking(False)
        named(
            self._seed, "retarget_seed", "Seed", "Another number gives another picture, always the same one"
        )
        self._dice = icon_button("retarget_dice", "dice", "Another seed", "Take another seed by chance", self)

    def _make_result(self) -> None:
        self._map = QCheckBox("Show what was invented", self)
        named(
            self._map,
            "retarget_map",
            "Show what was invented",
            "Colour the parts of the remade picture that are no copy of a part of the picture",
        )
        self._swatch = QLabel(self)
        self._swatch.setObjectName("retarget_swatch")
        self._swatch.setAccessibleName("Sample of what was invented")
        self._swatch.setPixmap(_swatch())
        self._map_words = quiet_label(parent=self)
        self._map_words.setObjectName("retarget_map_words")
        self._new_document = QPushButton("New document", self)
        set_icon(self._new_document, "new-window")
        named(
            self._new_document,
            "retarget_new_document",
            "New document",
            "Open the remade picture as a document of its own size",
        )
        self._layer = QPushButton("Apply as layer", self)
        set_icon(self._layer, "apply")
        named(
            self._layer,
            "retarget_layer",
            "Apply as layer",
            "Lay the remade picture over the others; the document takes its size",
        )
        self._result_hint = quiet_label(parent=self)
        self._result_hint.setObjectName("retarget_result_hint")

    def _lay_out(self) -> None:
        top = QVBoxLayout()
        top.setContentsMargins(12, 10, 12, 6)
        top.setSpacing(GAP_PX)
        top.addWidget(self._remake)
        self._busy = QWidget(self)
        busy = QHBoxLayout(self._busy)
        busy.setContentsMargins(0, 0, 0, 0)
        busy.setSpacing(GAP_PX)
        busy.addWidget(self._progress, 1)
        busy.addWidget(self._stop)
        self._says = QStackedWidget(self)
        self._says.setFixedHeight(HINT_PX)
        for page in (self._hint, self._busy):
            self._says.addWidget(page)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for widget in (self._says, self._live):
            top.addWidget(widget)
        content = QWidget(self)
        column = QVBoxLayout(content)
        column.setContentsMargins(12, 0, 12, 12)
        column.setSpacing(GAP_PX)
        column.addWidget(self._shape_box)
        column.addWidget(section("Kept parts"))
        for widget in (self._lock, self._lock_hint, self._brush):
            column.addWidget(widget)
        column.addWidget(section("How", self._method))
        methods = [self._method.button(choice.key) for choice in METHODS]
        for above, below in itertools.pairwise((self._brush, *methods, self._weights)):
            self.setTabOrder(above, below)
        self._learned = QWidget(content)
        learned = QVBoxLayout(self._learned)
        learned.setContentsMargins(0, 0, 0, 0)
        learned.setSpacing(GAP_PX)
        learned.addWidget(self._weights)
        learned.addWidget(self._weights_hint)
        learned.addWidget(section("Learn this picture"))
        learned.addWidget(self._learning_box)
        column.addWidget(self._learned)
        quality = QHBoxLayout()
        quality.addWidget(QLabel("Quality", content), 1)
        quality.addWidget(self._quality)
        column.addLayout(quality)
        column.addWidget(self._completeness)
        seed = QHBoxLayout()
        seed.setSpacing(GAP_PX)
        label = QLabel("Seed", content)
        label.setBuddy(self._seed)
        seed.addWidget(label)
        seed.addWidget(self._seed, 1)
        seed.addWidget(self._dice)
        column.addLayout(seed)
        column.addWidget(section("Remade picture"))
        column.addWidget(self._map)
        legend = QHBoxLayout()
        legend.setSpacing(8)
        legend.addWidget(self._swatch, 0, Qt.AlignmentFlag.AlignTop)
        legend.addWidget(self._map_words, 1)
        column.addLayout(legend)
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP_PX)
        buttons.addWidget(self._new_document)
        buttons.addWidget(self._layer)
        column.addLayout(buttons)
        column.addWidget(self._result_hint)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setObjectName("retarget_scroll")
        scroll.setAccessibleName("Retarget settings")
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(scroll, 1)

    def _connect(self) -> None:
        controller = self._controller
        self._remake.clicked.connect(controller.remake)
        self._stop.clicked.connect(controller.cancel)
        self._live.toggled.connect(controller.set_live)
        self._lock.toggled.connect(lambda is_on: controller.change_settings(is_locked=is_on))
        self._brush.clicked.connect(self.brush_asked)
        self._method.chosen.connect(lambda key: controller.change_settings(method=key))
        self._weights.clicked.connect(self._choose_weights)
        self._learning_box.instant_asked.connect(lambda: controller.change_settings(method="instant"))
        self._quality.chosen.connect(lambda key: controller.change_settings(quality=key))
        self._completeness.value_changed.connect(lambda value: controller.change_settings(completeness=value))
        self._seed.valueChanged.connect(lambda seed: controller.change_settings(seed=seed))
        self._dice.clicked.connect(lambda: self._seed.setValue(random.randint(1, 9999)))
        self._map.toggled.connect(controller.show_map)
        self._new_document.clicked.connect(self.new_document_asked)
        self._layer.clicked.connect(self.layer_asked)
        controller.state_changed.connect(self.show_state)
        controller.settings_changed.connect(self.show_settings)
        controller.forecast_changed.connect(self._show_cost)
        self._learning.state_changed.connect(self._show_weights_hint)

    # What the user does ----------------------------------------------------------------------------------------------

    @Slot()
    def _choose_weights(self) -> None:
        """Offer the learned pictures that are there by name, and a file; the file at once where there are none."""
        try:
            listed = [one for one in weights_listed(FAMILY) if one.name and one.is_here]
        except EngineError as error:
            self._controller.failed.emit(error)
            return
        if not listed:
            self.weights_asked.emit()
            return
        menu = QMenu(self)
        menu.setObjectName("retarget_weights_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for one in listed:
            action = menu.addAction(one.title)
            action.setToolTip(one.tip)
            action.triggered.connect(
                lambda _=False, name=one.name: self._controller.change_settings(weights=name)
            )
        menu.addSeparator()
        menu.addAction("Choose a file…", self.weights_asked.emit)
        menu.popup(self._weights.mapToGlobal(QPoint(0, self._weights.height())))

    # What the controller says ----------------------------------------------------------------------------------------

    @Slot(object)
    def show_settings(self, settings: RetargetSettings) -> None:
        """Show settings without changing them."""
        self._method.set_key(settings.method)
        is_learned = settings.method == "learned"
        self._learned.setVisible(is_learned)
        name = Path(settings.weights).name
        self._weights.setText(BEING_LEARNED if name == SO_FAR_NAME else name or "Choose weights…")
        self._show_weights_hint()
        self._completeness.setEnabled(not is_learned)
        self._lock_hint.setText(self._lock_words(self._controller.state))
        self._quality.set_key(settings.quality)
        self._completeness.set_value(settings.completeness)
        with QSignalBlocker(self._seed):
            self._seed.setValue(min(settings.seed, SEED_LIMIT))
        with QSignalBlocker(self._lock):
            self._lock.setChecked(settings.is_locked)

    @Slot()
    def _show_weights_hint(self) -> None:
        """Say where weights come from, while that is a question: what is being learned says all of it below."""
        is_asked = not self._controller.settings.weights and self._learning.state.phase in ("none", "idle")
        self._weights_hint.setText(UNLEARNED_WORDS if is_asked else "")
        self._weights_hint.setVisible(is_asked)

    @Slot(object)
    def show_state(self, state: RetargetState) -> None:
        """Show the shape, what runs and what can be done."""
        self._remake.setEnabled(state.can_remake)
        self._says.setCurrentWidget(self._busy if state.is_busy and state.is_engine_up else self._hint)
        self._progress.setValue(round(state.share * 1000))
        self._progress.setFormat(self._busy_words(state).replace("%", "%%"))
        self._progress.setAccessibleDescription(self._busy_words(state))
        self._hint.setText(self._hint_words(state))
        self._shape_box.show_state(state)
        self._lock.setEnabled(state.has_mask)
        self._lock_hint.setText(self._lock_words(state))
        self._map.setEnabled(state.has_map)
        self._map_words.setText(_map_words(state))
        self._swatch.setEnabled(state.has_map)
        for button in (self._new_document, self._layer):
            button.setEnabled(state.has_remade)
        self._result_hint.setText(
            state.note or "As a layer, it gives this document its size; undo takes both back."
            if state.has_remade
            else "Nothing is remade yet."
        )

    def _hint_words(self, state: RetargetState) -> str:
        if state.shape is None:
            return "Open a photo to begin."
        if state.reason:
            return f"{state.reason}."
        if state.is_busy:  # with an engine that is up, the progress stands here
            stop = key_of(self, "cancel", "Esc")
            return "Waiting for the engine to start." + (f" {stop} stops it." if stop else "")
        if not state.is_waiting and not state.has_remade:
            return "Drag a handle: a side or a corner. Shift keeps the ratio, Ctrl frees a corner."
        cost = [self._cost.sentence] if self._cost is not None else []
        key = key_of(self, "fill", "Ctrl+Enter")
        return " · ".join((*cost, *([f"{key} remakes"] if key else [])))

    def _busy_words(self, state: RetargetState) -> str:
        what = f"Remaking: {state.word}" if state.word else "Remaking"
        stop = key_of(self, "cancel", "Esc")
        return " · ".join((what, *([f"{stop} stops it"] if stop else [])))

    def _lock_words(self, state: RetargetState) -> str:
        if self._controller.settings.method == "learned":
            return "Learned networks remake everything; only the instant method keeps a part."
        if not state.has_mask:
            return "Brush over what must keep its shape: a single thing may double or stretch otherwise."
        if not self._controller.settings.is_locked:
            return "Only outlined: what you painted gives way like the rest."
        return "Drawn as a net: these parts stay. In Inpaint, the same parts would be replaced."

    @Slot(object)
    def _show_cost(self, cost: Cost | None) -> None:
        self._cost = cost
        self._hint.setText(self._hint_words(self._controller.state))


def _map_words(state: RetargetState) -> str:
    if not state.has_remade:
        return "Blue stripes: invented. Clear: copied from the picture."
    if not state.has_map and state.is_painted:
        return "Networks painted every pixel of this picture: nothing of it was copied."
    if not state.has_map:
        return "It is not known what of this picture was invented."
    return f"Blue stripes: invented. Clear: copied. {state.invented:.0%} of it was invented."


def _swatch() -> QPixmap:
    """What was invented, as the map shows it."""
    made = QPixmap(22, 14)
    made.fill(Qt.GlobalColor.transparent)
    corners = QPainterPath()
    corners.addRoundedRect(0, 0, 22, 14, 3, 3)
    with QPainter(made) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipPath(corners)
        painter.drawImage(0, 0, swatch_image((22, 14)))
    return made
