"""The retarget tool in the window: its panel in the place of the inpaint panel, its keys, and what becomes of a result.

Controller and panel are made when the tool is first chosen; until then, nothing of them is imported.
"""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from app.panels.controls import Choice, ChoiceRow

if TYPE_CHECKING:
    from app.canvas.overlays import MaskUse
    from app.canvas.tools.handles import RetargetTool
    from app.document.document import Document
    from app.document.events import Event
    from app.document.results import Result
    from app.document.tiles import Box
    from app.learning import LearningController
    from app.main_window import MainWindow
    from app.panels.retarget import RetargetPanel
    from app.retarget import RetargetController

ROOM = 0.16
"""Of the picture's longer side, left round it so that handles can be pulled outwards."""
MODES = (
    Choice("inpaint", "Inpaint", "Take something out and have the hole filled"),
    Choice("retarget", "Retarget", "Pull the picture into another shape"),
)
LOOKING = ("hand", "zoom")
"""Tools that do nothing to the picture: they belong to both panels."""


class RetargetHandlers:
    """The retarget tool of one window.

    Args:
        window: whose; its inpaint dock gets a row to choose between the two panels.
        inpaint: the panel that is there first.
    """

    def __init__(self, window: "MainWindow", inpaint: QWidget) -> None:
        self._window = window
        self._controller: RetargetController | None = None
        self._learning: LearningController | None = None
        self._panel: RetargetPanel | None = None
        self._stop_observing = lambda: None
        self._learned_weights = ""
        """Weights that learning chose, and not the user: they are of the one picture."""
        self.is_on = False
        """Whether the retarget panel is in front."""
        self.dock_widget = QWidget()
        self.dock_widget.setObjectName("modes")
        self._modes = ChoiceRow("mode", "What is done to the picture", MODES, self.dock_widget)
        self._pages = QStackedWidget(self.dock_widget)
        self._pages.setObjectName("mode_pages")
        self._pages.addWidget(inpaint)
        bar = QVBoxLayout()
        bar.setContentsMargins(12, 8, 12, 0)
        bar.addWidget(self._modes)
        layout = QVBoxLayout(self.dock_widget)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(self._pages, 1)
        self.dock_widget.setMinimumWidth(inpaint.minimumWidth())
        self._modes.chosen.connect(self._choose_mode)
        window.document_changed.connect(self._set_document)

    # The two panels --------------------------------------------------------------------------------------------------

    @property
    def controller(self) -> "RetargetController":
        """Remakes pictures; made when it is first needed."""
        if self._controller is None:
            self._make()
        assert self._controller is not None, "it was made just now"
        return self._controller

    @property
    def learning(self) -> "LearningController":
        """Learns pictures; made with the other."""
        self.controller  # noqa: B018  (makes both)
        assert self._learning is not None, "made with the controller"
        return self._learning

    def _make(self) -> None:
        from app.learning import LearningController
        from app.panels.retarget import RetargetPanel
        from app.retarget import RetargetController

        window = self._window
        controller = self._controller = RetargetController(window.worker, window)
        learning = self._learning = LearningController(window)
        panel = self._panel = RetargetPanel(controller, learning)
        self._pages.addWidget(panel)
        tool: RetargetTool = window.tools["retarget"]  # type: ignore[assignment]
        tool.keeper = controller
        controller.failed.connect(lambda error: window.show_error(error, "remake"))
        controller.said.connect(lambda words: window.say(words, about="remake"))
        controller.state_changed.connect(window.ends.remake_changed)
        controller.settings_changed.connect(lambda _: window.status.settle("remake"))
        controller.state_changed.connect(lambda _: window.refresh())
        controller.settings_changed.connect(lambda _: window.view.show_mask())
        controller.looks_changed.connect(window.context.overlay_changed)
        panel.new_document_asked.connect(window.guarded(self.new_document))
        panel.layer_asked.connect(window.guarded(window.fill.apply_as_layer))
        panel.brush_asked.connect(self._brush)
        panel.weights_asked.connect(window.guarded(self._choose_weights))
        controller.state_changed.connect(lambda state: learning.set_shape(state.shape))
        learning.use_asked.connect(self._use_weights)
        learning.kept.connect(self._choose_learned)
        learning.found.connect(self._found_learned)
        learning.refused.connect(lambda error: window.show_error(error, "learning"))
        learning.state_changed.connect(window.ends.learning_changed)
        controller.set_document(window.document)
        learning.set_document(window.document)

    def tool_chosen(self, tool_id: str) -> None:
        """Another tool is in hand: the panel that belongs to it comes to the front."""
        if tool_id == "retarget":
            self._show(is_on=True)
            self.controller.set_resting(False)
            self._make_room()
            return
        if self._controller is None:
            return
        self._controller.set_resting(True)
        if tool_id not in LOOKING:
            self._put_aside()

    def _choose_mode(self, key: str) -> None:
        if key == "retarget":
            self._window.tools.choose("retarget")
            return
        self._show(is_on=False)
        current = self._window.tools.current
        if current is not None and current.id == "retarget":
            self._window.tools.choose("brush")

    def _show(self, *, is_on: bool) -> None:
        self.is_on = is_on
        self._modes.set_key("retarget" if is_on else "inpaint")
        if is_on:
            self.controller  # noqa: B018  (makes the panel)
            assert self._panel is not None, "made with the controller"
            self._pages.setCurrentWidget(self._panel)
        else:
            self._pages.setCurrentIndex(0)
            if self._controller is not None:
                self._controller.cancel()
        self._window.fill.set_resting(is_on)
        self._window.docks["inpaint_dock"].setWindowTitle("Retarget" if is_on else "Inpaint")
        self._window.view.show_mask()
        self._window.refresh()

    def _brush(self) -> None:
        self._window.context.target = "mask"
        self._window.tools.choose("brush")

    def _choose_weights(self) -> None:
        """Ask for the file that learning this picture gave."""
        window = self._window
        path, _ = QFileDialog.getOpenFileName(
            window, "Weights of a Learned Picture", window.files.folder(), "Weights (*.safetensors)"
        )
        if path:
            self.controller.change_settings(method="learned", weights=path)

    def _use_weights(self, path: str) -> None:
        """Remake the picture with what is learned of it so far."""
        self._learned_weights = path
        self.controller.change_settings(method="learned", weights=path)
        self.controller.remake()

    def _choose_learned(self, name: str) -> None:
        """What was learned of this picture is kept: remake with that."""
        self._learned_weights = name
        self.controller.change_settings(weights=name)

    def _found_learned(self, name: str) -> None:
        """This picture was learned before: choose that, unless the user chose something else."""
        if self.controller.settings.weights in ("", self._learned_weights):
            self._learned_weights = name
            self.controller.choose_weights(name)

    def close(self) -> None:
        """The window goes; a picture that is being learned is saved."""
        if self._learning is not None:
            self._learning.close()

    def _put_aside(self) -> None:
        """What is painted lies on the picture: show that, and not what was remade of it."""
        document = self._window.document
        result = document.current_result if document is not None else None
        if document is None or result is None or not result.is_whole:
            return
        from app.result_actions import show_picture

        show_picture(document)
        self._window.say("You paint on the picture itself; the remade one waits in the results")

    # What the window asks --------------------------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Whether a picture is being remade, or a shape in hand waits for one."""
        state = self._controller.state if self._controller is not None else None
        return state is not None and (state.is_busy or (state.is_waiting and self._has_handles()))

    @property
    def is_keeping(self) -> bool:
        """Whether what is masked keeps its shape when the picture is remade."""
        return self.is_on and self.controller.settings.is_locked

    @property
    def mask_use(self) -> "MaskUse":
        """What the mask is for, in the panel that is in front."""
        return "keep" if self.is_on else "replace"

    @property
    def can_take_back(self) -> bool:
        """Whether a shape is in hand that no picture was remade in yet."""
        return self.is_busy and self._has_handles()

    def take_back(self) -> bool:
        """Take back a shape that no picture was remade in yet, as an undo does; whether there was one in hand."""
        return self.can_take_back and self.cancel()

    def remake(self) -> None:
        """Remake the picture now."""
        self.controller.remake()

    def cancel(self) -> bool:
        """Stop remaking and put the handles back; whether there was anything to stop."""
        if self._controller is None or not self.is_busy:
            return False
        self._controller.cancel()
        return True

    def stroke_committed(self) -> None:
        """What was painted in this mode is meant to be kept."""
        document = self._window.document
        if document is not None and document.mask_layer.has_any("coverage"):
            self.controller.change_settings(is_locked=True)

    def new_document(self) -> None:
        """Open the remade picture as a document of its own."""
        from app.document.document import Document
        from app.document.seen import mode_of
        from engine.pictures import Picture

        document = self._window.document
        result = document.current_result if document is not None else None
        if document is None or result is None or not result.is_whole:
            return
        picture = Picture(result.pixels, mode_of(result), document.icc_profile, document.metadata)
        h, w = result.size_hw
        made = Document.from_picture(picture, name=f"{document.name} {w} × {h}")
        made.mark_unsaved()
        window = self._window.new_window()
        window.files.take(made)

    def reopen(self, result: "Result") -> None:
        """Take a remade picture's settings into the panel and show it."""
        self._window.tools.choose("retarget")
        self._window.fill.show_result(result.id)
        self.controller.reopen(result)

    def rerun(self, result: "Result") -> None:
        """Remake the picture as it is now with a result's settings."""
        self._window.tools.choose("retarget")
        self.controller.rerun(result)

    # The document ----------------------------------------------------------------------------------------------------

    def _set_document(self, document: "Document | None") -> None:
        self._stop_observing()
        self._stop_observing = document.observe(self._heard) if document is not None else lambda: None
        if self._controller is not None:
            self._controller.set_document(document)
            if self._learned_weights and self._controller.settings.weights == self._learned_weights:
                self._controller.choose_weights("")  # they are of the picture before
        self._learned_weights = ""
        if self._learning is not None:
            self._learning.set_document(document)
        if document is not None:
            self._take_handles()
            self._fit()
            self._show_size()
            if self.is_on:
                self._make_room()

    def _heard(self, event: "Event") -> None:
        from app.document.events import CanvasChanged, CurrentResultChanged

        if isinstance(event, CanvasChanged):
            self._window.context.show_frame(None)  # it may lie beside the canvas now
            if self._has_handles():
                self._window.canvas.viewport.fit_box = _roomy((0, 0, *event.size_hw[::-1]))
        if isinstance(event, CanvasChanged | CurrentResultChanged):
            self._take_handles()
            self._fit()
            self._show_size()

    def _take_handles(self) -> None:
        """Nobody paints on a remade picture, for mask and edges lie on the one it was made from: take the handles in hand."""
        document, current = self._window.document, self._window.tools.current
        result = document.current_result if document is not None else None
        is_painting = current is not None and current.id not in ("retarget", *LOOKING)
        if result is not None and result.is_whole and is_painting:
            self._window.tools.choose("retarget")

    def _show_size(self) -> None:
        from app.document.seen import seen_size_hw

        if self._window.document is not None:
            self._window.status.show_size(seen_size_hw(self._window.document))

    def _fit(self) -> None:
        """Have all of what is seen in sight, where all of the canvas was."""
        document, canvas = self._window.document, self._window.canvas
        if document is None:
            return
        viewport = canvas.viewport
        was_fitted = viewport.is_fitted
        box = canvas.scene.picture_box
        if self._has_handles():
            seen = viewport.to_view_box(box)
            wide, high = viewport.view_size_wh
            if seen[0] >= 0 and seen[1] >= 0 and seen[2] <= wide and seen[3] <= high:
                return  # handles that stay where they are can be taken again
            box = _roomy(_around(box, (0, 0, *document.size_hw[::-1])))
        viewport.fit_box = None if box == (0, 0, *document.size_hw[::-1]) else box
        if was_fitted:
            canvas.fit()

    def _has_handles(self) -> bool:
        current = self._window.tools.current
        return current is not None and current.id == "retarget"

    def _make_room(self) -> None:
        """Leave some of the desk round the picture."""
        document, canvas = self._window.document, self._window.canvas
        if document is None or not canvas.viewport.is_fitted:
            return
        canvas.viewport.fit_box = _roomy(canvas.scene.picture_box)
        canvas.fit()


def _around(one: "Box", other: "Box") -> "Box":
    return (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))


def _roomy(box: "Box") -> "Box":
    room = round(ROOM * max(box[2] - box[0], box[3] - box[1]))
    return (box[0] - room, box[1] - room, box[2] + room, box[3] + room)
