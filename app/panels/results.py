"""The results strip: every fill of the document as a thumbnail, and what can be done with one.

The document is the truth. What is chosen here becomes what the canvas shows through the controller, as a step that can
be undone; whatever changes the document comes back through its events.

Elsewhere: the list in result_items.py, how one is drawn in result_delegate.py.
"""

from typing import Protocol

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListView,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QStyleOptionViewItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.document.document import Document
from app.document.events import CurrentResultChanged, Event, ResultsChanged
from app.document.results import Result
from app.icons import set_icon
from app.panels.controls import named, quiet_label
from app.panels.result_delegate import ResultDelegate
from app.panels.result_items import ID_ROLE, ResultItems, caption


class ResultActions(Protocol):
    """What the strip asks for; `app.result_door.ResultDoor` and `app.fill.FillController` offer it."""

    def show_result(self, result_id: str | None) -> None: ...  # noqa: D102
    def star_result(self, result_id: str, is_starred: bool) -> None: ...  # noqa: D102
    def star_results(self, result_ids: list[str], is_starred: bool) -> None: ...  # noqa: D102
    def delete_results(self, result_ids: list[str]) -> None: ...  # noqa: D102
    def reopen_result(self, result_id: str) -> None: ...  # noqa: D102
    def rerun_result(self, result_id: str) -> None: ...  # noqa: D102
    def apply_as_layer(self) -> None: ...  # noqa: D102


EMPTY_WORDS = "No results yet. Brush over what should go, then press Fill."

LEAST_WIDTH_PX = 280
"""Room for the buttons without their words."""

RERUN_WORDS = "Fill again"

BUTTONS = (
    ("results_star", "star", "Star", "Mark the chosen results as ones to keep (S)"),
    (
        "results_compare",
        "compare",
        "Compare",
        "Drag a line over the canvas: the picture left, the result right; with two results selected, these two",
    ),
    ("results_reopen", "reopen", "Use settings", "Show this result and set the panel as it was made"),
    (
        "results_rerun",
        "fill",
        RERUN_WORDS,
        "Make it again from the picture and mask as they are now, with its settings",
    ),
    (
        "results_apply",
        "apply",
        "Apply as layer",
        "Make the shown result a layer; a fill clears mask and edges, a remade picture gives the document its size",
    ),
    ("results_delete", "delete", "Delete", "Remove the chosen results; undo brings them back (Del)"),
)
"""objectName, icon, words and tip, from left to right."""


class ResultList(QListView):
    """A row of thumbnails; Del removes, S stars, arrows walk."""

    delete_asked = Signal()
    star_asked = Signal()
    walked = Signal(QModelIndex)
    """The user went to an item, by click or key; a selection set from code is not told."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.clicked.connect(self.walked)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Del and S act on the selection; what moves goes to the next item."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_asked.emit()
            return
        if event.key() == Qt.Key.Key_S and not event.modifiers():
            self.star_asked.emit()
            return
        before = self.currentIndex()
        super().keyPressEvent(event)
        after = self.currentIndex()
        is_activated = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
        if after.isValid() and (after != before or is_activated):
            self.walked.emit(after)


class ResultsStrip(QWidget):
    """Thumbnails of all results, and what can be done with one."""

    compare_asked = Signal(bool)
    """Show the wipe between before and after, or put it away: `CanvasView.set_wipe`."""
    compared_changed = Signal()
    """`compared` is another one, because other results were selected."""

    def __init__(self, controller: ResultActions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, "results_strip", "Results")
        self._controller = controller
        self._document: Document | None = None
        self._compared: Result | None = None
        self._stop_observing = lambda: None
        self._items = ResultItems(self)
        self._list = ResultList(self)
        named(self._list, "results_list", "Results", "")
        self._list.setModel(self._items)
        self._delegate = ResultDelegate(self._list)
        self._list.setItemDelegate(self._delegate)
        self._count = QLabel(self)
        self._count.setObjectName("results_count")
        self._count.setProperty("look", "dim")
        self._buttons = self._make_buttons()
        self._empty = quiet_label(EMPTY_WORDS, self)
        self._empty.setObjectName("results_empty")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self._list)
        self._lay_out()
        self._connect()
        self._show_all()

    def set_document(self, document: Document | None) -> None:
        """Show another document, or none."""
        self._stop_observing()
        self._stop_observing = lambda: None
        self._document = document
        self._items.ratio = self.devicePixelRatioF()
        self._items.set_document(document)
        if document is not None:
            self._stop_observing = document.observe(self._heard)
        self._show_all()

    @property
    def compared(self) -> tuple[Result | None, tuple[str, str]]:
        """Of two selected results, the one that is not shown, and what both are called; None where there are not two."""
        return self._compared, tuple(self._name_of(one) for one in (self._compared, self._shown))  # type: ignore[return-value]

    @property
    def _shown(self) -> Result | None:
        return self._document.current_result if self._document is not None else None

    def _name_of(self, result: Result | None) -> str:
        return caption(result, self._items.row_of(result.id if result is not None else None))

    # Building --------------------------------------------------------------------------------------------------------

    def _make_buttons(self) -> dict[str, QToolButton]:
        buttons = {}
        for name, icon_name, words, tip in BUTTONS:
            button = QToolButton(self)
            button.setText(words)
            button.setProperty("look", "flat")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            set_icon(button, icon_name)
            named(button, name, words, tip)
            buttons[name] = button
        buttons["results_compare"].setCheckable(True)
        return buttons

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(4, 0, 0, 0)
        bar.setSpacing(2)
        bar.addWidget(self._count)
        bar.addStretch(1)
        for button in self._buttons.values():
            bar.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        layout.addLayout(bar)
        layout.addWidget(self._pages, 1)
        item = self._delegate.sizeHint(QStyleOptionViewItem(), QModelIndex())
        bar_px = self._list.horizontalScrollBar().sizeHint().height()
        self._pages.setMinimumHeight(item.height() + bar_px + 4)
        self.setMinimumWidth(LEAST_WIDTH_PX)  # else the words on the buttons would keep the window wide
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def _connect(self) -> None:
        self._list.walked.connect(self._walked)
        self._list.delete_asked.connect(self.delete_chosen)
        self._list.star_asked.connect(self.star_chosen)
        self._list.selectionModel().selectionChanged.connect(lambda *_: self._show_buttons())
        self._delegate.star_clicked.connect(self._controller.star_result)
        self._list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._list.customContextMenuRequested.connect(self._show_menu)
        self._buttons["results_star"].clicked.connect(self.star_chosen)
        self._buttons["results_compare"].clicked.connect(self.compare_asked)
        self._buttons["results_reopen"].clicked.connect(self._reopen)
        self._buttons["results_rerun"].clicked.connect(self._rerun)
        self._buttons["results_apply"].clicked.connect(self._controller.apply_as_layer)
        self._buttons["results_delete"].clicked.connect(self.delete_chosen)

    # What the user does ----------------------------------------------------------------------------------------------

    @Slot()
    def delete_chosen(self) -> None:
        """Remove the chosen results, in one step."""
        if chosen := self._chosen_ids():
            self._controller.delete_results(chosen)

    @Slot()
    def star_chosen(self) -> None:
        """Star the chosen results; take the stars back where all have one."""
        if self._document is None:
            return
        chosen = [self._document.result(result_id) for result_id in self._chosen_ids()]
        is_starred = not all(result.is_starred for result in chosen)
        self._controller.star_results([result.id for result in chosen], is_starred)

    @Slot(bool)
    def set_comparing(self, is_comparing: bool) -> None:
        """Show whether the wipe is on, when it was switched elsewhere."""
        self._buttons["results_compare"].setChecked(is_comparing)

    @Slot(QModelIndex)
    def _walked(self, index: QModelIndex) -> None:
        self._controller.show_result(index.data(ID_ROLE))

    @Slot()
    def _reopen(self) -> None:
        if chosen := self._chosen_ids():
            self._controller.reopen_result(chosen[-1])

    @Slot()
    def _rerun(self) -> None:
        if chosen := self._chosen_ids():
            self._controller.rerun_result(chosen[-1])

    @Slot(QPoint)
    def _show_menu(self, at: QPoint) -> None:
        """The buttons again, where the pointer is."""
        menu = QMenu(self)
        menu.setObjectName("results_menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for button in self._buttons.values():
            action = menu.addAction(button.icon(), button.text(), button.click)
            action.setEnabled(button.isEnabled())
        menu.popup(self._list.viewport().mapToGlobal(at))

    def _chosen_ids(self) -> list[str]:
        """Ids of the selected results in the order of the strip; the shown one where nothing is selected."""
        rows = sorted(index.row() for index in self._list.selectionModel().selectedIndexes())
        results = [self._items.result_at(row) for row in rows]
        ids = [result.id for result in results if result is not None]
        if not ids and not rows and self._document is not None and self._document.current_result_id:
            ids = [self._document.current_result_id]
        return ids

    # What the document says ------------------------------------------------------------------------------------------

    def _heard(self, event: Event) -> None:
        if isinstance(event, ResultsChanged | CurrentResultChanged):
            self._show_all()

    def _show_all(self) -> None:
        self._items.refresh()
        count = len(self._items.results)
        self._pages.setCurrentWidget(self._list if count else self._empty)
        for button in self._buttons.values():
            button.setVisible(bool(count))  # nothing can be done with nothing
        self._count.setText("" if not count else "1 result" if count == 1 else f"{count} results")
        self._select_shown()
        self._show_buttons()

    def _select_shown(self) -> None:
        """Select what the canvas shows, unless the user has several selected."""
        if not self._items.rowCount() or self._document is None:
            return
        index = self._items.index(self._items.row_of(self._document.current_result_id))
        selection = self._list.selectionModel()
        if len(selection.selectedIndexes()) > 1 and selection.isSelected(index):
            return
        selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self._list.scrollTo(index)

    def _choose_compared(self, chosen: list[str]) -> None:
        """Of two selected results, compare the other one with the one that is shown."""
        shown, document, before = self._shown, self._document, self._compared
        others = [one for one in chosen if shown is not None and one != shown.id]
        is_pair = document is not None and len(chosen) == 2 and len(others) == 1
        self._compared = document.result(others[0]) if is_pair and document is not None else None
        if self._compared is not before or self._compared is not None:
            self.compared_changed.emit()

    def _show_buttons(self) -> None:
        chosen = self._chosen_ids()
        self._choose_compared(chosen)
        shown = self._document.current_result_id if self._document is not None else None
        for name, is_enabled in (
            ("results_star", bool(chosen)),
            ("results_compare", shown is not None),
            ("results_reopen", len(chosen) == 1),
            ("results_rerun", len(chosen) == 1),
            ("results_apply", shown is not None),
            ("results_delete", bool(chosen)),
        ):
            self._buttons[name].setEnabled(is_enabled)
        is_whole = (
            len(chosen) == 1 and self._document is not None and self._document.result(chosen[0]).is_whole
        )
        self._buttons["results_rerun"].setText("Remake" if is_whole else RERUN_WORDS)
        if shown is None:
            self._buttons["results_compare"].setChecked(False)
        is_starred = (
            bool(chosen)
            and self._document is not None
            and all(self._document.result(result_id).is_starred for result_id in chosen)
        )
        self._buttons["results_star"].setText("Unstar" if is_starred else "Star")
        set_icon(self._buttons["results_star"], "star-filled" if is_starred else "star")

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Draw in the new colours when the theme changes."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._list.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """On a narrow window the buttons keep their icons and lose their words."""
        super().resizeEvent(event)
        words_px = sum(
            button.fontMetrics().horizontalAdvance(button.text()) + 44 for button in self._buttons.values()
        )
        style = (
            Qt.ToolButtonStyle.ToolButtonTextBesideIcon
            if event.size().width() > words_px + 90
            else Qt.ToolButtonStyle.ToolButtonIconOnly
        )
        for button in self._buttons.values():
            button.setToolButtonStyle(style)
