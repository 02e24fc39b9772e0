"""The panel of the fill tool: what to paint on, how to fill, and what came of it.

The panel holds no state of its own. What the user changes goes to the controller or the tool context, and what those
say comes back here, so that a reopened result, a key or another window shows the same.

Elsewhere: filling itself in app/fill.py, actions on the mask in mask_actions.py, the legend in legend.py.
"""

import random

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.canvas.tools.context import Change, ToolContext
from app.document.document import Document
from app.document.edit_builder import usual_frame
from app.document.events import CurrentResultChanged, Event, ResultsChanged
from app.fill import VARIANTS_LIMIT, FillController
from app.fill_state import MISSING, Cost, FillState, seam_words
from app.icons import set_icon
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
from app.panels.legend import EdgeLegend
from app.panels.mask_actions import MaskActions
from app.panels.mask_drop import MaskDrop
from engine.edits import InpaintSettings

WIDTH_PX = 300
"""What the panel needs for its longest row; a dock gives more where it can."""
CHOICES_PX = 170
"""Of two choices beside a heading."""
SEED_LIMIT = 2**31 - 1
"""What a spin box can count to; the engine takes more."""

TARGETS = (
    Choice("mask", "Mask", "Brush and eraser change what is filled"),
    Choice("edges", "Edges", "Brush and eraser change the lines that the fill follows"),
)
QUALITIES = (
    Choice("exact", "Exact", "Full precision: the numbers of the published network"),
    Choice("fast", "Fast", "Short numbers where this machine has them; differences can hardly be seen"),
)
CONTEXTS = (
    ("hole", "Hole and its surroundings"),
    ("full", "Whole picture"),
    ("box", "A frame you drag"),
)
SOURCES = (
    ("predicted", "Guessed and drawn"),
    ("drawn", "Drawn only"),
)


class InpaintPanel(QWidget):
    """Everything that says how a hole is filled.

    Args:
        controller: fills, and keeps the settings.
        context: keeps what brush and eraser paint on.
        parent: owner, as Qt has it.
    """

    load_mask_asked = Signal(str)
    """The window loads a file as mask: the one that was dropped here, or where the path is empty, one it asks for."""
    save_mask_asked = Signal()
    """The window asks for a file and saves the mask to it."""
    edges_shown = Signal(bool)
    """Show the edge layer over the hole, or hide it."""

    def __init__(
        self, controller: FillController, context: ToolContext, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        named(self, "inpaint_panel", "Inpaint")
        self._controller = controller
        self._context = context
        self._document: Document | None = None
        self._cost: Cost | None = None
        self._stop_observing = lambda: None
        self._make_controls()
        self._lay_out()
        self._connect()
        self.show_settings(controller.settings)
        self.show_state(controller.state)
        self._show_result()

    def set_document(self, document: Document | None) -> None:
        """Show another document, or none."""
        self._stop_observing()
        self._stop_observing = lambda: None
        self._document = document
        self._mask_actions.set_document(document)
        for button in (self._load_mask, self._save_mask):
            button.setEnabled(document is not None)
        if document is not None:
            self._stop_observing = document.observe(self._heard)
            self.show_settings(self._controller.settings)  # the weights are listed by now
        self._show_result()

    @property
    def is_showing_edges(self) -> bool:
        """Whether the edge layer is to be seen."""
        return self._show_edges.isChecked()

    @Slot(bool)
    def set_edges_shown(self, is_shown: bool) -> None:
        """Show whether the edge layer is seen, when it was switched elsewhere."""
        self._show_edges.setChecked(is_shown)

    # Building --------------------------------------------------------------------------------------------------------

    def _make_controls(self) -> None:
        self._fill = QPushButton("Fill", self)
        self._fill.setProperty("look", "primary")
        self._fill.setMinimumHeight(34)
        named(self._fill, "inpaint_fill", "Fill", "Fill the mask now, in full")
        self._hint = quiet_label(parent=self)
        self._hint.setObjectName("inpaint_hint")
        self._live = QCheckBox("Fill while you draw", self)
        named(
            self._live,
            "inpaint_live",
            "Fill while you draw",
            "After each stroke a quick draft, and the full result when you pause",
        )
        self._variants = QPushButton("Make variants", self)
        set_icon(self._variants, "variants")
        named(
            self._variants, "inpaint_variants", "Make variants", "Fill several times, each with another seed"
        )
        self._variant_count = QSpinBox(self)
        self._variant_count.setRange(2, VARIANTS_LIMIT)
        self._variant_count.setValue(4)
        named(self._variant_count, "inpaint_variant_count", "Number of variants", "How many variants to make")
        self._target = ChoiceRow("inpaint_target", "Paint on", TARGETS, self)
        self._target.setMinimumWidth(CHOICES_PX)
        self._mask_actions = MaskActions(self)
        self._load_mask = icon_button(
            "inpaint_mask_load",
            "load",
            "Load mask",
            "Take the mask from a picture file: white is selected. Or drop the file here",
            self,
        )
        self._save_mask = icon_button(
            "inpaint_mask_save", "export", "Save mask", "Write the mask to a picture file", self
        )
        self._make_edge_controls()
        self._make_quality_controls()
        self._seam = QLabel(self)
        self._seam.setObjectName("inpaint_seam")
        self._seam_hint = quiet_label(parent=self)
        self._seam_hint.setObjectName("inpaint_seam_hint")

    def _make_edge_controls(self) -> None:
        self._show_edges = QCheckBox("Show", self)
        self._show_edges.setChecked(True)
        named(self._show_edges, "inpaint_show_edges", "Show edges", "Show the lines that the fill follows")
        self._legend = EdgeLegend(self)
        self._sensitivity = ValueSlider(
            "inpaint_sensitivity",
            "Guessed edges",
            Range(0.0, 1.0, 0.01),
            "How readily a guess counts as an edge: 0 none, 0.5 as guessed, 1 every faint one",
            self,
        )
        self._sigma = ValueSlider(
            "inpaint_sigma",
            "Smoothing",
            Range(0.5, 8.0, 0.1, 1, " px"),
            "Smoothing before edges are looked for around the hole; more keeps only the strong ones",
            self,
        )
        self._source = QComboBox(self)
        for key, words in SOURCES:
            self._source.addItem(words, key)
        named(
            self._source,
            "inpaint_edge_source",
            "Edges in the hole",
            "Which lines the fill follows inside the hole",
        )

    def _make_quality_controls(self) -> None:
        self._quality = ChoiceRow("inpaint_quality", "Quality", QUALITIES, self)
        self._quality.setMinimumWidth(CHOICES_PX)
        self._weights = QComboBox(self)
        self._weights.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        named(self._weights, "inpaint_weights", "Weights", "The trained network that fills")
        self._context_box = QComboBox(self)
        for key, words in CONTEXTS:
            self._context_box.addItem(words, key)
        named(
            self._context_box,
            "inpaint_context",
            "What the fill looks at",
            "More surroundings help with large shapes and cost time and detail",
        )
        self._seed = QSpinBox(self)
        self._seed.setRange(0, SEED_LIMIT)
        self._seed.setKeyboardTracking(False)
        named(
            self._seed,
            "inpaint_seed",
            "Seed",
            "0 is the network's own answer; every other number gives another one, always the same",
        )
        self._dice = icon_button("inpaint_dice", "dice", "Another seed", "Take another seed by chance", self)

    def _lay_out(self) -> None:
        top = QVBoxLayout()
        top.setContentsMargins(12, 10, 12, 6)
        top.setSpacing(GAP_PX)
        for widget in (self._fill, self._hint, self._live):
            top.addWidget(widget)
        content = QWidget(self)
        column = QVBoxLayout(content)
        column.setContentsMargins(12, 0, 12, 12)
        column.setSpacing(GAP_PX)
        column.addWidget(section("Paint on", self._target))
        self._mask_part = QWidget(content)
        self._mask_part.setObjectName("inpaint_mask_part")
        mask_column = QVBoxLayout(self._mask_part)
        mask_column.setContentsMargins(0, 0, 0, 0)
        mask_column.setSpacing(GAP_PX)
        mask_column.addWidget(section("Mask", self._load_mask, self._save_mask))
        mask_column.addWidget(self._mask_actions)
        column.addWidget(self._mask_part)
        column.addWidget(section("Edges", self._show_edges))
        column.addWidget(self._legend)
        column.addWidget(self._sensitivity)
        column.addWidget(self._sigma)
        column.addLayout(_form(("In the hole", self._source)))
        column.addWidget(section("Network", self._quality))
        seed = _row(self._seed, self._dice)
        column.addLayout(_form(("Weights", self._weights), ("Looks at", self._context_box), ("Seed", seed)))
        column.addWidget(section("Variants"))
        column.addWidget(_row(self._variant_count, self._variants))
        column.addWidget(section("Seam"))
        column.addWidget(self._seam)
        column.addWidget(self._seam_hint)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setObjectName("inpaint_scroll")
        scroll.setAccessibleName("Inpaint settings")
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(scroll, 1)
        self.setMinimumWidth(WIDTH_PX)

    def _connect(self) -> None:
        controller = self._controller
        self._fill.clicked.connect(controller.fill)
        self._live.toggled.connect(controller.set_live)
        self._variants.clicked.connect(lambda: controller.fill_variants(self._variant_count.value()))
        self._variant_count.valueChanged.connect(self._show_variant_words)
        self._target.chosen.connect(self._choose_target)
        self._load_mask.clicked.connect(lambda: self.load_mask_asked.emit(""))
        self._save_mask.clicked.connect(lambda: self.save_mask_asked.emit())
        for widget in (self._load_mask, self._mask_part):
            MaskDrop(widget).dropped.connect(self._drop_mask)
        self._mask_actions.failed.connect(controller.failed)
        self._show_edges.clicked.connect(self.edges_shown)
        self._sensitivity.value_changed.connect(
            lambda value: controller.change_settings(edge_sensitivity=value)
        )
        self._sigma.value_changed.connect(lambda value: controller.change_settings(edge_sigma=value))
        self._source.activated.connect(
            lambda _: controller.change_settings(edge_source=self._source.currentData())
        )
        self._quality.chosen.connect(lambda key: controller.change_settings(quality=key))
        self._weights.activated.connect(
            lambda _: controller.change_settings(weights=self._weights.currentData())
        )
        self._context_box.activated.connect(lambda _: self._choose_context(self._context_box.currentData()))
        self._seed.valueChanged.connect(lambda seed: controller.change_settings(seed=seed))
        self._dice.clicked.connect(lambda: self._seed.setValue(random.randint(1, 9999)))
        controller.settings_changed.connect(self.show_settings)
        controller.state_changed.connect(self.show_state)
        controller.forecast_changed.connect(self._show_cost)
        self._context.observe(self._context_heard)
        self._context_heard("target")
        self._show_variant_words()

    @Slot(str)
    def _drop_mask(self, path: str) -> None:
        if self._document is not None:
            self.load_mask_asked.emit(path)

    # What the controller says ----------------------------------------------------------------------------------------

    @Slot(object)
    def show_settings(self, settings: InpaintSettings) -> None:
        """Show settings without changing them."""
        self._list_weights(settings.weights)
        self._sensitivity.set_value(settings.edge_sensitivity)
        self._sigma.set_value(settings.edge_sigma)
        self._quality.set_key(settings.quality)
        for box, key in (
            (self._source, settings.edge_source),
            (self._context_box, settings.context),
            (self._weights, settings.weights),
        ):
            box.setCurrentIndex(box.findData(key))
        with QSignalBlocker(self._seed):
            self._seed.setValue(min(settings.seed, SEED_LIMIT))
        self._sensitivity.setEnabled(settings.edge_source == "predicted")
        self._context.show_frame(settings.context_box)

    @Slot(object)
    def show_state(self, state: FillState) -> None:
        """Enable what can be done now."""
        self._fill.setEnabled(state.can_fill)
        self._variants.setEnabled(state.can_fill)
        with QSignalBlocker(self._live):
            self._live.setChecked(state.is_live)
        self._hint.setText(self._hint_words(state))

    def _hint_words(self, state: FillState) -> str:
        if not state.has_document:
            return "Open a photo to begin."
        if not state.has_hole:
            return "Brush over what should go."
        if state.is_waiting_for_engine:
            return " ".join(
                ("Waiting for the engine to start.", *self._key_words("cancel", "Esc", "stops it."))
            )
        if state.running == "asked":
            return " ".join(("Filling.", *self._key_words("cancel", "Esc", "stops it.")))
        cost = self._cost.sentence if self._cost is not None else ""
        return " · ".join((*([cost] if cost else []), *self._key_words("fill", "Ctrl+Enter", "fills")))

    def _key_words(self, action_name: str, usual: str, what: str) -> list[str]:
        """What a key does; nothing where the user took the key away."""
        key = key_of(self, action_name, usual)
        return [f"{key} {what}"] if key else []

    @Slot(object)
    def _show_cost(self, cost: Cost | None) -> None:
        self._cost = cost
        self.show_state(self._controller.state)

    @Slot()
    def _show_variant_words(self) -> None:
        self._variants.setText(f"Make {self._variant_count.value()} variants")

    def _list_weights(self, chosen: str) -> None:
        """List what is there; what a result names whose settings are used again, is listed even when its file is gone."""
        listed = self._controller.weights_listed()
        rows = [(entry.title, entry.name, entry.tip) for entry in listed]
        if chosen not in [name for _, name, _ in rows]:
            rows.append((f"{chosen}{MISSING}", chosen, "These weights are not on this machine"))
        box = self._weights
        if [(box.itemText(at), box.itemData(at)) for at in range(box.count())] == [row[:2] for row in rows]:
            return  # as on every move of a slider
        self._weights.clear()
        for title, name, tip in rows:
            self._weights.addItem(title, name)
            self._weights.setItemData(self._weights.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    # What the tools say ----------------------------------------------------------------------------------------------

    @Slot(str)
    def _choose_target(self, key: str) -> None:
        self._context.target = key  # type: ignore[assignment]  # the keys of TARGETS are its values

    def _choose_context(self, key: str) -> None:
        if key != "box":
            self._controller.change_settings(context=key, context_box=None)
        elif self._document is None:
            self.show_settings(self._controller.settings)
        else:
            frame = self._context.frame or usual_frame(self._document)
            self._controller.change_settings(context=key, context_box=frame)
            self._context.want_frame_tool()

    def _context_heard(self, change: Change) -> None:
        if change == "target":
            self._target.set_key(self._context.target)
        elif change == "frame":
            frame = self._context.frame
            self._controller.change_settings(context="hole" if frame is None else "box", context_box=frame)

    # What the document says ------------------------------------------------------------------------------------------

    def _heard(self, event: Event) -> None:
        if isinstance(event, CurrentResultChanged | ResultsChanged):
            self._show_result()

    def _show_result(self) -> None:
        result = self._document.current_result if self._document is not None else None
        words = seam_words(result.report) if result is not None else None
        if words is None:
            self._seam.setText("Nothing measured yet")
            self._seam.setProperty("look", "dim")
            self._seam_hint.setText("")
        else:
            self._seam.setText(f"{words.verdict.capitalize()}: {words.figure}")
            self._seam.setProperty("look", "")
            self._seam_hint.setText(
                "Mean step in brightness across the border of the hole, beside the picture's own."
            )
        self._seam_hint.setVisible(words is not None)
        self._seam.style().polish(self._seam)


def _form(*rows: tuple[str, QWidget]) -> QFormLayout:
    """Labels left, controls right, each label naming its control."""
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(GAP_PX)
    form.setHorizontalSpacing(10)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    for words, widget in rows:
        form.addRow(words, widget)
    return form


def _row(*widgets: QWidget) -> QWidget:
    """Widgets side by side; the first stretches, unless it is a number before a button."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(GAP_PX)
    for widget in widgets:
        layout.addWidget(widget, 1 if isinstance(widget, QPushButton) or len(widgets) == 1 else 0)
    if not any(isinstance(widget, QPushButton) for widget in widgets):
        layout.setStretch(0, 1)
    return row
